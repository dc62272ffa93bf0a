"""How often answers of some confidence are right."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from bert_tf.figures.drawing import label_axes, new_figure


def reliability(
    confidence: Sequence[float] | np.ndarray,
    accuracy: Sequence[float] | np.ndarray,
    counts: Sequence[int] | np.ndarray,
    *,
    expected_error: float | None = None,
    dark: bool = False,
) -> Figure:
    """A reliability diagram: a dot a bin, as large as it has answers; on the line, confidence and accuracy agree.

    Args:
        confidence, accuracy: float [B], the mean confidence and the share of right answers of each bin.
        counts: int [B], how many answers it has.
        expected_error: the expected calibration error, to be written into the figure.
        dark: for a dark page.
    Reference: Guo et al., 2017, https://arxiv.org/abs/1706.04599

    >>> reliability([0.6, 0.9], [0.5, 0.95], [10, 90], expected_error=0.055).axes[0].get_xlabel()
    'confidence'
    """
    figure, axes, colours = new_figure(dark=dark)
    sizes = np.asarray(counts, np.float64)
    axes.plot([0, 1], [0, 1], color=colours.faint, linestyle="--", linewidth=1.2)
    axes.plot(confidence, accuracy, color=colours.series[0], linewidth=1.5)
    axes.scatter(
        confidence, accuracy, s=20 + 180 * sizes / max(sizes.max(initial=0), 1), color=colours.series[0], alpha=0.8
    )
    if expected_error is not None:
        axes.text(
            0.03, 0.97, f"expected calibration error {100 * expected_error:.1f} %",
            transform=axes.transAxes, va="top", color=colours.ink, fontsize=9,
        )  # fmt: skip
    axes.set(xlim=(0, 1.03), ylim=(0, 1.03))
    axes.grid(color=colours.grid)
    label_axes(axes, colours, x="confidence", y="share of right answers")
    return figure
