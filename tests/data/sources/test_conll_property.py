"""What is read of a CoNLL file is what a second reader reads, written from the formats' descriptions alone."""

from __future__ import annotations

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bert_tf.data import Conll
from bert_tf.kinds import Tagging

TAGS = ("O", "B-a", "I-a", "B-b", "I-b")
COMMENTS = ("# sent_id = 3", "#\thttp://example.org/a [2020]", "# text = a b O", "# id 1f\tdomain=en", "#", "# newdoc")


def second_reader(text: str, *, word: int, tag: int, has_ids: bool) -> list[tuple[list[str], list[str]]]:
    """Sentences as pairs of words and tags. Blank lines end sentences; comments are lines before a sentence's first
    word that begin with #; -DOCSTART- is a sentence of its own that is thrown away; in CoNLL-U lines with 2-3 or 4.1
    for their number are no words."""
    sentences = []
    for block in re.split(r"\r?\n(?:[ \t]*\r?\n)+", "\n\n" + text + "\n\n"):
        lines = [line for line in block.split("\n") if line.strip()]
        lines = [line.rstrip("\r") for line in lines if not line.startswith("-DOCSTART-")]
        while lines and lines[0].startswith("#"):
            lines.pop(0)
        rows = [re.split(r" *\t *" if "\t" in line else r" +", line.strip(" ")) for line in lines]
        rows = [row for row in rows if not (has_ids and re.search(r"[-.]", row[0]))]
        if rows:
            sentences.append(([row[word] for row in rows], [row[tag] for row in rows]))
    return sentences


@st.composite
def files(draw):
    """The text of a file, and how it is to be read."""
    has_ids = draw(st.booleans())
    separator = "\t" if has_ids else draw(st.sampled_from(["\t", " ", "  ", " \t"]))
    letters = "ab.#é在\u00a0\u200b" + (" " if "\t" in separator else "")
    words = st.text(letters, min_size=1, max_size=3).map(str.strip)
    words = words.filter(lambda word: word.strip("\u200b") and word[0] != "#")
    end = draw(st.sampled_from(["\n", "\r\n"]))
    parts = []
    for _ in range(draw(st.integers(1, 4))):
        for comment in draw(st.lists(st.sampled_from(COMMENTS), max_size=2)):
            parts.append(comment + end)
        before = "O"
        for number in range(1, draw(st.integers(1, 4)) + 1):
            allowed = [tag for tag in TAGS if tag[0] != "I" or before[1:] == tag[1:]]
            before = draw(st.sampled_from(allowed))
            cells = [draw(words), "x", before] if has_ids else [draw(words), before]
            if has_ids and draw(st.booleans()):
                parts.append(separator.join([f"{number}-{number + 1}", "xy", "_", "_"]) + end)
            if has_ids and draw(st.booleans()):
                parts.append(separator.join([f"{number}.1", "xy", "_", "_"]) + end)
            trailing = draw(st.sampled_from(["", " ", "  "]))
            parts.append(separator.join([str(number)] * has_ids + cells) + trailing + end)
        parts.append(draw(st.sampled_from([end, end * 2, "  " + end, "\t" + end])))
        if draw(st.booleans()):
            parts.append(separator.join(["-DOCSTART-", *["x"] * 2 * has_ids, "O"]) + end + end)
    text = "".join(parts)
    return ("\ufeff" if draw(st.booleans()) else "") + (text if draw(st.booleans()) else text.rstrip("\r\n")), has_ids


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(file=files())
def test_two_readers_read_the_same(tmp_path, file):
    text, has_ids = file
    (tmp_path / "train.conll").write_bytes(text.encode())
    source = Conll(files={"train": "train.conll"}, word=int(has_ids))
    kind = Tagging(source=source, types=("a", "b"), joiner=" ")
    examples = kind.read(str(tmp_path), "train")
    assert examples.tags is not None
    found = [
        (list(words), [kind.tag_names[tag] for tag in tags])
        for words, tags in zip(examples.words, examples.tags, strict=True)
    ]
    expected = second_reader(text.removeprefix("\ufeff"), word=int(has_ids), tag=-1, has_ids=has_ids)
    assert found == expected


@pytest.mark.parametrize(
    ("text", "arguments", "words"),
    [
        # The word # in files of two and of more columns, wherever it stands.
        ("#\tO\na\tB-a\n", {}, [["#", "a"]]),
        ("a O\n# O\n\n# O\nb O\n", {}, [["a", "#"], ["#", "b"]]),
        ("a NN O\n# SYM O\n", {}, [["a", "#"]]),
        ("#\tSYM\tO\n#\tSYM\tO\n", {}, [["#", "#"]]),
        ("#tag O\nb O\n", {}, [["#tag", "b"]]),
        ("# sent = 1\n1\t#\tSYM\tO\n2\ta\tNN\tO\n", {"word": 1}, [["#", "a"]]),
        # Headers, and comments that look like rows of another width.
        ("# global.columns = ID FORM NER\n1\ta\tO\n", {"word": 1}, [["a"]]),
        ("#sent_id=1\na O\n", {}, [["a"]]),
        ("#\nx O\n", {}, [["x"]]),
        ("-DOCSTART- O\n\na O\n-docstart-\tO\nb O\n", {}, [["a"], ["b"]]),
        ("-DOCSTART- (1) x\na O\n", {}, [["a"]]),
        # Lines of other systems; a separator behind the last column; spaces that are none.
        ("a O\rb O\r\rc O\r", {}, [["a", "b"], ["c"]]),
        ("a\tO\t\nb\tO\t\n", {}, [["a", "b"]]),
        ("a O\n\u00a0\nb O\n", {}, [["a"], ["b"]]),
        ("a\u00a0b O\n", {}, [["a\u00a0b"]]),
    ],
)
def test_lines_that_are_words_and_lines_that_are_none(tmp_path, text, arguments, words):
    (tmp_path / "train.conll").write_text(text, newline="")
    kind = Tagging(source=Conll(files={"train": "train.conll"}, **arguments), types=("a",))
    assert kind.read(str(tmp_path), "train").words == words


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1\ta\tO\n2\tb\tO\n", r":1: expected words in the column 0. Received: the numbers .* word=1"),
        ("a,B-a\nb,O\n", r":1: expected columns separated by tabs or spaces. Received: columns separated by commas"),
        ("a O\n# 1 B-a\n", r":2: expected 2 columns separated by spaces. Received: 3 columns: '# 1 B-a'"),
    ],
)
def test_files_that_are_something_else(tmp_path, text, message):
    from bert_tf.errors import UserError

    (tmp_path / "train.conll").write_text(text)
    kind = Tagging(source=Conll(files={"train": "train.conll"}), types=("a",))
    with pytest.raises(UserError, match=message):
        kind.read(str(tmp_path), "train")
