"""Reads how a folder makes a vector of a text, from its modules.json and what that names."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from bert_tf.errors import UserError
from bert_tf.guard import read_json, short
from bert_tf.weights.checkpoint import Tensor
from bert_tf.weights.keys import Keys
from bert_tf.weights.leave import Leave, how_to_ignore
from bert_tf.weights.places import folder_of, is_inside, resolve
from bert_tf.weights.readers.pickled import read_pickled
from bert_tf.weights.readers.safe import read_safetensors
from bert_tf.weights.refused import Refused
from bert_tf.weights.sentence_transformers.tables import (
    ACTIVATIONS,
    CROSS_ENCODER,
    KEYS,
    MODULES,
    NO_LENGTH,
    POOLINGS,
    PROMPTS,
    TRANSFORMER_FILES,
    torch_activation,
)


class Modules(NamedTuple):
    """What a folder's files beside the weights say.

    Args:
        settings: arguments of a BertEmbedder or, of a model that scores pairs, a BertClassifier.
        tensors: those of the modules after the pooling, by our paths and in our layout.
        warnings: what is not used and may matter.
    """

    settings: Mapping[str, Any] = {}
    tensors: Mapping[str, Tensor] = {}
    warnings: tuple[str, ...] = ()


class _Reading:
    """What has been found so far; `leave` are names of modules and keys that are to be left out."""

    def __init__(self, leave: Leave) -> None:
        self.leave = leave
        self.settings: dict[str, Any] = {"pooling": None, "normalize": False}
        self.tensors: dict[str, Tensor] = {}
        self.warnings: list[str] = []

    def refuse(self, path: Path, name: str, reason: str, argument: str = "pooling") -> None:
        """Only models that take the argument have to refuse, and only where the caller does not give it.

        Args:
            name: of the module or key.
            reason: the first one counts.
        """
        if name not in self.leave and not isinstance(self.settings.get(argument), Refused):
            self.settings[argument] = Refused(f"{path}: {reason}; {how_to_ignore(name)}, or give `{argument}`")

    def check(self, path: Path, raw: Mapping[str, Any], keys: Keys) -> None:
        for key, clause in keys.not_followed(raw):
            self.refuse(path, key, clause)
        if unknown := keys.unknown(raw):
            self.warnings.append(f"{path}: not known, and not used: {', '.join(unknown)}")


def has_vectors(folder: Path) -> bool:
    """Whether a folder is of a model that makes a vector of a text."""
    return (folder / MODULES).is_file() and _prompts(folder).get("model_type") != CROSS_ENCODER


def lowercases(folder: Path, inner: Path) -> bool:
    """Whether texts are lower-cased before they are tokenised, whatever the tokenizer does."""
    return (folder / MODULES).is_file() and _transformer(folder, inner)[1].get("do_lower_case") is True


def similarity_name(where: str | os.PathLike[str]) -> str:
    """Which function says how alike two vectors of a model are, by sentence-transformers' name for it."""
    return _prompts(folder_of(resolve(where))).get("similarity_fn_name") or "cosine"


def read_modules(folder: Path, inner: Path | None = None, leave: Leave | None = None) -> Modules:
    """What the files of a folder say beside the weights; empty where they say nothing.

    What we cannot follow is a `Refused` in the settings, which a model that takes the setting raises.

    Args:
        folder: the one with modules.json.
        inner: the transformer's, where it is another.
        leave: names of modules and keys to leave out although they change vectors.
    Raises: UserError naming the file if it cannot be read.
    """
    path = folder / MODULES
    if not path.is_file() or not has_vectors(folder):
        return Modules()
    found = _Reading(Leave() if leave is None else leave)
    for module in _modules(path):
        _read_module(found, path, _kind(module), folder / str(module.get("path", "")))
    if found.settings["pooling"] is None:
        del found.settings["pooling"]
        found.refuse(path, "Pooling", "there is no Pooling, which makes one vector of a text's tokens")
    _read_transformer(found, folder, inner or folder)
    _read_prompts(found, folder)
    return Modules(found.settings, found.tensors, tuple(found.warnings))


