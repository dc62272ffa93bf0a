from __future__ import annotations

import doctest

import pytest

from bert_tf.data import Stories, text
from bert_tf.data.rows import span_answers
from bert_tf.data.sources import beir, stories, tmx
from bert_tf.errors import UserError
from bert_tf.kinds import ExtractiveSummarization

SOURCE = Stories(folders={"train": "train", "validation": "."}, bad_rows_share=0.8)
STORY = (
    "First sentence .\r\n\r\nSecond one , \u201cquoted\u201d .\n\n@highlight\n\nA highlight\n\n@highlight\n\nAnother\n"
)


@pytest.mark.parametrize("module", [beir, span_answers, stories, tmx])
def test_examples_of_docstrings(module):
    assert doctest.testmod(module).failed == 0


def write(folder, **contents):
    folder.mkdir(exist_ok=True)
    for name, content in contents.items():
        (folder / f"{name}.story").write_text(content, encoding="utf-8", newline="")
    return folder.parent


def test_stories_and_their_highlights(tmp_path):
    write(tmp_path / "train", b=STORY, a="One.\n@highlight\nTwo")
    parsers = {"id": str, "article": text, "highlights": text}
    table = SOURCE.open(tmp_path, "train", parsers)
    assert table.columns == {
        "id": ["a", "b"],
        "article": ["One.", "First sentence .\nSecond one , \u201cquoted\u201d ."],
        "highlights": ["Two", "A highlight\nAnother"],
    }
    kind = ExtractiveSummarization(source=SOURCE, text="article", summary="highlights")
    assert kind.read(str(tmp_path), "train").references == [("Two",), ("A highlight\nAnother",)]
    assert kind.read(str(tmp_path / "train"), "validation").texts == table.columns["article"]


def test_what_is_no_story_is_named_or_skipped(tmp_path):
    where = write(tmp_path / "train", a="Only text.\n", b=STORY, c="@highlight\nNo story")
    (tmp_path / "train" / "d.story").write_bytes(b"a\xff\n@highlight\nb")
    kind = ExtractiveSummarization(source=SOURCE, text="article", summary="highlights")
    with pytest.raises(UserError, match=r"train\[0\]: a\.story: expected a line @highlight. Received: none"):
        kind.read(str(where), "train")
    assert kind.read(str(where), "train", skip_bad_rows=True).bad_rows == 3
    (tmp_path / "empty").mkdir()
    for place, split, expected in (
        (tmp_path / "empty", "validation", "expected files \\*.story. Received: none"),
        (tmp_path / "nowhere", "train", "expected a folder with the data"),
        (tmp_path, "tran", "expected a split of train, validation. Received: 'tran'. Did you mean 'train'"),
    ):
        with pytest.raises(UserError, match=expected):
            kind.read(str(place), split)
