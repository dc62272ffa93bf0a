"""Values over the updates of a training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from bert_tf.figures.drawing import DASHES, label_axes, legend, new_figure
from bert_tf.figures.texts import drawable

Series = tuple[Sequence[float] | np.ndarray, Sequence[float] | np.ndarray]


def curves(series: Mapping[str, Series], *, y: str, kept_step: int | None = None, dark: bool = False) -> Figure:
    """Learning curves.

    Args:
        series: name -> steps and values; values that are no number are left out.
        y: what the values are.
        kept_step: the update whose weights were kept, to be marked.
        dark: for a dark page.

    >>> curves({"training": ([50, 100], [0.7, 0.4])}, y="loss").axes[0].get_ylabel()
    'loss'
    """
    figure, axes, colours = new_figure(dark=dark)
    shown = drawable(list(series), longest=22)
    for k, (text, (steps, values)) in enumerate(zip(shown, series.values(), strict=True)):
        x, points = np.asarray(steps), np.asarray(values, np.float64)
        there = np.isfinite(points)
        style = {"color": colours.series[k % 6], "linestyle": DASHES[k % 6], "linewidth": 1.8}
        axes.plot(x[there], points[there], label=text, marker="o" if there.sum() <= 30 else None, markersize=4, **style)
    if kept_step is not None:
        axes.axvline(kept_step, color=colours.faint, linestyle=":", linewidth=1.4, label="kept weights")
    axes.xaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))
    axes.grid(color=colours.grid)
    if len(series) > 1 or kept_step is not None:
        legend(axes, colours, shown)
    label_axes(axes, colours, x="updates", y=y)
    return figure
