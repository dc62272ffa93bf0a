"""A single text is tokenised in Python where it takes the short cut, with what the graph gives."""

from __future__ import annotations

import random
from collections.abc import Sequence
from time import process_time

import numpy as np
import pytest
import tensorflow as tf

from bert_tf.text import BertTokenizer
from bert_tf.text.added_tokens import AddedToken
from bert_tf.text.tokens.one_row import only_text
from tests.conftest import shared_data
from tests.rest_slow import rest_slow
from tests.text.reference import reference

WORDS = ("un", "able", "aff", "good", "film", "Good", "x", "a", "1", "19", "don", "t", "##", "ing", "UNK", "sep")
VOCABULARY = (
    *("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "un", "##aff", "##able", "good", "##s", "film", "a", "##a", "##aa"),
    *("Good", "1", "##9", "##99", "!", ".", "'", "#", "##", "-", "...", "don't", "don", "t", "x", "##x", "it", "i"),
)
OPTIONS = [
    {},
    {"lowercase": False},
    {"strip_accents": False},
    {"split_cjk": False, "max_word_characters": 6},
    {"added_tokens": (AddedToken("x1"),)},
    {"added_tokens": (AddedToken("film", special=True),), "split_special_tokens": True},
]
LAYOUTS = [
    {},
    {"max_length": 6, "return_offsets": True, "return_cut": True},
    {"max_length": 2, "return_cut": True},
    {"max_length": 24, "padding": "max_length", "return_offsets": True},
    {"max_length": 4, "padding": "max_length", "truncation": "none", "return_cut": True},
    {"max_length": 5, "truncation": "only_first"},
]


def fuzzed(count: int, words: Sequence[str]) -> list[str]:
    """Texts of printable ASCII, most of them made of the words."""
    rng = random.Random(count)
    printable = [chr(c) for c in (9, 10, 13, *range(32, 127))]

    def part() -> str:
        return rng.choice(words) if rng.random() < 0.6 else rng.choice(printable)

    return ["".join(part() + rng.choice(("", "", " ")) for _ in range(rng.randint(0, 14))) for _ in range(count)]


def rows(tokenizer: BertTokenizer, texts: Sequence[str], **layout) -> list[dict[str, list[int]]]:
    """A row of the graph for each text, without what pads it to the others' length."""
    found = tokenizer([*texts, ""], **layout)
    sizes = np.asarray(found["padding_mask"]).sum(axis=1).tolist()
    width = layout["max_length"] if layout.get("padding") == "max_length" else 0
    return [
        {name: array[i][: max(sizes[i], width)].tolist() if array[i].ndim else [int(array[i])]
         for name, array in ((name, np.asarray(tensor)) for name, tensor in found.items())}
        for i in range(len(texts))
    ]  # fmt: skip


@pytest.mark.parametrize("options", rest_slow(OPTIONS, OPTIONS[0]), ids=str)
def test_a_single_text_has_the_row_that_the_graph_gives(options):
    tokenizer = BertTokenizer(VOCABULARY, **options)
    texts = [
        "",
        " ",
        "Unaffable goods!",
        "a" * 7,
        "a" * 100,
        "a" * 101,
        "it's 1999...",
        "don't",
        "##able",
        *fuzzed(90, WORDS),
    ]
    for number, layout in enumerate(LAYOUTS):
        some = texts if number < 2 else texts[number::6]
        expected = rows(tokenizer, some, **layout)
        for text, row in zip(some, expected, strict=True):
            found = tokenizer([text], **layout)
            assert {name: np.asarray(tensor).reshape(-1).tolist() for name, tensor in found.items()} == row, text
            assert all(tensor.dtype == tf.int32 for tensor in found.values())
            assert all(
                tensor.shape == ([1] if name == "cut" else [1, len(row[name])]) for name, tensor in found.items()
            )


def test_pieces_are_those_of_the_reference():
    tokenizer, expected = BertTokenizer(VOCABULARY), reference(VOCABULARY, lowercase=True)
    for text in fuzzed(300, WORDS):
        pieces = tokenizer._pieces.of_one(text)
        if pieces is None:
            assert "[" in text or "]" in text
            continue
        whole = expected.encode(text, add_special_tokens=False)
        assert pieces == [(i, *offsets) for i, offsets in zip(whole.ids, whole.offsets, strict=True)], text


def test_which_texts_it_is_for(monkeypatch):
    tokenizer = BertTokenizer(VOCABULARY)
    calls = []
    graph = tokenizer._encode
    monkeypatch.setattr(tokenizer, "_encode", lambda *arguments: (calls.append(1), graph(*arguments))[1])
    for texts in ("good film", ["good film"], ("Good, film!",), np.array(["good"]), ["good", "film"], ["caf\u00e9"],
                  ["a [MASK]"], [b"good"]):  # fmt: skip
        calls.clear()
        tokenizer(texts)
        is_one = isinstance(texts, str) or (isinstance(texts, (list, tuple)) and len(texts) == 1)
        text = texts if isinstance(texts, str) else texts[0]
        assert bool(calls) == (not (is_one and isinstance(text, str) and text.isascii() and "[" not in text)), texts
    for text, is_one in (("good", True), ("caf\u00e9", False)):
        calls.clear()
        tokenizer(tf.constant([text]))
        assert bool(calls) != is_one
    calls.clear()
    assert tf.function(lambda: tokenizer(["good film"])["token_ids"])().numpy().tolist() == [[2, 8, 10, 3]]
    assert calls
    with pytest.raises(ValueError, match="`max_length` must be an int of at least 2"):
        tokenizer("good", max_length=1)


@pytest.mark.real
def test_a_call_on_one_text_with_a_real_vocabulary():
    tokenizer = BertTokenizer(shared_data("vocab/bert-base-uncased-vocab.txt"))
    lines = shared_data("sst2/dev.tsv").read_text(encoding="utf-8").splitlines()[1:]
    texts = [line.rpartition("\t")[0] for line in lines]
    for text, row in zip(texts, rows(tokenizer, texts, return_offsets=True), strict=True):
        found = tokenizer(text, return_offsets=True)
        assert {name: np.asarray(tensor)[0].tolist() for name, tensor in found.items()} == row
    tokenizer("caf\u00e9")  # the few texts that are for the graph need it traced, once
    started = process_time()
    for text in texts:
        tokenizer(text)
    assert (process_time() - started) / len(texts) < 2e-4, "seconds of one core"


def test_a_tensor_of_one_text_is_one_text():
    for texts in ("a film", ["a film"], tf.constant("a film"), tf.constant(["a film"])):
        assert only_text(texts) == "a film"
    assert only_text(tf.constant([b"\xff"])) == "\ufffd"
    for texts in (
        tf.constant(["a", "b"]),
        tf.constant([["a"]]),
        tf.constant([1]),
        tf.constant([], tf.string),
        ["a", "b"],
    ):
        assert only_text(texts) is None
