from __future__ import annotations

import numpy as np
import pytest

from bert_tf.data.tagged.joining import join_words
from bert_tf.data.tagged.label_sets import of_types
from bert_tf.kinds.tagging.features import first_pieces, word_features
from bert_tf.text import BertTokenizer
from tests.conftest import VOCABULARY

TOKENIZER = BertTokenizer(VOCABULARY)
PLAIN = of_types([str(number) for number in range(6)])


def make(sentences, tags=None, *, max_length=16, stride=4, labels=PLAIN, joiner=None):
    joined = join_words(sentences, joiner)
    lengths = [[len(word) for word in words] for words in sentences]
    options = {"labels": labels, "max_length": max_length, "stride": stride}
    return word_features(TOKENIZER, joined.texts, joined.starts, lengths, tags, **options)


def spelled(features, at):
    return [VOCABULARY[i] for i in features.token_ids[at]]


def test_first_pieces():
    words, pieces = first_pieces(np.array([0, 3, 7]), np.array([2, 6, 8]), np.array([0, 1, 4, 5, 9]))
    assert (words.tolist(), pieces.tolist()) == ([0, 1], [0, 2])  # none in the third word; 9 is in no word


def test_the_label_is_on_the_first_piece_of_a_word():
    features = make([["good", "cat", "."], ["xy"]], [[1, 2, 0], [3]])
    assert spelled(features, slice(None)) == (
        ["[CLS]", "good", "c", "##a", "##t", ".", "[SEP]", "[CLS]", "x", "##y", "[SEP]"]
    )
    labels = features.token_fields["token_labels"].tolist()
    assert labels == [-100, 1, 2, -100, -100, 0, -100, -100, 3, -100, -100]
    assert features.fills == {"token_labels": -100}
    assert features.loss_terms is not None
    assert features.loss_terms.tolist() == [3, 1]
    assert features.splits.tolist() == [0, 7, 11]
    assert features.words.tolist() == [0, 1, 2, 3]
    assert spelled(features, features.word_tokens) == ["good", "c", ".", "x"]


def test_words_without_a_piece_have_no_label():
    features = make(
        [["\u200b", "bad", "\ufeff", "\u00ad"], ["\u200b"], ["good", "\u3000x"]], [[1, 2, 1, 1], [1], [0, 3]]
    )
    assert features.words.tolist() == [1, 5, 6]
    assert spelled(features, features.word_tokens) == ["bad", "good", "x"]
    assert features.loss_terms is not None
    assert features.loss_terms.tolist() == [1, 0, 2]
    assert features.lengths.tolist() == [3, 2, 4]


def test_a_long_sentence_is_several_windows_and_each_word_counts_once():
    sentences = [["good", "ab"] * 5, ["bad"]]
    tags = [list(range(10)), [3]]
    features = make(sentences, tags, max_length=8, stride=2)
    assert len(features) > 3
    assert features.lengths.max() == 8
    assert features.words.tolist() == list(range(11))
    assert spelled(features, features.word_tokens) == ["good", "a"] * 5 + ["bad"]
    labels = features.token_fields["token_labels"]
    assert labels[features.word_tokens].tolist() == [*range(10), 3]
    assert (labels >= 0).sum() == 11
    assert features.loss_terms is not None
    assert features.loss_terms.sum() == 11
    rows = np.searchsorted(features.splits, features.word_tokens, side="right") - 1
    assert np.bincount(rows).tolist() == features.loss_terms.tolist()
    assert np.array_equal(rows, np.sort(rows))


def test_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch):
    sentences = [["good"] * n for n in range(1, 12)]
    tags = [[n % 3 for _ in words] for n, words in enumerate(sentences)]
    whole = make(sentences, tags, max_length=8)
    monkeypatch.setattr("bert_tf.kinds.tagging.features.CHUNK", 3)
    parts = make(sentences, tags, max_length=8)
    for name in ("token_ids", "splits", "words", "word_tokens", "loss_terms"):
        np.testing.assert_array_equal(getattr(parts, name), getattr(whole, name))
    np.testing.assert_array_equal(parts.token_fields["token_labels"], whole.token_fields["token_labels"])


def test_without_tags():
    features = make([["good", "bad"]])
    assert (features.token_fields, features.loss_terms) == ({}, None)
    assert features.words.tolist() == [0, 1]


HAN = BertTokenizer([*VOCABULARY, *"在北京用年，", "200", "##3", "ib"])


def test_a_character_a_row_is_learned_as_prediction_sees_it():
    # "2003" is the pieces 200 ##3, and "ibm" ib ##m: what stands between is learned by the first row's label alone.
    sentence = list("在2003年，北京用ibm")
    tags = [0, 1, 2, 2, 2, 2, 0, 3, 4, 0, 5, 6, 6]
    joined = join_words([sentence])
    assert joined.texts == ["在2003年，北京用ibm"]
    labels = of_types(("DATE", "LOC", "ORG"))
    options = {"labels": labels, "max_length": 32, "stride": 4}
    features = word_features(HAN, joined.texts, joined.starts, [[1] * len(sentence)], [tags], **options)
    spelled_out = [HAN.vocabulary[i] for i in features.token_ids[1:-1]]
    assert spelled_out == ["在", "200", "##3", "年", "，", "北", "京", "用", "ib", "##m"]
    learned = features.token_fields["token_labels"][1:-1].tolist()
    assert learned == [0, 1, -100, 2, 0, 3, 4, 0, 5, -100]
    assert features.words.tolist() == [0, 1, 5, 6, 7, 8, 9, 10]  # the rows that begin something


def test_the_rest_of_a_word_without_spaces_learns_that_it_continues():
    labels = of_types(("LOC",))
    joined = join_words([["在", "北京", "用", "abc"]])
    options = {"labels": labels, "max_length": 32, "stride": 4}
    features = word_features(HAN, joined.texts, joined.starts, [[1, 2, 1, 3]], [[0, 1, 0, 1]], **options)
    assert [HAN.vocabulary[i] for i in features.token_ids[1:-1]] == ["在", "北", "京", "用", "a", "##b", "##c"]
    assert features.token_fields["token_labels"][1:-1].tolist() == [0, 1, 2, 0, 1, -100, -100]
    assert features.words.tolist() == [0, 1, 2, 3]
