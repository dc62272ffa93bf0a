"""AdamW against its definition in float64."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from bert_tf.models import BertConfig
from bert_tf.training.optimizers.adamw import AdamW, layer_multipliers
from bert_tf.training.optimizers.schedule import Schedule

RATE, DECAY, BETA_1, BETA_2, EPSILON = 1e-2, 0.1, 0.9, 0.999, 1e-8
CONSTANT = Schedule(peak=RATE, total_steps=100, shape="constant")


def by_definition(weight: np.ndarray, gradients: list[np.ndarray], *, decay: float, rate: float = RATE) -> np.ndarray:
    """Algorithm 2 of Loshchilov and Hutter, in float64."""
    weight, first, second = weight.astype(np.float64), 0.0, 0.0
    for step, gradient in enumerate(gradients, start=1):
        gradient = gradient.astype(np.float64)
        first = BETA_1 * first + (1 - BETA_1) * gradient
        second = BETA_2 * second + (1 - BETA_2) * gradient**2
        corrected = np.sqrt(second / (1 - BETA_2**step)) + EPSILON
        weight = weight - rate * (first / (1 - BETA_1**step) / corrected + decay * weight)
    return weight


def update(optimizer: AdamW, gradients: list[np.ndarray], *, scale: float = 1.0, finite: bool = True) -> None:
    tensors = [tf.constant(gradient, tf.float32) for gradient in gradients]
    optimizer.apply(tensors, scale=tf.constant(scale), finite=tf.constant(finite))


def test_updates_follow_the_definition():
    rng = np.random.default_rng(0)
    start = rng.normal(size=(5, 3)).astype(np.float32)
    gradients = [rng.normal(size=(5, 3)).astype(np.float32) for _ in range(10)]
    kernel, bias = tf.Variable(start), tf.Variable(start)
    optimizer = AdamW({"a/kernel": kernel, "a/bias": bias}, CONSTANT, weight_decay=DECAY)
    for gradient in gradients:
        update(optimizer, [gradient, gradient])
    np.testing.assert_allclose(kernel.numpy(), by_definition(start, gradients, decay=DECAY), atol=1e-6)
    # A bias is not decayed.
    np.testing.assert_allclose(bias.numpy(), by_definition(start, gradients, decay=0.0), atol=1e-6)
    assert int(optimizer.step.numpy()) == 10


def test_small_gradients_follow_the_definition():
    # Where the root is as small as epsilon, it matters on which side of the bias correction epsilon stands.
    gradients = [np.full([4], 1e-8, np.float32)] * 5
    weight = tf.Variable(np.zeros([4], np.float32))
    optimizer = AdamW({"a/kernel": weight}, CONSTANT, weight_decay=0.0)
    for gradient in gradients:
        update(optimizer, [gradient])
    np.testing.assert_allclose(weight.numpy(), by_definition(np.zeros(4), gradients, decay=0.0), rtol=1e-4)


def test_a_token_that_occurs_twice_has_one_gradient():
    start = np.arange(8, dtype=np.float32).reshape(4, 2)
    table = tf.Variable(start)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.gather(table, [1, 1, 1, 2]) * tf.constant([[1.0], [2.0], [-0.5], [1.0]]))
    slices = tape.gradient(loss, table)
    assert isinstance(slices, tf.IndexedSlices)
    dense = np.array([[0, 0], [2.5, 2.5], [1, 1], [0, 0]], np.float32)
    optimizer = AdamW({"table": table}, CONSTANT, weight_decay=0.0)
    for _ in range(3):
        optimizer.apply([tf.convert_to_tensor(slices)], scale=tf.constant(1.0), finite=tf.constant(True))
    np.testing.assert_allclose(table.numpy(), by_definition(start, [dense] * 3, decay=0.0), atol=1e-6)


def test_an_update_that_is_not_finite_changes_nothing():
    weight = tf.Variable([1.0, 2.0])
    optimizer = AdamW({"a/kernel": weight}, CONSTANT, weight_decay=DECAY)
    update(optimizer, [np.array([0.5, -0.5], np.float32)])
    before = [weight.numpy(), optimizer.first[0].numpy(), optimizer.second[0].numpy()]
    update(optimizer, [np.array([np.nan, np.inf], np.float32)], finite=False)
    after = [weight.numpy(), optimizer.first[0].numpy(), optimizer.second[0].numpy()]
    np.testing.assert_array_equal(before, after)
    assert int(optimizer.step.numpy()) == 1


def test_scale_and_multiplier():
    gradient = np.array([1.0, -2.0], np.float32)
    weight = tf.Variable([1.0, 2.0])
    optimizer = AdamW({"a/kernel": weight}, CONSTANT, weight_decay=DECAY, multipliers={"a/kernel": 0.5})
    update(optimizer, [gradient], scale=0.25)
    wanted = by_definition(np.array([1.0, 2.0]), [0.25 * gradient], decay=DECAY, rate=0.5 * RATE)
    np.testing.assert_allclose(weight.numpy(), wanted, atol=1e-6)


def test_decay_of_weights_without_gradient():
    schedule = Schedule(peak=0.1, total_steps=8, warmup_steps=3)
    weight = tf.Variable([2.0])
    optimizer = AdamW({"table": weight}, schedule, weight_decay=0.5)
    for _ in range(6):
        update(optimizer, [np.zeros(1, np.float32)])
    np.testing.assert_allclose(weight.numpy() / 2.0, optimizer.decay_of_untouched("table", 6), rtol=1e-6)


def test_layer_multipliers_fall_towards_the_input():
    paths = ["embeddings/token/table", "block_0/attention/query/kernel", "block_11/feed_forward/output/bias"]
    found = layer_multipliers([*paths, "pooler/dense/kernel"], 0.9, 12)
    assert found == pytest.approx({paths[0]: 0.9**13, paths[1]: 0.9**12, paths[2]: 0.9})


def test_a_block_that_layers_share_is_one_layer_of_the_decay():
    shape = {"vocabulary_size": 9, "hidden_dim": 4, "num_layers": 6, "num_heads": 2, "intermediate_dim": 6}
    config = BertConfig.from_dict({"model_type": "albert", "layer_groups": 2, **shape})
    paths = ["embeddings/token/table", "block_0/attention/query/kernel", "block_1/attention/query/kernel"]
    found = layer_multipliers(paths, 0.5, config.num_blocks)
    assert [found[path] for path in paths] == [0.125, 0.25, 0.5]


@pytest.mark.parametrize(
    ("shape", "wanted"),
    [("linear", [0, 0.5, 1, 0.75, 0.5, 0.25, 0]), ("constant", [0, 0.5, 1, 1, 1, 1, 1])],
)
def test_schedule(shape, wanted):
    schedule = Schedule(peak=2.0, total_steps=6, warmup_steps=2, shape=shape)
    np.testing.assert_allclose(schedule(tf.range(7)).numpy(), 2 * np.array(wanted), atol=1e-6)


def test_cosine_schedule():
    schedule = Schedule(peak=1.0, total_steps=4, shape="cosine")
    wanted = 0.5 * (1 + np.cos(np.pi * np.arange(5) / 4))
    np.testing.assert_allclose(schedule(tf.range(5)).numpy(), wanted, atol=1e-6)


def test_schedule_errors_name_the_values():
    with pytest.raises(ValueError, match="shape='steep'"):
        Schedule(peak=1.0, total_steps=4, shape="steep")
    with pytest.raises(ValueError, match="total_steps=4, warmup_steps=5"):
        Schedule(peak=1.0, total_steps=4, warmup_steps=5)
