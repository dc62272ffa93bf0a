"""A vocabulary that is not the weights' own is an error with both numbers."""

from __future__ import annotations

import dataclasses
import json

import pytest

from bert_tf.errors import UserError
from bert_tf.weights import load
from bert_tf.weights.vocabulary_check import check_vocabulary, count_tokens
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


def test_rows_put_by_for_words_to_come_are_said_where_the_table_is_rounded(tmp_path, caplog):
    checkpoint = with_vocabulary(tmp_path / "x", 61)
    for rows in (61, 64, 128):
        check_vocabulary(dataclasses.replace(checkpoint, config={"vocabulary_size": rows}))
    assert caplog.text == ""
    for rows in (72, 80, 96, 184):
        check_vocabulary(dataclasses.replace(checkpoint, config={"vocabulary_size": rows}))
        assert f"has 61 tokens, the weights have {rows}: the others stand for no token" in caplog.text
    for rows in (66, 192, 30522):
        with pytest.raises(UserError, match=f"has 61 tokens, the weights have {rows}: this vocabulary is not theirs"):
            check_vocabulary(dataclasses.replace(checkpoint, config={"vocabulary_size": rows}))


def test_no_vocabulary_is_no_error(tmp_path):
    checkpoint = load(altered(tmp_path / "x"))
    assert checkpoint.vocabulary is None
    check_vocabulary(checkpoint)


def test_tokens_are_counted_as_the_formats_number_them(tmp_path):
    path = tmp_path / "vocab.txt"
    path.write_bytes("a\r\nb\n\u2028\nc\x85d".encode())
    assert count_tokens(path) == (4, 4)
    (tmp_path / "added_tokens.json").write_text('{"[X]": 5, "a": 0}')
    assert count_tokens(path) == (4, 6)
    path.write_bytes(b"a\nb\n\nc\nb\n\n\n")
    assert count_tokens(path) == (5, 7)
    (tmp_path / "added_tokens.json").unlink()
    (tmp_path / "tokenizer_config.json").write_text('{"added_tokens_decoder": {"0": {}, "8": {}}}')
    assert count_tokens(path) == (5, 9)
    (tmp_path / "tokenizer_config.json").unlink()
    path = tmp_path / "tokenizer.json"
    path.write_text(json.dumps({"model": {"vocab": {"a": 0, "b": 1}}, "added_tokens": [{"id": 2}, {"id": 0}]}))
    assert count_tokens(path) == count_tokens(tmp_path / "vocab.txt") == (2, 3)


def test_a_vocabulary_that_is_not_utf_8_is_named(tmp_path):
    (tmp_path / "vocab.txt").write_bytes(b"a\n\xff\n")
    with pytest.raises(UserError, match=r"vocab.txt:2: expected UTF-8. Received: b'\\xff'"):
        count_tokens(tmp_path / "vocab.txt")


def test_added_tokens_may_lack_a_row_with_a_warning(tmp_path, caplog):
    checkpoint = with_vocabulary(tmp_path / "x", 12)
    (tmp_path / "x" / "added_tokens.json").write_text('{"[X]": 12, "[Y]": 13}')
    check_vocabulary(checkpoint)
    assert "vocab.txt has 14 tokens, the weights have 12: texts must not have the others" in caplog.text
    caplog.clear()
    check_vocabulary(dataclasses.replace(checkpoint, config={"vocabulary_size": 14}))
    assert caplog.text == ""
    with pytest.raises(UserError, match="has 14 tokens, the weights have 15"):
        check_vocabulary(dataclasses.replace(checkpoint, config={"vocabulary_size": 15}))


def test_blank_lines_at_the_end_need_no_rows(tmp_path):
    checkpoint = with_vocabulary(tmp_path / "x", 12)
    assert checkpoint.vocabulary is not None
    with checkpoint.vocabulary.open("a") as file:
        file.write("\n\n")
    for rows in (12, 13, 14):
        check_vocabulary(dataclasses.replace(checkpoint, config={"vocabulary_size": rows}))
    with pytest.raises(UserError, match="has 14 tokens, the weights have 11"):
        check_vocabulary(dataclasses.replace(checkpoint, config={"vocabulary_size": 11}))


def test_special_tokens_that_are_only_named_have_rows_behind_the_others(tmp_path, caplog):
    """As Transformers numbers them: those of version 5, lists of older ones, `bos_token` and the like."""
    checkpoint = with_vocabulary(tmp_path / "x", 12)
    settings = {
        "cls_token": "t2", "extra_special_tokens": {"image_token": "[ENT]", "same": "t3"},
        "add_bos_token": False, "bos_token": {"content": "<s>"},
    }  # fmt: skip
    (tmp_path / "x" / "tokenizer_config.json").write_text(json.dumps(settings))
    (tmp_path / "x" / "special_tokens_map.json").write_text('{"additional_special_tokens": ["[ENT]", "[REL]", "t4"]}')
    check_vocabulary(dataclasses.replace(checkpoint, config={"vocabulary_size": 15}))
    assert caplog.text == ""
    with pytest.raises(UserError, match="has 15 tokens, the weights have 17"):
        check_vocabulary(dataclasses.replace(checkpoint, config={"vocabulary_size": 17}))


def test_a_tokenizer_of_another_kind_is_counted_too(tmp_path):
    path = tmp_path / "tokenizer.json"
    path.write_text('{"model": {"type": "Unigram", "vocab": [["a", 0.0], ["b", -1.0], ["c", -2.0]]}}')
    assert count_tokens(path) == (3, 3)
