"""Reads a Hugging Face folder: config.json, weights in one of `FILES` (sharded or not), vocab.txt."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from bert_tf.errors import UserError
from bert_tf.guard import short
from bert_tf.weights.checkpoint import Checkpoint, Tensor, Tensors
from bert_tf.weights.hugging_face.config import architectures, config_from, head_settings, member_of, remarks_on
from bert_tf.weights.hugging_face.labels import class_names
from bert_tf.weights.hugging_face.torch_names import plain_names
from bert_tf.weights.json_file import read_json
from bert_tf.weights.leave import Leave, how_to_ignore
from bert_tf.weights.members import end_of
from bert_tf.weights.places import folder_of, inner_folder
from bert_tf.weights.readers import flax, tf_h5
from bert_tf.weights.readers.pickled import read_pickled
from bert_tf.weights.readers.safe import read_safetensors
from bert_tf.weights.sentence_transformers.cross_encoder import read_scores
from bert_tf.weights.sentence_transformers.modules import read_modules
from bert_tf.weights.tables import blocks_of, read_forwards

CONFIGS = ("config.json", "bert_config.json")  # the second is Google's, with the same keys
ADAPTER = "adapter_config.json"
INDEX = ".index.json"
NAMED = 8  # most tensors that an error names


class WeightsFile(NamedTuple):
    """One kind of file with weights: how it is named, and what reads it into Transformers' PyTorch names."""

    name: str  # as Transformers writes it
    suffixes: tuple[str, ...]  # of a file that is named by the caller
    read: Callable[[Path], dict[str, Tensor]]
    plain: Callable[[str], str] = str  # a name in an index of shards -> the name that `read` gives it


FILES = (
    WeightsFile("model.safetensors", (".safetensors",), read_safetensors),
    WeightsFile("pytorch_model.bin", (".bin", ".pt", ".pth", ".ckpt"), read_pickled),
    WeightsFile("tf_model.h5", (".h5",), tf_h5.read_tf_h5, tf_h5.torch_name),
    WeightsFile("flax_model.msgpack", (".msgpack",), flax.read_flax, flax.torch_name),
)
# Buffers that PyTorch keeps among the weights: 0 to P-1, and P zeros.
POSITIONS, SEGMENTS = "embeddings.position_ids", "embeddings.token_type_ids"


def is_hugging_face(place: Path) -> bool:
    """Whether `place` is a file of weights, or a folder that holds some under a name that Transformers gives them."""
    if place.is_file():
        return _kind_of(place) is not None
    return place.is_dir() and bool(_named_as_usual(inner_folder(place)))


def read_hugging_face(place: Path, leave: Leave | None = None) -> Checkpoint:
    """Reads a folder written by Transformers or by us, or one file of it.

    Args:
        place: the folder, or the file of weights; config.json lies beside it.
        leave: what to leave out although it changes answers.
    Raises: UserError naming the file and what is wrong.
    """
    leave = Leave() if leave is None else leave
    outer = folder_of(place)
    folder = inner_folder(outer) if place.is_dir() else outer
    if folder != outer:
        check_adapter(folder, leave)
    path = next((folder / name for name in CONFIGS if (folder / name).is_file()), folder / CONFIGS[0])
    raw = read_json(path)
    config = config_from(raw, path, leave)
    file, kind, aside = _weights_of(folder if place.is_dir() else place)
    found = _read_shards(file, kind) if file.name.endswith(INDEX) else kind.read(file)
    remarks: list[str] = [*getattr(found, "remarks", ())]
    if aside:
        remarks.append(f"{folder}: reads {file.name} and leaves {', '.join(aside)} aside")
    raw = {key: value for key, value in raw.items() if key not in leave}
    member = member_of(raw, path)
    tensors = plain_names(found, file, leave, member)
    warnings = [*remarks_on(raw, path, member), *_check_buffers(tensors, file)]
    if path.name != CONFIGS[0]:
        warnings.append(f"{folder} holds no {CONFIGS[0]}: {path.name} is read for it")

    architecture = next(iter(architectures(raw)), None)
    end = member.head_in(tensors, end_of(architecture))
    rows = (*member.also_read, *member.rows_of(end))  # of one path the last that is there counts
    arrays, extra = read_forwards(rows, tensors, **blocks_of(config))
    arrays = arrays.with_strays(_parts_of(member.parts_of(end), tensors, extra))
    labels, labels_problem = None, None
    scores: dict[str, Any] = {}
    if "classifier/bias" in arrays and len(arrays.shape("classifier/bias")) == 1:
        labels, labels_problem = class_names(raw, arrays.shape("classifier/bias")[0])
        scores = read_scores(outer, raw, leave, arrays.shape("classifier/bias")[0])
    settings = raw.get("bert_tf") or {}
    if not isinstance(settings, dict):
        raise UserError(f"{path}: `bert_tf` must be an object. Received: {short(settings)}")
    modules = read_modules(outer, folder, leave)
    warnings += modules.warnings
    head = head_settings(raw, path, member)
    head["problem"] = head["problem"] or scores.pop("problem", None)
    return Checkpoint(
        where=place,
        format="hugging_face",
        config=config,
        arrays=arrays.with_tensors(modules.tensors),
        extra=extra,
        architecture=architecture,
        labels=labels,
        labels_problem=None if labels_problem is None else f"{path}: {labels_problem}",
        **head,
        settings={**settings, **scores, **modules.settings},
        vocabulary=vocabulary_of(folder),
        warnings=tuple(warnings),
        remarks=tuple(remarks),
    )


