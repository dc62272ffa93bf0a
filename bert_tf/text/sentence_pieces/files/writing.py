"""A SentencePiece tokenizer as Transformers reads it: tokenizer.json says all there is."""

from __future__ import annotations

import json
import os
from typing import Any

from bert_tf.text.files.choice import JSON
from bert_tf.text.files.writing import write_folder
from bert_tf.text.sentence_pieces.decode import META
from bert_tf.text.sentence_pieces.files.pieces_json import template

CLASS = "PreTrainedTokenizerFast"
"""Transformers' general class, which follows tokenizer.json: a family's own class makes its steps again, and those of
Transformers 4 and 5 differ."""


def write(folder: str | os.PathLike[str], tokenizer: Any, *, model_max_length: int | None) -> None:
    """Writes the folder of a SentencePieceTokenizer. Raises: UserError if it cannot be written."""
    ids = tokenizer.token_to_id
    added = {ids[token.content]: token for token in tokenizer.added_tokens}
    cls, sep = ((token, ids[token]) for token in (tokenizer.cls_token, tokenizer.sep_token))
    metaspace = [step for step in tokenizer.pre_tokenizer if step["type"] == "Metaspace"]
    content = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [{"id": number, **token.to_json()} for number, token in sorted(added.items())],
        "normalizer": {"type": "Sequence", "normalizers": list(tokenizer.normalizer)} if tokenizer.normalizer else None,
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": list(tokenizer.pre_tokenizer)}
        if tokenizer.pre_tokenizer
        else None,
        "post_processor": template(cls, sep, tokenizer.pair_separators),
        "decoder": joined(tokenizer) if tokenizer.joins_bytes else metaspace[-1] if metaspace else None,
        "model": unigram(tokenizer) if tokenizer.merges is None else byte_pairs(tokenizer),
    }
    segments = ["token_type_ids"] if tokenizer.pair_separators == 1 else []
    settings: dict[str, Any] = {
        "tokenizer_class": CLASS, "model_input_names": ["input_ids", *segments, "attention_mask"]
    }  # fmt: skip
    write_folder(
        folder, {JSON: json.dumps(content, ensure_ascii=False)}, settings,
        special_tokens=tokenizer.special_tokens, added_tokens=added,
        size=len(tokenizer.pieces), split_special_tokens=tokenizer.split_special_tokens, pairs=tokenizer.pairs,
        model_max_length=model_max_length,
    )  # fmt: skip


def unigram(tokenizer: Any) -> dict[str, Any]:
    return {
        "type": "Unigram",
        "unk_id": tokenizer.unk_id,
        "vocab": [list(piece) for piece in zip(tokenizer.pieces, tokenizer.scores, strict=True)],
        "byte_fallback": tokenizer.byte_fallback,
    }


def byte_pairs(tokenizer: Any) -> dict[str, Any]:
    return {
        "type": "BPE",
        "dropout": None,
        "unk_token": tokenizer.unk_token,
        "continuing_subword_prefix": None,
        "end_of_word_suffix": None,
        "fuse_unk": tokenizer.fuse_unknown,
        "byte_fallback": tokenizer.byte_fallback,
        "ignore_merges": False,
        "vocab": {piece: number for number, piece in enumerate(tokenizer.pieces) if piece},
        "merges": [list(pair) for pair in tokenizer.merges],
    }


def joined(tokenizer: Any) -> dict[str, Any]:
    """A decoder that joins bytes, and takes away the space that a text was given."""
    steps: list[dict[str, Any]] = [{"type": "Replace", "pattern": {"String": META}, "content": " "}]
    steps += [{"type": "ByteFallback"}] * tokenizer.byte_fallback
    strip = {"type": "Strip", "content": " ", "start": int(tokenizer.gives_sign), "stop": 0}
    return {"type": "Sequence", "decoders": [*steps, {"type": "Fuse"}, strip]}
