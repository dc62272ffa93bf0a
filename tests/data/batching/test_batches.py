from __future__ import annotations

import itertools
import time

import numpy as np
import pytest

from bert_tf.data.batching.batches import batch_arrays, replica_batches
from bert_tf.data.batching.epochs import Epochs
from bert_tf.data.batching.plan import BatchLayout, choose_layout, plan_epoch
from tests.data.batching.sets import features_of, film_lengths

LENGTHS = film_lengths(1_500)
FEATURES = features_of(
    LENGTHS,
    weights=np.linspace(0.5, 1.5, len(LENGTHS)).astype(np.float32),
    token_fields={"tags": np.arange(int(LENGTHS.sum())) % 5},
    example_fields={"scores": np.arange(len(LENGTHS) * 2, dtype=np.float64).reshape(-1, 2)},
    position_fields={"answer_start": LENGTHS - 1},
    fills={"tags": -1, "answer_start": -1},
)
BATCHINGS = ["packed", "bucketed", "padded"]


def plan_of(batching, divisor=1, **more):
    layout = choose_layout(LENGTHS, 32, batching=batching, divisor=divisor)
    return plan_epoch(LENGTHS, layout, **{"seed": 1, "epoch": 0, **more})


def test_packed_batch_by_hand():
    features = features_of(np.array([2, 3, 4]), position_fields={"end": np.array([1, 2, 3])})
    plan = plan_epoch(features.lengths, BatchLayout("packed", 2, 6, 3, 3), seed=0, epoch=0, shuffle=False)
    batch = batch_arrays(features, plan, 0)
    expected = {
        "token_ids": [[1, 2, 3, 4, 5, 0], [6, 7, 8, 9, 0, 0]],
        "segment_ids": [[0, 1, 0, 1, 0, 0], [1, 0, 1, 0, 0, 0]],
        "padding_mask": [[1, 1, 1, 1, 1, 0], [1, 1, 1, 1, 0, 0]],
        "example_ids": [[1, 1, 2, 2, 2, 0], [1, 1, 1, 1, 0, 0]],
        "position_ids": [[0, 1, 0, 1, 2, 0], [0, 1, 2, 3, 0, 0]],
        "first_positions": [[0, 2, 0], [0, 0, 0]],
        "end": [[1, 4, 0], [3, 0, 0]],
        "labels": [[10, 11, 0], [12, 0, 0]],
        "example_weight": [[1, 1, 0], [1, 0, 0]],
        "example_index": [[0, 1, -1], [2, -1, -1]],
    }
    assert {name: values.tolist() for name, values in batch.items()} == expected
    assert {name for name, values in batch.items() if values.dtype != np.int32} == {"example_weight"}
    assert batch["example_weight"].dtype == np.float32


def test_unpacked_part_batch_by_hand():
    features = features_of(np.array([2, 3, 4]))
    plan = plan_epoch(features.lengths, BatchLayout("padded", 4, 5, 1, 2), seed=0, epoch=0, shuffle=False)
    batch = batch_arrays(features, plan, 1)
    assert {name: values.tolist() for name, values in batch.items()} == {
        "token_ids": [[6, 7, 8, 9, 0], [0] * 5, [0] * 5, [0] * 5],
        "segment_ids": [[1, 0, 1, 0, 0], [0] * 5, [0] * 5, [0] * 5],
        "padding_mask": [[1, 1, 1, 1, 0], [0] * 5, [0] * 5, [0] * 5],
        "labels": [12, 0, 0, 0],
        "example_weight": [1, 0, 0, 0],
        "example_index": [2, -1, -1, -1],
    }


@pytest.mark.parametrize("batching", BATCHINGS)
@pytest.mark.parametrize("shuffle", [True, False])
def test_no_token_is_lost_and_everything_stands_with_its_example(batching, shuffle):
    plan = plan_of(batching, shuffle=shuffle)
    seen_tokens, seen_examples = [], []
    for k in range(plan.number_of_batches):
        batch = batch_arrays(FEATURES, plan, k)
        real = batch["padding_mask"] == 1
        seen_tokens += batch["token_ids"][real].tolist()
        assert np.all(batch["token_ids"][~real] == 0)
        assert np.all(batch["tags"][~real] == -1)
        assert np.array_equal(batch["tags"][real], (batch["token_ids"][real] - 1) % 5)
        assert np.array_equal(batch["segment_ids"][real], (batch["token_ids"][real] - 1) % 2)
        assert real.sum() == plan.tokens[k]
        assert real.shape == (plan.layout.rows, plan.lengths[k])
        there = batch["example_weight"] > 0
        e = batch["example_index"][there]
        seen_examples += e.tolist()
        assert np.all(batch["example_index"][~there] == -1)
        assert np.array_equal(batch["labels"][there], e + 10)
        assert np.all(batch["labels"][~there] == 0)
        assert np.array_equal(batch["example_weight"][there], FEATURES.weights[e])  # type: ignore[index]
        assert np.array_equal(batch["scores"][there][:, 1], 2.0 * e + 1)
        # Each example's first token, and the one its position field names, are where the batch says.
        rows = np.nonzero(there)[0]
        first = batch["first_positions"][there] if batching == "packed" else np.zeros(len(e), int)
        assert np.array_equal(batch["token_ids"][rows, first], FEATURES.splits[e] + 1)
        assert np.array_equal(batch["token_ids"][rows, batch["answer_start"][there]], FEATURES.splits[e + 1])
        assert np.all(batch["answer_start"][~there] == -1)
    assert sorted(seen_tokens) == FEATURES.token_ids.tolist()
    assert sorted(seen_examples) == list(range(len(LENGTHS)))


