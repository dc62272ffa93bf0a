"""The copy that is trained, with the token vectors alone that its data can reach."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from bert_tf import BertClassifier, BertConfig
from bert_tf.data import Features
from bert_tf.training.trained_model import TrainedModel
from tests.models.members import SHAPES

SIZES = {"vocabulary_size": 14, "hidden_dim": 4, "num_layers": 1, "num_heads": 2, "intermediate_dim": 6}


@pytest.mark.parametrize("shape", [SHAPES["mpnet"], SHAPES["roberta"], {**SHAPES["roberta"], "pad_token_id": 3}])
def test_positions_are_counted_at_the_same_tokens_in_a_trimmed_table(shape):
    """Of a model that counts tokens but padding, in rows that do not say their positions."""
    whole = BertClassifier(BertConfig(**SIZES, max_positions=8, initializer_range=0.5, **shape), 2)
    ids = np.array([0, 7, 12, 2, 2, 9, 2], "int32")  # without the padding token
    features = Features(token_ids=ids, segment_ids=np.zeros(7, np.int8), splits=np.array([0, 7]))
    trained = TrainedModel(whole, {"train": features}, tf.distribute.get_strategy())
    assert len(trained.vocabulary.kept) < 14
    found = trained.model({"token_ids": trained.features["train"].token_ids[None]})
    np.testing.assert_allclose(found, whole({"token_ids": ids[None]}), atol=1e-6)
