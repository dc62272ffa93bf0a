"""A process with nothing but TensorFlow's C API answers from raw bytes as predict does."""

from __future__ import annotations

import base64
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.c_api_parity import ask, check, largest_difference
from bert_tf import export
from bert_tf.inference.pipeline import Pipeline
from tests.exporting.runs import KINDS, run_of

REPOSITORY = Path(__file__).resolve().parents[3]
ODD = [
    "",
    "naïve 有趣 𝔘 \x00 film",
    "Ann was in Paris. " * 60,
    "[MASK] good\n\tbad",
    "e\u0301\u0323 " * 30,
    "ÀÉÎ, who?",
]


def check_sample(run: Path, saved_model: Path) -> None:
    """On the evaluation set and on odd texts, in batches of several sizes."""
    pipeline = Pipeline(run)
    kind = pipeline.kind
    examples = kind.read("sample" if kind.sample else "own", "validation")
    odd = (ODD, ODD[::-1])
    columns = [[*column[:30], *odd[i % 2]] for i, column in enumerate(examples.columns)]
    found = check(pipeline, saved_model, columns, batches=[1, 3, 5, 27])
    assert found["answers"] == len(columns[0])
    assert found["largest_difference"] <= 1e-5


def test_the_host_program_answers_as_predict_does(classifier, served):
    check_sample(classifier, served)


def test_what_is_not_text_is_refused_or_answered_and_the_process_lives(served):
    requests = [
        {"inputs": {"sentence": [{"b64": base64.b64encode(bytes(content)).decode()}]}}
        for content in (b"\xff\xfe", b"\xed\xa0\x80", b"\x00", b"good " * 300_000, b"a" * (1 << 20))
    ]
    wrong = [{"inputs": {"sentence": value}} for value in ([["good"]], "good", [])] + [{"inputs": {}}]
    found = ask(served, [*requests, *wrong, {"inputs": {"sentence": ["good"]}}])
    assert ["outputs" in answer for answer in found] == [True] * 5 + [False] * 4 + [True]
    rules = ("is not compatible with expected shape", "must feed a value", "expected one text or more")
    assert all(any(rule in answer["error"] for rule in rules) for answer in found[5:9]), found[5:9]


def test_answers_that_differ_are_seen():
    one = {"label": "a", "score": 0.5, "entities": [{"start": 1, "score": 0.25}]}
    assert largest_difference(one, {**one, "score": 0.75}) == 0.25
    for other in ({**one, "label": "b"}, {**one, "entities": []}, {**one, "entities": [{"start": 2, "score": 0.25}]}):
        with pytest.raises(ValueError, match="is not what predict says"):
            largest_difference(one, other)


def test_no_python_tensorflow_is_in_the_process():
    code = "import sys, benchmarks.c_api as c; c.load_library(); print('tensorflow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.stdout == "False\n", done.stderr[-2000:]


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind(kind, tmp_path):
    run = run_of(kind, tmp_path / "run")
    export.main([f"--run={run}", "--format=saved_model", f"--out={tmp_path / 'model'}", "--no-timing"])
    check_sample(run, tmp_path / "model" / "1")
