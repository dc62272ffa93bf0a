"""Reads a Hugging Face folder: config.json, weights in one of `FILES` (sharded or not), vocab.txt."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from bert_tf.errors import UserError
from bert_tf.weights.checkpoint import Checkpoint, Tensor
from bert_tf.weights.pickled import read_pickled
from bert_tf.weights.readers import flax, tf_h5
from bert_tf.weights.safe import read_safetensors
from bert_tf.weights.sentence_transformers import read_modules
from bert_tf.weights.tables import HUGGING_FACE, read_forwards

# BertConfig's field -> (their key, their default; None where the key must be there)
CONFIG_KEYS = {
    "vocabulary_size": ("vocab_size", None),
    "hidden_dim": ("hidden_size", None),
    "num_layers": ("num_hidden_layers", None),
    "num_heads": ("num_attention_heads", None),
    "intermediate_dim": ("intermediate_size", None),
    "max_positions": ("max_position_embeddings", 512),
    "num_segments": ("type_vocab_size", 2),
    "hidden_dropout": ("hidden_dropout_prob", 0.1),
    "attention_dropout": ("attention_probs_dropout_prob", 0.1),
    "layer_norm_epsilon": ("layer_norm_eps", 1e-12),
    "activation": ("hidden_act", "gelu"),
    "initializer_range": ("initializer_range", 0.02),
    "pad_token_id": ("pad_token_id", 0),
}
ACTIVATIONS = {"gelu_new": "gelu_tanh", "gelu_pytorch_tanh": "gelu_tanh", "gelu_python": "gelu"}
PROBLEMS = {
    "single_label_classification": "single_label",
    "multi_label_classification": "multi_label",
    "regression": "regression",
}


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
LOG = logging.getLogger(__name__)
# Buffers and copies: positions 0 to P-1, and the masked-LM decoder, which is the token table again.
IGNORED = re.compile(r"embeddings\.position_ids|embeddings\.token_type_ids")
TIED = re.compile(r"cls\.predictions\.decoder\.(weight|bias)")


def is_hugging_face(folder: Path) -> bool:
    """Whether `folder` holds weights under a name that Transformers gives them."""
    return any((folder / f"{file.name}{end}").is_file() for file in FILES for end in ("", ".index.json"))


def read_hugging_face(folder: Path) -> Checkpoint:
    """Reads a folder written by Transformers or by us. Raises: UserError naming the file and what is wrong."""
    raw = read_json(folder / "config.json")
    kind = raw.get("model_type", "bert")
    if kind != "bert":
        raise UserError(f"{folder / 'config.json'}: `model_type` must be bert. Received: {kind}")
    positions = raw.get("position_embedding_type", "absolute")
    if positions != "absolute":
        raise UserError(f"{folder / 'config.json'}: `position_embedding_type` must be absolute. Received: {positions}")
    config = config_from(raw, folder / "config.json")
    if "position_kind" in raw:  # ours: Transformers knows learned positions only, and gets the table
        config["position_kind"] = raw["position_kind"]
    tied = raw.get("tie_word_embeddings", True)
    tensors = {}
    for name, tensor in read_tensors(folder).items():
        plain = plain_name(name)
        if IGNORED.fullmatch(plain) or (tied and TIED.fullmatch(plain)):
            continue
        if plain in tensors:
            raise UserError(f"{folder} holds the same tensor under two names: {tensors[plain].name} and {name}")
        tensors[plain] = tensor
    arrays, extra = read_forwards(HUGGING_FACE, tensors, config["num_layers"])
    return Checkpoint(
        where=folder,
        format="hugging_face",
        config=config,
        arrays=arrays,
        extra=extra,
        labels=_labels(raw, folder / "config.json"),
        problem=PROBLEMS.get(raw.get("problem_type") or ""),
        head_dropout=raw.get("classifier_dropout"),
        settings={**(raw.get("bert_tf") or {}), **read_modules(folder)},
        vocabulary=vocabulary_of(folder),
        lowercase=_lowercase(folder),
    )


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object. Raises: UserError naming the file."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path.parent} holds no {path.name}, which describes the model") from None
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:  # not UTF-8, or not JSON
        raise UserError(f"{path} is no JSON: {error}") from error
    if not isinstance(value, dict):
        raise UserError(f"{path} must hold a JSON object. Received: {type(value).__name__}")
    return value


def config_from(raw: dict[str, Any], path: Path) -> dict[str, Any]:
    """Their config.json or bert_config.json -> BertConfig's fields."""
    missing = [key for key, default in CONFIG_KEYS.values() if default is None and raw.get(key) is None]
    if missing:
        raise UserError(f"{path} lacks {', '.join(missing)}")
    config = {}
    for field, (key, default) in CONFIG_KEYS.items():
        value = raw.get(key)
        config[field] = default if value is None else value
    config["activation"] = ACTIVATIONS.get(config["activation"], config["activation"])
    return config


