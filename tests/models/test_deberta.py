"""What a DeBERTa may have besides its usual options, through what every member goes through."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import bert_tf
from bert_tf.models import weights_by_path
from bert_tf.models.frozen import freeze
from bert_tf.training.optimizers.adamw import layer_multipliers
from tests.models.test_family import assert_gradients_are_alike, config_of, gradients, packed
from tests.models.test_family import test_texts_are_written_as_the_whole_row_says as texts_are_written

OWN: dict[str, Any] = {
    "shares_distances": False, "distance_norm": False, "distance_buckets": 0, "farthest_distance": 3,
    "embedding_dim": 5, "position_kind": "learned",
}  # fmt: skip
VARIANTS = {
    "keys": OWN | {"distance_terms": "p2c"},
    "queries": OWN | {"distance_terms": "c2p"},
    "convolution": OWN | {"kernel_size": 3, "num_segments": 2},
    "one block": {"kernel_size": 5, "kernel_activation": "gelu", "num_layers": 1},
}
every_variant = pytest.mark.parametrize("changes", VARIANTS.values(), ids=VARIANTS)
TEXTS = [np.array(text) for text in ([0, 9, 10, 11, 5, 6, 2], [0, 12, 2], [0, 7, 8, 2])]


@every_variant
def test_packed_rows_and_first_tokens_alone_are_what_whole_rows_are(changes):
    keras.utils.set_random_seed(3)
    backbone = bert_tf.BertBackbone(config_of("deberta-v2", **changes))
    together = packed(TEXTS, [np.zeros(len(text)) for text in TEXTS])
    row = backbone(together)
    alone = [backbone({"token_ids": text[None].astype("int32")}) for text in TEXTS]
    pieces = np.concatenate([np.asarray(found["sequence_output"])[0] for found in alone])
    np.testing.assert_allclose(np.asarray(row["sequence_output"])[0, : len(pieces)], pieces, atol=1e-5)
    only = backbone(together, only_pooled=True)["pooled_output"]
    np.testing.assert_allclose(only[0], [found["pooled_output"][0] for found in alone], atol=1e-5)
    padded = np.array([[0, 12, 2, 4, 4]], "int32"), np.array([[1, 1, 1, 0, 0]], "int32")
    found = backbone({"token_ids": padded[0], "padding_mask": padded[1]}, only_pooled=True)["pooled_output"]
    np.testing.assert_allclose(found, alone[1]["pooled_output"], atol=1e-5)


@pytest.mark.parametrize("name", [pytest.param("convolution"), *(
    pytest.param(name, marks=pytest.mark.slow) for name in ("keys", "queries", "one block")
)])  # fmt: skip
def test_recomputing_and_xla_change_no_gradient(name):
    still = VARIANTS[name] | {"hidden_dropout": 0.0, "attention_dropout": 0.0}
    model = bert_tf.BertClassifier(config_of("deberta-v2", **still), 3)
    again = bert_tf.BertClassifier(config_of("deberta-v2", recompute=True, **still), 3)
    again.set_weights(model.get_weights())
    wanted = gradients(model)
    assert_gradients_are_alike(gradients(again), model, wanted, atol=1e-5)
    if name != "convolution":
        compiled = tf.function(lambda: gradients(model), jit_compile=True)
        assert_gradients_are_alike(compiled(), model, wanted, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["keys", "queries"])
def test_texts_are_written_with_layers_of_their_own_for_distances(name, monkeypatch):
    monkeypatch.setattr("tests.models.test_family.SHAPES", {"x": config_of("deberta-v2", **VARIANTS[name]).to_dict()})
    texts_are_written("x")


def test_a_convolution_sees_the_next_token_and_does_not_write():
    with pytest.raises(ValueError, match=r"`backbone` must have no convolution. Received: kernel_size=5"):
        bert_tf.BertSeq2Seq(config_of("deberta-v2", **VARIANTS["one block"]))


def test_vectors_of_distances_are_of_the_embeddings_depth():
    model = bert_tf.BertTagger(config_of("deberta-v2"), 3)
    factors = layer_multipliers(weights_by_path(model), 0.5, 2)
    assert factors["relative_vectors/table"] == factors["embeddings/token/table"] == 0.5**3
    freeze(model, embeddings=True, blocks=2)
    trained = {path for path, weight in weights_by_path(model).items() if weight.trainable}
    assert trained == {"classifier/kernel", "classifier/bias"}
