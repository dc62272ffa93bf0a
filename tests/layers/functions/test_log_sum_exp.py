import numpy as np
import pytest
import tensorflow as tf

from bert_tf.layers.functions.log_sum_exp import log_sum_exp

RANDOM = np.random.default_rng(0)
X, TABLE, BIAS = (RANDOM.normal(size=size).astype("float32") for size in ((10, 3), (7, 3), (7,)))


def plain(x, table, bias, count, *, chunk=None):
    del chunk
    found = tf.reduce_logsumexp(tf.matmul(x, table, transpose_b=True) + bias, axis=-1)
    return tf.where(tf.range(x.shape[0]) < count, found, 0.0)


def value_and_gradients(function, count, chunk):
    inputs = [tf.constant(array) for array in (X, TABLE, BIAS)]
    weights = np.arange(1.0, 11.0, dtype="float32")
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        found = function(*inputs, count, chunk=chunk)
        total = tf.reduce_sum(found * weights)
    return [found, *tape.gradient(total, inputs)]


@pytest.mark.parametrize("xla", [False, True])
@pytest.mark.parametrize("chunk", [1, 3, 4, 10, 64, None])
def test_value_and_gradients_in_chunks_and_at_once(chunk, xla):
    run = tf.function(lambda count: value_and_gradients(log_sum_exp, count, chunk), jit_compile=xla)
    for count in (0, 1, 5, 10):  # one graph for any of them
        expected = value_and_gradients(plain, count, None)
        for ours, wanted in zip(run(tf.constant(count)), expected, strict=True):
            np.testing.assert_allclose(ours, wanted, atol=1e-5)
    assert run.experimental_get_tracing_count() == 1


def test_low_precision_is_float32_outside_the_product():
    found = log_sum_exp(tf.cast(X, tf.bfloat16), TABLE, BIAS + 1000.0, 10)
    assert found.dtype == tf.float32
    np.testing.assert_allclose(found, plain(X, TABLE, BIAS + 1000.0, 10), atol=0.1)
