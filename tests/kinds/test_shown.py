"""What a terminal shows of each kind's answers: from what `as_json` makes of tensors, and nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bert_tf.data import InMemory
from bert_tf.kinds import (
    Classification,
    Embedding,
    ExtractiveSummarization,
    MultiLabel,
    MultipleChoice,
    Regression,
    SpanQA,
    Tagging,
    TextToText,
)
from bert_tf.kinds.definitions import load_task
from bert_tf.terminal.parts import Line, Marked, Shares, Span, Vector

SOURCE: dict[str, Any] = {"source": InMemory({})}


def as_rows(value: Any) -> Any:
    """As a row of tensors has it: bytes as they are, alone or as objects of an array."""
    if isinstance(value, bytes):
        return value
    return np.asarray(value, object if isinstance(value, list) and value and isinstance(value[0], bytes) else None)


def shown(kind, texts, answer) -> list[Any]:
    return list(kind.serving.shown(kind.as_json(texts, {name: as_rows(value) for name, value in answer.items()})))


def test_classes():
    kind = Classification(text=("a",), label="b", classes=("no", "yes"), sequence_length=8, **SOURCE)
    answer = {"probabilities": [0.25, 0.75], "label_index": 1}
    given = Line("x", is_input=True)
    assert shown(kind, ("x",), answer) == [given, Shares({"no": 0.25, "yes": 0.75}, ("yes",))]
    rejected = shown(kind, ("x",), {**answer, "is_rejected": True})
    assert rejected == [
        given,
        Line("none of them is sure; the best guess is yes"),
        Shares({"no": 0.25, "yes": 0.75}),
    ]


def test_several_labels_or_none():
    kind = MultiLabel(text=("a",), label="b", classes=("x", "y"), sequence_length=8, **SOURCE)
    parts = shown(kind, ("t",), {"holds": [True, False], "probabilities": [0.75, 0.25]})
    assert parts[1:] == [Shares({"x": 0.75, "y": 0.25}, ("x",))]
    parts = shown(kind, ("t",), {"holds": [False, False], "probabilities": [0.5, 0.25]})
    assert parts[1] == Line("no label holds")


def test_numbers_of_pairs():
    kind = Regression(text=("a", "b"), label="alike", sequence_length=8, **SOURCE)
    parts = shown(kind, ("s", "t"), {"values": [3.5]})
    assert parts == [Line("s", is_input=True), Line("t", is_input=True), Line("3.5", "value")]


@pytest.mark.parametrize("labels", [("O", "B-PER", "I-PER"), ("NOUN", "VERB")])
def test_tags(labels):
    kind = Tagging(labels=labels, **SOURCE)
    answer = {"text": [b"Ann"], "label": [b"PER"], "score": [0.5], "start": [0], "end": [3]}
    (part,) = shown(kind, ("Ann left",), answer)
    assert part == Marked("Ann left", [Span(0, 3, "PER", 0.5)], is_listed=labels[0] == "O")
    parts = shown(kind, ("x",), {name: value[:0] for name, value in answer.items()})
    assert parts[-1] == Line("  nothing is named in it")


def spans(*found: tuple[str, int, float]) -> dict[str, Any]:
    best = found[0] if found else ("", 0, 0.0)
    return {
        "answer": best[0].encode(), "start": best[1], "end": best[1] + len(best[0]), "score": best[2],
        "no_answer_score": -1.0,
        "n_best_answer": [span[0].encode() for span in found], "n_best_start": [span[1] for span in found],
        "n_best_end": [span[1] + len(span[0]) for span in found], "n_best_score": [span[2] for span in found],
        "n_best_logit": [1.0 for span in found],
    }  # fmt: skip


def test_answers_in_their_context_whatever_the_columns_are_called():
    kind = SpanQA(question="q", context="c", **SOURCE)
    parts = shown(kind, ("Where?", "In Rome."), spans(("Rome", 3, 0.75)))
    assert parts[:2] == [Line("Where?", is_input=True), Line("Rome (75.0 %)", "answer")]
    assert (parts[2].text, parts[2].spans) == ("In Rome.", [Span(3, 7)])
    assert parts[2].around is not None
    assert shown(kind, ("Where?", ""), spans())[1] == Line("no answer in it (0.0 %)")


def test_choices_with_their_names():
    kind = MultipleChoice(text="t", choices=("a", "b"), label="x", sequence_length=8, **SOURCE)
    parts = shown(kind, ("Out of eggs.", "He sings.", "He sings."), {"probabilities": [0.25, 0.75], "choice_index": 1})
    assert parts[1] == Shares({"a: He sings.": 0.25, "b: He sings.": 0.75}, ("b: He sings.",))


def test_texts_that_are_written_or_picked():
    kind = TextToText(text="a", target="b", target_length=4, metrics=("rouge1",), sequence_length=8, **SOURCE)
    parts = shown(kind, ("long",), {"generated": b"short", "score": -1.0})
    assert parts == [Line("long", is_input=True), Line("short", "written")]
    picks = ExtractiveSummarization(text="a", summary="b", sequence_length=8, **SOURCE)
    answer = {"start": [0], "end": [2], "score": [1.0], "summary": b"A.", "unread": 2}
    parts = shown(picks, ("A. B.",), answer)
    assert parts[1] == Line("A.", "summary")
    assert "2 sentences at its end had no room" in parts[2].text


def test_guesses_for_each_mask():
    kind = load_task("pretrain")
    answer = {
        "starts": [2, 9], "ends": [8, 15], "tokens": [[b"x", b"y"], [b"z", b"##w"]], "token_ids": [[1, 2], [3, 4]],
        "scores": [[0.5, 0.25], [0.75, 0.125]],
    }  # fmt: skip
    parts = kind.serving.shown(kind.as_json(("a [MASK] [MASK]",), answer))
    assert parts[1:] == [
        Line("a x z", "filled in"),
        Shares({"x": 0.5, "y": 0.25}, ("x",), "[MASK] 1"),
        Shares({"z": 0.75, "##w": 0.125}, ("z",), "[MASK] 2"),
    ]


def test_vectors():
    kind = Embedding(text=("a", "b"), score="s", sequence_length=8, **SOURCE)
    assert shown(kind, ("t",), {"vector": [1.0, 2.0]}) == [Vector([1.0, 2.0], "t")]
