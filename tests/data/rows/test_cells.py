from __future__ import annotations

import numpy as np
import pytest

from bert_tf.data.rows.cells import number, yes_or_no
from bert_tf.data.rows.labels import class_index, class_indices


def test_class_by_name_or_index():
    parse = class_index(("negative", "positive"))
    cells = ["negative", " positive ", "0", "1", 1, 1.0, np.int64(1), np.float32(0)]
    assert [parse(cell) for cell in cells] == [0, 1, 0, 1, 1, 1, 1, 0]


@pytest.mark.parametrize("cell", ["2", "-1", -1, 2, 0.5, "1.5", None, "", "Positive", "01", np.nan, "yes", ["0", "1"]])
def test_no_class(cell):
    with pytest.raises(ValueError, match=r"expected one of negative, positive, or an index from 0 to 1. Received: "):
        class_index(("negative", "positive"))(cell)


def test_name_wins_over_index():
    assert class_index(("1", "2"))("1") == 0
    assert class_index(("1", "2"))(2) == 1
    assert class_index(("1", "0"))("0") == 1


def test_many_classes_are_cut():
    classes = tuple(f"intent_{i}" for i in range(77))
    with pytest.raises(ValueError, match=r"intent_19 and 57 more, or an index from 0 to 76. Received: 'x'$"):
        class_index(classes)("x")


def test_numbers():
    assert number()("1e3") == 1000.0
    assert number(0, 5)(5) == 5.0
    for cell in ("nan", "inf", "x", None, True, 5.1, -0.1):
        with pytest.raises(ValueError, match=r"expected a number from 0 to 5. Received: "):
            number(0, 5)(cell)
    with pytest.raises(ValueError, match=r"expected a number. Received: 'x'"):
        number()("x")


def test_several_classes():
    parse = class_indices(("joy", "anger", "awe"))
    cells = ["joy,anger", " anger , joy ", "", "  ", "awe", "0", [], ["anger"], (0, 1), np.array([1, 0]), "anger,2", 1]
    assert [parse(cell) for cell in cells] == [
        (0, 1), (1, 0), (), (), (2,), (0,), (), (1,), (0, 1), (1, 0), (1, 2), (1,)
    ]  # fmt: skip
    assert class_indices(("a", "b"), separator="|")("a|b") == (0, 1)


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("joy,,anger", "expected one of joy, anger, or an index from 0 to 1. Received: ''"),
        ("joy;angr", "Received: 'joy;angr'"),
        ("none", "Received: 'none'; an empty cell stands for none of them"),
        ({"joy": 0}, "expected a list of labels. Received: {'joy': 0}"),
        (["joy", 2], "Received: 2"),
        ("joy,0", "expected each label once. Received: 'joy,0'"),
        (None, "expected a list of labels. Received: None"),
        (7, "or an index from 0 to 1. Received: 7"),
    ],
)
def test_no_several_classes(cell, expected):
    with pytest.raises(ValueError, match=expected):
        class_indices(("joy", "anger"))(cell)


def test_yes_or_no():
    assert [yes_or_no(cell) for cell in ("0", " 1", 1, 0.0, True, np.int64(1))] == [0, 1, 1, 0, 1, 1]
    assert [yes_or_no(cell) for cell in ("1.0", "0.0", "True", "false", "FALSE", [1])] == [1, 0, 1, 0, 0, 1]
    for cell in ("2", "", "yes", None, 0.5, -1):
        with pytest.raises(ValueError, match=r"expected 0 or 1\. Received: "):
            yes_or_no(cell)
