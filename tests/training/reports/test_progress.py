"""How a run that is at work looks: in a notebook nothing is on stderr, which is red there."""

from __future__ import annotations

import sys
import types

import pytest

from bert_tf.training.reports import progress
from bert_tf.training.reports.progress import Progress, in_notebook


def shown() -> None:
    bar = Progress(4, start=1)
    for done in (2, 3, 4):
        bar.update(done, loss=0.5)
    bar.line("step 4: accuracy 0.5000")
    bar.close()


def test_in_a_notebook_a_bar_and_lines_are_its_ordinary_output(monkeypatch, capsys):
    monkeypatch.setattr(progress, "in_notebook", lambda: True)
    shown()
    said = capsys.readouterr()
    assert said.err == ""
    assert "step 4: accuracy 0.5000" in said.out
    assert "4/4" in said.out
    assert "loss=0.5000" in said.out


def test_elsewhere_lines_are_on_stderr(capsys):
    shown()
    said = capsys.readouterr()
    assert said.out == ""
    last = said.err.splitlines()
    assert last[0].startswith("step 4/4, ")
    assert last[1] == "step 4: accuracy 0.5000"


@pytest.mark.parametrize(("shell", "found"), [("ZMQInteractiveShell", True), ("TerminalInteractiveShell", False)])
def test_what_a_notebook_is(shell, found, monkeypatch):
    assert not in_notebook()
    made = type(shell, (), {})()
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: made))
    assert in_notebook() == found
