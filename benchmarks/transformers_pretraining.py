"""Transformers' side of pretraining_speed.py: BertForPreTraining on batches ready made, with a bare PyTorch loop.

The loop leaves out what `Trainer` adds, so it is no slower than `Trainer` at the same settings.
"""

# pyright: reportMissingImports=false
from __future__ import annotations

import sys
import time

import numpy as np
import torch
import transformers


def main(batches: str, backbone: str, precision: str) -> None:
    torch.manual_seed(1)
    transformers.logging.set_verbosity_error()
    found = np.load(batches)
    columns = {name: torch.from_numpy(found[name]) for name in found.files}
    count = len(columns["input_ids"])
    model = transformers.BertForPreTraining.from_pretrained(backbone).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5, weight_decay=0.01, fused=True)
    done = 0
    for line in sys.stdin:
        updates = 2 if line.strip() == "ready" else int(line)
        tokens = 0
        started = time.perf_counter()
        for number in range(done, done + updates):
            batch = {name: values[number % count] for name, values in columns.items()}
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision == "bfloat16"):
                loss = model(**batch).loss
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()
            tokens += int(batch["attention_mask"].sum())
        seconds = time.perf_counter() - started
        done += updates
        print("= ready" if line.strip() == "ready" else f"= {tokens / seconds}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:4])
