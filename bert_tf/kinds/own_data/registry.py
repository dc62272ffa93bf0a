"""The kinds that make tasks of somebody's own files, by the names of their folders."""

from __future__ import annotations

import importlib
from pathlib import Path

from bert_tf.errors import UserError, did_you_mean
from bert_tf.kinds.own_data.base import OwnKind

KINDS = Path(__file__).resolve().parent.parent
FILE = "own_data"


def own_kinds() -> list[str]:
    """Names of the folders of kinds that have an `own_data.py`.

    >>> "classification" in own_kinds()
    True
    """
    return sorted(path.parent.name for path in KINDS.glob(f"*/{FILE}.py"))


def own_kind(name: str) -> OwnKind:
    """What a kind says of somebody's own data. Raises: UserError for a name that is none, with the nearest."""
    names = own_kinds()
    if name not in names:
        raise UserError(f"--kind={name}: expected one of {', '.join(names)}.{did_you_mean(name, names)}")
    return importlib.import_module(f"bert_tf.kinds.{name}.{FILE}").OWN_DATA
