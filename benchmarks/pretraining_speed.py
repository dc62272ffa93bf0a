"""Real tokens a second in pre-training, this library compared with Transformers, in one interleaved run.

    python -m benchmarks.pretraining_speed --torch-python=.venv-parity/bin/python --data='gutenberg/*.txt'

Both pre-train the same BERT with both objectives on examples of the same text, 32 of at most 128 tokens an update, each
in a process of its own that waits while the other works. Transformers is handed its batches ready made, masked and
padded, so that its time is that of its step alone: BertForPreTraining, bfloat16 autocast, fused AdamW, clipping. Ours
makes its batches meanwhile, packed. Rounds alternate; the table gives each side's median and range, and the ratio.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.training_speed import Side

BATCH, LENGTH = 32, 128
READY_MADE = 100


def write_batches(data: str, backbone: str, where: Path) -> None:
    """Batches with an example a row, for Transformers."""
    from benchmarks.ours_pretraining import task_and_data
    from bert_tf.data import plan_batches
    from bert_tf.sentinels import IGNORED_LABEL

    _, _, stream = task_and_data(data, backbone)
    plans = plan_batches(stream, BATCH, batching="padded", seed=1)
    columns: dict[str, list[np.ndarray]] = {}
    for number in range(READY_MADE):
        epoch, k = plans.locate(number)
        batch = stream.batch(plans.plan(epoch), k)
        labels = np.full((BATCH, LENGTH), IGNORED_LABEL, np.int64)
        rows, places = np.nonzero(batch["target_ids"] != IGNORED_LABEL)
        labels[rows, batch["masked_positions"][rows, places]] = batch["target_ids"][rows, places]
        found = {
            "input_ids": batch["token_ids"],
            "attention_mask": batch["padding_mask"],
            "token_type_ids": batch["segment_ids"],
            "labels": labels,
            "next_sentence_label": batch["labels"][:, 0],
        }
        for name, value in found.items():
            columns.setdefault(name, []).append(value.astype(np.int64))
    arrays: dict[str, Any] = {name: np.stack(values) for name, values in columns.items()}
    np.savez(where, **arrays)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--torch-python", required=True, help="a Python that has torch and transformers")
    parser.add_argument("--data", required=True, help="text, as --data of --task=pretrain")
    parser.add_argument("--backbone", default=None, help="a Hugging Face folder; default: MiniLM's")
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--updates", type=int, default=20, help="updates of each side in a round")
    parser.add_argument("--precision", default="bfloat16", choices=("bfloat16", "float32"))
    flags = parser.parse_args()

    from bert_tf.weights import resolve

    backbone = str(resolve(flags.backbone or "minilm"))
    with tempfile.TemporaryDirectory() as folder:
        ready = Path(folder) / "batches.npz"
        write_batches(flags.data, backbone, ready)
        sides = [
            Side(sys.executable, "ours_pretraining.py", [flags.data, backbone, flags.precision]),
            Side(flags.torch_python, "transformers_pretraining.py", [str(ready), backbone, flags.precision]),
        ]
        found: dict[str, list[float]] = {side.name: [] for side in sides}
        for side in sides:
            side.examples_per_second(flags.updates)  # warm-up, not counted
        for _ in range(flags.rounds):
            for side in sides:
                found[side.name].append(side.examples_per_second(flags.updates))  # tokens, here
    ours, theirs = found.values()
    print(f"\n{flags.precision}: {flags.rounds} rounds of {flags.updates} updates of {BATCH} examples")
    for name, values in found.items():
        print(f"{name:14s} median {statistics.median(values):7.0f} tokens/s ({min(values):.0f} to {max(values):.0f})")
    ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
    print(f"{'ratio':14s} median {statistics.median(ratios):7.2f} ({min(ratios):.2f} to {max(ratios):.2f})")


if __name__ == "__main__":
    main()
