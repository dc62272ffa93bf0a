"""How TensorFlow Serving may put requests for a model together: batching_params.pbtxt in the version's folder.

The server reads it there with --enable_per_model_batching_parameters. What holds for one model does not for another:
where answers are lists, [B, N] as long as the longest of the batch, a request must not be split over batches, since the
server puts the pieces' bytes behind each other without a look at N: it dies, or gives answers to the wrong texts.

Reference: https://github.com/tensorflow/serving/blob/master/tensorflow_serving/batching/batching_session.cc
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

FILE = "batching_params.pbtxt"
MOST_TEXTS = 1024  # in a request that is split
MOST_UNSPLIT = 128  # in one that is not
TIMEOUT_MICROS, MOST_WAITING = 2000, 256


def gives_lists(signatures: Mapping[str, Any], names: Sequence[str]) -> bool:
    """Whether one of these signatures, concrete functions, has an output [B, N] whose N hangs on the batch."""
    return any(
        output.shape.rank is None or None in output.shape[1:].as_list()
        for name in names
        for output in signatures[name].structured_outputs.values()
    )


def sizes_of(batch_sizes: Sequence[int], *, lists: bool) -> tuple[int, ...]:
    """The batches that the server makes: those that were asked for, and where requests are not split also larger ones,
    each twice the one before."""
    sizes = sorted(set(batch_sizes))
    while lists and sizes[-1] < MOST_UNSPLIT:
        sizes.append(2 * sizes[-1])
    return tuple(sizes)


def parameters(sizes: Sequence[int], *, lists: bool) -> str:
    """The file.

    Args:
        sizes: of `sizes_of`.
        lists: whether answers are lists.
    """
    if lists:
        limits = [
            "# Answers are lists, as long as the longest of their batch: a request stays in one batch, and has at most",
            f"# {sizes[-1]} texts. Never set enable_large_batch_splitting here.",
            f"max_batch_size {{ value: {sizes[-1]} }}",
        ]
    else:
        limits = [
            f"# A request of up to {max(MOST_TEXTS, sizes[-1])} texts is split over batches of up to {sizes[-1]}.",
            f"max_batch_size {{ value: {max(MOST_TEXTS, sizes[-1])} }}",
            "enable_large_batch_splitting { value: true }",
            f"max_execution_batch_size {{ value: {sizes[-1]} }}",
        ]
    lines = [
        "# Read by TensorFlow Serving with --enable_batching --enable_per_model_batching_parameters.",
        *limits,
        "# Sizes are rounded up to one of these by repeating a row; each was warmed up.",
        *(f"allowed_batch_sizes: {size}" for size in sizes),
        "# How long the first request of a batch waits for others: a small part of what an answer takes.",
        f"batch_timeout_micros {{ value: {TIMEOUT_MICROS} }}",
        "# Requests beyond this are refused at once, with UNAVAILABLE, instead of piling up.",
        f"max_enqueued_batches {{ value: {MOST_WAITING} }}",
        "# Texts need no padding. Rows of tensors would be padded with their first element, and the mask with 1.",
        "pad_variable_length_inputs: false",
    ]
    return "\n".join(lines) + "\n"
