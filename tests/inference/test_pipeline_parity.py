"""Pipelines of small folders that Transformers wrote answer as Transformers' own pipelines did.

`benchmarks/make_golden_pipelines.py` made the folders and the answers.
"""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bert_tf.errors import UserError
from bert_tf.inference.pipeline import Pipeline

GOLDEN = Path(__file__).parents[1] / "golden" / "pipelines.zip"


@pytest.fixture(scope="module")
def golden(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("pipelines")
    with zipfile.ZipFile(GOLDEN) as archive:
        archive.extractall(folder)
    return folder, json.loads((folder / "truth.json").read_text())


@pytest.mark.parametrize(
    "labels",
    ["any_order", "io", *(pytest.param(name, marks=pytest.mark.slow) for name in ("inside_only", "missing"))],
)
def test_entities_are_those_of_transformers(golden, labels):
    folder, truth = golden
    answers = Pipeline(folder / labels)(truth["texts"])
    assert sum(len(entities) for entities in truth["taggers"][labels]) > 7
    for answer, expected in zip(answers, truth["taggers"][labels], strict=True):
        found = [(entity["label"], entity["start"], entity["end"]) for entity in answer["entities"]]
        assert found == [(entity["label"], entity["start"], entity["end"]) for entity in expected], answer["text"]
        np.testing.assert_allclose(
            [entity["score"] for entity in answer["entities"]], [entity["score"] for entity in expected], atol=1e-5
        )


def test_guesses_are_those_of_transformers(golden):
    folder, truth = golden
    for answer, expected in zip(Pipeline(folder / "mask")(truth["masked_texts"]), truth["masked"], strict=True):
        assert len(answer["masks"]) == len(expected)
        for mask, guesses in zip(answer["masks"], expected, strict=True):
            found = mask["guesses"][: len(guesses)]
            assert [guess["token_id"] for guess in found] == [guess["token_id"] for guess in guesses]
            np.testing.assert_allclose([g["score"] for g in found], [g["score"] for g in guesses], atol=1e-5)


def test_next_sentences_are_those_of_transformers(golden):
    folder, truth = golden
    firsts, seconds = (list(side) for side in zip(*truth["pairs"], strict=True))
    answers = Pipeline(folder / "next")(firsts, seconds)
    found = [list(answer["probabilities"].values()) for answer in answers]
    np.testing.assert_allclose(found, truth["next"], atol=1e-5)


@pytest.mark.slow
def test_more_or_fewer_guesses_of_the_same_model(golden):
    folder, truth = golden
    pipeline = Pipeline(folder / "mask")
    text = next(text for text in truth["masked_texts"] if text.count("[MASK]") > 1)
    masks, fewer = pipeline(text)["masks"], pipeline.with_settings(top_k=2)(text)["masks"]
    assert len(masks) == len(fewer) == text.count("[MASK]")
    for all_five, two in zip(masks, fewer, strict=True):
        assert [guess["token_id"] for guess in two["guesses"]] == [g["token_id"] for g in all_five["guesses"][:2]]
    assert len(pipeline(text)["masks"][0]["guesses"]) == 5, "the first is as it was"
    with pytest.raises(UserError, match="top_k"):
        pipeline.with_settings(top_n=2)
