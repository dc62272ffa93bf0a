from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from bert_tf.exporting.tflite.convert import convert, frozen
from bert_tf.exporting.tflite.file import finish
from bert_tf.kinds.serving import Contract, TensorNote
from bert_tf.runtimes.tflite import PART_TOKENS, LiteFile, LiteModel, lengths_of, padded, parts_of, resized

NAMES = ("ids", "mask", "segment_ids")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Makes a file of rows [B, T], None for any number, that gives the sum of `ids * mask`, or each token's."""
    folder = tmp_path_factory.mktemp("files")

    def make(rows: int | None, tokens: int | None, *, per_token: bool = False) -> Path:
        path = folder / f"{rows}_{tokens}_{per_token}.tflite"
        if path.exists():
            return path
        spec = [tf.TensorSpec([rows, tokens], tf.int32, name=name) for name in NAMES]

        def run(ids, mask, segment_ids):
            found = tf.cast(ids * mask + 100 * segment_ids * mask, tf.float32)
            return {"logits": tf.expand_dims(found, -1) if per_token else tf.reduce_sum(found, axis=1, keepdims=True)}

        graph = frozen(tf.function(run, input_signature=spec, autograph=False))
        path.write_bytes(finish(convert(graph, "float32"), NAMES, ["logits"], description=""))
        return path

    return make


def batch() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(3)
    lengths = np.array([3, 7, 1, 5, 5, 2])
    mask = (np.arange(7) < lengths[:, None]).astype(np.int32)
    return {
        "token_ids": rng.integers(1, 9, mask.shape).astype(np.int32) * mask,
        "padding_mask": mask,
        "segment_ids": (np.arange(7) > 2).astype(np.int32) * mask,
    }


@pytest.mark.parametrize("per_token", [False, True])
@pytest.mark.parametrize(("rows", "tokens"), [(1, None), (None, None), (1, 9)])
def test_rows_come_back_in_their_order(made, monkeypatch, rows, tokens, per_token):
    monkeypatch.setattr("bert_tf.runtimes.tflite.PART_TOKENS", 10)
    file = LiteFile(made(rows, tokens, per_token=per_token))
    assert file.takes_batches == (rows is None)
    assert file.length == tokens
    model = LiteModel(file, Contract(per_token=per_token), labels=("a",), reject_below=0.5)
    given = batch()
    found = np.asarray(model(given))
    each = (given["token_ids"] + 100 * given["segment_ids"]) * given["padding_mask"]
    np.testing.assert_array_equal(found[..., 0], each if per_token else each.sum(axis=1))
    nothing = {name: array[:0] for name, array in given.items()}
    assert model(nothing).shape == ((0, 7, 1) if per_token else (0, 1))
    assert (model.labels, model.reject_below) == (("a",), 0.5)


def test_a_file_that_takes_batches_is_called_with_rows_of_like_lengths(made, monkeypatch):
    monkeypatch.setattr("bert_tf.runtimes.tflite.PART_TOKENS", 10)
    model = LiteModel(LiteFile(made(None, None)), Contract())
    shapes = []
    feed = model.file.feed
    monkeypatch.setattr(model.file, "feed", lambda arrays: (shapes.append(arrays["ids"].shape), feed(arrays)))
    model(batch())
    assert shapes == [(1, 7), (2, 5), (3, 3)]
    shapes.clear()
    one = {name: array[1:2] for name, array in batch().items()}
    model(one)
    assert shapes == [(1, 7)]


def test_a_mask_with_holes_keeps_its_last_token():
    assert lengths_of(np.array([[1, 0, 1, 0], [0, 0, 0, 0], [1, 1, 1, 1]])).tolist() == [3, 1, 4]


def test_parts_hold_every_row_once_and_no_more_tokens_than_they_may():
    lengths = np.random.default_rng(0).integers(1, 700, 500)
    parts = list(parts_of(lengths, PART_TOKENS))
    assert sorted(np.concatenate(parts).tolist()) == list(range(500))
    widths = [lengths[part].max() for part in parts]
    assert all(len(part) == 1 or len(part) * width <= PART_TOKENS for part, width in zip(parts, widths, strict=True))
    assert widths == sorted(widths, reverse=True)


def test_columns_are_cut_and_filled():
    array = np.arange(6).reshape(2, 3, 1)
    assert resized(array, 2)[..., 0].tolist() == [[0, 1], [3, 4]]
    assert resized(array, 4)[..., 0].tolist() == [[0, 1, 2, 0], [3, 4, 5, 0]]
    with pytest.raises(ValueError, match=r"`array` must have 2 columns at most\. Received: 3"):
        padded(array[..., 0], 2)


def test_two_threads_of_python_get_their_own_answers(made):
    from concurrent.futures import ThreadPoolExecutor

    model = LiteModel(LiteFile(made(None, None)), Contract(outputs=(TensorNote(name="logits", description=""),)))
    ids = [np.full((3, width), width, np.int32) for width in range(1, 30)]
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda x: model.outputs(x, np.ones_like(x), np.zeros_like(x))["logits"], ids))
    for array, given in zip(found, ids, strict=True):
        np.testing.assert_array_equal(array[:, 0], given.sum(axis=1))
