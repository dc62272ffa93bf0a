"""A few texts, answered without a graph, as the graph answers them."""

from __future__ import annotations

import numpy as np
import pytest

from bert_tf.inference.pipeline import Pipeline
from tests.exporting.runs import KINDS, run_of

TEXTS = (["A good film."], ["who was there ?", "", "film! Ärger, bad \u4e2d film " * 9])
ONE_PASS = ("rejecting", "classification", "multi_label", "regression", "tagging", "span_qa", "retrieval", "embedding")


def same(found, expected) -> None:
    for row, other in zip(found, expected, strict=True):
        assert row.keys() == other.keys()
        for name, value in row.items():
            if np.asarray(value).dtype.kind == "f":
                np.testing.assert_allclose(value, other[name], rtol=1e-5, atol=1e-6, err_msg=name)
            else:
                np.testing.assert_array_equal(value, other[name], err_msg=name)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] if name != "rejecting" else []) for name in ONE_PASS]
)
def test_a_few_texts_have_the_answers_of_the_graph(name, tmp_path):
    pipeline = Pipeline(run_of(name, tmp_path))
    few = pipeline.for_few()
    takes_windows = "long_texts" in pipeline.kind.answer_settings and name != "rejecting"  # that one is to be fast
    columns = len(pipeline.kind.text_columns)
    for texts in TEXTS:
        given = [texts[::step] for step in (1, -1)[:columns]]
        same(few.rows(*given), pipeline.rows(*given))
        if takes_windows:
            windows = pipeline.with_settings(long_texts="windows")
            same(windows.for_few().rows(*given), windows.rows(*given))
    assert not hasattr(few._function(columns), "get_concrete_function")
    assert hasattr(pipeline._function(columns), "get_concrete_function")


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in KINDS if name not in ONE_PASS])
def test_other_kinds_keep_their_graph(name, tmp_path):
    pipeline = Pipeline(run_of(name, tmp_path)).for_few()
    assert hasattr(pipeline._function(len(pipeline.kind.text_columns)), "get_concrete_function")
