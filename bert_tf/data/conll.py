"""Sentences of tagged words in the format of the CoNLL shared tasks: a word a line, an empty line after a sentence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bert_tf.data.cells import shown
from bert_tf.data.sources import FileSource
from bert_tf.data.table import BadRow
from bert_tf.data.tags import OUTSIDE, SCHEMES, TAG, TagError, Tags, to_iob2
from bert_tf.data.text_files import Row, decoding_error, read_text
from bert_tf.errors import UserError

DOCUMENT = "-DOCSTART-"
COMMENT = "# "

Line = tuple[int, "list[str] | BadRow"]


@dataclass(frozen=True, kw_only=True)
class Conll(FileSource):
    """UTF-8, a word with its columns a line, separated by tabs (where a line has one) or spaces.

    Gives the columns `words` and, where the file has a second column, `tags` in IOB2, a list each. Lines that begin
    with -DOCSTART-, or with "# " and have no tag, are not words.

    Args:
        word: number of the column with the word, from 0; below 0 from the end.
        tag: number of the column with the tag.
        scheme: what the tags are in: "iob1", "iob2" or "bioes" (see `bert_tf.data.tags.to_iob2`).
        columns: how many columns there are; None: as many as the first word's line has.
    Raises: ValueError for a scheme or columns that cannot be.
    """

    word: int = 0
    tag: int = -1
    scheme: str = "iob2"
    columns: int | None = None

    def __post_init__(self) -> None:
        if self.scheme not in SCHEMES:
            raise ValueError(f"`scheme` must be one of {', '.join(SCHEMES)}. Received: scheme={self.scheme!r}")
        for name, value in (("word", self.word), ("tag", self.tag)):
            if self.columns is not None and not -self.columns <= value < self.columns:
                raise ValueError(f"`{name}` must be one of {self.columns} columns. Received: {name}={value}")

    def _read(self, path: Path) -> tuple[Sequence[str], Iterator[Row]]:
        lines = read_text(path).split("\n")
        return (), self._sentences(path, [line.removesuffix("\r") for line in lines])

    def _sentences(self, path: Path, lines: Sequence[str]) -> Iterator[Row]:
        width = self.columns
        sentence: list[Line] = []
        for number, line in enumerate([*lines, ""], start=1):
            cells = _cells(line)
            if self._is_word(cells, line, width):
                width = width or self._width(path, number, cells)
                sentence.append((number, self._checked(cells, line, width)))
            elif sentence and not line.startswith(COMMENT):
                yield self._row(sentence)
                sentence = []

    def _is_word(self, cells: Sequence[str], line: str, width: int | None) -> bool:
        if not any(cells) or cells[0] == DOCUMENT:
            return False
        if not line.startswith(COMMENT):
            return True
        of_that_width = len(cells) == width if width else len(cells) > 1
        return of_that_width and _is_tag(cells[self.tag])

    def _width(self, path: Path, number: int, cells: Sequence[str]) -> int:
        """Of the first word's line, on which all further ones depend."""
        for name, column in (("word", self.word), ("tag", self.tag)):
            if not -len(cells) <= column < len(cells):
                raise UserError(
                    f"{path}:{number}: expected the column {column} of the {name}. Received: {len(cells)} columns"
                )
        return len(cells)

    def _checked(self, cells: list[str], line: str, width: int) -> list[str] | BadRow:
        bad = None if line.isascii() else decoding_error(line)
        if bad is not None:
            return bad
        if len(cells) != width:
            separator = "tabs" if "\t" in line else "spaces"
            came = f"{len(cells)} column{'s' * (len(cells) > 1)}: {shown(line)}"
            return BadRow(f"expected {width} column{'s' * (width > 1)} separated by {separator}. Received: {came}")
        return cells if cells[self.word] else BadRow(f"expected a word. Received: an empty column in {shown(line)}")

    def _row(self, sentence: Sequence[Line]) -> Row:
        rows: list[list[str]] = []
        for number, cells in sentence:
            if isinstance(cells, BadRow):
                return number, cells
            rows.append(cells)
        lines = [number for number, _ in sentence]
        words = [cells[self.word] for cells in rows]
        if len(rows[0]) == 1:
            return lines[0], {"words": words}
        try:
            tags = to_iob2([cells[self.tag] for cells in rows], self.scheme)
        except TagError as error:
            return lines[error.index], BadRow(str(error))
        return lines[0], {"words": words, "tags": Tags(tags, lines)}


def _cells(line: str) -> list[str]:
    """The columns of a line: between tabs where it has one, else between runs of spaces."""
    if "\t" in line:
        return [cell.strip(" ") for cell in line.split("\t")]
    return [cell for cell in line.split(" ") if cell]


def _is_tag(cell: str) -> bool:
    return cell == OUTSIDE or TAG.fullmatch(cell) is not None
