"""docs/family_table.md: which cells of the table are tests. `python -m tests.family.page` writes it of the rows."""

from __future__ import annotations

from collections.abc import Iterator

from bert_tf.weights.members import MEMBERS as FAMILY
from tests.conftest import REPOSITORY
from tests.exporting.runs import KINDS
from tests.family.rows import COLUMNS, MEMBERS, REASONS, is_there, reason_for

PAGE = REPOSITORY / "docs" / "family_table.md"
NOTES = "¹²³⁴⁵⁶⁷⁸⁹"
LETTERS = dict(zip(COLUMNS, "TEPSLH", strict=True))
OPENING = """# Every member of the family, every kind of task

Each letter is a test: a small random backbone of the member is trained for two updates on data of the kind, and the run
goes through the commands. Numbers are the same where they differ by at most 1e-5; a model's outputs above 1, by that
share of the largest.

{meanings}

A raised number stands for a line below the table. Columns are the kinds of `tests/exporting/runs.py`, rows the members.

```sh not-run: it trains and exports for hours
python -m pytest -m slow tests/family/test_table.py
BERT_TF_TORCH_PYTHON=PYTHON python -m pytest -m real tests/family/test_table.py    # H: a Python with Transformers
python -m tests.family.page    # writes this page
```
"""


def render() -> str:
    """The page."""
    meanings = "\n".join(f"- **{LETTERS[column]}**: {says}." for column, says in COLUMNS.items())
    notes = [f"- {note} {reason.says}\n" for note, reason in zip(NOTES, REASONS, strict=False)]
    return "".join([OPENING.format(meanings=meanings), "\n", *_table(), "\n", *notes])


def _table() -> Iterator[str]:
    yield f"| | {' | '.join(kind.replace('_', ' ') for kind in KINDS)} |\n"
    yield f"|---{'|---' * len(KINDS)}|\n"
    for member in MEMBERS:
        yield f"| {FAMILY[member].name} | {' | '.join(_cell(member, kind) for kind in KINDS)} |\n"


def _cell(member: str, kind: str) -> str:
    """The letters of the columns, with the numbers of what there is to say of them."""
    shown = []
    for column in COLUMNS:
        reason = reason_for(member, kind, column)
        note = "" if reason is None else NOTES[REASONS.index(reason)]
        shown.append((LETTERS[column] if is_there(member, kind, column) else "–") + note)
    return " ".join(shown)


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
