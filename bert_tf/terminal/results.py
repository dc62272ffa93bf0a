"""What a finished training says on a terminal: its scores, where things are, and what to try next."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from bert_tf.terminal.literal import literal


def draw_result(out: IO[str], title: str, result: Mapping[str, Any], folder: Path, commands: Sequence[str]) -> None:
    """Draws a run's result as a small table, and commands to be copied.

    Args:
        out: where to.
        title: what was trained on what.
        result: what stands in result.json.
        folder: the run folder; what is in it is named.
        commands: to try next.

    >>> import sys
    >>> result = {"metrics": {"accuracy": 0.8802, "kappa": None}, "steps": 120, "kept_step": 96, "seconds": 41.3}
    >>> draw_result(sys.stdout, "films", result, Path("runs/films"), ["bert_tf predict --run=runs/films"])
    films
      accuracy  0.880
      kappa     undefined
      weights   of step 96 of 120, trained in 41 s
    <BLANKLINE>
    Next:
      bert_tf predict --run=runs/films
    """
    from rich.console import Console

    console = Console(file=out, highlight=False, markup=False, emoji=False, soft_wrap=True)
    rows = [(name, _rounded(value), "bold") for name, value in result["metrics"].items()]
    if result.get("kept_step") is not None:
        taken = f", trained in {result['seconds']:.0f} s" if result.get("seconds") else ""
        rows.append(("weights", f"of step {result['kept_step']} of {result['steps']}{taken}", ""))
    places = {"model": folder / "model", "report": folder / "report" / "index.html"}
    rows += [(name, str(path), "") for name, path in places.items() if path.exists()]
    width = max(len(name) for name, _, _ in rows)
    console.print(literal(title), style="bold")
    for name, value, style in rows:
        console.print(f"  {literal(name):<{width}}  {literal(value)}", style=style)
    if commands:
        console.print("\nNext:")
        for command in commands:
            console.print(f"  {literal(command)}")


def _rounded(value: float | None) -> str:
    """Shares to a tenth of a percent, points to a hundredth."""
    if value is None or math.isnan(value):
        return "undefined"
    return f"{value:.3f}" if abs(value) <= 1 else f"{value:.2f}"
