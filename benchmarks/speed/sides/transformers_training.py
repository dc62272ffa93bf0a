"""Transformers' training steps in a bare loop: bfloat16 autocast, fused AdamW, clipping, rows grouped by length.

The loop leaves out what `Trainer` adds, so it is no slower than `Trainer` at the same settings.
"""

# pyright: reportMissingImports=false
from __future__ import annotations

import itertools
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers

from benchmarks.speed.work import Repetition, Work
from benchmarks.transformers_loop import padded

GROUP_BATCHES = 50  # as many are sorted by length together, as `Trainer` does for group_by_length
Batch = Mapping[str, torch.Tensor]


def classification(*, task: str, data: str, backbone: str, length: int, batch: int, updates: int) -> Work:
    """Real tokens a second on a folder like SST-2's."""
    del task
    lines = (Path(data) / "train.tsv").read_text(encoding="utf-8").splitlines()[1:]
    texts, labels = zip(*(line.rsplit("\t", 1) for line in lines), strict=True)
    tokenizer = _tokenizer(backbone)
    found = tokenizer(list(texts), truncation=True, max_length=length)
    rows = [
        {"ids": ids, "segments": [0] * len(ids), "label": int(label)}
        for ids, label in zip(found["input_ids"], labels, strict=True)
    ]

    def collate(part: Sequence[Any]) -> Batch:
        return padded(tokenizer, part) | {"labels": torch.tensor([row["label"] for row in part])}

    model = transformers.AutoModelForSequenceClassification.from_pretrained(backbone, num_labels=2)
    return _steps(model, grouped(rows, collate, batch, updates), updates)


def span_qa(*, task: str, data: str, backbone: str, length: int, batch: int, updates: int) -> Work:
    """Real tokens a second on a folder like SQuAD's, windows padded to the longest of their batch."""
    from benchmarks.transformers_span_qa import LENGTH, read, training_rows
    from benchmarks.transformers_span_qa import batch as collate

    assert (task, length) == ("squad", LENGTH)
    tokenizer = _tokenizer(backbone)
    rows = training_rows(tokenizer, read(Path(data) / "train-v1.1.json"))
    model = transformers.AutoModelForQuestionAnswering.from_pretrained(backbone)
    return _steps(model, grouped(rows, lambda part: collate(tokenizer, list(part), None), batch, updates), updates)


def pretraining(*, batches: str, backbone: str, updates: int) -> Work:
    """Real tokens a second on batches that are ready made, masked and padded."""
    found = np.load(batches)
    columns = {name: torch.from_numpy(found[name]) for name in found.files}
    ready = itertools.cycle(range(len(columns["input_ids"])))
    source = ({name: values[number] for name, values in columns.items()} for number in ready)
    return _steps(transformers.BertForPreTraining.from_pretrained(backbone), source, updates)


def gemm(*, width: int = 1536, seconds: float = 1.0) -> Work:
    """GFLOP/s, the best of the products of a second."""
    matrix = torch.rand(width, width).to(torch.bfloat16)

    def once() -> Repetition:
        fastest, began = float("inf"), time.perf_counter()
        while time.perf_counter() - began < seconds:
            start = time.perf_counter()
            torch.mm(matrix, matrix)
            fastest = min(fastest, time.perf_counter() - start)
        return Repetition(2e-9 * width**3 / fastest)

    return Work(once)


def grouped(
    rows: Sequence[Any], collate: Callable[[Sequence[Any]], Batch], batch: int, updates: int
) -> Iterator[Batch]:
    """Batches from groups of 50 that are sorted by length; of each group `updates` in even distances, so that a
    repetition has short and long ones as a whole group has."""
    while True:
        order = random.sample(range(len(rows)), len(rows))
        window = min(GROUP_BATCHES * batch, len(order) // batch * batch)
        for start in range(0, len(order) - window + 1, window):
            group = sorted(order[start : start + window], key=lambda i: -len(rows[i]["ids"]))
            places = np.linspace(0, window // batch - 1, num=updates).round().astype(int)
            for place in places.tolist():
                yield collate([rows[i] for i in group[place * batch : (place + 1) * batch]])


def _steps(model: Any, source: Iterator[Batch], updates: int) -> Work:
    torch.manual_seed(1)
    random.seed(1)
    model.train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5, weight_decay=0.0, fused=True)

    def update(inputs: Batch) -> None:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = model(**inputs).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()

    def once() -> Repetition:
        began, tokens = time.perf_counter(), 0
        for inputs in itertools.islice(source, updates):
            tokens += int(inputs["attention_mask"].sum())
            update(inputs)
        return Repetition(tokens / (time.perf_counter() - began))

    for inputs in itertools.islice(source, updates):  # as many, so that repetitions begin with a group
        update(inputs)
    return Work(once)


def _tokenizer(backbone: str) -> Any:
    transformers.logging.set_verbosity_error()
    return transformers.AutoTokenizer.from_pretrained(backbone)
