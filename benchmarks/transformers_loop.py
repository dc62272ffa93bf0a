"""How Transformers' side of the comparisons of scores fine-tunes: as its examples do, in a bare PyTorch loop.

The loop leaves out what `Trainer` adds, so it is no slower than `Trainer` at the same settings.
"""

# pyright: reportMissingImports=false
from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
import transformers

REPORT_STEPS = 50


def arguments(description: str | None, *, epochs: int, batch: int, learning_rate: float) -> argparse.ArgumentParser:
    """The flags that both tasks have, with these defaults."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="folder with the task's published files")
    parser.add_argument("--backbone", required=True, help="a Hugging Face folder")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=epochs)
    parser.add_argument("--batch", type=int, default=batch)
    parser.add_argument("--learning-rate", type=float, default=learning_rate)
    parser.add_argument("--warmup-share", type=float, default=0.0)
    parser.add_argument("--precision", default="float32", choices=("float32", "bfloat16"), help="of autocast")
    parser.add_argument("--max-steps", type=int, default=None, help="stop early, without a score: to time the steps")
    return parser


def autocast(flags: argparse.Namespace) -> Any:
    """A context in which the model works in the precision asked for."""
    return torch.autocast("cpu", dtype=torch.bfloat16, enabled=flags.precision == "bfloat16")


def padded(tokenizer: Any, rows: Sequence[Mapping[str, Any]], length: int | None = None) -> dict[str, torch.Tensor]:
    """The model's inputs, [B, length]; None: as long as the longest row."""
    length = length or max(len(row["ids"]) for row in rows)

    def column(values: Sequence[list[int]], fill: int) -> torch.Tensor:
        return torch.tensor([value + [fill] * (length - len(value)) for value in values])

    return {
        "input_ids": column([row["ids"] for row in rows], tokenizer.pad_token_id),
        "token_type_ids": column([row["segments"] for row in rows], 0),
        "attention_mask": column([[1] * len(row["ids"]) for row in rows], 0),
    }


def fine_tune(
    model: Any,
    rows: Sequence[Any],
    collate: Callable[[list[Any]], dict[str, torch.Tensor]],
    flags: argparse.Namespace,
) -> dict[str, float]:
    """AdamW without decay, linear warm-up and decay, gradients clipped to 1. Returns: the steps and their seconds."""
    steps = flags.epochs * math.ceil(len(rows) / flags.batch)
    optimizer = torch.optim.AdamW(model.parameters(), lr=flags.learning_rate, weight_decay=0.0, fused=True)
    warmup = math.ceil(flags.warmup_share * steps)
    schedule = transformers.get_linear_schedule_with_warmup(optimizer, warmup, steps)
    model.train()
    done, began = 0, time.perf_counter()
    for _ in range(flags.epochs):
        order = torch.randperm(len(rows)).tolist()
        for start in range(0, len(rows), flags.batch):
            with autocast(flags):
                loss = model(**collate([rows[i] for i in order[start : start + flags.batch]])).loss
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
            done += 1
            seconds = time.perf_counter() - began
            if done % REPORT_STEPS == 0:
                print(f"step {done}/{steps}, {done / seconds:.2f} steps/s, loss {loss.item():.4f}", file=sys.stderr)
            if done == flags.max_steps:
                return {"steps": done, "seconds": round(seconds, 1)}
    return {"steps": done, "seconds": round(time.perf_counter() - began, 1)}
