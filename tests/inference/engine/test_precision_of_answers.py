"""A pipeline's model works in the precision asked for, and says which."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from bert_tf.inference.engine.precision import load, precision_of_run
from bert_tf.inference.pipeline import Pipeline
from bert_tf.machine import precision

TEXTS = ["good film", "a bad film, a very bad film that never ends", "bad!"]


@pytest.fixture(scope="module")
def exact(tiny_run):
    return Pipeline(tiny_run)


def test_float32_unless_asked(exact):
    assert exact.precision == exact.model.compute_dtype == "float32"


@pytest.mark.parametrize("place", ["run", "folder"])
def test_lower_precision_is_near_but_not_the_same(exact, tiny_run, place):
    low = Pipeline(tiny_run if place == "run" else tiny_run / "model", precision="mixed_bfloat16")
    assert low.precision == "mixed_bfloat16"
    assert low.model.backbone.compute_dtype == "bfloat16"
    assert low.model.backbone.variable_dtype == "float32"
    near, far = ([row["probabilities"] for row in made.rows(TEXTS)] for made in (exact, low))
    np.testing.assert_allclose(far, near, atol=0.02)
    assert not np.array_equal(far, near)


@pytest.mark.parametrize(("flags", "wanted"), [({"avx2"}, "float32"), ({"avx512_bf16"}, "mixed_bfloat16")])
def test_auto_is_what_the_machine_is_fast_with_and_a_run_was_trained_in(tiny_run, monkeypatch, flags, wanted):
    monkeypatch.setattr(precision, "cpu_flags", lambda: flags)
    assert Pipeline(tiny_run / "model", precision="auto").precision == wanted
    assert Pipeline(tiny_run, precision="auto").precision == "float32"
    assert precision_of_run("auto", "mixed_bfloat16") == precision_of_run("auto", "auto") == wanted
    assert precision_of_run("mixed_bfloat16", "float32") == "mixed_bfloat16"


def test_a_kind_of_ones_own_may_know_nothing_of_precision(exact, tiny_run):
    class Own(type(exact.kind)):
        def load_model(self, folder):
            return super().load_model(folder)

    own = Own(**{field.name: getattr(exact.kind, field.name) for field in dataclasses.fields(exact.kind)})
    assert load(own, str(tiny_run / "model"), precision="mixed_bfloat16").compute_dtype == "float32"
    assert load(exact.kind, str(tiny_run / "model"), precision="mixed_bfloat16").compute_dtype == "bfloat16"


def test_what_cannot_be_is_refused(exact, tiny_run):
    make: Any = Pipeline
    with pytest.raises(ValueError, match=r"`precision` must be one of auto, float32, .*Received: precision='half'"):
        Pipeline(tiny_run, precision="half")
    with pytest.raises(ValueError, match="a model has its own"):
        make(model=exact.model, tokenizer=exact.tokenizer, kind=exact.kind, precision="mixed_bfloat16")
