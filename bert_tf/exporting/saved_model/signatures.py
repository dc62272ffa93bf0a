"""The functions of a SavedModel: text in, tf.Examples in, tensors in."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from bert_tf.exporting.saved_model.graph_checks import checked
from bert_tf.inference.answers import counts_of, dense, for_users
from bert_tf.inference.saved_models import DETAILS
from bert_tf.kinds.base import Kind
from bert_tf.kinds.serving import Tensors

SERVING, TENSORS, CLASSIFY, REGRESS = "serving_default", "tensors", "classify", "regress"
METHODS = {CLASSIFY: "tensorflow/serving/classify", REGRESS: "tensorflow/serving/regress"}


def signatures_of(
    kind: Kind, model: Any, tokenizer: Any, *, sequence_length: int
) -> tuple[dict[str, Any], dict[str, str]]:
    """Concrete functions by the name of the signature; and `counts_of` the answers.

    serving_default: the texts by their columns, string [B], to `for_users` of the answers.
    details: the same to all that the answers have, which scoring needs.
    tensors: token_ids, segment_ids and padding_mask int32 [B, T], or what the kind takes, to what the model gives; what
        is out of range is refused in the graph.
    classify, for one class or several labels: tf.Examples with the texts by their columns, "inputs" string [B], to
        "classes" string [B, C] and "scores" float32 [B, C].
    regress, for one number: the same to "outputs" float32 [B].
    """
    answer: Any = kind.answer_function(model, tokenizer, sequence_length=sequence_length)
    columns, signatures = kind.text_columns, kind.serving.signatures
    texts = [tf.TensorSpec([None], tf.string, name=column) for column in columns]
    example = tf.TensorSpec([None], tf.string, name="inputs")

    def answers(*sides: Any) -> dict[str, Any]:
        # Not all that runs a graph looks at shapes first.
        sides = tuple(tf.ensure_shape(side, [None]) for side in sides)
        enough = tf.debugging.Assert(tf.size(sides[0]) > 0, ["expected one text or more. Received none:", sides[0]])
        with tf.control_dependencies([enough]):
            return dense(kind, answer(*(tf.identity(side) for side in sides)))

    def parsed(examples: Any) -> list[Any]:
        features = {column: tf.io.FixedLenFeature([], tf.string) for column in columns}
        found = tf.io.parse_example(tf.ensure_shape(examples, [None]), features)
        return [found[column] for column in columns]

    def serving(*sides: Any) -> dict[str, Any]:
        return for_users(kind, answers(*sides))

    def classify(examples: Any) -> dict[str, Any]:
        scores = answers(*parsed(examples))["probabilities"]
        return {"classes": tf.broadcast_to(tf.constant(signatures.classes), tf.shape(scores)), "scores": scores}

    def regress(examples: Any) -> dict[str, Any]:
        return {"outputs": answers(*parsed(examples))[signatures.number][:, 0]}

    found = {SERVING: _traced(serving, texts), DETAILS: _traced(answers, texts)}
    found[TENSORS] = _tensors(signatures.tensors, model, tokenizer)
    if signatures.classes:
        found[CLASSIFY] = _traced(classify, [example])
    if signatures.number:
        found[REGRESS] = _traced(regress, [example])
    return found, counts_of(kind, answer.get_concrete_function().structured_outputs)


def _tensors(tensors: Tensors, model: Any, tokenizer: Any) -> Any:
    limits = {
        "token_ids": model.config.vocabulary_size,
        "segment_ids": max(model.config.num_segments, 2),  # with fewer they are not looked at
        "padding_mask": 2,
    }
    most_tokens = model.config.max_positions - tensors.spare_positions
    run = tensors.run(model, tokenizer)

    def call(*rows: Any) -> dict[str, Any]:
        inputs = dict(zip(tensors.inputs, rows, strict=True))
        return dict(run(checked(inputs, limits=limits, most_tokens=most_tokens)))

    return _traced(call, [tf.TensorSpec(tensors.shape, tf.int32, name=name) for name in tensors.inputs])


def _traced(function: Any, signature: list[Any]) -> Any:
    return tf.function(function, input_signature=signature, autograph=False).get_concrete_function()
