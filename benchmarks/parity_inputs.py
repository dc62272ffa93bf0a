"""Texts as padded and packed inputs, and what a backbone makes of them."""

from __future__ import annotations

from typing import Any

import numpy as np

PACK_LENGTH = 160
BATCH_TEXTS = 16


def padded_inputs(ids: list[list[int]]) -> dict[str, np.ndarray]:
    """All texts in one batch, padded to the longest: int32 [E, T]."""
    length = max(map(len, ids))
    token_ids = np.stack([np.pad(np.asarray(row, np.int32), (0, length - len(row))) for row in ids])
    mask = np.stack([(np.arange(length) < len(row)).astype(np.int32) for row in ids])
    return {"token_ids": token_ids, "segment_ids": np.zeros_like(token_ids), "padding_mask": mask}


def packed_inputs(
    ids: list[list[int]], length: int = PACK_LENGTH
) -> tuple[dict[str, np.ndarray], list[tuple[int, int, int]]]:
    """Texts packed first-fit into rows.

    Returns: the inputs, int32 [R, length]; and for each text its row, its start, and its slot in first_positions.
    """
    rows: list[list[int]] = []
    places: list[tuple[int, int, int]] = []
    used: list[int] = []
    for text, tokens in enumerate(ids):
        row = next((r for r, taken in enumerate(used) if taken + len(tokens) <= length), len(rows))
        if row == len(rows):
            rows.append([])
            used.append(0)
        places.append((row, used[row], len(rows[row])))
        rows[row].append(text)
        used[row] += len(tokens)
    names = ("token_ids", "segment_ids", "padding_mask", "example_ids", "position_ids")
    inputs = {name: np.zeros((len(rows), length), np.int32) for name in names}
    inputs["first_positions"] = np.zeros((len(rows), max(map(len, rows))), np.int32)
    for tokens, (row, start, slot) in zip(ids, places, strict=True):
        part = (row, slice(start, start + len(tokens)))
        inputs["token_ids"][part], inputs["padding_mask"][part] = tokens, 1
        inputs["example_ids"][part], inputs["position_ids"][part] = slot + 1, np.arange(len(tokens))
        inputs["first_positions"][row, slot] = start
    return inputs, places


def hidden_states(backbone: Any, inputs: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """What the embeddings and every block give, [L+1, B, T, D], and the pooled output."""
    states, calls = [], {}

    def record(layer: Any) -> None:
        call = calls[layer] = layer.call

        def recording(*args: Any, **kwargs: Any) -> Any:
            states.append(call(*args, **kwargs))
            return states[-1]

        layer.call = recording

    for layer in (backbone.embeddings, *backbone.blocks):
        record(layer)
    try:
        outputs = backbone(inputs)
    finally:
        for layer, call in calls.items():
            layer.call = call
    return np.stack([np.asarray(state) for state in states]), np.asarray(outputs["pooled_output"])


def by_text(backbone: Any, ids: list[list[int]], *, packed: bool) -> tuple[list[np.ndarray], np.ndarray]:
    """Hidden states of each text [L+1, T, D], and pooled outputs [E, D], from padded batches or one packed batch."""
    if not packed:
        found, pooled = [], []
        for start in range(0, len(ids), BATCH_TEXTS):
            batch = ids[start : start + BATCH_TEXTS]
            states, pooled_output = hidden_states(backbone, padded_inputs(batch))
            found += [states[:, i, : len(row)] for i, row in enumerate(batch)]
            pooled.append(pooled_output)
        return found, np.concatenate(pooled)
    inputs, places = packed_inputs(ids)
    states, pooled = hidden_states(backbone, inputs)
    found = [states[:, r, start : start + len(row)] for row, (r, start, _) in zip(ids, places, strict=True)]
    return found, np.stack([pooled[row, slot] for row, _, slot in places])


def largest_difference(ours: Any, theirs: Any) -> float:
    """Largest absolute difference of two arrays of one shape; infinity if the shapes differ."""
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    return float(np.max(np.abs(ours - theirs))) if ours.shape == theirs.shape else float("inf")
