from __future__ import annotations

import numpy as np
import pytest

from bert_tf.data.batching.epochs import KEPT_PLANS, Epochs
from bert_tf.data.batching.plan import choose_layout, plan_epoch
from tests.data.batching.sets import film_lengths

LENGTHS = film_lengths(3_000)
LAYOUT = choose_layout(LENGTHS, 16)


def test_batches_are_numbered_over_epochs_of_unequal_size():
    epochs = Epochs.of(LENGTHS, LAYOUT, seed=5)
    sizes = [plan_epoch(LENGTHS, LAYOUT, seed=5, epoch=e).number_of_batches for e in range(12)]
    assert len(set(sizes)) > 1
    starts = np.append(0, np.cumsum(sizes)).tolist()
    assert [epochs.start(e) for e in range(13)] == starts
    for epoch in range(12):
        assert epochs.locate(starts[epoch]) == (epoch, 0)
        assert epochs.locate(starts[epoch + 1] - 1) == (epoch, sizes[epoch] - 1)
    assert epochs.number_of_batches(3) == starts[3]
    assert epochs.number_of_batches(2.5) == starts[2] + -(-sizes[2] // 2)
    assert epochs.number_of_batches(0.001) == 1


def test_plans_are_made_once_and_few_are_kept():
    made = []

    def make(epoch):
        made.append(epoch)
        return plan_epoch(LENGTHS, LAYOUT, seed=5, epoch=epoch)

    epochs = Epochs(make)
    assert epochs.plan(1) is epochs.plan(1)
    assert made == [1]
    for epoch in range(10):
        epochs.plan(epoch)
    assert len(epochs._plans) == KEPT_PLANS
    assert made == [1, 0, *range(2, 10)]


def test_negative_batch_number_is_refused():
    with pytest.raises(ValueError, match=r"`number` must be at least 0. Received: -1"):
        Epochs.of(LENGTHS, LAYOUT, seed=5).locate(-1)
