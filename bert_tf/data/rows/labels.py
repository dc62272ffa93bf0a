"""Cells that name classes: by name, or by index where no class is called by a number."""

from __future__ import annotations

import ast
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from typing import Any

from bert_tf.data.rows.cells import NoLabelError, as_bool, as_number, is_missing, no_label, plain, shown
from bert_tf.errors import did_you_mean

LISTED_CLASSES = 20
NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?")
SEPARATORS = (",", ";", "|", "/", "\t", " ")
JUXTAPOSED = re.compile(r"""(['"])\s+\1""")  # NumPy's way to print a list of texts, which Python reads as one text


class ClassIndex:
    """Turns a cell into the index of a class.

    A class stands there by its name. Where no name is a number it may also stand by its index, from 0, and where there
    are two classes, or their names say so, true and false are read too. 1, 1.0 and "1" are the same, as are a value
    and a list of it alone. Nothing else is made to fit: neither case nor spelling.

    Args:
        classes: names of the classes.
    Call arguments:
        cell: as read from a file or found in memory.
    Returns: the index.
    Raises: ValueError that says what was expected and what came; `NoLabelError` where the cell says that there is none.
    """

    def __init__(self, classes: Sequence[str]) -> None:
        self.classes = tuple(classes)
        self._names = {name: index for index, name in enumerate(self.classes)}
        values = [_usual_number(name) for name in self.classes]
        self._numbers = {value: index for index, value in enumerate(values) if value is not None}
        if len(self._numbers) < len([value for value in values if value is not None]):
            self._numbers = {}  # "1" and "1.0" are two classes here
        self.has_indices = all(as_number(name) is None for name in self.classes)
        self._bools = {found: i for i, name in enumerate(self.classes) if (found := as_bool(name)) is not None}
        self._seen: Counter[str] = Counter()
        self._indices: set[int] = set()
        self._known = dict(self._names)  # texts of which nothing is to be said again -> index: most cells repeat others

    def __call__(self, cell: Any) -> int:
        if type(cell) is str and cell in self._known:
            return self._known[cell]
        value = plain(cell)
        if isinstance(value, str):
            if value in self._names:
                return self._names[value]
            stripped = value.strip()
            if stripped in self._names:
                self._seen["labels with spaces around them, which are dropped"] += 1
                return self._names[stripped]
            value = stripped
        if no_label(value, self._names):
            raise NoLabelError(f"expected {self._expected()}. Received: {shown(cell)}, which stands for no label")
        truth = as_bool(value)
        if truth is not None:
            return self._of_bool(truth, cell)
        found = _usual_number(value)
        if found is not None and found in self._numbers:
            return self._numbers[found]
        if found is not None and self.has_indices and found.is_integer() and 0 <= found < len(self.classes):
            index = int(found)
            self._indices.add(index)
            if type(cell) is str:
                self._known[cell] = index
            return index
        raise ValueError(f"expected {self._expected()}. Received: {shown(cell)}{self._hint(value, found)}")

    def remarks(self) -> list[str]:
        """What should be said of the cells read so far."""
        said = [f"{what}: {count:,}" for what, count in self._seen.items()]
        if len(self._indices) >= min(len(self.classes) - 1, 2) and 0 not in self._indices:
            said.append(
                f"no label is the index 0 ({self.classes[0]}), and the highest is {max(self._indices)} of 0 to "
                f"{len(self.classes) - 1}: if the file counts its classes from 1, every label is read as the next class"
            )
        return said

    def _of_bool(self, truth: bool, cell: Any) -> int:
        if truth in self._bools:
            return self._bools[truth]
        if float(truth) in self._numbers:
            return self._numbers[float(truth)]
        if self.has_indices and len(self.classes) == 2 and not self._bools:
            self._seen[f"labels written as true or false, read as {self.classes[1]} and {self.classes[0]}"] += 1
            return int(truth)
        raise ValueError(f"expected {self._expected()}. Received: {shown(cell)}")

    def _expected(self) -> str:
        listed = ", ".join(self.classes[:LISTED_CLASSES])
        more = f" and {len(self.classes) - LISTED_CLASSES} more" if len(self.classes) > LISTED_CLASSES else ""
        if not self.has_indices:
            return f"one of {listed}{more} (no indices, as names are numbers)"
        return f"one of {listed}{more}, or an index from 0 to {len(self.classes) - 1}"

    def _hint(self, value: Any, found: float | None) -> str:
        if self.has_indices and found == len(self.classes):
            return "; a file that counts its classes from 1 needs them by name"
        if isinstance(value, str):
            composed = unicodedata.normalize("NFC", value)
            alike = [name for name in self.classes if unicodedata.normalize("NFC", name) == composed]
            if alike:
                return f", which is {alike[0]!a} written as {value!a}: other characters of Unicode for the same letters"
        near = did_you_mean(value, self.classes) if isinstance(value, str) else ""
        same = [name for name in self.classes if isinstance(value, str) and name.casefold() == value.casefold()]
        return f", which is {same[0]!r} in other case.{near}" if same else f".{near}" if near else ""


def _usual_number(value: Any) -> float | None:
    """A number, or a text that writes one as usual: "1" and "1.0", not "01" or "1e0"."""
    return as_number(value) if not isinstance(value, str) or NUMBER.fullmatch(value) else None


