"""How a run that is at work looks: a progress bar on a terminal and in a notebook, elsewhere plain lines."""

from __future__ import annotations

import sys
import time
from typing import TextIO

from tqdm import tqdm

PLAIN_SECONDS = 15.0


class Progress:
    """A bar on a terminal and in a notebook; elsewhere a line every 15 seconds. All show rate, loss and time left.

    Args:
        total: number of steps.
        start: how many of them are behind already.
        stream: where to write; None: stderr, and in a notebook stdout, as what is on stderr looks there like an error.
        shown: False writes nothing at all.
    """

    def __init__(self, total: int, *, start: int, stream: TextIO | None = None, shown: bool = True) -> None:
        notebook = in_notebook() and stream is None
        self.stream, self.shown = stream or (sys.stdout if notebook else sys.stderr), shown
        self.total, self.start, self.done = total, start, start
        self.began = self.printed = time.monotonic()
        self.first = start
        self.bar = None
        if shown and notebook:
            from tqdm.auto import tqdm as bar_of_notebook  # plain text where ipywidgets is not installed

            self.bar = bar_of_notebook(total=total, initial=start, unit="step", file=self.stream, dynamic_ncols=True)
        elif shown and self.stream.isatty():
            self.bar = tqdm(total=total, initial=start, unit="step", file=self.stream, dynamic_ncols=True)

    def update(self, done: int, *, loss: float) -> None:
        """`done` steps of all are behind."""
        if self.bar is not None:
            self.bar.set_postfix(loss=f"{loss:.4f}", refresh=False)
            self.bar.update(done - self.done)
        now = time.monotonic()
        if self.done == self.start:  # the first call was spent on tracing: it says nothing about the rate
            self.began, self.first = now, done
        self.done = done
        if self.bar is None and (now - self.printed >= PLAIN_SECONDS or done == self.total):
            self.printed = now
            steps, seconds = done - self.first, max(now - self.began, 1e-9)
            rate = (
                f", {steps / seconds:.2f} steps/s, {_clock((self.total - done) * seconds / steps)} left"
                if steps
                else ""
            )
            self.line(f"step {done}/{self.total}, loss {loss:.4f}{rate}")

    def line(self, text: str) -> None:
        """A line of its own, above the bar if there is one."""
        if self.bar is not None:
            tqdm.write(text, file=self.stream)
        elif self.shown:
            print(text, file=self.stream, flush=True)

    def close(self) -> None:
        if self.bar is not None:
            self.bar.close()


def tell(message: str) -> None:
    """A line where a run's progress is shown."""
    print(message, file=sys.stdout if in_notebook() else sys.stderr)


def in_notebook() -> bool:
    """Whether this is a notebook's kernel, whose outputs are shown below a cell."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return type(shell).__name__ in ("ZMQInteractiveShell", "Shell")  # Jupyter's, and Colab's


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}"
