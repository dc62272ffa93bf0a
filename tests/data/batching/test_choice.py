"""Which way of making batches is chosen."""

from __future__ import annotations

import numpy as np
import pytest

from bert_tf.data.batching.choice import choose_batching
from bert_tf.data.batching.epochs import Epochs, plan_batches
from tests.data.batching.sets import features_of, film_lengths

SHORT = film_lengths(3_000)
LONG = np.clip(np.random.default_rng(0).normal(230, 90, 3_000).astype(np.int64), 60, 384)  # like dialogues


def test_short_examples_are_packed_and_long_ones_bucketed():
    assert choose_batching(SHORT, 32, steps=10_000) == "packed"
    assert choose_batching(LONG, 32, steps=10_000) == "bucketed"


def test_a_short_training_has_one_shape():
    assert choose_batching(LONG, 32, steps=50) == "packed"


def test_examples_of_one_length_need_no_buckets():
    assert choose_batching(np.full(1_000, 256), 32, steps=10_000) == "packed"


@pytest.mark.parametrize(("lengths", "steps", "expected"), [(SHORT, 9_999, "packed"), (LONG, 9_999, "bucketed")])
def test_plans_of_auto(lengths, steps, expected):
    plans = plan_batches(features_of(lengths), 16, batching="auto", divisor=2, steps=steps, seed=3)
    assert isinstance(plans, Epochs)
    layout = plans.plan(0).layout
    assert layout.batching == expected
    assert layout.rows % 2 == 0
