import numpy as np
from keras import ops

from bert_tf.layers.functions.rotary import rotate, turns_of

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(2, 5, 3, 6)).astype("float32")
PLACES = np.array([[0, 1, 2, 3, 4], [7, 0, 100, 8191, 2]], "int32")


def test_pairs_turn_as_complex_numbers_do():
    pairs = X[..., :3].astype("complex128") + 1j * X[..., 3:]  # a value of the first half and its like of the second
    angles = PLACES[..., None] / 100.0 ** (np.arange(3) / 3)  # [B, T, H/2]
    turned = pairs * np.exp(1j * angles)[:, :, None]
    found = rotate(ops.convert_to_tensor(X), turns_of(PLACES, 6, 100.0))
    near = PLACES < 1000  # a float32 of a large angle is a thousandth off
    expected = np.concatenate([turned.real, turned.imag], axis=-1)
    np.testing.assert_allclose(np.asarray(found)[near], expected[near], atol=2e-5)
    np.testing.assert_allclose(found, expected, atol=2e-3)


def test_products_hang_on_distances_alone():
    q, k = (ops.convert_to_tensor(np.broadcast_to(X[:1, :1], (1, 5, 3, 6))) for _ in range(2))
    places = np.array([[3, 4, 5, 6, 7]], "int32")

    def product(shift):
        turns = turns_of(places + shift, 6, 1000.0)
        return np.einsum("btnh,bsnh->nts", rotate(q, turns), rotate(k, turns))

    np.testing.assert_allclose(product(0), product(40), atol=1e-4)
    assert np.abs(product(0)[:, 0, 0] - product(0)[:, 0, 4]).max() > 0.1


def test_low_precision_is_turned_in_float32():
    x = ops.cast(X, "bfloat16")
    found = rotate(x, turns_of(PLACES, 6, 100.0))
    assert found.dtype == "bfloat16"
    exact = rotate(ops.cast(x, "float32"), turns_of(PLACES, 6, 100.0))
    np.testing.assert_allclose(ops.cast(found, "float32"), exact, rtol=2**-8, atol=1e-6)
