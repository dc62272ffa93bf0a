"""Inputs of several files: those of a folder or a pattern, each with its file's name; and files that are one text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from bert_tf.data.files.found import TEXT_SUFFIXES, FoundFile, found_files, is_several, whole_file
from bert_tf.data.inputs import INPUT_FORMATS, Input, Reading, read_inputs
from bert_tf.errors import UserError

TEXT = "text"
"""The format of a file that is one text."""
FORMATS_OF_INPUTS = (*INPUT_FORMATS, TEXT)
FILE = "file"
"""The column that says which file an input is of."""
TABLES = tuple(suffix for name, row in INPUT_FORMATS.items() if name != "lines" for suffix in row.suffixes)


def inputs_of(texts: Sequence[str] | None, name: str | None, reading: Reading) -> Iterator[Input]:
    """As `bert_tf.data.inputs.read_inputs`; `name` may be a folder or a pattern, too.

    Then each input has the column `file`, its file's name below that folder; a table's own column of this name is
    called `input.file`. A text file is one text, or a text a line where the format is said to be lines. A file that is
    one text but cannot be read is an input with an error.

    Raises: UserError as there, before the first input, for tables that lack the columns; and where there is no file.
    """
    if name is None or name == "-":
        _check_format(reading)
        return read_inputs(texts, name, reading)
    if not is_several(name):
        if reading.file_format != TEXT:
            return read_inputs(texts, name, reading)
        path = Path(name).expanduser()
        if not path.is_file():
            return read_inputs(texts, name, replace(reading, file_format=None))  # which says so
        _check_one_text(reading, name)
        return iter([_whole(FoundFile(path, path.name), reading)])
    files = found_files(name, (*TEXT_SUFFIXES, *TABLES), "--input")
    tables = [file for file in files if not _is_text(file, reading)]
    if len(tables) < len(files):
        _check_one_text(reading, name)
    for file in tables:
        read_inputs(None, str(file.path), reading)  # opened, so that a missing column is said before any work
    return _each(files, reading)


def files_of(name: str) -> list[Path]:
    """The files that `inputs_of` reads for --input. Raises: UserError where there is none."""
    if not is_several(name):
        return [Path(name).expanduser()]
    return [file.path for file in found_files(name, (*TEXT_SUFFIXES, *TABLES), "--input")]


def contexts_of(names: Sequence[str], reading: Reading) -> dict[str, str]:
    """The texts of --context: of files, folders and patterns, by the files' names; these are below the folder or the
    pattern's, where only one is given, and whole ones elsewhere.

    Raises: UserError for a file that cannot be read, or is no text.
    """
    found: dict[str, str] = {}
    for name in names:
        if is_several(name):
            root = Path(name).expanduser()
            files = found_files(name, TEXT_SUFFIXES, "--context")
            named = {file.name if len(names) == 1 else _joined(root, file): file.path for file in files}
        else:
            path = Path(name).expanduser()
            if not path.is_file():
                raise UserError(
                    f"--context={name}: expected a text file, a folder or a pattern. Received: no such file"
                )
            named = {name: path}
        found |= {key: whole_file(path, reading.encoding) for key, path in named.items()}
    return found


def _joined(root: Path, file: FoundFile) -> str:
    return (root / file.name).as_posix() if root.is_dir() else file.path.as_posix()


def _each(files: Sequence[FoundFile], reading: Reading) -> Iterator[Input]:
    for file in files:
        if _is_text(file, reading):
            yield _whole(file, reading)
            continue
        for found in read_inputs(None, str(file.path), reading):
            others = {f"input.{FILE}" if key == FILE else key: cell for key, cell in found.others.items()}
            yield found._replace(others=MappingProxyType({FILE: file.name, **others}))


def _is_text(file: FoundFile, reading: Reading) -> bool:
    """Whether a file is one text: as the format says; else what ends as no table does."""
    return reading.file_format == TEXT or (reading.file_format is None and file.suffix not in TABLES)


def _whole(file: FoundFile, reading: Reading) -> Input:
    others = MappingProxyType({FILE: file.name})
    try:
        text = whole_file(file.path, reading.encoding, is_text=reading.file_format == TEXT).removesuffix("\n")
        text = reading.read_cell(text, reading.columns[0])
    except (UserError, ValueError) as error:
        message = str(error) if isinstance(error, UserError) else f"{file.path}: {error}"
        return Input(str(file.path), others=others, error=message)
    return Input(str(file.path), (text,), others)


def _check_format(reading: Reading) -> None:
    if reading.file_format == TEXT:
        raise UserError("--input-format=text is for files that are one text each. Received: no file")


def _check_one_text(reading: Reading, name: str) -> None:
    if len(reading.columns) > 1:
        raise UserError(
            f"--input={name}: this task takes {len(reading.columns)} texts, {', '.join(reading.columns)}, and expected "
            "tables with these columns. Received: files that are one text each"
        )
