"""Writes a Hugging Face folder that Transformers loads, heads included."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bert_tf.weights.files import write_json, written_folder
from bert_tf.weights.members import BERT, MEMBERS, Member, end_of
from bert_tf.weights.members.member import HEADS, PROBLEMS
from bert_tf.weights.sentence_transformers.tables import TORCH
from bert_tf.weights.tables import blocks_of, read_backwards

STALE = ("model.safetensors", "model.safetensors.index.json", "model-*-of-*.safetensors", "pytorch_model*.bin*",
         "tokenizer.json", "added_tokens.json")  # fmt: skip


def save_hugging_face(
    folder: str | os.PathLike[str],
    config: Mapping[str, Any],
    arrays: Mapping[str, np.ndarray],
    *,
    head: str | None = None,
    architecture: str | None = None,
    labels: Sequence[str] | None = None,
    problem: str | None = None,
    head_dropout: float | None = None,
    settings: Mapping[str, Any] | None = None,
    shard_bytes: int | None = None,
    beside: Callable[[Path], object] | None = None,
) -> None:
    """Writes config.json and model.safetensors; nothing half-written is ever seen under the final names.

    Args:
        folder: where; an existing folder keeps its other files.
        config: BertConfig's fields.
        arrays: our paths -> arrays.
        head: the part that the head's weights lie in, such as `classifier`; None for a bare backbone.
        architecture: the class of Transformers that the folder is for; None: the first of those with that head.
        labels: names of the classes; LABEL_0 and so on without them, as Transformers does.
        problem: `single_label`, `multi_label` or `regression`.
        head_dropout: dropout before the head, where it is not what the format takes it to be.
        settings: arguments of our model that Transformers has no name for; in config.json under "bert_tf".
        shard_bytes: most bytes a file; None writes one file. One tensor is never split.
        beside: writes further files (the tokenizer's) into the folder it is given, before it gets its final name.
    Raises: ValueError for a head, problem or path that is not known; UserError if the folder cannot be written.
    """
    from safetensors.numpy import save_file

    ends = {parts[0] if parts else None: end for end, parts in reversed(HEADS.items())}
    if head not in ends:
        raise ValueError(f"`head` must be one of {list(ends)}. Received: {head}")
    member = MEMBERS[config.get("model_type", BERT.model_type)]
    architecture = architecture or member.architecture(ends[head])
    raw = {"architectures": [architecture], "model_type": member.model_type, **to_hugging_face_config(config, member)}
    raw |= {"dtype": "float32", "torch_dtype": "float32"}  # the second for Transformers before 4.56
    settings = dict(settings or {})
    if (score := settings.pop("score_activation", None)) is not None:
        raw |= {"sentence_transformers": {"activation_fn": TORCH[score]}}  # as CrossEncoder keeps it
    raw |= {"bert_tf": settings} if settings else {}
    if head == "classifier":
        raw |= _head_config(arrays[f"{head}/bias"].shape[0], labels, problem)
    end = end_of(architecture)
    own = member.dropout_of(end or "")
    for row in member.dropouts:
        if row == own or row.default is not None:
            raw[row.key] = row.default if head_dropout is None or row != own else head_dropout
    theirs = read_backwards(member.rows_of(end), arrays, num_heads=config["num_heads"], **blocks_of(config))
    if head is not None:
        inside = member.backbone
        theirs = {f"{member.base}{name}" if name.startswith(inside) else name: array for name, array in theirs.items()}
    shards = _shards(theirs, shard_bytes)
    with written_folder(folder, STALE) as work:
        for file_name, names in shards.items():
            save_file({name: theirs[name] for name in names}, work / file_name, metadata={"format": "pt"})
        if len(shards) > 1:
            total = sum(array.nbytes for array in theirs.values())
            places = {name: file_name for file_name, names in shards.items() for name in names}
            index = {"metadata": {"total_size": total}, "weight_map": dict(sorted(places.items()))}
            write_json(work / "model.safetensors.index.json", index)
        write_json(work / "config.json", raw)
        if beside is not None:
            beside(work)


def to_hugging_face_config(config: Mapping[str, Any], member: Member = BERT) -> dict[str, Any]:
    """BertConfig's fields -> their keys; what they have no key for is written under our name where it matters."""
    raw = {used.key: used.theirs(config[field], config) for field, used in member.used.items() if field in config}
    unusual = {field: used for field, (used, usual) in member.optional.items() if config.get(field, usual) != usual}
    raw |= {key: value(config) if callable(value) else value for key, value in member.written.items()}
    return raw | {used.key: used.theirs(config[field], config) for field, used in unusual.items()}


def _head_config(num_classes: int, labels: Sequence[str] | None, problem: str | None) -> dict[str, Any]:
    names = [f"LABEL_{i}" for i in range(num_classes)] if labels is None else list(labels)
    if len(names) != num_classes:
        raise ValueError(f"`labels` must name {num_classes} classes. Received: labels={names}")
    theirs = {ours: their for their, ours in PROBLEMS.items()}
    if problem is not None and problem not in theirs:
        raise ValueError(f"`problem` must be one of {', '.join(theirs)}. Received: {problem}")
    return {
        "id2label": {str(i): name for i, name in enumerate(names)},
        "label2id": {name: i for i, name in enumerate(names)},
        "problem_type": None if problem is None else theirs[problem],
    }


def _shards(arrays: Mapping[str, np.ndarray], shard_bytes: int | None) -> dict[str, list[str]]:
    """File name -> names of its tensors, in order, each file as full as it may be."""
    groups: list[list[str]] = []
    room = 0
    for name, array in arrays.items():
        if not groups or (shard_bytes is not None and array.nbytes > room):
            groups.append([])
            room = shard_bytes or 0
        groups[-1].append(name)
        room -= array.nbytes
    if len(groups) == 1:
        return {"model.safetensors": groups[0]}
    return {f"model-{i:05d}-of-{len(groups):05d}.safetensors": names for i, names in enumerate(groups, 1)}
