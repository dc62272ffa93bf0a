"""What is served of a tagger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bert_tf.data.tagged.label_sets import LabelSet
from bert_tf.kinds.serving import Contract, OfWords, Serving, Signatures, TensorNote, log
from bert_tf.terminal.parts import Line, Marked, Part, Span


def tagger(labels: LabelSet, *, stride: int, joiner: str | None) -> Serving:
    """Args:
    stride: pieces that two windows share.
    joiner: what stands between words that are given one by one.
    """

    def words(sentences: Sequence[Sequence[str]]) -> OfWords:
        from bert_tf.kinds.tagging.of_words import of_words

        return of_words(sentences, labels, joiner)

    def encode(x: Any) -> dict[str, Any]:
        import tensorflow as tf

        return {"probability": tf.nn.softmax(x)}

    return Serving(
        labels=labels.labels,
        signatures=Signatures(
            counts={"count": ("text", "label", "start", "end", "score"), "piece_count": ("piece_start", "piece_tag")},
            inner=("piece_start", "piece_tag", "piece_count"),
        ),
        contract=Contract(
            name="Tagger",
            description="Which words of a text name something, and what: a label for each token.",
            outputs=(TensorNote(name="probability", description="How likely each label is.", labels=True),),
            encode=encode,
            decode=lambda found: log(found["probability"]),
            labels=labels.labels,
            per_token=True,
            facts=_facts(labels),
            stride=stride,
            nothing=labels.outside,
        ),
        shown=_shown,
        of_words=words,
    )


def _shown(answer: Mapping[str, Any]) -> list[Part]:
    """Entities, or labels of words, in the text."""
    is_entities = "entities" in answer
    found = answer["entities" if is_entities else "words"]
    spans = [Span(one["start"], one["end"], one["label"], one["score"]) for one in found]
    return [
        Marked(answer["text"], spans, is_listed=is_entities),
        *([] if found else [Line("  nothing is named in it")]),
    ]


def _facts(labels: LabelSet) -> dict[str, Any]:
    """How words' labels make entities: for each label its letter (B, I, E, S, or O outside) and type."""
    return {
        "tag_scheme": labels.scheme,
        "tag_letters": list(labels.letters),
        "tag_types": [None if number < 0 else labels.types[number] for number in labels.type_of],
        "tag_of_a_word": "that of its first piece",
    }
