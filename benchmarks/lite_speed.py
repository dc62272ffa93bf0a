"""Milliseconds a call of our TFLite files in LiteRT, and of ONNX Runtime on the same model, in one interleaved run.

    python3 -m venv /tmp/ort && /tmp/ort/bin/pip install torch transformers onnx onnxscript onnxruntime
    python -m benchmarks.lite_speed --onnx-python=/tmp/ort/bin/python --run=runs/sst2

Batch 1, at 16 and at 128 tokens, on two threads, in float32 and with weights of 8 bits (activations quantised as they
come, in both libraries). The ONNX models are made from the run's Hugging Face folder by PyTorch, as exported and with
what ONNX Runtime's optimizer fuses; ratios are to the faster of the two. Rounds alternate between the libraries.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

SIDE = Path(__file__).with_name("onnx_side.py")
PRECISIONS, LENGTHS = ("float32", "int8"), (16, 128)
OURS = "LiteRT"
PAUSE = 0.2  # s, as the threads of the one who had the turn before keep waiting busily for a while
WARM = 3  # calls that are not counted


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--onnx-python", required=True, help="a Python with torch, transformers, onnx and onnxruntime")
    parser.add_argument("--run", required=True, help="a run of any task but one that writes")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--calls", type=int, default=20, help="calls of each model in a round")
    parser.add_argument("--length", default="dynamic", choices=("fixed", "dynamic"), help="of our files' rows")
    flags = parser.parse_args()

    from bert_tf.inference.pipeline import Pipeline

    pipeline = Pipeline(flags.run)
    size = pipeline.tokenizer.vocabulary_size
    theirs = Other(flags.onnx_python, [str(Path(flags.run) / "model"), str(flags.threads), str(size)])
    with tempfile.TemporaryDirectory() as folder:
        ours = {
            (precision, tokens): call
            for precision in PRECISIONS
            for tokens, call in _calls(pipeline, precision, Path(folder), flags)
        }
    found: dict[tuple[str, int], dict[str, list[float]]] = {key: {} for key in ours}
    for _ in range(flags.rounds):
        for (precision, tokens), call in ours.items():
            row = found[precision, tokens]
            row.setdefault(OURS, []).append(statistics.median(_timed(call, flags.calls)))
            for name, times in theirs.ask(f"{precision} {tokens} {flags.calls}").items():
                row.setdefault(f"ONNX Runtime {name}", []).append(statistics.median(times))
    print(f"{flags.threads} threads, batch 1, {flags.rounds} rounds of {flags.calls} calls: ms a call, median (range)")
    for (precision, tokens), row in found.items():
        print(f"\n{precision}, {tokens} tokens")
        for name, times in row.items():
            print(f"  {name:28s} {statistics.median(times):7.2f} ({min(times):.2f} to {max(times):.2f})")
        best = [min(times) for times in zip(*(row[name] for name in row if name != OURS), strict=True)]
        ratios = [ours_ms / theirs_ms for ours_ms, theirs_ms in zip(row[OURS], best, strict=True)]
        print(
            f"  ours / the faster of theirs  {statistics.median(ratios):7.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
        )


class Other:
    """ONNX Runtime in a process of its own, which works when told to."""

    def __init__(self, python: str, arguments: list[str]) -> None:
        command = [python, str(SIDE), *arguments]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._answer()

    def ask(self, line: str) -> dict[str, list[float]]:
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return json.loads(self._answer())

    def _answer(self) -> str:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith("= "):
                return line.removeprefix("= ")
        raise SystemExit(f"ONNX Runtime's side ended with status {self.process.wait()}")


def _calls(
    pipeline: Any, precision: str, folder: Path, flags: argparse.Namespace
) -> list[tuple[int, Callable[[], Any]]]:
    """For each length a call of one model."""
    import numpy as np

    from bert_tf.exporting.tflite import graph as lite_graph
    from bert_tf.exporting.tflite.convert import convert, frozen
    from bert_tf.exporting.tflite.file import finish
    from bert_tf.exporting.tflite.loaded import input_row
    from bert_tf.runtimes.tflite import LiteFile

    outputs = pipeline.kind.serving.contract
    found = []
    for tokens in LENGTHS:
        length = tokens if flags.length == "fixed" else None
        path = folder / f"{precision}_{length}.tflite"
        if not path.exists():
            with lite_graph.made_for(pipeline.model, mask_value=None, eight_bits=precision == "int8"):
                graph = frozen(lite_graph.tensors_function(pipeline.model, outputs, length))
            model = convert(graph, precision)
            names = [note.name for note in lite_graph.INPUTS], [note.name for note in outputs.outputs]
            path.write_bytes(finish(model, *names, description=""))
        file = LiteFile(path, threads=flags.threads)
        ids = np.arange(tokens, dtype=np.int32) % pipeline.tokenizer.vocabulary_size
        row = input_row(ids, np.zeros_like(ids), tokens)
        found.append((tokens, lambda file=file, row=row: file(row)))
    return found


def _timed(call: Callable[[], Any], calls: int) -> list[float]:
    time.sleep(PAUSE)
    for _ in range(WARM):
        call()
    times = []
    for _ in range(calls):
        started = time.perf_counter()
        call()
        times.append(1000 * (time.perf_counter() - started))
    return times


if __name__ == "__main__":
    main()
