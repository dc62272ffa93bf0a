"""The stored tables are what the reference says today."""

from __future__ import annotations

import numpy as np
import pytest

from bert_tf.text.sentence_pieces import build_tables, tables


@pytest.mark.slow
def test_the_stored_tables_are_those_that_the_script_builds():
    built = build_tables.build()
    with np.load(tables.FILE) as stored:
        assert sorted(stored) == sorted(built)
        for name, array in built.items():
            np.testing.assert_array_equal(stored[name], array)
