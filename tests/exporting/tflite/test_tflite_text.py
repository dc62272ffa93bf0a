from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from bert_tf.errors import UserError
from bert_tf.exporting.tflite.file import foreign_operators
from bert_tf.exporting.tflite.text.tokenizer import OPERATORS, LiteTokenizer
from bert_tf.text import BertTokenizer
from bert_tf.text.vocabulary import find_problem

LETTERS = "abcdefghijklmnopqrstuvwxyz"
WORDS = (
    *(
        "[PAD]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        "[MASK]",
        "good",
        "film",
        "e",
        "é",
        "E",
        "字",
        "!",
        ",",
        "한",
        "ᄒ",
        "##ᅡ",
        "##ᆫ",
    ),
    *(letter for letter in LETTERS if letter != "e"),
    *(f"##{letter}" for letter in LETTERS),
)
TEXTS = [
    "",
    "   ",
    "good film!",
    "Good,FILM",
    "Éclair naïve",
    "字漢good字",
    "한국",
    "ab\u00adc\u200b d",
    "x\u00a0y\tz\n",
    "\ue000\U000f0000a",
    "a" * 100,
    "ﬁlm ½",
    "e\u0301e\u0323\u0301",
    "\ufffd\0good",
    "good " * 50,
]


def rows(tokenizer: BertTokenizer, texts, length: int, pairs=None):
    """Of a LiteTokenizer, joined."""
    lite = LiteTokenizer(tokenizer, length)
    columns = 1 if pairs is None else 2
    function = tf.function(lambda *sides: lite(sides), input_signature=[tf.TensorSpec([1], tf.string)] * columns)
    sides = [texts] if pairs is None else [texts, pairs]
    found = [function(*(tf.constant([text]) for text in both)) for both in zip(*sides, strict=True)]
    return {name: np.concatenate([row[name] for row in found]) for name in found[0]}


@pytest.mark.parametrize("lowercase", [True, False])
def test_tokens_are_the_tokenizers(lowercase):
    assert find_problem(WORDS) is None
    tokenizer = BertTokenizer(WORDS, lowercase=lowercase)
    found, expected = rows(tokenizer, TEXTS, 24), tokenizer(TEXTS, max_length=24, padding="max_length")
    for name, column in expected.items():
        np.testing.assert_array_equal(found[name], column, err_msg=name)


def test_pairs_are_cut_as_the_tokenizer_cuts_them():
    tokenizer = BertTokenizer(WORDS)
    pairs = list(reversed(TEXTS))
    found, expected = rows(tokenizer, TEXTS, 12, pairs), tokenizer(TEXTS, pairs, max_length=12, padding="max_length")
    for name, column in expected.items():
        np.testing.assert_array_equal(found[name], column, err_msg=name)


def test_places_are_bytes_of_the_text():
    texts = ["Éclair, naïve!", "字good", "ab\u00adc d", "xñ"]
    tokenizer = BertTokenizer(WORDS)
    found = rows(tokenizer, texts, 24)
    expected = tokenizer(texts, max_length=24, padding="max_length", return_offsets=True)
    for i, text in enumerate(texts):
        ours = [text.encode()[a:b].decode() for a, b in zip(found["starts"][i], found["ends"][i], strict=True)]
        exact = [text[a:b] for a, b in zip(expected["starts"][i], expected["ends"][i], strict=True)]
        assert [piece.rstrip("\u00ad") for piece in ours] == exact, "what is removed counts to the piece before it"


def test_what_is_said_to_differ():
    tokenizer = BertTokenizer(WORDS)
    texts = ["[SEP]", "a" * 101, "a" * 401]
    found = [[WORDS[number] for number in row if number] for row in rows(tokenizer, texts, 512)["token_ids"]]
    assert found[0] == ["[CLS]", "[UNK]", "s", "##e", "##p", "[UNK]", "[SEP]"]
    assert found[1] == ["[CLS]", "a", *["##a"] * 100, "[SEP]"]
    assert found[2] == ["[CLS]", "[UNK]", "[SEP]"]


# What a file does with text is the same for all kinds: one text and a pair are tried each time, the others more rarely.
@pytest.mark.parametrize(
    "kind",
    [
        "regression",
        *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("classification", "tagging", "span_qa", "embedding")),
    ],
)
def test_files_that_take_text_answer_as_the_run_does(runs, tmp_path, exported, kind):
    out = tmp_path / "out"
    report, said = exported(
        f"--run={runs(kind)}", "--format=tflite", f"--out={out}", "--set", "inputs=text", "--tolerance=100"
    )
    (model,) = report["models"]
    assert (model["name"], model["takes"]) == ("float32, text", "text")
    assert model["agreement"]["largest_difference"] < 1e-5
    whole = 0.0 if kind == "span_qa" else 0.9  # long contexts have more windows than a file reads
    assert model["agreement"]["same_answers"] >= whole
    path = out / "model_text_float32.tflite"
    assert set(foreign_operators(path)) <= OPERATORS
    assert len(foreign_operators(path)) == 3
    assert foreign_operators(path, OPERATORS) == []
    assert "tensorflow_text's operators" in said


def test_sentences_cannot_be_split_in_a_file(runs, tmp_path, exported):
    with pytest.raises(UserError, match="--set inputs: expected tensors: this task splits texts"):
        exported(
            f"--run={runs('extractive')}",
            "--format=tflite",
            f"--out={tmp_path / 'out'}",
            "--set",
            "inputs=tensors,text",
        )