def vocabulary_of(folder: Path) -> Path | None:
    """vocab.txt, or tokenizer.json, which Transformers 5 writes instead."""
    files = (folder / "vocab.txt", folder / "tokenizer.json")
    return next((file for file in files if file.is_file()), None)


def check_adapter(folder: Path, leave: Leave) -> None:
    """Raises: UserError for a folder with an adapter (LoRA, ...), without which the model's answers are others."""
    if (folder / ADAPTER).is_file() and ADAPTER not in leave:
        raise UserError(
            f"{folder} holds an adapter (adapter_config.json, of PEFT or adapters), which is not added to a model "
            f"here: merge it into its model first and save that (PEFT: merge_and_unload); {how_to_ignore(ADAPTER)}"
        )


def _parts_of(parts: Mapping[str, str], tensors: dict[str, Tensor], extra: Collection[str]) -> dict[str, str]:
    """Names in the file that no row knows and that lie within a part of the model -> that part."""
    found = {}
    for name, tensor in tensors.items():
        part = next((part for start, part in parts.items() if name.startswith(start)), None)
        if tensor.name in extra and part is not None:
            found[tensor.name] = part
    return found


def _named_as_usual(folder: Path) -> list[tuple[WeightsFile, str]]:
    """The files (or indices of shards) under the names that Transformers gives them, the first to be read first."""
    names = [(file, name) for file in FILES for name in (file.name, f"{file.name}{INDEX}")]
    return [(file, name) for file, name in names if (folder / name).is_file()]


def _kind_of(path: Path) -> WeightsFile | None:
    """What reads a file of that name."""
    suffix = Path(path.name.removesuffix(INDEX)).suffix
    return next((file for file in FILES if suffix in file.suffixes), None)


def _weights_of(place: Path) -> tuple[Path, WeightsFile, list[str]]:
    """The file to read, what reads it, and others that could have been read."""
    if not place.is_dir():
        kind = _kind_of(place)
        if kind is None:
            known = ", ".join(suffix for file in FILES for suffix in file.suffixes)
            raise UserError(f"{place} is no file of weights by its name: expected one that ends in {known}")
        return place, kind, []
    found = _named_as_usual(place)
    if not found:
        names = ", ".join(file.name for file in FILES)
        raise UserError(f"{place} holds no weights: none of {names} (or its {INDEX})")
    (kind, name), *others = found
    return place / name, kind, [other for _, other in others]


def _check_buffers(tensors: dict[str, Tensor], file: Path) -> list[str]:
    """Takes PyTorch's buffers out of `tensors`. Returns a warning where one is not what it always is."""
    warnings = []
    for name, expected in ((POSITIONS, np.arange), (SEGMENTS, np.zeros)):
        tensor = tensors.pop(name, None)
        if tensor is not None and not np.array_equal(tensor.read().ravel(), expected(tensor.read().size)):
            warnings.append(f"{file}: the buffer {tensor.name} is not the usual one; it is not used")
    return warnings


def _read_shards(index: Path, file: WeightsFile) -> Tensors:
    places = read_json(index).get("weight_map")
    if not isinstance(places, dict) or not all(isinstance(shard, str) for shard in places.values()):
        raise UserError(f"{index} has no `weight_map` of tensor names to files")
    tensors, remarks = {}, []
    for shard in sorted(set(places.values())):
        if Path(shard).name != shard:
            raise UserError(f"{index}: the shard {short(shard)} must lie in the same folder")
        if not (index.parent / shard).is_file():
            raise UserError(f"{index} names the shard {shard}, which is not there")
        found = file.read(index.parent / shard)
        tensors.update(found)
        remarks += getattr(found, "remarks", ())
    absent = sorted(name for name in places if file.plain(name) not in tensors)
    if absent:
        raise UserError(
            f"{index} names tensors that are in no shard: {', '.join(name[:100] for name in absent[:NAMED])}"
        )
    return Tensors(tensors, remarks)
