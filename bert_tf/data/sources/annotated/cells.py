"""Cells of tables of tagged sentences: lists that are written out as text, words with spaces between, single words."""

from __future__ import annotations

import ast
import json
import re
from typing import Any

from bert_tf.data.rows.cells import is_missing

NUMPY_LIST = re.compile(r"""(['"])\s+\1""")  # NumPy writes its lists of texts without commas


def as_list(cell: Any) -> list[Any] | None:
    """A cell that is a list, or one as JSON, Python or NumPy writes it; None for another one."""
    cell = cell.tolist() if hasattr(cell, "tolist") else written_out(cell)
    return list(cell) if isinstance(cell, (list, tuple)) else None


def pieces(cell: Any) -> list[str] | None:
    return cell.split() if isinstance(cell, str) else None


def written_out(cell: Any) -> Any:
    """What a list or an object stands for that is written out in a text."""
    if not isinstance(cell, str) or cell[:1] not in ("[", "{", "("):
        return cell
    try:
        return json.loads(cell)
    except ValueError:
        pass
    try:
        return ast.literal_eval(NUMPY_LIST.sub(r"\1, \1", cell))
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return cell


def cell_text(cell: Any) -> str:
    """A cell as text; empty for one that is missing."""
    if is_missing(cell):
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()
