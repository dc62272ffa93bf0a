"""Answers of a SavedModel through TensorFlow's C API alone, compared with those of the run that it was made of.

    python -m benchmarks.c_api_parity --run=runs/sst2 --saved-model=models/sst2/1 --data=FOLDER [--examples=1000]

Raw bytes go into a process without Python TensorFlow (benchmarks/c_api.py). Labels, texts and places must be equal; the
largest difference of what has a fraction is printed, and the status is 1 above 1e-5.
"""

from __future__ import annotations

import argparse
import base64
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import numpy as np

REPOSITORY = Path(__file__).resolve().parent.parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", required=True)
    parser.add_argument("--saved-model", required=True, help="the folder of a version")
    parser.add_argument("--data", required=True, help="as evaluate takes it")
    parser.add_argument("--examples", type=int, default=1000, help="the first of the validation split; default: 1000")
    flags = parser.parse_args()
    from bert_tf.command_line import start_tensorflow

    start_tensorflow()
    from bert_tf.inference.pipeline import Pipeline

    pipeline = Pipeline(flags.run)
    examples = pipeline.kind.read(flags.data, "validation").first(flags.examples)
    columns = [column[: flags.examples] for column in examples.columns]
    whole, rest = divmod(len(columns[0]), 32)
    found = check(pipeline, Path(flags.saved_model), columns, batches=[32] * whole + [rest] * (rest > 0))
    print(json.dumps(found))
    sys.exit(0 if found["largest_difference"] <= 1e-5 else 1)


def check(
    pipeline: Any, saved_model: Path, columns: Sequence[Sequence[str]], *, batches: Sequence[int]
) -> dict[str, Any]:
    """Asks for what the run says to texts, a sequence of them a column. Args, returns and raises: as `compare`."""
    texts = list(zip(*columns, strict=True))
    ours = pipeline([dict(zip(pipeline.kind.text_columns, of_row, strict=True)) for of_row in texts])
    return compare(pipeline.kind, ours, saved_model, columns, batches=batches)


def compare(
    kind: Any,
    ours: Sequence[Any],
    saved_model: Path,
    columns: Sequence[Sequence[str]],
    *,
    batches: Sequence[int],
    further: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """Asks both signatures of raw text, a sequence of them a column, in batches of these sizes.

    Args:
        ours: what predict says to each text.
        further: requests that the same process is asked besides.
    Returns: "answers", how many, "largest_difference" and, where there are further requests, what it said to them,
        "further".
    Raises: ValueError where an answer differs in more than numbers with a fraction.
    """
    from bert_tf.kinds.long_texts.notes import notes_of

    named = dict(zip(kind.text_columns, columns, strict=True))
    starts = pairwise(accumulate(batches, initial=0))
    inputs = [{name: list(side[a:b]) for name, side in named.items()} for a, b in starts]
    inner = [{"inputs": sides, "signature": "details"} for sides in inputs]
    asked = ask(saved_model, [*inner, *({"inputs": sides} for sides in inputs), *further])
    answers, served, said = asked[: len(inputs)], asked[len(inputs) : 2 * len(inputs)], asked[2 * len(inputs) :]
    if errors := [answer["error"] for answer in asked if "error" in answer]:
        raise ValueError(f"expected answers. Received: {errors[0]}")

    counts = json.loads((saved_model / "assets" / "task.json").read_text(encoding="utf-8"))["counts"]
    rows = [row for answer in answers for row in rows_of(answer["outputs"], counts)]
    texts = list(zip(*columns, strict=True))
    theirs = [{**kind.as_json(of_row, row), **notes_of(row)} for of_row, row in zip(texts, rows, strict=True)]
    differences = [largest_difference(ours, theirs)]
    for details, outer in zip(answers, served, strict=True):
        for name in details["outputs"].keys() & outer["outputs"].keys():
            differences.append(largest_difference(details["outputs"][name], outer["outputs"][name], name))
    return {"answers": len(theirs), "largest_difference": max(differences), **({"further": said} if further else {})}


def ask(saved_model: Path, requests: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What the host program says to each request. Raises: RuntimeError with what it wrote if it fails."""
    lines = "".join(json.dumps(request) + "\n" for request in requests)
    command = [sys.executable, "-m", "benchmarks.c_api", str(saved_model.resolve())]
    done = subprocess.run(command, cwd=REPOSITORY, input=lines, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr[-3000:])
    return [json.loads(line) for line in done.stdout.splitlines()]


def rows_of(outputs: Mapping[str, Any], counts: Mapping[str, str]) -> list[dict[str, Any]]:
    """Answers as `Kind.to_json` takes them, of a SavedModel's `details`."""
    columns = {name: plain(value) for name, value in outputs.items()}
    found = []
    for row in zip(*columns.values(), strict=True):
        named = dict(zip(columns, row, strict=True))
        cut = {name: value[: named[counts[name]]] if name in counts else value for name, value in named.items()}
        found.append({name: value if isinstance(value, bytes) else array_of(value) for name, value in cut.items()})
    return found


def plain(value: Any) -> Any:
    """Strings of the host program as bytes."""
    if isinstance(value, dict):
        return base64.b64decode(value["b64"])
    return [plain(item) for item in value] if isinstance(value, list) else value


def array_of(value: Any) -> np.ndarray:
    is_text = isinstance(value, list) and bool(value) and isinstance(value[0], bytes)
    return np.array(value, object if is_text else None)


def largest_difference(ours: Any, theirs: Any, path: str = "") -> float:
    """Of the numbers with a fraction in two objects of JSON. Raises: ValueError where anything else differs."""
    if type(ours) is type(theirs):
        if isinstance(ours, dict) and list(ours) == list(theirs):
            return max([0.0, *(largest_difference(ours[name], theirs[name], f"{path}/{name}") for name in ours)])
        if isinstance(ours, list) and len(ours) == len(theirs):
            sides = enumerate(zip(ours, theirs, strict=True))
            return max([0.0, *(largest_difference(*both, f"{path}/{number}") for number, both in sides)])
        if isinstance(ours, float):
            return abs(ours - theirs)
        if not isinstance(ours, dict | list) and ours == theirs:
            return 0.0
    raise ValueError(f"{path}: {theirs!r} is not what predict says: {ours!r}")


if __name__ == "__main__":
    main()
