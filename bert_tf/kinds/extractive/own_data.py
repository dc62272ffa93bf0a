"""Extractive summaries of somebody's own texts: which column is what, and how many sentences a summary has."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from bert_tf.config import OwnDataConfig
from bert_tf.data import Source
from bert_tf.data.rows.cells import is_missing
from bert_tf.data.rows.summaries import document, references
from bert_tf.kinds.base import Kind
from bert_tf.kinds.extractive.spec import ExtractiveSummarization
from bert_tf.kinds.own_data import Given, Inferred, OwnKind
from bert_tf.kinds.own_data.base import table_source
from bert_tf.kinds.own_data.pairs import ROUGE, pair_of, settings_of

READ = ("document", "article", "source", "text", "dialogue", "input", "body", "content", "sentences", "src")
SUMMARIES = ("summary", "summaries", "target", "highlights", "abstract", "reference", "output", "tgt", "title")
ENDS = re.compile(r"[.!?。！？]+(?=\s|$)|[。！？]|\n")  # about; what is trained on is cut in the graph
NEXT_SENTENCE = re.compile(r"(?<=[.!?])\s+|(?<=[。！？])|\n+")  # the same, which leaves a sentence's end at it
MOST_SENTENCES = 10


def infer(own: OwnDataConfig, given: Given) -> Inferred:
    """Raises: UserError for columns that are not there or cannot be told."""
    pair = pair_of(own, given, read=READ, written=SUMMARIES)
    read, summary = pair.read, pair.written
    texts = [text for text in map(_document, pair.columns[read].cells) if text]
    counts = np.array([n for n in map(_sentences, pair.columns[summary].cells) if n])
    number = own.num_sentences or int(np.clip(round(float(np.median(counts))) if len(counts) else 1, 1, MOST_SENTENCES))
    return Inferred(
        settings={**settings_of(own, read, summary, ROUGE), "num_sentences": number},
        lines=[
            f"text: {read!r}; summary: {summary!r}",
            f"a summary is {number} sentence{'s' * (number > 1)} of its text at most, as half of the given ones have "
            "that many or fewer (--num-sentences)",
        ],
        texts=list(map(_parts, texts)),
        longer="are read only as far as that, sentence by sentence",
    )


def source(own: OwnDataConfig, rows: Source | None) -> Source:
    """All summaries of a text stay on one side."""
    return table_source(own, rows, same=own.group or ())


def make(own: OwnDataConfig, rows: Source, sequence_length: int) -> Kind:
    assert own.text
    assert own.target
    assert own.num_sentences
    assert own.metrics
    return ExtractiveSummarization(
        source=rows,
        text=own.text[0],
        summary=own.target,
        num_sentences=own.num_sentences,
        metrics=own.metrics,
        sequence_length=sequence_length,
    )


OWN_DATA = OwnKind(
    keys=("text", "target", "num_sentences", "group", "metrics"),
    example="--text=article --target=summary",
    infer=infer,
    source=source,
    make=make,
)


def _document(cell: Any) -> str:
    """A text, or the sentences of a list; empty for what whoever reads it again refuses."""
    try:
        return "" if is_missing(cell) else document(cell)
    except ValueError:
        return ""


def _parts(text: str) -> list[str]:
    """What is counted as a text's parts: its sentences, each of which has two special tokens of its own.

    A part is counted with one, and all of them with one more, so that between two sentences stands an empty part.

    >>> _parts("One. Two.")
    ['One.', '', 'Two.']
    """
    sentences = [part for part in NEXT_SENTENCE.split(text) if part.strip()]
    return [part for sentence in sentences for part in ("", sentence)][1:]


def _sentences(cell: Any) -> int:
    """About how many sentences the first of a row's summaries has."""
    try:
        text = "" if is_missing(cell) else references(cell)[0]
    except ValueError:
        return 0
    return max(1, len([part for part in ENDS.split(text) if part and part.strip()])) if text else 0
