"""What the kinds share that read one column and are to give another: which is which in somebody's files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bert_tf.config import OwnDataConfig
from bert_tf.errors import UserError
from bert_tf.kinds.own_data.columns import Column, column_called, columns_of
from bert_tf.kinds.own_data.given import Given

ROUGE = ("rouge1", "rouge2", "rougeL")  # of summaries


@dataclass(frozen=True)
class Pair:
    """The two columns of a table.

    Args:
        read, written: their names.
        columns: all there are.
    """

    read: str
    written: str
    columns: Mapping[str, Column]


def pair_of(own: OwnDataConfig, given: Given, *, read: Sequence[str], written: Sequence[str]) -> Pair:
    """The columns that --text and --target name, or those that are called so.

    Args:
        read, written: usual names, as `column_called` takes them.
    Raises: UserError for columns that are not there or cannot be told.
    """
    columns = columns_of(given)
    if own.text is not None and len(own.text) > 1:
        raise UserError(f"--text={','.join(own.text)}: expected one column, which is read")
    asked = own.text[0] if own.text else None
    source = column_called(asked, "--text", read, columns, (own.target,), given.origin)
    target = column_called(own.target, "--target", written, columns, (source,), given.origin)
    return Pair(source, target, columns)


def settings_of(own: OwnDataConfig, read: str, written: str, metrics: Sequence[str]) -> dict[str, Any]:
    """Keys of [own_data]: all that one text is to become stays on one side, unless --group says otherwise.

    Args:
        metrics: where none are given.
    """
    return {
        "text": (read,),
        "target": written,
        "group": own.group or (read,),
        "metrics": own.metrics or tuple(metrics),
    }
