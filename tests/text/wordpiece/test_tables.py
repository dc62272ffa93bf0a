"""The stored table is what the reference says today."""

from __future__ import annotations

import numpy as np
import pytest

from bert_tf.text.wordpiece import build_tables, tables


@pytest.mark.slow
def test_the_stored_table_is_the_one_that_the_script_builds():
    built = build_tables.build()
    with np.load(tables.FILE) as stored:
        assert sorted(stored) == sorted(built)
        for name, array in built.items():
            assert stored[name].dtype == array.dtype
            np.testing.assert_array_equal(stored[name], array)


def test_the_table_is_small_and_read_once():
    assert tables.FILE.stat().st_size < 50_000
    assert tables.load_table(True, True, True) is tables.load_table(True, True, True)
