"""Pre-training as whole runs: killed and started again, over several devices, with LAMB, in two phases."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from tests.training import tiny_run
from tests.training.conftest import assert_same_weights, finish, result, start, weights

SETTINGS = {
    "task": "pretrain",
    "data.sequence_length": 24,
    "pretraining.text_format": "sentences",
    "training.epochs": 3,
    "training.batch_examples": 4,
    "training.learning_rate": 0.01,
    "training.deterministic": True,
    "training.keep": "last",
    "training.evaluate_every_steps": 1000,
}


REPLACED = {"pretraining.objective": "replaced_tokens", "pretraining.generator_width": 0.5}
OBJECTIVES = pytest.mark.parametrize("objective", [{}, REPLACED], ids=["masked", "replaced"])


def begin(tiny: Path, name: str, more: dict[str, Any], **options):
    own = {"pretraining.cache": str(tiny / "cache")}
    if "pretraining.objective" in more:
        own["backbone"] = str(tiny / "electra")
        if not (tiny / "electra").exists():
            tiny_run.make_backbone(tiny / "electra", model_type="electra", embedding_dim=6)
    return start(tiny, name, {**SETTINGS, **own, **more}, **options)


def reports(tiny: Path, name: str, event: str) -> list[dict]:
    lines = [json.loads(line) for line in (tiny / name / "metrics.jsonl").read_text().splitlines()]
    return [line for line in lines if line["event"] == event]


@pytest.mark.slow
@OBJECTIVES
def test_killed_in_the_middle_of_an_epoch(tiny: Path, objective: dict[str, Any]):
    settings = {"training.checkpoint_every_steps": 10, "training.accumulation_steps": 2, **objective}
    whole, killed = (f"pre_{name}_{len(objective)}" for name in ("whole", "killed"))
    finish(begin(tiny, whole, settings))
    steps: Any = result(tiny, whole)["steps"]
    process = begin(tiny, killed, settings)
    checkpoint = tiny / killed / "checkpoints" / "ckpt-20"
    deadline = time.monotonic() + 400
    while not checkpoint.exists():
        assert process.poll() is None, process.communicate()[0][-3000:]
        assert time.monotonic() < deadline
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert 20 % (steps // 3) != 0  # not where an epoch ends
    assert "resuming from step" in finish(begin(tiny, killed, settings))
    for part in ("model", "model/generator") if objective else ("model",):
        assert_same_weights(weights(tiny, killed, part), weights(tiny, whole, part))
    assert result(tiny, killed)["metrics"] == result(tiny, whole)["metrics"]


@pytest.mark.slow
@OBJECTIVES
def test_two_devices_take_the_steps_of_one(tiny: Path, objective: dict[str, Any]):
    settings = {
        **objective,
        "training.epochs": 1,
        "model.hidden_dropout": 0.0,
        "model.attention_dropout": 0.0,
        "training.learning_rate": 1e-3,
        "training.accumulation_steps": 2,
    }
    mirrored, alone = (f"pre_{name}_{len(objective)}" for name in ("mirrored", "one"))
    finish(begin(tiny, mirrored, {**settings, "training.strategy": "mirrored"}, devices=2))
    more = {"training.accumulation_steps": 4}  # as many rows
    finish(begin(tiny, alone, {**settings, **more, "training.strategy": "one_device"}))
    assert result(tiny, mirrored)["replicas"] == 2
    for part in ("model", "model/generator") if objective else ("model",):
        assert_same_weights(weights(tiny, mirrored, part), weights(tiny, alone, part), tolerance=1e-5)
    both = [reports(tiny, name, "train") for name in (mirrored, alone)]
    second = "weighted_replaced_token_loss" if objective else "next_sentence_loss"
    for one, other in zip(*both, strict=True):
        assert one[second] == pytest.approx(other[second], rel=1e-4, abs=1e-4)
        assert one["loss"] == pytest.approx(one["masked_lm_loss"] + one[second], abs=1e-4)


@pytest.mark.slow
def test_a_second_phase_with_lamb_and_longer_rows(tiny: Path):
    finish(begin(tiny, "pre_first", {"training.epochs": 1, "training.evaluate_first": True}))
    (zero, last) = reports(tiny, "pre_first", "evaluation")
    assert zero["step"] == 0
    assert zero["masked_lm_loss"] > last["masked_lm_loss"]
    second = {
        "backbone": str(tiny / "pre_first" / "model"),
        "data.sequence_length": 96,
        "model.max_positions": 96,
        "training.optimizer": "lamb",
        "training.max_steps": 4,
        "training.learning_rate": 0.002,
    }
    finish(begin(tiny, "pre_second", second))
    assert weights(tiny, "pre_second")["bert.embeddings.position_embeddings.weight"].shape == (96, 8)
    after = reports(tiny, "pre_second", "evaluation")[-1]
    assert after["masked_lm_loss"] < zero["masked_lm_loss"]
    described = json.loads((tiny / "pre_second" / "model" / "config.json").read_text())
    assert described["architectures"] == ["BertForPreTraining"]
    assert described["max_position_embeddings"] == 96
