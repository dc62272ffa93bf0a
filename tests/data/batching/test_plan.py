from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bert_tf.data.batching.plan import BatchLayout, bucket_length, choose_layout, permutation, plan_epoch
from tests.data.batching.sets import film_lengths, padding_share

LENGTHS = film_lengths(20_000)


@pytest.mark.parametrize("batching", ["packed", "bucketed", "padded"])
@pytest.mark.parametrize("shuffle", [True, False])
def test_every_example_once_in_an_epoch(batching, shuffle):
    layout = choose_layout(LENGTHS, 32, batching=batching)
    plan = plan_epoch(LENGTHS, layout, seed=1, epoch=0, shuffle=shuffle)
    assert np.array_equal(np.sort(plan.placement.index), np.arange(len(LENGTHS)))
    assert plan.examples.sum() == len(LENGTHS)
    assert plan.tokens.sum() == LENGTHS.sum()
    assert plan.placement.row.max() < layout.rows
    assert plan.placement.slot.max() < layout.slots
    assert np.all(plan.placement.column + LENGTHS[plan.placement.index] <= layout.length)


@pytest.mark.parametrize("batching", ["packed", "bucketed", "padded"])
def test_order_depends_on_seed_and_epoch_alone(batching):
    layout = choose_layout(LENGTHS, 32, batching=batching)

    def order(seed, epoch):
        return plan_epoch(LENGTHS, layout, seed=seed, epoch=epoch).placement.index

    assert np.array_equal(order(1, 0), order(1, 0))
    for other in (order(1, 1), order(2, 0), order(0, 1)):
        assert np.mean(other == order(1, 0)) < 0.01


def test_permutation_is_the_same_in_every_numpy():
    assert permutation(8, 1, 0).tolist() == [2, 0, 1, 4, 5, 6, 7, 3]
    assert permutation(8, 1, 1).tolist() == [7, 1, 6, 3, 5, 0, 2, 4]


@pytest.mark.parametrize("batch_examples", [32, 48, 64, 100, 256])
@pytest.mark.parametrize("divisor", [1, 2])
def test_packed_batches_hold_batch_examples_on_average(batch_examples, divisor):
    layout = choose_layout(LENGTHS, batch_examples, divisor=divisor)
    plan = plan_epoch(LENGTHS, layout, seed=1, epoch=0)
    assert plan.examples[:-1].mean() == pytest.approx(batch_examples, rel=0.025)
    assert layout.rows % divisor == 0
    assert layout.length % 8 == 0
    assert 64 <= layout.length <= 128
    assert padding_share(plan) < 0.025
    assert layout.max_examples is None


def test_packed_rows_of_long_examples():
    lengths = np.clip(np.random.default_rng(0).normal(150, 70, 5000).astype(int), 20, 384)
    layout = choose_layout(lengths, 32)
    plan = plan_epoch(lengths, layout, seed=1, epoch=0)
    assert 384 <= layout.length <= 480
    assert plan.examples[:-1].mean() == pytest.approx(32, rel=0.02)
    assert padding_share(plan) < 0.04


@pytest.mark.parametrize(("batch_examples", "divisor"), [(16, 8), (32, 8), (2, 2), (1, 1)])
def test_a_batch_never_holds_far_too_many_examples(batch_examples, divisor):
    layout = choose_layout(LENGTHS, batch_examples, divisor=divisor)
    examples = plan_epoch(LENGTHS, layout, seed=1, epoch=0).examples
    assert layout.max_examples == batch_examples
    assert examples.max() == batch_examples
    assert examples[:-1].mean() > 0.95 * batch_examples


def test_padding_share_counts_the_part_batch():
    plan = plan_epoch(np.array([3, 5, 8]), BatchLayout("packed", 1, 8, 8, 2), seed=0, epoch=0)
    assert plan.number_of_batches == 2
    assert padding_share(plan) == 0.0
    plan = plan_epoch(np.array([3, 5, 6]), BatchLayout("packed", 2, 8, 8, 2), seed=0, epoch=0)
    assert padding_share(plan) == pytest.approx(1 - 14 / 16)


def test_plan_is_quick():
    lengths = film_lengths(67_349)
    layout = choose_layout(lengths, 32)
    seconds = []
    for epoch in range(3):
        start = time.perf_counter()
        plan_epoch(lengths, layout, seed=1, epoch=epoch)
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 0.5


