"""All commands by one name: python -m bert_tf, or bert_tf once the package is installed."""

from __future__ import annotations

import importlib
import platform
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from bert_tf import __version__
from bert_tf.command_line.process import run_command
from bert_tf.errors import UserError, did_you_mean

COMMANDS = {
    "train": "fine-tune on a task, or on your own files",
    "evaluate": "score a trained run, or any model",
    "report": "write a page about a run: its scores, figures and mistakes",
    "predict": "answer new texts",
    "search": "find texts by meaning",
    "export": "write a model that serves, or fits a phone",
    "prepare": "make examples for pre-training ahead of it",
    "vocabulary": "learn the words of a corpus",
    "sweep": "train with several settings and seeds, side by side",
    "launch": "train with several workers, on this machine or on many",
}
"""Name -> what it does, in the order in which they are usually needed."""

PACKAGES = ("tensorflow", "tensorflow-text", "keras")
LISTING = """BERT in Keras 3 and TensorFlow, {version}.

usage: {called} COMMAND [flags]

{commands}

  {called} COMMAND --help    what a command needs, with examples
  {called} --version         versions of this and of what it stands on

A first try:
  {called} train --task=sst2 --data=sample --run=runs/first
"""


def main(argv: Sequence[str] | None = None) -> int | None:
    """Runs the command of the first argument with the others; without one, lists the commands."""
    name, *flags = (sys.argv[1:] if argv is None else argv) or [""]
    if name == "help":  # as other programs have it
        name, flags = (flags[0], ["--help"]) if flags else ("", [])
    if name in ("", "-h", "--help"):
        commands = "\n".join(f"  {command:<12}{what}" for command, what in COMMANDS.items())
        print(LISTING.format(version=__version__, called=_called(), commands=commands), end="")
        return 0
    if name == "--version":
        versions = ", ".join(f"{package} {_version(package)}" for package in PACKAGES)
        print(f"bert_tf {__version__}, {versions}, Python {platform.python_version()}, {platform.platform()}")
        return 0
    if name.startswith("-"):
        raise UserError(f"expected a command first, such as {_called()} train {name}. Received: {name}")
    if name not in COMMANDS:
        raise UserError(f"unknown command {name!r}.{did_you_mean(name, COMMANDS)} There are: {', '.join(COMMANDS)}")
    return importlib.import_module(f"bert_tf.{name}").main(flags)


def script() -> None:
    """The console script `bert_tf`. In errors, the command is named as it was typed."""
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    run_command(f"{_called()} {name}" if name in COMMANDS else _called(), main)


def _called() -> str:
    return "python -m bert_tf" if Path(sys.argv[0]).name == "__main__.py" else "bert_tf"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


if __name__ == "__main__":
    script()
