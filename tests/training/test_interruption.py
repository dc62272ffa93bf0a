"""Ctrl-C, SIGTERM, SIGHUP: the updates under way end, a checkpoint of them is written, and the run resumes exactly."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from bert_tf.command_line import run_command
from bert_tf.errors import Stopped
from bert_tf.training import loop
from bert_tf.training.interruption import SAID, Interruption
from tests.conftest import REPOSITORY
from tests.training import tiny_run
from tests.training.conftest import EXACT, assert_same_weights, weights

STATUS = {signal.SIGINT: 130, signal.SIGTERM: 75, signal.SIGHUP: 75}


@pytest.fixture(autouse=True)
def takes_signals():
    """Tests that are started in the background may have been told to ignore it, and their child processes with them."""
    usual = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL, signal.SIGHUP: signal.SIG_DFL}
    before = {number: signal.signal(number, handler) for number, handler in usual.items()}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


class Fake:
    """A run of 12 updates with an evaluation after each 6, to which a signal comes in one place or another."""

    def __init__(
        self,
        interruption: Interruption,
        number: int,
        *,
        updates: int = 0,
        evaluation: bool = False,
        saves: Any = (6, 12),
    ) -> None:
        self.interruption, self.number, self.updates, self.evaluation = interruption, number, updates, evaluation
        self.options = SimpleNamespace(mode="fine_tune")
        self.done, self.saves, self.evaluations, self.saved = 3, set(saves), {6, 12}, []
        checkpoints = SimpleNamespace(
            save=self.saved.append, latest_step=lambda: self.saved[-1] if self.saved else None
        )
        self.setup = SimpleNamespace(
            checkpoints=checkpoints, total_steps=12, kind=None, placement=SimpleNamespace(peers=None)
        )

    def take_steps(self) -> None:
        for _ in range(self.updates):
            signal.raise_signal(self.number)
        self.done += 1

    def save(self) -> None:
        self.setup.checkpoints.save(self.done)

    def watch(self) -> Any:
        signal.raise_signal(self.number)
        raise AssertionError("the signal had no effect")

    def evaluate(self) -> None:
        if self.evaluation:
            loop.Loop.evaluate(cast("loop.Loop", self))


def run_on(run: Any) -> None:
    while run.done < 9:
        loop.Loop.go_to_next_stop(run)


@pytest.mark.parametrize("number", STATUS, ids=lambda number: number.name)
@pytest.mark.parametrize(
    ("pressed", "said"),
    [
        (
            {"updates": 1},
            "stopped at step 4 of 12. The last checkpoint is of step 4; the same command resumes from there",
        ),
        ({"updates": 2}, "stopped at step 3 of 12. There is no checkpoint yet; the same command begins again"),
        (
            {"evaluation": True, "saves": [12]},  # no checkpoint is due where the evaluation is
            "stopped at step 6 of 12. The last checkpoint is of step 6; the same command resumes from there",
        ),
        (
            {"evaluation": True},
            "stopped at step 6 of 12. The last checkpoint is of step 6; the same command resumes from there",
        ),
    ],
)
def test_updates_are_waited_for_and_evaluations_are_not(number, pressed, said, capsys):
    interruption, before = Interruption(), signal.getsignal(number)
    run: Any = Fake(interruption, number, **pressed)
    with interruption, pytest.raises(KeyboardInterrupt) as stopped:
        run_on(run)
    assert signal.getsignal(number) is before
    assert getattr(stopped.value, "status", 130) == STATUS[number]
    assert loop.Loop.stopped(run) == said
    once_more = SAID.format(once_more="Ctrl-C" if number == signal.SIGINT else number.name)
    assert (once_more in capsys.readouterr().err) == ("updates" in pressed)


def test_a_signal_that_is_ignored_stays_ignored():
    """As `nohup` has SIGHUP."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    interruption = Interruption()
    with interruption, interruption.held():
        signal.raise_signal(signal.SIGHUP)
    assert interruption.asked == 0
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN


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
    assert [path.name for path in (tiny / "stopped" / "checkpoints").iterdir()] == ["ckpt-4"]
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


@pytest.mark.parametrize("status", [130, 75])
def test_the_command_says_so_and_has_its_status(capsys, status):
    def command(argv):
        raise Stopped("stopped at step 4 of 10. The last checkpoint is of step 4", status)

    with pytest.raises(SystemExit) as ended:
        run_command("bert_tf train", command)
    assert ended.value.code == status
    assert capsys.readouterr().err == "bert_tf train: stopped at step 4 of 10. The last checkpoint is of step 4\n"


WRITES = """
import sys, time
from bert_tf.command_line import run_command
from bert_tf.weights.files import written_folder

def command(argv):
    with written_folder(sys.argv[1]) as work:
        (work / "saved_model.pb").write_text("half")
        print("writing", flush=True)
        time.sleep(600)

run_command("bert_tf export", command)
"""


@pytest.mark.parametrize("number", STATUS, ids=lambda number: number.name)
def test_whatever_is_being_written_is_taken_away(tmp_path, number):
    process = subprocess.Popen(
        [sys.executable, "-c", WRITES, str(tmp_path / "models" / "1")],
        cwd=REPOSITORY, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "writing\n"
    process.send_signal(number)
    _, error = process.communicate(timeout=60)
    said = "stopped" if number == signal.SIGINT else f"stopped by {number.name}"
    assert (process.returncode, error) == (STATUS[number], f"bert_tf export: {said}\n")
    assert list(tmp_path.iterdir()) == []


HOLDS = """
import sys
from bert_tf.command_line import run_command
from bert_tf.training.interruption import Interruption

def command(argv):
    with Interruption() as interruption, interruption.held():
        print("held", flush=True)
        sys.stdin.readline()
        print("ended", int(interruption.asked), flush=True)

run_command("bert_tf train", command)
"""


def test_a_terminal_that_has_gone_stops_a_run_as_any_signal_does():
    """What is said on it is an error then, which is to lose nothing."""
    ours, theirs = os.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDS], cwd=REPOSITORY, stderr=theirs, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    os.close(theirs)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    os.close(ours)
    process.send_signal(signal.SIGHUP)
    out, _ = process.communicate("\n", timeout=60)
    assert (out, process.returncode) == (f"ended {int(signal.SIGHUP)}\n", 75)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_so_it_is_of_a_process(tiny: Path, tmp_path: Path, number: signal.Signals):
    flags = ["--task=sst2", f"--data={tiny / 'data'}", f"--backbone={tiny / 'backbone'}", f"--run={tmp_path / 'run'}"]
    process = subprocess.Popen(
        [sys.executable, "-m", "bert_tf", "train", *flags, "--set", "training.epochs=100000"],
        cwd=REPOSITORY, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    deadline = time.monotonic() + 400
    try:
        while not (tmp_path / "run" / "checkpoints").exists():
            assert process.poll() is None, process.communicate()[1][-3000:]
            assert time.monotonic() < deadline
            time.sleep(0.05)
        process.send_signal(number)
        out, error = process.communicate(timeout=60)
    finally:
        process.kill()
    assert (process.returncode, out) == (STATUS[number], "")
    last = error.splitlines()[-1]
    assert last.startswith("python -m bert_tf train: stopped at step ")
    assert last.endswith("; the same command resumes from there")
