"""A run resumed with other settings: where that is sound it ends as it should, and elsewhere it is refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bert_tf import train
from bert_tf.config import read_config
from bert_tf.errors import UserError
from bert_tf.training.optimizers.schedule import Schedule
from bert_tf.training.trimmed_vocabulary import TrimmedVocabulary
from tests.training.conftest import EXACT, assert_same_weights
from tests.training.test_loop import events, saved

CONSTANT = {**EXACT, "training.schedule": "constant", "training.warmup_steps": 0, "training.weight_decay": 0.5,
            "training.evaluate_every_steps": 6}  # fmt: skip


def command(tiny: Path, folder: Path, settings: dict[str, Any], *, data: Path | None = None) -> dict[str, Any]:
    flags = ["--task=sst2", f"--backbone={tiny / 'backbone'}", f"--data={data or tiny / 'data'}", f"--run={folder}"]
    train.main([*flags, "--set", *(f"{key}={json.dumps(value)}" for key, value in settings.items())])
    return json.loads((folder / "result.json").read_text())


def steps_of(folder: Path, kind: str) -> list[int]:
    return [event["step"] for event in events(folder) if event["event"] == kind]


@pytest.fixture(name="short", scope="module")
def short_fixture(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of one epoch, at a constant rate."""
    folder = tmp_path_factory.mktemp("short") / "run"
    command(tiny, folder, {**CONSTANT, "training.epochs": 1})
    return folder


@pytest.fixture(name="run_folder")
def run_folder_fixture(short: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(short, tmp_path / "run"))


@pytest.mark.slow
def test_more_epochs_at_a_constant_rate_are_as_if_asked_for_at_once(tiny, run_folder, tmp_path, capsys):
    capsys.readouterr()
    found = command(tiny, run_folder, {**CONSTANT, "training.epochs": 2})
    said = capsys.readouterr().err
    assert "training.epochs: there 1.0, asked 2.0: from here on the learning rate is that of the schedule" in said
    wanted = command(tiny, tmp_path / "whole", {**CONSTANT, "training.epochs": 2})
    assert found["steps"] == wanted["steps"] == 12
    assert_same_weights(saved(run_folder), saved(tmp_path / "whole"))
    assert steps_of(run_folder, "evaluation") == [6, 12]
    assert read_config(run_folder / "config.toml") == read_config(tmp_path / "whole" / "config.toml")
    command(tiny, run_folder, {**CONSTANT, "training.epochs": 2})
    assert "holds this run, finished" in capsys.readouterr().err


