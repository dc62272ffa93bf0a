"""Every consumer that a document or hint of this project names opens what the exports write: make consumers

    python -m benchmarks.consumers --mediapipe-python=PY --task-library-python=PY --torch-python=PY

Small runs with random weights are exported in each format and quantization, and each consumer, in an environment of its
own, answers the same texts. Prints a table in Markdown; the status is 1 where a consumer that an export names fails or
answers otherwise, or one that it says does not open a file opens it. Without an interpreter its rows are left out, and
that is said.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.consumers.cases import CASES, make
from benchmarks.consumers.rows import Row, rows_of_hub, rows_of_keras, rows_of_saved_model, rows_of_tflite

FORMATS = ("tflite", "saved_model", "keras", "huggingface")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mediapipe-python", help="an interpreter with MediaPipe 1.2.2")
    parser.add_argument("--task-library-python", help="one with tflite-support 0.4.4, and libusb-package if need be")
    parser.add_argument(
        "--torch-python", help="one with torch, transformers, sentence-transformers, ctranslate2, openvino"
    )
    parser.add_argument("--cases", help=f"some of {', '.join(CASES)}; default: all")
    parser.add_argument("--formats", default=",".join(FORMATS), help=f"some of {', '.join(FORMATS)}; default: all")
    flags = parser.parse_args()
    os.environ["HF_HUB_OFFLINE"] = "1"
    pythons = {
        "MediaPipe": flags.mediapipe_python,
        "Task Library": flags.task_library_python,
        "PyTorch": flags.torch_python,
    }
    for name, python in pythons.items():
        if python is None:
            print(f"{name}: SKIPPED, no interpreter was named", file=sys.stderr)
    print("| format | case | file | consumer | found |\n|---|---|---|---|---|")
    failed = 0
    for row in rows(pythons, flags.cases.split(",") if flags.cases else list(CASES), flags.formats.split(",")):
        failed += not row.is_right
        cells = (row.format, row.case, row.file, row.consumer, row.found + ("" if row.is_right else " **WRONG**"))
        print(f"| {' | '.join(cells)} |", flush=True)
    print(f"\n{failed} wrong" if failed else "\nall as the exports say", file=sys.stderr)
    return 1 if failed else 0


def rows(pythons: dict[str, str | None], cases: list[str], formats: list[str]) -> Iterator[Row]:
    makers = {
        "tflite": rows_of_tflite,
        "saved_model": rows_of_saved_model,
        "keras": rows_of_keras,
        "huggingface": rows_of_hub,
    }
    for name in cases:
        with tempfile.TemporaryDirectory() as folder:
            case, run = CASES[name], Path(folder) / "run"
            with contextlib.redirect_stdout(io.StringIO()):
                make(case, run)
            for kind_of_file in formats:
                yield from makers[kind_of_file](name, case, run, Path(folder), pythons)


if __name__ == "__main__":
    sys.exit(main())
