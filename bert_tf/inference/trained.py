"""A run that training has finished, as an object."""

from __future__ import annotations

import html
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bert_tf.config import SAMPLE
from bert_tf.config.result import read_result
from bert_tf.errors import UserError, in_python
from bert_tf.inference.history import read_history
from bert_tf.inference.runs import open_run, read_run

if TYPE_CHECKING:
    import numpy as np

    from bert_tf.inference.pipeline import Pipeline
    from bert_tf.kinds.base import Kind
    from bert_tf.kinds.diagnosis import Diagnosis
    from bert_tf.kinds.examples import Examples

PathOrName = str | os.PathLike[str]


class Run:
    """A finished run: its result, how it got there, its model, and what that gets wrong.

    `bert_tf.train` returns one, and `bert_tf.Run("runs/sst2")` opens one that is there.

    Args:
        folder: the run folder.
        kind: the task; None: as the folder says.
        result: what stands in its result.json; None: that is read.
    Raises: UserError if the folder holds no finished run.

    Attributes:
        folder, kind, result: as given, or read.
        metrics: the task's metrics of the weights that were kept, None for one that is undefined.

    Example (of a run that is not trained here):
        >>> import bert_tf
        >>> kind = bert_tf.load_task("sst2")
        >>> run = Run("runs/sst2", kind, {"steps": 6315, "metrics": {"accuracy": 0.9232}})
        >>> run.metrics["accuracy"]
        0.9232
        >>> run
        Run('runs/sst2': accuracy 0.9232, after 6315 steps)
    """

    def __init__(self, folder: PathOrName, kind: Kind | None = None, result: dict[str, Any] | None = None) -> None:
        self.folder = Path(folder).expanduser()
        try:
            self.result = _result(self.folder) if result is None else result
            self.kind = open_run(self.folder, needs_data=False).kind if kind is None else kind
        except UserError as error:
            error.args = (in_python(str(error)),)
            raise
        self._is_given = kind is not None
        self._pipeline: Pipeline | None = None
        self._answered: dict[tuple[str, str], tuple[Examples, list[Any] | None]] = {}

    @property
    def metrics(self) -> dict[str, float | None]:
        return self.result["metrics"]

    @property
    def history(self) -> dict[str, np.ndarray]:
        """What was noted while it was trained, as columns: `step`, `loss`, `validation_loss`, `validation_accuracy` ...

        `pandas.DataFrame(run.history)` is a table of it; see `bert_tf.inference.history.read_history`.
        """
        return read_history(self.folder)

    def pipeline(self) -> Pipeline:
        """The model that answers texts, with the weights that were kept; read when it is first asked for.

        Raises: UserError if the run's folder has no model: on workers whose chief writes elsewhere, say.
        """
        if self._pipeline is None:
            from bert_tf.inference.pipeline import Pipeline

            self._pipeline = Pipeline(self.folder, task=self.kind.configured(read_run(self.folder)))
        return self._pipeline

    def predict(self, texts: Any, pairs: Any = None) -> Any:
        """Answers: a dict for one text, a list of dicts for several. Args: those of `bert_tf.Pipeline`'s call."""
        return self.pipeline()(texts, pairs)

    def evaluate(self, data: PathOrName | None = None, split: str = "validation") -> dict[str, float]:
        """The metrics on a split, from raw text.

        Args:
            data: a folder or file, tfds:NAME, hf:NAME or sample; None: the run's own data.
            split: such as "test", where the data has one.
        Raises: UserError for data that cannot be read, or has no labels.
        """
        examples, answers = self._answers(data, split)
        if answers is None:
            return self.pipeline().kind.scores(self.pipeline(), examples)
        return self.pipeline().kind.measure_answers(answers, examples)

    def diagnose(self, data: PathOrName | None = None, split: str = "validation") -> Diagnosis:
        """Which answers are right, with tables, and what figures are made of: `bert_tf.kinds.diagnosis.Diagnosis`.

        Args: those of `evaluate`.
        """
        examples, answers = self._answers(data, split)
        if answers is None:
            answers = self.pipeline().rows(*examples.columns)
        return self.pipeline().kind.diagnose(answers, examples)

    def mistakes(
        self, count: int | None = 20, data: PathOrName | None = None, split: str = "validation"
    ) -> list[dict[str, Any]]:
        """What the model gets wrong, the most confident mistakes first; where answers are not right or wrong, such as
        summaries, the worst first.

        `pandas.DataFrame(run.mistakes())` is a table of it.

        Args:
            count: how many at most; None: all.
            data, split: as those of `evaluate`.
        Returns: for each `number` (of the example, from 0), the texts of its columns, `expected`, `answered`,
            `confidence` in [0, 1] or None, and scores of this answer alone where the task has some.
        """
        return [row.as_dict() for row in self.diagnose(data, split).mistakes(count)]

    def examples(self, data: PathOrName | None = None, split: str = "validation") -> tuple[Kind, str, Examples]:
        """Labelled examples, the task that has read them, and the place where they are. Args: those of `evaluate`."""
        config = read_run(self.folder)
        kind = self.kind if self._is_given else open_run(self.folder, needs_data=data is None).kind
        kind = kind.configured(config, new_data=data is not None)
        place = config.data.source or SAMPLE if data is None else os.fspath(data)
        if data is not None and Path(place).expanduser().exists():
            place = str(Path(place).expanduser().resolve())
        examples = kind.read(place, split, skip_bad_rows=config.data.skip_bad_rows)
        if not examples.is_labelled or not len(examples):
            raise UserError(
                f"`split` must have labelled examples. Received: {len(examples)} examples without labels in "
                f"{place}, split={split!r}; `predict` answers them"
            )
        return kind, place, examples

    def _answers(self, data: PathOrName | None, split: str) -> tuple[Examples, list[Any] | None]:
        """The examples, and the model's answers to them, made once; None where the task is not scored by answers."""
        place = os.fspath(data or "")
        if (place, split) not in self._answered:
            kind, _, examples = self.examples(data, split)
            answers = self.pipeline().rows(*examples.columns) if kind.is_scored_by_answers else None
            self._answered = {(place, split): (examples, answers)}  # the last one is kept, as memory is finite
        return self._answered[place, split]

    def __repr__(self) -> str:
        scores = [f"{name} {'undefined' if x is None else f'{x:.4f}'}" for name, x in self.metrics.items()]
        return f"Run({str(self.folder)!r}: {', '.join(scores)}, after {self.result['steps']} steps)"

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        facts = {"folder": str(self.folder), "task": type(self.kind).__name__, "steps": f"{self.result['steps']:,}"}
        facts |= {name: "undefined" if x is None else f"{x:.4f}" for name, x in self.metrics.items()}
        cells = "".join(
            f"<tr><th style='text-align:left'>{html.escape(name)}</th><td>{html.escape(value)}</td></tr>"
            for name, value in facts.items()
        )
        return f"<table><caption>bert_tf.Run</caption>{cells}</table>"


def _result(folder: Path) -> dict[str, Any]:
    """What stands in result.json. Raises: UserError where there is none, or it cannot be read."""
    read_run(folder)
    found = read_result(folder)
    if found is None:
        raise UserError(
            f"--run={folder}: expected a finished run, which has a result.json. Received: none; the command that "
            "started it resumes it"
        )
    return found
