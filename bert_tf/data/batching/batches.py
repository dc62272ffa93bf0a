"""Turns a plan into batches of NumPy arrays, cut into a part for each replica."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from bert_tf.data.batching.features import Features
from bert_tf.data.batching.plan import Plan
from bert_tf.data.batching.stream import BatchPlans, Stream


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

    token_ids = features.token_ids[source]
    if features.token_numbers is not None:
        token_ids = features.token_numbers[token_ids]
    batch = {
        "token_ids": scatter(token_ids, features.fills.get("token_ids", 0)),
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


def replica_batches(
    features: Features | Stream,
    epochs: BatchPlans | Plan,
    *,
    start: int = 0,
    stop: int | None = None,
    replicas: int = 1,
    replica_range: tuple[int, int] | None = None,
) -> Iterator[dict[str, np.ndarray]]:
    """The batches of all epochs, or of one plan, one after another; of each, a part for every replica of this worker.

    Args:
        features: the examples.
        epochs: the plans; with a single plan it ends with it.
        start: number of the first batch, counted over all epochs.
        stop: number of the batch to end before; None: never (one plan: its end).
        replicas: equal parts of rows that a global batch is cut into, over all workers.
        replica_range: the first and the last + 1 of this worker's replicas; all of them if None.
    Yields: dicts as `batch_arrays` gives, of the replica's rows, in the order of the replicas, each with the scalar
        float32 `loss_divisor`, what the sum of the global batch's losses is to be divided by: example_weight times the
        features' `loss_terms`, summed. They have one shape, but for T where bucketed.
    Raises: ValueError if rows do not divide by `replicas`.
    """
    first, last = replica_range or (0, replicas)
    for plan, k in _walk(epochs, start, stop):
        rows, rest = divmod(plan.layout.rows, replicas)
        if rest:
            raise ValueError(
                f"`replicas` must divide the rows of a batch. Received: replicas={replicas}, rows={plan.layout.rows}"
            )
        if isinstance(features, Stream):
            batch = features.batch(plan, k)
            divisor = batch.pop("loss_divisor")
        else:
            batch = batch_arrays(features, plan, k)
            divisor = _loss_divisor(features, batch)
        for replica in range(first, last):
            part = {name: values[replica * rows : (replica + 1) * rows] for name, values in batch.items()}
            yield {**part, "loss_divisor": divisor}


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
