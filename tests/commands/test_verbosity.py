"""--verbosity: one flag of all commands for what they say on stderr; and how messages read in Python."""

from __future__ import annotations

import json
import logging

import pytest

from bert_tf import train
from bert_tf.command_line import LEVELS, Parser, is_said, say, set_verbosity
from bert_tf.command_line.saying import show_warnings
from bert_tf.errors import in_python

LOGGERS = ("bert_tf", "bert_tf.progress", "tensorflow", "absl")


@pytest.fixture(autouse=True)
def _as_before():
    from absl import logging as absl_logging

    before = {name: (logging.getLogger(name).level, [*logging.getLogger(name).handlers]) for name in LOGGERS}
    absl_level = absl_logging.get_verbosity()
    yield
    absl_logging.set_verbosity(absl_level)
    for name, (level, handlers) in before.items():
        logging.getLogger(name).setLevel(level)
        logging.getLogger(name).handlers[:] = handlers


@pytest.mark.parametrize("level", LEVELS)
def test_what_each_level_says(level, capsys):
    Parser("prog", "what it does").parse_args([f"--verbosity={level}"])
    say("a line of the command")
    logger = logging.getLogger("bert_tf.data.rows.bad_rows")
    for name, number in LEVELS.items():
        logger.log(number, "from the library: %s", name)
    wanted = {
        "debug": ["a line of the command", *(f"from the library: {name}" for name in LEVELS)],
        "info": ["a line of the command"],
        "warning": [],
        "error": [],
    }
    assert capsys.readouterr().err.splitlines() == wanted[level]  # warnings are shown by Python itself: see below
    assert logger.isEnabledFor(logging.WARNING) == (level != "error")
    assert is_said() == (level in ("debug", "info"))
    others = [logging.getLogger(name).isEnabledFor(logging.WARNING) for name in ("tensorflow", "absl")]
    assert others == [level != "error"] * 2


def test_the_default_is_info_and_leaves_other_loggers_alone():
    before = {name: logging.getLogger(name).level for name in ("", "bert_tf", "tensorflow", "absl")}
    Parser("prog", "what it does").parse_args([])
    assert is_said()
    assert {name: logging.getLogger(name).level for name in before} == before


def test_a_program_that_logs_gets_the_warnings_of_the_library(capsys, monkeypatch):
    taken = []
    own = logging.Handler()
    monkeypatch.setattr(own, "emit", lambda record: taken.append(record.getMessage()))
    logging.root.addHandler(own)
    try:
        set_verbosity("info")
        logging.getLogger("bert_tf.text").warning("seen")
        say("what a command says is said once")
    finally:
        logging.root.removeHandler(own)
    assert taken == ["seen"]
    assert capsys.readouterr().err == "what a command says is said once\n"


def test_a_command_of_its_own_shows_bare_warnings_once_whatever_absl_does(capsys, monkeypatch):
    from absl import logging as absl_logging

    monkeypatch.setattr(logging.root, "handlers", [])
    show_warnings()
    absl_logging.info("absl gives the root logger a handler, unless it has one")
    logging.getLogger("bert_tf.training.loop").warning("only %d updates", 2)
    logging.getLogger("another").warning("seen")
    set_verbosity("debug")
    logging.getLogger("bert_tf.training.loop").warning("once")
    assert capsys.readouterr().err.splitlines() == ["only 2 updates", "WARNING:another:seen", "once"]


def test_a_quiet_command_prints_its_result_alone(loop, tmp_path, capsys):
    train.main(["--task=sst2", f"--run={tmp_path / 'run'}", "--verbosity=warning"])
    said = capsys.readouterr()
    assert said.err == ""
    assert json.loads(said.out)["metrics"] == {"accuracy": 0.5}
    assert loop[0]["progress"] is False


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("--task is needed. There are: sst2", "`task` is needed. There are: sst2"),
        ("--data=x --y: expected a folder", "data=x `y`: expected a folder"),
        ("say --skip-bad-rows=0.25", "say skip_bad_rows=0.25"),
        ("Give another --run folder, or --set seed=2", "Give another `run` folder, or `settings` seed=2"),
        (
            "no model yet; train it with python -m bert_tf.train --task=sst2 --run=x",
            "no model yet; train it with python -m bert_tf.train --task=sst2 --run=x",
        ),
        ("a -- b, 3--4, text--", "a -- b, 3--4, text--"),
    ],
)
def test_messages_name_the_arguments_of_python(message, shown):
    assert in_python(message) == shown
