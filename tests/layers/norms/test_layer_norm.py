import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from bert_tf.layers import LayerNorm
from tests.checks import check_layer

X = (np.random.default_rng(0).normal(size=(2, 6, 8)) * 3 + 1).astype("float32")


def test_layer_norm_is_a_layer():
    check_layer(LayerNorm, {"dim": 8}, {"x": X}, (2, 6, 8), shorter=lambda x: x[:, :3], weights=2)


@pytest.mark.parametrize("use_bias", [False, True])
@pytest.mark.parametrize("training", [False, True])
def test_same_as_keras(training, use_bias):
    ours = LayerNorm(8, use_bias=use_bias)
    theirs = keras.layers.LayerNormalization(epsilon=1e-12, center=use_bias)
    random = np.random.default_rng(1)
    for layer in (ours, theirs):
        layer.build(X.shape)
    ours.set_weights([random.normal(size=8) for _ in ours.weights])
    theirs.set_weights(ours.get_weights())

    def run(call, variables):
        x, dy = tf.constant(X), tf.constant(np.random.default_rng(2).normal(size=X.shape).astype("float32"))
        with tf.GradientTape() as tape:
            tape.watch(x)
            out = call(x)
        return [out, *tape.gradient(out, [x, *variables], output_gradients=dy)]

    mine = run(lambda x: ours(x, training=training), [weight.value for weight in ours.trainable_variables])
    reference = run(theirs, [weight.value for weight in theirs.trainable_variables])
    for a, b in zip(mine, reference, strict=True):
        np.testing.assert_allclose(a, b, atol=2e-5)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_statistics_are_float32_in_low_precision(dtype):
    # 300 squared is above float16's range, and 300 +- 1 one number in bfloat16; the layer is given float32.
    x = np.array([[299.0, 301.0, 299.0, 301.0]], "float32")
    out = LayerNorm(4, dtype=f"mixed_{dtype}")(x)
    assert out.dtype == dtype
    np.testing.assert_allclose(np.array(ops.cast(out, "float32")), [[-1, 1, -1, 1]], atol=1e-2)


@pytest.mark.parametrize(
    ("arguments", "message"), [({"dim": 0}, "`dim`.*dim=0"), ({"dim": 8, "epsilon": 0}, "epsilon=0")]
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        LayerNorm(**arguments)
