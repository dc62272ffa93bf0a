"""The sentence splitter, and rows of sentences."""

from __future__ import annotations

import pytest
import tensorflow as tf

from bert_tf.text import BertTokenizer
from bert_tf.text.sentences import sentence_rows, split_sentences
from tests.conftest import VOCABULARY


def split(text: str) -> list[str]:
    return [sentence.decode("utf-8") for sentence in split_sentences(tf.constant([text])).texts.numpy()]


@pytest.mark.parametrize(
    "sentences",
    [
        ["A good film.", "A bad one!", "Was it?", "Yes"],
        ['He said "Go."', "She went.", "(See there.)", "“Why?”", "'Because.'"],
        ["It cost 3.5 pounds.", "42 came... and went...", "Then what?!", "Nothing"],
        ["Dr. Who met Mrs. Jones vs. St. Paul.", "See Smith et al. Nature agrees, e.g. Here, i.e. Now."],
        ["As Fig. 3 and Eqs. 4 show, No. 5 is on pp. 6 of vol. 7.", "The answer is no.", "Yes was wrong."],
        ["J. R. Smith and O. J. A. Baker met.", "It was in the U.S. Army."],
        ["We need vitamin C.", "The rest is fine.", "So am I.", "It's in group B.", "We left."],
        ["1. First this.", "2. Then that."],
        ["Ça va ?", "Élan vital.", "Übung 2.", "Ωmega."],
        ["他来了。", "真的吗？", "好！", "完"],
        ["यह है।", "वह था।"],
        ["see www.example.org or a.b for it.", "Version 2.0.1 is out."],
    ],
)
def test_sentences_are_told_apart_in_running_text(sentences):
    joined = ("" if sentences[0].startswith("他") else " ").join(sentences)
    assert split(joined) == sentences


def test_what_no_rule_can_know_is_as_documented():
    assert split("Yahoo! Answers was there.") == ["Yahoo!", "Answers was there."]
    assert split("the end.then more") == ["the end.then more"]
    assert split("the end. then more") == ["the end. then more"]


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r", "\v", "\f", "\x85", "\u2028", "\u2029", "\n \t\n"])
def test_a_line_break_always_ends_a_sentence(newline):
    assert split(f"no stop{newline}and more{newline}") == ["no stop", "and more"]


@pytest.mark.parametrize("text", ["", " ", "\n\n", " \u3000\u00a0\t"])
def test_a_text_may_have_no_sentence(text):
    assert split(text) == []


def test_offsets_are_characters_of_the_text_as_given():
    texts = ["  Größe 😀 zählt.  Ja!\n", "", "a\x01. B\x01\x02 c. D", "\ud55c\uad6d. 끝."]
    found = split_sentences(tf.constant(texts))
    assert found.row_splits.numpy().tolist() == [0, 2, 2, 5, 7]
    for e, text in enumerate(texts):
        for k in range(found.row_splits[e], found.row_splits[e + 1]):
            there = text[int(found.starts[k]) : int(found.ends[k])]
            assert there == found.texts[k].numpy().decode("utf-8")
            assert there == there.strip() != ""
    assert [sentence.decode() for sentence in found.texts.numpy()[:2]] == ["Größe 😀 zählt.", "Ja!"]


def test_bytes_that_are_not_utf8_count_as_one_replacement_character():
    found = split_sentences(tf.constant([b"a\xff b. C"]))
    assert [sentence.decode() for sentence in found.texts.numpy()] == ["a\ufffd b.", "C"]
    assert (found.starts.numpy().tolist(), found.ends.numpy().tolist()) == ([0, 6], [5, 7])


def rows_of(texts, max_length):
    tokenizer = BertTokenizer(VOCABULARY)
    signature = [tf.TensorSpec([None], tf.string)]
    rows = tf.function(lambda texts: sentence_rows(tokenizer, texts, max_length=max_length), input_signature=signature)
    return rows(tf.constant(texts, tf.string))


def tokens(found):
    return [" ".join(VOCABULARY[i] for i in row) for row in found.token_ids.to_list()]


def test_a_row_holds_each_sentence_between_its_own_special_tokens():
    found = rows_of(["Good film. Bad\nA", "bad"], 20)
    assert tokens(found) == ["[CLS] good film . [SEP] [CLS] bad [SEP] [CLS] a [SEP]", "[CLS] bad [SEP]"]
    assert found.segment_ids.to_list() == [[0] * 5 + [1] * 3 + [0] * 3, [0] * 3]
    assert found.firsts.numpy().tolist() == [0, 5, 8, 0]
    assert found.sentences.row_splits.numpy().tolist() == [0, 3, 4]
    assert found.counts.numpy().tolist() == [3, 1]


def test_what_has_no_room_is_left_out_by_sentences_from_the_end():
    found = rows_of(["good film\nbad film bad film\na", "good\nbad", "bad bad bad bad bad\ngood"], 7)
    # The second sentence of the first text has no room, and so the third is not read either; a first one is cut.
    assert tokens(found) == [
        "[CLS] good film [SEP]",
        "[CLS] good [SEP] [CLS] bad [SEP]",
        "[CLS] bad bad bad bad bad [SEP]",
    ]
    assert found.counts.numpy().tolist() == [3, 2, 2]
    assert tokens(rows_of(["bad bad bad bad\ngood"], 5)) == ["[CLS] bad bad bad [SEP]"]
    assert rows_of(["bad bad bad bad\ngood"], 5).sentences.ends.numpy().tolist() == [15]
    assert tokens(rows_of(["good\nbad"], 5)) == ["[CLS] good [SEP]"]  # one token too few
    assert tokens(rows_of(["good\nbad"], 6)) == ["[CLS] good [SEP] [CLS] bad [SEP]"]


def test_a_text_without_a_sentence_is_an_empty_row():
    found = rows_of(["", "bad", " \n", "good"], 8)
    assert tokens(found) == ["[CLS] [SEP]", "[CLS] bad [SEP]", "[CLS] [SEP]", "[CLS] good [SEP]"]
    assert found.sentences.ends.numpy().tolist() == [0, 3, 0, 4]
    assert found.counts.numpy().tolist() == [0, 1, 0, 1]
    assert rows_of(["", ""], 8).segment_ids.to_list() == [[0, 0], [0, 0]]
    assert rows_of([], 8).token_ids.shape[0] == 0
