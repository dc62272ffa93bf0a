"""Texts of thousands of tokens through an encoder that is made for them: nothing grows with the square of a length."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

import bert_tf
from bert_tf.layers import self_attention
from tests.models.members import SHAPES

LENGTH = 4096
SIZES: dict[str, Any] = {
    "vocabulary_size": 28, "hidden_dim": 4, "num_layers": 2, "num_heads": 2, "intermediate_dim": 6,
    **SHAPES["modernbert"], "max_positions": LENGTH, "initializer_range": 0.5,
}  # fmt: skip


def tensors(graph: Any) -> Iterator[Any]:
    """Of a graph and of the loops and branches within it."""
    for operation in graph.get_operations():
        yield from operation.outputs
        for name in ("body", "cond", "then_branch", "else_branch", "f"):
            if name in operation.node_def.attr and operation.node_def.attr[name].HasField("func"):
                yield from tensors(graph._get_function(operation.node_def.attr[name].func.name).graph)


def sizes(function: Any, *arguments: Any) -> list[int]:
    """How many numbers each tensor of a traced function has."""
    graph = function.get_concrete_function(*arguments).graph
    return [math.prod(x.shape) for x in tensors(graph) if x.shape.is_fully_defined()]


@pytest.mark.parametrize("packs", [pytest.param(False, marks=pytest.mark.slow), True])
def test_no_tensor_of_a_training_step_has_a_number_for_each_pair_of_tokens(packs, monkeypatch):
    model = bert_tf.BertTagger(bert_tf.BertConfig(**SIZES), 3)
    ids = tf.zeros([1, LENGTH], tf.int32)
    inputs = {"token_ids": ids, "example_ids": ids, "position_ids": ids} if packs else {"token_ids": ids}

    def step() -> Any:
        with tf.GradientTape() as tape:
            loss = model.compute(inputs, labels=ids, training=True, seed=tf.constant([3, 4]))["loss"]
        return tape.gradient(loss, [weight.value for weight in model.trainable_variables])

    found = sizes(tf.function(step, autograph=False))
    assert 256 * LENGTH <= max(found) < LENGTH * LENGTH / 4, max(found)  # a chunk of queries is there
    monkeypatch.setattr(self_attention, "WHOLE", LENGTH)
    assert max(sizes(tf.function(step, autograph=False))) >= LENGTH * LENGTH


@pytest.mark.slow
def test_a_long_text_gives_what_all_scores_at_once_give(monkeypatch):
    """Logits and gradients, alone and packed with others, of a length that is known and of one that is not."""
    monkeypatch.setattr(self_attention, "WHOLE", 256)
    length = 700
    rng = np.random.default_rng(0)
    still = dict.fromkeys(("hidden_dropout", "attention_dropout", "feed_forward_dropout"), 0.0)
    model = bert_tf.BertTagger(bert_tf.BertConfig(**{**SIZES, **still, "local_attention": 32}), 3)
    examples = np.sort(rng.integers(1, 4, (2, length)))
    starts = np.stack([np.searchsorted(row, row) for row in examples])
    inputs = {
        "token_ids": rng.integers(5, 28, (2, length)),
        "example_ids": examples,
        "position_ids": np.arange(length) - starts,
    }
    inputs = {name: tf.constant(x, tf.int32) for name, x in inputs.items()}
    labels = tf.constant(rng.integers(0, 3, (2, length)))

    def step(inputs: Any) -> list[Any]:
        with tf.GradientTape() as tape:
            found = model.compute(inputs, labels=labels, training=True)
        slopes = tape.gradient(found["loss"], [weight.value for weight in model.trainable_variables])
        return [found["logits"], *map(tf.convert_to_tensor, slopes)]

    unknown = {name: tf.TensorSpec([None, None], tf.int32) for name in inputs}
    ways = [tf.function(step), tf.function(step, input_signature=[unknown]), tf.function(step, jit_compile=True)]
    in_parts = [way(inputs) for way in ways]
    monkeypatch.setattr(self_attention.SelfAttention, "_by_length", all_at_once)
    wanted = tf.function(step)(inputs)
    for found in in_parts:
        for ours, theirs in zip(found, wanted, strict=True):
            np.testing.assert_allclose(ours, theirs, atol=2e-5, rtol=1e-4)


def all_at_once(layer: Any, q: Any, k: Any, v: Any, sight: Any, rate: float, seed: Any) -> Any:
    """In place of `SelfAttention._by_length`."""
    return self_attention._attend(q, k, v, sight.bias(layer.reach), rate=rate, seed=seed)
