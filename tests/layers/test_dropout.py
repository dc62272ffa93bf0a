import numpy as np
import pytest
from keras import ops

from bert_tf.layers.dropout import dropout, site_seed

SEED = np.array([5, 6], "int32")


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
@pytest.mark.parametrize("rate", [0.1, 0.5])
def test_the_share_is_dropped_and_the_rest_scaled(rate, dtype):
    x = ops.ones((400, 1000), dtype)
    out = np.array(ops.cast(dropout(x, rate, ops.convert_to_tensor(SEED)), "float32"))
    assert (out == 0).mean() == pytest.approx(rate, abs=0.003)
    assert out.max() == pytest.approx(1 / (1 - rate), rel=0.005)
    assert out.mean() == pytest.approx(1.0, abs=0.006)


def test_elements_are_dropped_independently_of_each_other():
    rate, x = 0.1, ops.ones((4000, 301))  # an odd width: the last number serves once
    dropped = np.array(dropout(x, rate, ops.convert_to_tensor(SEED))) == 0
    pairs = {
        "numbers that serve twice": (dropped[:, :150], dropped[:, 151:]),
        "neighbours": (dropped[:, 1:], dropped[:, :-1]),
    }
    for name, (left, right) in pairs.items():
        assert (left & right).mean() == pytest.approx(rate**2, abs=0.001), name
    assert dropped.mean(axis=0) == pytest.approx(np.full(301, rate), abs=0.025)
    assert dropped.mean() == pytest.approx(rate, abs=0.001)


def test_the_same_seed_draws_the_same_mask_and_another_another():
    x = ops.ones((50, 50))
    seed = ops.convert_to_tensor(SEED)
    np.testing.assert_array_equal(dropout(x, 0.5, seed), dropout(x, 0.5, seed))
    for other in (seed + 1, site_seed(seed, 1), site_seed(seed, 2)):
        agree = np.mean(np.array(dropout(x, 0.5, seed)) == np.array(dropout(x, 0.5, other)))
        assert agree == pytest.approx(0.5, abs=0.05)


def test_places_and_steps_never_share_a_seed():
    seeds = {
        tuple(np.array(site_seed(ops.convert_to_tensor([1, step]), site))) for step in range(20) for site in range(75)
    }
    assert len(seeds) == 20 * 75


def test_no_seed_draws_from_keras():
    x = ops.ones((50, 50))
    assert np.any(np.array(dropout(x, 0.5)) != np.array(dropout(x, 0.5)))
    assert dropout(x, 0.0) is x
    assert site_seed(None, 3) is None
