"""Texts of users stand in TensorBoard as they are, whatever Markdown or HTML they look like."""

from __future__ import annotations

import warnings
from html.parser import HTMLParser

import pytest

from bert_tf.training.board.markdown import escaped, table

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # of a library that TensorBoard carries with it
    from tensorboard.plugin_util import markdown_to_safe_html

NASTY = (
    "a | b || c",
    "<script>alert('x')</script> <b>bold</b> &amp; &",
    "**bold** _it_ __init__ `code` ~~gone~~",
    "[link](http://x.y) ![image](z) <http://a.b>",
    "# no heading",
    "1. no list",
    "- no list either",
    "back\\slash \\| and $maths$",
    ":--- | ---:",
    "emoji 🎬 and 日本語",
)


class Cells(HTMLParser):
    """The texts of a table's cells."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.tags: set[str] = set()
        self.is_in = False
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        if tag in ("td", "th"):
            self.found.append("")
            self.is_in = True

    def handle_endtag(self, tag):
        self.is_in = self.is_in and tag not in ("td", "th")

    def handle_data(self, data):
        if self.is_in:
            self.found[-1] += data


def test_a_table_as_tensorboard_shows_it():
    rows = [[text, 0.123456, True] for text in NASTY]
    cells = Cells(markdown_to_safe_html(table(["the | text", "score", "right"], rows)))
    shown = [value for text in NASTY for value in (text, "0.1235", "yes")]
    assert cells.found == ["the | text", "score", "right", *shown]
    assert cells.tags == {"table", "thead", "tbody", "tr", "th", "td"}


@pytest.mark.parametrize("text", NASTY)
def test_a_text_by_itself(text):
    cells = Cells(f"<td>{markdown_to_safe_html(escaped(text))}</td>")
    assert cells.found == [text]
    assert cells.tags == {"td", "p"}


def test_a_long_text_has_lines_that_leave_room_for_other_columns():
    text = " ".join(["a_b"] * 60)
    cells = Cells(markdown_to_safe_html(table(["text", "right"], [[text, True]])).replace("<br>", "\n"))
    lines = cells.found[2].split("\n")
    assert (" ".join(lines), cells.found[3]) == (text, "yes")
    assert 40 < max(map(len, lines)) <= 56


def test_long_texts_and_lines_are_cut():
    assert escaped("a\n\nb\tc") == "a b c"
    assert escaped("abcdef", longest=4) == "abc…"
