"""tokenizer.json of WordPiece, written: what the `tokenizers` library reads of a tokenizer, and with it most programs
that are not in Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bert_tf.text.added_tokens import AddedToken


def can_say(vocabulary: Sequence[str]) -> bool:
    """Whether a tokenizer.json has a place for each of the tokens: an object of JSON has each name once, and what is
    read of a name that came again has no second id."""
    return "" not in vocabulary and len(set(vocabulary)) == len(vocabulary)


def wordpiece_json(
    vocabulary: Sequence[str],
    *,
    special_tokens: Mapping[str, str],
    added_tokens: Mapping[int, AddedToken],
    lowercase: bool,
    strip_accents: bool | None,
    split_cjk: bool,
    max_word_characters: int,
    pair_separators: int,
) -> dict[str, Any]:
    """The file's content, for a vocabulary of which it `can_say` the tokens.

    Args:
        vocabulary: tokens of WordPiece, by id.
        special_tokens: argument's name -> token, of the usual five.
        added_tokens: all tokens that a text can name, by id.
        pair_separators: how many [SEP] stand between the texts of a pair. Where there are two, every token is of the
            first segment, as in Transformers' class that makes such pairs.
    """
    ids = {token: number for number, token in enumerate(vocabulary)}
    ids |= {token.content: number for number, token in added_tokens.items()}
    cls, sep = special_tokens["cls_token"], special_tokens["sep_token"]
    second = 1 if pair_separators == 1 else 0

    def piece(kind: str, name: str, segment: int = 0) -> dict[str, Any]:
        return {kind: {"id": name, "type_id": segment}}

    single = [piece("SpecialToken", cls), piece("Sequence", "A"), piece("SpecialToken", sep)]
    between = [piece("SpecialToken", sep)] * (pair_separators - 1)
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [{"id": number, **token.to_json()} for number, token in sorted(added_tokens.items())],
        "normalizer": {
            "type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": split_cjk,
            "strip_accents": strip_accents, "lowercase": lowercase,
        },
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": single,
            "pair": [*single, *between, piece("Sequence", "B", second), piece("SpecialToken", sep, second)],
            "special_tokens": {token: {"id": token, "ids": [ids[token]], "tokens": [token]} for token in (cls, sep)},
        },
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
        "model": {
            "type": "WordPiece", "unk_token": special_tokens["unk_token"], "continuing_subword_prefix": "##",
            "max_input_chars_per_word": max_word_characters,
            "vocab": {token: number for number, token in enumerate(vocabulary)},
        },
    }  # fmt: skip
