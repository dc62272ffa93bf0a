"""Taggers' heads that are solved for: against scikit-learn's own pipeline, and what is held out."""

from __future__ import annotations

import numpy as np

from bert_tf.kinds.solved.linear import STRENGTHS
from bert_tf.kinds.tagging.frozen_head import USUAL, solve_tags

RNG = np.random.default_rng(4)
X = (RNG.normal(size=(240, 8)) * RNG.uniform(0.1, 3.0, size=8) + RNG.normal(size=8)).astype(np.float32)
LABELS = ((X - X.mean(axis=0)) / X.std(axis=0) @ RNG.normal(size=(8, 3))).argmax(axis=1)
SENTENCES = np.arange(240) // 8


def test_it_is_what_scikit_learn_gives_of_standardised_vectors():
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    kernel, bias, strength, held_out = solve_tags(X, 2 * LABELS, SENTENCES, outputs=6)
    assert strength in STRENGTHS
    assert held_out is not None
    standard = StandardScaler().fit(X)
    theirs = LogisticRegression(C=strength, max_iter=1000, tol=1e-6).fit(standard.transform(X), LABELS)
    ours, theirs = X @ kernel + bias, theirs.decision_function(standard.transform(X))
    centered = [z - z.mean(axis=1, keepdims=True) for z in (ours[:, ::2], theirs)]
    np.testing.assert_allclose(*centered, atol=0.02 * np.abs(theirs).max())
    assert (ours.argmax(axis=1) == 2 * LABELS).mean() > 0.95
    assert set(ours.argmax(axis=1)) == {0, 2, 4}  # a label without a word is never answered


def test_whole_sentences_are_held_out():
    """Words of a sentence that are alike, with a label by chance, say nothing of other sentences."""
    sentences = np.arange(120) // 4
    x = RNG.normal(size=(30, 20)).astype(np.float32)[sentences]
    labels = RNG.integers(0, 2, size=30)[sentences]
    held_out = solve_tags(x, labels, sentences, outputs=2)[3]
    assert held_out is not None
    assert held_out > 0.6  # word by word it would be near 0
    assert solve_tags(x[:12], labels[:12], sentences[:12], outputs=2)[2:] == (USUAL, None)  # too few sentences
