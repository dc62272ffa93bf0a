"""Transformers' side of training_speed.py: its model and tokenizer, grouped by length, with a bare PyTorch loop.

The loop leaves out what `Trainer` adds, so it is no slower than `Trainer` at the same settings.
"""

# pyright: reportMissingImports=false
from __future__ import annotations

import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import torch
import transformers

BATCH = 32


def batches(rows: list[tuple[list[int], int]], pad_id: int) -> Iterator[dict[str, torch.Tensor]]:
    """Groups of 50 batches sorted by length, as `Trainer` does for group_by_length, longest first."""
    while True:
        order = random.sample(range(len(rows)), len(rows))
        window = 50 * BATCH
        groups = [sorted(order[i : i + window], key=lambda j: -len(rows[j][0])) for i in range(0, len(order), window)]
        flat = [j for group in groups for j in group]
        for start in range(0, len(flat) - BATCH + 1, BATCH):
            part = [rows[j] for j in flat[start : start + BATCH]]
            longest = max(len(ids) for ids, _ in part)
            ids = torch.tensor([ids + [pad_id] * (longest - len(ids)) for ids, _ in part])
            mask = torch.tensor([[1] * len(ids) + [0] * (longest - len(ids)) for ids, _ in part])
            yield {"input_ids": ids, "attention_mask": mask, "labels": torch.tensor([label for _, label in part])}


def main(data: str, backbone: str, dropout: float, precision: str) -> None:
    random.seed(1)
    torch.manual_seed(1)
    transformers.logging.set_verbosity_error()
    tokenizer = transformers.AutoTokenizer.from_pretrained(backbone)
    lines = (Path(data) / "train.tsv").read_text(encoding="utf-8").splitlines()[1:]
    texts, labels = zip(*(line.rsplit("\t", 1) for line in lines), strict=True)
    ids = tokenizer(list(texts), truncation=True, max_length=64)["input_ids"]
    model = transformers.AutoModelForSequenceClassification.from_pretrained(
        backbone, num_labels=2, hidden_dropout_prob=dropout, attention_probs_dropout_prob=dropout
    ).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5, weight_decay=0.0, fused=True)
    source = batches(list(zip(ids, map(int, labels), strict=True)), tokenizer.pad_token_id)
    for line in sys.stdin:
        updates = 2 if line.strip() == "ready" else int(line)
        started = time.perf_counter()
        for _ in range(updates):
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision == "bfloat16"):
                loss = model(**next(source)).loss
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()
        seconds = time.perf_counter() - started
        print("= ready" if line.strip() == "ready" else f"= {updates * BATCH / seconds}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]), sys.argv[4])
