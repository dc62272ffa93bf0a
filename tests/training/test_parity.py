"""Training takes the updates that PyTorch and Transformers take, as benchmarks/make_golden_tiny.py stored them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.parity_inputs import padded_inputs
from benchmarks.parity_training import train
from bert_tf.models import BertClassifier

TINY = Path(__file__).parents[1] / "golden" / "tiny"


@pytest.fixture(name="golden", scope="module")
def golden_fixture() -> dict[str, Any]:
    with np.load(TINY / "training.npz") as file:
        return {name: file[name] for name in file if name != "given"} | json.loads(str(file["given"]))


@pytest.mark.parametrize("pack_length", [None, 20], ids=["padded", "packed"])
def test_updates_are_those_of_transformers(golden, pack_length):
    model = BertClassifier.from_pretrained(TINY, hidden_dropout=0.0, attention_dropout=0.0)
    given = (golden["ids"], golden["labels"], golden["batches"], golden["settings"])
    found = train(model, *given, pack_length=pack_length)
    assert golden["loss"][-5:].mean() < 0.8 * golden["loss"][:5].mean()  # it is training
    assert golden["norm"].max() > given[3]["clip_norm"] > golden["norm"].min()  # some are clipped, some are not
    np.testing.assert_allclose(found["rate"], golden["rate"], rtol=1e-6)
    np.testing.assert_allclose(found["loss"], golden["loss"], rtol=0, atol=1e-5)
    np.testing.assert_allclose(found["norm"], golden["norm"], rtol=0, atol=1e-5 * golden["norm"].max())
    np.testing.assert_allclose(model(padded_inputs(golden["ids"])), golden["logits"], rtol=0, atol=1e-4)
