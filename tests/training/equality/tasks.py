"""A tiny task of every kind, and of every loss that a kind has, with data of its own in memory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from bert_tf.data import InMemory
from bert_tf.kinds import (
    Classification,
    Embedding,
    ExtractiveSummarization,
    Kind,
    MultiLabel,
    MultipleChoice,
    Regression,
    Retrieval,
    SpanQA,
    Tagging,
    TextToText,
)
from bert_tf.kinds.definitions import load_task
from tests.training import tiny_run

Rng = np.random.Generator
SIZES = {"train": 45, "validation": 17}
"""Odd numbers, so that last batches are partial."""
LENGTH = 16


def words(rng: Rng, most: int = 11, least: int = 1) -> str:
    """Some words of the tiny backbone's vocabulary, a token each."""
    return " ".join(rng.choice(tiny_run.WORDS, size=rng.integers(least, most + 1)))


def rows_of(make: Callable[[Rng], dict[str, Any]]) -> InMemory:
    """The same rows on every worker."""
    rng = np.random.default_rng(7)
    return InMemory({split: [make(rng) for _ in range(size)] for split, size in SIZES.items()})


def two_classes() -> Kind:
    def row(rng: Rng) -> dict[str, Any]:
        text = words(rng)
        return {"text": text, "label": int("good" in text or "fine" in text)}

    return Classification(
        source=rows_of(row),
        text=("text",),
        label="label",
        classes=("no", "yes"),
        metrics=("accuracy", "f1"),
        sequence_length=LENGTH,
    )


def pairs_of_texts() -> Kind:
    def row(rng: Rng) -> dict[str, Any]:
        text, pair = words(rng, 6), words(rng, 6)
        return {"text": text, "pair": pair, "label": int(rng.integers(3))}

    return Classification(
        source=rows_of(row),
        text=("text", "pair"),
        label="label",
        classes=("a", "b", "c"),
        reject_share=0.2,
        metrics=("accuracy", "f1_macro"),
        sequence_length=LENGTH,
    )


def long_texts() -> Kind:
    def row(rng: Rng) -> dict[str, Any]:
        text = words(rng, 30)
        return {"text": text, "label": int("good" in text)}

    return Classification(
        source=rows_of(row),
        text=("text",),
        label="label",
        classes=("no", "yes"),
        long_texts="windows",
        sequence_length=LENGTH,
    )


def several_labels() -> Kind:
    def row(rng: Rng) -> dict[str, Any]:
        text = words(rng)
        return {"text": text, "labels": ",".join(name for name in ("good", "bad", "long") if name in text)}

    return MultiLabel(
        source=rows_of(row), text=("text",), label="labels", classes=("good", "bad", "long"), sequence_length=LENGTH
    )


def numbers(largest: float = 3.0) -> Kind:
    def row(rng: Rng) -> dict[str, Any]:
        text = words(rng)
        return {"text": text, "x": len(text.split()) / 4, "y": largest * float(rng.random())}

    return Regression(source=rows_of(row), text=("text",), label=("x", "y"), sequence_length=LENGTH)


def large_numbers() -> Kind:
    """Which are learnt in standard deviations, where that is asked for."""
    return numbers(1000.0)


def tags() -> Kind:
    named = {"good": "B-per", "plot": "B-loc"}

    def row(rng: Rng) -> dict[str, Any]:
        found = words(rng).split()
        return {"words": found, "tags": [named.get(word, "O") for word in found]}

    return Tagging(
        source=rows_of(row),
        types=("per", "loc"),
        metrics=("f1", "precision", "recall", "accuracy"),
        sequence_length=LENGTH,
    )


def spans() -> Kind:
    def row(rng: Rng) -> dict[str, Any]:
        context = words(rng, 14, 3)
        start = context.rindex(" ") + 1
        answers = [{"text": context[start:], "answer_start": start}] if rng.random() < 0.7 else []
        return {"id": str(rng.integers(10**9)), "question": words(rng, 3), "context": context, "answers": answers}

    return SpanQA(source=rows_of(row), no_answer=True, stride=4, sequence_length=LENGTH)


def choices() -> Kind:
    def row(rng: Rng) -> dict[str, Any]:
        return {"text": words(rng, 4), **{name: words(rng, 4) for name in "abc"}, "label": int(rng.integers(3))}

    return MultipleChoice(
        source=rows_of(row), text="text", choices=("a", "b", "c"), label="label", sequence_length=LENGTH
    )


def sentences() -> Kind:
    def row(rng: Rng) -> dict[str, Any]:
        found = [words(rng, 5, 2) for _ in range(3)]
        return {"text": found, "summary": found[int(rng.integers(3))]}

    return ExtractiveSummarization(
        source=rows_of(row), text="text", summary="summary", num_sentences=1, sequence_length=2 * LENGTH
    )


def written_texts() -> Kind:
    def row(rng: Rng) -> dict[str, Any]:
        text = words(rng, 8, 2)
        return {"text": text, "target": " ".join(text.split()[:3])}

    return TextToText(
        source=rows_of(row), text="text", target="target", target_length=5, metrics=("rouge1",), sequence_length=LENGTH
    )


def alike_pairs() -> Kind:
    return _vectors(("a", "b"), score="score", loss="cosine")


def found_pairs() -> Kind:
    return _vectors(("a", "b"), loss="contrastive", metrics=("mrr",))


def weighted_pairs() -> Kind:
    return _vectors(("a", "b"), score="score", loss="contrastive", positive_from=0.4)


def triplets() -> Kind:
    return _vectors(("a", "b", "c"), loss="triplet", metrics=("triplet_accuracy",))


def _vectors(columns: tuple[str, ...], **settings: Any) -> Kind:
    def row(rng: Rng) -> dict[str, Any]:
        return {**{name: words(rng, 5) for name in columns}, "score": round(float(rng.random()), 3)}

    return Embedding(source=rows_of(row), text=columns, sequence_length=LENGTH, **settings)


def documents() -> Kind:
    """Queries and the documents relevant to them."""
    rng = np.random.default_rng(8)
    splits: dict[str, list[dict[str, Any]]] = {
        "documents": [{"id": f"d{i}", "text": words(rng)} for i in range(20)],
        "queries": [{"id": f"q{i}", "text": words(rng, 4)} for i in range(24)],
    }
    for split, first, last in (("train", 0, 15), ("validation", 15, 24)):
        splits[split] = [
            {"query": f"q{i}", "document": f"d{document}", "gain": 1}
            for i in range(first, last)
            for document in rng.choice(20, size=3, replace=False)
        ]
    return Retrieval(source=InMemory(splits), metrics=("ndcg_at_10", "mrr"), sequence_length=LENGTH)


def raw_text() -> Kind:
    """Its text lies in a folder: see `data_of`."""
    return load_task("pretrain")


TASKS: dict[str, Callable[[], Kind]] = {
    make.__name__: make
    for make in (
        two_classes,
        pairs_of_texts,
        long_texts,
        several_labels,
        numbers,
        large_numbers,
        tags,
        spans,
        choices,
        sentences,
        written_texts,
        alike_pairs,
        found_pairs,
        weighted_pairs,
        triplets,
        documents,
        raw_text,
    )
}


def data_of(task: str, folder: Path) -> str:
    """Where a task's data is, as `kind.read` takes it."""
    return str(folder / "corpus") if task == "raw_text" else "own"
