from __future__ import annotations

import numpy as np
import pytest

from bert_tf.data.cells import class_index, number


def test_class_by_name_or_index():
    parse = class_index(("negative", "positive"))
    cells = ["negative", " positive ", "0", "1", 1, 1.0, np.int64(1), np.float32(0)]
    assert [parse(cell) for cell in cells] == [0, 1, 0, 1, 1, 1, 1, 0]


@pytest.mark.parametrize("cell", ["2", "-1", -1, 2, 0.5, True, None, "", "Positive", "01", np.nan])
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
