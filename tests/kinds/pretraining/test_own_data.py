"""Pre-training on somebody's own text."""

from __future__ import annotations

from pathlib import Path

import pytest

from bert_tf.config import RunConfig
from bert_tf.errors import UserError
from bert_tf.kinds import Pretraining
from tests.kinds.own_runs import own_task


@pytest.fixture
def books(tmp_path):
    for name in ("one.txt", "two.txt", "notes.md"):
        (tmp_path / name).write_text("It rained. We left.\n\nNobody came.\n")
    return tmp_path


@pytest.mark.parametrize("place", ["", "*.txt", "[ot]*.txt"])
def test_a_folder_or_a_pattern(books, place):
    made = own_task("pretraining", books / place, sequence_length=None)
    assert isinstance(made.kind, Pretraining)
    assert made.run.data.sequence_length == 128
    assert made.said[0] == f"{books / place}: 2 text files, 0.0 MB"
    assert len(made.read("train")) > 0


@pytest.mark.parametrize(
    ("place", "own", "message"),
    [
        ("*.rtf", {}, "expected text files .* Received: none"),
        ("", {"validation": 0.1}, "--validation is not for --kind=pretraining: say --set pretraining.validation=FILE"),
        ("", {"text": ("a",)}, "--text is not for --kind=pretraining"),
    ],
)
def test_what_cannot_be_says_so(books, place, own, message):
    with pytest.raises(UserError, match=message):
        own_task("pretraining", books / place, **own)
    with pytest.raises(UserError, match="pre-training reads text files"):
        own_task("pretraining", memory=[{"text": "a"}])


@pytest.mark.parametrize(("place", "name"), [("books", "books"), ("books/*.txt", "books"), ("books/one.txt", "one")])
def test_the_run_is_called_as_its_data(place, name):
    from bert_tf.command_line import default_run_folder

    config = RunConfig.model_validate(
        {"task": "pretraining", "data": {"source": f"/x/{place}"}, "own_data": {"kind": "pretraining"}}
    )
    assert default_run_folder(config) == Path("runs", f"pretraining_{name}")
