"""What a run noted while it was trained: metrics.jsonl, as columns."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from bert_tf.errors import UserError
from bert_tf.guard import Checked, parse_json, read_text, typed

VALIDATION = "validation_"
"""In front of names of what was measured on the validation examples."""
OF_TRAINING = "train_metrics"
"""What an evaluation calls the metrics of a sample of the training examples."""


class Event(Checked):
    """A line of metrics.jsonl; it holds more, of which numbers are columns."""

    event: str
    step: Annotated[int, Field(ge=0, lt=1 << 62)]
    train_metrics: dict[str, float | None] | None = None


def read_history(run_folder: Path) -> dict[str, np.ndarray]:
    """The run's notes, a row for each step that has some, and a column for each value.

    Args:
        run_folder: of a run that has begun.
    Returns: `step` int64 [N], rising; and float64 [N], NaN at steps without it: what training reports, such as `loss`
        and `learning_rate`, by its name; what evaluations measured behind "validation_", such as `validation_loss` and
        `validation_accuracy`, and on a sample of the training examples behind "train_". Empty without notes.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "metrics.jsonl").write_text('''{"event": "train", "step": 50, "loss": 0.5}
    ... {"event": "evaluation", "step": 50, "accuracy": 0.75}
    ... ''')
    ...     read_history(Path(folder))
    {'step': array([50]), 'loss': array([0.5]), 'validation_accuracy': array([0.75])}
    """
    path = run_folder / "metrics.jsonl"
    rows: dict[int, dict[str, float]] = {}
    for line in read_text(path).split("\n") if path.exists() else ():
        try:
            event = parse_json(line, path)
        except UserError:  # cut off when the process was killed
            continue
        typed(Event, event, path)
        rows.setdefault(event["step"], {}).update(_values(event))
    names = dict.fromkeys(name for step in sorted(rows) for name in rows[step])
    if not rows:
        return {}
    columns = {name: np.array([rows[step].get(name, np.nan) for step in sorted(rows)], np.float64) for name in names}
    return {"step": np.array(sorted(rows), np.int64), **columns}


def _values(event: Mapping[str, Any]) -> dict[str, float]:
    """The numbers of one line by the names of their columns; null is no number."""
    prefix = VALIDATION if event["event"] == "evaluation" else ""
    named = {
        name if name.startswith(VALIDATION) else f"{prefix}{name}": value
        for name, value in event.items()
        if name not in ("event", "step", OF_TRAINING)
    }
    named |= {f"train_{name}": value for name, value in (event.get(OF_TRAINING) or {}).items()}
    return {name: float(value) for name, value in named.items() if isinstance(value, int | float)}
