"""What a run says when it is over."""

from __future__ import annotations

import importlib.metadata
import json
import platform
import resource
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from bert_tf.data import Features
from bert_tf.disk.whole import write_whole

if TYPE_CHECKING:
    from bert_tf.training.setup import Setup


def peak_memory_bytes() -> int:
    """The most memory in use so far: of the GPU if there is one, else the process's resident set."""
    if tf.config.list_physical_devices("GPU"):
        return int(tf.config.experimental.get_memory_info("GPU:0")["peak"])
    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(kilobytes) if sys.platform == "darwin" else int(kilobytes) * 1024


def versions() -> dict[str, str]:
    """Of Python and the libraries that the numbers depend on."""
    found = {}
    for name in ("bert_tf", "tensorflow", "tensorflow-text", "keras", "numpy"):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:  # a checkout that is not installed
            found[name] = "not installed"
    return {"python": platform.python_version(), **found}


def of_setup(setup: Setup) -> dict[str, Any]:
    """What a result says of the examples and of how the run was made."""
    return {
        "train_examples": len(setup.splits["train"]),
        "bad_rows": {
            split: part.bad_rows + getattr(setup.splits[split], "bad_rows", 0) for split, part in setup.examples.items()
        },
        "bad_row_reasons": {split: dict(part.bad_row_reasons) for split, part in setup.examples.items()},
        "cut": {
            split: part.cut.as_json()
            for split, part in setup.splits.items()
            if isinstance(part, Features) and part.cut is not None
        },
        "precision": setup.config.training.precision,
        "strategy": setup.placement.name,
        "replicas": setup.placement.replicas,
        **({"gradient_sum": setup.step.reduction.name} if setup.placement.replicas > 1 else {}),
        "seed": setup.config.seed,
        "versions": versions(),
    }


def write_result(folder: Path, result: dict[str, Any]) -> None:
    """result.json, whole or not at all."""
    write_whole(folder / "result.json", json.dumps(result, indent=2, ensure_ascii=False) + "\n")
