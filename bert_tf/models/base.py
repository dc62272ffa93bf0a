"""What every model shares: weights by path, and going to and from files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras

INPUT_KEYS = ("token_ids", "segment_ids", "padding_mask", "example_ids", "position_ids", "first_positions")
TARGET_KEYS = ("target_ids", "masked_positions")  # what a head over the vocabulary needs besides


class BertModel(keras.Model):
    """A Keras model whose weights exist at once and can be read and written in the known formats."""

    architecture: str | None = None
    """The class of Transformers that reads the model's files; None: by the head."""
    uses_pooler = True
    """Whether the backbone's pooler has a part in the outputs, and so in the files."""

    @property
    def saved_settings(self) -> dict[str, Any]:
        """Arguments of the class that its files keep and Transformers has no name for."""
        return {}

    @classmethod
    def from_pretrained(cls, where, **overrides: Any):
        """A model with the weights found at `where`: "minilm", a folder, "hf://org/name", "kaggle://...", or a size.

        Args:
            where: a name or path, see `bert_tf.weights.places`.
            overrides: the model's own arguments, or fields of its `BertConfig`, instead of the checkpoint's.
        """
        from bert_tf.models.pretrained import load_model

        return load_model(cls, where, **overrides)

    def save_pretrained(self, folder, tokenizer=None, **options: Any) -> None:
        """Writes a Hugging Face folder that `from_pretrained` and Transformers read.

        Args:
            folder: where.
            tokenizer: a BertTokenizer to write beside the weights.
            options: of `bert_tf.models.pretrained.save_model`.
        """
        from bert_tf.models.pretrained import save_model

        save_model(self, folder, tokenizer, **options)


def weights_by_path(model: keras.Model) -> dict[str, keras.Variable]:
    """Every weight by its path inside the model, such as "block_0/attention/query/kernel".

    A model's own name is left off, and so is that of a backbone inside it: a backbone's weights have the same paths
    alone and under any head. Seeds are not weights.
    """
    prefixes = sorted({model.path, *(part.path for part in _models_in(model))}, key=len, reverse=True)
    found: dict[str, keras.Variable] = {}
    for weight in model.weights:
        prefix = next((prefix for prefix in prefixes if weight.path.startswith(f"{prefix}/")), None)
        path = weight.path if prefix is None else weight.path.removeprefix(f"{prefix}/")
        if path in found:
            raise ValueError(f"two weights of `model` have the path {path}. Received: model={model.name}")
        found[path] = weight
    return found


def _models_in(model: keras.Model) -> list[keras.Model]:
    return [layer for layer in model._flatten_layers(include_self=False) if isinstance(layer, keras.Model)]


def inputs_of(batch: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a batch that is a model's input; labels and what else it carries are left out."""
    return {key: batch[key] for key in (*INPUT_KEYS, *TARGET_KEYS) if key in batch}


def check_inputs(inputs: Any) -> None:
    """Raises: ValueError if `inputs` is not a dict with "token_ids" and none but the known keys."""
    if not isinstance(inputs, Mapping):
        raise ValueError(f"`inputs` must be a dict with the key token_ids. Received: {type(inputs).__name__}")
    unknown = sorted(set(inputs) - set(INPUT_KEYS))
    if unknown or "token_ids" not in inputs:
        problem = f"knows no {', '.join(unknown)}" if unknown else "needs token_ids"
        raise ValueError(
            f"`inputs` {problem}. Known: {', '.join(INPUT_KEYS)}. Received: {', '.join(map(str, inputs)) or 'nothing'}"
        )
    shape = tuple(inputs["token_ids"].shape)
    if len(shape) != 2:
        raise ValueError(f"`token_ids` must have the shape [B, T]. Received: token_ids of shape {shape}")
    for key in ("segment_ids", "padding_mask", "example_ids", "position_ids"):
        other = tuple(inputs[key].shape) if inputs.get(key) is not None else shape
        if len(other) != 2 or any(a != b for a, b in zip(other, shape, strict=True) if None not in (a, b)):
            raise ValueError(
                f"`{key}` must have the shape of `token_ids`. "
                f"Received: {key} of shape {other}, token_ids of shape {shape}"
            )
