"""What is made of a run's folder before its first update, without a model: damage is mended where a copy is kept."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bert_tf.disk.whole import checksums
from bert_tf.errors import UserError
from bert_tf.training.checkpoints.memory import Kept, Memory
from bert_tf.training.checkpoints.state import State
from bert_tf.training.optimizers.schedule import Schedule
from bert_tf.training.reports.history import History
from bert_tf.training.restoring import restore

SCHEDULE = Schedule(peak=0.1, total_steps=12)


class FakeCheckpoints:
    """Those of some steps; "weights" are the step that was read last."""

    def __init__(self, steps: list[int], memory: Memory, damaged: list[str]) -> None:
        self.steps, self.memory, self.damaged = steps, memory, damaged
        self.weights = -1
        self.folder = SimpleNamespace(remove_leftovers=lambda: None)

    def restore(self, newest: int | None = None) -> bool:
        there = [step for step in self.steps if newest is None or step <= newest]
        return bool(there) and self.read(there[-1])

    def read(self, step: int) -> bool:
        if step in self.steps:
            self.weights = step
        return step in self.steps


class Fake:
    """A run after 8 updates, whose model/ holds the weights of the fourth."""

    def __init__(self, folder: Path, *, steps: list[int], damaged: list[str] | None = None) -> None:
        self.folder = folder
        self.write(4)
        kept = Kept(step=4, metrics={"accuracy": 0.5}, validation_loss=0.7, files=checksums(folder / "model"))
        self.checkpoints = FakeCheckpoints(steps, Memory(kept=kept), damaged or [])
        self.state = State()
        for name, value in (("next_batch", 8), ("evaluated_step", 8), ("best_step", 4)):
            getattr(self.state, name).assign(value)
        self.setup: Any = SimpleNamespace(
            checkpoints=self.checkpoints, state=self.state, total_steps=12, schedule=SCHEDULE, tokenizer=None,
            config=SimpleNamespace(training=SimpleNamespace(epochs=1.0, max_steps=None)),
            history=History(examples={}, planned_steps=12, schedules=((0, SCHEDULE),)),
            optimizer=SimpleNamespace(), placement=SimpleNamespace(is_chief=True, name="one_device"),
            trained=SimpleNamespace(save=self.save, update_precise=lambda: None),
        )  # fmt: skip

    def write(self, step: int) -> None:
        (self.folder / "model").mkdir(parents=True, exist_ok=True)
        for name in ("config.json", "model.safetensors"):
            (self.folder / "model" / name).write_text(f"{name} of step {step}")

    def save(self, folder: Path, *arguments: Any) -> Any:
        self.write(self.checkpoints.weights)
        return checksums(folder)


def test_sound_files_are_left_alone(tmp_path, caplog):
    run = Fake(tmp_path / "run", steps=[4, 6, 8])
    before = checksums(tmp_path / "run" / "model")
    assert restore(run.setup, tmp_path / "run", {"config.toml": "x"})
    assert checksums(tmp_path / "run" / "model") == before
    assert run.checkpoints.weights == 8
    assert (run.checkpoints.memory.warnings, caplog.messages) == ([], [])
    assert run.checkpoints.memory.history == run.setup.history.as_json()
    assert (tmp_path / "run" / "config.toml").read_text() == "x"


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
@pytest.mark.parametrize("change", [Path.unlink, lambda path: path.write_text("x"), lambda path: path.write_text("")])
def test_a_damaged_model_is_written_again_from_the_checkpoint_of_its_step(tmp_path, caplog, name, change):
    run = Fake(tmp_path / "run", steps=[4, 6, 8])
    before = checksums(tmp_path / "run" / "model")
    change(tmp_path / "run" / "model" / name)
    assert restore(run.setup, tmp_path / "run", {})
    assert checksums(tmp_path / "run" / "model") == before
    assert run.checkpoints.weights == 8  # it resumes where it was
    assert int(run.state.best_step.numpy()) == 4
    (said,) = run.checkpoints.memory.warnings
    assert f"{tmp_path / 'run' / 'model'} are not as they were kept ({name} " in said
    assert said.endswith("it is written again, from the checkpoint of step 4")
    assert said in caplog.text


def test_without_that_checkpoint_the_next_evaluation_is_kept_and_one_is_due(tmp_path):
    run = Fake(tmp_path / "run", steps=[6, 8])
    (tmp_path / "run" / "model" / "model.safetensors").unlink()
    assert restore(run.setup, tmp_path / "run", {})
    assert run.checkpoints.memory.kept is None
    assert "those of the next evaluation are kept" in run.checkpoints.memory.warnings[0]
    assert int(run.state.evaluated_step.numpy()) == 7  # of 8 updates
    assert run.state.record(-9.0, 8, greater_is_better=True)


def test_several_workers_are_refused_where_one_alone_would_have_to_evaluate(tmp_path):
    run = Fake(tmp_path / "run", steps=[6, 8])
    run.setup.placement.name = "multi_worker"
    (tmp_path / "run" / "model" / "model.safetensors").unlink()
    with pytest.raises(
        UserError, match=r"not as it was written \(model.safetensors is missing\).* no checkpoint of its"
    ):
        restore(run.setup, tmp_path / "run", {})


@pytest.mark.parametrize("has_model", [True, False])
def test_what_an_earlier_version_kept_is_there_or_is_made_again(tmp_path, has_model):
    run = Fake(tmp_path / "run", steps=[4, 8])
    run.checkpoints.memory = Memory()
    if not has_model:
        (tmp_path / "run" / "model" / "config.json").unlink()
    assert restore(run.setup, tmp_path / "run", {})
    assert (tmp_path / "run" / "model" / "config.json").read_text() == "config.json of step 4"
    assert len(run.checkpoints.memory.warnings) == (0 if has_model else 1)


def test_a_damaged_checkpoint_is_said_and_stands_in_the_result(tmp_path, caplog):
    run = Fake(tmp_path / "run", steps=[4, 8], damaged=["ckpt-12: weights.index is missing"])
    restore(run.setup, tmp_path / "run", {})
    wanted = ["a checkpoint is damaged (ckpt-12: weights.index is missing): the run resumes from that of step 8"]
    assert (run.checkpoints.memory.warnings, caplog.messages) == (wanted, wanted)


def test_a_model_without_checkpoints_is_not_begun_again_in_silence(tmp_path, caplog):
    run = Fake(tmp_path / "run", steps=[])
    run.state.next_batch.assign(0)
    assert not restore(run.setup, tmp_path / "run", {})
    assert caplog.messages == [f"{tmp_path / 'run'} holds a model and no checkpoint: the run begins again"]


def test_a_run_that_was_put_back_has_half_its_rate_for_each_time(tmp_path):
    run = Fake(tmp_path / "run", steps=[4, 6, 8])
    after = Memory(warnings=["a"], rollbacks=[{"at": 9, "to": 8}, {"at": 9, "to": 6}])
    run.state.next_batch.assign(6)
    assert restore(run.setup, tmp_path / "run", {}, newest=6, after=after)
    assert run.checkpoints.weights == 6
    memory, slower = run.checkpoints.memory, dataclasses.replace(SCHEDULE, peak=0.025)
    assert (memory.warnings, memory.rollbacks) == (["a"], after.rollbacks)
    assert run.setup.optimizer.schedule == slower
    assert run.setup.optimizer.schedules == ((0, SCHEDULE), (6, slower))

    # As a process that is started again finds it.
    again = Fake(tmp_path / "run", steps=[4, 6])
    again.checkpoints.memory = Memory.from_json(memory.as_json())
    again.state.next_batch.assign(6)
    assert restore(again.setup, tmp_path / "run", {})
    assert again.setup.optimizer.schedules == ((0, SCHEDULE), (6, slower))


def test_workers_that_are_not_the_chief_touch_nothing(tmp_path):
    run = Fake(tmp_path / "run", steps=[4, 8])
    run.setup.placement = dataclasses.make_dataclass("Other", ["is_chief", "name"])(False, "multi_worker")
    (tmp_path / "run" / "model" / "model.safetensors").unlink()
    before = checksums(tmp_path)
    assert restore(run.setup, tmp_path / "run", {"config.toml": "x"})
    assert checksums(tmp_path) == before
