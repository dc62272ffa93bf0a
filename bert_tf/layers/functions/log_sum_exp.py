"""The logarithm of the softmax's denominator over a vocabulary, without more of its logits in memory than there is room
for."""

from __future__ import annotations

from typing import Any

from keras import ops

from bert_tf.layers.functions.gradients import upstream_of

CHUNK_ELEMENTS = 8_000_000
"""Logits worked out at a time, 32 MB in float32: each chunk adds to the whole table's gradient, so not too few."""
KEPT_ELEMENTS = 32_000_000
"""As many logits are kept for the gradient, 64 MB in bfloat16; a thousand rows of BERT's vocabulary. Of more, each
chunk's are worked out again, a third of this function's work."""


def log_sum_exp(x, table, bias, count, *, chunk: int | None = None):
    """log sum_v exp(x . table[v] + bias[v]) of the first `count` rows, for a softmax over many classes.

    Many rows go in chunks, whose logits are not kept: the gradient works them out again. Shapes are static whatever
    `count` is, so XLA compiles it.

    Args:
        x: float [P, D]; products are in its dtype, the rest in float32.
        table: float [V, D].
        bias: float [V].
        count: int [], how many rows are wanted; 0 stands in the others, and no gradient comes from them.
        chunk: rows at a time; None: all rows, if their number is known and makes no more than `KEPT_ELEMENTS` logits,
            or else as many as make `CHUNK_ELEMENTS`, in steps of 32.
    Returns: float32 [P].
    """
    vocabulary, width = table.shape
    if chunk is None and x.shape[0] is not None and x.shape[0] * vocabulary <= KEPT_ELEMENTS:
        return _at_once(x, table, bias, count)
    if chunk is None:
        chunk = max(32, CHUNK_ELEMENTS // vocabulary // 32 * 32)
    if x.shape[0] is not None:
        chunk = min(chunk, x.shape[0])
    rows = ops.shape(x)[0]
    chunks = (rows + chunk - 1) // chunk
    padding = chunks * chunk - rows
    return _of_chunks(chunk, width)(ops.pad(x, [[0, padding], [0, 0]]), table, bias, count)[:rows]


@ops.custom_gradient
def _at_once(x, table, bias, count) -> Any:
    low, bias = ops.cast(table, x.dtype), ops.cast(bias, "float32")
    kept = ops.matmul(x, ops.transpose(low))  # [P, V]
    found = ops.logsumexp(ops.cast(kept, "float32") + bias, axis=-1)  # [P]
    is_used = ops.cast(ops.arange(ops.shape(x)[0]) < ops.cast(count, "int32"), "float32")

    def gradient(*args, upstream=None):
        weight = ops.cast(upstream_of(args, upstream), "float32") * is_used
        shares = ops.exp(ops.cast(kept, "float32") + bias - found[:, None]) * weight[:, None]  # [P, V]
        dbias = ops.sum(shares, axis=0)
        shares = ops.cast(shares, x.dtype)
        dtable = ops.matmul(ops.transpose(shares), x)
        return ops.matmul(shares, low), ops.cast(dtable, table.dtype), dbias, None

    return found * is_used, gradient


def _of_chunks(chunk: int, width: int):
    def used(count):
        return (count + chunk - 1) // chunk

    def logits_of(x, i, across, bias):
        part = ops.slice(x, ops.stack([i * chunk, 0]), (chunk, width))  # [C, D]
        return part, ops.cast(ops.matmul(part, across), "float32") + bias  # [C, V]

    def put(found, i, part):
        """`found` [chunks, ...] with `part` [...] at `i`."""
        numbers = ops.reshape(ops.arange(ops.shape(found)[0]), (-1, *[1] * len(part.shape)))
        return ops.where(ops.equal(numbers, i), part, found)

    def is_used(i, count):
        return ops.cast(i * chunk + ops.arange(chunk) < count, "float32")  # [C]

    @ops.custom_gradient
    def run(x, table, bias, count) -> Any:
        count = ops.cast(count, "int32")
        chunks = ops.shape(x)[0] // chunk
        low = ops.cast(table, x.dtype)
        across = ops.transpose(low)  # [D, V]
        bias = ops.cast(bias, "float32")

        def forward(i, found):
            _, logits = logits_of(x, i, across, bias)
            return i + 1, put(found, i, ops.logsumexp(logits, axis=-1) * is_used(i, count))

        start = (ops.zeros((), "int32"), ops.zeros((chunks, chunk), "float32"))
        _, found = ops.while_loop(lambda i, found: i < used(count), forward, start)

        def gradient(*args, upstream=None):
            dy = ops.reshape(ops.cast(upstream_of(args, upstream), "float32"), (-1, chunk))

            def backward(i, dx, dtable, dbias):
                part, logits = logits_of(x, i, across, bias)
                weight = ops.take(dy, i, axis=0) * is_used(i, count)  # [C]
                shares = ops.softmax(logits) * weight[:, None]  # [C, V]
                dbias = dbias + ops.sum(shares, axis=0)
                shares = ops.cast(shares, x.dtype)
                dtable = dtable + ops.cast(ops.matmul(ops.transpose(shares), part), "float32")  # [V, D]
                return i + 1, put(dx, i, ops.matmul(shares, low)), dtable, dbias

            zeros = (
                ops.zeros((chunks, chunk, width), x.dtype),
                ops.zeros(table.shape, "float32"),
                ops.zeros(bias.shape, "float32"),
            )
            _, dx, dtable, dbias = ops.while_loop(
                lambda i, *_: i < used(count), backward, (ops.zeros((), "int32"), *zeros)
            )
            return ops.reshape(dx, (-1, width)), ops.cast(dtable, table.dtype), dbias, None

        return ops.reshape(found, (-1,)), gradient

    return run
