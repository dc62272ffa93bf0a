"""Models from files: `from_pretrained` of every model."""

from __future__ import annotations

import logging
import os
from collections.abc import Collection, Mapping
from functools import partial
from typing import Any, TypeVar

import keras
import numpy as np

from bert_tf import weights
from bert_tf.errors import UserError
from bert_tf.layers.embeddings import sinusoids
from bert_tf.models.backbones.config import BertConfig
from bert_tf.models.backbones.sizes import check_meant, is_size, size_config
from bert_tf.models.heads import head_of
from bert_tf.models.pretrained.arguments import FIELDS, check_known, given, own_arguments
from bert_tf.models.pretrained.fitting import CHOICES, POSITIONS, fit
from bert_tf.models.pretrained.paths import weights_by_path
from bert_tf.models.pretrained.unset import Unset, unset_weights
from bert_tf.weights.checkpoint import Checkpoint
from bert_tf.weights.leave import how_to_ignore
from bert_tf.weights.members import end_of
from bert_tf.weights.members.member import HEADS
from bert_tf.weights.places import folder_of
from bert_tf.weights.refused import accepted
from bert_tf.weights.vocabulary_check import check_vocabulary

LOG = logging.getLogger(__name__)

Model = TypeVar("Model", bound=keras.Model)


def load_model(
    cls: type[Model],
    where: str | os.PathLike[str],
    *,
    new_weights: str = "warn",
    extra_weights: str = "warn",
    ignore: Collection[str] = (),
    preprocessor: Any = None,
    **overrides: Any,
) -> Model:
    """A model of class `cls` with the weights at `where`.

    Args:
        cls: a model class whose first argument is a BertConfig.
        where: a place as `bert_tf.weights.resolve` takes it, or a size (`tiny` ... `large`) for random weights.
        new_weights: what to do about a head (or pooler) that the file lacks: "warn" makes it new, a truncated normal of
            `initializer_range`, and names it in a warning; "forbid" is an error.
        extra_weights: what to do about tensors that the model has no place for and that lie outside of its parts, such
            as other heads or what a training kept: "warn" names them, "forbid" is an error. Within its parts, where
            they would change what the model computes, they are an error in any case.
        ignore: facts of the files to leave out although answers may change: keys of config.json, names or patterns
            (`*`) of tensors, or adapter_config.json.
        preprocessor: what the model makes inputs of strings with, or None.
        overrides: fields of BertConfig, and arguments of `cls`, instead of the checkpoint's. More `max_positions` than
            the checkpoint's repeat its position vectors; fewer `num_layers` take the first blocks, and where layers
            share theirs, there may be more. With `num_classes` (or `labels`) a head that is of another kind or number
            of classes in the file is made new.
    Returns: the model.
    Raises: UserError naming the file, or each tensor that is missing, extra or of the wrong shape with both shapes;
        ValueError for an override that is unknown or wrong.
    """
    for name, choice in (("new_weights", new_weights), ("extra_weights", extra_weights)):
        if choice not in CHOICES:
            raise ValueError(f"`{name}` must be one of {', '.join(CHOICES)}. Received: {name}={choice!r}")
    check_known(cls, overrides)
    overrides, known = given(cls, overrides), own_arguments(cls).keys()
    changes = {name: value for name, value in overrides.items() if name in FIELDS}
    arguments = {name: value for name, value in overrides.items() if name not in FIELDS}
    if "num_classes" in known and arguments.get("labels") is not None:
        arguments.setdefault("num_classes", len(arguments["labels"]))
    check_meant(where, own_words="vocabulary_size" in changes)
    if is_size(where):
        if new_weights == "forbid":
            raise UserError(f"`{where}` is a size, whose weights are all new: `new_weights`=forbid does not allow that")
        LOG.warning("`%s` is a size: the model has random weights", where)
        model = cls(size_config(str(where), **changes), **arguments)
        model.preprocessor = preprocessor
        return model

    checkpoint = weights.load(where, ignore=ignore)
    check_vocabulary(checkpoint)
    config = _config(checkpoint)
    arguments = accepted({name: value for name, value in checkpoint.settings.items() if name in known} | arguments)
    own = head_of(cls)
    if "dropout" in known and arguments.get("dropout") is None and own is not None and own.end in checkpoint.dropouts:
        arguments["dropout"] = checkpoint.dropouts[own.end]
    new_heads: dict[str, str] = {}
    if "num_classes" in known or (own is not None and "classifier" in own.parts):
        new_heads = _head_arguments(cls, checkpoint, arguments, known)
    with unset_weights() as unset:
        model = unset.make(cls, _changed(config, changes), **arguments)
        model.preprocessor = preprocessor
        for remark in checkpoint.remarks:
            LOG.info("%s", remark)
        for warning in checkpoint.warnings:
            LOG.warning("%s", warning)
        model.not_loaded = _give_weights(unset, model, checkpoint, new_heads, new_weights, extra_weights)
    for name, part in getattr(model, "parts_beside", {}).items():
        model.not_loaded += _give_part(model, name, part, where, ignore, new_weights)
    return model


