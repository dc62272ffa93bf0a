"""Curves of a run in TensorBoard: what training and validation have in common is one chart."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from pathlib import Path

import tensorflow as tf
from tensorboard.plugins.scalar.summary_v2 import scalar_pb

from bert_tf.training.board.tags import UNDRAWN, UNITS, tag_of


class Scalars:
    """Writes the curves of one of TensorBoard's runs.

    Args:
        folder: of the run's event files.
    """

    def __init__(self, folder: Path) -> None:
        _keep_first(folder)
        self.writer = tf.summary.create_file_writer(str(folder))

    def write(self, step: int, values: Mapping[str, float | None]) -> None:
        """A point for each value that is a number, by its name in metrics.jsonl: one event for all, as one is quick."""
        points = []
        for name, value in values.items():
            if name not in UNDRAWN and value is not None and math.isfinite(value):
                tag = tag_of(name)
                points.append(scalar_pb(tag.name, value * UNITS.get(name, 1.0), description=tag.description))
        if not points:
            return
        summary = points[0]
        for point in points[1:]:
            summary.value.extend(point.value)
        with self.writer.as_default():
            tf.summary.experimental.write_raw_pb(summary.SerializeToString(), step)
        self.writer.flush()


def _keep_first(folder: Path) -> None:
    """Names of this second's files are changed so that they stand before the next one's: readers go by the names.

    A name ends in a number that grows within the process but has no leading zeros: "10" would stand before "9".
    """
    for path in folder.glob(f"events.out.tfevents.{int(time.time())}.*.v2"):
        start, number, end = path.name.rsplit(".", 2)
        path.rename(path.with_name(f"{start}.{int(number):09d}.{end}"))
