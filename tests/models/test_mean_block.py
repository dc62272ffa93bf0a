"""The block that gives the first token the mean of all."""

from __future__ import annotations

import numpy as np
import pytest

from bert_tf.models import BertClassifier, BertConfig
from bert_tf.models.mean_block import SCALE, with_mean_block

TOKENS = np.array([[2, 5, 6, 3], [2, 7, 3, 0]])
MASK = np.array([[1, 1, 1, 1], [1, 1, 1, 0]])


@pytest.fixture(scope="module")
def model() -> BertClassifier:
    config = BertConfig(
        vocabulary_size=9, hidden_dim=8, num_layers=1, num_heads=2, intermediate_dim=16, initializer_range=0.5
    )
    return BertClassifier(config, 3, labels=("a", "b", "c"), reject_below=0.2)


def norm(x: np.ndarray) -> np.ndarray:
    x = x - x.mean(axis=-1, keepdims=True)
    return x / np.sqrt(np.square(x).mean(axis=-1, keepdims=True))


def test_the_first_token_is_the_norm_of_the_mean_and_a_little_of_itself(model: BertClassifier):
    inputs = {"token_ids": TOKENS, "padding_mask": MASK}
    x = np.array(model.backbone(inputs)["sequence_output"])
    mean = (x * MASK[..., None]).sum(axis=1) / MASK.sum(axis=1, keepdims=True)
    deeper = with_mean_block(model)
    found = np.array(deeper.backbone(inputs)["sequence_output"])[:, 0]
    np.testing.assert_allclose(found, norm(SCALE * mean + x[:, 0]), atol=1e-5)
    # Two texts in a row have a mean each.
    packed = {
        "token_ids": np.array([[2, 5, 6, 3, 2, 7, 3]]),
        "example_ids": np.array([[1, 1, 1, 1, 2, 2, 2]]),
        "position_ids": np.array([[0, 1, 2, 3, 0, 1, 2]]),
        "padding_mask": np.ones((1, 7), int),
        "first_positions": np.array([[0, 4]]),
    }
    np.testing.assert_allclose(np.array(deeper(packed))[0], np.array(deeper(inputs)), atol=1e-5)


def test_all_else_is_as_it_was(model: BertClassifier):
    deeper = with_mean_block(model)
    assert deeper.config == model.config.replace(num_layers=2)
    assert (deeper.labels, deeper.reject_below) == (("a", "b", "c"), 0.2)
    assert model.config.num_layers == 1
    np.testing.assert_array_equal(deeper.classifier.kernel, model.classifier.kernel)
