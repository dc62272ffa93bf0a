"""What all figures share: their size, colours, and texts that are drawn as they are, in fonts that have the letters."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

WIDTH, HEIGHT = 4.8, 3.6  # inches: 461 by 346 pixels of a page, which a phone shows at 4/5
DPI = 160
SERIES = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
DARK_SERIES = ("#56B4E9", "#E69F00", "#2FC29B", "#E39CC4", "#F0E442", "#7FA8FF")
DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1)))


@dataclass(frozen=True)
class Palette:
    """Colours of a figure, on a light page or on a dark one."""

    paper: str
    ink: str
    faint: str
    grid: str
    series: tuple[str, ...]


LIGHT = Palette(paper="#ffffff", ink="#1f2328", faint="#59636e", grid="#d9dee3", series=SERIES)
DARK = Palette(paper="#161b22", ink="#e6edf3", faint="#9aa4af", grid="#30363d", series=DARK_SERIES)


def palette(*, dark: bool) -> Palette:
    """The colours for a page."""
    return DARK if dark else LIGHT


def new_figure(*, dark: bool, width: float = WIDTH, height: float = HEIGHT) -> tuple[Figure, Axes, Palette]:
    """An empty figure with one pair of axes, in the page's colours.

    Args:
        width, height: in inches.
    """
    colours = palette(dark=dark)
    figure = Figure(figsize=(width, height), dpi=DPI, facecolor=colours.paper, layout="constrained")
    axes = figure.add_subplot(facecolor=colours.paper)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("bottom", "left"):
        axes.spines[side].set_color(colours.faint)
    axes.tick_params(colors=colours.ink, labelsize=9)
    axes.set_axisbelow(True)
    return figure, axes, colours


def label_axes(axes: Axes, colours: Palette, *, x: str, y: str) -> None:
    """Names of the axes."""
    for name, put in ((x, axes.set_xlabel), (y, axes.set_ylabel)):
        put(name, color=colours.ink, fontsize=10, parse_math=False)


def legend(axes: Axes, colours: Palette, names: Sequence[str], **where: Any) -> None:
    """The legend, of `names`, whose texts are drawn as they are."""
    from bert_tf.figures.texts import fonts_of

    found = axes.legend(facecolor=colours.paper, edgecolor=colours.grid, fontsize=9, framealpha=0.9, **where)
    for text in found.get_texts():
        text.set_color(colours.ink)
        text.set_parse_math(False)
        text.set_fontfamily(fonts_of(names))


def as_png(figure: Figure, *, dpi: int = DPI) -> bytes:
    """The figure as a PNG file.

    Args:
        figure: what was drawn.
        dpi: pixels an inch.

    >>> from bert_tf.figures import lengths
    >>> as_png(lengths([3, 5, 9], limit=8))[:4]
    b'\\x89PNG'
    """
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=dpi, facecolor=figure.get_facecolor(), metadata={"Software": None})
    return file.getvalue()
