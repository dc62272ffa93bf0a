"""Does a vocabulary fit the weights? A wrong one gives no error later, only nonsense."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from bert_tf.errors import UserError
from bert_tf.weights.checkpoint import Checkpoint
from bert_tf.weights.json_file import read_json
from bert_tf.weights.vocabulary_file import read_vocabulary

# For the hardware's sake tables are rounded up to a multiple of these, now and then after some rows were put by for
# words that never came. Still more rows, or a table that is not rounded, are another vocabulary's.
MULTIPLES = (8, 16, 32, 64, 128)
LOG = logging.getLogger(__name__)


class Sizes(NamedTuple):
    """least: rows that a token table must have, for the vocabulary itself; most: those with every added token."""

    least: int
    most: int


def check_vocabulary(checkpoint: Checkpoint) -> None:
    """Raises UserError, with both numbers, if the checkpoint's vocabulary is not that of its token table."""
    path = checkpoint.vocabulary
    if path is None:
        return
    sizes = count_tokens(path)
    rows = checkpoint.config["vocabulary_size"]
    if not fits(sizes, rows):
        raise UserError(f"{path} has {sizes.most} tokens, the weights have {rows}: this vocabulary is not theirs")
    if rows > sizes.most and rows not in {-(-sizes.most // multiple) * multiple for multiple in MULTIPLES}:
        LOG.warning("%s has %d tokens, the weights have %d: the others stand for no token", path, sizes.most, rows)
    if rows < sizes.most:
        LOG.warning("%s has %d tokens, the weights have %d: texts must not have the others", path, sizes.most, rows)


def fits(sizes: Sizes, rows: int) -> bool:
    """Whether a vocabulary goes with a table of so many rows: added tokens may have none yet."""
    rounded = rows % MULTIPLES[0] == 0 and 0 <= rows - sizes.most < MULTIPLES[-1]
    return sizes.least <= rows <= sizes.most or rounded


def count_tokens(path: Path) -> Sizes:
    """How many tokens a vocab.txt or tokenizer.json has, with what its folder says was added."""
    folder, lines = path.parent, []
    if path.suffix != ".json":
        lines = list(read_vocabulary(path, quiet=True))
    own, tokens = len(lines), set(lines)
    while lines and not lines[-1]:  # No text gives these, so a table need not have them.
        lines.pop()
    least, numbers = len(lines), [own - 1]
    raw = read_json(folder / "tokenizer.json") if (folder / "tokenizer.json").is_file() else {}
    ids = model.get("vocab") if isinstance(model := raw.get("model"), dict) else None
    if isinstance(ids, list):  # of pieces and their scores: SentencePiece's unigram
        ids = {piece[0]: i for i, piece in enumerate(ids) if isinstance(piece, list) and piece}
    if isinstance(ids, dict) and ids:
        own = least = max(ids.values()) + 1  # counts for more than a vocab.txt
        numbers = [own - 1, *(token["id"] for token in raw.get("added_tokens") or ())]
        tokens = {*ids, *(token.get("content") for token in raw.get("added_tokens") or ())}
    named: set[str] = set()
    for name, key in (("added_tokens.json", None), ("tokenizer_config.json", "added_tokens_decoder")):
        if (folder / name).is_file():
            found = read_json(folder / name)
            added = found if key is None else found.get(key) or {}
            numbers += map(int, added.values() if key is None else added)
            tokens |= set(added if key is None else map(_content, added.values()))
            named |= set() if key is None else _named(found)
    if (folder / "special_tokens_map.json").is_file():
        named |= _named(read_json(folder / "special_tokens_map.json"))
    return Sizes(least, max(numbers) + 1 + len(named - tokens))


def _named(settings: Mapping[str, Any]) -> set[str]:
    """The special tokens that a tokenizer's settings name: those that are no tokens yet get ids behind all others."""
    found = [value for key, value in settings.items() if key.endswith("_token")]
    for key in ("additional_special_tokens", "extra_special_tokens"):
        value = settings.get(key) or ()
        found += value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    return {content for content in map(_content, found) if isinstance(content, str)}


def _content(token: Any) -> Any:
    return token.get("content") if isinstance(token, Mapping) else token
