"""Training examples on a disk give the batches, the weights and the resumed run that those in memory give."""

from __future__ import annotations

import dataclasses
import json
import logging
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bert_tf.config import DataConfig, RunConfig
from bert_tf.data import Csv, plan_batches, replica_batches
from bert_tf.data.rows.column import is_on_disk
from bert_tf.errors import UserError
from bert_tf.kinds import Classification
from bert_tf.training import examples as training_examples
from bert_tf.training import loop
from bert_tf.training.examples import is_stored, read_examples, tokenised
from bert_tf.training.reports.history import described
from bert_tf.training.trimmed_vocabulary import TrimmedVocabulary
from tests.kinds.tiny_kinds import TEXTS, TINY, TOKENIZER
from tests.rest_slow import rest_slow
from tests.training import tiny_run
from tests.training.conftest import EXACT, assert_same_weights, result, weights

STORED = ("classification", "multi_label", "regression", "tagging", "span_qa", "extractive", "text_to_text")
SHORTER = {"extractive": 9, "text_to_text": 14}  # so short that texts are cut, which these kinds say themselves


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    monkeypatch.setattr(
        training_examples, "stored_features", partial(training_examples.stored_features, part_examples=3)
    )


def on_disk(folder: Path) -> DataConfig:
    return DataConfig(store="disk", cache=str(folder))


def run_of(kind, options: DataConfig) -> RunConfig:
    return RunConfig.model_validate({"task": "own", "data": options.model_dump()})


def pairs():
    rows = [{"one": text, "two": TEXTS[-i], "label": i % 2} for i, text in enumerate(TEXTS)]
    kind = TINY["classification"]().kind
    return dataclasses.replace(kind, source=type(kind.source)({"train": rows}), text=("one", "two"), classes=("a", "b"))


def windows():
    kind = TINY["classification"]().kind
    rows = [{"text": " ".join(TEXTS[: 1 + i % 4]), "label": i % 3} for i in range(8)]
    source = type(kind.source)({"train": rows})
    return dataclasses.replace(kind, source=source, long_texts="windows", sequence_length=8)


KINDS = {name: (lambda name=name: TINY[name]().kind) for name in STORED} | {"pairs": pairs, "windows": windows}


@pytest.mark.parametrize("name", rest_slow(KINDS, "classification", "tagging", "windows"))
def test_batches_are_those_of_memory_bit_for_bit(name, tmp_path, caplog):
    kind = KINDS[name]()
    if name in SHORTER:
        kind = dataclasses.replace(kind, sequence_length=SHORTER[name])
    read = {store: kind.read("own", "train") for store in ("memory", "disk")}
    with training_examples.spilled(training_examples._spill(on_disk(tmp_path), kind)):
        read["disk"] = kind.read("own", "train")
    options = {"memory": DataConfig(store="memory"), "disk": on_disk(tmp_path)}
    features: dict[str, Any] = {}
    said: list[list[str]] = []
    for store in options:
        caplog.clear()
        features[store] = tokenised(kind, TOKENIZER, {"train": read[store]}, options[store])["train"]
        warnings = [record for record in caplog.records if record.levelno >= logging.WARNING]  # not the progress
        said.append([record.getMessage() for record in warnings if record.name.startswith("bert_tf")])
    assert said[0] == said[1]  # of all parts together
    assert bool(said[0]) == (name in SHORTER)
    found, wanted = features["disk"], features["memory"]
    assert type(found) is type(wanted) is kind.stored_features
    assert isinstance(found.token_ids, np.memmap)
    assert described(found) == described(wanted)  # so that a run may be resumed with the other
    assert found.share_of(TOKENIZER.unk_id) == wanted.share_of(TOKENIZER.unk_id)
    assert found.cut == wanted.cut

    numbers = TrimmedVocabulary.of(TOKENIZER.vocabulary_size, wanted)
    assert numbers.kept.tolist() == TrimmedVocabulary.of(TOKENIZER.vocabulary_size, found).kept.tolist()
    ours, theirs = numbers.features(found), numbers.features(wanted)
    assert isinstance(ours.token_ids, np.memmap)  # no copy
    for batching in ("packed", "bucketed"):
        plans = [plan_batches(each, 3, batching=batching, seed=1) for each in (ours, theirs)]
        for batches in zip(
            replica_batches(ours, plans[0], stop=7), replica_batches(theirs, plans[1], stop=7), strict=True
        ):
            assert batches[0].keys() == batches[1].keys()
            for field, value in batches[1].items():
                np.testing.assert_array_equal(batches[0][field], value, err_msg=field)
                assert batches[0][field].dtype == value.dtype


@pytest.mark.parametrize("name", ["multiple_choice", "cosine"])
def test_other_kinds_are_refused_in_a_line(name):
    kind = TINY[name]().kind
    with pytest.raises(UserError) as refused:
        read_examples(run_of(kind, DataConfig(store="disk")), kind, data="own")
    assert str(refused.value) == (
        "'data.store' = \"disk\" is for kinds whose examples are tokenised one by one. Received: "
        f"{type(kind).__name__}, whose examples are held in memory"
    )
    examples = read_examples(run_of(kind, DataConfig()), dataclasses.replace(kind, source=both(kind)), data="own")
    assert not is_stored(DataConfig(), kind, examples["train"])


def both(kind):
    """The same rows for validation."""
    rows = kind.source.splits["train"]
    return type(kind.source)({"train": rows, "validation": rows})


