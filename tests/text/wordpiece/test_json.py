"""The tokenizer.json that is written gives the `tokenizers` library what the tokenizer gives."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tokenizers import Tokenizer

from bert_tf.text import AddedToken, BertTokenizer
from tests.rest_slow import rest_slow
from tests.text.reference import SPECIAL, find_mismatch, fuzzed_texts

PLAIN = dict.fromkeys((*"abcdefghiäé中国.!", "film", "##film", *(f"##{c}" for c in "abcdefghiäé"), "\u2028", "\u302e"))
WORDS = (*SPECIAL, *PLAIN)
NAMES: dict[str, Any] = {"cls_token": "<s>", "sep_token": "</s>", "pad_token": "<pad>", "mask_token": "<mask>"}
ADDED = (
    AddedToken("E1"), AddedToken("[MASK]", lstrip=True), AddedToken("<|covid|>", special=True),
    AddedToken("film club", single_word=True),
)  # fmt: skip
ODD = ["", " ", "\x00a\u00ad b\u0301\u0323c", "Äé ÄE\u0301 中国a中", "a  [MASK] [SEP]e1 <|covid|>", "abcdefgh abcdefg"]
CASES: dict[str, dict[str, Any]] = {
    "plain": {},
    "cased": {"lowercase": False},
    "accents": {"strip_accents": False, "split_cjk": False},
    "added": {"added_tokens": ADDED, "max_word_characters": 7},
}


@pytest.mark.parametrize("case", rest_slow(CASES, "added"))
def test_the_library_gives_the_same_of_the_file_alone(tmp_path: Path, case: str):
    tokenizer = BertTokenizer(WORDS, **CASES[case])
    tokenizer.save_pretrained(tmp_path)
    theirs = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    texts = [*ODD, *fuzzed_texts(200, seed=5, vocabulary=WORDS)]
    assert find_mismatch(tokenizer, theirs, texts) is None
    ones, others = texts[:50], texts[1:51]
    rows = tokenizer.encode_ragged(ones, others)
    found = [(e.ids, e.type_ids) for e in theirs.encode_batch(list(zip(ones, others, strict=True)))]
    assert list(zip(rows["token_ids"].to_list(), rows["segment_ids"].to_list(), strict=True)) == found
    ids = np.arange(tokenizer.vocabulary_size).reshape(1, -1)
    for skip in (True, False):
        assert tokenizer.decode(ids, skip_special_tokens=skip) == theirs.decode_batch(ids.tolist(), skip)


@pytest.mark.parametrize("case", rest_slow(CASES, "added"))
def test_it_is_read_again_without_a_warning(tmp_path: Path, case: str, caplog):
    tokenizer = BertTokenizer(WORDS, **CASES[case])
    tokenizer.save_pretrained(tmp_path)
    with caplog.at_level(logging.WARNING):
        both = BertTokenizer.from_pretrained(tmp_path)
        assert not caplog.records
        (tmp_path / "tokenizer.json").unlink()
        (tmp_path / "added_tokens.json").write_text(
            json.dumps({token: i for i, token in enumerate(tokenizer.vocabulary) if i >= len(WORDS)})
        )
        assert BertTokenizer.from_pretrained(tmp_path).get_config() == both.get_config() == tokenizer.get_config()


def test_two_separators_are_in_the_file(tmp_path: Path):
    words = ("<s>", "<pad>", "</s>", "[UNK]", "<mask>", *WORDS[5:])
    tokenizer = BertTokenizer(words, **NAMES, pair_separators=2)
    tokenizer.save_pretrained(tmp_path)
    found = Tokenizer.from_file(str(tmp_path / "tokenizer.json")).encode("a film", "<mask>b")
    assert found.ids == tokenizer.encode("a film", "<mask>b")
    assert not any(found.type_ids)


@pytest.mark.parametrize("more", [("a",), ("",)], ids=["twice", "empty"])
def test_a_vocabulary_that_it_cannot_say_has_no_such_file(tmp_path: Path, more: tuple[str, ...], caplog):
    BertTokenizer(WORDS).save_pretrained(tmp_path)
    assert (tmp_path / "tokenizer.json").is_file()
    words = (*WORDS, *more, "z")
    BertTokenizer(words).save_pretrained(tmp_path)
    assert not (tmp_path / "tokenizer.json").exists()
    assert BertTokenizer.from_pretrained(tmp_path).vocabulary == words
