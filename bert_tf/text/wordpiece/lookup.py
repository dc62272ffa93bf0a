"""tensorflow_text's WordPiece lookup: words to pieces of a vocabulary."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow_text.core.pybinds import pywrap_fast_wordpiece_tokenizer_model_builder as model_builder

# From its own module, so that where the package is read when it is used, the other operators' libraries are not.
from tensorflow_text.python.ops.fast_wordpiece_tokenizer import FastWordpieceTokenizer

PREFIX = "##"


def build_model(vocabulary: Sequence[str], max_word_bytes: int, unk_token: str, *, pretokenized: bool) -> Any:
    """The vocabulary as the op wants it, uint8 [N]. Longer words, and those without pieces, are `unk_token`."""
    buffer = model_builder.build_fast_wordpiece_model(
        list(vocabulary), max_word_bytes, PREFIX, unk_token, pretokenized, False
    )
    return tf.constant(np.frombuffer(bytes(buffer), np.uint8))


def lookup(model: Any, texts: Any) -> tuple[Any, Any, Any]:
    """Returns ragged ids int32, starts and ends in bytes, a row for each text."""
    tokenizer = FastWordpieceTokenizer(model_buffer=model, token_out_type=tf.int32)
    return tokenizer.tokenize_with_offsets(texts)
