"""A run folder has one run at a time; of several workers the chief holds it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bert_tf import sweep, train
from bert_tf.disk.locks import lock
from bert_tf.errors import UserError
from bert_tf.training.held import held, is_chief

IN_USE = r"^--run=\S+ is being written by this process already$"


@pytest.mark.parametrize("command", [train.main, sweep.main], ids=["train", "sweep"])
def test_a_second_one_is_refused_before_any_work_and_leaves_no_trace(tmp_path, reviews, command, monkeypatch):
    run = tmp_path / "run"
    monkeypatch.setattr(train, "read_examples", lambda *_, **__: pytest.fail("it works"))
    with lock(run / ".lock", f"--run={run}"):
        with pytest.raises(UserError, match=IN_USE):
            command(["--task=sst2", f"--data={reviews}", f"--run={run}"])
        assert [path.name for path in run.iterdir()] == [".lock"]
    assert not run.exists()


def test_it_is_held_while_the_run_works(tmp_path, reviews, monkeypatch):
    run = tmp_path / "run"

    def second(*arguments, **more):
        with held(run):
            pass

    monkeypatch.setattr(train, "read_examples", second)
    with pytest.raises(UserError, match=IN_USE):
        train.main(["--task=sst2", f"--data={reviews}", f"--run={run}"])
    assert not run.exists()


def cluster(kind: str, index: int, *jobs: str) -> str:
    places = {job: [f"{job}:{port}" for port in range(1, 2 if job == "chief" else 3)] for job in jobs}
    return json.dumps({"cluster": places, "task": {"type": kind, "index": index}})


@pytest.mark.parametrize(
    ("text", "chief"),
    [
        ("", True),
        (cluster("worker", 0, "worker"), True),
        (cluster("worker", 1, "worker"), False),
        (cluster("chief", 0, "chief", "worker"), True),
        (cluster("worker", 0, "chief", "worker"), False),
        (cluster("ps", 0, "chief", "worker", "ps"), False),
        ("{}", True),
        ("[]", True),  # what is wrong with it is said elsewhere
        ("{", True),
    ],
)
def test_the_chief_holds_it_for_all(tmp_path: Path, monkeypatch, text, chief):
    assert is_chief(text) is chief
    monkeypatch.setenv("TF_CONFIG", text)
    with held(tmp_path):
        assert (tmp_path / ".lock").exists() is chief


def test_a_folder_below_a_file_is_one_line(tmp_path, reviews):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"^--run=\S+: expected a folder that can be written"):
        train.main(["--task=sst2", f"--data={reviews}", f"--run={tmp_path / 'file' / 'run'}"])
