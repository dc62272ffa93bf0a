"""Transformers fine-tunes a BERT on WNUT 2017 and is scored on its dev and test sets: what a run of `--task=wnut17` is
held against.

    .venv-parity/bin/python -m benchmarks.transformers_tagging --data=WNUT17 --backbone=MINILM_FOLDER --seed=1

Labels, batches, optimizer, schedule and defaults are those of Transformers' token classification example: float32, each
batch padded to its longest sentence. Prints JSON.
"""

# pyright: reportMissingImports=false
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
import transformers

from benchmarks.transformers_loop import arguments, autocast, fine_tune, padded
from bert_tf.metrics.entities import entity_scores

FILES = {"train": "wnut17train.conll", "dev": "emerging.dev.conll", "test": "emerging.test.annotated"}
NO_LABEL = -100
SCORED_AT_ONCE = 32


def main() -> None:
    flags = arguments(__doc__, epochs=3, batch=8, learning_rate=5e-5).parse_args()
    transformers.logging.set_verbosity_error()
    transformers.set_seed(flags.seed)
    splits = {split: read(Path(flags.data) / name) for split, name in FILES.items()}
    names = sorted({tag for _, tags in splits["train"] for tag in tags})
    tokenizer = transformers.AutoTokenizer.from_pretrained(flags.backbone)
    model = transformers.AutoModelForTokenClassification.from_pretrained(flags.backbone, num_labels=len(names))
    rows = {split: features(tokenizer, sentences, names) for split, sentences in splits.items()}
    result: dict[str, Any] = fine_tune(model, rows["train"], lambda part: batch(tokenizer, part), flags)
    result |= vars(flags)
    if flags.max_steps is None:
        for split in ("dev", "test"):
            with autocast(flags):
                found = tags(model.eval(), tokenizer, rows[split], names)
            wanted = [right for _, right in splits[split]]
            # A word that its row has no room for is no entity.
            found = [guess + ["O"] * (len(right) - len(guess)) for guess, right in zip(found, wanted, strict=True)]
            result[f"{split}_f1"] = round(100 * entity_scores(found, wanted)["f1"], 2)
    print(json.dumps(result))


def read(path: Path) -> list[tuple[list[str], list[str]]]:
    """Sentences: their words and the words' tags."""
    sentences: list[tuple[list[str], list[str]]] = [([], [])]
    for line in path.read_text(encoding="utf-8").split("\n"):
        if not line.strip():
            sentences.append(([], []))
            continue
        word, tag = line.split("\t")[:2]
        sentences[-1][0].append(word)
        sentences[-1][1].append(tag.strip())
    return [sentence for sentence in sentences if sentence[0]]


def features(tokenizer: Any, sentences: list[Any], names: list[str]) -> list[dict[str, Any]]:
    """A row each; a word's tag stands at its first token."""
    found = tokenizer([words for words, _ in sentences], is_split_into_words=True, truncation=True)
    rows = []
    for i, (_, right) in enumerate(sentences):
        numbers = found.word_ids(i)
        first = [number is not None and number not in numbers[:place] for place, number in enumerate(numbers)]
        labels = [
            names.index(right[number]) if is_first and right[number] in names else NO_LABEL
            for number, is_first in zip(numbers, first, strict=True)
        ]
        rows.append(
            {"ids": found["input_ids"][i], "segments": found["token_type_ids"][i], "labels": labels, "first": first}
        )
    return rows


def batch(tokenizer: Any, rows: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
    inputs = padded(tokenizer, rows)
    length = inputs["input_ids"].shape[1]
    labels = [row["labels"] + [NO_LABEL] * (length - len(row["labels"])) for row in rows]
    return inputs | {"labels": torch.tensor(labels)}


@torch.inference_mode()
def tags(model: Any, tokenizer: Any, rows: list[dict[str, Any]], names: list[str]) -> list[list[str]]:
    found = []
    for start in range(0, len(rows), SCORED_AT_ONCE):
        part = rows[start : start + SCORED_AT_ONCE]
        best = model(**padded(tokenizer, part)).logits.argmax(-1).tolist()
        for row, numbers in zip(part, best, strict=True):
            found.append([names[number] for number, first in zip(numbers, row["first"], strict=False) if first])
    return found


if __name__ == "__main__":
    main()
