"""What the `tensors` signature refuses, in its graph: a kernel may answer any number that is out of range."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tensorflow as tf


def checked(inputs: Mapping[str, Any], *, limits: Mapping[str, int], most_tokens: int) -> dict[str, Any]:
    """The same tensors, int32 [B, ..., T] each, behind checks that fail with InvalidArgument and name the rule.

    Args:
        limits: for each input how many numbers there are, from 0.
        most_tokens: the largest T.
    """
    first, *others = inputs.items()
    checks = []
    for name, value in others:
        alike = tf.reduce_all(tf.equal(tf.shape(value), tf.shape(first[1])))
        rule = f"expected {name} of the shape of {first[0]}. Received the shapes:"
        checks.append(_check(alike, rule, tf.shape(value), tf.shape(first[1])))
    tokens = tf.shape(first[1])[-1]
    rule = f"expected 1 to {most_tokens} tokens a row. Received:"
    checks.append(_check((tokens >= 1) & (tokens <= most_tokens), rule, tokens))
    for name, value in inputs.items():
        held = tf.reduce_all((value >= 0) & (value < limits[name]))
        rule = f"expected {name} from 0 to {limits[name] - 1}. Received the least and the greatest:"
        checks.append(_check(held, rule, tf.reduce_min(value), tf.reduce_max(value)))
    with tf.control_dependencies(checks):
        return {name: tf.identity(value) for name, value in inputs.items()}


def _check(condition: Any, rule: str, *received: Any) -> Any:
    return tf.debugging.Assert(condition, [rule, *received])