def config_of(where: str | os.PathLike[str], *, ignore: Collection[str] = ()) -> BertConfig:
    """The shape of the model at `where`, a place or a size, without reading its weights."""
    if is_size(where):
        return size_config(str(where))
    return _config(weights.load(where, ignore=ignore))


def load_into(
    model: keras.Model,
    checkpoint: Checkpoint,
    *,
    new_heads: Mapping[str, str] | None = None,
    new_weights: str = "warn",
    extra_weights: str = "warn",
) -> tuple[str, ...]:
    """Assigns a checkpoint's arrays to a model's weights, after all names and shapes are found right.

    Args:
        model: a backbone, or a model with a backbone and a head.
        checkpoint: what `bert_tf.weights.load` gives.
        new_heads: heads to leave as they are although the file has them, each with why.
        new_weights, extra_weights: as `load_model` takes them.
    Returns: paths of the weights that the file lacks and that stay as they were: a whole head, or the pooler.
    Raises: UserError naming each tensor that is missing, extra or of the wrong shape with both shapes.
    """
    with unset_weights() as unset:
        return _give_weights(unset, model, checkpoint, new_heads or {}, new_weights, extra_weights)


def _give_weights(
    unset: Unset,
    model: keras.Model,
    checkpoint: Checkpoint,
    new_heads: Mapping[str, str],
    new_weights: str,
    extra_weights: str,
) -> tuple[str, ...]:
    beside = tuple(f"{name}/" for name in getattr(model, "parts_beside", {}))
    variables = {path: weight for path, weight in weights_by_path(model).items() if not path.startswith(beside)}
    fitted = fit(model, variables, checkpoint, new_heads, new_weights, extra_weights)
    for path, source in fitted.sources.items():
        unset.give(variables[path], partial(_read, checkpoint, path, source, variables[path].shape))
    return fitted.new


def _give_part(
    model: Any, name: str, part: Any, where: str | os.PathLike[str], ignore: Collection[str], new_weights: str
) -> tuple[str, ...]:
    """Reads what lies beside a model's files, a model within it, if it is there. Returns: as `load_into`.

    Raises: UserError where what both have in common is not alike in their files.
    """
    folder = folder_of(weights.resolve(where)) / name
    own = tuple(path for path in weights_by_path(model) if path.startswith(f"{name}/"))
    if not (folder / "config.json").is_file():
        if new_weights == "forbid":
            raise UserError(f"{folder} is not there: `new_weights`=forbid (model.new_weights) does not allow new ones")
        LOG.warning("%s is not there: the weights of the %s are random until they are trained", folder, name)
        return own
    shared = {path: value for path, value in weights_by_path(part).items() if f"{name}/{path}" not in own}
    before = {path: keras.ops.convert_to_numpy(value).copy() for path, value in shared.items()}
    new = load_into(part, weights.load(folder, ignore=ignore), new_weights=new_weights)
    differ = [path for path, value in shared.items() if not np.array_equal(value, before[path])]
    if differ:
        raise UserError(f"{folder}: expected the vectors of {where}, which both share. Received: other {differ[0]}")
    return tuple(f"{name}/{path}" for path in new)