def kinds_of_modules(folder: Path) -> list[str]:
    """The classes that modules.json names, without their packages; none where there is no such file."""
    path = folder / MODULES
    return [_kind(module) for module in _modules(path)] if path.is_file() else []


def _modules(path: Path) -> list[dict[str, Any]]:
    modules = _read(path)
    if not isinstance(modules, list) or not all(isinstance(module, dict) for module in modules):
        raise UserError(f"{path}: expected a list of modules. Received: {str(modules)[:80]}")
    for module in modules:
        if not is_inside(module.get("path", "")):
            raise UserError(f"{path}: `path` must lie in the folder. Received: {short(module['path'])}")
    return modules


def _kind(module: Mapping[str, Any]) -> str:
    return str(module.get("type", "")).rpartition(".")[2]


def _read_module(found: _Reading, path: Path, kind: str, place: Path) -> None:
    settings, config = found.settings, place / "config.json"
    if (kind == "Transformer" and settings["pooling"] is None) or kind == "Dropout":
        return
    if kind == "Pooling" and settings["pooling"] is None:
        raw = _read_object(config)
        settings["pooling"] = _pooling(raw)
        found.check(config, raw, KEYS[kind])
        if strange := [mode for mode in _as_tuple(settings["pooling"]) if mode not in POOLINGS]:
            found.refuse(
                config,
                "pooling_mode",
                f"`pooling_mode` must be of {', '.join(POOLINGS)}. Received: {', '.join(strange)[:80]}",
            )
        if raw.get("include_prompt", True) is not True:
            settings["include_prompt"] = False
    elif kind == "Normalize" and settings["pooling"] is not None:
        settings["normalize"] = True
        found.check(config, _read_object(config) if config.is_file() else {}, KEYS[kind])
    elif kind == "Dense" and settings["pooling"] is not None and "dense_dim" not in settings:
        if settings["normalize"] is True:
            found.refuse(path, "Normalize", "Normalize must come after Dense, not before it")
        _read_dense(found, place)
    else:
        after = "before" if settings["pooling"] is None else "after"
        found.refuse(path, kind, f"the module {kind[:80] or 'without a type'} {after} the pooling is not supported")


def _read_dense(found: _Reading, place: Path) -> None:
    path = place / "config.json"
    raw = _read_object(path)
    found.check(path, raw, KEYS["Dense"])
    width = raw.get("out_features")
    if not isinstance(width, int) or isinstance(width, bool) or width < 1:
        raise UserError(f"{path}: `out_features` must be an integer of at least 1. Received: {short(width)}")
    found.settings |= {"dense_dim": width, "dense_bias": raw.get("bias", True) is not False}
    name = str(raw.get("activation_function", "torch.nn.modules.activation.Tanh"))
    found.settings["dense_activation"] = torch_activation(name)
    if found.settings["dense_activation"] is None:
        reason = f"`activation_function` must be one of {_torch_names()}. Received: {name!s:.80}"
        found.refuse(path, "activation_function", reason, "dense_activation")
    files = (("model.safetensors", read_safetensors), ("pytorch_model.bin", read_pickled))
    file, read = next(((place / name, read) for name, read in files if (place / name).is_file()), (None, None))
    if file is None or read is None:
        raise UserError(f"{place} holds no weights: expected {' or '.join(name for name, _ in files)}")
    tensors = read(file)
    wanted = {"linear.weight": "dense/kernel"}
    wanted |= {"linear.bias": "dense/bias"} if found.settings["dense_bias"] else {}
    if set(tensors) != set(wanted):
        raise UserError(f"{file} must hold {' and '.join(wanted)}. Received: {', '.join(sorted(tensors))}")
    if tensors["linear.weight"].shape[:1] != (width,):
        came = f"{width}, and {file} has {list(tensors['linear.weight'].shape)}"
        raise UserError(f"{path}: `out_features` must be the rows of linear.weight. Received: {came}")
    for name, ours in wanted.items():
        tensor = tensors[name]
        found.tensors[ours] = Tensor(tensor.name, tensor.shape[::-1], lambda tensor=tensor: tensor.read().T)


