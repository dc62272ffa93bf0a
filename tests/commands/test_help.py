"""One name for all commands, and what each says of itself."""

from __future__ import annotations

import importlib
import re
import shlex
import subprocess
import sys
from importlib.metadata import version

import pytest

from bert_tf import __main__ as entry
from bert_tf import __version__
from bert_tf.command_line import Parser, train_parser
from bert_tf.command_line.help import Show
from bert_tf.config import keys_and_meanings
from bert_tf.errors import UserError
from tests.conftest import REPOSITORY


class ParsedError(Exception):
    """Ends a command where it has read its flags."""


def parsed(command: str, flags: list[str], monkeypatch: pytest.MonkeyPatch) -> Parser:
    """The parser of a command that has read these flags. Raises: UserError if it does not know them."""
    found: list[Parser] = []
    read = Parser.parse_known_args

    def parse_known_args(self: Parser, args=None, namespace=None):
        found.append(self)
        _, rest = read(self, args, namespace)
        if command == "sweep":  # its other flags are those of a training
            _, rest = read(train_parser("train", None), rest)
        raise ParsedError if not rest else AssertionError(rest)

    monkeypatch.setattr(Parser, "parse_known_args", parse_known_args)
    with pytest.raises(ParsedError):
        importlib.import_module(f"bert_tf.{command}").main(flags)
    return found[-1]


def test_every_command_is_listed(capsys):
    commands = {
        path.parent.name if path.stem == "__main__" else path.stem
        for path in [*(REPOSITORY / "bert_tf").glob("*.py"), *(REPOSITORY / "bert_tf").glob("*/__main__.py")]
        if "run_command(PROG, main)" in path.read_text(encoding="utf-8")
    }
    assert commands == set(entry.COMMANDS)
    for argv in ([], ["--help"], ["-h"], ["help"]):
        assert entry.main(argv) == 0
        lines = capsys.readouterr().out.splitlines()
        assert [line.split()[0] for line in lines if re.match(r"  \w+  +\w", line)] == list(entry.COMMANDS)


def test_versions_are_those_of_the_installed_packages(capsys):
    assert entry.main(["--version"]) == 0
    said = capsys.readouterr().out
    assert said.startswith(f"bert_tf {__version__}, tensorflow {version('tensorflow')}, ")
    assert f"keras {version('keras')}, Python {sys.version.split()[0]}, " in said


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (["trian"], r"^unknown command 'trian'\. Did you mean 'train'\? There are: train, evaluate, "),
        (["--task=sst2"], r"^expected a command first, such as \S+( -m bert_tf)? train --task=sst2\."),
        (["train", "--tsak=x"], r"^unrecognized arguments: --tsak=x\. Did you mean '--task'\?"),
        (["evaluate", "--runs=x", "more"], r"^unrecognized arguments: --runs=x more\. Did you mean '--run'\?"),
        (["evaluate", "more"], r"^unrecognized arguments: more \(see --help\)$"),
    ],
)
def test_what_is_mistyped_gets_the_nearest(argv, expected):
    with pytest.raises(UserError, match=expected):
        entry.main(argv)


def test_errors_name_the_command_as_it_was_typed():
    done = subprocess.run(
        [sys.executable, "-m", "bert_tf", "evaluate", "--run=nowhere"],
        cwd=REPOSITORY, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("python -m bert_tf evaluate: error: --run=nowhere: expected a run folder.")


def test_the_console_script_is_there():
    """setup.py names it, as a checkout that is not installed has no script to run."""
    setup = (REPOSITORY / "setup.py").read_text(encoding="utf-8")
    ((name, module, function),) = re.findall(r'"console_scripts": \["(\w+) = ([\w.]+):(\w+)"\]', setup)
    assert (name, getattr(importlib.import_module(module), function)) == ("bert_tf", entry.script)


@pytest.mark.parametrize("command", entry.COMMANDS)
def test_help_is_short_with_examples_that_are_read_and_help_all_has_every_flag(command, monkeypatch, capsys):
    module = importlib.import_module(f"bert_tf.{command}")
    with pytest.raises(SystemExit) as ended:
        module.main(["--help"])
    assert ended.value.code == 0
    short = capsys.readouterr().out
    examples = re.findall(rf"^  python -m bert_tf\.{command} (.+)$", short, re.MULTILINE)
    assert len(examples) == 3
    assert len(short.splitlines()) <= 60
    parsers = [parsed(command, shlex.split(example), monkeypatch) for example in examples]

    long = parsers[0].format_help()
    flags = [action for action in parsers[0]._actions if not isinstance(action, Show)]
    assert all(f"\n  {action.option_strings[0]}" in long for action in flags)
    assert all(action.option_strings[-1] in short for action in flags), "named at least"
    explained = [name for names in parsers[0].groups.values() for name in names]
    assert len(explained) == len(set(explained))
    assert short.endswith(f"\n\nAll flags and settings: python -m bert_tf.{command} --help-all\n")
    if command == "train":
        assert all(f"  {key} = " in long for key in keys_and_meanings())
        assert "training.adam" not in short