def _read(checkpoint: Checkpoint, path: str, source: str, shape: tuple[int, ...]) -> np.ndarray:
    """The array for a weight of this shape."""
    array = checkpoint.arrays[source]
    _check_numbers(array, checkpoint, source)
    if path == POSITIONS and len(array) < shape[0]:
        first = checkpoint.config.get("first_position", 0)
        array = array[[*range(first), *(first + np.arange(shape[0] - first) % (len(array) - first))]]
    return array


def _check_numbers(array: np.ndarray, checkpoint: Checkpoint, path: str) -> None:
    name = checkpoint.arrays.name(path)
    if array.dtype.kind != "f":
        raise UserError(
            f"{checkpoint.where}: tensor {name} is of integers ({array.dtype}), as quantised weights are, which are "
            "not read: use the model from before its quantisation"
        )
    if not np.isfinite(array).all():
        raise UserError(f"{checkpoint.where}: tensor {name} has values that are not finite")


def _config(checkpoint: Checkpoint) -> BertConfig:
    try:
        config = BertConfig.from_dict(checkpoint.config)
    except ValueError as error:
        raise UserError(f"{checkpoint.where} has a config that no BERT can have: {error}") from error
    if config.position_kind == "sinusoidal" and POSITIONS in checkpoint.arrays:
        table = checkpoint.arrays[POSITIONS]
        fixed = sinusoids(config.max_positions, config.table_dim)
        if table.shape != fixed.shape or not np.allclose(table, fixed, rtol=0, atol=1e-6):
            LOG.warning(
                "%s: `%s`: its position vectors are not the sinusoids; they are read as learned ones",
                checkpoint.where,
                config.member.key_of("position_kind"),
            )
            return config.replace(position_kind="learned")
    return config


def _changed(config: BertConfig, changes: Mapping[str, Any]) -> BertConfig:
    """The config with what the caller wants otherwise. Raises: ValueError where layers would run other blocks."""
    found = config.replace(**changes)
    before, after = config.block_order, found.block_order
    together = min(len(before), len(after))
    if config.layer_groups and before[:together] != after[:together]:
        raise ValueError(
            "`num_layers`, `layer_groups` and `blocks_per_layer` must leave each layer its blocks. Received: "
            f"blocks {list(after)[:30]}, of the file {list(before)[:30]}"
        )
    return found


def _head_arguments(
    cls: Any, checkpoint: Checkpoint, arguments: dict[str, Any], known: Collection[str]
) -> dict[str, str]:
    """Fills in what the file says about its head. Returns the heads that the file has but that are to be new: why."""
    in_file = checkpoint.arrays.shape("classifier/bias")[0] if "classifier/bias" in checkpoint.arrays else None
    is_open = "num_classes" in known and "num_classes" not in arguments
    if in_file is None:
        if is_open:
            raise UserError(
                f"{checkpoint.where} has no classifier's head: `{cls.__name__}` needs `num_classes` for a new one"
            )
        return {}
    own, end = head_of(cls), end_of(checkpoint.architecture)
    if own is not None and end != own.end and HEADS.get(end or "") == own.parts:  # named alike, and not the same
        if is_open:
            raise UserError(
                f"{checkpoint.where} has the head of a {checkpoint.architecture} (`architectures` of its config.json), "
                f"which is not that of a {cls.__name__}: give `num_classes` for a new one; "
                f"{how_to_ignore('architectures')}"
            )
        return {"classifier": f"the file's head is a {checkpoint.architecture}'s"}
    if "num_classes" in known and arguments.setdefault("num_classes", in_file) != in_file:
        return {"classifier": f"the file's head has {in_file} classes, `num_classes` is {arguments['num_classes']}"}
    if "labels" in known and arguments.get("labels") is None:
        arguments["labels"] = checkpoint.labels
        if checkpoint.labels_problem is not None:
            names = checkpoint.labels or [f"LABEL_{i}" for i in range(in_file)]
            LOG.warning("%s; the classes are %s", checkpoint.labels_problem, ", ".join(names))
    for name, value in (("problem", checkpoint.problem), ("dropout", checkpoint.head_dropout)):
        if name in known and arguments.get(name) is None:
            arguments[name] = value
    return {}
