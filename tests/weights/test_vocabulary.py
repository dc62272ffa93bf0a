"""A vocabulary that is not the weights' own is an error with both numbers."""

from __future__ import annotations

import dataclasses
import json

import pytest

from bert_tf.errors import UserError
from bert_tf.weights import load
from bert_tf.weights.vocabulary import check_vocabulary, count_tokens
from tests.weights.tiny import altered


def with_vocabulary(folder, tokens):
    altered(folder)  # whose token table has 12 rows
    (folder / "vocab.txt").write_text("".join(f"t{i}\n" for i in range(tokens)))
    return load(folder)


def test_a_wrong_size_is_named_with_both_numbers(tmp_path):
    check_vocabulary(with_vocabulary(tmp_path / "x", 12))
    for tokens in (11, 13, 7, 30522):
        checkpoint = with_vocabulary(tmp_path / "x", tokens)
        with pytest.raises(UserError, match=rf"vocab.txt has {tokens} tokens, the weights have 12: this vocabulary"):
            check_vocabulary(checkpoint)


def test_a_table_rounded_up_for_the_hardware_passes(tmp_path):
    checkpoint = with_vocabulary(tmp_path / "x", 10)
    check_vocabulary(dataclasses.replace(checkpoint, config={"vocabulary_size": 16}))
    other = dataclasses.replace(checkpoint, config={"vocabulary_size": 17})
    with pytest.raises(UserError, match="10 tokens, the weights have 17"):
        check_vocabulary(other)


def test_no_vocabulary_is_no_error(tmp_path):
    checkpoint = load(altered(tmp_path / "x"))
    assert checkpoint.vocabulary is None
    check_vocabulary(checkpoint)


def test_tokens_are_counted_as_the_formats_number_them(tmp_path):
    path = tmp_path / "vocab.txt"
    path.write_bytes("a\r\nb\n\u2028\nc\x85d".encode())
    assert count_tokens(path) == 4
    (tmp_path / "added_tokens.json").write_text('{"[X]": 5, "a": 0}')
    assert count_tokens(path) == 6
    path = tmp_path / "tokenizer.json"
    path.write_text(json.dumps({"model": {"vocab": {"a": 0, "b": 1}}, "added_tokens": [{"id": 2}, {"id": 0}]}))
    assert count_tokens(path) == 3


def test_a_vocabulary_that_is_not_utf_8_is_named(tmp_path):
    (tmp_path / "vocab.txt").write_bytes(b"a\n\xff\n")
    with pytest.raises(UserError, match=r"vocab.txt is not UTF-8: invalid start byte at byte 2"):
        count_tokens(tmp_path / "vocab.txt")
