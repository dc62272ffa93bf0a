"""Does a tokenizer lower-case? By what files say, then by a name, and at last by the vocabulary; a guess is said."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from pathlib import Path

from bert_tf.errors import UserError

LOG = logging.getLogger(__name__)
BRACKETS = (("[", "]"), ("<", ">"))
# Of the tokens with letters that have a case, those with capitals are 31 % in bert-base-cased, 23 % in
# bert-base-multilingual-cased, and none in the uncased and Chinese ones; others may have a few names.
LOWER, CASED = 0.1, 0.2
ENOUGH = 1000  # tokens with such letters, for their share to mean that a vocabulary is cased
HOW = (
    'lowercase=True or False in Python, --set model.lowercase=true or false on the command line, or "do_lower_case" in '
    "tokenizer_config.json says otherwise"
)


def of_name(name: str) -> bool | None:
    """What a published model's name says: "uncased_L-12_H-768_A-12", "bert-base-cased"; None for other names.

    "multilingual_L-..." and "chinese_L-..." are names of Google's models, which lower-case.
    Reference: google-research/bert `tokenization.py`
    """
    words = re.split(r"[^a-z0-9]+", name.lower())
    if not any(word.endswith("bert") or word.startswith(("bert", "minilm")) for word in words) and "_L-" not in name:
        return None
    if "uncased" in words or name.startswith(("multilingual_L-", "chinese_L-")):
        return True
    return False if "cased" in words else None


def share_of_capitals(tokens: Sequence[str]) -> tuple[float, int]:
    """The share of tokens with capitals among those with letters that have a case, and how many these are."""
    words = [token for token in tokens if (token[:1], token[-1:]) not in BRACKETS]
    count = sum(token.lower() != token.upper() for token in words)
    return sum(token != token.lower() for token in words) / max(count, 1), count


def guess(tokens: Sequence[str], path: Path, names: Sequence[str]) -> bool:
    """Whether a vocabulary that no file speaks of is of lower-cased text, with a warning that says why.

    Args:
        path: the vocabulary's file, for the warning.
        names: of the place it is from, the nearest first.
    Raises: UserError if neither a name nor the tokens tell.
    """
    for name in names:
        by_name = of_name(name)
        if by_name is not None:
            what = "lower-cased" if by_name else "cased"
            LOG.warning("%s: no file says whether it lower-cases; %s, by the name %s. %s", path, what, name, HOW)
            return by_name
    share, count = share_of_capitals(tokens)
    found = f"{100 * share:.1f} % of its {count:,} tokens with such letters have capitals"
    if share < LOWER or (share >= CASED and count >= ENOUGH):
        what = "lower-cased" if share < LOWER else "cased"
        LOG.warning("%s: no file says whether it lower-cases; %s, since %s. %s", path, what, found, HOW)
        return share < LOWER
    raise UserError(
        f"{path}: no file says whether it lower-cases (`do_lower_case`), and its tokens do not tell: {found}, where "
        f"under {100 * LOWER:.0f} % mean that it does, and {100 * CASED:.0f} % of {ENOUGH:,} or more that it does not. "
        f"{HOW[: -len(' says otherwise')]} must say"
    )
