"""Transformers' model: a training step and a pass, scaled dot-product attention, compiled by torch.compile."""

# pyright: reportMissingImports=false
from __future__ import annotations

import time
from typing import Any

import torch
import transformers

from benchmarks.speed.sides.fixed_batch import LEARNING_RATE, fixed_batch
from benchmarks.speed.work import Repetition, Work

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def training(*, folder: str, batch: int, length: int, steps: int, precision: str) -> Work:
    """Examples a second: autocast, dropout, fused AdamW, gradients clipped to the norm 1."""
    model, inputs, labels = _opened(folder, batch, length, torch.float32)
    optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE, weight_decay=0.0, fused=True)
    compiled = torch.compile(model.train())

    def step() -> Any:
        with torch.autocast(DEVICE, dtype=torch.bfloat16, enabled=precision == "bfloat16"):
            loss = compiled(**inputs, labels=labels).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        return loss

    def once() -> Repetition:
        began = time.perf_counter()
        loss = None
        for _ in range(steps):
            loss = step()
        assert torch.isfinite(loss), loss  # which waits for the device
        return Repetition(steps * batch / (time.perf_counter() - began))

    once()
    return Work(once)


def inference(*, folder: str, batch: int, length: int, steps: int, precision: str) -> Work:
    """Examples a second; the answers are the logits."""
    model, inputs, _ = _opened(folder, batch, length, getattr(torch, precision))
    compiled = torch.compile(model.eval())

    @torch.inference_mode()
    def logits() -> Any:
        found = compiled(**inputs).logits
        if DEVICE == "cuda":
            torch.cuda.synchronize()
        return found

    def once() -> Repetition:
        began = time.perf_counter()
        for _ in range(steps):
            logits()
        return Repetition(steps * batch / (time.perf_counter() - began))

    once()
    return Work(once, answers=lambda: [repr(row) for row in logits().float().cpu().tolist()])


def _opened(folder: str, batch: int, length: int, dtype: Any) -> tuple[Any, dict[str, Any], Any]:
    transformers.logging.set_verbosity_error()
    model = transformers.AutoModelForSequenceClassification.from_pretrained(
        folder, dtype=dtype, attn_implementation="sdpa"
    ).to(DEVICE)
    ids, mask, labels = (torch.from_numpy(array).long().to(DEVICE) for array in fixed_batch(
        model.config.vocab_size, batch, length))  # fmt: skip
    return model, {"input_ids": ids, "attention_mask": mask}, labels