def vocabulary_of(folder: Path) -> Path | None:
    """vocab.txt, or tokenizer.json, which Transformers 5 writes instead."""
    files = (folder / "vocab.txt", folder / "tokenizer.json")
    return next((file for file in files if file.is_file()), None)


def read_tensors(folder: Path) -> dict[str, Tensor]:
    """Every tensor of the folder's weights, by its name there; of several files the first of `FILES`, and says so."""
    found = [(file, name) for file in FILES for name in (file.name, f"{file.name}.index.json")]
    found = [(file, name) for file, name in found if (folder / name).is_file()]
    if not found:
        names = ", ".join(file.name for file in FILES)
        raise UserError(f"{folder} holds no weights: none of {names} (or its .index.json)")
    (file, name), *others = found
    if others:
        LOG.info("%s: reads %s and leaves %s aside", folder, name, ", ".join(other for _, other in others))
    return file.read(folder / name) if name == file.name else _read_shards(folder / name, file)


def plain_name(name: str) -> str:
    """One name for the ways to write it: with `module.` and `bert.` in front or not, gamma and beta for layer norms."""
    name = name.removeprefix("module.").removeprefix("bert.")
    for old, new in (("LayerNorm.gamma", "LayerNorm.weight"), ("LayerNorm.beta", "LayerNorm.bias")):
        if name.endswith(old):
            return name.removesuffix(old) + new
    return name


def _read_shards(index: Path, file: WeightsFile) -> dict[str, Tensor]:
    places = read_json(index).get("weight_map")
    if not isinstance(places, dict) or not all(isinstance(shard, str) for shard in places.values()):
        raise UserError(f"{index} has no `weight_map` of tensor names to files")
    tensors = {}
    for shard in sorted(set(places.values())):
        if Path(shard).name != shard:
            raise UserError(f"{index}: the shard {shard!r} must lie in the same folder")
        if not (index.parent / shard).is_file():
            raise UserError(f"{index} names the shard {shard}, which is not there")
        tensors.update(file.read(index.parent / shard))
    absent = sorted(name for name in places if file.plain(name) not in tensors)
    if absent:
        raise UserError(f"{index} names tensors that are in no shard: {', '.join(absent)}")
    return tensors


def _labels(raw: dict[str, Any], path: Path) -> tuple[str, ...] | None:
    names = raw.get("id2label")
    if not names:
        return None
    try:
        by_number = {int(number): str(name) for number, name in names.items()}
    except (AttributeError, ValueError):
        by_number = {}
    if sorted(by_number) != list(range(len(names))):
        raise UserError(f"{path}: `id2label` must name the classes 0 to C-1. Received: {names}")
    return tuple(by_number[number] for number in range(len(by_number)))


def _lowercase(folder: Path) -> bool | None:
    path = folder / "tokenizer_config.json"
    value = read_json(path).get("do_lower_case") if path.is_file() else None
    return value if isinstance(value, bool) else None
