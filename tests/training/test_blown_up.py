"""A loss that is not a number, or too high: back to a checkpoint with half the rate, said, and so often alone."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from bert_tf.errors import UserError
from bert_tf.training import blown_up, loop
from bert_tf.training.blown_up import FIRST, IN_A_ROW, BlownUpError, check_level, check_numbers, roll_back
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


def level(losses: Any, *, per_call: int = 1, memory: Memory | None = None) -> int | None:
    """The update at which a run with these losses is found to have blown up; None: at none."""
    memory = memory or Memory()
    for done in range(0, len(losses), per_call):
        try:
            check_level(memory, np.asarray(losses[done : done + per_call]), done)
        except BlownUpError as error:
            return error.step
    return None


@pytest.mark.parametrize("per_call", [1, 7, 1000])
def test_a_loss_that_goes_up_for_good_is_found(per_call):
    sound = [2.0] * 100
    assert level([*sound, *[2001.0] * 60], per_call=per_call) == 100 + IN_A_ROW
    assert level([*sound, *(2.0 * 3.0**k for k in range(60))], per_call=per_call) == 100 + 7 + IN_A_ROW
    with pytest.raises(BlownUpError, match=r"^step 40: the loss is 5e\+09, the 20th in a row of more than 1000 times"):
        check_level(Memory(), np.array([0.5] * 20 + [5e9] * 20), 0)


def test_a_run_that_resumes_counts_on():
    memory = Memory()
    assert level([1.0] * FIRST + [1e6] * (IN_A_ROW - 1), memory=memory) is None
    memory = Memory.from_json(memory.as_json())
    with pytest.raises(BlownUpError, match=r"^step 40:"):
        check_level(memory, np.array([1e6]), FIRST + IN_A_ROW - 1)


def test_sound_runs_are_let_be():
    rng = np.random.default_rng(3)
    falling = 8 * np.exp(-np.arange(3000) / 300) + 1e-9  # learnt by heart at the end
    noisy = falling * rng.lognormal(0, 2, 3000)
    assert level(noisy) is None
    wrong = falling.copy()
    wrong[rng.random(3000) < 0.3] += 1e10  # a wrong label of 100,000 in every third batch, squared
    assert level(wrong) is None
    assert level([*falling, *[1e10] * (IN_A_ROW - 1), 1.0] * 3) is None
    assert level([1e12] * 50 + [1.0] * 50 + [1e12] * 50) is None  # labels in large units
    assert level([1e-12] * 50 + [999.0] * 50) is None


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
