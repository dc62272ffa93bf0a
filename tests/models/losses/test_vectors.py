"""Each loss beside the same in NumPy, an example at a time."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from bert_tf.models.losses.vectors import contrastive_loss, cosine_loss, triplet_loss

RNG = np.random.default_rng(1)


def cosine(a, b):
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


def vectors(n: int, p: int) -> np.ndarray:
    return RNG.normal(size=(n, p, 5)).astype(np.float32)


def test_cosine():
    x, scores = vectors(4, 2), np.array([0.0, 0.3, 1.0, 0.5], np.float32)
    wanted = [(cosine(*pair) - score) ** 2 for pair, score in zip(x, scores, strict=True)]
    np.testing.assert_allclose(cosine_loss(tf.constant(x), tf.constant(scores)), wanted, rtol=1e-5, atol=1e-6)


def test_triplet():
    x = vectors(6, 3)
    wanted = [max(0.0, cosine(a, n) - cosine(a, p) + 0.4) for a, p, n in x]
    assert 0.0 in wanted
    assert max(wanted) > 0.4
    np.testing.assert_allclose(triplet_loss(tf.constant(x), margin=0.4), wanted, rtol=1e-4, atol=1e-6)


def reference(x, texts, scale, smoothing):
    """Cross entropy over the candidates that may be chosen, in float64."""
    found = []
    for i, (anchor, own) in enumerate(zip(x[:, 0], texts, strict=True)):
        logits, at = [], -1
        for column in range(1, x.shape[1]):
            for j in range(len(x)):
                is_own = (column, j) == (1, i)
                same_anchor = column == 1 and texts[j, 0] == own[0]
                if not is_own and (same_anchor or texts[j, column] in own[:2] or texts[j, column] < 0):
                    continue
                at = len(logits) if is_own else at
                logits.append(scale * cosine(anchor, x[j, column]))
        log_p = np.array(logits) - np.log(np.sum(np.exp(logits)))
        found.append(-(1 - smoothing) * log_p[at] - smoothing * log_p.mean())
    return found


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("p", [2, 3])
def test_contrastive(p, smoothing):
    x = vectors(6, p)
    texts = np.arange(6 * p).reshape(6, p)
    texts[1, 1] = texts[0, 1]  # the same positive
    texts[2, 0] = texts[3, 0]  # the same anchor
    texts[4, 1] = texts[5, 0]  # one's positive is the other's anchor
    if p == 3:
        texts[0, 2] = texts[5, 1]  # a negative that is another's positive
    found = contrastive_loss(tf.constant(x), tf.constant(texts), scale=7.0, label_smoothing=smoothing)
    np.testing.assert_allclose(found, reference(x, texts, 7.0, smoothing), rtol=1e-4)


def test_empty_slots_are_no_candidates_and_harm_nothing():
    x, texts = vectors(5, 2), np.arange(10).reshape(5, 2)
    alone = contrastive_loss(tf.constant(x), tf.constant(texts), scale=20.0)
    x2 = np.concatenate([x, np.zeros((3, 2, 5), np.float32)])
    texts2 = np.concatenate([texts, np.full((3, 2), -1)])
    variable = tf.Variable(x2)
    with tf.GradientTape() as tape:
        losses = contrastive_loss(variable.value(), tf.constant(texts2), scale=20.0)
        loss = tf.reduce_sum(losses[:5])
    np.testing.assert_allclose(losses[:5], alone, rtol=1e-5)
    assert np.isfinite(losses).all()
    gradient = tape.gradient(loss, variable)
    assert np.isfinite(gradient).all()
    assert not np.any(gradient[5:])


GOLDEN = json.loads((Path(__file__).resolve().parents[2] / "golden" / "ranking_loss.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("golden", GOLDEN["losses"], ids=lambda golden: f"{golden['loss']}{len(golden['vectors'][0])}")
def test_the_loss_is_that_of_sentence_transformers(golden):
    """Numbers of its MultipleNegativesRankingLoss, pairs and hard negatives, and of its TripletLoss in cosines.

    They are made by benchmarks/make_golden_ranking_loss.py.
    """
    x = np.array(golden["vectors"], np.float32)
    if golden["loss"] == "triplet":
        losses = triplet_loss(tf.constant(x), margin=golden["margin"])
    else:
        texts = np.arange(x.shape[0] * x.shape[1]).reshape(x.shape[:2])
        losses = contrastive_loss(tf.constant(x), tf.constant(texts), scale=golden["scale"])
    np.testing.assert_allclose(np.mean(losses), golden["mean"], rtol=1e-5)
