"""Tables of texts for TensorBoard, which reads Markdown."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Sequence
from typing import Any

LONGEST, LINE = 300, 56
SPECIAL = re.compile(r"[\\`*_{}\[\]()<>#+\-.!|&~$:]")


def escaped(text: str, *, longest: int = LONGEST) -> str:
    """A text of the user's as one that Markdown shows as it is, in one line; cut where it is long.

    >>> escaped("5 * 3 | <b>")
    '5 &#42; 3 &#124; &#60;b&#62;'
    """
    return SPECIAL.sub(lambda found: f"&#{ord(found[0])};", cut(text, longest))


def cut(text: str, longest: int = LONGEST) -> str:
    """One line, of `longest` characters at most.

    >>> cut("a  long\\nline", 8)
    'a long …'
    """
    line = " ".join(text.split())
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def cell(value: Any) -> str:
    """A value of any sort; a long text has lines, as one column would else take the others' room.

    >>> cell(0.98765), cell(True), cell(None), cell(3)
    ('0.9877', 'yes', '', '3')
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    text = cut(str(value))
    return "<br>".join(map(escaped, textwrap.wrap(text, LINE, break_on_hyphens=False)))


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A table with a heading; numbers stand to the right.

    >>> print(table(["word", "count"], [["a", 3]]))
    | word | count |
    | :--- | ---: |
    | a | 3 |
    """
    rows = [list(row) for row in rows]
    numbers = [
        all(isinstance(row[k], int | float | None) and not isinstance(row[k], bool) for row in rows)
        for k in range(len(columns))
    ]
    lines = [
        [escaped(name) for name in columns],
        ["---:" if is_number and rows else ":---" for is_number in numbers],
        *([cell(value) for value in row] for row in rows),
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
