"""Precision against recall over all thresholds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from bert_tf.figures.drawing import DASHES, label_axes, legend, new_figure
from bert_tf.figures.texts import drawable

Curve = tuple[Sequence[float] | np.ndarray, Sequence[float] | np.ndarray, float]


def precision_recall(classes: Mapping[str, Curve], *, most: int = 6, dark: bool = False) -> Figure:
    """A curve for each class, with its average precision.

    Args:
        classes: name -> precision, recall and average precision.
        most: of more classes those with the lowest average precision are shown.
        dark: for a dark page.

    >>> curve = ([0.5, 1.0, 1.0], [1.0, 0.5, 0.0], 0.75)
    >>> [text.get_text() for text in precision_recall({"good": curve}).axes[0].get_legend().get_texts()]
    ['good 0.75']
    """
    figure, axes, colours = new_figure(dark=dark)
    chosen = sorted(classes, key=lambda name: classes[name][2])[:most] if len(classes) > most else list(classes)
    shown = drawable(chosen, longest=16)
    for k, (name, text) in enumerate(zip(chosen, shown, strict=True)):
        precision, recall, average = classes[name]
        style = {"color": colours.series[k % 6], "linestyle": DASHES[k % 6], "linewidth": 1.6}
        axes.step(recall, precision, where="post", label=f"{text} {average:.2f}", **style)
    axes.set(xlim=(0, 1.02), ylim=(0, 1.02))
    axes.grid(color=colours.grid)
    if chosen:
        legend(axes, colours, shown, loc="lower left")
    label_axes(axes, colours, x="recall", y="precision")
    return figure
