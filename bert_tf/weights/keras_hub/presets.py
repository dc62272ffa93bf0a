"""KerasHub's own presets: their names, and where KerasHub says that they are published."""

from __future__ import annotations

from typing import Any

from bert_tf.errors import UserError

PREFIX = "keras_hub://"


def published_at(name: str) -> str:
    """The place `kaggle://...` of the preset `keras_hub://NAME`. Nothing is fetched; importing KerasHub takes seconds.

    Raises: UserError if KerasHub has no BERT of that name, with the names that it has.
    """
    try:
        import keras_hub
    except ImportError:
        raise UserError(f"`{name}` needs keras_hub: pip install keras-nlp") from None
    presets: Any = keras_hub.models.BertBackbone.presets
    preset = name.removeprefix(PREFIX)
    if preset not in presets:
        raise UserError(
            f"`{name}`: KerasHub {keras_hub.__version__} has no BERT preset {preset!r}. Known: {', '.join(presets)}"
        )
    return presets[preset]["kaggle_handle"]
