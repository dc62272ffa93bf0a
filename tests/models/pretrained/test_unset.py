"""Models that get their first values from a file, and what is drawn all the same."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from bert_tf.errors import UserError
from bert_tf.models import BertClassifier, BertEmbedder, BertSpanQA
from bert_tf.models.pretrained.unset import unset_weights
from tests.weights.tiny import TINY, altered, inputs


@pytest.fixture
def drawn(monkeypatch):
    """The shapes that random values are drawn for."""
    shapes: list[tuple[int, ...]] = []
    normal = keras.initializers.TruncatedNormal.__call__

    def draw(self, shape, dtype=None):
        shapes.append(tuple(shape))
        return normal(self, shape, dtype)

    monkeypatch.setattr(keras.initializers.TruncatedNormal, "__call__", draw)
    return shapes


def test_what_the_file_has_is_not_drawn_and_a_new_head_is_that_of_a_new_model_with_the_seed(drawn, monkeypatch):
    keras.utils.set_random_seed(7)
    loaded = BertClassifier.from_pretrained(TINY, num_classes=5)
    config = loaded.config
    assert drawn == [(config.hidden_dim, 5)]
    keras.utils.set_random_seed(7)
    made = BertClassifier(config, 5)
    np.testing.assert_array_equal(loaded.classifier.kernel, made.classifier.kernel)
    assert np.std(made.classifier.kernel) > 0.001
    # Dropout draws the same masks, too.
    first, second = (np.asarray(model.seed_generator.state) for model in (loaded, made) if model.seed_generator)
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("cls", [BertSpanQA, BertEmbedder])
def test_every_weight_has_a_value_and_can_be_trained(cls):
    model = cls.from_pretrained(TINY)
    model.compile(optimizer=keras.optimizers.SGD(0.0))
    assert all(isinstance(variable.value, tf.Variable) for variable in model.variables)
    before = [np.asarray(weight) for weight in model.weights]
    with tf.GradientTape() as tape:
        outputs = model(inputs(), training=True)
        loss = tf.add_n([tf.reduce_sum(output) for output in tf.nest.flatten(outputs)])
    assert any(gradient is not None for gradient in tape.gradient(loss, model.trainable_weights))
    assert all(np.array_equal(old, new) for old, new in zip(before, model.weights, strict=True))


def test_replicas_get_the_file_s_values():
    cpus = tf.config.list_logical_devices("CPU")
    strategy = tf.distribute.MirroredStrategy([device.name for device in cpus[:2]])
    with strategy.scope():
        model = BertClassifier.from_pretrained(TINY)
    alone = BertClassifier.from_pretrained(TINY)
    for mirrored, weight in zip(model.weights, alone.weights, strict=True):
        assert len(strategy.experimental_local_results(mirrored.value)) == min(2, len(cpus))
        for value in strategy.experimental_local_results(mirrored.value):
            np.testing.assert_array_equal(value, weight)


def test_weights_are_in_the_precision_asked_for():
    whole, half = (BertClassifier.from_pretrained(TINY, dtype=dtype) for dtype in ("float32", "bfloat16"))
    for weight, short in zip(whole.backbone.weights, half.backbone.weights, strict=True):
        assert short.dtype in ("bfloat16", "uint32")  # the latter: a seed
        np.testing.assert_array_equal(keras.ops.cast(weight, short.dtype), short.value)


def test_after_a_file_that_cannot_be_read_others_can(tmp_path):
    def spoil(tensors):
        return tensors | {"bert.encoder.layer.0.output.dense.bias": np.full(4, np.nan, np.float32)}

    bad = altered(tmp_path, spoil)
    for _ in range(2):
        with pytest.raises(UserError, match=r"tensor bert\.encoder\.layer\.0\.output\.dense\.bias has values that are"):
            BertClassifier.from_pretrained(bad)
    assert np.isfinite(BertClassifier.from_pretrained(TINY)(inputs())).all()


def test_what_goes_wrong_meanwhile_leaves_nothing_behind():
    layer = keras.layers.Dense(2)

    def stop() -> None:
        with unset_weights() as unset:
            unset.make(layer.build, (None, 1))
            unset.give(layer.kernel, lambda: np.ones((1, 2)))
            raise RuntimeError("stopped")

    with pytest.raises(RuntimeError, match="stopped"):
        stop()
    with unset_weights() as unset:
        unset.give(layer.bias, lambda: np.array([1.0, 2.0]))  # it has one: 0
    assert layer(np.array([[1.0]])).numpy().tolist() == [[2.0, 3.0]]
