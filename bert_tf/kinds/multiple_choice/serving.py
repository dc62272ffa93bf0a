"""What is served of multiple choice: the texts of all choices in, or a row of tokens a choice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bert_tf.kinds.serving import Calls, Contract, Named, Serving, Signatures, TensorNote, Tensors
from bert_tf.terminal.parts import Part, Shares, given

HOW = "run the file for a row a choice: the softmax over the logits of a text's choices are their probabilities"

# One text with one choice, as [1, 1, T].
THEIRS = 'model(**{name: x[None] for name, x in tokenizer({texts}, padding=True, return_tensors="pt").items()})'


def multiple_choice(*, text: str, stem: str | None, columns: int, names: tuple[str, ...]) -> Serving:
    """Args:
    text, stem: the columns of the task.
    columns: how many further ones the choices have.
    names: what each choice is called, where there are always as many; else none.
    """

    def added(answers: Named) -> dict[str, Any]:
        import tensorflow as tf

        return {"score": tf.reduce_max(answers["probabilities"], axis=-1)}

    def encode(x: Any) -> dict[str, Any]:
        import tensorflow as tf

        return {"logit": tf.identity(x)}

    def lengths(tokens: int) -> tuple[int, ...]:
        room = max(tokens - 3, 0)
        first = room // 2
        begin = 0 if stem is None else (room - first) // 2
        return (first, *(() if stem is None else (begin,)), *((room - first - begin,) * columns))

    return Serving(
        labels=names,
        signatures=Signatures(inner=("logits",), added=added, classes=names, tensors=Tensors(shape=(None, None, None))),
        contract=Contract(
            name="Choice scorer",
            description="How well a choice goes with a text, beside the other choices.",
            outputs=(TensorNote(name="logit", description="Of a text with one of its choices."),),
            encode=encode,
            decode=lambda found: found["logit"],
            facts={"answer": HOW},
            row=(text, "a choice" if stem is None else f"{stem}, a space, a choice"),
        ),
        refuses={
            "tflite:text": "expected tensors: a row is a text with one of its choices, and a file that takes text "
            "makes one row of all columns. Received: text"
        },
        lengths=lengths,
        calls=Calls(transformers=THEIRS),
        shown=lambda answer: _shown(answer, names),
    )


def _shown(answer: Mapping[str, Any], names: tuple[str, ...]) -> list[Part]:
    named = [
        f"{names[i] if i < len(names) else i + 1}: {choice}" for i, choice in enumerate(answer["choices"])
    ]  # so that two alike choices stay two
    shares = dict(zip(named, answer["probabilities"], strict=True))
    return [*given(answer, ("text", "stem")), Shares(shares, (named[answer["choice_index"]],))]
