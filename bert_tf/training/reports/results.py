"""What a run says when it is over, and files that are written whole or not at all."""

from __future__ import annotations

import importlib.metadata
import json
import platform
import resource
import sys
from pathlib import Path
from typing import Any

import tensorflow as tf


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


def write_result(folder: Path, result: dict[str, Any]) -> None:
    """result.json, whole or not at all."""
    write_whole(folder / "result.json", json.dumps(result, indent=2, ensure_ascii=False) + "\n")


def write_whole(path: Path, text: str) -> None:
    """Writes a file whole or not at all."""
    temporary = path.with_name(f"{path.name}.tmp")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)
