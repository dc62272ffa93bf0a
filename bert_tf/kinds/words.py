"""Where a run's words are, and how they are read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bert_tf.config import RunConfig
from bert_tf.errors import UserError


def words_of(backbone: str, vocabulary: str | None) -> str:
    """Where the words are: a checkpoint has its own, a size is given some."""
    from bert_tf.models import SIZES

    if backbone in SIZES and not Path(backbone).exists():
        return vocabulary or "minilm"
    if vocabulary is not None:
        raise UserError(
            f"'vocabulary' is for a backbone with random weights ({', '.join(SIZES)}); {backbone} has its own words. "
            f"Received: {vocabulary}"
        )
    return backbone


OF_TOKENIZER = ("lowercase", "ignore_tokenizer")


def reading_of(config: RunConfig) -> dict[str, Any]:
    """What a run says of how its tokenizer's files are read: arguments of `BertTokenizer.from_pretrained`."""
    ignore = {"ignore": config.model.ignore_tokenizer}
    return ignore if config.model.lowercase is None else ignore | {"lowercase": config.model.lowercase}
