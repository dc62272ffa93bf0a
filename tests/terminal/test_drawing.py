"""How parts look, on rich's own console and in bytes."""

from __future__ import annotations

import io
import re

import numpy as np
import pytest
from rich.console import Console

from bert_tf.terminal.drawing import Drawing, Drawn
from bert_tf.terminal.literal import literal
from bert_tf.terminal.parts import Line, Marked, Shares, Span, Vector, Weighed, weighed

ESCAPE = re.compile(r"\x1b\[([0-9;]*)m")


def drawn(*parts, width=60, colours=True, **options) -> str:
    out = io.StringIO()
    console = Console(
        file=out, width=width, force_terminal=colours, color_system="standard" if colours else None,
        highlight=False, markup=False, emoji=False, legacy_windows=False, **options,
    )  # fmt: skip
    drawing = Drawing(out, console)
    drawing.parts(parts)
    drawing.finish()
    return out.getvalue()


def plain(*parts, **options) -> list[str]:
    return drawn(*parts, colours=False, **options).splitlines()


def test_a_bar_is_as_long_as_its_share():
    lines = plain(Shares({"no": 0.25, "yes": 0.75}, ("yes",)), width=80)
    assert [line.split()[:2] for line in lines] == [["yes", "75.0"], ["no", "25.0"]]
    bars = [line.split("%")[1].strip() for line in lines]
    assert bars == ["█" * 22 + "▌", "█" * 7 + "▌"]  # of 30 columns: 22.5 and 7.5


def test_of_many_names_the_best_and_the_chosen_are_drawn_and_the_others_counted():
    shares = {f"class {i}": (i + 1) / 55 for i in range(10)}
    lines = plain(Shares(shares, ("class 0",)))
    assert [line.split()[1] for line in lines[:-1]] == ["9", "8", "7", "6", "5", "0"]
    assert lines[-1].strip() == "4 more, each 9.1 % or less"


@pytest.mark.parametrize("width", [20, 33, 60, 100])
def test_no_line_is_wider_than_the_terminal(width):
    parts = [
        Line("word " * 30, is_input=True),
        Shares({"a rather long name of a class": 0.6, "电影评论很好看" * 4: 0.4}, ("a rather long name of a class",)),
        Marked("Ann lives in Rome. " * 5, [Span(0, 3, "person", 0.9)], is_listed=True),
    ]
    from rich.cells import cell_len

    for line in plain(*parts, width=width):
        assert cell_len(line) <= width
    bars = [line for line in plain(parts[1], width=width) if "█" in line]
    assert bool(bars) == (width >= 60)


def test_entities_stand_in_the_text_with_their_labels_coloured_by_label():
    text = "Ann met Bob in Rome."
    spans = [Span(0, 3, "PER", 0.98), Span(8, 11, "PER", 0.7), Span(15, 19, "LOC", 0.5)]
    assert plain(Marked(text, spans, is_listed=True)) == [
        "[Ann PER] met [Bob PER] in [Rome LOC].",
        "  PER   98.0 %  Ann",
        "  PER   70.0 %  Bob",
        "  LOC   50.0 %  Rome",
    ]
    coloured = drawn(Marked(text, spans)).splitlines()[0]
    assert ESCAPE.sub("", coloured) == "[Ann PER] met [Bob PER] in [Rome LOC]."
    colour = {name: re.search(rf"\x1b\[([0-9;]*)m{name}", coloured) for name in ("Ann", "Bob", "Rome")}
    assert colour["Ann"] is not None
    assert colour["Rome"] is not None
    assert colour["Bob"] is not None
    assert colour["Ann"][1] == colour["Bob"][1] != colour["Rome"][1]


def test_an_answer_is_shown_within_what_is_around_it():
    text = "begin " + "word " * 100 + "Rome" + " word" * 100 + " end"
    (line,) = plain(Marked(text, [Span(506, 510)], around=20, name="a.txt"), width=200)
    assert line.startswith("a.txt: ... word ")
    assert "[Rome]" in line
    assert line.endswith(" word ...")
    assert len(line) < 90
    assert plain(Marked("In Rome.", [Span(3, 7)], around=20)) == ["In [Rome]."]


def test_vectors_are_compared_at_the_end():
    vectors = [[1.0, 2.0, 2.0], [2.0, 1.0, 2.0], [-1.0, -2.0, -2.0]]
    text = "\n".join(plain(*(Vector(vector, f"text {i}") for i, vector in enumerate(vectors)), width=80))
    units = np.array(vectors) / 3
    rows = [line.split()[-3:] for line in text.splitlines()[-3:]]
    np.testing.assert_allclose(np.array(rows, float), units @ units.T, atol=0.005)


