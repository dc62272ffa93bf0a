"""What is served of summaries made of a text's sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bert_tf.kinds.serving import Contract, Serving, Signatures, TensorNote
from bert_tf.terminal.parts import Line, Part, given


def extractive() -> Serving:
    """Of `ExtractiveSummarization`."""

    def encode(x: Any) -> dict[str, Any]:
        import tensorflow as tf

        return {"score": tf.identity(x)}

    return Serving(
        signatures=Signatures(counts={"count": ("start", "end", "score")}),
        contract=Contract(
            name="Extractive summarizer",
            description="How well each sentence of a text fits in a summary. A row is [CLS] sentence [SEP] [CLS] "
            "sentence [SEP] ..., and its segments are 0 and 1 in turns, by sentence.",
            outputs=(TensorNote(name="score", description="The logit of each token's sentence."),),
            encode=encode,
            decode=lambda found: found["score"],
            per_token=True,
        ),
        refuses={
            "tflite:text": "expected tensors: this task splits texts into sentences by patterns, and TFLite has no "
            "operators for those. Received: text"
        },
        shown=_shown,
    )


def _shown(answer: Mapping[str, Any]) -> list[Part]:
    unread = answer["unread_sentences"]
    left = [Line(f"{unread} sentences at its end had no room, and were not read")] if unread else []
    return [*given(answer), Line(answer["summary"], "summary"), *left]
