"""Turns a plan into tensors: NumPy batches, and a `tf.data` pipeline over them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from bert_tf.data.batching.epochs import Epochs
from bert_tf.data.batching.features import Features
from bert_tf.data.batching.plan import Plan
from bert_tf.data.batching.stream import BatchPlans, Stream

if TYPE_CHECKING:
    import tensorflow as tf

PREFETCHED_BLOCKS = 16


def batch_arrays(features: Features, plan: Plan, k: int) -> dict[str, np.ndarray]:
    """Batch k of the plan.

    Returns: int32 token_ids, segment_ids, padding_mask [R, T] and every token field [R, T]; packed also example_ids,
    position_ids [R, T] and first_positions [R, M]; labels, example_weight (float32; 0: no example), example_index
    (int32; -1: no example), every example and position field [R, M] where packed, [R] where not. A row without an
    example has no real token. Fields are 0, or their fill, where there is nothing.

    Where an example is P texts (`Features.members`), every batch has example_ids, position_ids and first_positions, and
    these are of the texts: [R, M * P], an example's texts together, or [R, P] where not packed.
    """
    layout, part = plan.layout, plan.batch(k)
    rows, length = layout.rows, int(plan.lengths[k])
    packed = layout.batching == "packed"
    texts = part.index[:, None] if features.members is None else features.members[part.index]  # [E, P]
    starts = features.splits[texts].ravel()
    lengths = features.splits[texts + 1].ravel() - starts
    ends = np.cumsum(lengths)
    first = (ends - lengths).reshape(texts.shape)  # of each text, among all tokens of the batch
    column = part.column[:, None] + first - first[:, :1]
    # Token t of this batch is number `position[t]` of its text, comes from `source[t]` and goes to `target[t]`.
    token = np.arange(ends[-1])
    position = token - np.repeat(ends - lengths, lengths)
    source = np.repeat(starts, lengths) + position
    target = np.repeat((part.row.astype(np.int64)[:, None] * length + column).ravel(), lengths) + position

    def scatter(values: np.ndarray, fill: float = 0) -> np.ndarray:
        out = np.full((rows * length, *values.shape[1:]), fill, np.int32 if values.dtype.kind in "iub" else np.float32)
        out[target] = values
        return out.reshape(rows, length, *values.shape[1:])

    slots = (rows, layout.slots) if packed else (rows,)
    at = (part.row, part.slot) if packed else (part.row,)

    def place(values: np.ndarray, fill: float = 0) -> np.ndarray:
        out = np.full((*slots, *values.shape[1:]), fill, np.int32 if values.dtype.kind in "iub" else np.float32)
        out[at] = values
        return out

    batch = {
        "token_ids": scatter(features.token_ids[source], features.fills.get("token_ids", 0)),
        "segment_ids": scatter(features.segment_ids[source]),
        "padding_mask": scatter(np.ones(len(target), np.int32)),
    }
    if packed or features.members is not None:
        number = part.slot[:, None] * texts.shape[1] + np.arange(1, texts.shape[1] + 1)
        batch["example_ids"] = scatter(np.repeat(number.ravel(), lengths))
        batch["position_ids"] = scatter(position)
        batch["first_positions"] = place(column).reshape(rows, -1)
    for name, values in features.token_fields.items():
        batch[name] = scatter(values[source], features.fills.get(name, 0))
    for name, values in features.example_fields.items():
        batch[name] = place(values[part.index], features.fills.get(name, 0))
    for name, values in features.position_fields.items():
        batch[name] = place(values[part.index] + part.column, features.fills.get(name, 0))
    if features.labels is not None:
        batch["labels"] = place(features.labels[part.index], features.fills.get("labels", 0))
    weights = np.ones(len(part.index), np.float32) if features.weights is None else features.weights[part.index]
    batch["example_weight"] = place(weights)
    batch["example_index"] = place(part.index, -1)
    return batch


def blocks(
    features: Features | Stream,
    epochs: BatchPlans | Plan,
    *,
    start: int = 0,
    stop: int | None = None,
    replicas: int = 1,
    replica_range: tuple[int, int] | None = None,
) -> Iterator[dict[str, np.ndarray]]:
    """Yields what `dataset` does, as NumPy arrays."""
    first, last = replica_range or (0, replicas)
    for plan, k in _walk(epochs, start, stop):
        if isinstance(features, Stream):
            batch = features.batch(plan, k)
            divisor = batch.pop("loss_divisor")
        else:
            batch = batch_arrays(features, plan, k)
            divisor = _loss_divisor(features, batch)
        rows = plan.layout.rows // replicas
        for replica in range(first, last):
            block = {name: values[replica * rows : (replica + 1) * rows] for name, values in batch.items()}
            yield {**block, "loss_divisor": divisor}


def dataset(
    features: Features,
    epochs: Epochs | Plan,
    *,
    start: int = 0,
    stop: int | None = None,
    replicas: int = 1,
    replica_range: tuple[int, int] | None = None,
    closed: threading.Event | None = None,
) -> tf.data.Dataset:
    """The batches of all epochs, or of one plan, as a `tf.data` pipeline.

    Args:
        features: the examples.
        epochs: the plans; with a single plan the pipeline ends with it.
        start: number of the first batch, counted over all epochs.
        stop: number of the batch to end before; None: never (one plan: its end).
        replicas: equal blocks of rows that a global batch is cut into, over all workers.
        replica_range: the first and the last + 1 of this worker's replicas; all of them if None.
        closed: once it is set, the pipeline ends. An iterator that is dropped while its thread waits for Python's lock
            hangs the process, so one that has not come to its end must be closed and read to its end before.
    Returns: a data set of dicts as `batch_arrays` gives, one a replica of this worker, in order, each with the scalar
        float32 `loss_divisor`, what the sum of the global batch's losses is to be divided by: example_weight times the
        features' `loss_terms`, summed. Shapes are static but for T where bucketed.
    Raises: ValueError if rows do not divide by `replicas`.
    """
    import tensorflow as tf

    plan = epochs if isinstance(epochs, Plan) else epochs.plan(epochs.locate(start)[0])
    rows = plan.layout.rows
    if rows % replicas:
        raise ValueError(f"`replicas` must divide the rows of a batch. Received: replicas={replicas}, rows={rows}")
    example = {**batch_arrays(features, plan, 0), "loss_divisor": np.zeros((), np.float32)}
    token_names = {"token_ids", "segment_ids", "padding_mask", "example_ids", "position_ids", *features.token_fields}

    def spec(name: str, values: np.ndarray) -> tf.TensorSpec:
        if not values.ndim:
            return tf.TensorSpec([], tf.float32)
        shape: list[int | None] = [rows // replicas, *values.shape[1:]]
        if plan.layout.batching == "bucketed" and name in token_names:
            shape[1] = None
        return tf.TensorSpec(shape, tf.as_dtype(values.dtype))

    def generate() -> Iterator[dict[str, np.ndarray]]:
        for block in blocks(features, epochs, start=start, stop=stop, replicas=replicas, replica_range=replica_range):
            if closed is not None and closed.is_set():
                return
            yield block

    signature = {name: spec(name, values) for name, values in example.items()}
    return tf.data.Dataset.from_generator(generate, output_signature=signature).prefetch(PREFETCHED_BLOCKS)


def _loss_divisor(features: Features, batch: dict[str, np.ndarray]) -> np.ndarray:
    """float32 []; 1 where a batch has no term at all, as its loss is 0 then."""
    weight = batch["example_weight"].astype(np.float64)
    if features.loss_terms is not None:
        index = batch["example_index"]
        weight = np.where(index >= 0, features.loss_terms[index], 0) * weight
    return np.array(weight.sum() or 1.0, np.float32)


def _walk(epochs: BatchPlans | Plan, start: int, stop: int | None) -> Iterator[tuple[Any, int]]:
    if isinstance(epochs, Plan):
        for k in range(start, epochs.number_of_batches if stop is None else min(stop, epochs.number_of_batches)):
            yield epochs, k
        return
    epoch, k = epochs.locate(start)
    number = start
    while stop is None or number < stop:
        plan = epochs.plan(epoch)
        while k < plan.number_of_batches and (stop is None or number < stop):
            yield plan, k
            k, number = k + 1, number + 1
        epoch, k = epoch + 1, 0
