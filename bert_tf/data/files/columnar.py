"""Parquet files and Excel workbooks, through pyarrow and openpyxl, which are extras."""

from __future__ import annotations

import datetime
import importlib
import io
import json
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bert_tf.data.files.names import each_renamed, fits, renamed
from bert_tf.data.files.open_file import PARQUET, ZIP, DataFile, not_text
from bert_tf.data.files.rows import Notes, Row, Rows, Wanted
from bert_tf.errors import UserError

BATCH_ROWS = 4096
PANDAS_INDEX = "__index_level_"


def parquet_rows(file: DataFile, wanted: Wanted) -> Rows:
    """Rows of a Parquet file, by their index. Where Hugging Face's `datasets` wrote it, labels come by their class's
    name, which the file has in its schema, so that another order of the classes does no harm.

    Raises: UserError without the extra `parquet`, and for a file that is none or is broken.
    """
    module = _module("pyarrow.parquet", "parquet", file)
    notes = Notes(file.origin)
    content = _content(file, PARQUET, "a Parquet file")
    try:
        opened = module.ParquetFile(io.BytesIO(content))
        schema = opened.schema_arrow
    except Exception as error:  # whatever pyarrow raises for a broken file
        raise UserError(f"{file.origin}: expected a Parquet file. Received: a broken one ({error})") from None
    theirs = [name for name in schema.names if not name.startswith(PANDAS_INDEX)]
    names = renamed(theirs, wanted, notes)
    classes = _classes(schema.metadata or {})

    def rows() -> Iterator[Row]:
        number = 0
        try:
            for batch in opened.iter_batches(batch_size=BATCH_ROWS, columns=theirs):
                for row in batch.to_pylist():
                    yield (
                        number,
                        {
                            ours: class_name(classes[name], row[name]) if name in classes else row[name]
                            for ours, name in zip(names, theirs, strict=True)
                        },
                    )
                    number += 1
        except (OSError, ValueError) as error:
            raise UserError(f"{file.origin}[{number}]: expected a whole Parquet file. Received: {error}") from None

    return Rows((), each_renamed(rows(), wanted, notes), notes, has_lines=False)


def class_name(names: Sequence[str], value: Any) -> Any:
    """The name of a class's index, or of each in a list; anything else as it is."""
    if isinstance(value, list):
        return [class_name(names, part) for part in value]
    is_index = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < len(names)
    return names[value] if is_index else value


def xlsx_rows(file: DataFile, wanted: Wanted) -> Rows:
    """Rows of a workbook's sheet, below a header; cells are texts, as Excel would save them as CSV.

    That is the first sheet, unless only one other has the columns that are wanted. Empty rows above a header are none.

    Raises: UserError without the extra `xlsx`, and for a file that is no workbook or is broken.
    """
    module = _module("openpyxl", "xlsx", file)
    notes = Notes(file.origin)
    content = _content(file, ZIP, "an Excel workbook (.xlsx)")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # on styles and such, which are not looked at
            book = module.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
            sheet, header, lines = _sheet(book, wanted)
    except Exception as error:  # whatever openpyxl raises for a broken file
        raise UserError(f"{file.origin}: expected an Excel workbook (.xlsx). Received: {error}") from None
    if len(book.sheetnames) > 1:
        others = [name for name in book.sheetnames if name != sheet.title]
        notes.say(f"the sheet {sheet.title!r} is read, and not {', '.join(map(repr, others))}")
    names = renamed([name for name in header if name], wanted, notes)
    places = [i for i, name in enumerate(header) if name]

    def rows() -> Iterator[Row]:
        held: list[Row] = []  # empty rows: dropped at the end of the sheet, kept before others
        for at, line in lines:
            found = [_as_text(line[i]) if i < len(line) else "" for i in places]
            if any(cell is not None and i not in places for i, cell in enumerate(line)):
                notes.count("rows with cells under columns without a name, which are left out")
            row = (at, dict(zip(names, found, strict=True)))
            if not any(found):
                held.append(row)
                continue
            yield from held
            held = []
            yield row

    return Rows(names, rows(), notes)


def _sheet(book: Any, wanted: Wanted) -> tuple[Any, list[str], Iterator[tuple[int, Any]]]:
    """The sheet to read, the names in its first row that is not empty, and the numbered rows below."""

    def opened(sheet: Any) -> tuple[Any, list[str], Iterator[tuple[int, Any]]]:
        lines = iter(enumerate(sheet.iter_rows(values_only=True), start=1))
        headers = ([_as_text(cell).strip() for cell in row] for _, row in lines)
        return sheet, next((names for names in headers if any(names)), []), lines

    first, *others = book.worksheets
    found = opened(first)
    if wanted.required and not fits(found[1], wanted):
        fitting = [other for other in map(opened, others) if fits(other[1], wanted)]
        found = fitting[0] if len(fitting) == 1 else found
    return found


def _as_text(cell: Any) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return cell.isoformat() if isinstance(cell, (datetime.date, datetime.time)) else str(cell)


def _classes(metadata: Mapping[bytes, bytes]) -> dict[str, Sequence[str]]:
    """Column -> names of its classes, as `datasets` writes them into a schema."""
    try:
        features = json.loads(metadata[b"huggingface"])["info"]["features"]
    except (KeyError, ValueError, TypeError):
        return {}
    found = {}
    for name, feature in features.items():
        inner = feature.get("feature", feature) if isinstance(feature, dict) else feature
        inner = inner[0] if isinstance(inner, list) and inner else inner
        if isinstance(inner, dict) and inner.get("_type") == "ClassLabel" and inner.get("names"):
            found[name] = inner["names"]
    return found


def _module(name: str, extra: str, file: DataFile) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise UserError(
            f"{file.origin} needs an optional package: pip install 'bert_tf[{extra}]'. Received: {error}"
        ) from None


def _content(file: DataFile, magic: bytes, what: str) -> bytes:
    content = file.content()
    if not content.startswith(magic):
        came = not_text(content[: 1 << 16])[0] or ("a text" if content else "an empty file")
        raise UserError(f"{file.origin}: expected {what}. Received: {came}")
    return content