@pytest.mark.slow
def test_a_falling_rate_goes_by_its_new_length_and_what_was_left_out_decays_by_both(tiny, tmp_path, monkeypatch):
    settings = {**EXACT, "training.weight_decay": 0.5, "training.warmup_steps": 0}

    def twice(folder: Path) -> None:
        command(tiny, folder, {**settings, "training.max_steps": 4})
        command(tiny, folder, {**settings, "training.max_steps": 8})

    twice(tmp_path / "trimmed")
    noted = json.loads((tmp_path / "trimmed" / "began.json").read_text())["schedules"]
    assert [(first, fields["total_steps"]) for first, fields in noted] == [(0, 4), (4, 8)]
    # So short a run reports each update: the last, of 8, has an eighth of the peak.
    rates = [event["learning_rate"] for event in events(tmp_path / "trimmed") if event["event"] == "train"]
    linear = [Schedule(peak=0.01, total_steps=total) for total in (4, 8)]
    assert rates == pytest.approx([float(linear[k // 4](k)) for k in range(8)], rel=1e-5)
    monkeypatch.setattr(TrimmedVocabulary, "of", lambda size, *used, **_: TrimmedVocabulary(np.arange(size), size))
    twice(tmp_path / "whole")
    assert_same_weights(saved(tmp_path / "trimmed"), saved(tmp_path / "whole"), tolerance=2e-6)


def test_what_only_watches_changes_nothing(tiny, run_folder, capsys):
    before = saved(run_folder)
    found = command(tiny, run_folder, {**CONSTANT, "training.epochs": 1, "evaluation.batch_examples": 5})
    said = capsys.readouterr().err
    assert "evaluation.batch_examples: there 64, asked 5: a finished run is not changed by it" in said
    assert found["steps"] == 6
    assert_same_weights(saved(run_folder), before)


@pytest.mark.slow
def test_patience_that_was_out_is_given_again(tiny, tmp_path):
    settings = {**EXACT, "training.learning_rate": 1e-12, "training.evaluate_every_steps": 2, "training.max_steps": 12}
    first = command(tiny, tmp_path / "run", {**settings, "training.early_stopping_patience": 1})
    assert first["steps"] == 4
    second = command(tiny, tmp_path / "run", {**settings, "training.early_stopping_patience": 3})
    assert second["steps"] == 8
    assert steps_of(tmp_path / "run", "evaluation") == [2, 4, 6, 8]


@pytest.mark.slow
def test_data_may_move_but_not_change(tiny, run_folder, tmp_path, capsys):
    moved = Path(shutil.copytree(tiny / "data", tmp_path / "moved"))
    command(tiny, run_folder, {**CONSTANT, "training.epochs": 2}, data=moved)
    assert "data.source: there" in capsys.readouterr().err
    assert read_config(run_folder / "config.toml").data.source == str(moved)
    before = (run_folder / "config.toml").read_text()
    lines = (moved / "train.tsv").read_text().splitlines()
    longer = {**CONSTANT, "training.epochs": 3}
    for wanted, changed in (("45 examples there, 44 here", lines[:-1]), ("45 here, others", [*lines[:-1], "so\t0"])):
        (moved / "train.tsv").write_text("\n".join(changed) + "\n")
        with pytest.raises(UserError, match=f"the split train is not what this run began with: .*{wanted}"):
            command(tiny, run_folder, longer, data=moved)
    assert (run_folder / "config.toml").read_text() == before
    assert (run_folder / "result.json").exists()  # a refusal leaves all as it was


@pytest.mark.slow
def test_data_of_a_run_that_noted_nothing_cannot_be_compared(tiny, run_folder, tmp_path):
    (run_folder / "began.json").unlink()
    moved = Path(shutil.copytree(tiny / "data", tmp_path / "moved"))
    with pytest.raises(UserError, match=r"other settings \(data\.source: there"):
        command(tiny, run_folder, {**CONSTANT, "training.epochs": 2}, data=moved)
    assert command(tiny, run_folder, {**CONSTANT, "training.epochs": 2})["steps"] == 12


def test_fewer_updates_than_were_taken_are_refused(tiny, run_folder):
    with pytest.raises(UserError, match=r"has taken 6 updates already, more than the 3 of .*training\.max_steps=3"):
        command(tiny, run_folder, {**CONSTANT, "training.epochs": 1, "training.max_steps": 3})
    assert (run_folder / "result.json").exists()


@pytest.mark.parametrize("change", [{"seed": 2}, {"training.learning_rate": 0.02}, {"training.keep": "best"}])
def test_what_has_a_part_in_the_weights_is_refused(tiny, run_folder, change):
    key = next(iter(change))
    with pytest.raises(UserError, match=f"holds a run with other settings .{key}: there"):
        command(tiny, run_folder, {**CONSTANT, "training.epochs": 2, **change})


@pytest.mark.parametrize(
    "change",
    [
        {"training.steps_per_call": 3},
        {"training.evaluate_every_steps": 4, "training.checkpoint_every_steps": 5, "training.evaluate_first": True},
        {"training.deterministic": False, "training.threads_per_operation": 1, "evaluation.batch_examples": 5},
    ],
    ids=lambda change: next(iter(change)),
)
@pytest.mark.slow
def test_how_it_is_worked_out_and_watched_is_free(tiny, run_folder, tmp_path, change):
    command(tiny, run_folder, {**CONSTANT, "training.epochs": 2, **change})
    command(tiny, tmp_path / "whole", {**CONSTANT, "training.epochs": 2})
    assert_same_weights(saved(run_folder), saved(tmp_path / "whole"), tolerance=2e-6)


@pytest.mark.slow
def test_recomputing_is_free(tiny, tmp_path):
    # It rounds otherwise, and Adam makes full steps of gradients that are rounding alone: its epsilon keeps them small.
    settings = {**CONSTANT, "training.epsilon": 1e-3}
    command(tiny, tmp_path / "run", {**settings, "training.epochs": 1})
    command(tiny, tmp_path / "run", {**settings, "training.epochs": 2, "model.recompute": True})
    command(tiny, tmp_path / "whole", {**settings, "training.epochs": 2})
    assert_same_weights(saved(tmp_path / "run"), saved(tmp_path / "whole"), tolerance=2e-6)
