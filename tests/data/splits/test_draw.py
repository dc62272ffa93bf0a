"""Which rows are put aside: the share of each class, copies together, something of each class left for training."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from bert_tf.data.splits.draw import drawn, text_key


@pytest.mark.parametrize("seed", range(40))
def test_what_holds_of_any_draw(seed):
    """Over random rows: copies on one side, every label stays in training, about the share, each class its own."""
    random_ = random.Random(seed)
    labels = [f"class {i}" for i in range(random_.randint(1, 8))]
    size, share = random_.randint(2, 300), random_.choice([0.05, 0.1, 0.2, 0.5])
    keys = [f"text {random_.randrange(size)}" for _ in range(size)]
    rows = [random_.sample(labels, random_.choice([0, 1, 1, 1, 2]) % (len(labels) + 1)) for _ in keys]
    aside = drawn(keys, rows, share=share, seed=seed)
    assert len(aside) == size
    sides = {key: {aside[i] for i in range(size) if keys[i] == key} for key in keys}
    assert all(len(side) == 1 for side in sides.values())
    for label in {label for row in rows for label in row}:
        assert any(label in row and not is_aside for row, is_aside in zip(rows, aside, strict=True))
    taken = sum(side == {True} for side in sides.values())
    assert taken <= max(1, round(share * len(sides)))
    order = list(range(size))
    random_.shuffle(order)
    again = drawn([keys[i] for i in order], [rows[i] for i in order], share=share, seed=seed)
    assert [again[order.index(i)] for i in range(size)] == aside, "whatever the order of the rows"


def test_each_class_gives_its_share():
    labels = [["rare"]] * 10 + [["usual"]] * 90
    aside = drawn(range(100), labels, share=0.2)
    assert Counter(label for (label,), is_aside in zip(labels, aside, strict=True) if is_aside) == {
        "rare": 2,
        "usual": 18,
    }


def test_small_sets():
    assert drawn(["a", "b"], [["x"], ["y"]], share=0.5) == [False, False], "neither can be spared"
    assert sum(drawn(["a", "b", "c"], None, share=0.1)) == 1, "one at least"
    assert drawn(["a"], None, share=0.9) == [False]
    assert drawn(["a", "a", "a"], None, share=0.5) == [False, False, False]
    assert sum(drawn(range(4), [["x"], ["x"], ["y"], ["z"]], share=0.25)) == 1


def test_another_seed_draws_other_rows():
    draws = {tuple(drawn(range(50), None, share=0.2, seed=seed)) for seed in range(5)}
    assert len(draws) == 5
    assert all(sum(draw) == 10 for draw in draws)


def test_case_and_spaces_make_no_other_text():
    assert text_key("A  good\nfilm ") == text_key("a good film")
    assert text_key("a good film") != text_key("a good films")
