"""Texts cut into passages."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bert_tf.data.passages import passages

TEXT = """# Rome

Rome is old. It has a river.

Short.

## Food

One two three four. Five six seven eight nine. Ten.

罗马是意大利的首都。它有一条河。
"""


def test_paragraphs_sentences_words_and_headings():
    found = passages(TEXT, words=9)
    assert [(part.text, part.line, part.title) for part in found] == [
        ("# Rome\n\nRome is old. It has a river.", 1, "Rome"),
        ("Short.", 5, "Rome"),
        ("## Food", 7, "Food"),
        ("One two three four. Five six seven eight nine.", 9, "Food"),
        ("Ten.", 9, "Food"),
        ("罗马是意大利的首都", 11, "Food"),
        ("。它有一条河。", 11, "Food"),
    ]
    assert [part.text for part in passages("a b. c d e f g h", words=4)] == ["a b.", "c d e f", "g h"]
    assert len(passages(TEXT)) == 2, "a section each"
    assert passages(" \n\n\t\n") == []


@given(st.text(alphabet="ab .\n#好é\t", max_size=120), st.integers(1, 12))
def test_nothing_is_lost_and_no_passage_is_too_long(text, words):
    found = passages(text, words)
    assert "".join("".join(part.text.split()) for part in found) == "".join(text.split())
    at = 0
    for part in found:
        assert text[part.start : part.end] == part.text == part.text.strip()
        assert part.start >= at
        assert part.line == text.count("\n", 0, part.start) + 1
        assert sum(len(_runs(word)) for word in part.text.split()) <= words
        at = part.end


def _runs(word: str) -> list[str]:
    """Words as they are counted: each Chinese character, and runs of others."""
    found = [""]
    for character in word:
        if character == "好" or (found[-1] and found[-1][-1] == "好"):
            found.append("")
        found[-1] += character
    return [run for run in found if run]
