"""Which classes are taken for which."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure

from bert_tf.figures.drawing import label_axes, new_figure
from bert_tf.figures.texts import drawable, fonts_of

OTHERS = "all others"


def confusion(matrix: np.ndarray, classes: Sequence[str], *, most: int = 15, dark: bool = False) -> Figure:
    """A confusion matrix: the colour is the share of a row, the number how many.

    Args:
        matrix: int [C, C], the right class (row) by the answered one (column).
        classes: names of the C classes.
        most: of more classes those with the most mistakes are shown, and the rest as one, `OTHERS`.
        dark: for a dark page.
    Raises: ValueError if the shapes do not fit.

    >>> confusion(np.array([[9, 1], [2, 8]]), ["bad", "good"]).axes[0].get_xlabel()
    'answered'
    """
    counts = np.asarray(matrix)
    if counts.ndim != 2 or counts.shape != (len(classes), len(classes)) or most < 2:
        raise ValueError(
            f"`matrix` must be of shape [C, C] for the C `classes`, and `most` 2 or more. "
            f"Received: {counts.shape}, {len(classes)} classes, most={most}"
        )
    counts, names = grouped(counts, classes, most)
    size = len(names)
    side = 4.8 if size <= 8 else min(4.8 + 0.28 * (size - 8), 7.2)
    figure, axes, colours = new_figure(dark=dark, width=side, height=side * 0.86)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    cells = colormaps["cividis" if dark else "Blues"]
    axes.imshow(shares, cmap=cells, vmin=0.0, vmax=1.0, aspect="auto")
    shown = drawable(names, longest=16)
    fonts = fonts_of(shown)
    for axis, turn in ((axes.xaxis, 45 if size > 3 or max(map(len, shown)) > 9 else 0), (axes.yaxis, 0)):
        axis.set_ticks(np.arange(size), shown)
        for text in axis.get_ticklabels():
            text.set(parse_math=False, fontfamily=fonts, rotation=turn)
            if turn:
                text.set(ha="right", rotation_mode="anchor")
    for row in range(size):
        for column in range(size):
            count = int(counts[row, column])
            if count or size <= 8:
                red, green, blue, _ = cells(shares[row, column])
                light = 0.2126 * red**2.2 + 0.7152 * green**2.2 + 0.0722 * blue**2.2
                ink = "black" if light > 0.18 else "white"  # where the contrast with both is the same
                axes.text(
                    column, row, f"{count:,}", ha="center", va="center", color=ink, fontsize=10 if size <= 8 else 8
                )
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    label_axes(axes, colours, x="answered", y="right")
    return figure


def grouped(counts: np.ndarray, classes: Sequence[str], most: int) -> tuple[np.ndarray, list[str]]:
    """The matrix of `most` rows at most: the classes with the most mistakes, in their order, and all others as one."""
    if len(classes) <= most:
        return counts, list(classes)
    wrong = counts.sum(axis=0) + counts.sum(axis=1) - 2 * np.diag(counts)
    kept = np.sort(np.argsort(-wrong, kind="stable")[: most - 1])
    group = np.full(len(classes), most - 1)
    group[kept] = np.arange(most - 1)
    small = np.zeros((most, most), counts.dtype)
    np.add.at(small, (group[:, None], group[None, :]), counts)
    return small, [*(classes[int(k)] for k in kept), f"{OTHERS} ({len(classes) - most + 1})"]
