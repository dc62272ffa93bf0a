"""Layers that share their blocks, as ALBERT's do: one weight each, however often it is used."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import bert_tf
from bert_tf.config import TrainingConfig
from bert_tf.errors import UserError
from bert_tf.models import weights_by_path
from bert_tf.models.frozen import freeze
from bert_tf.training.asked import freeze_as_asked
from tests.models.test_family import config_of, gradients


def gradients_by_path(model: Any) -> dict[str, np.ndarray]:
    paths = {id(weight): path for path, weight in weights_by_path(model).items()}
    return {
        paths[id(weight)]: np.asarray(gradient)
        for weight, gradient in zip(model.trainable_variables, gradients(model), strict=True)
    }


def test_an_albert_whose_layers_share_has_each_weight_once():
    shared, own = (config_of("albert", num_layers=3, layer_groups=groups) for groups in (1, 3))
    model, other = bert_tf.BertClassifier(shared, 3), bert_tf.BertClassifier(own, 3)
    paths = weights_by_path(model)
    assert len(paths) == len(model.trainable_weights) == len({id(weight) for weight in paths.values()})
    assert len(weights_by_path(other)) == len(paths) + 2 * 16
    # The gradient of a weight is the sum of those that it would have as several weights of the same value.
    for path, weight in weights_by_path(other).items():
        weight.assign(paths[re.sub(r"^block_\d", "block_0", path)])
    sums: dict[str, Any] = {}
    for path, gradient in gradients_by_path(other).items():
        path = re.sub(r"^block_\d", "block_0", path)
        sums[path] = sums.get(path, 0.0) + gradient
    found = gradients_by_path(model)
    assert set(sums) == set(found) == set(paths)
    for path, gradient in found.items():
        np.testing.assert_allclose(gradient, sums[path], atol=1e-5, err_msg=path)


def test_blocks_that_share_their_weights_are_frozen_together():
    model = bert_tf.BertTagger(config_of("albert", num_layers=4, layer_groups=2), 3)
    with pytest.raises(ValueError, match=r"`blocks` must be one of \[0, 2, 4\]. Received: blocks=1"):
        freeze(model, blocks=1)
    options = TrainingConfig(frozen_blocks=3)
    with pytest.raises(UserError, match=r"frozen_blocks must be one of 0, 2, 4, as blocks share their weights.*: 3"):
        freeze_as_asked(model, options)
    freeze(model, blocks=2)
    frozen = {path.split("/")[0] for path, weight in weights_by_path(model).items() if not weight.trainable}
    assert frozen == {"block_0", "pooler"}  # the second has no part in tags
