import numpy as np
import pytest
import tensorflow as tf

from bert_tf.layers.masked_lm_head import MaskedLMHead
from bert_tf.sentinels import IGNORED_LABEL
from tests.checks import check_layer

RANDOM = np.random.default_rng(0)
X, TABLE = RANDOM.normal(size=(2, 5, 8)).astype("float32"), RANDOM.normal(size=(11, 8)).astype("float32")
TARGETS = np.array([[3, -100, 10, -100, 0], [-100, -100, 7, 7, -100]], "int32")


def make(**changes) -> MaskedLMHead:
    head = MaskedLMHead(**{"hidden_dim": 8, "vocabulary_size": 11, "initializer_range": 0.5, **changes})
    head.build()
    if head.bias is not None:
        head.bias.assign(np.linspace(-1, 1, head.vocabulary_size))
    return head


def test_masked_lm_head_is_a_layer():
    arguments = {"hidden_dim": 8, "vocabulary_size": 11, "initializer_range": 0.3}
    inputs = {"x": X, "table": TABLE}
    check_layer(MaskedLMHead, arguments, inputs, (2, 5, 11), output_dtype="float32", weights=5)
    plain = arguments | {"use_bias": False, "dense_bias": False, "norm_bias": False}
    check_layer(MaskedLMHead, plain, inputs, (2, 5, 11), output_dtype="float32", weights=2)
    inputs["table"] = TABLE[:, :3]
    check_layer(MaskedLMHead, arguments | {"embedding_dim": 3}, inputs, (2, 5, 11), output_dtype="float32", weights=5)
    own = arguments | {"embedding_dim": 3, "own_dim": 5}
    check_layer(MaskedLMHead, own, inputs, (2, 5, 11), output_dtype="float32", weights=6)


def test_tokens_are_told_by_their_vectors_and_by_the_heads_own():
    head, table = make(embedding_dim=3, own_dim=4), TABLE[:, :3]
    assert head.dense.kernel.shape == (8, 7)
    whole = np.concatenate([table, head.own], axis=1)
    np.testing.assert_allclose(head(X, table), head.transform(X) @ whole.T + np.array(head.bias), atol=1e-5)


@pytest.mark.parametrize(
    ("xla", "width", "use_bias", "own"),
    [(False, None, True, 0), (True, None, True, 0), (False, 3, True, 0), (False, None, False, 0), (True, 3, True, 5)],
)
def test_losses_are_those_of_the_logits(xla, width, use_bias, own):
    head, table = make(embedding_dim=width, use_bias=use_bias, own_dim=own), TABLE[:, :width]
    log_p = tf.nn.log_softmax(head(X, table)).numpy()
    losses = tf.function(lambda targets: head.losses(tf.constant(X), tf.constant(table), targets), jit_compile=xla)
    found = losses(tf.constant(TARGETS))
    assert found.shape == (2, 5, 2)
    for place in np.ndindex(2, 5):
        target = TARGETS[place]
        expected = (0.0, 0.0) if target == IGNORED_LABEL else (-log_p[place][target], -log_p[place].mean())
        np.testing.assert_allclose(found[place], expected, atol=1e-5)


def test_the_second_loss_is_left_out_where_it_is_not_wanted():
    head, x, table = make(), tf.constant(X), tf.Variable(TABLE)
    with tf.GradientTape(persistent=True) as tape:
        both = head.losses(x, table, TARGETS)[..., 0]
        first = head.losses(x, table, TARGETS, of_all=False)
    assert first.shape == (2, 5, 1)
    np.testing.assert_array_equal(first[..., 0], both)
    of_both, of_first = (tf.convert_to_tensor(tape.gradient(found, table)) for found in (both, first))
    np.testing.assert_allclose(of_first, of_both, atol=1e-6)


def test_the_losses_gradients_are_those_of_the_logits():
    head, x, table = make(), tf.Variable(X), tf.Variable(TABLE)
    variables = [x, table, *(variable.value for variable in head.trainable_variables)]

    def gradients(loss):
        with tf.GradientTape() as tape:
            total = tf.reduce_sum(loss() * tf.constant([0.9, 0.1]))
        return [tf.convert_to_tensor(gradient) for gradient in tape.gradient(total, variables)]

    def expected():
        log_p = tf.nn.log_softmax(head(x, table))
        both = tf.stack([-tf.reduce_sum(log_p * tf.one_hot(TARGETS, 11), -1), -tf.reduce_mean(log_p, -1)], -1)
        return both * (TARGETS != IGNORED_LABEL).astype("float32")[..., None]

    for ours, wanted in zip(gradients(lambda: head.losses(x, table, TARGETS)), gradients(expected), strict=True):
        np.testing.assert_allclose(ours, wanted, atol=1e-5)


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match=r"`activation` must be one of gelu.*activation='elu'"):
        make(activation="elu")
    with pytest.raises(ValueError, match=r"`vocabulary_size` must be an integer of at least 1.*vocabulary_size=0"):
        MaskedLMHead(8, 0)
