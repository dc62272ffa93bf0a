"""What is served of classifiers, and of models that give numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bert_tf.kinds.serving import Contract, Named, Serving, Signatures, TensorNote, Tensors, from_model, log
from bert_tf.terminal.parts import Line, Part, Shares, given, number

PROBABILITY = TensorNote(name="probability", description="How likely each label is.", labels=True)


def single_label(classes: tuple[str, ...]) -> Serving:
    """Of `Classification`."""

    def added(answers: Named) -> dict[str, Any]:
        import tensorflow as tf

        found = {"score": tf.reduce_max(answers["probabilities"], axis=-1)}
        if "is_rejected" in answers:
            found["best_guess"] = tf.gather(tf.constant(classes), answers["label_index"])
        return found

    def encode(x: Any) -> dict[str, Any]:
        import tensorflow as tf

        return {"probability": tf.nn.softmax(x)}

    return Serving(
        labels=classes,
        signatures=Signatures(inner=("label_index", "logits"), added=added, classes=classes),
        contract=Contract(
            name="Text classifier",
            description="Which of several classes a text is of.",
            outputs=(PROBABILITY,),
            encode=encode,
            decode=lambda found: log(found["probability"]),
            labels=classes,
            reader="classifier",
        ),
        shown=_shown_label,
    )


def multi_label(classes: tuple[str, ...], *, threshold: float) -> Serving:
    """Of `MultiLabel`."""

    def encode(x: Any) -> dict[str, Any]:
        import tensorflow as tf

        return {"probability": tf.sigmoid(x)}

    return Serving(
        labels=classes,
        signatures=Signatures(counts={"label_count": ("labels",)}, inner=("holds", "logits"), classes=classes),
        contract=Contract(
            name="Text classifier",
            description="Which labels hold for a text; each by itself.",
            outputs=(PROBABILITY,),
            encode=encode,
            decode=lambda found: log(found["probability"]) - log(1.0 - found["probability"]),
            labels=classes,
            reader="classifier",
            facts={"label_holds_from": threshold},
        ),
        shown=_shown_labels,
    )


def regression(names: tuple[str, ...]) -> Serving:
    """Of `Regression`: one number is a `value`, of which `regress` can be asked."""
    tensors = Tensors(run=from_model(lambda outputs: {"values": outputs}))
    signatures = Signatures(tensors=tensors)
    if len(names) == 1:
        signatures = Signatures(
            inner=("values",),
            added=lambda answers: {"value": answers["values"][:, 0]},
            number="values",
            tensors=tensors,
        )

    def encode(x: Any) -> dict[str, Any]:
        import tensorflow as tf

        return {"value": tf.identity(x)}

    return Serving(
        labels=names,
        signatures=signatures,
        contract=Contract(
            name="Text regression",
            description="A number, or several, for a text.",
            outputs=(TensorNote(name="value", description="The numbers.", labels=True),),
            encode=encode,
            decode=lambda found: found["value"],
            labels=names,
            scores=True,
        ),
        shown=_shown_numbers,
    )


def _shown_label(answer: Mapping[str, Any]) -> list[Part]:
    shares, label = answer["probabilities"], answer["label"]
    if label is not None:
        return [*given(answer), Shares(shares, (label,))]
    return [*given(answer), Line(f"none of them is sure; the best guess is {answer['best_guess']}"), Shares(shares)]


def _shown_labels(answer: Mapping[str, Any]) -> list[Part]:
    none = [] if answer["labels"] else [Line("no label holds")]
    return [*given(answer), *none, Shares(answer["probabilities"], tuple(answer["labels"]))]


def _shown_numbers(answer: Mapping[str, Any]) -> list[Part]:
    found = answer["values"] if "values" in answer else {"value": answer["value"]}
    return [*given(answer), *(Line(number(value), name) for name, value in found.items())]
