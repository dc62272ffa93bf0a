"""What holds for ONNX files and OpenVINO's alike."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from bert_tf import Pipeline
from bert_tf.exporting.readmes import SAMPLES
from tests.exporting.runs import KINDS

IN_ONE_PASS = [kind for kind in KINDS if kind != "text_to_text"]
OUTPUTS = {
    "classification": ["probability"],
    "rejecting": ["probability"],
    "multi_label": ["probability"],
    "regression": ["value"],
    "tagging": ["probability"],
    "span_qa": ["end_logits", "start_logits"],
    "embedding": ["embedding"],
    "retrieval": ["embedding"],
    "extractive": ["score"],
    "pretraining": ["logits"],
}
CLOSE = 1e-5

IDS = np.array([[2, 7, 8, 9, 3, 0, 0], [2, 11, 12, 3, 13, 14, 3], [2, 3, 0, 0, 0, 0, 0]], np.int32)
SEGMENTS = np.array([[0] * 7, [0, 0, 0, 0, 1, 1, 1], [0] * 7], np.int32)
INPUTS = {"token_ids": IDS, "segment_ids": SEGMENTS, "padding_mask": (IDS > 0).astype(np.int32)}


def expected_probabilities(run: Path) -> np.ndarray:
    """[B, C]: what the Keras model of a run of one label gives for INPUTS, worked out here."""
    logits = np.asarray(Pipeline(run).model(INPUTS), np.float64)
    grown = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return grown / grown.sum(axis=-1, keepdims=True)


def assert_readme_answers_as_the_run(folder: Path, run: Path) -> None:
    """The block of a classifier's README, run in its folder by a fresh process, gives the run's own answer."""
    code = (folder / "README.md").read_text().split("```python\n")[1].partition("```")[0]
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    name, _, shown = done.stdout.partition(" ")
    found = [float(number) for number in re.findall(r"[\d.]+(?:e-?\d+)?", shown)]
    expected = [list(answer["probabilities"].values()) for answer in Pipeline(run)(list(SAMPLES))]
    assert name == "probability"
    np.testing.assert_allclose(np.reshape(found, (len(SAMPLES), -1)), expected, atol=1e-5)


def assert_described(folder: Path, kind: str, names: list[str]) -> None:
    described: dict[str, Any] = json.loads((folder / "task.json").read_text())
    assert [model["file"] for model in described["models"]] == names
    for model in described["models"]:
        assert model["inputs"] == ["token_ids", "segment_ids", "padding_mask"]
        assert [note["name"] for note in model["outputs"]] == OUTPUTS[kind]
    assert (folder / "vocab.txt").is_file()
    assert (folder / "tokenizer_config.json").is_file()
    if described["labels_file"]:
        assert (folder / described["labels_file"]).read_text().split("\n")[:-1] == described["labels"]
