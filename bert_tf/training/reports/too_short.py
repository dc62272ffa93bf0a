"""Whether a run was long enough to learn something: plain warnings where it was not."""

from __future__ import annotations

import math

FEW = 0.25  # of the updates that a kind needs
CLOSE = 0.02  # of a score


def too_few_updates(steps: int, needed: int) -> list[str]:
    """What there is to warn of after so many updates, where a kind of task needs `needed`.

    >>> too_few_updates(6, 200)[0][:54], too_few_updates(150, 200)
    ('only 6 updates were taken, and a task like this one ne', [])
    """
    if steps >= FEW * needed:
        return []
    return [
        f"only {steps} updates were taken, and a task like this one needs {needed} or so. Without training.epochs, "
        "training.max_steps and training.batch_examples, as many are taken as the examples need"
    ]


def no_better_than_a_guess(
    metric: str, score: float | None, guess: float | None, *, greater_is_better: bool
) -> list[str]:
    """What there is to warn of for a score, where the same answer to everything has `guess`; None: it is not known.

    >>> no_better_than_a_guess("accuracy", 0.5, 0.5, greater_is_better=True)[0][:52]
    'the model has learnt nothing that its accuracy shows'
    >>> no_better_than_a_guess("accuracy", 0.9, 0.5, greater_is_better=True)
    []
    """
    if score is None or guess is None or math.isnan(score):
        return []
    ahead = score - guess if greater_is_better else guess - score
    if ahead > CLOSE * abs(guess):
        return []
    return [
        f"the model has learnt nothing that its {metric} shows: {score:.4g}, and the same answer to everything would "
        f"have {guess:.4g}. More updates, more examples or another learning rate may help; are the labels right?"
    ]
