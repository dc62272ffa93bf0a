"""What a kind says in its `own_data.py`, and what it finds in somebody's rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bert_tf.config import OwnDataConfig
from bert_tf.data import Csv, Source, Splits, Tsv
from bert_tf.data.splits.source import SUFFIXES
from bert_tf.kinds.base import Kind
from bert_tf.kinds.own_data.given import Given


@dataclass(frozen=True, kw_only=True)
class Inferred:
    """What a kind found in somebody's rows.

    Args:
        settings: keys of [own_data] and their values, those that were given included.
        lines: what was inferred, in plain sentences, for whoever trains.
        warnings: what is doubtful in the data.
        texts: the texts of each training example, one or more, in order, by whose lengths the sequence length is
            chosen; None: the kind gives `sequence_length`.
        sequence_length: most tokens of an example, where the kind knows.
        rows: how many training examples there are; None: as many as rows of the table.
        shortest, longest: least and most tokens of an example that the texts' lengths may choose; None: any.
        longer: what becomes of texts that are longer.
        takes_windows: whether the kind can read longer texts in windows, which is what it then does where many are.
    """

    settings: Mapping[str, Any]
    lines: Sequence[str] = ()
    warnings: Sequence[str] = ()
    texts: Sequence[Sequence[str]] | None = None
    sequence_length: int | None = None
    rows: int | None = None
    shortest: int | None = None
    longest: int | None = None
    longer: str = "are cut"
    takes_windows: bool = False


def table_source(own: OwnDataConfig, rows: Source | None = None, **drawing: Any) -> Source:
    """What reads the task's rows from tables of any format, or `rows` in memory, with a part for validation.

    Args:
        drawing: `same` and `balance` of `Splits`.
    """
    is_share = isinstance(own.validation, float)
    tabs = Tsv(files={"train": "train.tsv"})
    files = tabs if own.delimiter == "\t" else Csv(files={"train": "train.csv"}, delimiter=own.delimiter or ",")
    return Splits(
        rows=rows or files,
        validation=None if is_share or own.validation is None else str(own.validation),
        share=float(own.validation) if isinstance(own.validation, float) else 0.0,
        column=own.split_column,
        **drawing,
    )


@dataclass(frozen=True, kw_only=True)
class OwnKind:
    """How a kind makes a task of somebody's own files; nothing of it imports TensorFlow.

    Args:
        keys: those keys of [own_data] that it takes, besides `kind`, and those about validation.
        example: the flags of a usual command, for errors.
        infer: finds what was not given. Raises: UserError for what is not there, or may be several things.
        source: what reads the rows: of files, or of the source in memory that is given.
        make: the task, of settings in which all is decided, its source, and most tokens of an example.
        suffixes: of the files in a folder that are data, without one of packing.
        whole: as `infer`, of data that are no rows with a part for validation to be found by their names, such as a
            folder of BEIR's: then the kind says all, validation included. None: these data are not so.
        takes_patterns: whether the data may be a pattern of files' names.
    """

    keys: tuple[str, ...]
    example: str
    infer: Callable[[OwnDataConfig, Given], Inferred]
    source: Callable[[OwnDataConfig, Source | None], Source] = field(default=table_source)
    make: Callable[[OwnDataConfig, Source, int], Kind]
    suffixes: tuple[str, ...] = SUFFIXES
    whole: Callable[[OwnDataConfig, Given], Inferred | None] = field(default=lambda own, given: None)
    takes_patterns: bool = False
