"""Models from files, and files from models: `from_pretrained` and `save_pretrained` of every model."""

from __future__ import annotations

import dataclasses
import inspect
import logging
import os
import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import keras
import numpy as np

from bert_tf import weights
from bert_tf.errors import UserError
from bert_tf.layers.embeddings import sinusoids
from bert_tf.models.base import weights_by_path
from bert_tf.models.config import BertConfig
from bert_tf.models.sizes import SIZES, size_config
from bert_tf.weights.checkpoint import Checkpoint
from bert_tf.weights.vocabulary import check_vocabulary, fits

FORMATS = ("hugging_face", "google", "keras_hub")
POSITIONS = "embeddings/position/table"
NAMED = 20  # most tensors that one error names
BACKBONE = re.compile(r"embeddings/.*|block_\d+/.*|pooler/.*")
LOG = logging.getLogger(__name__)

Model = TypeVar("Model", bound=keras.Model)


def load_model(
    cls: type[Model], where: str | os.PathLike[str], *, ignore_extra: bool = False, **overrides: Any
) -> Model:
    """A model of class `cls` with the weights at `where`.

    Args:
        cls: a model class whose first argument is a BertConfig.
        where: a place as `bert_tf.weights.resolve` takes it, or a size (`tiny` ... `large`) for random weights.
        ignore_extra: leave tensors aside that no BERT has, instead of an error that names them.
        overrides: fields of BertConfig, and arguments of `cls`, instead of the checkpoint's. More `max_positions` than
            the checkpoint's repeat its position vectors. With `num_classes` (or
            `labels`) a head that has another number of classes in the file is made new, with a warning.
    Returns: the model. A head (or pooler) that the file lacks is new: a truncated normal of `initializer_range`.
    Raises: UserError naming the file, or each tensor that is missing, extra or misshapen with both shapes; ValueError
        for an override that is unknown or wrong.
    """
    fields = {field.name for field in dataclasses.fields(BertConfig)}
    known = set(inspect.signature(cls.__init__).parameters) - {"self", "config", "backbone"}
    unknown = sorted(set(overrides) - fields - known)
    if unknown:
        raise ValueError(
            f"`{cls.__name__}.from_pretrained` has no {', '.join(unknown)}. Known: {', '.join(sorted(fields | known))}"
        )
    changes = {name: value for name, value in overrides.items() if name in fields}
    arguments = {name: value for name, value in overrides.items() if name not in fields}
    if "num_classes" in known and arguments.get("labels") is not None:
        arguments.setdefault("num_classes", len(arguments["labels"]))
    if where in SIZES and not Path(where).exists():
        LOG.warning("`%s` is a size: the model has random weights", where)
        return cls(size_config(str(where), **changes), **arguments)

    checkpoint = weights.load(where)
    check_vocabulary(checkpoint)
    config = _config(checkpoint)
    arguments = {name: value for name, value in checkpoint.settings.items() if name in known} | arguments
    new_heads = _head_arguments(cls, checkpoint, arguments, known) if "num_classes" in known else ()
    model = cls(config.replace(**changes), **arguments)
    load_into(model, checkpoint, new_heads=new_heads, ignore_extra=ignore_extra)
    return model


def config_of(where: str | os.PathLike[str]) -> BertConfig:
    """The shape of the model at `where`, a place or a size, without reading its weights."""
    if where in SIZES and not Path(where).exists():
        return size_config(str(where))
    return _config(weights.load(where))


