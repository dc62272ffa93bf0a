"""The command that writes shards, and that training on them is training on the text."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from bert_tf import prepare
from bert_tf.config import Layer, resolve
from bert_tf.errors import UserError
from bert_tf.kinds.definitions import load_task
from tests.data.corpora import pretraining_sets as sets

SETTINGS = ["data.sequence_length=24", "pretraining.validation_share=0.2"]


@pytest.fixture
def folder(tmp_path) -> Path:
    """With text.txt and words/, a vocabulary."""
    sets.write_corpus(tmp_path / "text.txt", documents=20)
    sets.tokenizer().save_pretrained(tmp_path / "words")
    return tmp_path


def arguments(folder: Path, *more: str) -> list[str]:
    settings = [*SETTINGS, f"vocabulary={folder / 'words'}", f"pretraining.cache={folder / 'cache'}"]
    return [f"--input={folder / 'text.txt'}", f"--output={folder / 'shards'}", "--backbone=tiny", *more,
            "--set", *settings]  # fmt: skip


@pytest.fixture
def without_beam(monkeypatch) -> list[str]:
    """Jobs are done here, one after the other. Gives the flags that were meant for Beam."""
    given: list[str] = []

    def run(name, jobs):
        for function, values in jobs:
            function(*values)

    monkeypatch.setattr(prepare, "beam_runner", lambda prog, flags: given.extend(flags) or run)
    return given


def train(folder: Path, data: Path, run: str) -> list[dict]:
    """Three epochs on `data`. Returns: what training reported."""
    from bert_tf.training.loop import train

    values = {
        "task": "pretrain",
        "backbone": "tiny",
        "vocabulary": str(folder / "words"),
        "data": {"sequence_length": 24},
        "pretraining": {"validation_share": 0.2, "cache": str(folder / "cache")},
        "training": {"epochs": 2, "batch_examples": 8, "learning_rate": 0.01, "evaluate_every_steps": 1000},
    }
    config = resolve([Layer(origin="test", values=values)])
    (folder / run).mkdir()
    train(config, load_task("pretrain"), folder / run, data=str(data))
    return [json.loads(line) for line in (folder / run / "metrics.jsonl").read_text().splitlines()]


@pytest.mark.slow
def test_training_on_shards_has_the_losses_of_training_on_the_text(folder, without_beam):
    prepare.main(arguments(folder, "--epochs=2"))
    one, other = train(folder, folder / "text.txt", "text"), train(folder, folder / "shards", "prepared")
    same = ("step", "loss", "masked_lm_loss", "next_sentence_loss", "gradient_norm", "masked_lm_accuracy")
    assert len(one) == len(other) > 1
    for a, b in zip(one, other, strict=True):
        assert {name: a[name] for name in same if name in a} == {name: b[name] for name in same if name in b}


def test_shards_and_manifest_appear_together(folder, without_beam, capsys):
    prepare.main(arguments(folder, "--epochs=2", "--runner=Here", "--workers=3"))
    assert without_beam == ["--runner=Here", "--workers=3"]
    found = json.loads(capsys.readouterr().out)
    manifest = json.loads((folder / "shards" / "manifest.json").read_text())
    names = {path.name for path in (folder / "shards").iterdir()}
    assert names == {"manifest.json", *(f"{split}.tfrecord" for split in ("train-000-00000", "train-001-00000",
                                                                       "validation-000-00000"))}  # fmt: skip
    assert found["shards"] == 3
    assert found["examples"] == sum(entry["examples"] for part in manifest["splits"].values() for entry in part)
    assert manifest["settings"] == {"pair": "next_sentence", "sequence_length": 24, "short_share": 0.1}
    assert not [path for path in folder.iterdir() if "writing" in path.name]
    kind = load_task("pretrain").configured(
        resolve([Layer(origin="x", values={"task": "pretrain", "data": {"sequence_length": 24}})])
    )
    stream = kind.features(sets.tokenizer(), kind.read(str(folder / "shards"), "train"))
    assert len(stream) == manifest["splits"]["train"][0]["examples"]


def test_a_failure_leaves_nothing(folder, without_beam, monkeypatch):
    from bert_tf.data.corpora import shards

    def fail(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shards, "write_shard", fail)
    with pytest.raises(UserError, match=r"--output=.*cannot be written: No space left on device"):
        prepare.main(arguments(folder))
    assert sorted(path.name for path in folder.iterdir()) == ["cache", "text.txt", "words"]


@pytest.mark.parametrize(
    ("more", "match"),
    [
        (["--epochs=0"], r"--epochs must be 1 or more. Received: 0"),
        (["--task=sst2"], r"--task=sst2: expected a task of pre-training. Received: Classification"),
        (["--input=nothing.txt"], r"--data=nothing.txt: expected a folder or file"),
        (["--output=."], r"--output=.: expected a folder that is empty or not there. Received: one with files"),
    ],
)
def test_wrong_uses(folder, without_beam, more, match):
    given = [argument for argument in arguments(folder) if argument.split("=")[0] != more[0].split("=")[0]]
    with pytest.raises(UserError, match=match):
        prepare.main([*more, *given])


def test_beam_is_an_extra(folder, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "apache_beam", None)
    with pytest.raises(UserError, match=r"needs an optional package: pip install 'bert_tf\[prepare\]'"):
        prepare.main(arguments(folder))


@pytest.mark.slow
def test_with_beam(folder):
    pytest.importorskip("apache_beam", reason="apache-beam is not installed: pip install 'bert_tf[prepare]'")
    with pytest.raises(UserError, match=r"unrecognized arguments: --no-such-flag=1"):
        prepare.main([*arguments(folder), "--no-such-flag=1"])
    prepare.main([*arguments(folder), "--direct_num_workers=1"])
    manifest = json.loads((folder / "shards" / "manifest.json").read_text())
    assert [len(part) for part in manifest["splits"].values()] == [1, 1]
    sizes = [(folder / "shards" / entry["file"]).stat().st_size for entry in manifest["splits"]["train"]]
    np.testing.assert_array_equal(sizes, [entry["bytes"] for entry in manifest["splits"]["train"]])
