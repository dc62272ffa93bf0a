"""How many tokens the tokenizer at a place has."""

from __future__ import annotations

import os
from typing import Any

from bert_tf.text.files import count_tokens, read
from bert_tf.text.files.choice import WORDPIECE, choose


def vocabulary_size(where: str | os.PathLike[str], **reading: Any) -> int:
    """How many tokens there are, added ones included. Only WordPiece's are counted without TensorFlow.

    Args:
        reading: further arguments of `Tokenizer.from_pretrained`.
    Raises: UserError if there is no tokenizer.
    """
    row = choose(where, reading.get("ignore", ()))
    if row is not WORDPIECE:
        return row.tokenizer.from_pretrained(where, **reading).vocabulary_size
    found, _ = read(where, **reading)
    return count_tokens(found)
