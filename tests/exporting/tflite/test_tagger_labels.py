"""Taggers of other labels than IOB2 in our order, as Transformers writes them, are exported as any other."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from bert_tf import export
from bert_tf.config import RunConfig, to_toml
from bert_tf.inference.pipeline import Pipeline
from tests.inference.test_pipeline_parity import GOLDEN

TEXTS = ["x y z b good bad cat dog film the end of it", "anna saw bad zed films in q"]
TASK = """
from bert_tf.data import InMemory
from bert_tf.kinds import Tagging

ROWS = [{{"words": text.split(), "tags": ["{outside}"] * len(text.split())}} for text in {texts}]
TASK = Tagging(source=InMemory({{"validation": ROWS}}), labels={labels}, metrics=("accuracy",), sequence_length=24)
"""


def make_run(folder: Path, labels: tuple[str, ...]) -> Path:
    """A run folder around a model that Transformers wrote."""
    with zipfile.ZipFile(GOLDEN) as archive:
        archive.extractall(folder, [name for name in archive.namelist() if name.startswith("any_order/")])
    (folder / "any_order").rename(folder / "model")
    task = folder / "tagger.py"
    task.write_text(TASK.format(outside=labels[2], texts=TEXTS, labels=labels))
    config = RunConfig.model_validate({"task": str(task), "data": {"source": "own"}})
    (folder / "config.toml").write_text(to_toml(config), encoding="utf-8")
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("labels", [("I-LOC", "B-PER", "O", "I-PER", "B-LOC"), ("NOUN", "VERB", "X", "ADJ", "ADV")])
@pytest.mark.parametrize("form", ["saved_model", "tflite"])
def test_a_folder_of_transformers_is_exported(tmp_path, form, labels, capsys):
    run = make_run(tmp_path / "run", labels)
    if labels[0] == "NOUN":  # the same weights, with other names
        config = run / "model" / "config.json"
        text = config.read_text()
        for old, new in zip(("I-LOC", "B-PER", '"O"', "I-PER", "B-LOC"), labels, strict=True):
            text = text.replace(old, f'"{new}"' if old == '"O"' else new)
        config.write_text(text)
    flags = [f"--run={run}", f"--format={form}", f"--out={tmp_path / 'out'}", "--no-timing"]
    export.main(flags)  # which compares with the run's own answers
    assert '"agreement"' in capsys.readouterr().out
    if form == "saved_model":
        answers, found = Pipeline(run)(TEXTS), Pipeline(tmp_path / "out")(TEXTS)
        key = "entities" if labels[0] == "I-LOC" else "words"
        for mine, theirs in zip(found, answers, strict=True):
            places = [[(part["start"], part["label"]) for part in side[key]] for side in (mine, theirs)]
            assert places[0] == places[1] != []
