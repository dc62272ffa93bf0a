"""TensorBoard's run `kept`: a run's settings, and the scores of the weights that it kept."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf

from bert_tf.config import RunConfig
from bert_tf.training.board.places import BOARDS, KEPT
from bert_tf.training.board.scalars import Scalars
from bert_tf.training.board.settings import end_session, write_settings

RATES = {"train_examples_per_second": "examples_per_second", "train_tokens_per_second": "tokens_per_second"}


def begin_kept(run_folder: Path, config: RunConfig) -> None:
    """What is known when a run starts or resumes; `Log` has taken away what stood there."""
    writer = tf.summary.create_file_writer(str(run_folder / BOARDS / KEPT))
    with writer.as_default():
        write_settings(config, run_folder)
    writer.close()


def write_kept(run_folder: Path, result: Mapping[str, Any]) -> None:
    """The scores of the weights that are kept, at the step that they are of, and so what HParams compares.

    Args:
        result: what stands in the run's result.json.
    """
    scalars = Scalars(run_folder / BOARDS / KEPT)
    scalars.write(result["kept_step"], {**result["metrics"], "loss": result["validation_loss"]})
    scalars.write(result["steps"], {name: result[key] for key, name in RATES.items()})
    with scalars.writer.as_default():
        end_session()
    scalars.writer.close()
