"""The figures of a report, each in a light and a dark form."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from bert_tf import figures
from bert_tf.inference.history import VALIDATION
from bert_tf.reporting.facts import Facts


@dataclass(frozen=True)
class Picture:
    """A figure of a report.

    Args:
        name: of its file, without the suffix.
        title: of it on the page.
        says: what it shows, for who cannot see it too.
        light, dark: PNG files.
    """

    name: str
    title: str
    says: str
    light: bytes
    dark: bytes


def pictures(facts: Facts) -> list[Picture]:
    """The figures for which there is something to draw."""
    return [
        Picture(
            name,
            title,
            says,
            light=figures.as_png(draw(dark=False)),
            dark=figures.as_png(draw(dark=True)),
        )
        for name, title, says, draw in _drawn(facts)
    ]


Drawn = tuple[str, str, str, Callable[..., Any]]


def _drawn(facts: Facts) -> Iterator[Drawn]:
    yield from _learning(facts)
    found = facts.diagnosis
    confusion = found.confusion()
    if confusion is not None:
        says = "Rows: the right class; columns: the class that was answered. Rightly answered ones are on the diagonal."
        yield (
            "confusion",
            "Which classes are taken for which",
            says,
            partial(figures.confusion, confusion, list(found.classes)),
        )
    calibration = found.calibration()
    if calibration is not None:
        says = (
            "Answers in groups by how sure the model was. On the dashed line they are right as often as they are sure; "
            f"below it the model is too sure. Expected calibration error: {100 * calibration.expected_error:.1f} %."
        )
        yield (
            "reliability",
            "How far its confidence can be trusted",
            says,
            partial(
                figures.reliability,
                calibration.confidence,
                calibration.accuracy,
                calibration.counts,
                expected_error=calibration.expected_error,
            ),
        )
    curves = {name: (curve.precision, curve.recall, curve.average) for name, curve in found.precision_recall().items()}
    if curves:
        says = "For each class against the others, over all thresholds, with the average precision."
        yield "precision_recall", "Precision and recall", says, partial(figures.precision_recall, curves)
    for name, (expected, answered) in found.numbers.items():
        is_cosine = name == "cosine"
        says = "A dot an example: what was expected, and what was answered."
        place = list(found.numbers).index(name) + 1  # a column may be called anything, a file not
        draw = partial(figures.scatter, expected, answered, answer=name, same_scale=not is_cosine)
        yield f"numbers_{place}", f"Expected and answered: {name}", says, draw
    if facts.lengths is not None and len(facts.lengths.tokens):
        tokens, limit, what = facts.lengths
        longer = int(np.sum(tokens > limit))
        says = f"Tokens of an example. {longer:,} of {len(tokens):,} have more than {limit:,} and are {what}."
        yield "lengths", "How long the texts are", says, partial(figures.lengths, tokens, limit=limit, says=what)


def _learning(facts: Facts) -> Iterator[Drawn]:
    """Loss and metrics over the updates."""
    history = facts.history
    if not history:
        return
    steps = history["step"]
    kept = facts.run.result.get("kept_step")
    losses = {"training": history.get("loss"), "validation": history.get(f"{VALIDATION}loss")}
    series = {name: (steps, values) for name, values in losses.items() if values is not None}
    if series:
        says = "Mean loss of an example over the updates; less is better. Where the lines part, the model learns its "
        says += "training examples by heart."
        yield "loss", "Loss while it was trained", says, partial(figures.curves, series, y="loss", kept_step=kept)
    metric = facts.run.kind.main_metric
    scores = {"training (a sample)": history.get(f"train_{metric}"), "validation": history.get(f"{VALIDATION}{metric}")}
    series = {name: (steps, values) for name, values in scores.items() if values is not None}
    if any(np.isfinite(values).sum() > 1 for _, values in series.values()):
        says = f"The {metric} over the updates, of the validation examples and of a sample of the training examples."
        yield (
            "score",
            f"Its {metric} while it was trained",
            says,
            partial(figures.curves, series, y=metric, kept_step=kept),
        )