def test_given_pack_length_is_kept_as_it_is():
    layout = choose_layout(LENGTHS, 32, pack_length=100)
    assert layout.length == 100
    with pytest.raises(
        ValueError, match=r"`pack_length` must be at least the longest example's length, 64. Received: 63"
    ):
        choose_layout(LENGTHS, 32, pack_length=63)


def test_bucketed_batches_are_full_and_of_like_length():
    layout = choose_layout(LENGTHS, 32, batching="bucketed", divisor=3)
    plan = plan_epoch(LENGTHS, layout, seed=1, epoch=0)
    assert layout.rows == 33
    assert np.all(plan.examples[:-1] == 32)
    assert plan.examples[-1] == len(LENGTHS) - 32 * (plan.number_of_batches - 1)
    longest = np.maximum.reduceat(LENGTHS[plan.placement.index], plan.placement.splits[:-1])
    assert np.all(plan.lengths >= longest)
    assert np.all(plan.lengths - longest < 8)
    assert np.all(plan.lengths % 8 == 0)
    assert padding_share(plan) < 0.27
    # The batches' order is random: one batch's length says nothing about the next one's.
    assert abs(np.corrcoef(plan.lengths[1:-1], plan.lengths[:-2])[0, 1]) < 0.15


def test_not_shuffled_bucketed_goes_from_long_to_short():
    layout = choose_layout(LENGTHS, 32, batching="bucketed")
    plan = plan_epoch(LENGTHS, layout, seed=1, epoch=0, shuffle=False)
    assert np.all(np.diff(LENGTHS[plan.placement.index]) <= 0)


def test_not_shuffled_padded_keeps_the_order():
    layout = choose_layout(LENGTHS, 32, batching="padded")
    plan = plan_epoch(LENGTHS, layout, seed=1, epoch=0, shuffle=False)
    assert np.array_equal(plan.placement.index, np.arange(len(LENGTHS)))
    assert set(plan.lengths.tolist()) == {64}
    assert choose_layout(LENGTHS, 32, batching="padded", pack_length=70).length == 70


def test_bucket_lengths_are_few_and_near():
    lengths = {n: bucket_length(n) for n in range(1, 513)}
    assert sorted(set(lengths.values())) == [
        *range(8, 65, 8),
        *range(80, 129, 16),
        *range(160, 257, 32),
        *range(320, 513, 64),
    ]
    assert all(n <= padded < n + max(8, n / 4) for n, padded in lengths.items())


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.integers(1, 90), min_size=1, max_size=50),
    st.integers(1, 20),
    st.integers(1, 4),
    st.sampled_from(["packed", "bucketed", "padded"]),
)
def test_any_lengths_make_a_plan(lengths, batch_examples, divisor, batching):
    layout = choose_layout(np.array(lengths), batch_examples, batching=batching, divisor=divisor)
    plan = plan_epoch(np.array(lengths), layout, seed=3, epoch=2)
    assert layout.rows % divisor == 0
    assert sorted(plan.placement.index.tolist()) == list(range(len(lengths)))
    assert 0 <= padding_share(plan) < 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"batching": "sorted"}, "`batching` must be one of packed, bucketed, padded. Received: 'sorted'"),
        ({"batch_examples": 0}, "`batch_examples` must be at least 1. Received: 0"),
        ({"divisor": 0}, "`divisor` must be at least 1. Received: 0"),
        (
            {"lengths": np.array([], int)},
            r"`lengths` must hold one length at least, all of them 1 or more. Received: \[\]",
        ),
        ({"lengths": np.array([3, 0])}, r"`lengths` must hold .* Received: \[3 0\]"),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        choose_layout(**{"lengths": LENGTHS, "batch_examples": 32, **arguments})


def test_longer_examples_than_the_layout_are_refused():
    with pytest.raises(ValueError, match=r"`lengths` must fit in the layout's rows of 8 tokens. Received: 9 tokens"):
        plan_epoch(np.array([9]), BatchLayout("packed", 1, 8, 8, 2), seed=0, epoch=0)


def test_batch_number_out_of_range_is_refused():
    plan = plan_epoch(np.array([3]), BatchLayout("packed", 1, 8, 8, 2), seed=0, epoch=0)
    with pytest.raises(IndexError, match=r"`k` must be in \[0, 1\). Received: k=1"):
        plan.batch(1)
