"""The folder that PyTorch wrote, and altered copies of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

TINY = Path(__file__).resolve().parent.parent / "golden" / "tiny"


def outputs() -> dict[str, np.ndarray]:
    """What PyTorch gives for it."""
    with np.load(TINY / "outputs.npz") as file:
        return dict(file)


def inputs() -> dict[str, np.ndarray]:
    """What it was given."""
    return {name: array for name, array in outputs().items() if name in ("token_ids", "segment_ids", "padding_mask")}


def altered(
    folder: Path,
    arrays: Callable[[dict[str, np.ndarray]], dict[str, np.ndarray]] | None = None,
    config: dict | None = None,
    without: tuple[str, ...] = (),
) -> Path:
    """A copy with its tensors put through `arrays`, and keys of config.json changed or left out."""
    folder.mkdir(exist_ok=True)
    tensors = load_file(TINY / "model.safetensors")
    save_file(arrays(tensors) if arrays else tensors, folder / "model.safetensors", metadata={"format": "pt"})
    raw = json.loads((TINY / "config.json").read_text(encoding="utf-8")) | (config or {})
    for key in without:
        raw.pop(key)
    (folder / "config.json").write_text(json.dumps(raw), encoding="utf-8")
    return folder
