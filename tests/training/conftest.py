"""A folder with tiny data and a tiny backbone, and a way to train on them in a process of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from tests.training import tiny_run

ROOT = Path(__file__).parents[2]

EXACT = {
    "training.epochs": 2,
    "training.batch_examples": 8,
    "training.learning_rate": 0.01,
    "training.clip_norm": 0.5,
    "model.hidden_dropout": 0.0,
    "model.attention_dropout": 0.0,
    "data.pack_length": 24,
    "training.keep": "last",
    "training.mode": "fine_tune",  # so few examples begin with a head that is solved for, where nothing is said
}


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny")
    tiny_run.make_data(folder / "data")
    tiny_run.make_corpus(folder / "corpus")
    tiny_run.make_backbone(folder / "backbone")
    return folder


def start(
    folder: Path, name: str, settings: dict[str, object], *, devices: int = 1, cluster: dict[str, object] | None = None
) -> subprocess.Popen[str]:
    """Starts a run as a process."""
    return start_several(folder, {name: settings}, devices=devices, cluster=cluster)


def start_several(
    folder: Path,
    runs: dict[str, dict[str, object]],
    *,
    devices: int = 1,
    cluster: dict[str, object] | None = None,
) -> subprocess.Popen[str]:
    """Starts runs, name -> settings, one after another in one process."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
    environment.pop("TF_CONFIG", None)
    if cluster is not None:
        environment["TF_CONFIG"] = json.dumps(cluster)
    arguments = {"folder": str(folder), "runs": runs, "devices": devices}
    command = [sys.executable, str(Path(tiny_run.__file__)), json.dumps(arguments)]
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=folder
    )


def finish(process: subprocess.Popen[str], *, seconds: float = 300) -> str:
    """Waits for a run to end well. Returns: what it printed."""
    output, _ = process.communicate(timeout=seconds)
    assert process.returncode == 0, output[-4000:]
    return output


def weights(folder: Path, name: str, part: str = "model") -> dict[str, np.ndarray]:
    return load_file(folder / name / part / "model.safetensors")


def result(folder: Path, name: str) -> dict[str, object]:
    return json.loads((folder / name / "result.json").read_text())


@pytest.fixture(scope="session")
def one_device(tiny: Path) -> Callable[[dict[str, object]], dict[str, np.ndarray]]:
    """Weights of the same run on one device, in this process, trained once for each collection of settings."""
    known: dict[str, dict[str, np.ndarray]] = {}

    def train(settings: dict[str, object]) -> dict[str, np.ndarray]:
        key = json.dumps(settings, sort_keys=True)
        if key not in known:
            name = f"one_device_{len(known)}"
            tiny_run.run(tiny, name, {**settings, "training.strategy": "one_device"})
            known[key] = weights(tiny, name)
        return known[key]

    return train


def assert_same_weights(found: dict[str, np.ndarray], wanted: dict[str, np.ndarray], *, tolerance: float = 0.0) -> None:
    """Weights by name are equal, or within a tolerance where sums are taken in another order."""
    assert found.keys() == wanted.keys()
    for name, array in wanted.items():
        if tolerance and name.endswith("attention.self.key.bias"):
            # Softmax does not see it, so its gradient is rounding alone, which Adam's root blows up to full steps: it
            # differs between two orders of the same sum, and no output depends on it.
            continue
        np.testing.assert_allclose(found[name], array, rtol=0, atol=tolerance, err_msg=name)
