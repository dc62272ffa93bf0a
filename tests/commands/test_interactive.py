"""Lines that are asked for, on a terminal and from a pipe."""

from __future__ import annotations

import io
import sys

import pytest

from bert_tf.command_line.interactive import Lines, contexts_and_questions
from tests.terminal.ttys import terminal


def test_a_terminal_is_asked_until_an_empty_line(monkeypatch):
    with terminal(monkeypatch, typed="one\n two \n\nthree\n") as screen:
        assert list(Lines().each("text")) == ["one", " two "]
    assert screen.text.count("text> ") == 3


def test_ctrl_d_ends_it_on_a_line_of_its_own(monkeypatch):
    with terminal(monkeypatch, typed="one\n\x04") as screen:
        assert list(Lines().each("text")) == ["one"]
    assert screen.text.endswith("text> \r\n")


@pytest.mark.parametrize(
    ("written", "lines"),
    [("one\n\n \ntwo", ["one", "two"]), ("", []), ("\r\none\r\n", ["one"]), ("\t\n", [])],
)
def test_a_pipe_is_read_to_its_end_without_a_prompt(written, lines, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", io.StringIO(written))
    assert list(Lines().each("text")) == lines
    printed = capsys.readouterr()
    assert printed.out + printed.err == ""


def test_questions_follow_their_context(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("\nA text.\nWho?\nWhat?\n\nOther.\n\nWhere?\tHere.\nThird.\nWhen?"))
    assert list(contexts_and_questions(Lines())) == [
        ("A text.", "Who?"), ("A text.", "What?"), ("Here.", "Where?"), ("Third.", "When?"),
    ]  # fmt: skip
    with terminal(monkeypatch, typed="A text.\nWho?\n\nOther.\nWhat?\n\n\n") as screen:
        assert list(contexts_and_questions(Lines())) == [("A text.", "Who?"), ("Other.", "What?")]
    assert (screen.text.count("context> "), screen.text.count("question> ")) == (3, 4)
