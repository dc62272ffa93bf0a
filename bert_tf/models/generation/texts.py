"""Texts in, texts out: what writing takes of a tokenizer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bert_tf.models.generation.settings import Generation

SPECIAL = 2  # [CLS] source [SEP]
LONGEST = 128


def default_settings(length: int, **changes: Any) -> Generation:
    """Greedy, with at most half of the model's `length` tokens for what is written; `changes` win."""
    return Generation(**{"max_length": min(LONGEST, length // 2), **changes})


def never_written(tokenizer: Any) -> tuple[int, ...]:
    """The special tokens that are no part of a text."""
    return (tokenizer.pad_id, tokenizer.unk_id, tokenizer.cls_id, tokenizer.mask_id)


def sources_of(texts: str | Sequence[str], tokenizer: Any, settings: Generation, length: int) -> dict[str, Any]:
    """The inputs of `BertSeq2Seq.generate`: each text cut so that what is written has its place among `length` tokens.

    Raises: ValueError if nothing would be left of a text, if there is no tokenizer, or for what is no text.
    """
    if tokenizer is None:
        raise ValueError(
            "`tokenizer` is needed where `inputs` are texts: generate(texts, tokenizer=BertTokenizer.from_pretrained("
            "...)). Received: tokenizer=None"
        )
    if settings.max_length >= length - SPECIAL:
        raise ValueError(
            f"`max_length` must be less than {length - SPECIAL}, so that there is room for the text that is read: the "
            f"model takes {length} tokens in all. Received: max_length={settings.max_length}"
        )
    inputs = tokenizer(texts, max_length=length - settings.max_length)
    return {name: inputs[name] for name in ("token_ids", "padding_mask")}
