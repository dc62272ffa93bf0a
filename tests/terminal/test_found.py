"""Results of a search, as parts."""

from __future__ import annotations

import io

from rich.console import Console

from bert_tf.terminal.drawing import Drawing
from bert_tf.terminal.found import result_parts
from bert_tf.terminal.parts import Line, Marked, Span


def test_a_result_says_which_document_where_and_what():
    results = [
        {"id": "a.md", "score": 0.53649, "text": "# Trips\n\nWe take Flights to Rome.", "title": "Trips", "line": 3},
        {"id": "7", "score": -0.1, "text": "none"},
    ]
    parts = result_parts("cheap flights to", results)
    assert parts[0] == Line("cheap flights to", is_input=True)
    assert [part.text for part in parts[1::2] if isinstance(part, Line)] == [
        "  1. 0.536  a.md, line 3: Trips",
        "  2. -0.100  7",
    ]
    text = "# Trips We take Flights to Rome."
    assert parts[2] == Marked(text, [Span(16, 23)], is_quiet=True)
    assert text[16:23] == "Flights"
    assert parts[4] == Marked("none", [], is_quiet=True)
    assert result_parts("x", [])[-1] == Line("nothing was found")


def test_a_long_text_is_cut_around_the_first_word_of_the_query():
    text = "word " * 200 + "the flights here " + "word " * 200
    part = result_parts("flights", [{"id": "x", "score": 1.0, "text": text}])[2]
    assert isinstance(part, Marked)
    assert len(part.text) <= 408
    (span,) = part.spans
    assert part.text[span.start : span.end] == "flights"
    assert part.text.startswith("... ")
    assert part.text.endswith(" ...")
    out = io.StringIO()
    Drawing(out, Console(file=out, width=50, highlight=False)).parts([part])
    lines = out.getvalue().splitlines()
    assert all(line.startswith("     ") and len(line) <= 50 for line in lines)
    assert "".join(out.getvalue().split()) == "".join(part.text.split())
