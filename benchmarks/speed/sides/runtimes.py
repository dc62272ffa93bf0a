"""OpenVINO, ONNX Runtime and CTranslate2 on what `convert.py` made, and the Rust tokenizer before them.

As a program, OpenVINO's whole process on a file of texts:
python -m benchmarks.speed.sides.runtimes FOLDER TEXTS MODELS
"""

# pyright: reportMissingImports=false
from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.speed.sides.convert import CTRANSLATE2, LENGTH, ONNX_INT8, OPENVINO
from benchmarks.speed.sides.token_rows import batch_of, tokenizer_of
from benchmarks.speed.work import Work, call_ms, rate

BATCH = 32
CALLS = 200
Scores = Callable[[dict[str, np.ndarray]], np.ndarray]
"""From the inputs, int64 [B, T], to logits [B, C]."""


def openvino(*, folder: str, texts: str, models: str, precision: str) -> Work:
    """Texts a second over batches of similar lengths; "bf16", or "int8" of NNCF."""
    return _labels(folder, texts, _openvino(models, precision))


def openvino_one_text(*, folder: str, models: str, tokens: int) -> Work:
    return _one_text(folder, _openvino(models, "int8", hint="LATENCY"), tokens)


def onnx_one_text(*, folder: str, models: str, tokens: int) -> Work:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = os.cpu_count() or 1, 3
    session = onnxruntime.InferenceSession(str(Path(models) / ONNX_INT8), options)
    return _one_text(folder, lambda batch: session.run(None, batch)[0], tokens)


def ctranslate2(*, folder: str, texts: str, models: str) -> Work:
    """Texts a second with int8 weights; the head is a product in NumPy, as CTranslate2 runs the encoder alone."""
    import ctranslate2

    encoder = ctranslate2.Encoder(
        str(Path(models) / CTRANSLATE2), compute_type="int8", intra_threads=os.cpu_count() or 1
    )
    head = np.load(Path(models) / "head.npz")
    kernel, bias = head["weight"].T, head["bias"]

    def scores(batch: dict[str, np.ndarray]) -> np.ndarray:
        lengths = batch["attention_mask"].sum(-1).tolist()
        rows = [row[:length] for row, length in zip(batch["input_ids"].tolist(), lengths, strict=True)]
        return np.array(encoder.forward_batch(rows).pooler_output) @ kernel + bias

    return _labels(folder, texts, scores)


def tokenizer(*, folder: str, texts: str) -> Work:
    """Texts a second of the Rust library, at the best of several sizes of batches, without offsets."""
    library = tokenizer_of(folder)
    lines = Path(texts).read_text(encoding="utf-8").splitlines()

    def all_in(size: int) -> list[Any]:
        return [
            row
            for start in range(0, len(lines), size)
            for row in library.encode_batch_fast(lines[start : start + size], add_special_tokens=False)
        ]

    def seconds(size: int) -> float:
        return min(1 / rate(lambda: all_in(size), 1).value for _ in range(2))

    best = min((1_000, 10_000, 100_000), key=seconds)
    answers = [" ".join(map(str, row.ids)) for row in all_in(best)]
    return Work(lambda: rate(lambda: all_in(best), len(lines)), answers=lambda: answers)


def _labels(folder: str, texts: str, scores: Scores) -> Work:
    lines, found = Path(texts).read_text(encoding="utf-8").splitlines(), list[str]()

    def work() -> None:
        found[:] = labels_by_length(folder, lines, scores)

    labels_by_length(folder, lines[:BATCH], scores)
    return Work(lambda: rate(work, len(lines)), answers=lambda: found)


def labels_by_length(folder: str, texts: list[str], scores: Scores) -> list[str]:
    names = json.loads((Path(folder) / "config.json").read_text(encoding="utf-8"))["id2label"]
    rows = [row.ids for row in tokenizer_of(folder, LENGTH).encode_batch_fast(texts)]
    order, found = sorted(range(len(rows)), key=lambda i: -len(rows[i])), [""] * len(rows)
    for start in range(0, len(order), BATCH):
        part = order[start : start + BATCH]
        best = scores(batch_of([rows[i] for i in part])).argmax(-1)
        for i, number in zip(part, best.tolist(), strict=True):
            found[i] = names[str(number)]
    return found


def _one_text(folder: str, scores: Scores, tokens: int) -> Work:
    library, text = tokenizer_of(folder, tokens), "good " * (tokens - 2)

    def work() -> np.ndarray:
        return scores(batch_of([library.encode(text).ids]))

    assert len(library.encode(text).ids) == tokens
    return Work(lambda: call_ms(work, CALLS))


def _openvino(models: str, precision: str, *, hint: str = "THROUGHPUT") -> Scores:
    import openvino

    core = openvino.Core()
    wanted = {"PERFORMANCE_HINT": hint, "INFERENCE_PRECISION_HINT": "f32" if precision == "int8" else precision}
    compiled = core.compile_model(core.read_model(Path(models) / OPENVINO[precision]), "CPU", wanted)
    request = compiled.create_infer_request()

    def scores(batch: dict[str, np.ndarray]) -> np.ndarray:
        return request.infer(batch, share_inputs=True)[0]

    return scores


def main(folder: str, texts: str, models: str) -> None:
    lines = Path(texts).read_text(encoding="utf-8").splitlines()
    print(*labels_by_length(folder, lines, _openvino(models, "bf16")), sep="\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
