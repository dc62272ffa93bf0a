"""TensorBoard's run `kept`: a run's settings, and what is found of the weights that it kept."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from bert_tf.config import RunConfig
from bert_tf.training.board.diagnosed import write_diagnosis
from bert_tf.training.board.places import BOARDS, KEPT
from bert_tf.training.board.projector import write_vectors
from bert_tf.training.board.scalars import Scalars
from bert_tf.training.board.settings import end_session, write_settings

if TYPE_CHECKING:
    from bert_tf.kinds.diagnosis import Diagnosis

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


def write_findings(
    run_folder: Path,
    diagnosis: Diagnosis,
    *,
    step: int,
    graph: Callable[[], Any] | None = None,
    vectors: tuple[np.ndarray, Mapping[str, Any]] | None = None,
) -> None:
    """What was found of the validation texts: figures, curves, tables; and the model's graph.

    Args:
        step: which the weights are of.
        graph: traces the model.
        vectors: of texts, [N, D], and columns of what is said of each.
    """
    folder = run_folder / BOARDS / KEPT
    writer = tf.summary.create_file_writer(str(folder))
    with writer.as_default():
        write_diagnosis(diagnosis, step=step)
        if graph is not None:
            tf.summary.graph(graph())
    writer.close()
    if vectors is not None and len(vectors[0]) and math.isfinite(float(np.sum(vectors[0]))):
        write_vectors(folder, *vectors)
