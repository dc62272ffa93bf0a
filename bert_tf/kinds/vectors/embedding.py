"""Sentence vectors learnt from pairs or triplets of texts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bert_tf.config import SAMPLE
from bert_tf.data.rows.cells import as_bool, number, plain
from bert_tf.errors import UserError
from bert_tf.kinds.base import Answer
from bert_tf.kinds.diagnosis import Diagnosis
from bert_tf.kinds.vectors.spec import SentenceVectors, TextGroups, numbered, unit_rows
from bert_tf.metrics import get_metric
from bert_tf.metrics.ranking import check_retrieval_metric, rank, ranked_for, retrieval_scores

TRIPLET_METRIC = "triplet_accuracy"


@dataclass(frozen=True, kw_only=True)
class Embedding(SentenceVectors):
    """Vectors that are close where texts mean the same.

    What an example is follows from the columns:

    - two texts and a `score`: the metrics are of the cosine against the score ("spearman", "pearson"); the loss is
      "cosine" against the score as a share of its range, or "contrastive" over the pairs that score high enough.
    - two texts: an anchor and its positive; the metrics are of finding the positive among all positives ("mrr",
      "ndcg_at_K", "recall_at_K"); the loss is "contrastive".
    - three texts: also a negative; the metric is "triplet_accuracy", the share of anchors that are closer to the
      positive, or those of two texts; the loss is "triplet" or "contrastive".

    Args:
        text: the columns of the texts, two or three.
        score: the column of the score.
        score_range: the least and the greatest score; from 0 to 1, true and false are read, too.
        positive_from: of a contrastive loss with scores: the share of the range from which a pair is a positive; the
            others only give negatives.
    Raises: ValueError for columns, metrics or a loss that do not go together.

    >>> from bert_tf.data import InMemory
    >>> source = InMemory({"train": [{"one": "a film", "two": "a movie", "score": 4.0}]})
    >>> kind = Embedding(source=source, text=("one", "two"), score="score", score_range=(0, 5), sequence_length=32)
    >>> examples = kind.read("own", "train")
    >>> examples.texts, examples.members.tolist()
    (['a film', 'a movie'], [[0, 1]])
    """

    text: tuple[str, ...]
    score: str | None = None
    score_range: tuple[float, float] = (0.0, 1.0)
    positive_from: float = 0.8
    loss: str = "cosine"
    metrics: tuple[str, ...] = ("spearman", "pearson")

    def __post_init__(self) -> None:
        super().__post_init__()
        if isinstance(self.text, str) or len(set(self.text)) != len(self.text) or len(self.text) not in (2, 3):
            raise ValueError(f"`text` must be a tuple of two or three columns. Received: text={self.text!r}")
        if self.score is not None and len(self.text) == 3:
            raise ValueError(f"`score` is of two texts. Received: score={self.score!r}, text={self.text!r}")
        if not self.score_range[0] < self.score_range[1]:
            raise ValueError(f"`score_range` must rise. Received: score_range={self.score_range}")
        if not 0 <= self.positive_from <= 1:
            raise ValueError(f"`positive_from` must be in [0, 1]. Received: positive_from={self.positive_from}")
        fitting = ("contrastive", "cosine") if self.score else ("contrastive", "triplet")[: len(self.text) - 1]
        if self.loss not in fitting:
            what = f"{len(self.text)} texts {'with' if self.score else 'without'} a score"
            raise ValueError(f"`loss` must be {' or '.join(fitting)} for {what}. Received: loss={self.loss!r}")
        if isinstance(self.metrics, str) or not self.metrics:
            raise ValueError(f"`metrics` must be a tuple of one name or more. Received: metrics={self.metrics!r}")
        for name in self.metrics:
            if self.score is None and not (name == TRIPLET_METRIC and len(self.text) == 3):
                check_retrieval_metric(name)
            elif self.score is not None and not get_metric(name).of_numbers:
                raise ValueError(f"`metrics` must be of numbers where there is a score. Received: {self.metrics!r}")

    def read(self, where: str, split: str, *, skip_bad_rows: bool = False) -> TextGroups:
        from bert_tf.data import text

        parsers: dict[str, Callable[[Any], Any]] = dict.fromkeys(self.text, text)
        if self.score is not None:
            parsers[self.score] = _score(*self.score_range)
        optional = (self.score,) if self.score and split not in ("train", "validation") else ()
        table = self.source.open(self.place(where), split, parsers, optional=optional, skip_bad_rows=skip_bad_rows)
        texts, members = numbered([table.columns[name] for name in self.text])
        scores = None
        if self.score is not None and self.score in table.columns:
            low, high = self.score_range
            scores = (np.asarray(table.columns[self.score], np.float32) - low) / (high - low)
        return TextGroups(
            texts=texts,
            members=members,
            labels=scores,
            needs_labels=self.score is not None,
            bad_rows=table.skipped,
            bad_row_reasons=table.reasons,
            is_sample=where == SAMPLE,
        )

    def weights(self, examples: TextGroups) -> np.ndarray | None:
        """1 for a positive pair and 0 for another. Raises: UserError if no pair is positive."""
        if self.loss != "contrastive" or examples.labels is None:
            return None
        weights = (examples.labels >= self.positive_from).astype(np.float32)
        if not weights.any():
            raise UserError(
                f"a contrastive loss needs pairs that score {self.positive_from} of the range or more. "
                f"Received: none among {len(examples)}"
            )
        return weights

    def measure_vectors(self, vectors: np.ndarray, examples: TextGroups) -> dict[str, float]:
        groups = unit_rows(vectors)[examples.members]  # [E, P, D]
        cosines = np.sum(groups[:, :1] * groups[:, 1:], axis=-1)  # [E, P - 1]
        if self.score is not None:
            assert examples.labels is not None
            return {name: get_metric(name)(cosines[:, 0], examples.labels) for name in self.metrics}
        found = {TRIPLET_METRIC: float(np.mean(cosines[:, 0] > cosines[:, -1]))}
        of_ranking = [name for name in self.metrics if name != TRIPLET_METRIC]
        if of_ranking:
            found |= self._ranking(vectors, examples.members, of_ranking)
        return {name: found[name] for name in self.metrics}

    def diagnose(self, answers: Sequence[Answer], examples: TextGroups) -> Diagnosis:
        from bert_tf.kinds.vectors import diagnosis

        vectors = np.stack([answer["vector"] for answer in answers])
        if self.score is not None:
            return diagnosis.of_scored_pairs(self.text, vectors, examples, score_range=self.score_range)
        if TRIPLET_METRIC in self.metrics:
            return diagnosis.of_triplets(self.text, vectors, examples)
        anchors, positives, judgements = _judged(examples.members)
        first = rank(vectors[anchors], vectors[positives], 1)[:, 0]
        units = unit_rows(vectors)
        number = {text: place for place, text in enumerate(positives.tolist())}
        return diagnosis.of_ranking(
            self.text[0],
            [examples.texts[int(anchor)] for anchor in anchors],
            [examples.texts[int(positive)] for positive in positives],
            [[number[positive] for positive in judgements[anchor]] for anchor in anchors.tolist()],
            first.tolist(),
            np.sum(units[anchors] * units[positives[first]], axis=-1).tolist(),
        )

    def _ranking(self, vectors: np.ndarray, members: np.ndarray, names: list[str]) -> dict[str, float]:
        """Of each different anchor against every positive."""
        anchors, positives, judgements = _judged(members)
        ranked = positives[rank(vectors[anchors], vectors[positives], ranked_for(names))]
        return retrieval_scores(ranked.tolist(), [judgements[int(anchor)] for anchor in anchors], names)


def _judged(members: np.ndarray) -> tuple[np.ndarray, np.ndarray, dict[int, dict[int, float]]]:
    """The different anchors and positives of examples, by the numbers of their texts, and which go together."""
    anchors, positives = np.unique(members[:, 0]), np.unique(members[:, 1])
    judgements: dict[int, dict[int, float]] = {int(anchor): {} for anchor in anchors}
    for anchor, positive in members[:, :2].tolist():
        judgements[anchor][positive] = 1.0
    return anchors, positives, judgements


def _score(low: float, high: float) -> Callable[[Any], float]:
    """A number of the range; where that is from 0 to 1 also true or false."""
    read = number(low, high)

    def parse(cell: Any) -> float:
        truth = as_bool(plain(cell)) if (low, high) == (0.0, 1.0) else None
        return read(cell) if truth is None else float(truth)

    return parse
