"""Sums of examples and weighted means, compared with loops in NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from bert_tf.models.losses.means import sums_of_examples, weighted_mean

RNG = np.random.default_rng(1)
LOSSES = RNG.normal(size=(2, 5)).astype("float32")
COUNTED = np.array([[1, 1, 0, 1, 0], [1, 0, 1, 1, 1]], "float32")
EXAMPLE_IDS = np.array([[1, 1, 2, 2, 0], [1, 2, 2, 3, 3]], "int32")


def test_sums_of_examples():
    wanted = [[LOSSES[b][EXAMPLE_IDS[b] == m + 1].sum() for m in range(4)] for b in range(2)]
    np.testing.assert_allclose(sums_of_examples(LOSSES, EXAMPLE_IDS, np.ones((2, 4))), wanted, rtol=1e-6)
    np.testing.assert_allclose(sums_of_examples(LOSSES, None, np.ones(2)), LOSSES.sum(axis=1), rtol=1e-6)


@pytest.mark.parametrize("shape", [(2,), (2, 5), (2, 3)], ids=["rows", "places", "examples"])
def test_a_weight_is_a_rows_or_a_places_or_an_examples(shape):
    weight = RNG.uniform(size=shape).astype("float32")
    part = total = 0.0
    for b, t in np.ndindex(2, 5):
        if shape == (2, 3):
            own = weight[b, EXAMPLE_IDS[b, t] - 1] if EXAMPLE_IDS[b, t] else 0.0
        else:
            own = weight[b, t] if len(shape) == 2 else weight[b]
        part, total = part + own * COUNTED[b, t] * LOSSES[b, t], total + own * COUNTED[b, t]
    found = weighted_mean(LOSSES, COUNTED, weight, EXAMPLE_IDS if shape != (2, 5) else None)
    assert float(found) == pytest.approx(part / total, rel=1e-5)


def test_nothing_that_counts_is_0_and_a_wrong_shape_is_named():
    assert float(weighted_mean(LOSSES, np.zeros_like(COUNTED))) == 0.0
    assert float(weighted_mean(LOSSES, COUNTED, np.zeros((2, 3)), EXAMPLE_IDS)) == 0.0
    with pytest.raises(ValueError, match=r"`example_weight` must have the shape \[2\]. Received: .* of shape \[3\]"):
        weighted_mean(LOSSES, COUNTED, np.ones(3))