class ClassIndices:
    """Turns a cell into the indices of any number of classes, each once: a list, or a text with separators.

    A list may be one of Python, NumPy or JSON, also written as text (`['joy', 'doubt']`); of names, of indices as
    `ClassIndex` has them, or of a 0 or 1 for each class, where it cannot be a list of indices. A separator at the end
    is nothing. Another separator than the one announced is taken where all parts are classes only then, and said.

    Args:
        classes: names of the classes.
        separator: what stands between names in a text.
    Raises: as `ClassIndex`.
    """

    def __init__(self, classes: Sequence[str], separator: str = ",") -> None:
        self.separator = separator
        self._one = ClassIndex(classes)
        self._seen: Counter[str] = Counter()

    def __call__(self, cell: Any) -> tuple[int, ...]:
        parts = self._parts(cell)
        if self._is_of_each(parts, cell):
            return tuple(index for index, part in enumerate(parts) if float(plain(part)) == 1.0)
        try:
            found = [self._one(part) for part in parts]
        except NoLabelError as error:
            raise ValueError(str(error)) from None
        if len(set(found)) != len(found):
            raise ValueError(f"expected each label once. Received: {shown(cell)}")
        return tuple(found)

    def remarks(self) -> list[str]:
        """What should be said of the cells read so far."""
        return [f"{what}: {count:,}" for what, count in self._seen.items()] + self._one.remarks()

    def _parts(self, cell: Any) -> list[Any]:
        if is_missing(cell):
            raise NoLabelError(
                f"expected a list of labels. Received: {shown(cell)}; an empty one stands for none of them"
            )
        if isinstance(cell, str):
            return self._in_text(cell)
        if hasattr(cell, "tolist"):  # NumPy's
            cell = cell.tolist()
        if isinstance(cell, int):
            return [cell]
        if isinstance(cell, (list, tuple, set, frozenset)):
            return list(cell)
        raise ValueError(f"expected a list of labels. Received: {shown(cell)}")

    def _in_text(self, cell: str) -> list[Any]:
        word = cell.strip()
        if not word:
            return []
        if self._is_class(word):
            return [word]
        if word[0] in "[({" and word[-1] in "])}":
            return self._listed(word)
        separator = self.separator
        parts = self._split(word, separator)
        if not all(map(self._is_class, parts)):
            others = [other for other in SEPARATORS if other != separator and other.strip() + other]
            fitting = [other for other in others if len(self._split(word, other)) > 1
                       and all(map(self._is_class, self._split(word, other)))]  # fmt: skip
            if len(fitting) == 1:
                self._seen[f"cells with {fitting[0]!r} between their labels, not {separator!r}"] += 1
                return self._split(word, fitting[0])
            if word.lower() == "none":
                raise ValueError(f"expected labels. Received: {shown(cell)}; an empty cell stands for none of them")
        return parts

    def _split(self, word: str, separator: str) -> list[str]:
        parts = word.split(separator)
        if separator.strip() and len(parts) > 1 and not parts[-1].strip():
            del parts[-1]
        return [part.strip() for part in parts]

    def _is_class(self, word: str) -> bool:
        return word in self._one.classes

    def _listed(self, word: str) -> list[Any]:
        try:
            found = json.loads(word)
        except ValueError:
            try:
                if JUXTAPOSED.search(word):
                    raise ValueError("no commas between texts")
                found = ast.literal_eval(word)
            except (ValueError, SyntaxError, MemoryError, RecursionError):
                raise ValueError(
                    f"expected a list of labels, as JSON or Python writes it. Received: {shown(word)}"
                ) from None
        if not isinstance(found, (list, tuple, set)):
            raise ValueError(f"expected a list of labels. Received: {shown(word)}")
        self._seen["lists of labels that are written as text, read as lists"] += 1
        return sorted(found, key=str) if isinstance(found, set) else list(found)

    def _is_of_each(self, parts: Sequence[Any], cell: Any) -> bool:
        """Whether a list says 0 or 1 of each class. Raises: ValueError where it could be indices as well."""
        classes = len(self._one.classes)
        if len(parts) != classes or not self._one.has_indices or any(isinstance(part, str) for part in parts):
            return False
        values = [as_bool(plain(part)) if isinstance(plain(part), bool) else as_number(plain(part)) for part in parts]
        if any(value is None or not 0 <= value <= 1 for value in values):
            return False
        if any(value not in (0, 1) for value in values):
            raise ValueError(f"expected 0 or 1 of each label: shares of a label are not read. Received: {shown(cell)}")
        if classes <= 2 and len(set(values)) == classes and not any(isinstance(value, bool) for value in values):
            raise ValueError(
                f"expected labels by name: indices, and 0 or 1 of each label, are the same. Received: {shown(cell)}"
            )
        return True


def class_index(classes: Sequence[str]) -> ClassIndex:
    """One of the classes, by its name or its index: see `ClassIndex`."""
    return ClassIndex(classes)


def class_indices(classes: Sequence[str], separator: str = ",") -> ClassIndices:
    """Any number of the classes, each once: see `ClassIndices`."""
    return ClassIndices(classes, separator)
