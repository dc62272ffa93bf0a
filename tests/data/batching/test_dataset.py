from __future__ import annotations

import itertools
import threading
from typing import Any

import numpy as np
import pytest

from bert_tf.data.batching.batches import PREFETCHED_BLOCKS, blocks, dataset
from bert_tf.data.batching.epochs import Epochs
from bert_tf.data.batching.plan import choose_layout, plan_epoch
from tests.data.batching.sets import features_of, film_lengths

LENGTHS = film_lengths(400)
FEATURES = features_of(LENGTHS, token_fields={"tags": np.arange(int(LENGTHS.sum()))})


@pytest.mark.parametrize("batching", ["packed", "bucketed", "padded"])
def test_pipeline_gives_the_blocks_over_epochs(batching):
    layout = choose_layout(LENGTHS, 32, batching=batching, divisor=2)
    epochs = Epochs.of(LENGTHS, layout, seed=7)
    stop = epochs.start(2) + 2
    options: dict[str, Any] = {"start": 3, "stop": stop, "replicas": 2}
    found: list[Any] = list(dataset(FEATURES, epochs, **options).as_numpy_iterator())
    expected = list(blocks(FEATURES, epochs, **options))
    assert len(found) == len(expected) == 2 * (stop - 3)
    for left, right in zip(found, expected, strict=True):
        assert left.keys() == right.keys()
        for name in left:
            np.testing.assert_array_equal(left[name], right[name])
            assert left[name].dtype == right[name].dtype


def test_shapes_are_static_where_rows_have_one_length():
    layout = choose_layout(LENGTHS, 32)
    spec: Any = dataset(FEATURES, Epochs.of(LENGTHS, layout, seed=7)).element_spec
    assert all(part.shape.is_fully_defined() for part in spec.values())
    assert spec["token_ids"].shape == (layout.rows, layout.length)
    assert spec["labels"].shape == (layout.rows, layout.slots)
    assert spec["loss_divisor"].shape == ()


def test_only_tokens_are_of_open_length_where_bucketed():
    layout = choose_layout(LENGTHS, 32, batching="bucketed")
    spec: Any = dataset(FEATURES, Epochs.of(LENGTHS, layout, seed=7)).element_spec
    open_ones = {name for name, part in spec.items() if not part.shape.is_fully_defined()}
    assert open_ones == {"token_ids", "segment_ids", "padding_mask", "tags"}
    assert spec["token_ids"].shape.as_list() == [32, None]


def test_one_plan_ends_and_epochs_do_not():
    layout = choose_layout(LENGTHS, 32)
    plan = plan_epoch(LENGTHS, layout, seed=1, epoch=0, shuffle=False)
    assert len(list(dataset(FEATURES, plan))) == plan.number_of_batches
    assert len(list(dataset(FEATURES, plan, start=2, stop=4))) == 2
    closed = threading.Event()
    endless = iter(dataset(FEATURES, Epochs.of(LENGTHS, layout, seed=7), closed=closed))
    assert len(list(itertools.islice(endless, 3 * plan.number_of_batches))) == 3 * plan.number_of_batches
    closed.set()
    assert len(list(endless)) <= PREFETCHED_BLOCKS + 2  # what was made before, and then it ends


def test_rows_that_do_not_divide_are_refused():
    layout = choose_layout(LENGTHS, 32, batching="padded")
    with pytest.raises(ValueError, match=r"`replicas` must divide the rows of a batch. Received: replicas=3, rows=32"):
        dataset(FEATURES, Epochs.of(LENGTHS, layout, seed=7), replicas=3)
