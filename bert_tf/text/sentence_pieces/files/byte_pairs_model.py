"""What a model's file with merges of pairs says, without a family: read by its own settings, as Transformers 5 does.

Its pieces have scores, the better the earlier they were merged in training. Two pieces that follow each other are
merged if together they are a piece; which two first, their score says.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bert_tf.errors import UserError
from bert_tf.text.sentence_pieces.decode import META
from bert_tf.text.sentence_pieces.files.families import controls
from bert_tf.text.sentence_pieces.files.model_file import NORMAL, USER_DEFINED, ModelFile


def of_byte_pairs(model: ModelFile, config: Mapping[str, Any], source: Path) -> dict[str, Any]:
    """The arguments of a SentencePieceTokenizer.

    Args:
        config: tokenizer_config.json, of which `legacy` counts: false puts the sign of a word's beginning before a
            text alone, and not before what is behind an added token.
    Raises: UserError for a model that is not followed.
    """
    own = next((piece.text for piece in model.pieces if piece.kind == USER_DEFINED), None)
    known = {piece.text for piece in model.pieces}
    for what, came, fine in (
        ("no pieces of its user's own, which are never merged", repr(own), own is None),
        ("white space before pieces", "treat_whitespace_as_suffix", not model.whitespace_suffix),
        ("each piece once", f"{len(model.pieces) - len(known)} again", len(known) == len(model.pieces)),
        ("a piece for what is unknown", f"`unk_id` {model.unk_id}", 0 <= model.unk_id < len(model.pieces)),
    ):
        if not fine:
            raise UserError(f"{source}: expected {what}. Received: {came}")
    legacy = config.get("legacy") is not False
    return {
        "vocabulary": [(piece.text, 0.0) for piece in model.pieces],  # The merges say what the scores do.
        "merges": merges_of(model),
        "normalizer": normalizer_of(model, legacy),
        "pre_tokenizer": [{"type": "Metaspace", "replacement": META, "prepend_scheme": "always" if legacy else "first",
                           "split": False}] if model.add_dummy_prefix else [],
        "byte_fallback": model.byte_fallback,
        "fuse_unknown": True,
        "unk_token": model.pieces[model.unk_id].text,
        "added_tokens": tuple(controls(model)),
    }  # fmt: skip


def merges_of(model: ModelFile) -> list[tuple[str, str]]:
    """All pairs of normal pieces that are one, the best score first, then the lowest id, then the shortest left one."""
    normal = {piece.text: (-piece.score, number) for number, piece in enumerate(model.pieces) if piece.kind == NORMAL}
    ranked = [
        (*rank, text[:place], text[place:])
        for text, rank in normal.items()
        for place in range(1, len(text))
        if text[:place] in normal and text[place:] in normal
    ]
    return [(left, right) for _, _, left, right in sorted(ranked)]


def normalizer_of(model: ModelFile, legacy: bool) -> list[dict[str, Any]]:
    """The steps in SentencePiece's order."""

    def replaced(kind: str, pattern: str, content: str) -> dict[str, Any]:
        return {"type": "Replace", "pattern": {kind: pattern}, "content": content}

    text = base64.b64encode(model.charsmap).decode("ascii")
    steps: list[dict[str, Any]] = [{"type": "Precompiled", "precompiled_charsmap": text}] if text else []
    if model.remove_extra_whitespaces:
        steps += [replaced("Regex", r"\A +| +\z", ""), replaced("Regex", " {2,}", " ")]
    steps += [replaced("String", " ", META)] if model.escape_whitespaces else []
    # A text that begins with the sign gets another one all the same.
    return [*steps, *([replaced("Regex", rf"\A{META}", META * 2)] if model.add_dummy_prefix and legacy else [])]
