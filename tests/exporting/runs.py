"""Runs of every kind with random weights, and their tasks where no bundled sample has one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks.random_run import make_run

PRELUDE = "from bert_tf.data import JsonLines\nfrom bert_tf.kinds import *\n"
# No text twice: rounding would rank them otherwise in each batch.
ROWS = [
    {"body": "good film", "other": "a bad film", "moods": "joy", "score": 1.5},
    {"body": "bad", "other": "who was there", "moods": "joy,doubt", "score": 3.0},
    {"body": "not a good start", "other": "good", "moods": "", "score": 0.5},
    {"body": "the end of the film", "other": "it is not the end", "moods": "joy,doubt", "score": 4.0},
    {"body": "who was in it", "other": "you", "moods": "", "score": 2.0},
    {"body": "it was bad", "other": "bad", "moods": "joy", "score": 5.0},
    {"body": "where is the start", "other": "there", "moods": "joy,doubt", "score": 0.0},
    {"body": "two good films", "other": "one was good", "moods": "joy", "score": 3.5},
    {"body": "joy to you", "other": "where was this", "moods": "", "score": 2.5},
]
SOURCE = "source=JsonLines(files={'train': 'rows.jsonl', 'validation': 'rows.jsonl'})"
OWN = {
    "multi_label": f"MultiLabel({SOURCE}, text=('body',), label='moods', classes=('joy', 'doubt'), sequence_length=16)",
    "regression": f"Regression({SOURCE}, text=('body', 'other'), label='score', low=0.0, high=5.0, sequence_length=16)",
    "embedding": f"Embedding({SOURCE}, text=('body', 'other'), score='score', score_range=(0.0, 5.0), "
    "word_vectors=True, sequence_length=16)",
    "rejecting": f"Classification({SOURCE}, text=('body', 'other'), label='moods', classes=('joy', 'joy,doubt', ''), "
    "reject_share=0.4, sequence_length=16)",
}
SAMPLES = {
    "classification": "sst2",
    "tagging": "wnut17",
    "span_qa": "squad",
    "retrieval": "cranfield",
    "multiple_choice": "swag",
    "extractive": "scitldr",
    "text_to_text": "multi30k_ende",
    "pretraining": "pretrain",
}
KINDS = (*SAMPLES, *OWN)


def run_of(kind: str, folder: Path, **options: Any) -> Path:
    """A run folder of one of KINDS; `options` are of `make_run`."""
    task, data = task_of(kind, folder)
    return make_run(folder, task, **{"data": {"source": data}, **options})


def task_of(kind: str, folder: Path) -> tuple[str, str]:
    """The task of one of KINDS, and where its data are, as the commands take them; written to `folder` where no bundled
    sample has any."""
    if kind in SAMPLES:
        return SAMPLES[kind], "sample"
    folder.mkdir(parents=True, exist_ok=True)
    task = folder / f"{kind}.py"
    task.write_text(f"{PRELUDE}\nTASK = {OWN[kind]}\n")
    (folder / "rows.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in ROWS))
    return str(task), str(folder)
