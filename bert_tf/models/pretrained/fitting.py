"""Which tensor of a checkpoint goes to which weight of a model, and what is left over on either side."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import keras
import numpy as np

from bert_tf.errors import UserError
from bert_tf.weights.checkpoint import Checkpoint
from bert_tf.weights.leave import how_to_ignore
from bert_tf.weights.tables import blocks_of

CHOICES = ("warn", "forbid")
POSITIONS = "embeddings/position/table"
BACKBONE = re.compile(r"embeddings|relative_bias|relative_vectors|block_\d+|final_norm|pooler")
# Ours, and others' names of them.
BLOCK = re.compile(r"(?:^block_|^layers\.|\b\w+[./]layers?[._]|_layer_groups[._])(\d+)[./]")
# Copies that a tied head has in a file -> what they are copies of. Where the file has a copy alone, it is that.
COPIES = {"masked_lm/decoder/table": "embeddings/token/table", "masked_lm/decoder/bias": "masked_lm/bias"}
# The field that says how large a table is, for errors.
SIZED_BY = {
    "embeddings/token/table": "vocabulary_size",
    "embeddings/segment/table": "num_segments",
    POSITIONS: "max_positions",
}
NAMED, FEW = 20, 4  # most tensors that one message names, and most of a kind
SEPARATOR = re.compile(r"[./]")
EXTRA = "; what is extra can be left out by its name or a pattern (`*`): `ignore`, or --set model.ignore"
LOG = logging.getLogger(__name__)


class Fitted(NamedTuple):
    """What `fit` finds."""

    sources: dict[str, str]  # path of a weight -> path of the array that it gets
    new: tuple[str, ...]  # paths of the weights that get none


def fit(
    model: keras.Model,
    variables: Mapping[str, Any],
    checkpoint: Checkpoint,
    new_heads: Mapping[str, str],
    new_weights: str,
    extra_weights: str,
) -> Fitted:
    """Holds a model's weights against a checkpoint's arrays, by name and shape; says what is new and what is not used.

    Args: as those of `load_into`; `variables` are the model's weights by path.
    Raises: UserError naming each tensor that is missing, extra or of the wrong shape with both shapes.
    """
    arrays = checkpoint.arrays
    roots = {_root(path) for path in variables}
    may_be_new = {root for root in roots if root == "pooler" or not BACKBONE.fullmatch(root)}
    in_file = {_root(path) for path in arrays if path not in COPIES}
    new_roots = {root for root in may_be_new if root in new_heads or root not in in_file}

    sources: dict[str, str] = {}
    problems: list[str] = []
    new: list[str] = []
    for path, variable in variables.items():
        wanted = tuple(variable.shape)
        source = next((copy for copy in (path, *_copies_of(path)) if copy in arrays), None)
        if _root(path) in new_roots:
            new.append(path)
        elif source is None:
            problems.append(f"{path} is missing: the model needs {list(wanted)}, the file has none")
        elif arrays.shape(source) != wanted and not (path == POSITIONS and _may_repeat(model, checkpoint, wanted)):
            why = f" ({_stated_by(model, SIZED_BY[path])})" if path in SIZED_BY else ""
            problems.append(
                f"{path} ({arrays.name(source)}) has the wrong shape: the model needs {list(wanted)}{why}, "
                f"the file has {list(arrays.shape(source))}"
            )
        else:
            sources[path] = source

    used = {arrays.name(source) for source in sources.values()}
    aside: list[str] = []
    for path in arrays:
        if path not in COPIES and path not in sources.values() and arrays.name(path) in used:
            continue  # which stands for more than one part
        known = path in variables and _root(path) not in new_roots  # right, or said to be wrong above
        if known or path in sources.values() or (path == POSITIONS and model.config.position_kind != "learned"):
            continue
        if path in COPIES and COPIES[path] in sources and _root(path) in roots - new_roots:
            problems += _differs(checkpoint, path)
        elif extra_weights == "forbid" or _is_part(path, model, roots - new_roots, checkpoint):
            problems.append(_extra(arrays.name(path), arrays.shape(path)))
        else:
            aside += [arrays.name(path)] if arrays.name(path) not in aside else []
    strict = (roots - new_roots - (set() if getattr(model, "uses_pooler", True) else {"pooler"})) | {"backbone"}
    for name, shape in checkpoint.extra.items():
        if extra_weights == "forbid" or arrays.strays.get(name) in strict:
            problems.append(_extra(name, shape))
        else:
            aside.append(name)
    if problems:
        more = f"; and {len(problems) - NAMED} more" if len(problems) > NAMED else ""
        more += EXTRA if any(" is extra: " in problem for problem in problems) else ""
        problems = _on_blocks(model, checkpoint) + problems[:NAMED]
        raise UserError(f"{checkpoint.where} does not fit {type(model).__name__}: {'; '.join(problems)}{more}")

    if aside:
        LOG.warning(
            "%s: not loaded, since %s has no place for them: %s", checkpoint.where, type(model).__name__, _some(aside)
        )
    _say_what_is_new(model, checkpoint, new, new_heads, new_weights)
    return Fitted(sources, tuple(new))


def _say_what_is_new(
    model: keras.Model, checkpoint: Checkpoint, new: list[str], new_heads: Mapping[str, str], new_weights: str
) -> None:
    """One warning that names every weight which stays random and has a part in the outputs; or an error."""
    counted = [path for path in new if _root(path) != "pooler" or getattr(model, "uses_pooler", True)]
    if not counted:
        return
    why = "".join(f"; {reason}" for reason in new_heads.values())
    text = f"{checkpoint.where} has no weights for {', '.join(counted)}"
    if new_weights == "forbid":
        raise UserError(f"{text}{why}: `new_weights`=forbid (model.new_weights) does not allow new ones")
    LOG.warning("%s: they are random until they are trained%s", text, why)


def _is_part(path: str, model: keras.Model, used: set[str], checkpoint: Checkpoint) -> bool:
    """Whether an array belongs to a part that the model has, and is more than that part's."""
    root = _root(path)
    if root.startswith("block_"):  # fewer blocks may be asked for; a config.json that says fewer is wrong
        return blocks_of(checkpoint.config)["num_blocks"] <= model.config.num_blocks
    return root in used


