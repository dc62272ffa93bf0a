"""Training ends with a report, unless it is turned off."""

from __future__ import annotations

import pytest

import bert_tf
from bert_tf.config import EvaluationConfig
from bert_tf.data import InMemory
from bert_tf.kinds import Classification


@pytest.mark.slow
def test_a_training_leaves_a_report_and_a_card(tmp_path):
    rows = [{"text": "a joy", "label": "good"}, {"text": "a bore", "label": "bad"}] * 4
    kind = Classification(
        source=InMemory({"train": rows, "validation": rows}),
        text=("text",), label="label", classes=("bad", "good"), sequence_length=8,
    )  # fmt: skip
    words = bert_tf.BertTokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "joy", "bore"])
    words.save_pretrained(tmp_path / "words")
    shared = {"backbone": "tiny", "vocabulary": tmp_path / "words", "training": {"max_steps": 1}, "progress": False}
    run = bert_tf.train(kind, run=tmp_path / "run", evaluation={"report": True}, **shared)
    page = (run.folder / "report" / "index.html").read_text(encoding="utf-8")
    assert f"{run.metrics['accuracy']:.4f}" in page
    assert "of 8 (" in page
    assert (run.folder / "report" / "mistakes.csv").is_file()
    assert (run.folder / "model" / "README.md").read_text(encoding="utf-8").startswith("---\n")
    assert bert_tf.train(kind, run=tmp_path / "off", evaluation={"report": False}, **shared).metrics.keys()
    assert not (tmp_path / "off" / "report").exists()


@pytest.mark.parametrize(
    ("setting", "environment", "written"),
    [(None, None, True), (None, "0", False), (None, "1", True), (True, "0", True), (False, None, False)],
)
def test_the_setting_wins_over_the_environment(monkeypatch, setting, environment, written):
    monkeypatch.delenv("BERT_TF_REPORT", raising=False)
    if environment is not None:
        monkeypatch.setenv("BERT_TF_REPORT", environment)
    assert EvaluationConfig(report=setting).writes_report is written
