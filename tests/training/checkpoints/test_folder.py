"""Which checkpoints of a folder are whole, without TensorFlow: they are files with checksums."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from bert_tf.errors import UserError
from bert_tf.training.checkpoints.finished import finished
from bert_tf.training.checkpoints.folder import CheckpointFolder, DamageError, _write_about
from bert_tf.training.checkpoints.memory import Kept, Memory

INDEX, DATA = "weights.index", "weights.data-00000-of-00001"


def write(folder: CheckpointFolder, step: int, memory: Memory | None = None) -> None:
    with folder.written(step, {"evaluated_step": step}, (memory or Memory()).as_json()) as prefix:
        for name in (INDEX, DATA):
            (prefix.parent / name).write_bytes(f"{name} of {step}".encode() * 20)


@pytest.fixture
def folder(tmp_path: Path) -> CheckpointFolder:
    made = CheckpointFolder(tmp_path / "run" / "checkpoints")
    for step in (4, 8, 12):
        write(made, step, Memory(window={"loss": [0.1, float("nan")]}))
    return made


def test_a_checkpoint_has_its_name_only_when_it_is_whole(folder):
    found = folder.whole(12)
    assert (found.step, found.prefix, found.state) == (12, folder.path / "ckpt-12" / "weights", {"evaluated_step": 12})
    assert found.memory is not None
    assert found.memory.window["loss"][0] == 0.1
    with pytest.raises(ZeroDivisionError):
        write_half(folder, 16)
    assert folder.steps() == [4, 8, 12]
    assert sorted(path.name for path in folder.path.iterdir()) == ["ckpt-12", "ckpt-4", "ckpt-8"]


def write_half(folder: CheckpointFolder, step: int) -> None:
    with folder.written(step, {}, {}) as prefix:
        (prefix.parent / INDEX).write_text("half")
        raise ZeroDivisionError


def test_it_is_on_the_disk_before_it_has_its_name(folder, monkeypatch):
    done: list[str] = []
    rename = Path.rename

    def noted(path, to):
        done.append(f"named {Path(to).name}")
        return rename(path, to)

    monkeypatch.setattr(os, "fsync", lambda number: done.append(Path(os.path.realpath(f"/proc/self/fd/{number}")).name))
    monkeypatch.setattr(Path, "rename", noted)
    write(folder, 16)
    at = done.index("named ckpt-16")
    assert {INDEX, DATA, "about.json"} <= set(done[:at])
    assert done[at + 1 :] == ["checkpoints"]


DAMAGES: dict[str, tuple[str, Callable[[Path], object], str]] = {
    "data cut": (DATA, lambda path: path.write_bytes(path.read_bytes()[:100]), "has 100 bytes, and had "),
    "data emptied": (DATA, lambda path: path.write_bytes(b""), "has 0 bytes, and had "),
    "data zeroed": (DATA, lambda path: path.write_bytes(bytes(path.stat().st_size)), "has another content"),
    "a bit of the data": (DATA, lambda path: path.write_bytes(b"X" + path.read_bytes()[1:]), "has another content"),
    "data gone": (DATA, lambda path: path.unlink(), f"{DATA} is missing"),
    "index cut": (INDEX, lambda path: path.write_bytes(path.read_bytes()[:-1]), f"{INDEX} has "),
    "index gone": (INDEX, lambda path: path.unlink(), f"{INDEX} is missing"),
    "about gone": ("about.json", lambda path: path.unlink(), "about.json is missing"),
    "about cut": ("about.json", lambda path: path.write_bytes(path.read_bytes()[:60]), "not as it was written"),
    "about emptied": ("about.json", lambda path: path.write_bytes(b""), "not as it was written"),
    "about a list": ("about.json", lambda path: path.write_text("[]"), "not as it was written"),
    "about binary": ("about.json", lambda path: path.write_bytes(b"\xff\x00"), "not as it was written"),
    "about another": (
        "about.json", lambda path: path.write_text(path.read_text().replace('step": 12', 'step": 13')),
        "about.json has another content",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", DAMAGES)
def test_every_damage_is_seen_and_the_one_before_is_whole(folder, name):
    file, change, said = DAMAGES[name]
    change(folder.path / "ckpt-12" / file)
    with pytest.raises(DamageError, match=f"ckpt-12: .*{said}"):
        folder.whole(12)
    assert folder.whole(8).step == 8
    # What a run remembers is that of the newest which can say so.
    assert folder.memory().window["loss"][0] == 0.1
    write(folder, 12)  # the same updates, made again, take its place
    assert folder.whole(12).step == 12


@pytest.mark.parametrize("memory", [[], {"kept": 1}, {"kept": {"step": 4}}, {"kept": {"step": 4, "a": 1}}])
def test_what_no_run_remembers_is_damage_too(folder, memory):
    folder.amend(12, {}, memory)
    with pytest.raises(DamageError, match=r"ckpt-12: about.json is not as it is written"):
        folder.whole(12)
    assert folder.memory() == folder.whole(8).memory


def test_no_list_no_clock_and_no_other_name_matters(folder):
    (folder.path / "checkpoint").write_bytes(b"\0" * 200)  # as TensorFlow's managers keep
    for name in ("ckpt-a", "ckpt-", "ckpt-9.old", "notes.txt"):
        (folder.path / name).touch()
    os.utime(folder.path / "ckpt-12", (0, 0))  # a clock that went back
    assert folder.steps() == [4, 8, 12]
    folder.keep({8, 12})
    assert folder.steps() == [8, 12]
    assert not (folder.path / "checkpoint").exists()
    assert (folder.path / "notes.txt").exists()


def test_what_is_learnt_of_weights_is_noted_without_writing_them_again(folder):
    before = (folder.path / "ckpt-12" / DATA).stat().st_ino
    folder.amend(12, {"evaluated_step": 13}, Memory(warnings=["a"]).as_json())
    assert (folder.path / "ckpt-12" / DATA).stat().st_ino == before
    found = folder.whole(12)
    assert (found.state, found.memory.warnings) == ({"evaluated_step": 13}, ["a"])


def test_earlier_versions_are_there_until_they_are_too_old(folder):
    (folder.path / "ckpt-16.index").write_text("x")
    (folder.path / "ckpt-16.data-00000-of-00001").write_text("x")
    (folder.path / "ckpt-20.data-00000-of-00001").write_text("x")
    assert folder.steps() == [4, 8, 12, 16, 20]
    assert (folder.whole(16).prefix, folder.whole(16).memory) == (folder.path / "ckpt-16", None)
    with pytest.raises(DamageError, match=r"ckpt-20: its .index is missing"):
        folder.whole(20)
    folder.keep({12})
    assert [path.name for path in folder.path.iterdir()] == ["ckpt-12"]


def test_leftovers_of_killed_processes_go_and_nothing_else(folder):
    for name in (".ckpt-16.writing-0a1b2c3d", "ckpt-16_temp"):
        (folder.path / name).mkdir()
        (folder.path / name / DATA).touch()
    folder.remove_leftovers()
    assert sorted(path.name for path in folder.path.iterdir()) == ["ckpt-12", "ckpt-4", "ckpt-8"]
    with folder.written(16, {}, {}) as prefix:
        folder.remove_leftovers()  # of a living process
        prefix.with_name(INDEX).write_text("x")
    assert folder.steps()[-1] == 16


RESULT = {"metrics": {"accuracy": 0.5}, "steps": 12}


@pytest.fixture
def run(folder) -> Path:
    """A finished run, whose model has two files."""
    run = folder.path.parent
    (run / "model").mkdir()
    for name in ("model.safetensors", "config.json"):
        (run / "model" / name).write_text(name)
    from bert_tf.disk.whole import checksums

    kept = Kept(step=12, metrics={"accuracy": 0.5}, validation_loss=0.7, files=checksums(run / "model"))
    folder.amend(12, {}, Memory(kept=kept).as_json())
    (run / "result.json").write_text(json.dumps(RESULT))
    return run


def test_a_run_is_finished_if_what_it_left_is_as_it_was_written(run):
    said: list[str] = []
    assert finished(run, tell=said.append) == RESULT
    (run / "model" / "README.md").write_text("of a user")
    assert finished(run, tell=said.append) == RESULT
    assert not said
    shutil.rmtree(run / "checkpoints")  # to save space
    assert finished(run, tell=said.append) == RESULT
    (run / "result.json").unlink()
    assert finished(run, tell=said.append) is None
    assert not said


@pytest.mark.parametrize("text", ["", "{", '{"metrics": ', "[]", "null", '{"metrics": []}',
                                  '{"metrics": {}, "steps": "a"}', "[" * 100_000, "\0" * 40])  # fmt: skip
def test_a_damaged_result_is_made_again_where_it_can_be(run, text):
    (run / "result.json").write_text(text)
    said: list[str] = []
    assert finished(run, tell=said.append) is None
    (line,) = said
    assert line.startswith(f"{run / 'result.json'}: expected ")
    assert line.endswith(": it is made again, from the last checkpoint")
    shutil.rmtree(run / "checkpoints")
    with pytest.raises(UserError, match="no checkpoint to make it again from"):
        finished(run, tell=said.append)


@pytest.mark.parametrize("name", ["model.safetensors", "config.json"])
@pytest.mark.parametrize("change", [Path.unlink, lambda path: path.write_text(""), lambda path: path.write_text("X")])
def test_a_damaged_model_of_a_finished_run_is_seen(run, name, change):
    change(run / "model" / name)
    said: list[str] = []
    assert finished(run, tell=said.append) is None
    assert said[0].startswith(f"{run} holds this run, finished, and its model is not as it was written ({name} ")


OUTSIDE = {"bytes": 1, "sha256": "0"}
SCHEDULE = {"peak": 0.1, "total_steps": 9}


@pytest.mark.parametrize(
    ("part", "value", "said"),
    [
        ("files", {"../../secret": OUTSIDE}, r"`files.../../secret.*` must be the name of a file in its folder"),
        ("files", {"/etc/passwd": OUTSIDE}, r"must be the name of a file in its folder"),
        ("files", {"a": {"bytes": "1", "sha256": "0"}}, r"`files.a.bytes` must be a valid integer"),
        ("state", {"best_step": 10**30}, r"`state.best_step` must be less than"),
        ("state", {"best_score": "0.5"}, r"`state.best_score` must be a valid number"),
        ("memory", {"window": {"loss": ["a"]}}, r"`memory.window.loss.0` must be a valid number"),
        ("memory", {"history": {"examples": {}}}, r"`memory.history"),
        ("memory", {"rollbacks": [{"at": 3}]}, r"expected `memory.rollbacks.0.to`"),
        (
            "memory",
            {"history": {"examples": {}, "planned_steps": 1.0, "schedules": [[0, {**SCHEDULE, "warmup_steps": 10}]]}},
            r"a schedule whose warm-up is a part of it",
        ),
    ],
)
def test_a_checksum_that_fits_is_no_reason_to_believe_the_rest(folder, part, value, said):
    about = {**folder.about(12), part: value}
    _write_about(folder.path / "ckpt-12", about)
    with pytest.raises(DamageError, match=rf"ckpt-12: about.json is not as it is written \(.*{said}"):
        folder.whole(12)
    memory = folder.memory()
    assert memory is not None  # of the one before


def test_what_a_later_version_notes_besides_is_left_aside(folder):
    kept = {"step": 4, "metrics": {}, "validation_loss": None, "files": {}}
    folder.amend(12, {}, {"kept": {**kept, "more": 1}, "others": 2})
    assert folder.whole(12).memory == Memory(kept=Kept(**kept))


def test_a_pipe_by_the_name_of_a_file_is_damage(folder):
    path = folder.path / "ckpt-12" / DATA
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(DamageError, match=f"{DATA} is no file"):
        folder.whole(12)
