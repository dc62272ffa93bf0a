"""Whether the cells of a file are quoted as CSV's are, or quotes are part of the text, as in GLUE's TSV files."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator

from bert_tf.data.files.rows import Notes

QUOTED = re.compile(r'"(?:[^"]|"")*"', re.DOTALL)
NUMBER = re.compile(r"[-+]?[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?|")
SHOWN = 3


def is_quoted(lines: Iterator[str], separator: str, notes: Notes) -> bool:
    """Decides by what only a CSV writer makes, and says so.

    Quoted are files in which (a) all quotes are where a CSV writer puts them, and (b) a cell in quotes has doubled
    quotes or a carriage return, or rows have one width only if quotes are looked at, or every cell that is no number is
    quoted. Everything else is not: there `"So what?" he said` is a text with its quotes. Where some cells look like (b)
    in a file that is not quoted, or a quote could as well hold several lines together, a warning says so.
    """
    facts = _Facts(separator)
    facts.read(lines)
    if facts.is_quoted:
        notes.say(f"its cells are quoted as in CSV ({facts.why}), and are read so; its quotes are no part of the text")
        return True
    if facts.doubled:
        where = ", ".join(map(str, facts.doubled[:SHOWN])) + (", ..." if len(facts.doubled) > SHOWN else "")
        notes.say(
            f"quotes are read as part of the text, as other lines need it (line {facts.stray_line}), though cells on "
            f"line {where} look quoted as in CSV; if the file is quoted, its source needs quoted=True"
        )
    elif facts.is_csv and facts.rows < facts.lines and len(facts.quoted_widths) == 1:
        notes.say(
            f"quotes are read as part of the text, a row a line; as CSV its {facts.lines:,} lines would be "
            f"{facts.rows:,} rows; if the file is quoted, its source needs quoted=True"
        )
    return False


class _Facts:
    """Args:
    separator: what stands between cells.
    """

    def __init__(self, separator: str) -> None:
        self.separator = separator
        self.doubled: list[int] = []  # lines with a cell in quotes that needs them: it has doubled quotes, or a \r
        self.stray_line: int | None = None  # the first line with a quote that no CSV writer leaves so
        self.widths: set[int] = set()  # of lines
        self.quoted_widths: set[int] = set()  # of rows, as CSV has them
        self.all_quoted = True  # all cells that are no numbers
        self.any_quote = False
        self.is_csv = True
        self.rows = self.lines = 0  # that are not empty

    @property
    def is_quoted(self) -> bool:
        return self.any_quote and self.is_csv and bool(self.why)

    @property
    def why(self) -> str:
        if self.doubled:
            return f"line {self.doubled[0]} has quotes that only CSV needs"
        if len(self.widths) > 1 and len(self.quoted_widths) == 1:
            return "else its lines have different numbers of columns"
        return "every cell that is no number is in quotes" if self.all_quoted else ""

    def read(self, lines: Iterator[str]) -> None:
        row = re.compile(
            rf'(?:(?:"(?:[^"]|"")*"|[^"{re.escape(self.separator)}\r\n]*)(?:{re.escape(self.separator)}|\r?\n?\Z))+',
            re.DOTALL,
        )
        taken: list[str] = []
        at = 0

        def each() -> Iterator[str]:
            nonlocal at
            for at, line in enumerate(lines, start=1):
                taken.append(line)
                self._line(at, line)
                yield line

        reader = csv.reader(each(), delimiter=self.separator, strict=True)
        limit = csv.field_size_limit(2**31 - 1)
        try:
            for cells in reader:
                if cells:
                    self.rows += 1
                    self.quoted_widths.add(len(cells))
                text = "".join(taken)
                if '"' in text and row.fullmatch(text) is None:
                    self._stray(at - len(taken) + 1)
                taken.clear()
        except csv.Error:
            self._stray(at - len(taken) + 1)
        finally:
            csv.field_size_limit(limit)
        for number, line in enumerate(lines, start=at + 1):  # what the reader left after an error
            self._line(number, line)

    def _line(self, number: int, line: str) -> None:
        line = line.rstrip("\r\n")
        if not line:
            return
        self.lines += 1
        if '"' not in line:
            self.widths.add(line.count(self.separator) + 1)
            self.all_quoted = self.all_quoted and all(map(NUMBER.fullmatch, line.split(self.separator)))
            return
        cells = line.split(self.separator)
        self.any_quote = True
        self.widths.add(len(cells))
        for cell in cells:
            if not QUOTED.fullmatch(cell):
                self.all_quoted = self.all_quoted and NUMBER.fullmatch(cell) is not None
            elif '""' in cell[1:-1] or "\r" in cell:
                self.doubled.append(number)

    def _stray(self, number: int) -> None:
        self.is_csv = False
        if self.stray_line is None:
            self.stray_line = number
