"""Where a run's words are."""

from __future__ import annotations

from pathlib import Path

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
