"""A tagger of somebody's own file, from flags to answers: one tiny training."""

from __future__ import annotations

import json
from typing import Any

import pytest

import bert_tf
from bert_tf.data import Annotated, Splits
from bert_tf.inference.runs import open_run
from bert_tf.kinds import Tagging

pytestmark = pytest.mark.slow

NAMES = ("Ida", "Ole", "Una", "Liv", "Eva", "Jon", "Siv", "Odd", "Per", "Nora")
WORDS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "left", "oslo", ".", *map(str.lower, NAMES))


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run of Label Studio's export, with places as a browser counts them behind an emoji; and what made it."""
    folder = tmp_path_factory.mktemp("own")
    rows = []
    for name in NAMES:
        text = f"\U0001f600 {name} left Oslo."
        values = [(3, 3 + len(name), "PER"), (9 + len(name), 13 + len(name), "LOC")]
        results = [
            {"type": "labels", "value": {"start": a, "end": b, "text": text[a - 1 : b - 1], "labels": [kind]}}
            for a, b, kind in values
        ]
        rows.append({"id": len(rows), "data": {"text": text}, "annotations": [{"result": results}]})
    (folder / "export.json").write_text(json.dumps(rows), encoding="utf-8")
    bert_tf.BertTokenizer(WORDS).save_pretrained(folder / "words")
    settings: dict[str, Any] = {"vocabulary": folder / "words", "backbone": "tiny", "training": {"max_steps": 1}}
    settings |= {"kind": "tagging", "data": folder / "export.json", "run": folder / "run", "progress": False}
    return bert_tf.train(**settings), settings


def test_the_run_holds_all_that_repeats_it(trained):
    run, _ = trained
    opened = open_run(run.folder, needs_data=True)
    assert isinstance(opened.kind, Tagging)
    assert isinstance(opened.kind.source, Splits)
    assert isinstance(opened.kind.source.reader, Annotated)
    assert opened.kind.types == ("LOC", "PER")
    assert opened.config.own_data.label == ("label",)
    examples = opened.kind.read(str(opened.config.data.source), "train")
    assert examples.tags is not None
    assert [words[1] for words in examples.words] == [text.split()[1] for text in examples.texts]
    assert {tuple(tags) for tags in examples.tags} == {(0, 3, 0, 1, 0)}


def test_the_same_call_finds_it_finished(trained):
    run, settings = trained
    assert bert_tf.train(**settings).metrics == run.metrics
    assert set(run.metrics) == {"f1", "precision", "recall"}


def test_it_answers_and_is_scored_on_other_files(trained, tmp_path):
    run, _ = trained
    answer = run.pipeline()("Ida left Oslo.")
    assert {entity["label"] for entity in answer["entities"]} <= {"LOC", "PER"}
    other = tmp_path / "new.jsonl"
    other.write_text('{"text": "Ida left Oslo", "label": [[0, 3, "PER"]]}\n')
    opened = open_run(run.folder, needs_data=True)
    kind = opened.kind.configured(opened.config, new_data=True)
    assert isinstance(kind, Tagging)
    assert kind.read(str(other), "validation").tags == [[3, 0, 0]]  # all of its rows, none put aside
