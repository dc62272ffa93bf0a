"""How a command starts: what is wrong with its data is said before TensorFlow is imported; nothing is left."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bert_tf.command_line import saying
from tests.conftest import REPOSITORY, REVIEWS

SAMPLES = ("wnut17", "squad", "swag", "scitldr", "multi30k_ende", "cranfield")

# Runs commands, [[name, flags], ...], where TensorFlow and Keras cannot be imported, and prints each one's error.
WITHOUT_TENSORFLOW = """
import importlib, json, sys

class Bar:
    def find_spec(name, path=None, target=None):
        if name in ("tensorflow", "tensorflow_text", "keras"):
            raise AssertionError(f"{name} is imported")

sys.meta_path.insert(0, Bar)
for command, flags in json.loads(sys.argv[1]):
    try:
        importlib.import_module(f"bert_tf.{command}").main(flags)
    except BaseException as error:
        print(json.dumps([type(error).__name__, str(error)]))
    else:
        print(json.dumps(["", ""]))
"""


def listing(folder: Path) -> dict[str, bytes | None]:
    """Everything below a folder: path -> content, None for folders."""
    return {str(path.relative_to(folder)): None if path.is_dir() else path.read_bytes() for path in folder.rglob("*")}


def errors_without_tensorflow(commands: list[tuple[str, list[str]]]) -> list[list[str]]:
    """Class and message of the error that each command ends with."""
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_TENSORFLOW, json.dumps(commands)],
        cwd=REPOSITORY, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture
def sets(tmp_path: Path) -> Callable[..., Path]:
    """Makes a folder of SST-2 with these files."""

    def make(name: str, train: str = REVIEWS, dev: str = REVIEWS) -> Path:
        folder = tmp_path / "sets" / name
        folder.mkdir(parents=True)
        (folder / "train.tsv").write_text(train)
        (folder / "dev.tsv").write_text(dev)
        return folder

    return make


def test_data_are_checked_before_tensorflow_is_imported_and_nothing_is_left(sets, tiny_run, tmp_path):
    cut = sets("cut", train=REVIEWS + "three\tcells\t1\n")
    label = sets("label", dev=REVIEWS + "fine\tmaybe\n")
    column = sets("column", train=REVIEWS.replace("sentence", "review"))
    empty = sets("empty", train="")
    bare = sets("bare", dev=REVIEWS)
    (bare / "dev.tsv").unlink()
    good = sets("good")
    run, out = tmp_path / "new" / "run", tmp_path / "new" / "out"
    trained = Path(shutil.copytree(tiny_run, tmp_path / "trained"))

    def train(*flags: str) -> tuple[str, list[str]]:
        return "train", ["--task=sst2", f"--run={run}", *flags]

    def export(*flags: str) -> tuple[str, list[str]]:
        return "export", [f"--run={trained}", f"--out={out}", "--format=saved_model", *flags]

    cases = [
        (train(f"--data={cut}"), "train.tsv:5: expected 2 columns (sentence, label)"),
        (train(f"--data={label}"), "dev.tsv:5: "),
        (train(f"--data={column}"), "sentence"),
        (train(f"--data={empty}"), "train.tsv"),
        (train(f"--data={bare}"), "dev.tsv"),
        (train("--data=nowhere"), "--data=nowhere: expected a folder or file"),
        (train(f"--data={good / 'train.tsv'}"), "Received: a single file"),
        (train(f"--data={good}", "--set", "training.learning_rate=-1"), "training.learning_rate"),
        (train(f"--data={good}", "--set", "training.epoch=1"), "Did you mean 'training.epochs'?"),
        (train(f"--data={good}", "--bakcbone=tiny"), "unrecognized arguments: --bakcbone=tiny"),
        (train(f"--data={good}", "--encoding=utf-99"), "utf-99"),
        (train(f"--data={good}", "--backbone=bert-base-uncased"), "did you mean hf://google-bert/bert-base-uncased?"),
        (train(f"--data={good}", "--backbone=hf://a/b/c"), "--backbone=hf://a/b/c: `hf://a/b/c` is not of the form"),
        (train(f"--data={label}", "--backbone=hf://a/b/c"), "dev.tsv:5: "),  # no hub is asked for bad data
        (("evaluate", [f"--run={trained}", f"--data={label}"]), "dev.tsv:5: "),
        (("evaluate", [f"--run={trained}", f"--data={good}", "--split=tset"]), "tset"),
        (export(f"--data={label}"), "dev.tsv:5: "),
        (export(f"--data={good}", "--set", "qauntize=int8"), "qauntize"),
        (("predict", [f"--run={trained}", "--input=nowhere.csv", f"--output={out / 'a.jsonl'}"]), "nowhere.csv"),
        (("predict", [f"--run={trained}", "--text=x", f"--output={out / 'a.parquet'}"]), ".parquet"),
        (("search", ["--model=minilm", "--corpus=nowhere.csv", f"--index={out}"]), "nowhere.csv"),
        (
            (
                "search",
                ["--model=hf://a/b/c", f"--corpus={good / 'train.tsv'}", "--text-column=sentence", f"--index={out}"],
            ),
            "--model=hf://a/b/c: `hf://a/b/c` is not of the form",
        ),
        (("prepare", ["--task=pretrain", "--input=nowhere", f"--output={out}"]), "nowhere"),
    ]
    before = listing(tmp_path)
    found = errors_without_tensorflow([command for command, _ in cases])
    assert listing(tmp_path) == before
    for (command, expected), (error, message) in zip(cases, found, strict=True):
        assert error == "UserError", (command, error, message)
        assert expected in message, (command, message)


def test_good_data_are_read_before_tensorflow_is_imported(sets, tmp_path):
    """Nothing else stops the run: Keras is what `start_tensorflow` imports first, and what holds back the remarks that
    TensorFlow writes while it is loaded."""
    windows = ["--task=sst2", "--set", "data.long_texts=windows"]
    asked = [
        ["--task=sst2", f"--data={sets('good')}"],
        *([*flags, "--data=sample"] for flags in (windows, *([f"--task={name}"] for name in SAMPLES))),
    ]
    commands = [("train", [*flags, f"--run={tmp_path / 'run'}"]) for flags in asked]
    for flags, found in zip(asked, errors_without_tensorflow(commands), strict=True):
        assert found == ["AssertionError", "keras is imported"], flags
    assert not (tmp_path / "run").exists()


class Terminal:
    """Notes what is written to it."""

    def __init__(self) -> None:
        self.written: list[str] = []

    def write(self, text: str) -> None:
        self.written.append(text)

    def flush(self) -> None:
        pass

    def isatty(self) -> bool:
        return True


def test_what_takes_seconds_is_said_before_and_wiped_from_a_terminal(monkeypatch, capsys):
    saying.set_verbosity("info")
    terminal = Terminal()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", terminal)
        with saying.said_while("Loading"):
            assert terminal.written == ["Loading ..."]
        assert terminal.written[1:] == ["\r\x1b[K"]
        with saying.said_while("Loading", unless=True):
            pass
        assert len(terminal.written) == 2
    with saying.said_while("Loading"):
        assert capsys.readouterr().err == "Loading\n"
    assert capsys.readouterr().err == ""
