"""Small cuts of public sets, written in each set's own format, for `benchmarks.small_data`.

A cut holds the first rows of one random order of the whole training set, the same for everyone, so that the cut of 300
holds that of 60. Development sets stay whole, but SQuAD's, of which every tenth paragraph is taken.
"""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Sequence
from pathlib import Path

FOLDERS = {"sst2": "sst2", "banking77": "banking77", "wnut17": "wnut17", "squad": "squad", "stsb": "stsb_en"}
HELD_OUT = {"sst2": "dev.tsv", "banking77": "test.csv", "wnut17": "emerging.dev.conll", "stsb": "dev.csv"}
SQUAD_PART = 10


def write_cut(task: str, examples: int, data: Path, folder: Path) -> int:
    """Writes a cut of so many training examples, and the set it is scored on. Returns: how many examples there are.

    Args:
        task: a key of `FOLDERS`.
        examples: how many; of banking77 one of each class at least, so 77 where it is fewer.
        data: the folder of the sets' folders.
        folder: where to write; made here.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if task == "squad":
        return _squad(examples, data, folder)
    source = data / FOLDERS[task]
    (folder / HELD_OUT[task]).write_bytes((source / HELD_OUT[task]).read_bytes())
    if task == "banking77":
        return _banking(examples, source, folder)
    if task == "wnut17":
        sentences = (source / "wnut17train.conll").read_text(encoding="utf-8").strip().split("\n\n")
        taken = _first(sentences, examples)
        (folder / "wnut17train.conll").write_text("\n\n".join(taken) + "\n", encoding="utf-8")
        return len(taken)
    name, head = ("train.tsv", 1) if task == "sst2" else ("train.csv", 0)
    lines = (source / name).read_text(encoding="utf-8").splitlines(keepends=True)
    taken = _first(lines[head:], examples)
    (folder / name).write_text("".join([*lines[:head], *taken]), encoding="utf-8")
    return len(taken)


def _first(rows: Sequence, count: int) -> list:
    """The first `count` in the random order."""
    return random.Random(77).sample(list(rows), len(rows))[:count]


def _banking(examples: int, source: Path, folder: Path) -> int:
    with (source / "train.csv").open(encoding="utf-8", newline="") as file:
        head, *rows = csv.reader(file)
    order = _first(rows, len(rows))
    first_of_class = list({row[1]: row for row in reversed(order)}.values())
    rest = [row for row in order if row not in first_of_class]
    taken = first_of_class + rest[: max(0, examples - len(first_of_class))]
    with (folder / "train.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([head, *taken])
    return len(taken)


def _squad(examples: int, data: Path, folder: Path) -> int:
    train = json.loads((data / "squad_train_subset/squad_train_subset_4000q.json").read_text(encoding="utf-8"))
    held_out = json.loads((data / "squad/dev-v1.1.json").read_text(encoding="utf-8"))
    paragraphs = [part for article in train["data"] for part in article["paragraphs"]]
    pairs = [(part["context"], question) for part in paragraphs for question in part["qas"]]
    taken = _first(pairs, examples)
    dev = [part for article in held_out["data"] for part in article["paragraphs"]][::SQUAD_PART]
    cuts = {
        "train-v1.1.json": [{"context": context, "qas": [question]} for context, question in taken],
        "dev-v1.1.json": dev,
    }
    for name, parts in cuts.items():
        written = {"version": "1.1", "data": [{"title": "", "paragraphs": parts}]}
        (folder / name).write_text(json.dumps(written), encoding="utf-8")
    return len(taken)
