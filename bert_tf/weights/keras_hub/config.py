"""The JSON files of a KerasHub preset, from and to BertConfig's fields."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bert_tf.errors import UserError
from bert_tf.weights.json_file import read_json
from bert_tf.weights.keras_hub.tasks import check_dtype
from bert_tf.weights.keys import Keys

# BertConfig's field -> their key
KEYS = {
    "vocabulary_size": "vocabulary_size",
    "hidden_dim": "hidden_dim",
    "num_layers": "num_layers",
    "num_heads": "num_heads",
    "intermediate_dim": "intermediate_dim",
    "max_positions": "max_sequence_length",
    "num_segments": "num_segments",
    "hidden_dropout": "dropout",
}
# What their code fixes.
FIXED = {"layer_norm_epsilon": 1e-12, "activation": "gelu_tanh", "position_kind": "learned"}
MODULE = "keras_hub.src.models.bert"
BACKBONE = Keys(used=(*KEYS.values(), "dtype"), harmless=("name", "trainable"))
PACKAGES = ("keras_hub>", "keras_nlp>")  # today's name and that before 2024


def read(path: Path) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Their config.json -> BertConfig's fields, and what of it is not used.

    Raises: UserError if it is no BertBackbone's, or one of quantised weights.
    """
    raw = read_json(path)
    if raw.get("class_name") != "BertBackbone" or not isinstance(raw.get("config"), dict):
        raise UserError(f"{path}: `class_name` must be BertBackbone. Received: {raw.get('class_name')!s:.80}")
    registered = raw.get("registered_name") or f"{PACKAGES[0]}BertBackbone"
    if registered not in [f"{package}BertBackbone" for package in PACKAGES]:
        raise UserError(f"{path}: `registered_name` must be {PACKAGES[0]}BertBackbone. Received: {registered!s:.80}")
    theirs = raw["config"]
    missing = [key for key in KEYS.values() if key not in theirs]
    if missing:
        raise UserError(f"{path} lacks {', '.join(missing)}")
    config = {field: theirs[key] for field, key in KEYS.items()}
    unknown = BACKBONE.unknown(theirs)
    warnings = (f"{path}: not known, and not used: {', '.join(unknown)}",) if unknown else ()
    warnings += check_dtype(path, theirs.get("dtype"))
    return {**config, "attention_dropout": config["hidden_dropout"], **FIXED}, warnings


def check(config: Mapping[str, Any]) -> None:
    """Raises ValueError naming the fields that KerasHub's BERT cannot follow; the exact `gelu` passes."""
    for field, fixed in FIXED.items():
        came = config.get(field, fixed)
        if came != fixed and (field, came) != ("activation", "gelu"):
            raise ValueError(f"`config`: KerasHub's BERT has {field}={fixed}. Received: {field}={came}")


def files(config: Mapping[str, Any], num_classes: int | None, tokenizer: Mapping[str, Any] | None) -> dict[str, Any]:
    """File name -> JSON value, for everything beside weights and vocabulary.

    Args:
        tokenizer: arguments of KerasHub's BertTokenizer; None: there is no vocabulary.
    """
    backbone = _entry("bert_backbone", "BertBackbone", {their: config[ours] for ours, their in KEYS.items()})
    values: dict[str, Any] = {"config.json": backbone, "metadata.json": _metadata()}
    words = _entry("bert_tokenizer", "BertTokenizer", {"vocabulary": None, **(tokenizer or {})}, "int32")
    if tokenizer is not None:
        values["tokenizer.json"] = words
    if num_classes is not None:
        preprocessor = None
        if tokenizer is not None:
            details = {"tokenizer": words, "sequence_length": config["max_positions"]}
            preprocessor = _entry("bert_text_classifier_preprocessor", "BertTextClassifierPreprocessor", details)
            values["preprocessor.json"] = preprocessor
        details = {
            "backbone": backbone,
            "preprocessor": preprocessor,
            "num_classes": num_classes,
            "activation": "linear",
            "dropout": config["hidden_dropout"],
        }
        task = _entry("bert_text_classifier", "BertTextClassifier", details)
        task["config"].pop("dtype")
        values["task.json"] = task
    return values


def _entry(module: str, name: str, config: dict[str, Any], dtype: str = "float32") -> dict[str, Any]:
    policy = {"module": "keras", "class_name": "DTypePolicy", "config": {"name": dtype}, "registered_name": None}
    return {
        "module": f"{MODULE}.{module}",
        "class_name": name,
        "config": {"name": module, "trainable": True, "dtype": policy, **config},
        "registered_name": f"keras_hub>{name}",
    }


def _metadata() -> dict[str, Any]:
    return {"keras_version": importlib.metadata.version("keras"), "tasks": ["TextClassifier"]}