def test_positions_and_example_ids_restart_in_each_example():
    plan = plan_of("packed")
    batch = batch_arrays(FEATURES, plan, 3)
    rows, slots = np.nonzero(batch["example_weight"])
    for row, slot in zip(rows, slots, strict=True):
        first, n = batch["first_positions"][row, slot], LENGTHS[batch["example_index"][row, slot]]
        assert batch["position_ids"][row, first : first + n].tolist() == list(range(n))
        assert batch["example_ids"][row, first : first + n].tolist() == [slot + 1] * n
    assert np.array_equal(batch["example_ids"] > 0, batch["padding_mask"] == 1)
    assert np.all(batch["position_ids"][batch["padding_mask"] == 0] == 0)


def test_part_batch_has_empty_rows():
    features = features_of(np.full(13, 30))
    plan = plan_epoch(features.lengths, BatchLayout("packed", 5, 64, 3, 10), seed=0, epoch=0)
    batch = batch_arrays(features, plan, 1)
    assert plan.number_of_batches == 2
    assert batch["token_ids"].shape == (5, 64)
    assert batch["example_weight"].sum(axis=1).tolist() == [2, 1, 0, 0, 0]
    assert batch["padding_mask"].sum(axis=1).tolist() == [60, 30, 0, 0, 0]


def test_batches_are_made_quickly():
    plan = plan_of("packed")
    start = time.perf_counter()
    for k in range(40):
        batch_arrays(FEATURES, plan, k)
    assert (time.perf_counter() - start) / 40 < 0.003  # 0.07 ms on an idle machine


def same(left, right):
    return left.keys() == right.keys() and all(np.array_equal(left[name], right[name]) for name in left)


@pytest.mark.parametrize("batching", BATCHINGS)
def test_starting_at_k_gives_the_batches_from_k_on(batching):
    plan = plan_of(batching)
    epochs = Epochs.of(LENGTHS, plan.layout, seed=7)
    first = epochs.start(1)
    whole = list(replica_batches(FEATURES, epochs, stop=2 * first + 5))
    assert len(whole) == 2 * first + 5
    for start in (0, 3, first - 1, first, first + 4):
        again = list(replica_batches(FEATURES, Epochs.of(LENGTHS, plan.layout, seed=7), start=start, stop=first + 8))
        assert len(again) == first + 8 - start
        assert all(same(left, right) for left, right in zip(again, whole[start : first + 8], strict=True))
    assert not same(whole[0], whole[first])


@pytest.mark.parametrize("batching", BATCHINGS)
def test_replicas_parts_together_are_the_global_batch(batching):
    plan = plan_of(batching, divisor=4)
    whole = list(replica_batches(FEATURES, plan))
    workers = [list(replica_batches(FEATURES, plan, replicas=4, replica_range=span)) for span in ((0, 1), (1, 4))]
    assert len(whole) == plan.number_of_batches
    assert [len(part) for part in workers] == [len(whole), 3 * len(whole)]
    for k, batch in enumerate(whole):
        parts = [workers[0][k], *workers[1][3 * k : 3 * k + 3]]
        for name, values in batch.items():
            if name == "loss_divisor":
                assert [part[name] for part in parts] == [values] * 4
            else:
                np.testing.assert_array_equal(np.concatenate([part[name] for part in parts]), values)
                assert parts[0][name].shape[0] == plan.layout.rows // 4
        np.testing.assert_allclose(batch["loss_divisor"], batch["example_weight"].sum(), rtol=1e-6)


TOKEN_NAMES = {"token_ids", "segment_ids", "padding_mask", "tags"}


@pytest.mark.parametrize("batching", BATCHINGS)
def test_shapes_and_types_are_the_same_in_all_batches_but_for_the_tokens_of_bucketed_ones(batching):
    epochs = Epochs.of(LENGTHS, choose_layout(LENGTHS, 32, batching=batching, divisor=2), seed=7)
    batches = list(replica_batches(FEATURES, epochs, stop=epochs.start(2) + 2, replicas=2))
    assert all({name: x.dtype for name, x in batch.items()} == {name: x.dtype for name, x in batches[0].items()}
               for batch in batches)  # fmt: skip
    shapes = {name: {batch[name].shape for batch in batches} for name in batches[0]}
    changing = {name for name, found in shapes.items() if len(found) > 1}
    assert changing == (TOKEN_NAMES if batching == "bucketed" else set())
    layout = epochs.plan(0).layout
    assert {shape[0] for shape in shapes["token_ids"]} == {layout.rows // 2}
    assert shapes["loss_divisor"] == {()}
    if batching == "packed":
        assert shapes["token_ids"] == {(layout.rows // 2, layout.length)}
        assert shapes["labels"] == {(layout.rows // 2, layout.slots)}


def test_one_plan_ends_and_epochs_do_not():
    plan = plan_of("packed", shuffle=False)
    count = plan.number_of_batches
    assert len(list(replica_batches(FEATURES, plan))) == count
    assert len(list(replica_batches(FEATURES, plan, start=2, stop=4))) == 2
    endless = replica_batches(FEATURES, Epochs.of(LENGTHS, plan.layout, seed=7))
    assert len(list(itertools.islice(endless, 3 * count))) == 3 * count


def test_rows_that_do_not_divide_are_refused():
    epochs = Epochs.of(LENGTHS, choose_layout(LENGTHS, 32, batching="padded"), seed=7)
    with pytest.raises(ValueError, match=r"`replicas` must divide the rows of a batch. Received: replicas=3, rows=32"):
        next(replica_batches(FEATURES, epochs, replicas=3))
