"""The convolution beside a block."""

import keras
import numpy as np
import pytest

from bert_tf.layers import Convolution, sight_of
from tests.checks import check_layer

X = np.random.default_rng(0).normal(size=(2, 6, 8)).astype("float32")
MASK = np.array([[1, 1, 1, 1, 0, 0], [1, 1, 1, 1, 1, 1]], "int32")
IDS = np.array([[1, 1, 2, 2, 0, 0], [1, 1, 1, 1, 1, 2]], "int32")


@keras.saving.register_keras_serializable(package="tests")
class OfAMask(Convolution):
    """The same, told who is padding by a mask, and added to its own input."""

    def call(self, x, padding, seed=None, training=None):
        return super().call(x, x, sight_of(keras.ops.ones_like(padding), padding), seed=seed, training=training)

    def compute_output_spec(self, x, padding, seed=None, training=None):
        return super().compute_output_spec(x, x, None)


def test_convolution_is_a_layer():
    check_layer(
        OfAMask,
        {"hidden_dim": 8, "kernel_size": 3, "initializer_range": 0.3},
        {"x": X, "padding": MASK},
        (2, 6, 8),
        shorter=lambda x: x[:, :2],
        weights=4,
        call_arguments={"seed": np.array([1, 2], "int32")},
    )


@pytest.mark.parametrize("size", [1, 3, 5, 15])
def test_a_token_looks_at_its_neighbours_within_its_example(size):
    layer = Convolution(hidden_dim=8, kernel_size=size, initializer_range=0.3)
    layer.build()
    layer.bias.assign(X[0, 0])
    kernel, half = np.array(layer.kernel), size // 2
    expected = np.zeros((2, 6, 8))
    for row, t in np.ndindex(2, 6):
        for i in range(size):
            s = t + i - half
            if 0 <= s < 6 and IDS[row, s] == IDS[row, t]:
                expected[row, t] += X[row, s] @ kernel[i]
    expected = X + np.tanh(expected + X[0, 0])
    expected = (expected - expected.mean(-1, keepdims=True)) / expected.std(-1, keepdims=True)
    sight = sight_of(IDS, example_ids=IDS)
    np.testing.assert_allclose(layer(X, X, near=sight), expected, atol=1e-5)
    places = np.array([[3, 0], [5, 2]], "int32")
    some = np.take_along_axis(X, places[..., None], 1)
    wanted = np.take_along_axis(expected, places[..., None], 1)
    np.testing.assert_allclose(layer(X, some, near=sight.at(places)), wanted, atol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"kernel_size": 2}, "`kernel_size` must be odd. Received: kernel_size=2"),
        ({"kernel_size": 0}, "`kernel_size` must be an integer of at least 1"),
        ({"activation": "swish"}, "`activation` must be one of .*'swish'"),
    ],
)
def test_bad_arguments_are_named(arguments, said):
    with pytest.raises(ValueError, match=said):
        Convolution(**{"hidden_dim": 8, "kernel_size": 3} | arguments)
