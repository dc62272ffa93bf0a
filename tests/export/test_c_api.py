"""A process with nothing but TensorFlow's C API answers from raw bytes as predict does."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bert_tf import export
from bert_tf.pipeline import Pipeline
from tests.export.runs import KINDS, run_of

REPOSITORY = Path(__file__).resolve().parent.parent.parent
ODD = [
    "",
    "naïve 有趣 𝔘 \x00 film",
    "Ann was in Paris. " * 60,
    "[MASK] good\n\tbad",
    "e\u0301\u0323 " * 30,
    "ÀÉÎ, who?",
]


def ask(saved_model: Path, requests: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What the host program says to each request."""
    lines = "".join(json.dumps(request) + "\n" for request in requests)
    command = [sys.executable, "-m", "benchmarks.c_api", str(saved_model)]
    done = subprocess.run(command, cwd=REPOSITORY, input=lines, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


def plain(value: Any) -> Any:
    """Strings of the host program as bytes."""
    if isinstance(value, dict):
        return base64.b64decode(value["b64"])
    return [plain(item) for item in value] if isinstance(value, list) else value


def rows_of(outputs: Mapping[str, Any], counts: Mapping[str, str]) -> list[dict[str, Any]]:
    """Answers as `Kind.to_json` takes them, of a SavedModel's `details`."""
    columns = {name: plain(value) for name, value in outputs.items()}
    found = []
    for row in zip(*columns.values(), strict=True):
        row = dict(zip(columns, row, strict=True))
        cut = {name: value[: row[counts[name]]] if name in counts else value for name, value in row.items()}
        found.append({
            name: value if isinstance(value, bytes) else np.array(value, object if is_text(value) else None)
            for name, value in cut.items()
        })  # fmt: skip
    return found


def is_text(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], bytes)


def assert_same(ours: Any, theirs: Any, path: str = "") -> None:
    """Equal, numbers with a fraction to 1e-5."""
    assert type(ours) is type(theirs), path
    if isinstance(ours, dict):
        assert list(ours) == list(theirs), path
        for name, value in ours.items():
            assert_same(value, theirs[name], f"{path}/{name}")
    elif isinstance(ours, list):
        assert len(ours) == len(theirs), path
        for number, (one, other) in enumerate(zip(ours, theirs, strict=True)):
            assert_same(one, other, f"{path}/{number}")
    elif isinstance(ours, float):
        assert ours == pytest.approx(theirs, abs=1e-5), path
    else:
        assert ours == theirs, path


def check(run: Path, saved_model: Path) -> None:
    """Both signatures of raw text, on the evaluation set and on odd texts, in batches of several sizes."""
    pipeline = Pipeline(run)
    kind = pipeline.kind
    examples = kind.read("sample" if kind.sample else "own", "validation")
    texts = [*examples.texts[:30], *ODD]
    pairs = None if examples.pairs is None else [*examples.pairs[:30], *ODD[::-1]]
    if len(kind.text_columns) == 1:
        pairs = None
    columns = dict(zip(kind.text_columns, (texts, pairs) if pairs else (texts,), strict=True))
    starts = [0, 1, 4, 9, len(texts)]
    batches = [{name: side[a:b] for name, side in columns.items()} for a, b in pairwise(starts)]
    requests = [{"inputs": batch, "signature": "details"} for batch in batches]
    answers = ask(saved_model, [*requests, *({"inputs": batch} for batch in batches)])
    assert not [answer["error"] for answer in answers if "error" in answer]
    details, served = answers[: len(batches)], answers[len(batches) :]

    counts = json.loads((saved_model / "assets" / "task.json").read_text())["counts"]
    rows = [row for answer in details for row in rows_of(answer["outputs"], counts)]
    theirs = [kind.to_json(text, pairs[i] if pairs else None, rows[i]) for i, text in enumerate(texts)]
    assert_same(pipeline(texts, pairs), theirs)
    for inner, outer in zip(details, served, strict=True):
        shared = inner["outputs"].keys() & outer["outputs"].keys()
        assert shared or set(outer["outputs"]) == {"value"}
        for name in shared:
            assert_same(inner["outputs"][name], outer["outputs"][name], name)


def test_the_host_program_answers_as_predict_does(classifier, served):
    check(classifier, served)


def test_what_is_not_text_is_refused_or_answered_and_the_process_lives(served):
    requests = [
        {"inputs": {"sentence": [{"b64": base64.b64encode(bytes(content)).decode()}]}}
        for content in (b"\xff\xfe", b"\xed\xa0\x80", b"\x00", b"good " * 300_000, b"a" * (1 << 20))
    ]
    wrong = [{"inputs": {"sentence": [["good"]]}}, {"inputs": {"sentence": "good"}}, {"inputs": {}}]
    found = ask(served, [*requests, *wrong, {"inputs": {"sentence": ["good"]}}])
    assert ["outputs" in answer for answer in found] == [True] * 5 + [False] * 3 + [True]
    for answer in found[5:8]:
        assert re_search(answer["error"]), answer


def re_search(message: str) -> bool:
    return "is not compatible with expected shape" in message or "must feed a value" in message


def test_no_python_tensorflow_is_in_the_process():
    code = "import sys, benchmarks.c_api as c; c.load_library(); print('tensorflow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.stdout == "False\n", done.stderr[-2000:]


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind(kind, tmp_path):
    run = run_of(kind, tmp_path / "run")
    export.main([f"--run={run}", "--format=saved_model", f"--out={tmp_path / 'model'}", "--no-timing"])
    check(run, tmp_path / "model" / "1")
