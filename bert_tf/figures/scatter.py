"""Numbers that were expected, and those that were answered."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from bert_tf.figures.drawing import label_axes, new_figure


def scatter(
    expected: Sequence[float] | np.ndarray,
    answered: Sequence[float] | np.ndarray,
    *,
    answer: str = "answered",
    same_scale: bool = True,
    dark: bool = False,
) -> Figure:
    """A dot an example.

    Args:
        expected, answered: float [E].
        answer: what the answers are called.
        same_scale: whether both are numbers of one kind, so that there is a line where they agree.
        dark: for a dark page.

    >>> scatter([1.0, 2.0], [1.5, 1.8]).axes[0].get_xlabel()
    'expected'
    """
    figure, axes, colours = new_figure(dark=dark)
    x, y = np.asarray(expected, np.float64), np.asarray(answered, np.float64)
    if same_scale:
        ends = [min(x.min(), y.min()), max(x.max(), y.max())]
        axes.plot(ends, ends, color=colours.faint, linestyle="--", linewidth=1.2)
    axes.scatter(x, y, s=14, color=colours.series[0], alpha=max(0.15, min(0.8, 200 / len(x))), linewidths=0)
    axes.grid(color=colours.grid)
    label_axes(axes, colours, x="expected", y=answer)
    return figure
