"""How long examples are, and where they are cut."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from bert_tf.figures.drawing import label_axes, new_figure


def lengths(
    tokens: Sequence[int] | np.ndarray, *, limit: int | None = None, says: str = "cut", dark: bool = False
) -> Figure:
    """A histogram of lengths, with the most tokens that an example may have.

    Args:
        tokens: int [E], tokens of each example, special ones included.
        limit: the most that are read at once; None: there is none.
        says: what happens to longer ones, for the figure.
        dark: for a dark page.

    >>> [text.get_text() for text in lengths([3, 5, 9], limit=8).axes[0].texts]
    ['1 of 3 cut at 8']
    """
    figure, axes, colours = new_figure(dark=dark)
    counts = np.asarray(tokens)
    top = int(counts.max(initial=1))
    # The longest hundredth must not squeeze the rest: it shares the last bar.
    end = top if len(counts) < 20 else max(int(np.quantile(counts, 0.99)), limit if limit and limit < top else 1)
    bins = np.linspace(0, end + 1, min(30, end + 1) + 1)
    axes.hist(
        np.minimum(counts, end), bins=bins.tolist(), color=colours.series[0], edgecolor=colours.paper, linewidth=0.4
    )
    if limit is not None:
        longer = int((counts > limit).sum())
        if limit <= end:
            axes.axvline(limit, color=colours.series[1], linewidth=1.8, linestyle="--")
        axes.text(
            0.98, 0.97, f"{longer:,} of {len(counts):,} {says} at {limit:,}",
            transform=axes.transAxes, ha="right", va="top", color=colours.ink, fontsize=9,
            bbox={"facecolor": colours.paper, "edgecolor": "none", "alpha": 0.85},
        )  # fmt: skip
    axes.grid(axis="y", color=colours.grid)
    label_axes(axes, colours, x="tokens" + (f" ({end:,} or more in the last bar)" if top > end else ""), y="examples")
    return figure
