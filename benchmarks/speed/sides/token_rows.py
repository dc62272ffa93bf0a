"""Texts as rows of tokens for other runtimes: the Rust tokenizer, and the inputs that Transformers' models have."""

# pyright: reportMissingImports=false
from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

INPUTS = ("input_ids", "attention_mask", "token_type_ids")


def batch_of(rows: list[list[int]]) -> dict[str, np.ndarray]:
    longest = max(map(len, rows))
    ids, mask = (np.zeros((len(rows), longest), np.int64) for _ in range(2))
    for number, row in enumerate(rows):
        ids[number, : len(row)], mask[number, : len(row)] = row, 1
    return dict(zip(INPUTS, (ids, mask, np.zeros_like(ids)), strict=True))


def tokenizer_of(folder: str, length: int | None = None) -> Any:
    from tokenizers import BertWordPieceTokenizer, Tokenizer

    words, whole = Path(folder) / "vocab.txt", Path(folder) / "tokenizer.json"
    is_whole = whole.is_file() and not words.is_file()
    library: Any = Tokenizer.from_file(str(whole)) if is_whole else BertWordPieceTokenizer(str(words))._tokenizer
    if length is not None:
        library.enable_truncation(length)
    return library
