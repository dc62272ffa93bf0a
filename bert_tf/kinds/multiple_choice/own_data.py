"""Somebody's own questions with choices: which columns are the choices, and how the right one is called."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

from bert_tf.config import OwnDataConfig
from bert_tf.data import Source
from bert_tf.data.rows.cells import as_number, shown
from bert_tf.errors import UserError
from bert_tf.kinds.base import Kind
from bert_tf.kinds.multiple_choice.cells import FEWEST, Choices, listed
from bert_tf.kinds.multiple_choice.spec import MultipleChoice
from bert_tf.kinds.own_data import Column, Given, Inferred, OwnKind, chosen_text, columns_of, not_there
from bert_tf.kinds.own_data.base import table_source
from bert_tf.kinds.own_data.columns import is_empty, name_of
from bert_tf.kinds.own_data.columns import listed as all_columns

LABEL_NAMES = (
    "label",
    "answer",
    "answerkey",
    "answer_key",
    "correct",
    "correct_answer",
    "right",
    "gold",
    "target",
    "key",
)
CHOICE_NAMES = ("choice", "option", "opt", "ending", "answer", "solution", "sol", "alternative", "candidate", "")
LIST_NAMES = ("choices", "options", "endings", "answers", "alternatives", "candidates")
NUMBERED = re.compile(r"(?P<name>.*?)[ _-]?(?P<number>\d+|[A-Za-z])")
TEXTS = "texts"
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
ROWS_FOR_LENGTHS = 2000


def infer(own: OwnDataConfig, given: Given) -> Inferred:
    """Raises: UserError for columns that are not there or cannot be told, and labels that are none of the choices."""
    columns = columns_of(given)
    choices = own.choices or _choices(columns, given.origin)
    for flag, names in (
        ("--choices", choices),
        ("--text", own.text),
        ("--label", own.label),
        ("--stem", (own.stem,)),
        ("--group", own.group),
    ):
        for name in names or ():
            if name is not None and name not in columns:
                raise not_there(flag, name, columns, given.origin)
    label = own.label[0] if own.label else _label(columns, choices, given.origin)
    text = own.text[0] if own.text else chosen_text(columns, (*choices, label, own.stem), given.origin)
    found = [_of_row(columns, choices, row) for row in range(len(columns[label].cells))]
    named, how = _names(columns[label], found, own, choices)
    settings: dict[str, Any] = {"text": (text,), "stem": own.stem, "choices": choices, "label": (label,)}
    settings |= {
        "classes": named,
        "labels": how,
        "metrics": own.metrics or ("accuracy",),
        "group": own.group or (text,),
    }
    before = [columns[text], *([columns[own.stem]] if own.stem else [])]
    rows = islice(zip(found, *(column.cells for column in before), strict=True), ROWS_FOR_LENGTHS)
    texts = [[str(cells[0]), " ".join([*map(str, cells[1:]), choice])] for of, *cells in rows for choice in of.texts]
    most, fewest = max(len(of.texts) for of in found), min(sum(map(bool, of.texts)) for of in found)
    number = str(most) if most == fewest else f"{fewest} to {most}"
    stem = f", each choice begins with {own.stem!r}" if own.stem else ""
    return Inferred(
        settings=settings,
        lines=[
            f"text: {text!r}; {number} choices in {', '.join(map(repr, choices))}{stem}; the right one: {label!r}",
            f"the right choice is given by {_shown(named, how)}",
        ],
        warnings=_doubts(columns, label, text),
        texts=texts,
    )


def source(own: OwnDataConfig, rows: Source | None) -> Source:
    """Questions on the same text stay on one side."""
    assert own.text
    assert own.label
    return table_source(own, rows, same=own.group or own.text, balance=own.label)


def make(own: OwnDataConfig, rows: Source, sequence_length: int) -> Kind:
    """The task."""
    assert own.text
    assert own.label
    assert own.choices
    assert own.metrics
    in_list = len(own.choices) == 1
    return MultipleChoice(
        source=rows,
        text=own.text[0],
        stem=own.stem,
        choices=own.choices[0] if in_list else own.choices,
        label=own.label[0],
        labels=own.classes,
        label_is_text=own.labels == TEXTS,
        least_choices=FEWEST,
        metrics=own.metrics,
        sequence_length=max(4, sequence_length),
    )


OWN_DATA = OwnKind(
    keys=("text", "stem", "choices", "label", "labels", "classes", "group", "metrics"),
    example="--text=question --choices=a,b,c,d --label=answer",
    infer=infer,
    source=source,
    make=make,
)


def _choices(columns: Mapping[str, Column], origin: str) -> tuple[str, ...]:
    """Columns that are numbered alike, such as choice1 and choice2, or the one that holds lists."""
    lists = [name for name, column in columns.items() if column.is_lists and _are_choices(column)]
    named = [name for name in lists if name.strip().casefold() in LIST_NAMES]
    if len(lists) == 1 or len(named) == 1:
        return tuple(named if len(named) == 1 else lists)
    groups: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for name in columns:
        numbered = NUMBERED.fullmatch(name.strip())
        if numbered is not None:
            number = numbered["number"]
            at = int(number) if number.isdecimal() else LETTERS.index(number.upper())
            groups[numbered["name"].casefold()].append((at, name))
    whole = {name: [column for _, column in sorted(of)] for name, of in groups.items() if _is_counted(of)}
    known = [name for name in CHOICE_NAMES if name in whole]
    if len(known) == 1 or len(whole) == 1:
        return tuple(whole[known[0]] if len(known) == 1 else next(iter(whole.values())))
    came = f"several may be ({'; '.join(', '.join(of) for of in whole.values())})" if whole else "none is numbered so"
    raise UserError(
        f"{origin}: which columns are the choices? Say --choices=ONE,OTHER, or --choices=COLUMN of lists. "
        f"Received: {came}. The columns are {all_columns(columns)}"
    )


def _is_counted(of: Sequence[tuple[int, str]]) -> bool:
    """Whether columns are counted up from 0 or 1, each once."""
    numbers = sorted(number for number, _ in of)
    return len(numbers) >= FEWEST and numbers[0] in (0, 1) and numbers == list(range(numbers[0], numbers[-1] + 1))


def _are_choices(column: Column) -> bool:
    try:
        return all(len(listed(cell).texts) >= FEWEST for cell in column.some)
    except ValueError:
        return False


def _label(columns: Mapping[str, Column], choices: Sequence[str], origin: str) -> str:
    free = {name: column for name, column in columns.items() if name not in choices and not column.is_index}
    named = [name for name in free if name.strip().casefold() in LABEL_NAMES]
    like = named or [name for name, column in free.items() if column.there and not column.is_text
                     and column.distinct <= max(len(LETTERS), len(choices))]  # fmt: skip
    if len(like) == 1:
        return like[0]
    came = f"several may be ({', '.join(like)})" if like else "none looks like it"
    raise UserError(
        f"{origin}: which column says which choice is right? Say --label=COLUMN. Received: {came}. The columns are "
        f"{all_columns(columns)}"
    )


def _of_row(columns: Mapping[str, Column], choices: Sequence[str], row: int) -> Choices:
    """The choices of a row; none where they cannot be read, as whoever reads it again will say so."""
    if len(choices) == 1:
        try:
            return listed(columns[choices[0]].cells[row])
        except ValueError:
            return Choices(("", ""))
    cells = [columns[name].cells[row] for name in choices]
    return Choices(tuple("" if is_empty(cell) else str(cell) for cell in cells))


def _names(
    label: Column, found: Sequence[Choices], own: OwnDataConfig, choices: Sequence[str]
) -> tuple[tuple[str, ...] | None, str | None]:
    """How the right choice is called: names in order, or None for its index, its column or its own name; and "texts".

    Raises: UserError where it may be called in several ways, or in none that is known.
    """
    if own.labels not in (None, TEXTS):
        raise UserError(f"--labels={own.labels} is not for --kind=multiple_choice, which takes texts")
    if own.classes or own.labels == TEXTS:
        return own.classes, own.labels
    most = max(len(of.texts) for of in found)
    values, columns = set(label.counts), set(choices) if len(choices) > 1 else set()
    if values <= columns or all(name_of(cell) in of.names for cell, of in zip(label.cells, found, strict=True)
                                if not is_empty(cell)):  # fmt: skip
        return None, None
    numbers = {as_number(value) for value in values}
    if None not in numbers and all(number is not None and number.is_integer() for number in numbers):
        low, high = (int(choose(number for number in numbers if number is not None)) for choose in (min, max))
        if low == 0 and high < most:
            return None, None
        if low >= 1 and high == most:
            return tuple(map(str, range(1, most + 1))), None
        if low >= 1 and high < most:
            raise UserError(_ambiguous(label, most))
    for letters in (LETTERS, LETTERS.lower()):
        if values <= set(letters[:most]):
            return tuple(letters[:most]), None
    texts = [str(cell).strip() in [text.strip() for text in of.texts]
             for cell, of in zip(label.cells, found, strict=True) if not is_empty(cell)]  # fmt: skip
    if texts and sum(texts) > len(texts) / 2:
        return None, TEXTS
    some = ", ".join(shown(value, 30) for value in list(label.counts)[:5])
    raise UserError(
        f"--label={label.name}: expected the index, letter, column or text of the right choice. Received: {some}; "
        "say what stands for the choices, in order, with --classes=ONE,OTHER"
    )


def _ambiguous(label: Column, most: int) -> str:
    return (
        f"--label={label.name}: expected the index of the right of {most} choices. Received: neither 0 nor {most} "
        f"in any row, so it may be counted from 0 or 1; say --classes={','.join(map(str, range(most)))} or --classes="
        f"{','.join(map(str, range(1, most + 1)))}"
    )


def _shown(named: Sequence[str] | None, how: str | None) -> str:
    if how == TEXTS:
        return "its text"
    return ", ".join(named) if named else "its index from 0, its column or its name in the row"


def _doubts(columns: Mapping[str, Column], label: str, text: str) -> list[str]:
    rows = len(columns[label].cells)
    return [
        f"rows without {name!r}: {columns[name].empty:,} of {rows:,}" for name in (text, label) if columns[name].empty
    ]
