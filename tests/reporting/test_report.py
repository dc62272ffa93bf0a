"""The report of a run: what is on the page, that texts on it are texts, and that it needs nothing else."""

from __future__ import annotations

import csv
import dataclasses
import json
import logging
import math
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from markupsafe import escape

import bert_tf
from bert_tf import evaluate, report
from bert_tf.config import RunConfig, to_toml
from bert_tf.errors import UserError
from bert_tf.inference import explaining
from bert_tf.inference.explaining import Explanation, Word
from bert_tf.inference.trained import Run
from bert_tf.kinds import Examples
from bert_tf.kinds.diagnosis import Answered, Diagnosis, Lengths
from bert_tf.reporting import facts as gathered_facts
from bert_tf.reporting.card import card, front_matter, write_card
from bert_tf.reporting.facts import Facts
from bert_tf.reporting.mistakes import write_mistakes
from bert_tf.reporting.page import marked, render, settings
from bert_tf.reporting.pictures import pictures
from bert_tf.reporting.write import report_at_end
from tests.figures.test_figures import contrast

pytestmark = pytest.mark.usefixtures("shared_pipeline")

HOSTILE = "<script>alert(1)</script><img src=x onerror=y> & \"quotes\" 'too' {{ 7 * 7 }} \u202e=cmd|' /C calc'!A1"
RESULT = {
    "task": "sst2", "data": "sample", "metrics": {"accuracy": 0.5, "f1": None}, "steps": 20, "kept_step": 10,
    "seconds": 60.0, "train_examples": 8, "precision": "float32", "versions": {"keras": "3"},
}  # fmt: skip
NOTES = "".join(
    json.dumps({"event": "train", "step": k, "loss": 1 / k})
    + "\n"
    + json.dumps({"event": "evaluation", "step": k, "accuracy": k / 30, "validation_loss": 1.0})
    + "\n"
    for k in (10, 20)
)


@pytest.fixture(scope="module")
def finished(tmp_path_factory, tiny_run):
    folder = tmp_path_factory.mktemp("finished") / "run"
    shutil.copytree(tiny_run / "model", folder / "model")
    values = {"task": "sst2", "data": {"source": "sample"}, "training": {"learning_rate": 1e-3}}
    (folder / "config.toml").write_text(to_toml(RunConfig.model_validate(values)), encoding="utf-8")
    (folder / "metrics.jsonl").write_text(NOTES)
    (folder / "result.json").write_text(json.dumps(RESULT))
    return folder


def facts_of(folder: Path, **changes) -> Facts:
    run = Run(folder)
    row = {"number": 3, "expected": HOSTILE, "answered": HOSTILE, "is_right": False, "confidence": 0.9}
    diagnosis = Diagnosis(
        rows=[Answered(inputs={"sentence": HOSTILE}, **row)],
        summary=HOSTILE,
        classes=("bad", HOSTILE),
        targets=np.array([0, 1, 1]),
        predictions=np.array([1, 1, 0]),
        probabilities=np.array([[0.1, 0.9], [0.2, 0.8], [0.7, 0.3]]),
        tables={HOSTILE: [{HOSTILE: HOSTILE, "f1": 0.25, "none": None}]},
    )
    words = (Word(column="sentence", text=HOSTILE[8:16], start=8, end=16, attribution=-0.5),)
    explained = Explanation(
        texts={"sentence": HOSTILE}, output="x", value=1.0, baseline=0.0, remainder=0.0, points=1, words=words
    )
    facts = Facts(
        run=run,
        config=RunConfig.model_validate({"task": "sst2", "seed": 7, "vocabulary": HOSTILE}),
        history=run.history,
        split="validation",
        data=HOSTILE,
        examples=3,
        looked_at=3,
        diagnosis=diagnosis,
        lengths=Lengths(np.array([3, 9, 12]), 8),
        explained={3: [explained]},
    )
    return dataclasses.replace(facts, **changes)


