"""docs/equality.md: the table with the largest differences that were measured. `python -m tests.training.equality.page`
trains everything and writes it; the tests hold it to the rows."""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.conftest import REPOSITORY
from tests.training.equality import starting
from tests.training.equality.rows import COLUMNS, KINDS, OPTIONS, ROWS, TOLERANCE, Row
from tests.training.equality.trained import ONE_DEVICE, Apart, Outcome, train_row

PAGE = REPOSITORY / "docs" / "equality.md"
Cells = Mapping[tuple[str, str], tuple[float, float]]
"""Row and column -> the largest difference of a weight, and of a number."""

OPENING = """# One device, several devices, several workers: the same weights

Every run below was made on one device and again with each strategy that CPUs can run, with the same batches. A cell has
two numbers: the largest difference of any weight after training, and of any number that was reported: losses, gradient
norms and learning rates of each update, all metrics and the validation loss of each evaluation, and which weights were
kept. (Of a number above 1, as a share of it.) Both must be at most {tolerance}, or what a row says instead. An empty
cell was not tried.

The models have two blocks, 8 wide; 45 examples are learnt from and 17 scored, so that last batches are partial.
`training.batch_examples` is of all devices together, and so are losses and clipping. Each cell is a test:

```sh not-run: it trains for a quarter of an hour
python -m pytest -m "slow or not slow" tests/training/equality
python -m tests.training.equality.page    # trains everything and writes this page
```
"""

CLOSING = """
## What is not in the table
- **Dropout** is off: a replica draws masks for its part of a batch, so other parts have other masks. Runs that resume
  draw what they would have drawn.
- **XLA** (`training.xla`) is for one device. TPUs and GPUs could not be tried.
- **`training.gradient_sum=bfloat16`** rounds what is sent; tests hold it to 2 % of the distance that training moved.
- **A parameter server with several workers** is asynchronous: each update is made from the weights that a worker finds.
  With one worker the updates are those of one device, as in the table.

In low precision a gradient is rounded for each part of a batch before the sum: two parts differ from one by rounding.

## How metrics are made
Losses of updates are sums over all replicas of all workers, divided by what the whole batch counts. Evaluations are of
every example once: each worker runs the model over the whole validation set, and all decide by the first one's score
which weights are kept and when to stop, so that machines of different kinds stop after the same update.
"""


def render(cells: Cells) -> str:
    """The page."""
    parts = [OPENING.format(tolerance=_number(TOLERANCE)), "\n## Options\n", *_table(OPTIONS, cells)]
    parts += ["\n## Kinds of task, their rows packed\n", *_table(KINDS, cells), CLOSING]
    return "".join(parts)


def _table(rows: Mapping[str, Row], cells: Cells) -> Iterator[str]:
    columns = [column for column in COLUMNS if any(column in row.columns for row in rows.values())]
    yield f"| | {' | '.join(COLUMNS[column].says for column in columns)} |\n"
    yield f"|---{'|---' * len(columns)}|\n"
    for name, row in rows.items():
        shown = [_cell(cells[name, column]) if column in row.columns else "" for column in columns]
        yield f"| {_says(row)} | {' | '.join(shown)} |\n"


def _says(row: Row) -> str:
    return row.says if row.bound == TOLERANCE else f"{row.says}; bound {row.bound:g}"


def _cell(apart: tuple[float, float]) -> str:
    return " and ".join(map(_number, apart))


def _number(value: float) -> str:
    """One digit, rounded up.

    >>> [_number(value) for value in (0.0, 1e-5, 2.1e-7, 0.0123)]
    ['0', '1e-5', '3e-7', '2e-2']
    """
    if not value:
        return "0"
    digit, power = f"{value:.6e}".split("e")
    first = -(-float(digit) // 1)
    return f"1e{int(power) + 1}" if first == 10 else f"{first:.0f}e{int(power)}"


def read(text: str) -> dict[tuple[str, str], tuple[float, float]]:
    """The cells of a page. Raises: KeyError for a row or a column that is not of the table."""
    by_row = {_says(row): name for name, row in ROWS.items()}
    by_column = {column.says: name for name, column in COLUMNS.items()}
    cells, columns = {}, []
    for line in text.splitlines():
        if not line.startswith("|") or line.startswith("|---"):
            continue
        first, *others = [part.strip() for part in line.strip("|").split("|")]
        if not first:
            columns = [by_column[name] for name in others]
            continue
        for column, shown in zip(columns, others, strict=True):
            if shown:
                weights, numbers = re.split(" and ", shown)
                cells[by_row[first], column] = float(weights), float(numbers)
    return cells


def measure(folder: Path) -> dict[tuple[str, str], tuple[float, float]]:
    """Trains the whole table."""
    starting.make_folder(folder)
    for column in COLUMNS:
        starting.train_column(folder, column, [name for name, row in ROWS.items() if column in row.columns])
        print(f"{COLUMNS[column].says}: trained", file=sys.stderr)
    cells = {}
    for name, row in ROWS.items():
        train_row(folder, ONE_DEVICE, name)
        wanted = Outcome.of(folder / ONE_DEVICE / name)
        for column in row.columns:
            apart = Apart.of(Outcome.of(folder / column / name), wanted, leaves=row.leaves)
            cells[name, column] = apart.weights, apart.numbers
            print(f"{name}, {column}: {apart}", file=sys.stderr)
    return cells


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as found:
        PAGE.write_text(render(measure(Path(found))), encoding="utf-8")
