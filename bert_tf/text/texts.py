"""What people give as texts -> a string tensor."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf


def as_texts(texts: Any, name: str) -> Any:
    """Returns a string tensor [B]. Raises: ValueError that names the text that is none, such as `texts[3]`."""
    if isinstance(texts, (list, tuple)) and not texts:
        return tf.constant([], tf.string)
    try:
        tensor = tf.convert_to_tensor(np.asarray(texts) if hasattr(texts, "to_numpy") else texts)
    except (TypeError, ValueError) as error:
        problem = find_problem(texts, name)
        if problem is None:
            problem = f"`{name}` must be strings, [B]. Received: {type(texts).__name__}: {error}"
        raise ValueError(problem) from error
    if tensor.dtype != tf.string or tensor.shape.rank not in (None, 0, 1):
        raise ValueError(f"`{name}` must be strings, [B]. Received: {tensor.dtype.name} {tensor.shape}")
    return tensor if tensor.shape.rank == 1 else tf.reshape(tensor, [-1])


def find_problem(texts: Any, name: str) -> str | None:
    """Says which of the texts is no text, or one that UTF-8 cannot hold; None if it is not for one of them."""
    if isinstance(texts, str):
        rows = [(f"`{name}`", texts)]
    elif isinstance(texts, (list, tuple)) or hasattr(texts, "to_numpy") or isinstance(texts, np.ndarray):
        array = texts if isinstance(texts, (list, tuple)) else np.asarray(texts)
        rows = [(f"`{name}[{number}]`", text) for number, text in enumerate(array)]
    else:
        return None
    if not any(isinstance(text, (str, bytes)) for _, text in rows):
        return None  # None is a text: what came is of another kind.
    for place, text in rows:
        if isinstance(text, str):
            bad = next((i for i, c in enumerate(text) if 0xD800 <= ord(c) < 0xE000), None)
            if bad is not None:
                around = text[max(bad - 10, 0) : bad + 10]
                return (
                    f"{place} must be text that UTF-8 can hold. Received: half a surrogate pair, {text[bad]!a}, as "
                    f"character {bad}: {around!a}"
                )
        elif not isinstance(text, bytes):
            return f"{place} must be a string. Received: {text!r} ({type(text).__name__})"
    return None
