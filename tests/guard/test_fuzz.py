"""Changed files end in an answer or an error of ours, in every reader; `python -m benchmarks.fuzz` tries more."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from benchmarks.fuzz.mutations import changed_bytes, changed_json, changed_toml
from benchmarks.fuzz.reader import Reader
from benchmarks.fuzz.readers import every
from benchmarks.fuzz.work import fuzzed
from tests.rest_slow import rest_slow

READERS = dict(every())
HEAVY = {"a TF 1 checkpoint", "TFRecord", "manifest.json", "a built tokenizer", "HDF5", "a KerasHub preset"}
SLOW = {"built byte pairs", "a built SentencePiece", "SentencePiece's built byte pairs", "a generator"}
HEAVY |= SLOW


@pytest.mark.parametrize("name", rest_slow(sorted(READERS), *READERS.keys() - SLOW))
def test_some_changes(name):
    if "faiss" in name or "vectors" in name:
        pytest.importorskip("faiss")
    outcome = fuzzed(name, READERS[name], inputs=5 if name in HEAVY else 25, seed=1)
    assert outcome.foreign == {}
    assert outcome.inputs == outcome.answers + outcome.refused
    assert outcome.refused > 0


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(READERS))
def test_many_changes(name):
    if "faiss" in name or "vectors" in name:
        pytest.importorskip("faiss")
    outcome = fuzzed(name, READERS[name], inputs=500, seed=2)
    assert outcome.foreign == {}
    assert outcome.grown_megabytes < 500


def test_what_is_not_ours_is_counted():
    def read(folder: Path) -> None:
        content = (folder / "a").read_text(encoding="utf-8", errors="replace")
        if content != "1":
            raise KeyError(content[:3])

    reader = Reader(lambda folder: (folder / "a").write_text("1"), read, {"a": None})
    outcome = fuzzed("a reader that believes", reader, inputs=20)
    assert outcome.refused == 0
    (count,) = [count for _, count in outcome.foreign.values()]
    assert count == 20 - outcome.answers > 10


def test_changes_hang_on_the_seed_alone():
    content, toml = b'{"a": [1, {"b": "c"}], "d": null}', b"a = 1\nb = 'c'\n"
    for change, valid in ((changed_bytes, content), (changed_json, content), (changed_toml, toml)):
        made = [change(valid, np.random.default_rng(seed)) for seed in (*range(30), *range(30))]
        assert made[:30] == made[30:]
        assert len(set(made[:30])) > 20


def test_a_reader_that_hangs_is_stopped(monkeypatch):
    monkeypatch.setattr("benchmarks.fuzz.work.WAIT_SECONDS", 0.2)
    valid = []

    def read(folder: Path) -> None:
        if valid:
            time.sleep(60)
        valid.append(True)

    outcome = fuzzed("a slow one", Reader(lambda folder: (folder / "a").write_text("1"), read, {"a": None}), inputs=1)
    assert list(outcome.foreign) == ["TooLong at ?"]
