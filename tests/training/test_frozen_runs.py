"""A run that freezes parts of the model leaves them bit by bit as they were, and trains the rest."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

from bert_tf.errors import UserError
from tests.training.conftest import EXACT, assert_same_weights, finish, result, start, weights
from tests.training.test_loop import run, saved

FROZEN = {"training.freeze_embeddings": True, "training.frozen_blocks": 1, "training.weight_decay": 0.5}
SHORT = {**EXACT, "training.max_steps": 3, "training.warmup_steps": 0}


def backbone(tiny: Path) -> dict[str, np.ndarray]:
    return {f"bert.{name}": array for name, array in load_file(tiny / "backbone" / "model.safetensors").items()}


def is_frozen(name: str, blocks: int = 1) -> bool:
    return name.startswith(("bert.embeddings.", *(f"bert.encoder.layer.{i}." for i in range(blocks))))


def check(before: dict[str, np.ndarray], after: dict[str, np.ndarray]) -> None:
    assert sum(map(is_frozen, before)) == 5 + 16
    for name, array in before.items():
        if is_frozen(name):
            np.testing.assert_array_equal(after[name], array, err_msg=name)
        elif not name.endswith("key.bias"):  # whose gradient is 0
            assert np.abs(after[name] - array).max() > 1e-5, name


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param({"training.layer_decay": 0.5, "training.accumulation_steps": 2}, marks=pytest.mark.slow),
        {"training.optimizer": "lamb"},
        pytest.param({}, marks=pytest.mark.slow),
        pytest.param({"training.precision": "mixed_bfloat16"}, marks=pytest.mark.slow),
    ],
    ids=lambda settings: "-".join(map(str, settings.values())) or "plain",
)
def test_what_is_frozen_does_not_move_and_the_rest_does(tiny: Path, tmp_path: Path, settings: dict[str, Any]):
    run(tiny, tmp_path / "run", {**SHORT, **FROZEN, **settings})
    check(backbone(tiny), saved(tmp_path / "run"))
    config = (tmp_path / "run" / "model" / "config.json").read_text()
    assert "frozen" not in config  # a file holds weights; what the next run freezes is its own affair


@pytest.mark.slow
def test_two_replicas_freeze_the_same(tiny: Path):
    settings = {**EXACT, **FROZEN}
    for name, devices in (("frozen_one", 1), ("frozen_two", 2)):
        strategy = "one_device" if devices == 1 else "mirrored"
        options = {"training.strategy": strategy, "training.accumulation_steps": 2 // devices}
        finish(start(tiny, name, {**settings, **options}, devices=devices))
    assert result(tiny, "frozen_two")["replicas"] == 2
    check(backbone(tiny), weights(tiny, "frozen_two"))
    assert_same_weights(weights(tiny, "frozen_two"), weights(tiny, "frozen_one"), tolerance=1e-5)


@pytest.mark.slow
def test_a_frozen_run_resumes(tiny: Path, tmp_path: Path):
    settings = {**EXACT, **FROZEN, "training.checkpoint_every_steps": 2, "training.max_steps": 6}
    run(tiny, tmp_path / "whole", settings)
    shutil.copytree(tmp_path / "whole", tmp_path / "cut")
    (tmp_path / "cut" / "result.json").unlink()
    shutil.rmtree(tmp_path / "cut" / "checkpoints" / "ckpt-6")
    run(tiny, tmp_path / "cut", settings)
    check(backbone(tiny), saved(tmp_path / "cut"))
    assert_same_weights(saved(tmp_path / "cut"), saved(tmp_path / "whole"), tolerance=1e-6)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"training.frozen_blocks": 3}, "training.frozen_blocks must be at most 2, the model's number of blocks.*: 3"),
    ],
)
def test_more_blocks_than_there_are(tiny: Path, tmp_path: Path, settings: dict[str, Any], message: str):
    with pytest.raises(UserError, match=message):
        run(tiny, tmp_path / "run", {**SHORT, **settings})
