"""Answers in shards are those of one process, whole and in order, whatever was killed on the way."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from bert_tf import predict
from bert_tf.errors import UserError
from bert_tf.inference import sharded

TEXTS = [f"{'good film ' * (i % 4)}bad {i}" for i in range(23)]


@pytest.fixture
def done(monkeypatch) -> list[tuple[Any, ...]]:
    """Jobs are done here, the last one first, as any order is allowed. Gives what jobs there were."""
    jobs: list[tuple[Any, ...]] = []

    def run(name, some):
        for function, values in reversed(list(some)):
            jobs.append(values)
            function(*values)

    monkeypatch.setattr(predict, "beam_runner", lambda prog, flags: run)
    return jobs


@pytest.fixture
def source(tmp_path) -> Path:
    """A CSV with a column of its own and a row without a text."""
    lines = ["number,sentence", *(f"{i},{text}" for i, text in enumerate(TEXTS))]
    lines[8] = "7,"
    (tmp_path / "texts.csv").write_text("\n".join(lines) + "\n")
    (tmp_path / "more.csv").write_text("number,sentence\n99,\xff\n", encoding="latin-1")
    return tmp_path / "texts.csv"


def answers(folder: Path, suffix: str = ".jsonl") -> list[dict[str, Any]]:
    files = sorted(folder.glob(f"answers-*{suffix}"))
    return [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]


def flags(run: Path, source: Path, *more: str) -> list[str]:
    return [f"--run={run}", f"--input={source}", f"--shards={source.parent / 'out'}", "--shard-rows=5", *more]


def test_shards_hold_the_answers_of_one_process_in_order(tiny_run, source, done, tmp_path, capsys):
    assert predict.main([f"--run={tiny_run}", f"--input={source}", f"--output={tmp_path / 'whole.jsonl'}"]) == 0
    whole = [json.loads(line) for line in (tmp_path / "whole.jsonl").read_text().splitlines()]
    assert predict.main(flags(tiny_run, source)) == 0
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["about.json", *(f"answers-{i:05d}-of-00005.jsonl" for i in range(5))]
    found = answers(tmp_path / "out")
    assert [row["number"] for row in found] == [row["number"] for row in whole]
    for ours, theirs in zip(found, whole, strict=True):
        for name in ("score", "probabilities"):
            assert ours.pop(name) == pytest.approx(theirs.pop(name), abs=1e-5)
        assert ours == theirs
    about = json.loads((tmp_path / "out" / "about.json").read_text())
    assert about == {"texts": 23, "shards": 5, "errors": 0, "cut": 0, "first_error": None}
    assert not list(tmp_path.glob(".out*"))


def test_a_killed_run_goes_on_and_another_command_does_not(tiny_run, source, done, monkeypatch):
    answer = sharded.answers_of

    def failing(pipeline, chunk):
        if any(each.others.get("number") == "12" for each in chunk):
            raise KeyboardInterrupt
        return answer(pipeline, chunk)

    monkeypatch.setattr(sharded, "answers_of", failing)
    with pytest.raises(KeyboardInterrupt):
        predict.main(flags(tiny_run, source))
    assert not (source.parent / "out").exists()
    assert [number for _, number, _ in done] == [4, 3, 2]
    assert not list(source.parent.rglob("*.partial"))
    monkeypatch.setattr(sharded, "answers_of", answer)
    with pytest.raises(UserError, match=r"parts of this command. Received: those of one with other shard rows"):
        predict.main([*flags(tiny_run, source)[:-1], "--shard-rows=6"])
    done.clear()
    assert predict.main(flags(tiny_run, source)) == 0
    assert [number for _, number, _ in done] == [2, 1, 0]
    assert [int(row["number"]) for row in answers(source.parent / "out")] == list(range(23))


def test_inputs_that_have_changed_are_not_mixed(tiny_run, source, done, monkeypatch):
    def stop(*of_job):
        raise KeyboardInterrupt

    monkeypatch.setattr(sharded, "answer_portion", stop)
    with pytest.raises(KeyboardInterrupt):
        predict.main(flags(tiny_run, source))
    source.write_text(source.read_text() + "23,one more\n")
    with pytest.raises(UserError, match="those of one with other inputs; remove the folder, or give another --shards"):
        predict.main(flags(tiny_run, source))


def test_errors_are_rows_and_are_counted(tiny_run, source, done, capsys):
    assert predict.main(flags(tiny_run, source.parent / "more.csv")) == predict.SOME_ERRORS
    (row,) = answers(source.parent / "out")
    about = json.loads((source.parent / "out" / "about.json").read_text())
    assert about["errors"] == 1
    assert about["first_error"] == row["error"]
    assert "1 texts in 1 shards" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        (["--text=x"], "expected either --text or --input. Received: both"),
        (["--output=x.csv"], "--shards has answers of its own form.* Received: --output as well"),
        (["--shard-format=.npy"], "--shard-format=.npy: expected a run whose answers are vectors"),
        (["--shard-rows=0"], "--shard-rows of 1 or more"),
        (["--input=-"], "expected an --input of files"),
    ],
)
def test_bad_use(more, expected, tiny_run, source, done):
    with pytest.raises(UserError, match=expected):
        predict.main(flags(tiny_run, source, *more))
    assert not list(source.parent.glob("*out*"))


def test_flags_of_beam_are_for_shards(tiny_run):
    with pytest.raises(UserError, match="unrecognized arguments: --runner=Here"):
        predict.main([f"--run={tiny_run}", "--text=good", "--runner=Here"])


def test_vectors_are_arrays(tmp_path):
    stand = SimpleNamespace(kind=SimpleNamespace(serving=SimpleNamespace(vector="vector")))
    rows = [({"vector": [1.0, 2.0]}, {}), ({"error": "x"}, {}), ({"vector": [3.0, 4.0]}, {})]
    found = sharded._vectors(stand, rows)  # pyright: ignore[reportArgumentType]
    np.testing.assert_array_equal(found, np.array([[1, 2], [np.nan, np.nan], [3, 4]], np.float32))


@pytest.mark.slow
def test_beam_itself(tiny_run, source, tmp_path):
    pytest.importorskip("apache_beam", reason="needs the extra prepare")
    assert predict.main(flags(tiny_run, source)) == 0
    assert [int(row["number"]) for row in answers(tmp_path / "out")] == list(range(23))


@pytest.mark.parametrize(
    "line", ['["a:1", ["x"], {}, null], ["a:2", ["y"], {}, null]', '["a:1", [7], {}, null]', '["a:1", ["x"], {}]', "[["]
)
def test_a_portion_holds_an_input_a_line(tmp_path, line):
    portion = tmp_path / "00000.jsonl"
    portion.write_text(f'["a:0", ["good"], {{}}, null]\n{line}\n')
    with pytest.raises(UserError, match=r"00000.jsonl: expected "):
        list(sharded._inputs(portion))
