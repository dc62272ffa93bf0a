"""Byte pairs give the ids and offsets of the `tokenizers` library, everywhere."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tokenizers import AddedToken

from tests.text.byte_pairs.reference import ours, texts_of, trained
from tests.text.reference import POINTS, find_mismatch

ADDED = (
    AddedToken("film", single_word=True), AddedToken("<b>", special=True, rstrip=True), AddedToken("s>", special=True),
    AddedToken("é", normalized=False), AddedToken("don't"), AddedToken("x", lstrip=True, single_word=True),
)  # fmt: skip
SPACED = (AddedToken("  "), AddedToken("   "), AddedToken("\u00a0x", lstrip=True), AddedToken("\n\n", special=True))
COMPOSED = (
    AddedToken("e\u0301", normalized=True), AddedToken("  "), AddedToken("\u0301x", normalized=True, lstrip=True),
    AddedToken("\u212b", special=True, normalized=False),
)  # fmt: skip
FEW: list[dict[str, Any]] = [
    {"added": ADDED, "add_prefix_space": True},
    {"separators": 1, "size": 300, "added": SPACED, "compose": True},
    {"all_bytes": False, "size": 200},
]
MANY: list[dict[str, Any]] = [
    *FEW,
    {},
    {"add_prefix_space": True, "added": SPACED},
    {"added": ADDED, "add_prefix_space": True, "trim_offsets": False},
    {"added": SPACED},
    {"all_bytes": False, "unknown": True, "fuse_unknown": True},
    {"size": 261},
    {"size": 1500, "added": ADDED},
    {"use_regex": False, "size": 900},
    {"ignore_merges": True, "trim_offsets": False},
    {"all_bytes": False, "unknown": True, "add_prefix_space": True, "added": ADDED[:3]},
    {"separators": 1, "size": 1200, "added": SPACED, "compose": True},
    {"compose": True, "add_prefix_space": True, "added": COMPOSED},
]


def points_text(point: int) -> str:
    """A code point within letters, before and behind a digit, after a space and twice in a row."""
    character = chr(point)
    return f"a{character}b 1{character} {character}{character}2{character}"


@pytest.mark.parametrize("options", FEW, ids=str)
def test_fuzzed_texts_are_as_in_the_library(options, tmp_path):
    theirs = trained(**options)
    assert find_mismatch(ours(theirs, tmp_path), theirs, texts_of(theirs, 500, seed=3)) is None


@pytest.mark.slow
@pytest.mark.parametrize("options", MANY, ids=str)
def test_20000_fuzzed_texts_are_as_in_the_library(options, tmp_path):
    theirs = trained(**options)
    assert find_mismatch(ours(theirs, tmp_path), theirs, texts_of(theirs, 20_000, seed=4)) is None


@pytest.mark.slow
@pytest.mark.parametrize("options", [{}, {"separators": 1, "add_prefix_space": True, "compose": True}], ids=str)
def test_every_code_point_is_as_in_the_library(options, tmp_path):
    theirs = trained(**options)
    assert find_mismatch(ours(theirs, tmp_path), theirs, map(points_text, POINTS), batch=16384) is None


def test_code_points_of_every_block_are_as_in_the_library(tmp_path):
    theirs = trained()
    some = [*range(0x300), *POINTS[0x300::499]]
    assert find_mismatch(ours(theirs, tmp_path), theirs, map(points_text, some)) is None


def test_rows_are_as_in_the_library(tmp_path):
    theirs = trained()
    tokenizer, texts = ours(theirs, tmp_path), texts_of(theirs, 100, seed=5)
    pairs = texts[::-1]
    theirs.enable_truncation(24)
    for second in (None, pairs):
        rows = tokenizer(texts, second, max_length=24, return_offsets=True)
        columns = [np.asarray(rows[name]) for name in ("token_ids", "starts", "ends", "padding_mask")]
        for i, expected in enumerate(
            theirs.encode_batch(texts if second is None else list(zip(texts, second, strict=True)))
        ):
            ids, starts, ends, mask = (column[i] for column in columns)
            count = int(mask.sum())
            assert ids[:count].tolist() == expected.ids, texts[i]
            inner = np.array(expected.special_tokens_mask) == 0
            found = np.stack([starts[:count], ends[:count]], axis=1)[inner].tolist()
            assert found == [list(place) for place, own in zip(expected.offsets, inner, strict=True) if own], texts[i]


@pytest.mark.slow
def test_windows_are_as_in_the_library(tmp_path):
    theirs = trained()
    tokenizer, texts = ours(theirs, tmp_path), texts_of(theirs, 300, seed=5)
    theirs.enable_truncation(12, stride=3)
    rows = tokenizer(texts, max_length=12, stride=3)
    found = [ids[mask == 1].tolist() for ids, mask in zip(*(np.asarray(rows[n]) for n in ("token_ids", "padding_mask")),
                                                         strict=True)]  # fmt: skip
    expected = [e.ids for whole in theirs.encode_batch(texts) for e in (whole, *whole.overflowing)]
    assert found == expected


def test_texts_of_ids_are_as_in_the_library(tmp_path):
    theirs = trained(added=ADDED)
    tokenizer, rng = ours(theirs, tmp_path), np.random.default_rng(0)
    rows = [rng.integers(0, theirs.get_vocab_size() + 2, size=rng.integers(0, 12)).tolist() for _ in range(400)]
    rows += [e.ids for e in theirs.encode_batch(texts_of(theirs, 400, seed=6))]
    for skip in (True, False):
        assert tokenizer.decode(rows, skip_special_tokens=skip) == theirs.decode_batch(rows, skip_special_tokens=skip)
