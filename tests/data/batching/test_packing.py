from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from bert_tf.data.batching import packing
from bert_tf.data.batching.packing import pack


@st.composite
def packing_problems(draw):
    length = draw(st.integers(1, 40))
    lengths = draw(st.lists(st.integers(1, length), min_size=1, max_size=60))
    return {
        "lengths": np.array(lengths),
        "order": draw(st.permutations(range(len(lengths)))),
        "rows": draw(st.integers(1, 5)),
        "length": length,
        "slots": draw(st.integers(1, 6)),
        "window": draw(st.integers(1, 20)),
        "max_examples": draw(st.none() | st.integers(1, 8)),
    }


@settings(max_examples=200, deadline=None)
@given(packing_problems())
def test_every_example_once_no_overlap_no_limit_passed(problem):
    placed = pack(**problem)
    lengths, rows, length = problem["lengths"], problem["rows"], problem["length"]
    assert sorted(placed.index.tolist()) == list(range(len(lengths)))
    assert placed.splits[0] == 0
    assert placed.splits[-1] == len(lengths)
    examples = np.diff(placed.splits)
    assert examples.min() >= 1
    assert examples.max() <= (problem["max_examples"] or len(lengths))
    for start, stop in zip(placed.splits[:-1], placed.splits[1:], strict=True):
        taken = np.zeros((rows, length), int)
        in_row: dict[int, int] = {}
        for e, row, column, slot in zip(*(values[start:stop] for values in placed[:4]), strict=True):
            assert column + lengths[e] <= length
            taken[row, column : column + lengths[e]] += 1
            assert slot == in_row.get(row, 0) < problem["slots"]
            in_row[row] = slot + 1
        assert taken.max() == 1
        for line in taken:  # rows are filled from the left, without holes
            assert not np.any(np.diff(line) > 0)


@settings(max_examples=50, deadline=None)
@given(packing_problems(), st.integers(1, 3))
def test_it_does_not_matter_how_many_examples_are_held_as_numbers(problem, chunk):
    wanted, usual = pack(**problem), packing.CHUNK
    packing.CHUNK = chunk
    try:
        found = pack(**problem)
    finally:
        packing.CHUNK = usual
    for ours, theirs in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_best_fit_takes_the_fullest_row_that_has_room():
    placed = pack(np.array([5, 7, 3, 5, 9]), range(5), rows=2, length=10, slots=9, window=9)
    # 5 opens row 0 and 7 row 1; 3 fills row 1 (3 left) rather than row 0 (5 left); 5 fills row 0; 9 waits.
    assert placed.index.tolist() == [0, 1, 2, 3, 4]
    assert placed.row.tolist() == [0, 1, 1, 0, 0]
    assert placed.column.tolist() == [0, 0, 7, 5, 0]
    assert placed.slot.tolist() == [0, 0, 1, 1, 0]
    assert placed.splits.tolist() == [0, 4, 5]


def test_what_did_not_fit_goes_first_into_the_next_batch():
    lengths = np.array([6, 6, 4, 6, 4])
    placed = pack(lengths, range(5), rows=1, length=10, slots=9, window=3)
    assert [placed.index[a:b].tolist() for a, b in zip(placed.splits[:-1], placed.splits[1:], strict=True)] == [
        [0, 2],
        [1, 4],
        [3],
    ]


def test_window_bounds_how_far_forward_an_example_is_taken():
    lengths = np.array([9] * 30 + [1])
    placed = pack(lengths, range(31), rows=1, length=10, slots=9, window=4)
    batch_of_last = np.searchsorted(placed.splits, placed.index.tolist().index(30), side="right") - 1
    assert batch_of_last == 27  # batch k sees examples k to k + 3


def test_no_example_waits_long():
    rng = np.random.default_rng(3)
    lengths = np.clip(rng.lognormal(2.15, 0.85, 20_000).astype(int) + 2, 3, 64)
    order = rng.permutation(len(lengths))
    placed = pack(lengths, order, rows=6, length=72, slots=12, window=96)
    rank = np.empty(len(lengths), int)
    rank[order] = np.arange(len(lengths))
    moved = np.arange(len(lengths)) - rank[placed.index]
    assert moved.max() <= 32  # late, by less than a batch
    assert moved.min() >= -96  # early, by less than the window
