"""Text into token ids and back: exact tokenizers as TensorFlow graphs, one class an algorithm."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from bert_tf.text.added_tokens import AddedToken

if TYPE_CHECKING:
    from bert_tf.text.byte_pairs.tokenizer import BytePairTokenizer
    from bert_tf.text.sentence_pieces.tokenizer import SentencePieceTokenizer
    from bert_tf.text.tokenizer import Tokenizer
    from bert_tf.text.wordpiece.tokenizer import BertTokenizer

__all__ = ["AddedToken", "BertTokenizer", "BytePairTokenizer", "SentencePieceTokenizer", "Tokenizer"]

_HOMES = {
    "BertTokenizer": "bert_tf.text.wordpiece.tokenizer",
    "BytePairTokenizer": "bert_tf.text.byte_pairs.tokenizer",
    "SentencePieceTokenizer": "bert_tf.text.sentence_pieces.tokenizer",
    "Tokenizer": "bert_tf.text.tokenizer",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'bert_tf.text' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
