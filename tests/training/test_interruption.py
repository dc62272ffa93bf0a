"""Ctrl-C: the updates under way end, a checkpoint of them is written, and the run resumes to the same weights."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bert_tf.command_line import run_command
from bert_tf.errors import Stopped
from bert_tf.training import loop
from bert_tf.training.interruption import SAID, Interruption
from tests.conftest import REPOSITORY
from tests.training import tiny_run
from tests.training.conftest import EXACT, assert_same_weights, weights


@pytest.fixture(autouse=True)
def takes_ctrl_c():
    """Tests that are started in the background may have been told to ignore it, and their child processes with them."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


class Fake:
    """A run of 12 updates with an evaluation after each 6, where Ctrl-C is pressed in one place or another."""

    def __init__(self, interruption: Interruption, *, updates: int = 0, evaluation: bool = False) -> None:
        self.interruption, self.updates, self.evaluation = interruption, updates, evaluation
        self.done, self.saves, self.evaluations, self.saved = 3, {6, 12}, {6, 12}, []
        self.meter = SimpleNamespace(store=lambda: None)
        checkpoints = SimpleNamespace(
            save=self.saved.append, latest_step=lambda: self.saved[-1] if self.saved else None
        )
        self.setup = SimpleNamespace(checkpoints=checkpoints, total_steps=12)

    def take_steps(self) -> None:
        for _ in range(self.updates):
            signal.raise_signal(signal.SIGINT)
        self.done += 1

    def evaluate(self) -> None:
        if self.evaluation:
            signal.raise_signal(signal.SIGINT)
            raise AssertionError("Ctrl-C had no effect")


def run_on(run: Any) -> None:
    while run.done < 9:
        loop.Loop.go_to_next_stop(run)


@pytest.mark.parametrize(
    ("pressed", "said"),
    [
        (
            {"updates": 1},
            "stopped at step 4 of 12. The last checkpoint is of step 4; the same command resumes from there",
        ),
        ({"updates": 2}, "stopped at step 3 of 12. There is no checkpoint yet; the same command begins again"),
        (
            {"evaluation": True},
            "stopped at step 6 of 12. The last checkpoint is of step 6; the same command resumes from there",
        ),
    ],
)
def test_updates_are_waited_for_and_evaluations_are_not(pressed, said, capsys):
    interruption = Interruption()
    run: Any = Fake(interruption, **pressed)
    with interruption, pytest.raises(KeyboardInterrupt):
        run_on(run)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert loop.Loop.stopped(run) == said
    assert (SAID in capsys.readouterr().err) == ("updates" in pressed)


@pytest.mark.slow
def test_a_run_that_was_stopped_ends_where_it_would_have_ended(tiny: Path, one_device, monkeypatch, capsys):
    make_engine = loop.make_engine

    def interrupting(*arguments: Any, start: int) -> Any:
        run_steps, calls = make_engine(*arguments, start=start), iter(range(start, 99))

        def run(count: int) -> Any:
            if next(calls) == 3:
                signal.raise_signal(signal.SIGINT)
            return run_steps(count)

        return run

    settings = {**EXACT, "training.strategy": "one_device"}
    with monkeypatch.context() as patch:
        patch.setattr(loop, "make_engine", interrupting)
        with pytest.raises(Stopped, match=r"^stopped at step 4 of 12\. The last checkpoint is of step 4; "):
            tiny_run.run(tiny, "stopped", settings)
    assert [path.name for path in (tiny / "stopped" / "checkpoints").glob("*.index")] == ["ckpt-4.index"]
    tiny_run.run(tiny, "stopped", settings)
    assert "resuming from step 4 of 12" in capsys.readouterr().err
    assert_same_weights(weights(tiny, "stopped"), one_device(EXACT))


def test_a_handler_of_the_program_is_left_alone_and_so_are_threads():
    taken = []
    before = signal.signal(signal.SIGINT, lambda *arguments: taken.append(arguments[0]))
    try:
        with Interruption() as interruption, interruption.held():
            signal.raise_signal(signal.SIGINT)
        assert taken == [signal.SIGINT]
        assert not interruption.asked
    finally:
        signal.signal(signal.SIGINT, before)
    entered = []

    def in_thread() -> None:
        with Interruption():
            entered.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=in_thread)
    thread.start()
    thread.join()
    assert entered == [signal.default_int_handler]


def test_the_command_says_so_and_has_status_130(capsys):
    def command(argv):
        raise Stopped("stopped at step 4 of 10. The last checkpoint is of step 4")

    with pytest.raises(SystemExit) as ended:
        run_command("bert_tf train", command)
    assert ended.value.code == 130
    assert capsys.readouterr().err == "bert_tf train: stopped at step 4 of 10. The last checkpoint is of step 4\n"


@pytest.mark.slow
def test_so_it_is_of_a_process(tiny: Path, tmp_path: Path):
    flags = ["--task=sst2", f"--data={tiny / 'data'}", f"--backbone={tiny / 'backbone'}", f"--run={tmp_path / 'run'}"]
    process = subprocess.Popen(
        [sys.executable, "-m", "bert_tf", "train", *flags, "--set", "training.epochs=100000"],
        cwd=REPOSITORY, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    deadline = time.monotonic() + 200
    while not (tmp_path / "run" / "checkpoints").exists():
        assert process.poll() is None, process.communicate()[1][-3000:]
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, error = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "")
    last = error.splitlines()[-1]
    assert last.startswith("python -m bert_tf train: stopped at step ")
    assert last.endswith("; the same command resumes from there")
