"""A model's output along the straight line from one row of vectors to another, and its gradient there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from bert_tf.inference.explaining.integral import Along
from bert_tf.kinds.explained import Explained
from bert_tf.models.base import inputs_of

ROWS_AT_ONCE = 32
"""Rows that go through the model at a time."""
CALLS_WITHOUT_GRAPH = 16
"""Calls of the model, as three or four texts take, that are made one operation after the other: a graph with gradients
takes as long to make as ten of them to work out."""


class Gradients:
    """What one model is asked of any number of texts, in graphs that these share.

    Args:
        model: has `logits(inputs, embedded=...)`.
    """

    def __init__(self, model: Any) -> None:
        def logits(points: Any, inputs: Any) -> Any:
            return tf.cast(model.logits(inputs, training=False, embedded=points), tf.float32)

        def slopes(points: Any, inputs: Any, weights: Any) -> Any:
            with tf.GradientTape() as tape:
                tape.watch(points)
                outputs = logits(points, inputs) * weights
                outputs = tf.reduce_sum(outputs, axis=list(range(1, outputs.shape.rank)))  # [R]
            return outputs, tape.gradient(outputs, points)

        self._functions: dict[str, Callable[..., Any]] = {"logits": logits, "slopes": slopes}
        self._graphs: dict[str, Callable[..., Any]] = {}
        self._calls = 0

    def logits(self, points: Any, inputs: Any) -> Any:
        """Of rows of vectors float32 [R, T, D], the model's outputs, [R, C] or [R, T, C]."""
        return self._called("logits", points, inputs)

    def slopes(self, points: Any, inputs: Any, weights: Any) -> tuple[Any, Any]:
        """Of each row the sum of its outputs times `weights`, [R], and how fast each number of `points` changes it."""
        return self._called("slopes", points, inputs, weights)

    def _called(self, name: str, *given: Any) -> Any:
        self._calls += 1
        if self._calls <= CALLS_WITHOUT_GRAPH:
            return self._functions[name](*given)
        if name not in self._graphs:  # one for any number of rows, and of tokens
            signature = tf.nest.map_structure(_of_any_size, given)
            self._graphs[name] = tf.function(self._functions[name], input_signature=signature, autograph=False)
        return self._graphs[name](*given)

    def along(self, asked: Explained, first: np.ndarray, last: np.ndarray) -> Along:
        """What `integrate` needs of a line between two points, float64 [W, T, D] each; its coordinates are the tokens
        of all rows, [W * T]."""
        windows, step = asked.windows, last - first

        def call(at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            place, row = np.repeat(at, windows), np.tile(np.arange(windows), len(at))  # of P * W rows
            parts = [slice(k, k + ROWS_AT_ONCE) for k in range(0, len(row), ROWS_AT_ONCE)]

            def given(part: slice) -> tuple[Any, Any]:
                points = first[row[part]] + place[part, None, None] * step[row[part]]
                inputs = {name: tf.constant(rows[row[part]]) for name, rows in inputs_of(asked.rows).items()}
                return tf.constant(points, tf.float32), inputs

            values = None
            if asked.merge is None:
                assert asked.weights is not None
                weights = asked.weights[row]
            else:  # whose slope at a point depends on all of its rows
                found = tf.concat([self.logits(*given(part)) for part in parts], axis=0)  # [P * W, C]
                values, weights = _merged(asked.merge, found)
            outputs, rates = [], []
            for part in parts:
                each, slopes = self.slopes(*given(part), tf.constant(weights[part], tf.float32))
                outputs.append(each.numpy().astype(np.float64))
                rates.append(np.einsum("rtd,rtd->rt", slopes.numpy().astype(np.float64), step[row[part]]))
            if values is None:
                values = np.concatenate(outputs).reshape(len(at), windows).sum(axis=1)
            return values, np.concatenate(rates).reshape(len(at), -1)

        return call


def _of_any_size(tensor: Any) -> Any:
    """What a tensor of rows, [R, C], int32 [R, T], or [R, T, and more], may be."""
    _, second, *more = tensor.shape
    has_tokens = more or tensor.dtype.is_integer
    return tf.TensorSpec([None, None if has_tokens else second, *more], tensor.dtype)


def _merged(merge: Callable[[Any], Any], logits: Any) -> tuple[np.ndarray, np.ndarray]:
    """What is made of logits, float64 [P], and how much each logit counts for it, [P * W, C]."""
    with tf.GradientTape() as tape:
        tape.watch(logits)
        values = merge(logits)
    return values.numpy().astype(np.float64), tf.convert_to_tensor(tape.gradient(values, logits)).numpy()
