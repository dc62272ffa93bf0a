"""Files from models: `save_pretrained` of every model."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np

from bert_tf import weights
from bert_tf.layers.embeddings import sinusoids
from bert_tf.models.backbones.config import BertConfig
from bert_tf.models.heads import head_of
from bert_tf.models.pretrained.paths import weights_by_path
from bert_tf.text.files.choice import classes_of
from bert_tf.text.files.keras_hub import settings as keras_hub_settings
from bert_tf.weights.files import amend_json
from bert_tf.weights.members import BERT
from bert_tf.weights.vocabulary_check import fits

FORMATS = ("hugging_face", "google", "keras_hub")
NO_SEGMENTS = {"model_input_names": ["input_ids", "attention_mask"]}
LOG = logging.getLogger(__name__)


def save_model(
    model: keras.Model,
    folder: str | os.PathLike[str],
    tokenizer: Any = None,
    *,
    format: str = "hugging_face",
    shard_bytes: int | None = None,
    arrays: Mapping[str, np.ndarray] | None = None,
) -> None:
    """Writes a model so that `from_pretrained`, and the format's own library, load it. Never half-written.

    Args:
        model: a backbone, or a model with a backbone and a head.
        folder: where.
        tokenizer: a BertTokenizer to write beside the weights.
        format: `hugging_face`, `google` (TF 1) or `keras_hub`.
        shard_bytes: most bytes a file, in the Hugging Face format; None writes one file.
        arrays: what to write instead of the model's own weights; the token table may have more rows than the model's.
    Raises: ValueError for another format, or a tokenizer whose vocabulary is not the model's; UserError if the folder
        cannot be written.
    """
    if format not in FORMATS:
        raise ValueError(f"`format` must be one of {', '.join(FORMATS)}. Received: format={format}")
    own: Mapping[str, np.ndarray] = arrays_by_path(model) if arrays is None else arrays
    arrays = model.as_saved(own) if hasattr(model, "as_saved") else own
    config: BertConfig = model.config.replace(vocabulary_size=len(arrays["embeddings/token/table"]))
    if tokenizer is not None and not fits(tokenizer.sizes, config.vocabulary_size):
        raise ValueError(
            "`tokenizer` must have the model's vocabulary. "
            f"Received: {tokenizer.vocabulary_size} tokens, vocabulary_size={config.vocabulary_size}"
        )
    # Another one, such as WordPiece of a RoBERTa, is written as the class that does the same.
    is_own = config.member.prefix in classes_of(tokenizer)
    if tokenizer is not None and is_own and tokenizer.pair_separators != config.member.pair_separators:
        raise ValueError(
            f"`tokenizer` must put {config.member.pair_separators} separators between the texts of a pair for a "
            f"{config.member.name}. Received: pair_separators={tokenizer.pair_separators}"
        )
    if format != "hugging_face" and tokenizer is not None and tokenizer.piece_prefix is None:
        raise ValueError(
            f"`format` must be hugging_face for a {type(tokenizer).__name__}: the others are for WordPiece. "
            f"Received: format={format}"
        )
    if format != "hugging_face":
        vocabulary = None if tokenizer is None else tokenizer.vocabulary
        if tokenizer is not None and tokenizer.odd_rules:
            LOG.warning("%s: the format %s cannot say of the tokenizer: %s", folder, format,
                        "; ".join(tokenizer.odd_rules))  # fmt: skip
        if config.model_type != BERT.model_type:
            raise ValueError(
                f"`format` must be hugging_face for a {config.member.name}: the others are BERT's. "
                f"Received: format={format}"
            )
        if format == "google":
            weights.save_google(folder, config.to_dict(), arrays, vocabulary=vocabulary)
        else:
            words = {} if tokenizer is None else keras_hub_settings(tokenizer)
            weights.save_keras_hub(folder, config.to_dict(), arrays, vocabulary=vocabulary, **words)
        return
    if not getattr(model, "uses_pooler", True):
        arrays = {path: array for path, array in arrays.items() if not path.startswith("pooler/")}
    parts: Mapping[str, Any] = getattr(model, "parts_beside", {})
    beside_them = tuple(f"{root}/" for root in (*getattr(model, "saved_beside", ()), *parts))
    arrays = {path: array for path, array in arrays.items() if not path.startswith(beside_them)}
    head = head_of(type(model))
    dropout = getattr(model, "dropout", config.hidden_dropout)
    row = None if head is None else config.member.dropout_of(head.end)
    follows = row is None or row.default is None  # the hidden values' dropout, where the file does not say it
    beside: list[Callable[[Any], object]] = []
    if tokenizer is not None:
        longest = getattr(model, "max_length", None) or config.max_positions
        beside.append(lambda work: tokenizer.save_pretrained(work, model_max_length=longest))
        words = {**({} if config.member.tells_segments else NO_SEGMENTS), **(config.member.words if is_own else {})}
        beside.append(lambda work: amend_json(work / "tokenizer_config.json", words))
        ids = {
            key: tokenizer.token_to_id[tokenizer.special_tokens[name]] for key, name in config.member.token_ids.items()
        }
        beside.append(lambda work: amend_json(work / "config.json", ids))
    beside += [model.save_beside] if hasattr(model, "save_beside") else []
    beside += [partial(_save_part, part, name, tokenizer) for name, part in parts.items()]
    weights.save_hugging_face(
        folder,
        config.to_dict(),
        arrays,
        head=None if head is None else next(iter(head.parts), None),
        architecture=getattr(model, "architecture", None),
        labels=getattr(model, "labels", None),
        problem=getattr(model, "problem", None),
        head_dropout=None if follows and dropout == config.hidden_dropout else dropout,
        settings=getattr(model, "saved_settings", None),
        shard_bytes=shard_bytes,
        beside=lambda work: [write(work) for write in beside],
    )


def _save_part(part: Any, name: str, tokenizer: Any, work: Path) -> None:
    save_model(part, work / name, tokenizer)


def arrays_by_path(model: keras.Model) -> dict[str, np.ndarray]:
    """A copy of the model's weights, float32, with fixed positions written out as the table that they are."""
    arrays = {
        path: np.array(keras.ops.convert_to_numpy(variable), np.float32)
        for path, variable in weights_by_path(model).items()
    }
    if model.config.position_kind == "sinusoidal":
        arrays["embeddings/position/table"] = sinusoids(model.config.max_positions, model.config.table_dim)
    return arrays
