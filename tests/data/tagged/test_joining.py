"""Words become the text that a reader of the language would write."""

from __future__ import annotations

import logging

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bert_tf.data.tagged.joining import is_by_character, join_words


def one(words, joiner=None):
    joined = join_words([words], joiner)
    assert [joined.texts[0][s : s + len(w)] for s, w in zip(joined.starts[0], words, strict=True)] == list(words)
    return joined.texts[0]


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["Ann", "ran", "."], "Ann ran ."),
        (["a", "b", "1", "2"], "a b 1 2"),  # single letters of a script with spaces are words
        (["나는", "서울에", "산다"], "나는 서울에 산다"),
        (["Анна", "в", "2003"], "Анна в 2003"),
        (["北京", "大学", "位于", "北京", "。"], "北京大学位于北京。"),
        (["我", "在", "Apple", "Inc", "工作"], "我在Apple Inc工作"),  # words, so Latin ones keep their space
        (list("在2003年用ibm机"), "在2003年用ibm机"),
        (list("价格:3.5%(约)"), "价格:3.5%(约)"),
        (
            [*"我用的手机是", "iPhone", "6", "s", "Plus", *"很好用的呀好用的呀吧"],
            "我用的手机是iPhone 6s Plus很好用的呀好用的呀吧",
        ),
        (["今日", "は", "いい", "天気", "です"], "今日はいい天気です"),
        (["ผม", "อยู่", "ที่", "กรุงเทพ"], "ผมอยู่ที่กรุงเทพ"),
        (["x"], "x"),
    ],
)
def test_as_the_language_writes_it(words, text):
    assert one(words) == text


def test_a_joiner_that_is_given_wins():
    assert one(list("在2003年"), " ") == "在 2 0 0 3 年"
    assert one(["k", "o", "서", "울"], "") == "ko서울"
    with pytest.raises(ValueError, match=r"`joiner` must be one of None, ' ', ''. Received: joiner='-'"):
        join_words([["a"]], "-")


def test_a_character_a_row_is_a_matter_of_the_whole_file():
    assert is_by_character([list("在北京"), list("ibm")])
    assert not is_by_character([list("ibm")])
    assert not is_by_character([["在", "北京"], ["ibm"]])
    assert join_words([list("在北京住了十年"), list("ibm")]).texts == ["在北京住了十年", "ibm"]
    assert join_words([list("ibm")]).texts == ["i b m"]


def test_the_log_says_it(caplog):
    with caplog.at_level(logging.WARNING):
        join_words([["Ann", "ran"]], origin="train.txt")
        join_words([list("在2003年")], " ", origin="train.txt")
    assert not caplog.records
    join_words([list("在2003年")], origin="train.txt")
    assert "train.txt: words of single characters, letters and digits among them," in caplog.text
    assert "`joiner`" in caplog.text


@settings(max_examples=50, deadline=None)
@given(st.lists(st.lists(st.text("ab1.在，てก", min_size=1, max_size=3), min_size=1, max_size=6), max_size=4))
def test_every_word_stands_where_it_is_said_to_stand_and_nothing_but_spaces_between(sentences):
    joined = join_words(sentences)
    for words, text, starts in zip(sentences, joined.texts, joined.starts, strict=True):
        end = 0
        for word, start in zip(words, starts, strict=True):
            assert text[end:start] in ("", " ")
            assert text[start : start + len(word)] == word
            end = start + len(word)
        assert end == len(text)