def _stated_by(model: keras.Model, field: str) -> str:
    return f"`{field}`, {model.config.member.key_of(field)} in config.json"


def _on_blocks(model: keras.Model, checkpoint: Checkpoint) -> list[str]:
    """What is wrong where the file has more or fewer blocks than its config says: all their tensors are."""
    stated = blocks_of(checkpoint.config)["num_blocks"]
    names = [*checkpoint.arrays, *checkpoint.extra]
    found = len({match[1] for name in names if (match := BLOCK.search(name))})
    if found == stated:
        return []
    field = "layer_groups" if checkpoint.config.get("layer_groups") else "num_layers"
    key = model.config.member.key_of(field)
    return [f"`{field}` ({key} in config.json) is {checkpoint.config[field]}, the file has {found} blocks"]


def _differs(checkpoint: Checkpoint, copy: str) -> list[str]:
    """What is wrong where a tied head's copy holds other numbers than what it is tied to."""
    original, name = COPIES[copy], checkpoint.arrays.name(copy)
    if np.array_equal(checkpoint.arrays[copy], checkpoint.arrays[original]):
        return []
    return [
        f"{name} differs from {checkpoint.arrays.name(original)}: heads that are not tied (`tie_word_embeddings`: "
        f"false) are not supported; {how_to_ignore(name)}"
    ]


def _copies_of(path: str) -> list[str]:
    return [copy for copy, original in COPIES.items() if original == path]


def _may_repeat(model: keras.Model, checkpoint: Checkpoint, wanted: tuple[int, ...]) -> bool:
    """Whether a table of position vectors is as the file's config says, and the caller asks for more of them."""
    asked, stated = model.config.max_positions, checkpoint.config["max_positions"]
    first = model.config.first_position
    return asked > stated and checkpoint.arrays.shape(POSITIONS) == (stated + first, *wanted[1:])


def _root(path: str) -> str:
    return path.split("/")[0]


def _extra(name: str, shape: tuple[int, ...]) -> str:
    return f"{name} is extra: the model has none, the file has {list(shape)}"


def _some(names: list[str]) -> str:
    """Names for a message: a few of a kind each, many of a kind by what they begin with and how many they are."""
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(SEPARATOR.split(name)[0], []).append(name)
    parts = [part for group in groups.values() for part in _shortened(group, 0)]
    more = f" and {len(parts) - NAMED} more" if len(parts) > NAMED else ""
    return ", ".join(parts[:NAMED]) + more


def _shortened(names: list[str], start: int) -> list[str]:
    if len(names) <= FEW:
        return names
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(SEPARATOR.split(name[start:])[0], []).append(name)
    if len(groups) > FEW:
        return [f"{names[0][:start]}* ({len(names)})"]
    return [part for first, group in groups.items() for part in _shortened(group, start + len(first) + 1)]
