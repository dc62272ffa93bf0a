"""A run that training has finished, as an object."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from bert_tf.inference.runs import read_run

if TYPE_CHECKING:
    from bert_tf.inference.pipeline import Pipeline
    from bert_tf.kinds.base import Kind


class Run:
    """What `bert_tf.train` returns: where a run is, its result, and its model.

    Args:
        folder: the run folder.
        kind: the task.
        result: what stands in its result.json.

    Attributes:
        folder, kind, result: as given.
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

    def __init__(self, folder: str | Path, kind: Kind, result: dict[str, Any]) -> None:
        self.folder, self.kind, self.result = Path(folder), kind, result
        self._pipeline: Pipeline | None = None

    @property
    def metrics(self) -> dict[str, float | None]:
        return self.result["metrics"]

    def pipeline(self) -> Pipeline:
        """The model that answers texts, with the weights that were kept; read when it is first asked for.

        Raises: UserError if the run's folder has no model: on workers whose chief writes elsewhere, say.
        """
        if self._pipeline is None:
            from bert_tf.inference.pipeline import Pipeline

            self._pipeline = Pipeline(self.folder, task=self.kind.configured(read_run(self.folder)))
        return self._pipeline

    def __repr__(self) -> str:
        scores = [f"{name} {'undefined' if x is None else f'{x:.4f}'}" for name, x in self.metrics.items()]
        return f"Run({str(self.folder)!r}: {', '.join(scores)}, after {self.result['steps']} steps)"
