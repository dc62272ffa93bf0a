"""Answers written as JSON lines, a JSON array, CSV or TSV, by the suffix of the file's name."""

from __future__ import annotations

import csv
import json
import math
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from bert_tf.errors import UserError

ERROR = "error"


class Answers:
    """Where answers go, one after another; as a context it writes what is left to write, unless an error ends it.

    Args:
        out: the file.
    Attributes:
        is_table: whether they are rows of a table.
    """

    is_table = False

    def __init__(self, out: IO[str]) -> None:
        self.out = out

    def write(self, answer: Mapping[str, Any]) -> None:
        """Writes one answer, or keeps it for `finish`."""
        raise NotImplementedError

    def finish(self) -> None:
        """Writes what is left to write."""

    def release(self) -> None:
        """Lets go of what it holds."""

    def __enter__(self) -> Answers:
        return self

    def __exit__(self, kind: type[BaseException] | None, *of_error: object) -> None:
        try:
            if kind is None:
                self.finish()
        finally:
            self.release()


class JsonLinesAnswers(Answers):
    """An object a line."""

    def write(self, answer: Mapping[str, Any]) -> None:
        self.out.write(_json(answer) + "\n")


class JsonAnswers(Answers):
    """One array of objects, each on a line."""

    count = 0

    def write(self, answer: Mapping[str, Any]) -> None:
        self.out.write((",\n" if self.count else "[\n") + _json(answer))
        self.count += 1

    def finish(self) -> None:
        self.out.write("\n]\n" if self.count else "[]\n")


class TableAnswers(Answers):
    """A row an answer, below a header; cells are quoted where they hold separators, quotes or line ends.

    A dict of numbers or texts is a column for each, `probabilities.positive`; other dicts and lists are JSON in a cell;
    nothing is an empty cell. The columns are known when all answers are, so they wait in a temporary file.

    Args:
        out: where it goes.
        separator: what stands between cells.
    """

    is_table = True

    def __init__(self, out: IO[str], separator: str) -> None:
        super().__init__(out)
        self.separator = separator
        self.columns: dict[str, None] = {}
        self.waiting = tempfile.TemporaryFile("w+", encoding="utf-8", errors="surrogatepass")  # noqa: SIM115

    def write(self, answer: Mapping[str, Any]) -> None:
        row = _flat(answer)
        self.columns.update(dict.fromkeys(row))
        self.waiting.write(json.dumps(row) + "\n")

    def finish(self) -> None:
        columns = [name for name in self.columns if name != ERROR] + [ERROR] * (ERROR in self.columns)
        writer = csv.DictWriter(self.out, columns, delimiter=self.separator, lineterminator="\n")
        self.waiting.seek(0)
        writer.writeheader()
        for line in self.waiting:
            writer.writerow({name: _utf8(cell) for name, cell in json.loads(line).items()})

    def release(self) -> None:
        self.waiting.close()


WRITERS: Mapping[str, Callable[[IO[str]], Answers]] = {
    ".jsonl": JsonLinesAnswers,
    ".ndjson": JsonLinesAnswers,
    ".json": JsonAnswers,
    ".csv": lambda out: TableAnswers(out, ","),
    ".tsv": lambda out: TableAnswers(out, "\t"),
}


def rows_of(answer: Mapping[str, Any], name: str) -> Iterator[dict[str, Any]]:
    """A row for each object of the list `name` in an answer: what the answer has besides, then the object's parts, such
    as `entities.label`. One row without these where the list is empty, or is not there: an input is never lost.

    >>> answer = {"text": "Ann, Bob", "entities": [{"text": "Ann", "label": "PER"}, {"text": "Bob", "label": "PER"}]}
    >>> [row["entities.text"] for row in rows_of(answer, "entities")]
    ['Ann', 'Bob']
    """
    rest = {key: value for key, value in answer.items() if key != name}
    objects = answer.get(str(name)) or [{}]
    for one in objects:
        yield {**rest, **{f"{name}.{key}": value for key, value in one.items()}}


