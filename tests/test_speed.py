"""The program behind `make bench`: its rows name what there is, sides take turns, and numbers become the page."""

from __future__ import annotations

import ast
import doctest
import importlib
import re
import string
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from benchmarks.speed import history, measure, page, process, rows
from benchmarks.speed.inputs import Inputs
from benchmarks.speed.rows import ROWS, Row, Side

SIDES = Path(process.__file__).parent / "sides"
VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good", "bad", "film"]


def arguments_of(place: str) -> tuple[set[str], set[str]]:
    """What a side's function takes, and what it must be given; read, as its library need not be here."""
    module, _, name = place.rpartition(".")
    tree = ast.parse((SIDES / f"{module}.py").read_text(encoding="utf-8"))
    (found,) = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == name]
    taken = found.args.kwonlyargs
    needed = {argument.arg for argument, default in zip(taken, found.args.kw_defaults, strict=True) if default is None}
    return {argument.arg for argument in taken}, needed


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_every_side_is_there_and_takes_what_it_is_given(row):
    names = [side.name for side in (*row.ours, *row.peers)]
    assert len(set(names)) == len(names)
    for side in (*row.ours, *row.peers):
        taken, needed = arguments_of(side.place)
        assert needed <= set(side.arguments) <= taken, side.place
        values = [value for value in side.arguments.values() if isinstance(value, str)]
        paths = [field for value in values for _, field, _, _ in string.Formatter().parse(value) if field is not None]
        assert all(hasattr(Inputs, path) for path in paths), paths


def test_settings_of_its_trainings_are_known():
    from bert_tf.config import RunConfig

    files = (SIDES / "whole_process.py", SIDES.parent / "inputs.py")
    text = "\n".join(path.read_text(encoding="utf-8") for path in files)
    found = set(re.findall(r"\"(training|evaluation)\.(\w+)[=\"]", text))
    assert len(found) >= 5
    for section, key in found:
        fields: Any = RunConfig.model_fields[section].annotation
        assert key in fields.model_fields, f"{section}.{key}"


def test_names_of_rows():
    assert len({row.name for row in ROWS}) == len(ROWS)
    assert {row.name for row in rows.chosen(None, quick=True)} == {"train", "labels", "one_16", "start", "tokenizer"}
    with pytest.raises(ValueError, match=r"--rows: expected some of gemm, train, .*\. Received: no"):
        rows.chosen("train,no", quick=False)


@pytest.mark.parametrize("module", [history, measure, process, rows])
def test_examples(module):
    found = doctest.testmod(importlib.import_module(module.__name__))
    assert (found.failed, found.attempted > 0) == (0, True)


@pytest.fixture
def words(tmp_path):
    (tmp_path / "vocab.txt").write_text("\n".join(VOCABULARY) + "\n")
    (tmp_path / "texts").write_text("good film\nbad\n" * 50)
    (tmp_path / "others").write_text("good film\nbad film\n" * 50)
    return tmp_path


@pytest.mark.skipif(find_spec("tokenizers") is None, reason="tokenizers is not installed")
def test_sides_take_turns_and_one_that_fails_is_said(words):
    said: list[str] = []
    given: dict[str, Any] = {"folder": str(words), "texts": "{texts}"}
    row = Row(
        name="some",
        what="words",
        unit="texts/s",
        ours=(Side("one", "runtimes.tokenizer", given), Side("slow", "runtimes.tokenizer", given, slow=True)),
        peers=(
            Side("other", "runtimes.tokenizer", given | {"texts": "{others}"}),
            Side("none", "runtimes.tokenizer", given | {"folder": str(words / "none")}),
        ),
    )
    asked: list[bool] = []

    def python_of(own: bool) -> str:
        asked.append(own)
        return sys.executable

    def filled(arguments):
        return {name: value.format(texts=words / "texts", others=words / "others") for name, value in arguments.items()}

    found = measure.measure(row, python_of=python_of, filled=filled, rounds=2, load_limit=1.0, peers=True, quick=True,
                            say=said.append)["sides"]  # fmt: skip
    assert (set(found), asked) == ({"one", "other", "none"}, [True, False, False])
    assert "No such file" in found["none"]["failed"]
    assert said == [f"some: {found['none']['failed']}"]
    assert found["one"]["versions"].keys() == {"tokenizers"}
    assert (found["one"]["equal_answers"], found["other"]["equal_answers"]) == (1.0, 0.5)
    for name in ("one", "other"):
        assert found[name]["repetitions"] == 2
        assert 0 < found[name]["low"] <= found[name]["median"] <= found[name]["high"]
        assert found[name]["other_load"] is None or 0 <= found[name]["other_load"] <= 1


def line(ours: float, peer: float, **more: Any) -> dict[str, Any]:
    def side(value: float) -> dict[str, Any]:
        return {"median": value, "low": value - 1, "high": value + 1, "more": {}, "disturbed": False}

    about = {"date": "2026-01-01T00:00:00Z", "commit": "abc", "machine": "m", "load_limit": 0.05, "peers": True}
    sides = {"bert_tf": side(ours), "Transformers, bfloat16": side(peer)}
    return {**about, "row": "train", "unit": "real tokens/s", "sides": sides, **more}


def test_a_page_of_the_newest_lines():
    marked = line(30.0, 20.0)
    marked["sides"]["bert_tf"] |= {"disturbed": True, "more": {"flops_per_second": 25e9, "peak_mb": 700.0}}
    gemm = {**line(0, 0), "row": "gemm", "sides": {"TensorFlow": {"median": 50.0, "low": 1, "high": 50.0}}}
    alone = line(99.0, 1.0, peers=False)  # a quick run does not hide one with peers
    text = page.page([line(10.0, 20.0), marked, alone, gemm])
    (row,) = [one for one in text.splitlines() if one.startswith("| train SST-2, MiniLM")]
    assert row == (
        "| train SST-2, MiniLM ~ | real tokens/s | bert_tf **30** (29 to 31), 50 % of the peak, 700 MB | "
        "Transformers, bfloat16 **20** (19 to 21) | 1.50 | 2 |"
    )
    assert "Measured on m; 2026-01-01, at abc." in text


def test_a_time_is_better_when_it_is_less():
    (start,) = [row for row in ROWS if row.name == "start"]
    sides = {"bert_tf": {"median": 4.0}, "Transformers": {"median": 2.0}}
    assert page.ratio_of(start, {"sides": sides}) == 0.5
    before = {"row": "start", "machine": "m", "sides": {"bert_tf": {"low": 3.0, "median": 3.5, "high": 3.9}}}
    now = {"row": "start", "machine": "m", "sides": {"bert_tf": {"low": 3.0, "median": 4.0, "high": 5.0}}}
    assert history.slower(now, [before], more_is_better=False, ours=["bert_tf"]) == [
        "start, bert_tf: 4, before 3.5 (3 to 3.9)"
    ]
    assert not history.slower(now, [before | {"machine": "another"}], more_is_better=False, ours=["bert_tf"])


def test_a_history_is_kept(tmp_path):
    path = tmp_path / "new" / "history.jsonl"
    assert history.read(path) == []
    for number in (1.0, 2.0):
        history.append(path, line(number, 1.0))
    assert [one["sides"]["bert_tf"]["median"] for one in history.read(path)] == [1.0, 2.0]
