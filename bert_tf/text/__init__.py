"""Text into token ids and back: the exact BERT tokenizer as a TensorFlow graph."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bert_tf.text.added_tokens import AddedToken

if TYPE_CHECKING:
    from bert_tf.text.tokenizer import BertTokenizer

__all__ = ["AddedToken", "BertTokenizer"]


def __getattr__(name: str) -> Any:
    if name != "BertTokenizer":
        raise AttributeError(f"module 'bert_tf.text' has no attribute {name!r}")
    from bert_tf.text.tokenizer import BertTokenizer

    return BertTokenizer