def test_no_color_is_respected(monkeypatch):
    part = Marked("Ann left.", [Span(0, 3, "PER", 0.9)], is_listed=True)
    assert any(set(codes.split(";")) & {"31", "32", "33", "34", "35", "36"} for codes in ESCAPE.findall(drawn(part)))
    monkeypatch.setenv("NO_COLOR", "1")
    found = drawn(part)
    assert not any(set(codes.split(";")) & {"31", "32", "33", "34", "35", "36"} for codes in ESCAPE.findall(found))
    assert ESCAPE.sub("", found).splitlines()[0] == "[Ann PER] left."


HOSTILE = "a\x1b[31mred\x1b]0;title\x07 [bold]b[/bold] :smile: \x9b1A\x08\x7f\rover\x00\u202eabc\ud800"


@pytest.mark.parametrize(
    "part",
    [
        Line(HOSTILE, HOSTILE),
        Shares({HOSTILE: 0.5}, (HOSTILE,), HOSTILE),
        Marked(HOSTILE, [Span(2, 9, HOSTILE, 0.5)], is_listed=True, name=HOSTILE),
        Vector([1.0], HOSTILE),
    ],
)
def test_what_a_text_holds_never_reaches_the_terminal_as_a_command(part):
    found = drawn(part, part if isinstance(part, Vector) else Line(""), width=400)
    left = ESCAPE.sub("", found)  # rich's own colours
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\ud800-\udfff]", left)
    assert "␛[31mred␛]0;title␇ [bold]b[/bold] :smile: " in left.replace("]", "]")


def test_errors_and_other_columns_are_literal_too():
    out = io.StringIO()
    writer = Drawn(out, lambda answer: [Line(answer["text"])])
    writer.write({"error": "x\x1b[2J [red]"}, {"id\x1b": "7\x1b[2J"})
    writer.write({"text": "fine"}, {})
    writer.finish()
    assert out.getvalue() == "id␛: 7␛[2J\nerror: x␛[2J [red]\n\nfine\n"


def test_a_literal_has_as_many_characters():
    every = "".join(map(chr, range(0x3000))) + "\ud800\U0001f600"
    assert len(literal(every)) == len(every)
    assert literal("Ünïcode 好\nline") == "Ünïcode 好\nline"
    assert len(literal(every, "ascii")) == len(every)


def test_a_terminal_without_blocks_gets_bars_it_can_show():
    class Ascii(io.StringIO):
        encoding = "ascii"

    out = Ascii()
    Drawing(out).parts([Shares({"é": 1.0}, ("é",))])
    assert out.getvalue().isascii()
    assert "#" * 30 in out.getvalue()


def test_words_that_count_stand_on_colours_and_are_said():
    part = Weighed("A good, bad film", [(2, 6, 1.5), (8, 11, -0.75), (12, 16, 0.01)], "positive")
    lines = plain(part, width=80)
    assert [line.strip() for line in lines] == [
        "A good, bad film",
        "for positive: good +1.50, film +0.01",
        "against positive: bad -0.75",
    ]
    coloured = drawn(part, width=80)
    words = re.findall(r"\x1b\[30;(\d+)m(\w+)\x1b", coloured)
    assert [word for _, word in words] == ["good", "bad"]  # "film" counts for too little to be coloured
    assert words[0][0] != words[1][0]


def test_each_text_of_a_pair_has_its_own_words():
    words = [
        {"column": "one", "text": "a", "start": 0, "end": 1, "attribution": 1.0},
        {"column": "two", "text": "b", "start": 0, "end": 1, "attribution": -1.0},
    ]
    answer = {"text": "a", "pair": "b", "explanation": {"output": "yes", "columns": ["one", "two"], "words": words}}
    assert weighed(answer) == [Weighed("a", [(0, 1, 1.0)], "yes"), Weighed("b", [(0, 1, -1.0)], "yes")]
    assert weighed({"text": "a"}) == []
    out = io.StringIO()
    Drawn(out, lambda answer: []).write(answer, {})
    assert "for yes: a +1.00" in out.getvalue()


def test_texts_are_found_by_the_names_of_a_task():
    word = {"column": "context", "text": "b", "start": 0, "end": 1, "attribution": 1.0}
    found = {"output": "b", "columns": ["question", "context"], "words": [word]}
    answer = {"question": "a", "context": "b", "explanation": found}
    assert weighed(answer) == [Weighed("a", [], "b"), Weighed("b", [(0, 1, 1.0)], "b")]


def test_of_a_long_text_what_is_around_its_weights_is_drawn():
    text = "far away " * 300 + "Rome" + " far away" * 300
    at = text.index("Rome")
    weights = [(0, 3, 2.0), (at, at + 4, 1.0)]
    shown = drawn(Weighed(text, weights, "Rome [LOC]", (at, at + 4)), colours=False)
    assert "Rome" in shown.split("for ")[0]
    assert 1200 < len(" ".join(shown.split("for ")[0].split())) < 1300
    assert "Rome" not in drawn(Weighed(text, weights, "yes"), colours=False).split("for ")[0]
    assert "for two lines: Rome +1.00" in drawn(Weighed("Rome", [(0, 4, 1.0)], "two\nlines"), colours=False)
