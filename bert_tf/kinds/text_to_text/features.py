"""Rows of a source and a target, and the sources out of them again: NumPy only."""

from __future__ import annotations

import logging

import numpy as np

from bert_tf.data.batching.counted import say_count
from bert_tf.data.batching.features import Features
from bert_tf.sentinels import IGNORED_LABEL

logger = logging.getLogger(__name__)


def with_targets(source: Features, target: Features) -> Features:
    """[CLS] source [SEP] and [CLS] target [SEP] -> [CLS] source [SEP] target [SEP].

    Returns: the rows, with the token field `target_ids`: the token that each token is to predict, -100 in the source
    but for its [SEP], and at the row's last token; and as many loss terms as the target has tokens. `cut` is the
        source's.
    """
    read, written = source.lengths, target.lengths - 1  # [CLS] of the target is left out
    lengths = read + written
    splits = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
    place = np.arange(splits[-1]) - np.repeat(splits[:-1], lengths)
    is_target = place >= np.repeat(read, lengths)
    token_ids = np.empty(splits[-1], np.int32)
    token_ids[~is_target] = source.token_ids
    token_ids[is_target] = np.delete(target.token_ids, target.splits[:-1])
    # Each token of the target is what the token before it predicts.
    target_ids = np.full(splits[-1], IGNORED_LABEL, np.int32)
    target_ids[np.flatnonzero(is_target) - 1] = token_ids[is_target]
    return Features(
        token_ids=token_ids,
        segment_ids=is_target.astype(np.int8),
        splits=splits,
        loss_terms=written,
        token_fields={"target_ids": target_ids},
        fills={"target_ids": IGNORED_LABEL},
        cut=source.cut,
    )


def say_cut(features: Features, max_length: int, what: str, follows: str) -> int:
    """How many of the texts were cut to `max_length` tokens; says it on the log, with what follows from it."""
    assert features.cut is not None
    cut = features.cut.texts
    message = "%d of %d %s are longer than %d tokens: %s"
    say_count(logger, message, cut, len(features), what, max_length - 2, follows)
    return cut


def sources(
    features: Features, count: int, batch_examples: int, *, pad_id: int = 0
) -> tuple[np.ndarray, list[dict[str, np.ndarray]]]:
    """The sources of the first `count` rows, like lengths together, the longest first.

    Returns: the rows' numbers [count], in the order of the batches; and batches of int32 token_ids and padding_mask.
    """
    found = []
    for first, last in zip(features.splits[:count], features.splits[1 : count + 1], strict=True):
        found.append(features.token_ids[first:last][features.segment_ids[first:last] == 0])
    lengths = np.array([len(ids) for ids in found])
    order = np.argsort(-lengths, kind="stable")
    batches = []
    for start in range(0, count, batch_examples):
        rows = order[start : start + batch_examples]
        mask = np.arange(lengths[rows].max()) < lengths[rows][:, None]
        token_ids = np.full(mask.shape, pad_id, np.int32)
        token_ids[mask] = np.concatenate([found[i] for i in rows])
        batches.append({"token_ids": token_ids, "padding_mask": mask.astype(np.int32)})
    return order, batches
