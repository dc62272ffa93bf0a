"""Which answers of classifiers are right, and how far off numbers are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bert_tf.kinds.diagnosis import Answered, Diagnosis, inputs_of, share
from bert_tf.kinds.examples import Examples


def of_one_class(
    columns: Sequence[str],
    classes: tuple[str, ...],
    examples: Examples,
    *,
    predictions: np.ndarray,
    probabilities: np.ndarray,
    rejected: np.ndarray,
) -> Diagnosis:
    """Of `Classification`.

    Args:
        columns: of the texts.
        predictions: int [E], the best guesses.
        probabilities: float [E, C].
        rejected: bool [E], where the guess is not given as an answer; those are neither right nor wrong.
    """
    assert examples.labels is not None
    rows = []
    for i, inputs in enumerate(inputs_of(columns, examples.columns)):
        guess, right = int(predictions[i]), int(examples.labels[i])
        rows.append(
            Answered(
                number=i,
                inputs=inputs,
                expected=classes[right],
                answered=f"none (best guess: {classes[guess]})" if rejected[i] else classes[guess],
                is_right=None if rejected[i] else guess == right,
                confidence=float(probabilities[i, guess]),
            )
        )
    right = int(np.sum(predictions == examples.labels))
    summary = f"The right class was given to {share(right, len(rows))} texts."
    if rejected.any():
        summary = (
            f"The best guess was the right class for {share(right, len(rows))} texts; "
            f"{share(int(rejected.sum()), len(rows))} were too unsure to be answered."
        )
    return Diagnosis(
        rows=rows,
        summary=summary,
        classes=classes,
        targets=examples.labels,
        predictions=predictions,
        probabilities=probabilities,
    )


def of_labels(
    columns: Sequence[str],
    classes: tuple[str, ...],
    examples: Examples,
    *,
    predictions: np.ndarray,
    probabilities: np.ndarray,
) -> Diagnosis:
    """Of `MultiLabel`: an answer is right where all its labels are, and as sure as its least sure label.

    Args:
        columns: of the texts.
        predictions: 0 or 1 [E, C].
        probabilities: float [E, C].
    """
    assert examples.labels is not None
    sure = np.where(predictions != 0, probabilities, 1 - probabilities).min(axis=1)
    same = (predictions == examples.labels).all(axis=1)

    def named(held: np.ndarray) -> str:
        return ", ".join(name for name, holds in zip(classes, held, strict=True) if holds)

    rows = [
        Answered(
            number=i,
            inputs=inputs,
            expected=named(examples.labels[i]),
            answered=named(predictions[i]),
            is_right=bool(same[i]),
            confidence=float(sure[i]),
        )
        for i, inputs in enumerate(inputs_of(columns, examples.columns))
    ]
    found, wanted = int((predictions * examples.labels).sum()), int(examples.labels.sum())
    summary = f"All labels are right for {share(int(same.sum()), len(rows))} texts"
    summary += f"; {share(found, wanted)} labels were found." if wanted else "."
    return Diagnosis(
        rows=rows,
        summary=summary,
        classes=classes,
        targets=examples.labels,
        predictions=predictions,
        probabilities=probabilities,
    )


def of_numbers(columns: Sequence[str], names: tuple[str, ...], examples: Examples, *, values: np.ndarray) -> Diagnosis:
    """Of `Regression`: an answer falls short by how far it is off, in standard deviations of what was expected.

    Args:
        columns: of the texts.
        names: of the numbers.
        values: float [E, C], what was answered.
    """
    assert examples.labels is not None
    right = examples.labels.astype(np.float64)
    off = np.abs(values - right)
    spread = right.std(axis=0)
    short = (off / np.where(spread > 0, spread, 1.0)).mean(axis=1)

    def named(row: np.ndarray) -> str:
        shown = [f"{value:.4g}" for value in row.tolist()]
        return shown[0] if len(shown) == 1 else ", ".join(f"{n} {x}" for n, x in zip(names, shown, strict=True))

    rows = [
        Answered(
            number=i,
            inputs=inputs,
            expected=named(right[i]),
            answered=named(values[i]),
            scores={"difference": float(off[i].mean())},
            shortfall=float(short[i]),
        )
        for i, inputs in enumerate(inputs_of(columns, examples.columns))
    ]
    who = ["The answers are"] if len(names) == 1 else [f"{name} is" for name in names]
    parts = [
        f"{who[k]} off by {off[:, k].mean():.3g} on average, where {right[:, k].min():.4g} to {right[:, k].max():.4g} "
        "was expected"
        for k in range(len(names))
    ]
    return Diagnosis(
        rows=rows,
        summary=f"{'; '.join(parts)}.",
        numbers={name: (right[:, k], values[:, k].astype(np.float64)) for k, name in enumerate(names)},
    )
