"""Tags of a split in any scheme and way of writing come out as the same labels."""

from __future__ import annotations

import pytest

from bert_tf.data import InMemory
from bert_tf.errors import UserError
from bert_tf.kinds import Tagging

EXPECTED = ["B-PER", "I-PER", "O", "B-LOC", "B-PER", "O", "B-LOC"]


def read(*sentences, types=("PER", "LOC"), **arguments):
    rows = [{"words": ["w"] * len(tags), "tags": tags} for tags in sentences]
    kind = Tagging(source=InMemory({"train": rows}), **({"types": types} | arguments))
    examples = kind.read("own", "train")
    assert examples.tags is not None
    return [[kind.tag_names[tag] for tag in tags] for tags in examples.tags]


@pytest.mark.parametrize(
    ("tags", "said"),
    [
        ("B-PER I-PER O B-LOC B-PER O B-LOC", None),
        ("I-PER I-PER O I-LOC I-PER O I-LOC", "IOB1"),
        ("B-PER E-PER O S-LOC S-PER O S-LOC", "BIOES"),
        ("B-PER L-PER O U-LOC U-PER O U-LOC", "such as 'L-PER' for E-PER"),
        ("PER PER O LOC PER O LOC", "neighbours of one type are one entity"),
        ("B_PER I_PER O B_LOC B_PER O B_LOC", "such as 'B_PER' for B-PER"),
        ("PER-B PER-I O LOC-B PER-B O LOC-B", "such as 'PER-B' for B-PER"),
        ("b-per i-per o b-loc b-per o b-loc", "such as 'b-per' for B-PER"),
        ("1 2 0 3 1 0 3", "numbers, from 0, of O, B-PER, I-PER, B-LOC, I-LOC"),
        ("2 2 0 4 2 0 4", "IOB1"),
    ],
)
def test_whatever_the_scheme(tags, said, caplog):
    cells = [int(tag) if tag.isdigit() else tag for tag in tags.split()]
    assert read(cells) == [EXPECTED]
    assert (said in caplog.text) if said else not caplog.text


def test_iob1_where_two_entities_touch():
    assert read(["I-PER", "B-PER", "I-PER", "O"]) == [["B-PER", "B-PER", "I-PER", "O"]]


@pytest.mark.parametrize(
    ("tags", "arguments", "message"),
    [
        # Neither scheme: B where IOB1 has none, and I where IOB2 has none.
        (["B-PER O I-LOC"], {}, "tag 2: expected B-LOC or I-LOC before I-LOC. Received: O"),
        (["O I-PER"], {"scheme": "iob2"}, "tag 1: expected B-PER or I-PER before I-PER"),
        (["S-PER B-PER O"], {}, "tag 2: expected I-PER or E-PER after B-PER"),
        (["B-PER O", "B-GPE"], {}, "tag 0: expected one of O, B-PER, .* Received: 'B-GPE'"),
        (["PER GPE"], {}, "tag 1: expected one of .* Received: 'GPE'"),
        ([[1, 5]], {}, "tag 1: expected one of .* Received: 5"),
        ([[1, -100]], {}, "tag 1: expected one of .* Received: -100"),
        ([[1, "O"]], {}, "tag 0: expected one of .* Received: 1"),
        ([[True, False]], {}, "tag 0: expected one of .* Received: True"),
        ([["O", None]], {}, "tag 1: expected one of .* Received: None"),
    ],
)
def test_what_cannot_be_read_is_named(tags, arguments, message):
    sentences = [some.split() if isinstance(some, str) else some for some in tags]
    with pytest.raises(UserError, match=rf"train\[{len(tags) - 1}\]: column 'tags': {message}"):
        read(*sentences, **arguments)


def test_a_scheme_that_is_given_forgives():
    assert read(["B-PER", "O", "I-LOC"], scheme="iob1") == [["B-PER", "O", "B-LOC"]]


def test_labels_of_words_are_taken_as_they_are(caplog):
    tags = ("NOUN", "VERB", "X")
    assert read(["NOUN", "NOUN", "X"], types=(), labels=tags) == [["NOUN", "NOUN", "X"]]
    assert not caplog.text
    assert read([0, 2], types=(), labels=tags) == [["NOUN", "X"]]
    assert "numbers, from 0, of NOUN, VERB, X" in caplog.text
    assert read(["E-a", "B-a"], types=(), labels=("O", "B-a", "E-a")) == [["E-a", "B-a"]]
    with pytest.raises(UserError, match=r"expected one of NOUN, VERB, X. Received: 'noun'"):
        read(["noun"], types=(), labels=tags)


def test_parts_of_speech_given_as_types_are_said_to_be_odd(caplog):
    assert read(["NOUN", "NOUN", "VERB"], types=("NOUN", "VERB")) == [["B-NOUN", "I-NOUN", "B-VERB"]]
    assert "give the task `labels` instead of `types`" in caplog.text


def test_a_row_with_too_few_tags_can_be_skipped():
    rows = [{"words": ["a", "b"], "tags": ["O"]}, {"words": ["a"], "tags": ["O"]}]
    kind = Tagging(source=InMemory({"train": rows}, bad_rows_share=0.5), types=("PER",))
    with pytest.raises(UserError, match=r"train\[0\]: expected as many tags as words. Received: 2 words, 1 tags"):
        kind.read("own", "train")
    assert kind.read("own", "train", skip_bad_rows=True).words == [["a"]]
