from __future__ import annotations

import pytest

from bert_tf.data.tagged.tags import TagError, to_iob2, words


@pytest.mark.parametrize(
    ("scheme", "tags", "expected"),
    [
        ("iob2", "B-a I-a O B-a B-a", "B-a I-a O B-a B-a"),
        ("iob1", "I-a I-a O I-a B-a I-a I-b", "B-a I-a O B-a B-a I-a B-b"),
        ("iob1", "B-a I-a O B-a B-a", "B-a I-a O B-a B-a"),  # a file in IOB2 reads the same
        ("bioes", "B-a I-a E-a O S-a S-b B-b E-b", "B-a I-a I-a O B-a B-b B-b I-b"),
        ("bioes", "B-a L-a O U-a B-b M-b E-b", "B-a I-a O B-a B-b I-b I-b"),  # BILOU, BMES
        ("iob2", "B-creative-work I-creative-work", "B-creative-work I-creative-work"),
        ("iob2", "", ""),
        ("bioes", "", ""),
    ],
)
def test_schemes_become_iob2(scheme, tags, expected):
    assert to_iob2(tags.split(), scheme) == expected.split()


@pytest.mark.parametrize(
    ("scheme", "tags", "index", "message"),
    [
        ("iob2", "O I-a", 1, "expected B-a or I-a before I-a. Received: O .in the scheme iob1"),
        ("iob2", "I-a", 0, "expected B-a or I-a before I-a. Received: nothing"),
        ("iob2", "B-a I-b", 1, "expected B-b or I-b before I-b. Received: B-a"),
        ("iob2", "O E-a", 1, r"expected O, B-TYPE, I-TYPE \(iob2\). Received: 'E-a'"),
        ("iob2", "O B_a", 1, "Received: 'B_a'"),
        ("iob2", "B-", 0, "Received: 'B-'"),
        ("iob1", "S-a", 0, r"expected O, B-TYPE, I-TYPE \(iob1\)"),
        ("bioes", "B-a O", 1, "expected I-a or E-a after B-a. Received: O"),
        ("bioes", "O B-a", 1, "expected I-a or E-a after B-a. Received: the end of the sentence"),
        ("bioes", "B-a B-a E-a", 1, "expected I-a or E-a after B-a. Received: B-a"),
        ("bioes", "B-a E-b", 1, "expected B-b or I-b before E-b. Received: B-a"),
        ("bioes", "O I-a E-a", 1, "expected B-a or I-a before I-a. Received: O"),
        ("bioes", "S-a E-a", 1, "expected B-a or I-a before E-a. Received: S-a"),
        ("bioes", "X-a", 0, "expected O, B-TYPE, I-TYPE, E-TYPE, S-TYPE"),
    ],
)
def test_what_cannot_be_is_named(scheme, tags, index, message):
    with pytest.raises(TagError, match=message) as caught:
        to_iob2(tags.split(), scheme)
    assert caught.value.index == index


@pytest.mark.parametrize("cell", ["a b", [], ["a", ""], ["a", None], None, ["a\udc80"]])
def test_words_that_are_none(cell):
    with pytest.raises(ValueError, match="expected"):
        words(cell)
