"""Mistakes as a table that a spreadsheet opens."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bert_tf.data.files.write import writer_of
from bert_tf.disk.named_files import named_file
from bert_tf.kinds.diagnosis import Answered

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a cell begins with that spreadsheets take for a formula."""
TABLES = (".csv", ".tsv")


def write_mistakes(path: Path, rows: Sequence[Answered]) -> None:
    """Writes mistakes, a row each, as the suffix says: .csv, .tsv, .json or .jsonl.

    In tables a text that a spreadsheet would take for a formula has a ' in front, as OWASP advises: such a text is
    shown, never run. A regular file gets its name when all is written.
    Reference: https://owasp.org/www-community/attacks/CSV_Injection
    """
    make = writer_of(str(path))
    is_table = path.suffix.lower() in TABLES
    with named_file(path, "--mistakes") as file, make(file) as writer:
        for row in rows:
            cells = row.as_dict()
            writer.write({_safe(name): _safe(value) for name, value in cells.items()} if is_table else cells)


def _safe(cell: Any) -> Any:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell
