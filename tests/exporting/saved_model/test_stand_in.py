"""The stand-in server puts requests together as TensorFlow Serving does, and what that does to an export's answers."""

from __future__ import annotations

import threading
from concurrent import futures
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.serving_batches import Batcher, Parameters, joined, merged, read_parameters
from benchmarks.serving_host import Served, array_of, predicted, tensor_of
from bert_tf.exporting.saved_model import batching
from bert_tf.exporting.saved_model.wire import field, number_field
from bert_tf.inference.pipeline import Pipeline

SPLITTING = Parameters(max_batch_size=20, max_execution_batch_size=4, enable_large_batch_splitting=True,
                       allowed_batch_sizes=(1, 2, 4), batch_timeout_micros=20_000)  # fmt: skip
WHOLE = Parameters(max_batch_size=4, allowed_batch_sizes=(2, 4), batch_timeout_micros=20_000)


class Recorder:
    """Answers each number with itself, and keeps the batches that it was given."""

    def __init__(self) -> None:
        self.batches: list[list[float]] = []

    def __call__(self, inputs: Any, signature: str) -> dict[str, np.ndarray]:
        self.batches.append(inputs["x"].ravel().tolist())
        if (inputs["x"] < 0).any():
            raise RuntimeError("expected x of 0 or more")
        return {"y": inputs["x"] * 2}


def together(batcher: Batcher, *requests: list[float]) -> list[Any]:
    """What each of these requests got that came at the same time, in this order."""
    found: list[Any] = [None] * len(requests)

    def ask(i: int) -> None:
        try:
            found[i] = batcher.run({"x": np.array(requests[i])})["y"].tolist()
        except RuntimeError as error:
            found[i] = str(error)

    threads = [threading.Thread(target=ask, args=(i,)) for i in range(len(requests))]
    for thread in threads:
        thread.start()
        thread.join(0.003)  # so that they come in order, within a batch's time
    for thread in threads:
        thread.join(10)
    return found


def test_a_request_is_split_over_batches_and_put_together_again():
    run = Recorder()
    assert together(Batcher(run, SPLITTING), [0.0, 1, 2, 3, 4, 5, 6, 7, 8]) == [[2.0 * i for i in range(9)]]
    assert sorted(run.batches) == [[0, 1, 2, 3], [4, 5, 6, 7], [8]]


def test_a_request_that_is_too_large_is_refused():
    for parameters, limit in ((SPLITTING, 20), (WHOLE, 4)):
        (found,) = together(Batcher(Recorder(), parameters), [0.0] * (limit + 1))
        assert found == f"Task size {limit + 1} is larger than maximum input batch size {limit}"


def test_requests_share_a_batch_filled_up_with_the_last_ones_first_row():
    run = Recorder()
    assert together(Batcher(run, WHOLE), [1.0], [2.0, 3.0]) == [[2.0], [4.0, 6.0]]
    assert run.batches == [[1, 2, 3, 2]]


def test_one_bad_request_fails_those_of_its_batch():
    run = Recorder()
    assert together(Batcher(run, WHOLE), [1.0], [-1.0]) == ["expected x of 0 or more"] * 2


def test_inner_shapes():
    rows = [{"x": np.array([[7, 8]])}, {"x": np.array([[9, 9, 9]])}]
    with pytest.raises(RuntimeError, match="have different shapes and padding is turned off"):
        merged(rows, WHOLE)
    padding = Parameters(pad_variable_length_inputs=True)
    assert merged(rows, padding)["x"].tolist() == [[7, 8, 7], [9, 9, 9]]
    pieces = [{"y": np.zeros((2, 3))}, {"y": np.zeros((1, 4))}]
    with pytest.raises(RuntimeError, match="TensorFlow Serving joins their bytes"):
        joined(pieces)


@pytest.mark.parametrize("rank", [0, 1])
def test_axes(rank):
    inputs = {"x": np.zeros((1,) * rank), "z": np.zeros(2)}
    with pytest.raises(RuntimeError, match=("at least one dimension", "equal 0th-dimension size")[rank]):
        Batcher(Recorder(), WHOLE).run(inputs)


def test_parameters_that_the_server_does_not_start_with():
    with pytest.raises(ValueError, match=r"Last entry in allowed_batch_sizes must be 32\. Received: 16"):
        Parameters(max_batch_size=32, allowed_batch_sizes=(8, 16))
    with pytest.raises(ValueError, match="monotonically"):
        Parameters(max_batch_size=8, allowed_batch_sizes=(16, 8))


@pytest.mark.parametrize("lists", [False, True])
def test_what_the_export_writes_is_what_a_server_starts_with(tmp_path, lists):
    sizes = batching.sizes_of((1, 8, 32), lists=lists)
    (tmp_path / "x").write_text(batching.parameters(sizes, lists=lists))
    found = read_parameters(tmp_path / "x")
    assert (found.allowed_batch_sizes, found.limit) == (sizes, sizes[-1])
    assert found.enable_large_batch_splitting is not lists
    assert found.max_batch_size > 32


def test_numbers_of_a_request():
    for array in (np.array([[1, -2], [3, 2**31 - 1]], np.int32), np.zeros((0, 2), np.int32)):
        np.testing.assert_array_equal(array_of(tensor_of(array)), array)
    shape = field(2, field(2, number_field(1, 3)))
    one = number_field(1, 3) + shape + field(7, b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")  # as protobuf writes -1
    assert array_of(one).tolist() == [-1, -1, -1]


# An export.


@pytest.fixture(scope="module")
def host(served) -> Served:
    return Served(str(served))


def test_33_texts(host, classifier):
    texts = [f"good film {'bad ' * (i % 7)}{i}" for i in range(33)]
    found = predicted(host, {"instances": texts})["predictions"]
    assert [answer["label"] for answer in found] == [answer["label"] for answer in Pipeline(classifier)(texts)]
    with pytest.raises(RuntimeError, match="Task size 1025 is larger than maximum input batch size 1024"):
        predicted(host, {"instances": ["good"] * 1025})


def test_texts_of_any_length_share_a_batch(host, classifier):
    texts = ["good", "bad film " * 100, "", "naïve \0"]
    with futures.ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda text: predicted(host, {"instances": [text]})["predictions"][0], texts))
    expected = Pipeline(classifier)(texts)
    np.testing.assert_allclose(
        [answer["score"] for answer in found], [answer["score"] for answer in expected], atol=1e-5
    )


def test_rows_of_tensors_share_a_batch_where_they_are_of_one_length(served, classifier):
    """And fail together where they are not, as export/serving/README.md says."""
    slow = Parameters(max_batch_size=8, allowed_batch_sizes=(2, 8), batch_timeout_micros=100_000)
    host = Served(str(served), slow)
    tokenizer = Pipeline(classifier).tokenizer
    columns = [{name: np.asarray(value) for name, value in tokenizer([text], max_length=64, padding=padding).items()}
               for text, padding in (("good", "longest"), ("a bad film", "longest"),
                                     ("good", "max_length"), ("a bad film", "max_length"))]  # fmt: skip

    def ask(inputs: Any) -> Any:
        try:
            return host.run(inputs, "tensors")["logits"]
        except RuntimeError as error:
            return str(error)

    with futures.ThreadPoolExecutor(2) as pool:
        for error in pool.map(ask, columns[:2]):
            assert "have different shapes and padding is turned off" in error
        padded = list(pool.map(ask, columns[2:]))
    alone = [host.run(inputs, "tensors")["logits"] for inputs in columns[:2]]
    np.testing.assert_allclose(np.concatenate(padded), np.concatenate(alone), atol=1e-5)


def test_the_graph_refuses_over_the_c_api_too(host):
    rows = {"token_ids": np.array([[2, -1]]), "segment_ids": np.zeros((1, 2)), "padding_mask": np.ones((1, 2))}
    with pytest.raises(RuntimeError, match="expected token_ids from 0 to"):
        host.run({name: value.astype(np.int32) for name, value in rows.items()}, "tensors")


@pytest.mark.slow
def test_lists_are_not_split(runs, tmp_path):
    """33 texts with other numbers of entities each stay in one batch; split they would not fit together."""
    from bert_tf import export

    export.main([f"--run={runs('tagging')}", "--format=saved_model", f"--out={tmp_path / 'm'}", "--no-timing",
                 "--examples=3"])  # fmt: skip
    folder = str(tmp_path / "m" / "1")
    texts = [" ".join(["who", "film", "good", "Paris"] * (1 + 5 * i)) for i in range(33)]
    found = predicted(Served(folder), {"instances": texts})["predictions"]
    expected = Pipeline(runs("tagging"))(texts)
    assert [answer["count"] for answer in found] == [len(answer["entities"]) for answer in expected]
    assert len({answer["count"] for answer in found}) > 1, "or it shows nothing"
    common = read_parameters(Path(__file__).resolve().parents[3] / "export" / "serving" / "batching_parameters.txt")
    with pytest.raises(RuntimeError, match="TensorFlow Serving joins their bytes"):
        predicted(Served(folder, common), {"instances": texts})