def _read_transformer(found: _Reading, folder: Path, inner: Path) -> None:
    path, raw = _transformer(folder, inner)
    found.check(path, raw, KEYS["Transformer"])
    if raw.get("do_lower_case"):
        found.warnings.append(
            f"{path}: `do_lower_case`: texts are lower-cased before they are tokenised. Tasks of vectors and Pipeline "
            "do so; a BertTokenizer of your own needs lowercase=True, strip_accents=False"
        )
    for key in ("query_length", "document_length"):
        if raw.get(key) is not None:
            found.warnings.append(f"{path}: `{key}` is not used: all texts are cut alike. It is {raw[key]!s:.80}")
    # The second is where newer versions keep it; a number of 30 digits stands for none there.
    for length in (raw.get("max_seq_length"), _read_tokenizer_config(inner).get("model_max_length")):
        if isinstance(length, (int, float)) and 0 < length < NO_LENGTH:
            found.settings["max_length"] = int(length)
            return


def _read_prompts(found: _Reading, folder: Path) -> None:
    path, raw = folder / PROMPTS, _prompts(folder)
    found.check(path, raw, KEYS[PROMPTS])
    if raw.get("model_type") not in (None, "SentenceTransformer"):
        found.refuse(
            path, "model_type", f"`model_type` must be SentenceTransformer. Received: {raw['model_type']!s:.80}"
        )
    prompts, name = raw.get("prompts") or {}, raw.get("default_prompt_name")
    if name is not None:
        if not isinstance(prompts.get(name), str):
            raise UserError(f"{path}: `default_prompt_name` must be one of `prompts`. Received: {short(name)}")
        found.settings["prompt"] = prompts[name]
    others = [key for key, prompt in prompts.items() if prompt and key != name]
    if others:
        found.warnings.append(
            f"{path}: `prompts` for texts of some kinds ({', '.join(others)}) are not put before texts; give `prompt`, "
            "or write them yourself"
        )
    include = found.settings.pop("include_prompt", True)
    if found.settings.get("prompt") and not include:
        reason = "`include_prompt` of the pooling must be true where there is a default prompt. Received: false"
        found.refuse(path, "include_prompt", reason, "prompt")
    if isinstance(raw.get("truncate_dim"), int):
        found.settings["truncate_dim"] = raw["truncate_dim"]
    similarity = raw.get("similarity_fn_name")
    if similarity not in (None, "cosine"):
        found.warnings.append(
            f"{path}: `similarity_fn_name` is {similarity}; the vectors are the same, but search, metrics and losses "
            "here are of the cosine; `Pipeline.similarity` follows it"
        )


def _torch_names() -> str:
    return ", ".join(f"torch.nn.{name}" for name in ACTIVATIONS)


def _pooling(raw: Mapping[str, Any]) -> str | tuple[str, ...]:
    modes = raw.get("pooling_mode") or [mode for mode, key in POOLINGS.items() if raw.get(key) is True] or "mean"
    modes = _as_tuple(modes)
    return modes[0] if len(modes) == 1 else modes


def _as_tuple(modes: Any) -> tuple[str, ...]:
    return tuple(str(mode) for mode in modes) if isinstance(modes, (list, tuple)) else (str(modes),)


def _transformer(folder: Path, inner: Path) -> tuple[Path, dict[str, Any]]:
    places: Iterable[Path] = (place / name for place in (inner, folder) for name in TRANSFORMER_FILES)
    path = next((path for path in places if path.is_file()), None)
    return (folder / TRANSFORMER_FILES[0], {}) if path is None else (path, _read_object(path))


def _prompts(folder: Path) -> dict[str, Any]:
    return _read_object(folder / PROMPTS) if (folder / PROMPTS).is_file() else {}


def _read_tokenizer_config(folder: Path) -> dict[str, Any]:
    path = folder / "tokenizer_config.json"
    return _read_object(path) if path.is_file() else {}


def _read_object(path: Path) -> dict[str, Any]:
    value = _read(path)
    if not isinstance(value, dict):
        raise UserError(f"{path}: expected a JSON object. Received: {type(value).__name__}")
    return value


def _read(path: Path) -> Any:
    try:
        return read_json(path)
    except OSError as error:
        raise UserError(f"{path}: expected a file that can be read. Received: {error.strerror or error}") from None
