"""Batches of pre-training for another library: an example a row, masked and padded."""

from __future__ import annotations

from typing import Any

import numpy as np

from bert_tf.config import Layer
from bert_tf.data import plan_batches
from bert_tf.kinds.definitions import asked_run
from bert_tf.sentinels import IGNORED_LABEL

BATCH, LENGTH = 32, 128
READY_MADE = 100


def write_batches(data: str, backbone: str, file: str) -> None:
    """Writes an .npz with the inputs of `BertForPreTraining`, [100, 32, ...] each."""
    kind, config = asked_run("pretrain", None, [Layer(origin="benchmark", values={"backbone": backbone})])
    kind = kind.configured(config)
    corpus = kind.read(data, "train", skip_bad_rows=True)
    stream: Any = kind.features(kind.build_tokenizer(backbone), corpus, sequence_length=LENGTH)
    plans = plan_batches(stream, BATCH, batching="padded", seed=1)
    columns: dict[str, list[np.ndarray]] = {}
    for number in range(READY_MADE):
        epoch, k = plans.locate(number)
        batch = stream.batch(plans.plan(epoch), k)
        labels = np.full((BATCH, LENGTH), IGNORED_LABEL, np.int64)
        rows, places = np.nonzero(batch["target_ids"] != IGNORED_LABEL)
        labels[rows, batch["masked_positions"][rows, places]] = batch["target_ids"][rows, places]
        found = {
            "input_ids": batch["token_ids"],
            "attention_mask": batch["padding_mask"],
            "token_type_ids": batch["segment_ids"],
            "labels": labels,
            "next_sentence_label": batch["labels"][:, 0],
        }
        for name, value in found.items():
            columns.setdefault(name, []).append(value.astype(np.int64))
    np.savez(file, **{name: np.stack(values) for name, values in columns.items()})  # pyright: ignore[reportArgumentType]
