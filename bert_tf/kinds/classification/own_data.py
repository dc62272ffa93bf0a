"""Classification of somebody's own texts: which column is what, and what the labels are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bert_tf.config import OwnDataConfig
from bert_tf.config.own_data import parts_of
from bert_tf.data import Source
from bert_tf.data.rows.cells import shown
from bert_tf.data.splits.draw import text_key
from bert_tf.errors import UserError
from bert_tf.kinds.base import Kind
from bert_tf.kinds.classification.multi_label import MultiLabel
from bert_tf.kinds.classification.own_labels import (
    CLASSES,
    NO_CLASS,
    NUMBERS,
    SEVERAL,
    Labels,
    doubts,
    is_uneven,
    labels_of,
    of_columns,
)
from bert_tf.kinds.classification.regression import Regression
from bert_tf.kinds.classification.single_label import Classification
from bert_tf.kinds.own_data import Column, Given, Inferred, OwnKind, chosen_text, columns_of, not_there
from bert_tf.kinds.own_data.base import table_source
from bert_tf.kinds.own_data.columns import is_empty, listed, name_of

LABEL_NAMES = (
    *("label", "labels", "class", "category", "categories", "target", "sentiment", "intent", "topic", "tag", "tags"),
    *("y", "score", "rating", "emotion", "stars", "genre", "is_spam", "is_duplicate"),
)
MOST_LISTED = 20


def infer(own: OwnDataConfig, given: Given) -> Inferred:
    """Raises: UserError for columns that are not there or cannot be told, and labels that teach nothing."""
    columns = columns_of(given)
    text, label = _columns(own, columns, given.origin)
    if len(label) != 1:
        if own.labels not in (None, SEVERAL):
            raise UserError(
                f"--labels={own.labels}: one column of labels is needed. Received: --label={','.join(label)}"
            )
        labels = of_columns([columns[name] for name in label])
    else:
        labels = labels_of(
            columns[label[0]],
            asked=own.labels,
            classes=own.classes,
            separator=own.separator,
            decimal=own.decimal,
        )
    _check_header(columns, text, label, given.origin)
    rows = len(columns[text[0]].cells)
    settings: dict[str, Any] = {"text": text[:1], "pair": text[1] if len(text) == 2 else None, "label": label}
    settings |= {"group": own.group or text, "labels": labels.what, "metrics": own.metrics or _metrics(labels)}
    if labels.what == NUMBERS:
        settings["decimal"] = labels.decimal
    else:
        settings |= {"classes": labels.classes, "separator": labels.separator}
    texts = [[cell for cell in cells if isinstance(cell, str)]
             for cells in zip(*(columns[name].cells for name in text), strict=True)]  # fmt: skip
    return Inferred(
        settings=settings,
        lines=[f"text: {' and '.join(map(repr, text))}; label: {_shown_label(label)}", _line(labels)],
        warnings=[*doubts(labels, rows), *_empty(columns, text, label, labels), *_copies(columns, text, label, labels)],
        texts=[parts for parts in texts if parts],
        takes_windows=True,
    )


def source(own: OwnDataConfig, rows: Source | None) -> Source:
    """Copies of a text stay on one side, and each class has its share on both."""
    assert own.text
    assert own.label
    same = own.group or (*own.text, *([own.pair] if own.pair else []))
    return table_source(own, rows, same=same, balance=() if own.labels == NUMBERS else own.label)


def make(own: OwnDataConfig, rows: Source, sequence_length: int) -> Kind:
    """The task, of one class, several labels or a number."""
    assert own.text
    assert own.label
    assert own.metrics
    shared: dict[str, Any] = {"source": rows, "text": (*own.text, *([own.pair] if own.pair else []))}
    shared |= {"sequence_length": sequence_length, "metrics": own.metrics}
    if own.labels == NUMBERS:
        return Regression(label=own.label[0], decimal=own.decimal or ".", **shared)
    assert own.classes is not None
    if own.labels == SEVERAL:
        one = own.label[0] if len(own.label) == 1 else None
        return MultiLabel(label=one, separator=own.separator or ",", classes=own.classes, **shared)
    return Classification(label=own.label[0], classes=own.classes, **shared)


OWN_DATA = OwnKind(
    keys=("text", "pair", "label", "labels", "classes", "separator", "decimal", "group", "metrics"),
    example="--text=message --label=category",
    infer=infer,
    source=source,
    make=make,
)


def _columns(own: OwnDataConfig, columns: Mapping[str, Column], origin: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The columns of texts, one or two, and of labels."""
    text, label = (_whole(names, columns) for names in (own.text, own.label))
    for flag, names in (
        ("--text", text),
        ("--pair", own.pair and (own.pair,)),
        ("--label", label),
        ("--group", own.group),
    ):
        for name in names or ():
            if name not in columns:
                raise not_there(flag, name, columns, origin)
    if text is not None and len(text) > 1:
        raise UserError(f"--text={','.join(text)}: expected one column; a second text is for --pair=COLUMN")
    if label is None:
        label = (_label(columns, (*(text or ()), own.pair), origin),)
    if text is None:
        text = (chosen_text(columns, (*label, own.pair), origin),)
    used = (*text, *([own.pair] if own.pair else []), *label)
    if len(set(used)) < len(used):
        raise UserError(f"--text, --pair and --label must be different columns. Received: {', '.join(used)}")
    return used[: len(used) - len(label)], label


