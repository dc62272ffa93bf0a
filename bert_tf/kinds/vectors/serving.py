"""What is served of vectors of texts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bert_tf.kinds.serving import Contract, Serving, Signatures, TensorNote, Tensors, from_model
from bert_tf.terminal.parts import Part, Vector


def vectors(*, prompt: str | None) -> Serving:
    """Args:
    prompt: what the task puts before every text.
    """

    def encode(x: Any) -> dict[str, Any]:
        import tensorflow as tf

        return {"embedding": tf.identity(x)}

    expected = "expected a task without a `prompt`, which a TFLite file cannot put before texts"
    return Serving(
        signatures=Signatures(
            counts={"token_count": ("token", "start", "end", "token_vector")},
            tensors=Tensors(run=from_model(lambda outputs: {"vector": outputs})),
        ),
        contract=Contract(
            name="Text embedder",
            description="A vector for a text; those of alike texts have a cosine near 1.",
            outputs=(TensorNote(name="embedding", description="The vector."),),
            encode=encode,
            decode=lambda found: found["embedding"],
            reader="embedder",
            row=("each text by itself",),
            settings={"word_vectors": False},  # a file gives the vector of the text, not those of its tokens
        ),
        vector="vector",
        refuses={"tflite": f"{expected}. Received: {prompt!r}"} if prompt else {},
        shown=_shown,
    )


def _shown(answer: Mapping[str, Any]) -> list[Part]:
    return [Vector(answer["vector"], answer["text"])]
