"""What a column of somebody's file looks like, and which one is meant where nobody says so."""

from __future__ import annotations

import ast
import functools
import json
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

from bert_tf.data.rows.cells import as_number, is_missing, plain, shown
from bert_tf.errors import UserError, did_you_mean
from bert_tf.kinds.own_data.given import Given

LOOKED_AT = 2000  # cells of a column, by which it is told what it looks like
TEXT_NAMES = (
    *("text", "texts", "sentence", "message", "review", "comment", "comment_text", "content", "body", "document"),
    *("utterance", "tweet", "description", "question", "premise", "ctx", "context"),
)
LIST_BEGINS, LIST_ENDS = ("[", "(", "{"), ("]", ")", "}")
WORDS_OF_TEXT = 3.0  # on average, from which on cells look like text
LETTERS_OF_TEXT = 8.0  # the same where words are not parted by spaces
MOST_WORDS_OF_NAME = 4
INDEX = re.compile(r"(unnamed: \d+|index|id|idx|row|uuid|guid|.*_id)", re.IGNORECASE)
DATE = re.compile(r"\d{1,4}[-./]\d{1,2}[-./]\d{1,4}([ T].*)?")
DECIMAL_COMMA = re.compile(r"\s*[-+]?\d+(,\d+)?\s*")
WHOLE_NUMBER = re.compile(r"-?(0|[1-9]\d*)\.0+")
LONGEST_NUMBER = 24  # characters
LINK = re.compile(r"\w+://\S+")
SPACELESS = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u3040-\u30ff\u3400-\u9fff]")


