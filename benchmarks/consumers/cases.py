"""What is exported for the consumers: small runs with random weights, of each kind, and of tokenizers and tasks that
some reader cannot do."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from benchmarks.random_run import make_run

ROWS = (
    "[{'body': 'good film', 'other': 'a bad film', 'moods': 'joy', 'mood': 'joy', 'score': 1.5},"
    " {'body': 'bad', 'other': 'who was there', 'moods': 'joy,doubt', 'mood': 'doubt', 'score': 3.0},"
    " {'body': 'not a good start', 'other': 'good', 'moods': '', 'mood': 'rage', 'score': 0.5}] * 3"
)
TASK = """
from bert_tf.data import InMemory
from bert_tf.kinds import *

TASK = {kind}(source=InMemory({{"train": {rows}, "validation": {rows}}}), {settings})
"""
SPREAD = 0.15  # of the weights: answers differ, and rounding is not blown up by sums of large numbers
TEXTS = ["good film", "a bad film, the end", "who was there? you", "good " * 700]
CONTEXTS = ["a film with joy from start to end", "it was bad and not good", "you and the one", "for the two of you"]


@dataclass(frozen=True, kw_only=True)
class Case:
    """A run to be exported.

    Args:
        task: name of a task, or the kind and settings of one of the rows above.
        reader: what it is to readers on phones: "classify", "embed", "answer" or "" where there is none.
        pair: whether it takes two texts.
        changed: values of a file of the run's model that are set afterwards, by the file's name.
        lengths: of TFLite files.
        settings: of TFLite's export.
    """

    task: str | tuple[str, str]
    reader: str = ""
    pair: bool = False
    changed: tuple[tuple[str, dict], ...] = ()
    lengths: tuple[str, ...] = ("fixed", "dynamic")
    settings: tuple[str, ...] = ()


CASES: dict[str, Case] = {
    "classification": Case(task="sst2", reader="classify"),
    "several labels": Case(
        task=("MultiLabel", "text=('body',), label='moods', classes=('joy', 'doubt'), sequence_length=16"),
        reader="classify",
    ),
    "a score to reject below": Case(
        task=("Classification", "text=('body',), label='mood', classes=('joy', 'doubt', 'rage'), sequence_length=16"),
        reader="classify",
        changed=(("config.json", {"bert_tf": {"reject_below": 0.9}}),),
    ),
    "cased": Case(
        task="sst2", reader="classify", changed=(("tokenizer_config.json", {"do_lower_case": False}),),
        lengths=("fixed",),
    ),
    "pairs": Case(
        task=("Regression", "text=('body', 'other'), label='score', low=0.0, high=5.0, sequence_length=16"),
        reader="classify", pair=True, lengths=("fixed",),
    ),
    "vectors": Case(
        task=("Embedding", "text=('body', 'other'), score='score', score_range=(0.0, 5.0), sequence_length=16"),
        reader="embed",
    ),
    "questions": Case(task="squad", reader="answer", pair=True),
    "questions with no answer": Case(task="squad_v2", reader="answer", pair=True, lengths=("fixed",)),
    "tagging": Case(task="wnut17", reader="classify", lengths=("fixed",)),
    "masked words": Case(task="pretrain", lengths=("fixed",)),
    "extractive summaries": Case(task="scitldr", lengths=("fixed",)),
    "text to text": Case(task="multi30k_ende", lengths=()),
}  # fmt: skip


def make(case: Case, folder: Path) -> Path:
    """The run's folder."""
    if isinstance(case.task, str):
        run = make_run(folder, case.task, hidden_dim=64, initializer_range=SPREAD)
    else:
        folder.mkdir(parents=True)
        file = folder / "own.py"
        file.write_text(TASK.format(kind=case.task[0], rows=ROWS, settings=case.task[1]), encoding="utf-8")
        run = make_run(folder, str(file), hidden_dim=64, initializer_range=SPREAD, data={"source": "own"})
    for name, values in case.changed:
        path = run / "model" / name
        path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | values), encoding="utf-8")
    return run
