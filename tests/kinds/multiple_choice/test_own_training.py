"""Your own questions with choices, from a file to answers: one tiny training."""

from __future__ import annotations

import json
from typing import Any

import pytest

import bert_tf
from bert_tf import evaluate, predict
from bert_tf.inference.runs import open_run
from bert_tf.kinds import MultipleChoice

pytestmark = pytest.mark.slow

ANIMALS = ("cat", "dog", "cow", "fox")
WORDS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "which", "is", "the", "house", "?", *ANIMALS)


def rows(count: int) -> list[dict[str, Any]]:
    """Whose right choice, at each of four places in turn, is the animal that the question names."""
    found = []
    for i in range(count):
        choices = [ANIMALS[(i + place) % 4] for place in range(4)]
        right = choices[(i // 4) % 4]
        found.append({"question": f"which is the {right}, {i}?", "choices": choices, "answer": right})
    return found


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run of a file of JSON lines; and what made it."""
    folder = tmp_path_factory.mktemp("own")
    (folder / "quiz.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows(20)))
    bert_tf.BertTokenizer(WORDS).save_pretrained(folder / "words")
    settings: dict[str, Any] = {"vocabulary": folder / "words", "backbone": "tiny", "training": {"max_steps": 2}}
    settings |= {"kind": "multiple_choice", "data": folder / "quiz.jsonl", "run": folder / "run", "progress": False}
    return bert_tf.train(**settings), settings


def test_the_run_holds_all_that_repeats_it_and_is_found_finished(trained):
    run, settings = trained
    opened = open_run(run.folder, needs_data=True)
    assert isinstance(opened.kind, MultipleChoice)
    assert (opened.kind.text, opened.kind.choices, opened.kind.label) == ("question", "choices", "answer")
    train, validation = (opened.kind.read(str(opened.config.data.source), split) for split in ("train", "validation"))
    assert (len(train), len(validation)) == (16, 4)
    for part in (train, validation):
        assert part.labels is not None
        for text, choices, label in zip(part.texts, part.choices, part.labels, strict=True):
            assert choices[label] in text
    assert run.result["steps"] == 2
    assert bert_tf.train(**settings).metrics == run.metrics
    again = bert_tf.train(config=run.folder / "config.toml", run=run.folder.parent / "again", progress=False)
    assert again.metrics == run.metrics


def test_it_is_scored_and_answers_other_files(trained, tmp_path, capsys):
    run, _ = trained
    (tmp_path / "new.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows(8)))
    evaluate.main([f"--run={run.folder}", f"--data={tmp_path / 'new.jsonl'}"])
    scored = json.loads(capsys.readouterr().out)
    assert scored["examples"] == 8
    predict.main([f"--run={run.folder}", f"--input={tmp_path / 'new.jsonl'}"])
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    right = [answer["choice"] == row["answer"] for answer, row in zip(answers, rows(8), strict=True)]
    assert scored["metrics"]["accuracy"] == sum(right) / 8
