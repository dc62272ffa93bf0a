"""Classes drawn by their probability."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from bert_tf.layers import masked_lm_head
from bert_tf.layers.functions.sampling import sample
from bert_tf.layers.masked_lm_head import MaskedLMHead


@pytest.mark.parametrize("classes", [1, 3, 128, 129, 700])
def test_a_draw_falls_into_a_share(classes):
    rng = np.random.default_rng(classes)
    logits = rng.normal(scale=3.0, size=(400, classes)).astype("float32") - 50.0
    draws = rng.random(400).astype("float32")
    ends = np.cumsum(np.exp(logits.astype(np.float64) + 50.0), axis=-1)
    wanted = np.array([np.searchsorted(row, x * row[-1], side="right") for row, x in zip(ends, draws, strict=True)])
    found = np.asarray(sample(logits, draws))
    assert found.dtype == np.int32
    # Where a draw lies within rounding of a share's end, the neighbour is as right.
    gap = np.abs(ends / ends[:, -1:] - draws[:, None]).min(axis=-1)
    assert (found == wanted)[gap > 1e-5].all()
    assert (gap > 1e-5).mean() > 0.8 or classes > 1


def test_a_class_without_a_share_is_never_drawn():
    logits = np.full((3, 300), -1e9, "float32")
    logits[:, 140] = logits[:, 200] = 0.0
    found = np.asarray(sample(logits, np.array([0.0, 0.75, 1.0 - 2.0**-24], "float32")))
    assert found.tolist() == [140, 200, 200]


def test_shares_of_many_draws():
    logits = np.log(np.array([0.05, 0.6, 0.35], "float32"))
    draws = np.random.default_rng(0).random((4, 5000)).astype("float32")
    found = np.asarray(sample(np.broadcast_to(logits, (4, 5000, 3)), draws))
    np.testing.assert_allclose(np.bincount(found.ravel()) / found.size, np.exp(logits), atol=0.01)


def test_guesses_of_many_places_are_those_of_few(monkeypatch):
    keras.utils.set_random_seed(0)
    head, table = MaskedLMHead(8, 50, initializer_range=1.0), keras.random.normal((50, 8))
    head.build(None)
    x = np.random.default_rng(1).normal(size=(5, 15, 8)).astype("float32")
    draws = np.random.default_rng(2).random((5, 15)).astype("float32")
    whole = np.asarray(head.guesses(x, table, draws))
    assert len(set(whole.ravel().tolist())) > 10
    np.testing.assert_array_equal(whole, sample(head(x, table), draws))
    monkeypatch.setattr(masked_lm_head, "KEPT_ELEMENTS", 100)
    monkeypatch.setattr(masked_lm_head, "CHUNK_ELEMENTS", 100)  # 32 rows at a time
    np.testing.assert_array_equal(np.asarray(head.guesses(x, table, draws)), whole)
