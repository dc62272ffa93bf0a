"""What is said of a model's answers, in TensorBoard's tabs for images, texts and curves."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from bert_tf import figures
from bert_tf.training.board.markdown import escaped, table
from bert_tf.training.board.places import BOARDS, KEPT
from bert_tf.training.board.pr_curves import write_curve
from bert_tf.training.board.projector import write_vectors

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from bert_tf.kinds.diagnosis import Answered, Diagnosis

GROUP = "validation"  # it stands behind the curves, as TensorBoard's groups are in the order of the alphabet
DPI = 72  # the size that TensorBoard shows: it scales images without smoothing
MOST_MISTAKES, MOST_EXAMPLES, MOST_CLASSES, MOST_ROWS = 50, 30, 20, 200
ABOUT = {
    "confusion": "Rows are the right classes, columns the ones that were answered.",
    "reliability": "How often answers were right, by how sure the model was: on the diagonal, it knows how good it is.",
    "precision_recall": "Precision against recall of each class over all thresholds of its probability.",
    "mistakes": "Wrong answers, the most confident first: wrong labels in the data stand at the top. Where answers are "
    "more or less good rather than wrong, the worst first.",
    "examples": "Examples from all over the validation set, as they were answered.",
    "classes": "Precision, recall and F1 of each class, and how many examples have it.",
    "summary": "What came of the validation texts.",
}


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
        _write_diagnosis(diagnosis, step=step)
        if graph is not None:
            tf.summary.graph(graph())
    writer.close()
    if vectors is not None and len(vectors[0]) and math.isfinite(float(np.sum(vectors[0]))):
        write_vectors(folder, *vectors)


def _write_diagnosis(diagnosis: Diagnosis, *, step: int) -> None:
    """Into the writer that is the default one; what a kind has nothing for is left out."""
    for name, figure in _figures(diagnosis):
        image = tf.io.decode_png(figures.as_png(figure, dpi=DPI), channels=3)
        tf.summary.image(f"{GROUP}/{name}", image[None], step=step, description=ABOUT.get(name))
    for name, text in _texts(diagnosis):
        tf.summary.text(f"{GROUP}/{name}", text, step=step, description=ABOUT.get(name, f"The table of {name}."))
    _write_curves(diagnosis, step)


def _figures(diagnosis: Diagnosis) -> Iterator[tuple[str, Figure]]:
    matrix = diagnosis.confusion()
    if matrix is not None:
        yield "confusion", figures.confusion(matrix, diagnosis.classes)
    curves = diagnosis.precision_recall()
    if curves:
        yield "precision_recall", figures.precision_recall(curves)
    found = diagnosis.calibration()
    if found is not None:
        yield (
            "reliability",
            figures.reliability(found.confidence, found.accuracy, found.counts, expected_error=found.expected_error),
        )
    for name, (expected, answered) in diagnosis.numbers.items():
        yield f"numbers/{name}", figures.scatter(expected, answered)


def _texts(diagnosis: Diagnosis) -> Iterator[tuple[str, str]]:
    if diagnosis.summary:
        yield "summary", escaped(diagnosis.summary, longest=1000)
    mistakes = diagnosis.mistakes(MOST_MISTAKES)
    if mistakes:
        yield "mistakes", _answers(mistakes)
    if diagnosis.rows:
        chosen = np.unique(np.linspace(0, len(diagnosis.rows) - 1, num=MOST_EXAMPLES).round().astype(int))
        yield "examples", _answers([diagnosis.rows[k] for k in chosen])
    classes = diagnosis.per_class()
    if classes:
        columns = list(next(iter(classes.values())))
        rows = [[name, *(values[column] for column in columns)] for name, values in classes.items()]
        yield "classes", table(["class", *columns], rows[:MOST_ROWS])
    for name, found in diagnosis.tables.items():
        if found:
            yield name.replace(" ", "_"), table(list(found[0]), [list(row.values()) for row in found[:MOST_ROWS]])


def _answers(rows: Sequence[Answered]) -> str:
    """A table of examples; columns that hold nothing are left out."""
    columns: dict[str, list[Any]] = {"number": [row.number for row in rows]}
    columns |= {name: [row.inputs[name] for row in rows] for name in rows[0].inputs}
    columns |= {"expected": [row.expected for row in rows], "answered": [row.answered for row in rows]}
    if any(row.is_right for row in rows):
        columns["right"] = [row.is_right for row in rows]
    columns["confidence"] = [row.confidence for row in rows]
    columns |= {name: [row.scores.get(name) for row in rows] for name in rows[0].scores}
    filled = {name: values for name, values in columns.items() if any(value is not None for value in values)}
    return table(list(filled), zip(*filled.values(), strict=True))


def _write_curves(diagnosis: Diagnosis, step: int) -> None:
    """One of each class; of many classes, those that are most frequent."""
    targets, probabilities = diagnosis.targets, diagnosis.probabilities
    if targets is None or probabilities is None:
        return
    held = targets != 0 if targets.ndim == 2 else targets[:, None] == np.arange(len(diagnosis.classes))
    often = np.argsort(-held.sum(axis=0), kind="stable")[:MOST_CLASSES]
    for k in sorted(often):
        if held[:, k].any():
            about = f"Of {escaped(diagnosis.classes[k])} against all else. {ABOUT['precision_recall']}"
            tag = f"precision_recall/{diagnosis.classes[k]}"
            write_curve(tag, probabilities[:, k], held[:, k], step=step, description=about)
