"""Figures: what is in them, that texts are drawn as they are, and that they can be read."""

from __future__ import annotations

import logging
import subprocess
import sys
import warnings
from typing import Any

import numpy as np
import pytest

from bert_tf.figures import as_png, confusion, curves, lengths, precision_recall, reliability, scatter
from bert_tf.figures.confusion import grouped
from bert_tf.figures.drawing import DARK, LIGHT, Palette
from bert_tf.figures.texts import can_be_drawn, drawable


def size_of(png: bytes) -> tuple[int, int]:
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    return int.from_bytes(png[16:20], "big"), int.from_bytes(png[20:24], "big")


def numbers_in(figure) -> list[str]:
    return [text.get_text() for text in figure.axes[0].texts]


def names_in(figure) -> list[str]:
    return [text.get_text() for text in figure.axes[0].get_legend().get_texts()]


def test_a_confusion_matrix_has_its_numbers_and_names():
    figure = confusion(np.array([[5, 1], [0, 4]]), ["$a_1^2$", "b"])
    assert numbers_in(figure) == ["5", "1", "0", "4"]
    assert [text.get_text() for text in figure.axes[0].get_yticklabels()] == ["$a_1^2$", "b"]
    as_png(figure)
    # A name is no formula: with half of one Matplotlib would fail to draw it at all.
    as_png(confusion(np.eye(2, dtype=int), ["$\\frac{", "b_"]))


def test_many_classes_are_grouped_and_none_is_lost():
    counts = np.diag(np.full(30, 10))
    counts[3, 7], counts[7, 3], counts[20, 21] = 5, 4, 1
    small, names = grouped(counts, [f"c{k}" for k in range(30)], 4)
    assert names[-1] == "all others (27)"
    assert set(names[:3]) >= {"c3", "c7"}
    assert small.sum() == counts.sum()
    assert small[names.index("c3"), names.index("c7")] == 5
    assert as_png(confusion(counts, [f"c{k}" for k in range(30)]))


@pytest.mark.parametrize(("shape", "names"), [((2, 3), ["a", "b"]), ((2, 2), ["a"])])
def test_a_matrix_of_another_shape_is_refused(shape, names):
    with pytest.raises(ValueError, match=rf"Received: \({shape[0]}, {shape[1]}\)"):
        confusion(np.zeros(shape), names)


def test_curves_leave_out_what_is_no_number():
    figure = curves({"training": ([1, 2, 3], [0.5, np.nan, 0.2])}, y="loss", kept_step=2)
    line: Any = figure.axes[0].lines[0]
    assert (list(line.get_xdata()), list(line.get_ydata())) == ([1, 3], [0.5, 0.2])
    assert names_in(figure) == ["training", "kept weights"]


def test_lengths_count_what_is_cut():
    assert numbers_in(lengths([3, 8, 9, 12], limit=8)) == ["2 of 4 cut at 8"]
    assert numbers_in(lengths([3], limit=8, says="read in windows")) == ["0 of 1 read in windows at 8"]
    bars: Any = lengths([3] * 500 + [4000] * 2, limit=8).axes[0]  # two long ones do not squeeze the rest
    assert sum(bar.get_height() for bar in bars.patches) == 502
    assert max(bar.get_x() for bar in bars.patches) < 20
    assert "or more" in bars.get_xlabel()


def test_of_many_classes_the_worst_curves_are_drawn():
    curve = {f"c{k}": ([0.5, 1.0], [1.0, 0.0], k / 10) for k in range(9)}
    assert names_in(precision_recall(curve, most=3)) == ["c0 0.00", "c1 0.10", "c2 0.20"]


def test_dots_of_a_reliability_diagram_are_as_large_as_they_count():
    figure = reliability([0.6, 0.9], [0.5, 1.0], [10, 100], expected_error=0.1)
    small, large = figure.axes[0].collections[0].get_sizes()
    assert large > 3 * small
    assert numbers_in(figure) == ["expected calibration error 10.0 %"]


def test_a_line_of_agreement_is_there_for_numbers_of_one_kind_alone():
    assert len(scatter([1, 2], [2, 1]).axes[0].lines) == 1
    assert len(scatter([1, 2], [0.2, 0.1], same_scale=False, answer="cosine").axes[0].lines) == 0


@pytest.mark.parametrize("dark", [False, True])
def test_each_is_drawn_without_a_warning_at_a_width_that_a_phone_can_show(dark):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        drawn = [
            confusion(np.array([[5, 1], [0, 4]]), ["naïve", "Прочее"], dark=dark),
            curves({"a": ([1, 2], [1, 2]), "b": ([1], [1])}, y="f1", dark=dark),
            lengths([1, 2, 3], limit=2, dark=dark),
            precision_recall({"a": ([0.5, 1], [1, 0], 0.7)}, dark=dark),
            reliability([0.5], [0.5], [3], dark=dark),
            scatter([1.0], [1.0], dark=dark),
        ]
        widths = [size_of(as_png(figure))[0] for figure in drawn]
    assert widths == [768] * 6


def test_letters_that_no_font_has_become_a_number_and_a_warning(caplog):
    private = "\U0010f123"  # of no script
    with caplog.at_level(logging.WARNING), warnings.catch_warnings():
        warnings.simplefilter("error")
        as_png(confusion(np.eye(3, dtype=int), ["good", private, "سيئ"]))
    assert "#2 is" in caplog.text
    assert "#3 is 'سيئ'" in caplog.text
    assert drawable(["good", "a\nb", "x" * 30]) == ["good", "a b", "x" * 17 + "…"]
    assert not can_be_drawn(private)
    assert can_be_drawn("Ωμέγα, café")


def luminance(colour: str) -> float:
    parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """As WCAG 2 defines it."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("colours", [LIGHT, DARK])
def test_texts_and_lines_have_the_contrast_of_wcag_aa(colours: Palette):
    assert contrast(colours.ink, colours.paper) >= 4.5
    assert contrast(colours.faint, colours.paper) >= 4.5
    for line in colours.series[:3]:
        assert contrast(line, colours.paper) >= 3


def test_numbers_in_cells_can_be_read_on_every_colour():
    for dark in (False, True):
        counts = np.array([[k, 100 - k] for k in range(0, 101, 10)])
        square = np.zeros((11, 11), int)
        square[:, :2] = counts
        figure: Any = confusion(square, [str(k) for k in range(11)], most=20, dark=dark)
        image = figure.axes[0].images[0]
        for text in figure.axes[0].texts:
            column, row = (int(place) for place in text.get_position())
            red, green, blue, _ = (round(255 * part) for part in image.cmap(image.get_array()[row, column]))
            ink = {"black": "#000000", "white": "#ffffff"}[text.get_color()]
            assert contrast(ink, f"#{red:02x}{green:02x}{blue:02x}") >= 4.5


def test_no_global_state_of_matplotlib_is_touched():
    code = (
        "import sys, matplotlib\n"
        "def state(): return {name: matplotlib.rcParams[name] for name in matplotlib.rcParams if name != 'backend'}\n"
        "before = state()\n"
        "from bert_tf.figures import as_png, lengths\n"
        "as_png(lengths([1, 2], limit=1))\n"
        "assert 'matplotlib.pyplot' not in sys.modules and state() == before"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
