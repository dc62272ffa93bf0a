"""Sentences of tagged words in the formats of the CoNLL shared tasks: a word a line, an empty line after a sentence."""

from __future__ import annotations

import dataclasses
import logging
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from bert_tf.data.files import Row, decoding_error, read_text
from bert_tf.data.rows.cells import shown
from bert_tf.data.rows.table import BadRow
from bert_tf.data.sources.base import FileSource
from bert_tf.data.tagged.tags import OUTSIDE, SCHEMES, TAG, TagError, Tags, to_iob2
from bert_tf.errors import UserError

DOCUMENT = "-DOCSTART-"
COMMENT = "#"
KEY = re.compile(r"#\s*[\w.:-]+\s*=(\s|$)")  # of CoNLL-U: "# sent_id = 1"; of CoNLL-plus: "# global.columns = ID FORM"
NO_TAG = re.compile(r".*(\s|=|://)|$")
NUMBER = re.compile(
    r"\d+([-.]\d+)?"
)  # of a word in CoNLL-U; 2-3 stands before words 2 and 3, 4.1 is no word of the text
IS_WORD = re.compile(r"\d+")
FIRST = re.compile(r"[01]([-.]\d+)?")  # the number that a file begins with

Line = tuple[int, "list[str] | BadRow"]
logger = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Conll(FileSource):
    r"""UTF-8, one word with its columns on each line, separated by tabs (where a line has one) or spaces.

    Gives the columns `words` and, where the file has a second column, `tags`, a list each. These lines are no words:

    - lines that begin with -DOCSTART-;
    - comments: lines that begin with #, unless they have the file's columns, with a tag in that of the tag. So "# id 7"
      and "#<tab>http://..." are comments where words have other columns, and the word # of a file of two columns stays
      a word;
    - where the first column numbers the words, as in CoNLL-U, the lines of 2-3 (a range) and 4.1 (an empty node).

    Args:
        word: number of the column with the word, from 0; below 0 from the end.
        tag: number of the column with the tag.
        scheme: what the tags are in: "iob1", "iob2" or "bioes" (see `bert_tf.data.tagged.tags.to_iob2`), brought to
            IOB2 here; None: tags stay as they are, and a task finds out their scheme.
        columns: how many columns there are; None: as many as the first word's line has.
    Raises: ValueError for a scheme or columns that cannot be.

    >>> import pathlib, tempfile
    >>> source = Conll(files={"train": "train.conll"}, scheme="iob2")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "train.conll")
    ...     _ = path.write_text("Ann B-PER\nleft O\n\nRome B-LOC\n")
    ...     table = source.open(folder, "train", {"words": list, "tags": list})
    >>> table.columns["words"], table.columns["tags"]
    ([['Ann', 'left'], ['Rome']], [['B-PER', 'O'], ['B-LOC']])
    """

    word: int = 0
    tag: int = -1
    scheme: str | None = None
    columns: int | None = None

    def __post_init__(self) -> None:
        if self.scheme is not None and self.scheme not in SCHEMES:
            raise ValueError(f"`scheme` must be one of {', '.join(SCHEMES)}. Received: scheme={self.scheme!r}")
        for name, value in (("word", self.word), ("tag", self.tag)):
            if self.columns is not None and not -self.columns <= value < self.columns:
                raise ValueError(f"`{name}` must be one of {self.columns} columns. Received: {name}={value}")

    def _read(self, path: Path) -> tuple[Sequence[str], Iterator[Row]]:
        lines = [line.rstrip("\r") for line in read_text(path, self.encoding).split("\n")]
        return (), self._sentences(path, lines)

    def _sentences(self, path: Path, lines: Sequence[str]) -> Iterator[Row]:
        split = list(map(_cells, lines))
        form = self._form(path, lines, split)
        sentence: list[Line] = []
        remarks = []
        for number, (line, cells) in enumerate(zip([*lines, ""], [*split, []], strict=True), start=1):
            cells = form.columns(cells)
            if form.is_comment(cells, line):
                remarks += [number] if sentence else []
            elif not form.is_word(cells):
                if sentence:
                    yield self._row(sentence)
                sentence = []
            elif form.is_listed(cells):
                sentence.append((number, self._checked(cells, line, form.width)))
        if remarks:
            logger.warning(
                "%s: %d lines within sentences begin with # and are taken for comments, the first: line %d",
                path,
                len(remarks),
                remarks[0],
            )

    def _form(self, path: Path, lines: Sequence[str], split: Sequence[list[str]]) -> Form:
        """What the lines that are words for certain say about all."""
        form = Form(self.word, self.tag, self.columns or 1)
        rows = [(number, cells) for number, cells in enumerate(split, start=1) if form.is_word(cells)]
        certain = [(number, cells) for number, cells in rows if not lines[number - 1].startswith(COMMENT)]
        if not certain:  # at most the word #, again and again
            certain = [(number, cells) for number, cells in rows if len(cells) > 1 and _is_tag(cells[-1])]
        if not certain:
            return form
        tabs = "\t" in lines[certain[0][0] - 1]
        drops_last = tabs and all(len(cells) > 2 and not cells[-1] for _, cells in certain)
        first, found = certain[0]
        width = self.columns or len(found) - drops_last
        if not tabs and _has_commas([lines[number - 1] for number, _ in certain]):
            came = f"columns separated by commas: {shown(lines[first - 1])}"
            raise UserError(f"{path}:{first}: expected columns separated by tabs or spaces. Received: {came}")
        for name, column in (("word", self.word), ("tag", self.tag)):
            if not -width <= column < width:
                raise UserError(
                    f"{path}:{first}: expected the column {column} of the {name}. Received: {width} columns"
                )
        is_numbered = (
            width > 2
            and tabs
            and FIRST.fullmatch(found[0]) is not None
            and all(NUMBER.fullmatch(cells[0]) for _, cells in certain)
        )
        if is_numbered and self.word % width == 0 and len(certain) > 1:
            remedy = "the words may be in column 1: word=1; predict reads them there in a file called .conllu"
            came = f"the numbers of the words, as in CoNLL-U; {remedy}"
            raise UserError(f"{path}:{first}: expected words in the column {self.word}. Received: {came}")
        tags = {cells[self.tag] for _, cells in certain if len(cells) - drops_last == width > 1}
        return Form(self.word, self.tag, width, frozenset(tags), tabs, is_numbered, drops_last)

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
        tags = [cells[self.tag] for cells in rows]
        try:
            tags = tags if self.scheme is None else to_iob2(tags, self.scheme)
        except TagError as error:
            return lines[error.index], BadRow(str(error))
        return lines[0], {"words": words, "tags": Tags(tags, lines)}