@dataclass(frozen=True)
class Column:
    """A column and what it looks like.

    Args:
        name: its name.
        cells: its cells.

    >>> column = Column("mark", ["1", "2", "1", ""])
    >>> column.is_numbers, column.distinct, column.looks
    (True, 2, '2 different whole numbers, 1 empty')
    """

    name: str
    cells: Sequence[Any]

    @cached_property
    def there(self) -> list[Any]:
        """The cells that are not empty."""
        return [value for value in map(_unwrapped, self.cells) if not is_empty(value)]

    @cached_property
    def some(self) -> list[Any]:
        """A part of them, from all over the column."""
        return self.there[:: max(1, len(self.there) // LOOKED_AT)]

    @cached_property
    def empty(self) -> int:
        return len(self.cells) - len(self.there)

    @cached_property
    def counts(self) -> Counter[str]:
        """How often each value occurs, as text without spaces around it."""
        return Counter(name_of(value) for value in self.there)

    @property
    def distinct(self) -> int:
        return len(self.counts)

    @cached_property
    def is_numbers(self) -> bool:
        return bool(self.some) and all(as_number(value) is not None for value in self.there)

    @cached_property
    def has_decimal_commas(self) -> bool:
        """Whether all are numbers as many countries write them, at least one of them with a fraction."""
        texts = [value for value in self.there if isinstance(value, str)]
        return any("," in text for text in texts) and all(DECIMAL_COMMA.fullmatch(text) for text in texts)

    @cached_property
    def is_lists(self) -> bool:
        """Whether cells are lists, or written as some."""
        if any(isinstance(value, list | tuple | Mapping) for value in self.some):
            return True
        return bool(self.some) and all(isinstance(value, str) and as_list(value) is not None for value in self.some)

    @cached_property
    def is_index(self) -> bool:
        """Whether it tells rows apart and no more: as many values as rows, under such a name, or counted up."""
        if self.distinct < len(self.there) or self.is_text:
            return False
        if INDEX.fullmatch(self.name.strip()):
            return True
        numbers = [as_number(value) for value in self.there]
        steps = {b - a for a, b in pairwise(numbers) if a is not None and b is not None}
        return None not in numbers and len(numbers) > 2 and steps == {1.0}

    @cached_property
    def is_text(self) -> bool:
        """Whether its cells are sentences, or words enough to be some."""
        texts = [value for value in self.some if isinstance(value, str)]
        if len(texts) < len(self.some) or not texts or self.is_numbers:
            return False
        if all(DATE.fullmatch(text.strip()) or LINK.fullmatch(text.strip()) for text in texts):
            return False
        if self.distinct <= max(1, len(self.there) // 2) and self.distinct < 50 and self.words < 2 * WORDS_OF_TEXT:
            return False  # a few values again and again are classes
        spaceless = sum(len(SPACELESS.findall(text)) for text in texts) / len(texts)
        return self.words >= WORDS_OF_TEXT or spaceless >= LETTERS_OF_TEXT

    @cached_property
    def words(self) -> float:
        """Words of a cell, on average."""
        texts = [value for value in self.some if isinstance(value, str)]
        return sum(len(text.split()) for text in texts) / max(len(texts), 1)

    @property
    def looks(self) -> str:
        """What it looks like, in words."""
        empty = f", {self.empty:,} empty" if self.empty else ""
        if not self.there:
            return "empty"
        if self.is_lists:
            return f"lists, such as {shown(self.there[0], 40)}{empty}"
        if self.is_text:
            return f"text, {self.words:.0f} words on average{empty}"
        if self.is_index:
            return f"a number or name of each row{empty}"
        if self.has_decimal_commas:
            return f"{self.distinct:,} different numbers with commas{empty}"
        if self.is_numbers:
            whole = all(float(as_number(value) or 0).is_integer() for value in self.there)
            return f"{self.distinct:,} different {'whole ' * whole}numbers{empty}"
        few = [name for name, _ in self.counts.most_common(3)]
        more = ", ..." if self.distinct > len(few) else ""
        return f"{self.distinct:,} different: {', '.join(shown(name, 30) for name in few)}{more}{empty}"


def as_list(cell: Any) -> Any:
    """A list, as it is or as JSON or Python writes it; None for anything else."""
    if isinstance(cell, list | tuple):
        return list(cell)
    if isinstance(cell, str) and cell.strip()[:1] in LIST_BEGINS and cell.strip()[-1:] in LIST_ENDS:
        for read in (json.loads, ast.literal_eval):
            try:
                found = read(cell)
            except (ValueError, SyntaxError, MemoryError, RecursionError):
                continue
            return list(found) if isinstance(found, list | tuple | set) else None
    return None


def _unwrapped(cell: Any) -> Any:
    """A cell as Python has it; lists stay lists."""
    if getattr(cell, "ndim", 0) == 1:
        return cell.tolist()
    return cell if isinstance(cell, list | tuple) else plain(cell)


def is_empty(cell: Any) -> bool:
    """Whether there is nothing in a cell."""
    return is_missing(cell) or (isinstance(cell, str) and not cell.strip())


def name_of(cell: Any) -> str:
    """A cell as the name of a class: whole numbers without a fraction, truth as files have it.

    >>> name_of(1.0), name_of("1.0"), name_of(True), name_of(" good ")
    ('1', '1', 'true', 'good')
    """
    if isinstance(cell, str):
        return cell.strip() if len(cell) > LONGEST_NUMBER else _name_of_text(cell)
    value = plain(cell)
    if isinstance(value, bool):
        return str(value).lower()
    number = as_number(value) if not isinstance(value, str) else None
    return str(int(number)) if number is not None and number.is_integer() else str(value).strip()


@functools.lru_cache(maxsize=1 << 16)
def _name_of_text(cell: str) -> str:
    word = cell.strip()
    return word.partition(".")[0] if WHOLE_NUMBER.fullmatch(word) is not None else word


def columns_of(given: Given) -> dict[str, Column]:
    """The columns of the training rows, by name."""
    return {name: Column(name, cells) for name, cells in given.columns.items()}


def listed(columns: Mapping[str, Column]) -> str:
    """All columns and what each looks like, in one line; and that names look like data, where they do."""
    odd = [name for name in columns if len(name.split()) > MOST_WORDS_OF_NAME or as_number(name) is not None]
    hint = f". The first line is taken for names of columns, and {shown(odd[0], 40)} looks like data" if odd else ""
    return "; ".join(f"{name!r}: {column.looks}" for name, column in columns.items()) + hint


def not_there(flag: str, name: str, columns: Mapping[str, Column], origin: str) -> UserError:
    """The error for a column that somebody named and the data has not."""
    return UserError(f"{flag}={name}: {origin} has no such column.{did_you_mean(name, columns)} {_there(columns)}")


def column_called(
    asked: str | None,
    flag: str,
    names: Sequence[str],
    columns: Mapping[str, Column],
    taken: Collection[str | None],
    origin: str,
) -> str:
    """The column that somebody named, or the first that is called as such columns are, or the only text left.

    Args:
        names: usual names of such a column, in lower case, the best first.
        taken: columns that are something else.
    Raises: UserError that lists the columns where there is none.
    """
    if asked is not None:
        if asked not in columns:
            raise not_there(flag, asked, columns, origin)
        return asked
    free = {name: column for name, column in columns.items() if name not in taken}
    called = {name.strip().casefold(): name for name in free}
    found = next((called[name] for name in names if name in called), None)
    texts = [name for name, column in free.items() if column.is_text]
    if found is not None or len(texts) == 1:
        return found or texts[0]
    came = f"none called {', '.join(names[:4])} or the like"
    raise UserError(f"{origin}: which column is it? Say {flag}=COLUMN. Received: {came}. {_there(columns)}")


def chosen_text(columns: Mapping[str, Column], taken: Collection[str | None], origin: str, flag: str = "--text") -> str:
    """The one column that looks like text, or the only one of them that is called so.

    Args:
        taken: columns that are something else.
    Raises: UserError that lists the columns where it could be none or several.
    """
    free = {name: column for name, column in columns.items() if name not in taken}
    texts = [name for name, column in free.items() if column.is_text]
    named = [name for name in texts if name.strip().casefold() in TEXT_NAMES]
    if len(texts) == 1:
        return texts[0]
    if len(named) == 1:
        return named[0]
    if not texts:  # short ones: by their name alone
        named = [name for name, column in free.items()
                 if name.strip().casefold() in TEXT_NAMES and not column.is_numbers]  # fmt: skip
        rest = [name for name, column in free.items() if not (column.is_numbers or column.is_index or column.is_lists)]
        if len(named) == 1 or len(rest) == 1:
            return (named if len(named) == 1 else rest)[0]
    came = f"several columns look like text ({', '.join(texts)})" if texts else "no column looks like text"
    raise UserError(f"{origin}: which column has the text? Say {flag}=COLUMN. Received: {came}. {_there(columns)}")


def _there(columns: Mapping[str, Column]) -> str:
    return f"The columns are {listed(columns)}"
