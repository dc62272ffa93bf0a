"""TensorBoard's event files of a run that is resumed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import tensorflow as tf

from bert_tf.training.board.tags import TAGS


def forget_events(folder: Path, step: int, *, scores_step: int | None = None) -> None:
    """Takes what stands at `step` and later out of TensorBoard's files.

    Args:
        folder: of one of its runs; it need not exist.
        scores_step: the same for metrics of training examples, which are made by evaluations; None: `step`.

    Not all of its readers heed the event that says so (a session's start): for values as TensorFlow 2 writes them,
    `EventAccumulator` does not.
    """
    for path in sorted(folder.glob("events.out.tfevents.*")):
        kept, dropped = [], False
        records = iter(tf.data.TFRecordDataset(str(path)))
        while True:
            try:
                record = next(records).numpy()
            except (StopIteration, tf.errors.DataLossError):  # the end, or cut off when the process was killed
                break
            event = tf.compat.v1.Event.FromString(record)
            first = step if scores_step is None or not _is_of_scores(event) else scores_step
            if event.HasField("summary") and event.step >= first:
                dropped = True
            else:
                kept.append(record)
        if dropped:
            temporary = path.with_name("rewritten.tmp")  # a name that no reader takes for events
            with tf.io.TFRecordWriter(str(temporary)) as writer:
                for record in kept:
                    writer.write(record)
            temporary.replace(path)


def _is_of_scores(event: Any) -> bool:
    """Whether it has what an evaluation found; every report of updates has their loss."""
    tags = [value.tag for value in event.summary.value]
    return any(tag.startswith("quality/") for tag in tags) and TAGS["loss"].name not in tags