def load_into(
    model: keras.Model, checkpoint: Checkpoint, *, new_heads: Sequence[str] = (), ignore_extra: bool = False
) -> tuple[str, ...]:
    """Assigns a checkpoint's arrays to a model's weights, after all names and shapes are found right.

    Args:
        model: a backbone, or a model with a backbone and a head.
        checkpoint: what `bert_tf.weights.load` gives.
        new_heads: heads to leave as they are although the file has them.
        ignore_extra: leave tensors aside that no BERT has, instead of an error that names them.
    Returns: paths of the weights that the file lacks and that stay as they were: a whole head, or the pooler.
    Raises: UserError naming each tensor that is missing, extra or misshapen with both shapes.
    """
    variables, arrays = weights_by_path(model), checkpoint.arrays
    roots = {_root(path) for path in variables}
    may_be_new = {root for root in roots if root == "pooler" or not BACKBONE.fullmatch(f"{root}/")}
    new_roots = {root for root in may_be_new if root in new_heads or not any(_root(path) == root for path in arrays)}

    problems, new = [], []
    for path, variable in variables.items():
        wanted = tuple(variable.shape)
        if _root(path) in new_roots:
            new.append(path)
        elif path not in arrays:
            problems.append(f"{path} is missing: the model needs {list(wanted)}, the file has none")
        elif path == POSITIONS and _can_repeat(arrays.shape(path), wanted):
            pass
        elif arrays.shape(path) != wanted:
            problems.append(
                f"{path} ({arrays.name(path)}) is misshapen: the model needs {list(wanted)}, "
                f"the file has {list(arrays.shape(path))}"
            )
    unused = [path for path in arrays if path not in variables]
    fixed_positions = "embeddings/position/table" not in variables
    for path in unused:
        known_extra = (_root(path) not in roots and not path.startswith("block_")) or (
            fixed_positions and path == "embeddings/position/table"
        )
        if not known_extra:
            problems.append(_extra(arrays.name(path), arrays.shape(path)))
    if not ignore_extra:
        problems += [_extra(name, shape) for name, shape in checkpoint.extra.items()]
    if problems:
        more = f"; and {len(problems) - NAMED} more" if len(problems) > NAMED else ""
        raise UserError(f"{checkpoint.where} does not fit {type(model).__name__}: {'; '.join(problems[:NAMED])}{more}")

    if "pooler" in new_roots and getattr(model, "uses_pooler", True):
        LOG.warning("%s has no pooler: its weights are random until they are trained", checkpoint.where)
    for path, variable in variables.items():
        if path not in new:
            array = arrays[path]
            if not np.isfinite(array).all():
                raise UserError(f"{checkpoint.where}: tensor {arrays.name(path)} has values that are not finite")
            if path == POSITIONS and len(array) < variable.shape[0]:
                array = array[np.arange(variable.shape[0]) % len(array)]
            variable.assign(array)
    return tuple(new)


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
    arrays = arrays_by_path(model) if arrays is None else arrays
    config: BertConfig = model.config.replace(vocabulary_size=len(arrays["embeddings/token/table"]))
    if tokenizer is not None and not fits(tokenizer.vocabulary_size, config.vocabulary_size):
        raise ValueError(
            "`tokenizer` must have the model's vocabulary. "
            f"Received: {tokenizer.vocabulary_size} tokens, vocabulary_size={config.vocabulary_size}"
        )
    if format != "hugging_face":
        vocabulary = None if tokenizer is None else tokenizer.vocabulary
        if format == "google":
            weights.save_google(folder, config.to_dict(), arrays, vocabulary=vocabulary)
        else:
            lowercase = tokenizer is None or tokenizer.lowercase
            weights.save_keras_hub(folder, config.to_dict(), arrays, vocabulary=vocabulary, lowercase=lowercase)
        return
    if not getattr(model, "uses_pooler", True):
        arrays = {path: array for path, array in arrays.items() if _root(path) != "pooler"}
    head = next(
        (name for name in ("classifier", "span", "sentence_score", "masked_lm") if f"{name}/bias" in arrays), None
    )
    dropout = getattr(model, "dropout", config.hidden_dropout)
    beside = [] if tokenizer is None else [tokenizer.save_pretrained]
    beside += [model.save_beside] if hasattr(model, "save_beside") else []
    weights.save_hugging_face(
        folder,
        config.to_dict(),
        arrays,
        head=head,
        architecture=getattr(model, "architecture", None),
        labels=getattr(model, "labels", None),
        problem=getattr(model, "problem", None),
        head_dropout=None if dropout == config.hidden_dropout else dropout,
        settings=getattr(model, "saved_settings", None),
        shard_bytes=shard_bytes,
        beside=lambda work: [write(work) for write in beside],
    )


def arrays_by_path(model: keras.Model) -> dict[str, np.ndarray]:
    """A copy of the model's weights, float32, with fixed positions written out as the table that they are."""
    arrays = {
        path: np.array(keras.ops.convert_to_numpy(variable), np.float32)
        for path, variable in weights_by_path(model).items()
    }
    if model.config.position_kind == "sinusoidal":
        arrays["embeddings/position/table"] = sinusoids(model.config.max_positions, model.config.hidden_dim)
    return arrays


def _config(checkpoint: Checkpoint) -> BertConfig:
    try:
        return BertConfig.from_dict(checkpoint.config)
    except ValueError as error:
        raise UserError(f"{checkpoint.where} has a config that no BERT can have: {error}") from error


def _head_arguments(
    cls: type, checkpoint: Checkpoint, arguments: dict[str, Any], known: Collection[str]
) -> tuple[str, ...]:
    """Fills in what the file says about its head. Returns the heads that the file has but that are to be new."""
    in_file = checkpoint.arrays.shape("classifier/bias")[0] if "classifier/bias" in checkpoint.arrays else None
    if in_file is None and "num_classes" not in arguments:
        raise UserError(
            f"{checkpoint.where} has no classifier's head: `{cls.__name__}` needs `num_classes` for a new one"
        )
    if in_file is not None and arguments.setdefault("num_classes", in_file) != in_file:
        LOG.warning(
            "%s has a head of %d classes, asked for are %d: the head is new",
            checkpoint.where,
            in_file,
            arguments["num_classes"],
        )
        return ("classifier",)
    if in_file is not None:
        if checkpoint.labels is not None and len(checkpoint.labels) != in_file:
            raise UserError(f"{checkpoint.where} names {len(checkpoint.labels)} classes, its head has {in_file}")
        from_file: Mapping[str, Any] = {
            "labels": checkpoint.labels,
            "problem": checkpoint.problem,
            "dropout": checkpoint.head_dropout,
        }
        for name, value in from_file.items():
            if name in known and arguments.get(name) is None:
                arguments[name] = value
    return ()


def _can_repeat(shape: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    """Whether a table of position vectors has the right width and some, but fewer, positions."""
    return len(shape) == len(wanted) == 2 and shape[1] == wanted[1] and 0 < shape[0] < wanted[0]


def _root(path: str) -> str:
    return path.split("/")[0]


def _extra(name: str, shape: tuple[int, ...]) -> str:
    return f"{name} is extra: the model has none, the file has {list(shape)}"
