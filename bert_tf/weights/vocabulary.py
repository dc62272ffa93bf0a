"""Does a vocabulary fit the weights? A wrong one gives no error later, only nonsense."""

from __future__ import annotations

from pathlib import Path

from bert_tf.errors import UserError
from bert_tf.weights.checkpoint import Checkpoint
from bert_tf.weights.json_file import read_json

# Some checkpoints have their token table rounded up to a multiple of these, for the hardware's sake.
MULTIPLES = (8, 16, 32, 64, 128)


def check_vocabulary(checkpoint: Checkpoint) -> None:
    """Raises UserError, with both numbers, if the checkpoint's vocabulary is not that of its token table."""
    path = checkpoint.vocabulary
    if path is None:
        return
    tokens = count_tokens(path)
    rows = checkpoint.config["vocabulary_size"]
    if not fits(tokens, rows):
        raise UserError(f"{path} has {tokens} tokens, the weights have {rows}: this vocabulary is not theirs")


def fits(tokens: int, rows: int) -> bool:
    """Whether a vocabulary of so many tokens goes with a table of so many rows."""
    return rows == tokens or rows in {-(-tokens // multiple) * multiple for multiple in MULTIPLES}


def count_tokens(path: Path) -> int:
    """Number of tokens of a vocab.txt with added_tokens.json beside it, or of a tokenizer.json."""
    if path.suffix == ".json":
        raw = read_json(path)
        numbers = [*raw.get("model", {}).get("vocab", {}).values(), *(t["id"] for t in raw.get("added_tokens", ()))]
        return max(numbers, default=-1) + 1
    try:
        with path.open(encoding="utf-8") as file:
            tokens = sum(1 for _ in file)
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not UTF-8: {error.reason} at byte {error.start}") from error
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from error
    added = path.with_name("added_tokens.json")
    return max([tokens - 1, *read_json(added).values()] if added.is_file() else [tokens - 1]) + 1