@dataclasses.dataclass(frozen=True)
class Form:
    """How the lines of a file are.

    Args:
        word, tag: the columns of word and tag.
        width: how many columns there are.
        tags: those that stand in lines which are words for certain.
        has_tabs: whether tabs separate the columns.
        is_numbered: whether the first column numbers the words.
        drops_last: whether every line ends in a separator, which makes no column.
    """

    word: int
    tag: int
    width: int
    tags: frozenset[str] = frozenset()
    has_tabs: bool = False
    is_numbered: bool = False
    drops_last: bool = False

    def columns(self, cells: list[str]) -> list[str]:
        """The cells of a line without the one behind its last separator, where every line ends in one."""
        return cells[:-1] if self.drops_last and len(cells) > 1 and not cells[-1] else cells

    def is_word(self, cells: Sequence[str]) -> bool:
        """Whether a line that is no comment stands for a word, rather than for the end of a sentence."""
        if not cells or (not cells[0].strip() and not any(cell.strip() for cell in cells)):
            return False
        return cells[0][:1] != DOCUMENT[0] or not cells[0].upper().startswith(DOCUMENT)

    def is_listed(self, cells: Sequence[str]) -> bool:
        """Whether a word's line is a word of the text."""
        return not self.is_numbered or NUMBER.fullmatch(cells[0]) is None or IS_WORD.fullmatch(cells[0]) is not None

    def is_comment(self, cells: Sequence[str], line: str) -> bool:
        if not line.startswith(COMMENT):
            return False
        if "\t" in line:
            return len(cells) != self.width or (self.width > 1 and NO_TAG.match(cells[self.tag]) is not None)
        if KEY.match(line):
            return True
        if self.width == 1:
            return len(cells) > 1 or "=" in line
        if len(cells) == self.width:
            return not (_is_tag(cells[self.tag]) or cells[self.tag] in self.tags)
        # One column too many and a tag behind it is rather a word that went wrong, which is to be named.
        return self.has_tabs or len(cells) != self.width + 1 or not _is_tag(cells[-1])


def _has_commas(lines: Sequence[str]) -> bool:
    """Whether commas separate the columns of all lines."""
    counts = {line.count(",") for line in lines}
    if len(lines) < 2 or len(counts) != 1 or counts == {0}:
        return False
    return counts != {1} or all(" " not in line and _is_tag(line.rsplit(",", 1)[1]) for line in lines)


def _cells(line: str) -> list[str]:
    """The columns of a line: between tabs where it has one, else between runs of spaces."""
    if "\t" in line:
        return [cell.strip(" ") for cell in line.split("\t")]
    return [cell for cell in line.split(" ") if cell]


def _is_tag(cell: str) -> bool:
    return cell == OUTSIDE or TAG.fullmatch(cell) is not None
