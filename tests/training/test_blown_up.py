"""A loss that is not a number: back to a checkpoint with half the rate, said and remembered, and so often alone."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from bert_tf.errors import UserError
from bert_tf.training import blown_up, loop
from bert_tf.training.blown_up import BlownUpError, check_numbers, roll_back
from bert_tf.training.checkpoints.memory import Memory
from tests.training.conftest import EXACT, assert_same_weights
from tests.training.test_loop import events, run, saved

NAN, INF = np.nan, np.inf


@pytest.mark.parametrize(
    ("loss", "norm", "scaled", "step"),
    [
        ([0.5, NAN, NAN], [1.0, 1.0, 1.0], False, 12),
        ([0.5, 0.5, INF], [1.0, 1.0, 1.0], True, 13),
        ([0.5, 0.5, 0.5], [1.0, INF, 1.0], False, 12),
    ],
)
def test_the_first_update_that_is_none_is_named(loss, norm, scaled, step):
    reports = {"loss": np.array(loss), "gradient_norm": np.array(norm)}
    with pytest.raises(BlownUpError, match=rf"^step {step}: the loss is \S+ and the gradient's norm \S+$") as error:
        check_numbers(reports, 10, scaled=scaled)
    assert error.value.step == step


def test_gradients_that_a_loss_scale_mends_are_no_reason():
    check_numbers({"loss": np.array([0.5]), "gradient_norm": np.array([INF])}, 10, scaled=True)


class Fake:
    """A run with checkpoints of some steps."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, steps: list[int], most: int) -> None:
        self.restored: list[tuple[int, Memory]] = []
        self.steps, self.saved = steps, []
        checkpoints = SimpleNamespace(
            memory=Memory(warnings=["before"]),
            steps=lambda: self.steps,
            save=self.saved.append,
            latest=lambda: "checkpoints/ckpt-8",
        )
        self.setup: Any = SimpleNamespace(
            checkpoints=checkpoints, config=SimpleNamespace(training=SimpleNamespace(rollbacks=most))
        )
        monkeypatch.setattr(blown_up, "restore", self.restore)

    def restore(self, setup: Any, folder: Path, files: Any, *, newest: int, after: Memory) -> bool:
        self.restored.append((newest, after))
        self.steps = [step for step in self.steps if step <= newest]
        setup.checkpoints.memory = after
        return True

    def blow_up(self, step: int) -> None:
        roll_back(self.setup, Path("run"), BlownUpError(step, f"step {step}: the loss is nan"))


def test_it_returns_halves_says_so_and_gives_up(monkeypatch, caplog):
    fake = Fake(monkeypatch, [4, 8], most=3)
    fake.blow_up(10)
    said = (
        "step 10: the loss is nan: the run returns to the checkpoint of step 8, with 0.5 times the learning rate "
        "from there on (1 of training.rollbacks=3)"
    )
    assert caplog.messages == [said]
    assert fake.restored[-1][1].warnings == ["before", said]
    assert fake.saved == [8]  # what is remembered is on the disk
    fake.blow_up(11)  # no further than before: that checkpoint leads there again
    assert "returns to the checkpoint of step 4, with 0.25 times" in caplog.messages[-1]
    fake.steps = [4, 8, 12]
    fake.blow_up(14)
    assert [newest for newest, _ in fake.restored] == [8, 4, 12]
    assert fake.restored[-1][1].rollbacks == [{"at": 10, "to": 8}, {"at": 11, "to": 4}, {"at": 14, "to": 12}]
    stopped = (
        r"^step 14: the loss is nan; training has stopped for the 4. time. Last good checkpoint: checkpoints/ckpt-8"
    )
    with pytest.raises(UserError, match=stopped):
        fake.blow_up(14)


@pytest.mark.parametrize(("steps", "most"), [([], 3), ([4], 0)])
def test_where_it_cannot_return_it_stops(monkeypatch, steps, most):
    fake = Fake(monkeypatch, steps, most)
    with pytest.raises(UserError, match=r"^step 2: the loss is nan; training has stopped\. Last good"):
        fake.blow_up(2)
    assert not fake.restored


@pytest.mark.slow
def test_a_run_that_blows_up_once_ends_at_half_its_rate(tiny: Path, tmp_path: Path, monkeypatch):
    make_engine, calls = loop.make_engine, []

    def blowing_up(*arguments: Any, start: int) -> Any:
        run_steps, calls_here = make_engine(*arguments, start=start), iter(range(start, 99))

        def take(count: int) -> Any:
            reports, step = run_steps(count), next(calls_here)
            calls.append(step)
            return {**reports, "loss": reports["loss"] * NAN} if step == 6 and calls.count(6) == 1 else reports

        return take

    settings = {**EXACT, "training.checkpoint_every_steps": 4, "training.evaluate_every_steps": 4}
    settings |= {"training.schedule": "constant", "training.warmup_steps": 0, "training.max_steps": 10}
    with monkeypatch.context() as patch:
        patch.setattr(loop, "make_engine", blowing_up)
        result = run(tiny, tmp_path / "run", settings)
    assert calls == [0, 1, 2, 3, 4, 5, 6, 4, 5, 6, 7, 8, 9]
    assert result["steps"] == 10
    assert "step 7: the loss is nan" in result["warnings"][0]
    rates = [event["learning_rate"] for event in events(tmp_path / "run") if event["event"] == "train"]
    assert rates == pytest.approx([0.01] * 4 + [0.005] * 6)
    assert [event["step"] for event in events(tmp_path / "run") if event["event"] == "train"] == [*range(1, 11)]

    # Stopped after it and started again, it is the same run.
    def stopping(*arguments: Any, start: int) -> Any:
        take = blowing_up(*arguments, start=start)

        def take_or_stop(count: int) -> Any:
            if len(calls) == 10:
                raise KeyboardInterrupt
            return take(count)

        return take_or_stop

    calls.clear()
    with monkeypatch.context() as patch:
        patch.setattr(loop, "make_engine", stopping)
        with pytest.raises(KeyboardInterrupt):
            run(tiny, tmp_path / "stopped", settings)
    again = run(tiny, tmp_path / "stopped", settings)
    assert "step 7: the loss is nan" in again["warnings"][0]
    assert_same_weights(saved(tmp_path / "stopped"), saved(tmp_path / "run"))
