from __future__ import annotations

import pytest

from bert_tf.exporting.tflite.text.words import replacements, words_for_others
from bert_tf.text import BertTokenizer

WORDS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "cl", "##iche", "e", "##e", "##te", "naive", "字", "!")


@pytest.fixture(scope="module")
def tokenizer():
    return BertTokenizer(WORDS)


def test_what_becomes_of_characters(tokenizer):
    found = replacements(tokenizer)
    expected = {
        "É": "e",
        "é": "e",
        "\u0301": "",
        "\u00a0": " ",
        "\0": "",
        "!": " ! ",
        "字": " 字 ",
        "漢": " \x01 ",
        "A": "a",
    }
    assert {character: found[ord(character)] for character in expected} == expected
    assert found[ord("한")] == "\u1112\u1161\u11ab"
    assert ord("a") not in found
    assert 0xD800 not in found


def test_cased_texts_keep_their_accents():
    found = replacements(BertTokenizer(WORDS, lowercase=False))
    assert ord("é") not in found
    assert ord("A") not in found
    assert found[ord("\t")] == " "


def test_words_with_accents_stand_for_those_without(tokenizer):
    words, numbers = words_for_others(tokenizer, ["Naïveté, a cliché", "plain", "ÉCLAIR"])
    assert tuple(words[: len(WORDS)]) == WORDS
    assert len(set(words)) == len(words) == len(numbers)
    token = {word: WORDS[number] for word, number in zip(words, numbers, strict=True)}
    assert all(token[word] == word for word in WORDS)
    expected = {
        "naïve": "naive",
        "é": "e",
        "##é": "##e",
        "##iché": "##iche",
        "##ïche": "##iche",
        "##té": "##te",
        "naivé": "naive",
    }
    assert {word: token[word] for word in expected} == expected
    assert "naïve" not in words_for_others(tokenizer)[0], "it is in the texts only"


def test_a_token_of_the_vocabulary_that_texts_cannot_reach_stands_for_the_one_they_do():
    words, numbers = words_for_others(BertTokenizer((*WORDS, "é")))
    assert words.count("é") == 1
    assert numbers[words.index("é")] == WORDS.index("e")