class Tags(HTMLParser):
    """The elements of a page with their attributes, its text, and whether all are closed in their order."""

    VOID = frozenset({"meta", "img", "source", "br"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.texts.append(data)


@pytest.fixture(scope="module")
def page(finished):
    facts = facts_of(finished)
    return render(facts, pictures(facts))


def test_whatever_texts_hold_they_are_texts(page):
    tags = Tags(page)
    names = {name for name, _ in tags.found}
    assert "script" not in names
    images = [attributes["src"] or "" for name, attributes in tags.found if name == "img"]
    assert all(source.startswith("data:") for source in images)
    assert not [name for _, attributes in tags.found for name in attributes if name.startswith("on")]
    text = "".join(tags.texts)
    assert text.count("<script>alert(1)</script>") >= 6  # as words, wherever they were given
    assert "{{ 7 * 7 }}" in text


def test_the_page_needs_no_other_file(page):
    tags = Tags(page)
    for _, attributes in tags.found:
        for name in ("src", "srcset", "href"):
            assert (attributes.get(name) or "data:").startswith("data:")
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)
    assert style is not None
    assert "url(" not in style[1]
    assert "@import" not in style[1]
    assert "default-src 'none'" in page


def test_what_is_on_the_page(page):
    text = " ".join("".join(Tags(page).texts).split())
    for part in (
        "Its accuracy is 0.5000 on the validation examples, with the weights of update 10 of 20.",
        "Class by class",
        "The surest mistakes",
        "90.0 % sure",
        "Loss while it was trained",
        "Which classes are taken for which",
        "How far its confidence can be trusted",
        "Precision and recall",
        "2 of 3 have more than 8 and are cut",
        "python -m bert_tf.train --config=",
        "Settings that differ from the defaults",
        "keras 3",
    ):
        assert part in text, part
    assert page.count("<img ") == 6
    assert page.count('media="screen and (prefers-color-scheme: dark)"') == 6
    assert 'class="n4" title="-0.500"' in page


def test_settings_that_were_changed_come_first(finished):
    changed, usual = settings(facts_of(finished))
    assert [row[:3] for row in changed] == [
        ("task", "sst2", "none"), ("vocabulary", HOSTILE, "none"), ("seed", "7", "1"),
    ]  # fmt: skip
    assert "training.epochs" in {row[0] for row in usual}


def test_marks_cover_the_text_once(finished):
    facts = facts_of(finished)
    pieces = marked(facts.explained[3][0], "sentence")
    assert "".join(text for text, _, _ in pieces) == HOSTILE
    assert [level for _, _, level in pieces] == [0, -4, 0]


def test_each_part_of_an_answer_has_its_own_marks(finished):
    facts = facts_of(finished)
    (one,) = facts.explained[3]
    page = render(dataclasses.replace(facts, explained={3: [one, dataclasses.replace(one, start=8, end=16)]}), [])
    Tags(page)
    assert page.count('class="n4" title="-0.500"') == 2
    assert f'<span class="column">{escape(HOSTILE[8:16])}: x</span>' in page
    none = render(dataclasses.replace(facts, explained={3: []}), [])  # nothing was named
    assert "<mark " not in none
    assert escape(HOSTILE[8:16]) in none


def colours(style: str) -> list[dict[str, str]]:
    """The colours of the light page, and of the dark one."""
    blocks = re.findall(r":root \{(.*?)\}", style, re.DOTALL)
    found = [dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", block)) for block in blocks]
    return [block for block in found if block]


def test_contrast_is_that_of_wcag_aa(page):
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)
    assert style is not None
    found = colours(style[1])
    assert len(found) == 2
    marks = re.findall(r"--(for|against): (\d+), (\d+), (\d+)", style[1])
    assert len(marks) == 4
    for number, theme in enumerate(found):
        for ink in ("ink", "faint", "accent", "right", "wrong"):
            for paper in ("paper", "raised"):
                assert contrast(theme[ink], theme[paper]) >= 4.5, (ink, paper)
        paper = [int(theme["paper"][k : k + 2], 16) for k in (1, 3, 5)]
        for _, *mark in marks[2 * number : 2 * number + 2]:
            mixed = [round(0.42 * int(part) + 0.58 * own) for part, own in zip(mark, paper, strict=True)]
            assert contrast(theme["ink"], "#" + "".join(f"{part:02x}" for part in mixed)) >= 4.5


def test_numbers_are_drawn_whatever_they_are_called(finished):
    numbers = {"../x/<y>": (np.array([1.0, 2.0]), np.array([1.5, 2.0])), "cosine": (np.ones(2), np.ones(2))}
    drawn = pictures(facts_of(finished, diagnosis=Diagnosis(numbers=numbers), history={}, lengths=None))
    assert [picture.name for picture in drawn] == ["numbers_1", "numbers_2"]


def test_the_command_writes_a_page_its_figures_and_all_mistakes(finished, tmp_path, capsys):
    report.main([f"--run={finished}", f"--out={tmp_path / 'out'}", "--explain=0"])
    printed = json.loads(capsys.readouterr().out)
    page = Path(printed["report"])
    assert page == tmp_path / "out" / "index.html"
    run = bert_tf.Run(finished)
    wrong = run.mistakes(None)
    with (tmp_path / "out" / "mistakes.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["number"]) for row in rows] == [row["number"] for row in wrong]
    assert [row["sentence"] for row in rows] == [row["sentence"] for row in wrong]
    text = page.read_text(encoding="utf-8")
    Tags(text)
    assert {path.name for path in page.parent.glob("*.png")} == {
        "loss.png", "score.png", "confusion.png", "reliability.png", "precision_recall.png", "lengths.png",
    }  # fmt: skip
    assert (finished / "model" / "README.md").is_file()
    assert not list(page.parent.glob(".*"))


@pytest.mark.slow
def test_words_of_the_surest_mistakes_are_marked(finished, tmp_path, capsys):
    report.main([f"--run={finished}", f"--out={tmp_path / 'out'}", "--explain=2"])
    text = Path(json.loads(capsys.readouterr().out)["report"]).read_text(encoding="utf-8")
    Tags(text)
    assert text.count("<mark ") >= 2
    assert "integrated gradients" in text


def test_other_data_and_bad_flags(finished, reviews, tmp_path, capsys):
    report.main([f"--run={finished}", f"--data={reviews}", f"--out={tmp_path / 'out'}", "--explain=0"])
    text = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert "on all 3 validation examples" in text  # scored, as they are not the run's own
    with pytest.raises(UserError, match="--explain=-1"):
        report.main([f"--run={finished}", "--explain=-1"])
    with pytest.raises(UserError, match="nowhere"):
        report.main([f"--run={tmp_path / 'nowhere'}"])
    capsys.readouterr()


def test_evaluate_writes_mistakes(finished, tmp_path, capsys):
    evaluate.main([f"--run={finished}", f"--mistakes={tmp_path / 'wrong.jsonl'}"])
    result = json.loads(capsys.readouterr().out)
    rows = [json.loads(line) for line in (tmp_path / "wrong.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len(rows) == round((1 - result["metrics"]["accuracy"]) * result["examples"])
    assert all(row["answered"] != row["expected"] for row in rows)


def test_formulas_in_tables_are_texts(tmp_path):
    row = Answered(
        number=0, inputs={"=cmd": "=HYPERLINK(1)", "b": "-5"}, expected="+1", answered="fine", is_right=False
    )
    write_mistakes(tmp_path / "a.csv", [row])
    with (tmp_path / "a.csv").open(encoding="utf-8", newline="") as file:
        (found,) = csv.DictReader(file)
    assert found["'=cmd"] == "'=HYPERLINK(1)"
    assert (found["b"], found["expected"], found["answered"]) == ("'-5", "'+1", "fine")
    write_mistakes(tmp_path / "a.jsonl", [row])  # which no spreadsheet opens
    assert json.loads((tmp_path / "a.jsonl").read_text(encoding="utf-8"))["=cmd"] == "=HYPERLINK(1)"


def test_the_report_at_the_end_is_of_what_was_looked_at(finished):
    run = Run(finished)
    _, _, examples = run.examples()
    some = examples.first(5)
    found = run.pipeline().kind.diagnose(run.pipeline().rows(*some.columns), some)
    tokenizer = run.pipeline().tokenizer
    lengths = run.pipeline().kind.lengths(tokenizer, some, sequence_length=8)
    assert lengths is not None
    assert lengths.tokens.tolist() == tokenizer(some.texts)["padding_mask"].numpy().sum(axis=1).tolist()
    assert (lengths.limit, lengths.says) == (8, "cut")
    page = report_at_end(run, (found, some), examples)
    assert page == finished / "report" / "index.html"
    text = (finished / "report" / "index.html").read_text(encoding="utf-8")
    Tags(text)
    assert f"of\n5 of the {len(examples)} examples" in text
    assert "python -m bert_tf.report --run=" in text


def test_a_report_that_fails_does_not_fail_the_training(finished, monkeypatch, caplog):
    def broken(*_, **__):
        raise ZeroDivisionError("no luck")

    monkeypatch.setattr("bert_tf.reporting.write.facts_of", broken)
    with caplog.at_level(logging.WARNING):
        assert report_at_end(Run(finished), None, Examples(texts=[])) is None
    assert "ZeroDivisionError: no luck" in caplog.text
    assert "python -m bert_tf.report --run=" in caplog.text


def test_the_card_has_what_the_hub_reads(finished):
    from huggingface_hub import ModelCard

    facts = facts_of(finished)
    content = card(facts)
    read: Any = ModelCard(content)
    assert read.data.pipeline_tag == "text-classification"
    assert read.data.base_model == "sentence-transformers/all-MiniLM-L6-v2"
    (result,) = read.data.eval_results
    assert (result.metric_type, result.metric_value, result.dataset_split) == ("accuracy", 0.5, "validation")
    assert result.dataset_name == "sst2, the sample of bert_tf"
    assert "license" not in read.data.to_dict()
    assert "language" not in read.data.to_dict()
    assert "<script>" not in content.split("---", 2)[2]
    assert str(finished.parent) not in content  # nobody's folders


def test_front_matter_is_yaml_whatever_it_holds(finished):
    yaml = pytest.importorskip("yaml")
    facts = facts_of(finished)
    config = facts.config.model_copy(update={"task": 'a: "b" \u00e9 #.py', "backbone": "hf://org/name"})
    read = yaml.safe_load(front_matter(dataclasses.replace(facts, config=config)))
    assert read["base_model"] == "org/name"
    assert read["model-index"][0]["name"] == 'a: "b" \u00e9 #'
    assert read["metrics"] == ["accuracy"]


def test_a_card_that_was_edited_stays(finished):
    facts = facts_of(finished)
    path = finished / "model" / "README.md"
    path.unlink(missing_ok=True)
    assert write_card(facts) == path
    assert write_card(dataclasses.replace(facts, examples=99)) == path  # nobody has touched it
    edited = path.read_text(encoding="utf-8").replace("## Limits", "## My limits")
    path.write_text(edited, encoding="utf-8")
    assert write_card(facts) is None
    assert path.read_text(encoding="utf-8") == edited
    path.unlink()


def test_a_kind_without_anything_to_say_has_a_report_too(finished):
    facts = facts_of(finished, diagnosis=Diagnosis(), history={}, lengths=None, explained={}, looked_at=0)
    page = render(facts, pictures(facts))
    Tags(page)
    assert "No examples were answered" in page


def test_no_more_mistakes_are_explained_than_there_is_time_for(monkeypatch):
    rows = [SimpleNamespace(number=number, inputs={"text": "bad"}) for number in (5, 7, 9)]
    diagnosis: Any = SimpleNamespace(mistakes=lambda count: rows[:count])
    pipeline: Any = SimpleNamespace(kind=SimpleNamespace(explained=True))
    monkeypatch.setattr(explaining, "explain_in_turn", lambda pipeline, texts: iter([[text] for text in texts]))
    assert list(gathered_facts._explained(pipeline, diagnosis, 8, within=math.inf)) == [5, 7, 9]
    assert list(gathered_facts._explained(pipeline, diagnosis, 8, within=0)) == [5]
