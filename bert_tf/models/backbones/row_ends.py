"""What a model sees behind a text that is shorter than its row."""

from __future__ import annotations

from typing import Any, TypeVar

Model = TypeVar("Model")
SEES_PADDING = "sees_padding"
"""Key of a Keras config that is there where a model sees none."""


def seeing_no_padding(model: Model) -> Model:
    """The same model, told that what its padding_mask leaves out is nothing, not even to a neighbour.

    Embeddings that look at the next token, a MobileBERT's, see the vector of [PAD] behind all texts of a batch but the
    longest one, so that answers hang on the batch; called with tensors, a model does as Transformers does. Training,
    `Pipeline`, exports and a model's preprocessor, which make rows of texts themselves, give each text what
    Transformers gives for it alone, as packed rows do.

    Args:
        model: with a backbone, or a backbone; of anything else nothing changes.

    >>> from bert_tf import BertBackbone, BertConfig
    >>> shape = {"vocabulary_size": 9, "hidden_dim": 8, "num_layers": 1, "num_heads": 2, "intermediate_dim": 8}
    >>> config = BertConfig(model_type="mobilebert", embedding_dim=4, trigram=True, **shape)
    >>> seeing_no_padding(BertBackbone(config)).embeddings.sees_padding
    False
    """
    embeddings = _embeddings_of(model)
    if embeddings is not None:
        embeddings.sees_padding = False
    return model


def sees_padding(model: Any) -> bool:
    """Whether the model's embeddings see padding, as those do that nothing else was said to."""
    return getattr(_embeddings_of(model), "sees_padding", True)


def _embeddings_of(model: Any) -> Any:
    return getattr(getattr(model, "backbone", model), "embeddings", None)
