"""One more encoder block, with fixed weights, that gives the first token the mean of all tokens' vectors."""

from __future__ import annotations

from typing import Any, TypeVar

import keras
import numpy as np

from bert_tf.models.frozen import arguments_of, frozen_like
from bert_tf.models.pretrained.paths import weights_by_path

Model = TypeVar("Model", bound=keras.Model)
SCALE = 4.0  # of the mean, next to what the first token had before


def with_mean_block(model: Model) -> Model:
    """The same model on a backbone of one more block.

    The mean over tokens, [CLS] and [SEP] included, is what many backbones for sentences were trained to give, and it
    says more of a text than the first token does; but the heads of `BertForSequenceClassification` see the first token
    alone. In the new block each token attends to all alike (queries and keys are 0), values and output are an identity
    times `SCALE`, and the feed-forward layer gives 0; so its first token is the norm of the mean, and of a little of
    the first token. A plain BERT of one more layer: every format and reader has it as any other.

    Args:
        model: a `BertClassifier`, or another model with a `backbone`; not changed.
    Returns: a new model of the same class.
    """
    backbone: Any = model.backbone  # pyright: ignore[reportAttributeAccessIssue]
    config = backbone.config
    deeper = config.replace(num_layers=config.num_layers + 1)
    arguments = arguments_of(model)
    arguments["backbone"] = type(backbone)(deeper, dtype=backbone.dtype_policy)
    made = frozen_like(type(model)(**arguments), model)
    given, new = weights_by_path(model), weights_by_path(made)
    block = f"block_{config.num_layers}/"
    for path, variable in new.items():
        if not path.startswith(block):
            variable.assign(given[path])
        elif path.endswith(("value/kernel", "attention/output/kernel")):
            scale = SCALE if path.endswith("output/kernel") else 1.0
            variable.assign(scale * np.eye(config.hidden_dim, dtype=np.float32).reshape(variable.shape))
        else:
            variable.assign(np.full(variable.shape, float(path.endswith("gamma")), np.float32))
    return made