def test_many_examples_go_to_the_disk_by_themselves(tmp_path, monkeypatch):
    kind = dataclasses.replace(pairs(), source=both(pairs()))
    options = DataConfig(cache=str(tmp_path))
    held = read_examples(run_of(kind, options), kind, data="own")["train"]
    assert type(held.texts) is list
    assert not is_stored(options, kind, held)
    monkeypatch.setattr(training_examples, "MOST_HELD", 7)
    read = read_examples(run_of(kind, options), kind, data="own")
    assert is_on_disk(read["train"].texts)
    assert list(read["train"].texts) == held.texts
    assert [list(column) for column in read["train"].part(2, 5).columns] == [column[2:5] for column in held.columns]
    assert read["train"].spread(3).texts == held.spread(3).texts
    assert type(read["validation"].texts) is list  # which is scored, and so held
    assert is_stored(options, kind, read["train"])
    assert not is_stored(DataConfig(store="memory"), kind, read["train"])
    monkeypatch.setattr(training_examples, "MOST_HELD", 8)
    monkeypatch.setattr(training_examples, "MOST_CHARACTERS", 20)
    assert is_on_disk(read_examples(run_of(kind, options), kind, data="own")["train"].texts)


def test_a_store_is_named_by_all_that_its_examples_depend_on():
    """Other rows, labels, order, lengths and tokenizers; the place of the rows and the metrics do not count."""
    kind = pairs()
    rows = kind.source.splits["train"]

    def name(kind=kind, rows=rows, tokenizer=TOKENIZER, length=None) -> str:
        source = type(kind.source)({"train": rows, "validation": rows[: len(rows) // 2]})
        examples = dataclasses.replace(kind, source=source).read("own", "train")
        return training_examples._key(kind, tokenizer, examples, DataConfig(sequence_length=length))

    same = {name(), name(), name(dataclasses.replace(kind, metrics=("f1",), how_to_get="ask", source=both(kind)))}
    others = {
        name(rows=rows[::-1]),
        name(rows=rows[:-1]),
        name(rows=[{**row, "label": 1 - row["label"]} for row in rows]),
        name(rows=[{**row, "one": row["two"], "two": row["one"]} for row in rows]),
        name(length=6),
        name(tokenizer=type(TOKENIZER)([*TOKENIZER.vocabulary, "new"])),
        name(dataclasses.replace(kind, max_windows=3)),
    }
    assert len(same) == 1
    assert len(others) == 7
    assert not same & others


@pytest.fixture(scope="module")
def runs(tiny: Path) -> Path:
    """Three runs: "in_memory"; "on_disk"; and "resumed", on a disk, which was stopped in the middle of an epoch."""
    settings = {**EXACT, "training.checkpoint_every_steps": 3}
    disk = {**settings, "data.store": "disk", "data.cache": str(tiny / "stored")}
    tiny_run.run(tiny, "in_memory", {**settings, "data.store": "memory"})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            training_examples, "stored_features", partial(training_examples.stored_features, part_examples=11)
        )
        tiny_run.run(tiny, "on_disk", disk)
        report = loop.Loop.report

        def stop(self, step: int) -> None:
            report(self, step)
            if step == 4:
                raise KeyboardInterrupt

        patch.setattr(loop.Loop, "report", stop)
        patch.setattr(loop, "report_steps", lambda total: 1)
        with pytest.raises(KeyboardInterrupt):
            tiny_run.run(tiny, "resumed", disk)
    assert not (tiny / "resumed" / "result.json").exists()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "report_steps", lambda total: 1)
        tiny_run.run(tiny, "resumed", disk)
    return tiny


@pytest.mark.slow
def test_weights_and_scores_are_those_of_memory(runs: Path):
    assert_same_weights(weights(runs, "on_disk"), weights(runs, "in_memory"))
    assert result(runs, "on_disk")["metrics"] == result(runs, "in_memory")["metrics"]
    began = [json.loads((runs / name / "began.json").read_text()) for name in ("on_disk", "in_memory")]
    assert began[0] == began[1]
    assert len(list((runs / "stored").iterdir())) == 1  # which the resumed run has found


@pytest.mark.slow
def test_it_resumes_exactly_in_the_middle_of_an_epoch(runs: Path):
    assert_same_weights(weights(runs, "resumed"), weights(runs, "in_memory"))
    assert result(runs, "resumed")["metrics"] == result(runs, "in_memory")["metrics"]


@pytest.mark.slow
def test_a_damaged_store_is_made_again_with_a_line(runs: Path, caplog):
    (store,) = (runs / "stored").iterdir()
    path = store / "token_ids.bin"
    path.write_bytes(path.read_bytes()[:-40])
    settings = {**EXACT, "data.store": "disk", "data.cache": str(runs / "stored"), "training.max_steps": 1}
    with caplog.at_level(logging.WARNING):
        tiny_run.run(runs, "damaged_store", settings)
    said = [record.getMessage() for record in caplog.records if "made again" in record.getMessage()]
    assert len(said) == 1
    assert said[0].startswith(f"what is stored of tokenised examples in {store} cannot be used and is made again: ")


def test_a_file_of_rows_is_read_and_stored(tmp_path):
    lines = "".join(f"{text.replace(',', ' ')},{i % 2}\n" for i, text in enumerate(TEXTS))
    for name in ("train.csv", "dev.csv"):
        (tmp_path / name).write_text(f"text,label\n{lines}")
    source = Csv(files={"train": "train.csv", "validation": "dev.csv"})
    kind = Classification(source=source, text=("text",), label="label", classes=("0", "1"), sequence_length=8)
    read = read_examples(run_of(kind, on_disk(tmp_path / "cache")), kind, data=str(tmp_path))
    assert is_on_disk(read["train"].texts)
    splits: Any = tokenised(kind, TOKENIZER, read, on_disk(tmp_path / "cache"))
    wanted = kind.features(TOKENIZER, kind.read(str(tmp_path), "train"))
    assert described(splits["train"]) == described(wanted) == described(splits["validation"])
    assert not isinstance(splits["validation"].token_ids, np.memmap)
