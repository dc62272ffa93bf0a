"""What a report is made of, gathered once: the run, what it notes, and what its answers are worth."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bert_tf.config import RunConfig
from bert_tf.inference.explaining import Explanation
from bert_tf.inference.runs import read_run
from bert_tf.inference.trained import Run
from bert_tf.kinds.diagnosis import Diagnosis, Lengths

if TYPE_CHECKING:
    from bert_tf.inference.pipeline import Pipeline
    from bert_tf.kinds.examples import Examples

PROGRESS = logging.getLogger("bert_tf.progress")  # which commands show


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Of a run.

    Args:
        run: its folder, result and task.
        config: its settings.
        history: what was noted in training, as `Run.history` has it.
        split: which examples were answered.
        data: where they are from.
        examples: how many the split has.
        looked_at: how many of them were answered.
        scores: metrics of those answers; empty: as the result has them.
        diagnosis: what came of it.
        lengths: of the examples; None where there is nothing to count.
        explained: of the surest mistakes, by the number of the example: of each part of the answer, such as an entity,
            where it is explained by itself.
    """

    run: Run
    config: RunConfig
    history: dict[str, np.ndarray]
    split: str
    data: str
    examples: int
    looked_at: int
    scores: dict[str, float] = field(default_factory=dict)
    diagnosis: Diagnosis = field(default_factory=Diagnosis)
    lengths: Lengths | None = None
    explained: dict[int, Sequence[Explanation]] = field(default_factory=dict)

    @property
    def task(self) -> str:
        return Path(self.config.task).stem


def gather(
    run: Run,
    examples: Examples,
    *,
    split: str,
    data: str,
    scored: bool = True,
    explain: int = 0,
    within: float | None = None,
) -> Facts:
    """Answers examples with the run's model, and says what came of it.

    Args:
        examples: of the split, with labels.
        split, data: which those are.
        scored: whether metrics are to be worked out, rather than those in the result shown.
        explain: how many of the surest mistakes are to be explained, where the task can be.
        within: seconds after which no more of them are begun; None: all are.
    """
    pipeline = run.pipeline()
    kind, answers = pipeline.kind, pipeline.rows(*examples.columns)
    diagnosis = kind.diagnose(answers, examples)
    scores = kind.measure_answers(answers, examples) if scored and kind.is_scored_by_answers else {}
    explained = _explained(pipeline, diagnosis, explain, math.inf if within is None else within)
    return facts_of(run, examples, (diagnosis, examples), split=split, data=data, scores=scores, explained=explained)


def facts_of(
    run: Run,
    examples: Examples,
    found: tuple[Diagnosis, Examples] | None,
    *,
    split: str,
    data: str,
    scores: Mapping[str, float] | None = None,
    explained: Mapping[int, Sequence[Explanation]] | None = None,
) -> Facts:
    """The facts of a run whose answers were looked at already.

    Args:
        examples: all of the split.
        found: what answers to some of them came to, and these; None: none were looked at.
        split, data: which examples they are.
        scores, explained: as `Facts` has them.
    """
    pipeline = run.pipeline()
    diagnosis, some = (Diagnosis(), None) if found is None else found
    lengths = None
    if some is not None:
        lengths = pipeline.kind.lengths(pipeline.tokenizer, some, sequence_length=pipeline.sequence_length)
    return Facts(
        run=run,
        config=read_run(run.folder),
        history=run.history,
        split=split,
        data=data,
        examples=len(examples),
        looked_at=0 if some is None else len(some),
        scores=dict(scores or {}),
        diagnosis=diagnosis,
        lengths=lengths,
        explained=dict(explained or {}),
    )


def _explained(pipeline: Pipeline, diagnosis: Diagnosis, count: int, within: float) -> dict[int, Sequence[Explanation]]:
    """Which words the surest mistakes hang on, by the number of the example."""
    from bert_tf.inference.explaining import can_explain, explain_in_turn

    rows = diagnosis.mistakes(count) if count and can_explain(pipeline.kind) else []
    if not rows:
        return {}
    columns = [[row.inputs[name] for row in rows] for name in rows[0].inputs]
    began, found = time.perf_counter(), {}
    for row, explained in zip(rows, explain_in_turn(pipeline, *columns), strict=True):
        found[row.number] = explained
        if time.perf_counter() - began > within and len(found) < len(rows):
            PROGRESS.info("words are marked in %d of %d mistakes, which took %.0f s; --explain=%d marks all of them",
                          len(found), len(rows), time.perf_counter() - began, len(rows))  # fmt: skip
            break
    return found