def with_own_names(answer: Mapping[str, Any], names: Sequence[tuple[str, str]]) -> Mapping[str, Any]:
    """An answer whose texts are called as their file calls them, where no other part of it has that name.

    Args:
        names: of each text, first and second, what the task calls it and what the file does.

    >>> with_own_names({"text": "Late again", "label": "delivery"}, [("message", "message")])
    {'message': 'Late again', 'label': 'delivery'}
    """
    called = {}
    for (ours, own), usual in zip(names, ("text", "pair"), strict=False):
        key = ours if ours in answer else usual
        if key in answer and own not in answer:
            called[key] = own
    return {called.get(key, key): value for key, value in answer.items()}


def as_rows(
    answers: Answers, name: str | None, names: Sequence[tuple[str, str]] = ()
) -> Callable[[Mapping[str, Any], Mapping[str, Any]], None]:
    """What writes an answer after the other columns of its input; with `name` a row for each object of that list.

    Args:
        names: as `with_own_names` takes them, for tables: there the columns of the input are kept.
    Raises, when it is called: UserError for an answer without that list.
    """
    names = names if answers.is_table else ()

    def whole(answer: Mapping[str, Any], others: Mapping[str, Any]) -> None:
        answers.write({**others, **with_own_names(answer, names)})

    def rows(answer: Mapping[str, Any], others: Mapping[str, Any]) -> None:
        objects = answer.get(str(name))
        if ERROR not in answer and not (isinstance(objects, list) and all(isinstance(one, dict) for one in objects)):
            lists = [key for key, value in answer.items() if isinstance(value, list)]
            came = f"with the lists {', '.join(lists)}" if lists else "without any list"
            raise UserError(f"--rows-of={name}: expected a list of objects that answers have. Received: answers {came}")
        for row in rows_of({**others, **with_own_names(answer, names)}, str(name)):
            answers.write(row)

    return whole if name is None else rows


def writer_of(name: str | None, *, flag: str = "--output") -> Callable[[IO[str]], Answers]:
    """What writes answers to a file of this name; JSON lines where it is None or has no suffix.

    Raises: UserError for a suffix that none of them has.
    """
    suffix = Path(name).suffix.lower() if name is not None else ""
    if suffix and suffix not in WRITERS:
        raise UserError(
            f"{flag}={name}: expected a file ending in {', '.join(WRITERS)}, which says how answers are written, or "
            f"one without a suffix, for JSON lines. Received: {suffix}"
        )
    return WRITERS[suffix] if suffix else JsonLinesAnswers


def _json(answer: Mapping[str, Any]) -> str:
    try:
        line = json.dumps(answer, ensure_ascii=False, default=str, allow_nan=False)
    except ValueError:  # a column has NaN, as pandas marks what is not there: JSON has no word for it but null
        answer = _finite(answer)
        line = json.dumps(answer, ensure_ascii=False, default=str)
    try:
        line.encode()
    except UnicodeEncodeError:  # a column that cannot be UTF-8: JSON can say it in ASCII
        return json.dumps(answer, default=str)
    return line


def _finite(value: Any) -> Any:
    """The same with null for numbers that JSON does not have."""
    if isinstance(value, Mapping):
        return {name: _finite(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _flat(answer: Mapping[str, Any]) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for name, value in answer.items():
        if isinstance(value, Mapping) and all(isinstance(part, (str, int, float)) for part in value.values()):
            row |= {_utf8(f"{name}.{key}"): _cell(part) for key, part in value.items()}
        else:
            row[_utf8(name)] = _cell(value)
    return row


def _cell(value: Any) -> Any:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, (bool, list, tuple, Mapping)):
        return _json(value)  # type: ignore[arg-type]
    return value if isinstance(value, (str, int, float)) else str(value)


def _utf8(cell: Any) -> Any:
    return cell.encode(errors="backslashreplace").decode() if isinstance(cell, str) and not cell.isascii() else cell
