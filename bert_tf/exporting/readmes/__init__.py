"""README.md in every folder that an export writes: how it is opened, what that needs, and what it cannot do.

The first block of Python in each is a whole program, to be run in the folder; the tests run it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

README = "README.md"
SAMPLES = ("A joy from start to end.", "Two hours that I want back.")


def write(folder: Path, title: str, parts: Sequence[str]) -> None:
    """Writes the file of these parts, each a paragraph, a table or a block."""
    (folder / README).write_text("\n\n".join([f"# {title}", *parts]) + "\n", encoding="utf-8")


def python(code: str) -> str:
    """A block of Python."""
    return f"```python\n{code.strip()}\n```"


def table(names: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """In Markdown."""
    lines = [names, ["---"] * len(names), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
