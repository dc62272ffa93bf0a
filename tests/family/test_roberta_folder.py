"""A RoBERTa with byte pairs, from a folder as Transformers writes it: every command, a SavedModel that takes text, and
Transformers on what is saved."""

from __future__ import annotations

import csv
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.c_api_parity import compare
from benchmarks.members_there import largest_difference
from bert_tf import BertClassifier, BytePairTokenizer, Tokenizer, evaluate, export, predict, train
from bert_tf.inference.runs import open_run
from tests.conftest import REPOSITORY

GOLDEN = REPOSITORY / "tests" / "golden" / "roberta_folders.zip"  # by benchmarks/make_golden_roberta.py
FILES = {"saved": {"tokenizer.json"}, "older": {"vocab.json", "merges.txt"}}
WORDS = ("the film", "was", "isn't", "long", "12 films", "über", "they'll see", "a", "but")
ODD = ["", "good", " bad\n\nfilm <mask>", "日本 naïve é", "the film wasn't  bad " * 30]
TEXTS = ["the film was good", "  they'll see it's BAD; 日本", "a film", "<mask> film <s>"]
PAIRS = ["bad", "it's long  but good", "", "12 films"]


def rows() -> list[dict[str, str]]:
    """Sentences with "good" or "bad" among other words, which says their label."""
    rng = np.random.default_rng(3)
    found = []
    for i in range(96):
        words = rng.choice(WORDS, size=4).tolist()
        words.insert(int(rng.integers(5)), ("good", "bad")[i % 2])
        found.append({"text": " ".join(words), "label": ("fine", "poor")[i % 2]})
    return found


@pytest.fixture(scope="module", params=FILES)
def trained(request, tmp_path_factory) -> tuple[Path, dict[str, Any]]:
    """A run, and what its training printed."""
    place = tmp_path_factory.mktemp(request.param)
    with zipfile.ZipFile(GOLDEN) as archive:
        archive.extractall(place)
    folder = place / request.param
    assert {path.name for path in folder.iterdir()} & set().union(*FILES.values()) == FILES[request.param]
    with (place / "rows.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows()[0]))
        writer.writeheader()
        writer.writerows(rows())
    settings = ["training.epochs=20", "training.batch_examples=8", "training.learning_rate=0.01"]
    train.main(
        ["--kind=classification", f"--data={place / 'rows.csv'}", f"--backbone={folder}", f"--run={place / 'run'}",
         "--set", *settings]
    )  # fmt: skip
    return place / "run", json.loads((place / "run" / "result.json").read_text(encoding="utf-8"))


@pytest.mark.slow
def test_it_is_trained_scored_asked_and_served(trained, tmp_path, capsys):
    run, result = trained
    assert result["metrics"]["accuracy"] > 0.9
    assert json.loads((run / "model" / "config.json").read_text(encoding="utf-8"))["model_type"] == "roberta"
    assert isinstance(Tokenizer.from_pretrained(run / "model"), BytePairTokenizer)
    capsys.readouterr()
    evaluate.main([f"--run={run}"])
    assert json.loads(capsys.readouterr().out)["metrics"] == pytest.approx(result["metrics"])
    texts = [*(row["text"] for row in rows()[:20]), *ODD]
    (tmp_path / "texts.jsonl").write_text("".join(f"{json.dumps({'text': text})}\n" for text in texts))
    asked = [f"--input={tmp_path / 'texts.jsonl'}", f"--output={tmp_path / 'answers.jsonl'}", "--precision=float32"]
    predict.main([f"--run={run}", *asked])
    answers = [json.loads(line) for line in (tmp_path / "answers.jsonl").read_text(encoding="utf-8").splitlines()]
    right = [answer["label"] == row["label"] for answer, row in zip(answers, rows(), strict=False)]
    assert len(right) == 20 + len(ODD)
    assert np.mean(right[:20]) > 0.9
    export.main([f"--run={run}", "--format=saved_model", f"--out={tmp_path / 'served'}", "--no-timing"])
    found = compare(open_run(run).kind, answers, tmp_path / "served" / "1", [texts], batches=[1, 4, 20])
    assert found["answers"] == len(texts)
    assert found["largest_difference"] <= 1e-5


@pytest.mark.real
@pytest.mark.parametrize("columns", [[TEXTS], [TEXTS, PAIRS]], ids=["texts", "pairs"])
def test_transformers_answers_as_the_run_does(there, trained, columns):
    folder = trained[0] / "model"
    found = there.ask(folder, "ForSequenceClassification", texts=columns, most_tokens=40)
    assert (found.name, found.missing, found.unexpected) == ("RobertaForSequenceClassification", [], [])
    inputs = Tokenizer.from_pretrained(folder)(*columns, max_length=40)
    np.testing.assert_array_equal(inputs["token_ids"], found.arrays["input_ids"])
    ours = {"logits": BertClassifier.from_pretrained(folder)(inputs)}
    assert largest_difference(ours, found.arrays, np.asarray(inputs["padding_mask"]) == 1) <= 1e-5
