"""task.json beside TFLite files: everything that a program needs to make the run's answers of what a file gives.

export/phones/README.md documents it, key by key. FORMAT_VERSION counts changes that a reader must know of.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bert_tf.exporting.tflite.metadata import LABELS, fit_lines
from bert_tf.inference import task_file
from bert_tf.kinds.serving import Contract, TensorNote
from bert_tf.runtimes.tflite import LiteFile, registrars

if TYPE_CHECKING:
    from bert_tf.exporting.run import Run

TASK, FORMAT, FORMAT_VERSION = "task.json", "bert_tf.phone", 1


def contract_of(run: Run) -> Contract:
    """That of the run's task, in the length that the run has."""
    return dataclasses.replace(run.kind, sequence_length=run.sequence_length).serving.contract


def describe(run: Run, outputs: Contract) -> dict[str, Any]:
    """What holds for every file of an export: all of task.json but "models"."""
    from bert_tf import __version__

    kind, tokenizer = run.kind, run.tokenizer
    strip = tokenizer.lowercase if tokenizer.strip_accents is None else tokenizer.strip_accents
    tokens = {name: {"token": token, "id": tokenizer.token_to_id[token]}
              for name, token in tokenizer.special_tokens.items()}  # fmt: skip
    described = task_file.to_json(kind, task=run.config.task, sequence_length=run.sequence_length)
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "bert_tf": __version__,
        **described,
        "texts": list(kind.text_columns),
        "labels": None if outputs.labels is None else list(outputs.labels),
        "labels_file": LABELS if outputs.labels is not None and fit_lines(outputs.labels) else None,
        "reject_below": float(getattr(run.model, "reject_below", 0.0)),
        "per_token": outputs.per_token,
        "facts": dict(outputs.facts),
        "tokenizer": {
            "vocabulary_file": tokenizer.vocabulary_file,
            "vocabulary_size": tokenizer.vocabulary_size,
            "lowercase": tokenizer.lowercase,
            "strip_accents": strip,
            "split_cjk": tokenizer.split_cjk,
            "special_tokens": tokens,
            "extra_special_tokens": list(tokenizer.extra_special_tokens),
            "piece_prefix": tokenizer.piece_prefix,
            "most_word_characters": tokenizer.max_word_characters,
            "odd_rules": list(tokenizer.odd_rules),
        },
        "sequence": {
            "max_length": run.sequence_length,
            "stride": outputs.stride,
            "layout": _layout(outputs.row or kind.text_columns, tokenizer.pair_separators),
        },
    }


def _layout(texts: Sequence[str], separators: int) -> list[str]:
    """What stands in a row: several [SEP] stand between the texts of a pair where the tokenizer has it so."""
    first, *more = texts
    between = ["[SEP]"] * (separators if len(texts) == 2 else 1)
    return ["[CLS]", first, *(part for text in more for part in (*between, text)), "[SEP]"]


def describe_file(
    path: Path,
    *,
    quantization: str,
    takes: str,
    inputs: Sequence[TensorNote],
    outputs: Sequence[TensorNote],
    readers: Mapping[str, Any],
) -> dict[str, Any]:
    """A file's entry in "models": its signature as the interpreter reads it from the file, not as it was asked for."""
    file = LiteFile(path, register=registrars() if takes == "text" else ())
    return {
        "file": path.name,
        "quantization": quantization,
        "takes": takes,
        "inputs": [_tensor(detail, note) for detail, note in zip(file.inputs, inputs, strict=True)],
        "outputs": [_tensor(detail, note) for detail, note in zip(file.outputs, outputs, strict=True)],
        **readers,
    }


def as_bytes(described: Mapping[str, Any]) -> bytes:
    """As it lies in a file's own archive."""
    return (json.dumps(described, indent=2, ensure_ascii=False) + "\n").encode()


def _tensor(detail: Mapping[str, Any], note: TensorNote) -> dict[str, Any]:
    """One of an interpreter's details; null in the shape is any number."""
    dtype = detail["dtype"]
    return {
        "name": detail["name"],
        "dtype": "string" if dtype in (np.bytes_, np.object_, np.str_) else np.dtype(dtype).name,
        "shape": [None if size < 0 else int(size) for size in detail["shape_signature"]],
        "description": note.description,
    }
