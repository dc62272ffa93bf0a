"""What is frozen stays frozen: under a head, in files, in clones, copies and configs."""

from __future__ import annotations

import copy
import pickle
from itertools import product
from typing import Any

import keras
import numpy as np
import pytest

from bert_tf.layers import EncoderBlock, FeedForward
from bert_tf.layers.trainable import differing
from bert_tf.models import BertBackbone, BertClassifier, BertConfig, BertTagger, weights_by_path
from bert_tf.models.frozen import freeze

CONFIG = BertConfig(vocabulary_size=11, hidden_dim=8, num_layers=2, num_heads=2, intermediate_dim=16, max_positions=12)
X = {"token_ids": np.array([[2, 5, 3], [2, 4, 3]], "int32"), "padding_mask": np.ones((2, 3), "int32")}


def trained(model: Any) -> set[str]:
    """Paths of the weights that Keras would train."""
    paths = {id(weight): path for path, weight in weights_by_path(model).items()}
    return {paths[id(weight)] for weight in model.trainable_weights}


def backbone_alone(model):
    model.backbone.trainable = False


def one_block(model):
    model.backbone.blocks[0].trainable = False


def tables(model):
    model.backbone.embeddings.token.trainable = False
    model.backbone.embeddings.norm.trainable = False


def all_but_a_block(model):
    model.backbone.trainable = False
    model.backbone.blocks[1].trainable = True


def deep_within(model):
    model.backbone.blocks[1].attention.query.trainable = False


def one_weight(model):
    model.backbone.blocks[1].feed_forward.intermediate.kernel.trainable = False


def nothing_but_the_head(model):
    model.trainable = False
    model.classifier.trainable = True


def keras_file(model, folder):
    model.save(folder / "model.keras")
    return keras.saving.load_model(folder / "model.keras")


def config(model, folder):
    return type(model).from_config(model.get_config())


def serialized(model, folder):
    return keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(model))


def clone(model, folder):
    return keras.models.clone_model(model)


def deep_copy(model, folder):
    return copy.deepcopy(model)


def pickled(model, folder):
    return pickle.loads(pickle.dumps(model))


CHANGES = (backbone_alone, one_block, tables, all_but_a_block, deep_within, one_weight, nothing_but_the_head)
WAYS = (keras_file, config, serialized, clone, deep_copy, pickled)
# Keras makes a clone's layers anew from their configs, which do not say what is frozen in single weights.
NOT_KEPT = {(one_weight, clone), (nothing_but_the_head, clone)}


@pytest.mark.parametrize(("change", "again"), sorted(set(product(CHANGES, WAYS)) - NOT_KEPT, key=str))
def test_flags_survive(change, again, tmp_path):
    model = BertClassifier(CONFIG, 3)
    everything = trained(model)
    change(model)
    wanted = trained(model)
    assert wanted != everything  # or the test shows nothing
    found = again(model, tmp_path)
    assert trained(found) == wanted
    if again is not clone:
        assert differing(found) == differing(model)
        assert [layer.trainable for layer in found._flatten_layers()] == [
            layer.trainable for layer in model._flatten_layers()
        ]


@pytest.mark.parametrize("cls", [BertClassifier, BertTagger])
def test_a_frozen_backbone_under_a_head_is_not_trained(cls):
    model = cls(BertBackbone(CONFIG, trainable=False), 3)
    assert trained(model) == {"classifier/kernel", "classifier/bias"}
    before = {path: np.array(weight) for path, weight in weights_by_path(model).items()}
    model.compile(keras.optimizers.SGD(1.0), run_eagerly=True)
    labels = np.array([0, 2]) if cls is BertClassifier else np.array([[0, 2, 1]] * 2)
    model.fit(X, labels, verbose=0)
    for path, weight in weights_by_path(model).items():
        assert np.array_equal(weight, before[path]) == (not path.startswith("classifier")), path


def test_a_loaded_model_is_trained_as_it_says(tmp_path):
    model = BertClassifier(CONFIG, 3)
    model.backbone.trainable = False
    again: Any = keras_file(model, tmp_path)
    before = {path: np.array(weight) for path, weight in weights_by_path(again).items()}
    again.compile(keras.optimizers.SGD(1.0), run_eagerly=True)
    again.fit(X, np.array([0, 2]), verbose=0)
    moved = {path for path, weight in weights_by_path(again).items() if not np.array_equal(weight, before[path])}
    assert moved == {"classifier/kernel", "classifier/bias"}


def test_a_frozen_head_can_be_set_free():
    model = BertClassifier(CONFIG, 3, trainable=False)
    assert trained(model) == set()
    again: Any = BertClassifier.from_config(model.get_config())
    assert not again.trainable
    again.trainable = True
    assert trained(again) == set(weights_by_path(again))


def test_a_layer_made_frozen_holds_nothing_that_is_trained():
    block = EncoderBlock(8, 2, 16, trainable=False)
    outer = keras.Sequential([keras.Input((None, 8)), block])
    assert outer.trainable_weights == []
    assert len(outer.weights) == 16
    layer = FeedForward(8, 16)
    layer.build(None)
    layer.intermediate.trainable = False
    assert layer.get_config()["trainable_differs"] == ["intermediate"]
    again = FeedForward.from_config(layer.get_config())
    assert {weight.path.split("/")[-2] for weight in again.trainable_weights} == {"output"}


def test_freezing_counts_blocks_from_the_input():
    model = BertClassifier(CONFIG, 3)
    freeze(model, blocks=1)
    left = trained(model)
    assert not any(path.startswith("block_0/") for path in left)
    assert {path.split("/")[0] for path in left} == {"embeddings", "block_1", "pooler", "classifier"}
    freeze(model.backbone, embeddings=True, blocks=2)
    assert {path.split("/")[0] for path in trained(model)} == {"pooler", "classifier"}
    with pytest.raises(ValueError, match=r"`blocks` must be between 0 and 2\. Received: blocks=3"):
        freeze(model, blocks=3)
