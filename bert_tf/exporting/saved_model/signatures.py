"""The functions of a SavedModel: text in, tf.Examples in, tensors in."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from bert_tf.exporting.saved_model.graph_checks import checked
from bert_tf.inference.answers import counts_of, dense, for_users
from bert_tf.inference.saved_models import DETAILS
from bert_tf.kinds import Classification, Kind, MultiLabel, Pretraining, Regression, SpanQA, TextToText
from bert_tf.kinds.vectors.spec import SentenceVectors

SERVING, TENSORS, CLASSIFY, REGRESS = "serving_default", "tensors", "classify", "regress"
METHODS = {CLASSIFY: "tensorflow/serving/classify", REGRESS: "tensorflow/serving/regress"}
ROWS = tf.TensorSpec([None, None], tf.int32)


def signatures_of(
    kind: Kind, model: Any, tokenizer: Any, *, sequence_length: int
) -> tuple[dict[str, Any], dict[str, str]]:
    """Concrete functions by the name of the signature; and `counts_of` the answers.

    serving_default: the texts by their columns, string [B], to `for_users` of the answers.
    details: the same to all that the answers have, which scoring needs.
    tensors: token_ids, segment_ids and padding_mask int32 [B, T] to what the model gives; what is out of range is
        refused in the graph.
    classify, for one class or several labels: tf.Examples with the texts by their columns, "inputs" string [B], to
        "classes" string [B, C] and "scores" float32 [B, C].
    regress, for one number: the same to "outputs" float32 [B].
    """
    answer: Any = kind.answer_function(model, tokenizer, sequence_length=sequence_length)
    columns = kind.text_columns
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
        return {"classes": tf.broadcast_to(tf.constant(_classes(kind)), tf.shape(scores)), "scores": scores}

    def regress(examples: Any) -> dict[str, Any]:
        return {"outputs": answers(*parsed(examples))["values"][:, 0]}

    found = {SERVING: _traced(serving, texts), DETAILS: _traced(answers, texts)}
    found[TENSORS] = _tensors(kind, model, tokenizer)
    if isinstance(kind, Classification | MultiLabel):
        found[CLASSIFY] = _traced(classify, [example])
    if isinstance(kind, Regression) and len(kind.output_names) == 1:
        found[REGRESS] = _traced(regress, [example])
    return found, counts_of(kind, answer.get_concrete_function().structured_outputs)


def _tensors(kind: Kind, model: Any, tokenizer: Any) -> Any:
    limits = {
        "token_ids": model.config.vocabulary_size,
        "segment_ids": max(model.config.num_segments, 2),  # with fewer they are not looked at
        "padding_mask": 2,
    }
    positions = model.config.max_positions
    if isinstance(kind, TextToText):
        write = kind.writer(model, tokenizer, kind.generation.replace(max_length=kind.target_length))

        def run(token_ids: Any, padding_mask: Any) -> dict[str, Any]:
            inputs = {"token_ids": token_ids, "padding_mask": padding_mask}
            return write(checked(inputs, limits=limits, most_tokens=positions - kind.target_length))

        return _traced(run, _named("token_ids", "padding_mask"))

    def call(token_ids: Any, segment_ids: Any, padding_mask: Any) -> dict[str, Any]:
        inputs = {"token_ids": token_ids, "segment_ids": segment_ids, "padding_mask": padding_mask}
        found = model(checked(inputs, limits=limits, most_tokens=positions), training=False)
        if isinstance(kind, Pretraining):
            names = {"masked_lm_logits": "logits", "pair_logits": "pair_logits"}
            return {names[name]: tf.cast(value, tf.float32) for name, value in found.items()}
        outputs = tf.cast(found, tf.float32)
        if isinstance(kind, SpanQA):
            return {"start_logits": outputs[..., 0], "end_logits": outputs[..., 1]}
        if isinstance(kind, Regression):
            return {"values": outputs}
        return {"vector" if isinstance(kind, SentenceVectors) else "logits": outputs}

    return _traced(call, _named("token_ids", "segment_ids", "padding_mask"))


def _named(*names: str) -> list[Any]:
    return [tf.TensorSpec(ROWS.shape, ROWS.dtype, name=name) for name in names]


def _traced(function: Any, signature: list[Any]) -> Any:
    return tf.function(function, input_signature=signature, autograph=False).get_concrete_function()


def _classes(kind: Kind) -> tuple[str, ...]:
    assert isinstance(kind, Classification | MultiLabel)
    return kind.classes