def _check_header(columns: Mapping[str, Column], text: Sequence[str], label: Sequence[str], origin: str) -> None:
    """Raises: UserError where the names of the columns are a text and its label."""
    if len(label) == 1 and label[0] in columns[label[0]].counts and any(len(name.split()) > 2 for name in text):
        raise UserError(
            f"{origin}: expected a first line that names the columns, such as text,label. Received: one that is "
            f"data: {shown(text[0], 60)}, {label[0]!r}"
        )


def _whole(names: tuple[str, ...] | None, columns: Mapping[str, Column]) -> tuple[str, ...] | None:
    """Names that commas parted, unless a column is called so as a whole."""
    whole = next((name for name in columns if len(names or ()) > 1 and parts_of(name) == names), None)
    return names if whole is None else (whole,)


def _label(columns: Mapping[str, Column], taken: Sequence[str | None], origin: str) -> str:
    """The only column that is called as labels are, or else the only one that looks like some."""
    free = {name: column for name, column in columns.items() if name not in taken and not column.is_index}
    named = [name for name in free if name.strip().casefold() in LABEL_NAMES]
    if len(named) == 1:
        return named[0]
    like = [name for name, column in free.items() if column.there and not column.is_text and _like_labels(column)]
    if not named and not like:  # the only one left
        like = [name for name, column in free.items() if column.there and (not column.is_text or len(free) == 1)]
    like = named or like
    if len(like) == 1:
        return like[0]
    came = f"several may be ({', '.join(like)})" if like else "none looks like labels"
    each = ",".join(like) if like and all(set(columns[name].counts) <= {"0", "1"} for name in like) else "ONE,OTHER"
    raise UserError(
        f"{origin}: which column says what is right? Say --label=COLUMN, or --label={each} where each label has a "
        f"column of 0 and 1. Received: {came}. The columns are {listed(columns)}"
    )


def _like_labels(column: Column) -> bool:
    return column.distinct <= len(column.there) / 2 or column.is_numbers or column.has_decimal_commas or column.is_lists


def _metrics(labels: Labels) -> tuple[str, ...]:
    if labels.what == NUMBERS:
        return ("spearman", "pearson")
    if labels.what == SEVERAL:
        return ("f1_micro", "f1_macro")
    return ("accuracy", "f1_macro") if is_uneven(labels) else ("accuracy",)


def _line(labels: Labels) -> str:
    if labels.what == NUMBERS:
        comma = ", with a comma" if labels.decimal == "," else ""
        return f"labels are numbers ({labels.why}{comma}); --labels=classes says otherwise"
    what = "classes" if labels.what == CLASSES else "labels, any number of them a text"
    names = labels.classes[:MOST_LISTED]
    listed = ", ".join(f"{name} ({labels.counts.get(name, 0):,})" for name in names)
    more = f" and {len(labels.classes) - MOST_LISTED:,} more" if len(labels.classes) > MOST_LISTED else ""
    why = f" ({labels.why})" if labels.why else ""
    return f"{len(labels.classes):,} {what}{why}: {listed}{more}"


def _shown_label(label: Sequence[str]) -> str:
    return ", ".join(map(repr, label[:MOST_LISTED]))


def _empty(columns: Mapping[str, Column], text: Sequence[str], label: Sequence[str], labels: Labels) -> list[str]:
    """How many rows lack something, which stops the reading unless bad rows are left out."""
    rows = len(columns[text[0]].cells)
    needed = (*text, *(() if labels.what == SEVERAL and len(label) == 1 else label))
    empty: dict[str, list[int]] = {}
    for name in needed:
        is_none = is_empty if name in text or labels.what != CLASSES else _says_none(labels)
        empty[name] = [row for row, cell in enumerate(columns[name].cells) if is_none(cell)]
    bad = len({row for found in empty.values() for row in found})
    share = min(1.0, -(-bad * 1000 // rows) / 1000)
    return [
        f"rows without {name!r}: {len(found):,} of {rows:,}, the first of them row {found[0] + 1} of the data; "
        f"--skip-bad-rows={share:g} leaves {'them' if len(found) == bad else f'all {bad:,} bad rows'} out"
        for name, found in empty.items()
        if found
    ]


def _says_none(labels: Labels) -> Callable[[Any], bool]:
    def says(cell: Any) -> bool:
        return is_empty(cell) or (name_of(cell) not in labels.classes and name_of(cell).casefold() in NO_CLASS)

    return says


def _copies(columns: Mapping[str, Column], text: Sequence[str], label: Sequence[str], labels: Labels) -> list[str]:
    """How many texts stand there again, and how many of them with another label."""
    is_none = _says_none(labels) if labels.what == CLASSES else is_empty
    seen: dict[tuple[Any, ...], set[tuple[str, ...]]] = defaultdict(set)
    count: dict[tuple[Any, ...], int] = defaultdict(int)
    for cells in zip(*(columns[name].cells for name in (*text, *label)), strict=True):
        key = tuple(map(text_key, cells[: len(text)]))
        if any(isinstance(part, str) and part for part in key):
            count[key] += 1
            if labels.what == SEVERAL or not any(map(is_none, cells[len(text) :])):
                seen[key].add(tuple(map(name_of, cells[len(text) :])))
    again = [key for key in count if count[key] > 1]
    contradicting = [key for key in again if len(seen[key]) > 1]
    found = []
    if again:
        copies = sum(count[key] for key in again) - len(again)
        found.append(
            f"rows that repeat the text of another: {copies:,}; where validation rows are drawn, they stay on one side"
        )
    if contradicting:
        example = contradicting[0]
        found.append(
            f"texts with contradicting labels: {len(contradicting):,}, such as {shown(example[0], 60)}: "
            f"{', '.join(sorted(shown(' '.join(names), 40) for names in seen[example]))}"
        )
    return found
