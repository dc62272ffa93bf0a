"""Vectors as arrays and how alike texts are, against sentence-transformers' numbers.

`benchmarks/make_golden_similarity.py` made them, of folders that `tests/weights/test_sentence_transformers.py` reads.
"""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bert_tf.inference.pipeline import Pipeline

GOLDEN = Path(__file__).parents[1] / "golden"
TRUTH: dict[str, Any] = json.loads((GOLDEN / "similarity.json").read_text(encoding="utf-8"))
A, B = TRUTH["a"], TRUTH["b"]


@pytest.fixture(scope="module")
def pipelines(tmp_path_factory) -> dict[str, Pipeline]:
    folder = tmp_path_factory.mktemp("vectors")
    with zipfile.ZipFile(GOLDEN / "sentence_transformers.zip") as file:
        file.extractall(folder)
    return {name: Pipeline(folder / name) for name in TRUTH["folders"]}


@pytest.mark.parametrize(
    "folder", ["mean", *(pytest.param(name, marks=pytest.mark.slow) for name in ("dense", "truncated"))]
)
def test_vectors_and_similarities_are_those_of_sentence_transformers(pipelines, folder, monkeypatch):
    pipeline, truth = pipelines[folder], TRUTH["folders"][folder]
    found = pipeline.encode(A)
    assert (found.dtype, found.shape) == (np.float32, np.shape(truth["encoded"]))
    np.testing.assert_allclose(found, truth["encoded"], atol=1e-5)
    np.testing.assert_allclose(pipeline.encode(A, normalize=True, batch_examples=1), truth["scaled"], atol=1e-5)
    np.testing.assert_allclose(pipeline.encode(A[0]), truth["encoded"][0], atol=1e-5)
    assert pipeline.encode([]).shape == (0, found.shape[1])
    for name, expected in truth["similarity"].items():
        monkeypatch.setattr(pipeline, "similarity_name", name)
        alike = pipeline.similarity(A, pipeline.encode(B))
        assert (alike.dtype, alike.shape) == (np.float32, (len(A), len(B)))
        np.testing.assert_allclose(alike, expected, atol=1e-5)
        np.testing.assert_allclose(pipeline.similarity(A[0], B[1])[0, 0], expected[0][1], atol=1e-5)


def test_the_files_say_which_similarity(pipelines, tmp_path_factory):
    assert {pipeline.similarity_name for pipeline in pipelines.values()} == {"cosine"}
    folder = tmp_path_factory.mktemp("dot")
    with zipfile.ZipFile(GOLDEN / "sentence_transformers.zip") as file:
        file.extractall(folder, [name for name in file.namelist() if name.startswith("mean/")])
    path = folder / "mean" / "config_sentence_transformers.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"similarity_fn_name": "euclidean"}))
    assert Pipeline(folder / "mean").similarity_name == "euclidean"


def test_what_cannot_be_compared(pipelines, tiny_run, monkeypatch):
    classifier = Pipeline(tiny_run)
    for ask in (lambda: classifier.encode(["x"]), lambda: classifier.similarity("x", "y")):
        with pytest.raises(ValueError, match=r"for models of sentence vectors\. Received: a pipeline of Classificat"):
            ask()
    pipeline = pipelines["mean"]
    with pytest.raises(ValueError, match=r"must have the same width\. Received: \(1, 4\) and \(2, 3\)"):
        pipeline.similarity(np.zeros(4), np.zeros((2, 3)))
    with pytest.raises(ValueError, match=r"`texts\[1\]` must be a text"):
        pipeline.encode(["a", None])  # type: ignore[list-item]
    monkeypatch.setattr(pipeline, "similarity_name", "maxsim")
    with pytest.raises(ValueError, match=r"one of cosine, dot, euclidean, manhattan\. Received: 'maxsim'"):
        pipeline.similarity(np.zeros(4), np.zeros(4))
