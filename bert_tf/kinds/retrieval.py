"""Finding documents for queries by sentence vectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bert_tf.config import SAMPLE
from bert_tf.errors import UserError
from bert_tf.kinds.sentence_vectors import SentenceVectors, TextGroups
from bert_tf.metrics.retrieval import check_retrieval_metric, rank, ranked_for, retrieval_scores


@dataclass(frozen=True, kw_only=True)
class Judged(TextGroups):
    """Documents, queries, and what is relevant to what.

    Its examples are the pairs of a query and a document relevant to it; `texts` are the documents, then the queries.

    Args:
        documents: how many of the texts are documents.
        judgements: for each query the gain of each document judged, by the document's number.
    """

    documents: int
    judgements: Sequence[Mapping[int, float]]


@dataclass(frozen=True, kw_only=True)
class Retrieval(SentenceVectors):
    """Vectors by which the documents nearest to a query are those that answer it.

    The source is opened for "documents" and "queries", each with the columns `id` and `text`, and for the split's
    judgements, with `query`, `document` (ids) and `gain`, above 0 where the document is relevant.

    A model is trained on pairs of a query and a relevant document, with "contrastive" loss; metrics rank all documents
    by the cosine, by brute force.

    Raises: ValueError for a loss that needs more than pairs, or metrics that are not of rankings.
    """

    loss: str = "contrastive"
    metrics: tuple[str, ...] = ("ndcg_at_10", "mrr", "recall_at_10", "recall_at_100")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.loss != "contrastive":
            raise ValueError(f"`loss` must be contrastive, as there are pairs alone. Received: loss={self.loss!r}")
        if isinstance(self.metrics, str) or not self.metrics:
            raise ValueError(f"`metrics` must be a tuple of one name or more. Received: metrics={self.metrics!r}")
        for name in self.metrics:
            check_retrieval_metric(name)

    def read(self, where: str, split: str, *, skip_bad_rows: bool = False) -> Judged:
        place = self.place(where)
        parts = {
            name: self.source.open(place, name, {"id": _id, "text": _text}, skip_bad_rows=skip_bad_rows)
            for name in ("documents", "queries")
        }
        numbers = {
            name: {key: number for number, key in enumerate(table.columns["id"])} for name, table in parts.items()
        }
        known = {"query": _known("query", numbers["queries"]), "document": _known("document", numbers["documents"])}
        table = self.source.open(place, split, {**known, "gain": float}, skip_bad_rows=skip_bad_rows)
        documents = len(parts["documents"])
        judgements: list[dict[int, float]] = [{} for _ in range(len(parts["queries"]))]
        for query, document, gain in zip(*table.columns.values(), strict=True):
            judgements[query][document] = gain
        pairs = [
            (documents + query, document)
            for query, judged in enumerate(judgements)
            for document, gain in judged.items()
            if gain > 0
        ]
        if not pairs:
            raise UserError(f"{table.origin}: expected a relevant document for one query at least. Received: none")
        return Judged(
            texts=[*parts["documents"].columns["text"], *parts["queries"].columns["text"]],
            members=np.array(pairs, np.int32),
            documents=documents,
            judgements=judgements,
            bad_rows=table.skipped + sum(part.skipped for part in parts.values()),
            is_sample=where == SAMPLE,
        )

    def measure_vectors(self, vectors: np.ndarray, examples: Judged) -> dict[str, float]:
        judged = [query for query, found in enumerate(examples.judgements) if found]
        queries = vectors[examples.documents :][judged]
        ranked = rank(queries, vectors[: examples.documents], ranked_for(self.metrics))
        return retrieval_scores(ranked.tolist(), [examples.judgements[query] for query in judged], self.metrics)


def _id(cell: Any) -> str:
    return str(cell)


def _text(cell: Any) -> str:
    """A text that may be empty, as two of Cranfield's are."""
    if not isinstance(cell, str):
        raise ValueError(f"expected text. Received: {cell!r}")
    return cell


def _known(what: str, numbers: Mapping[str, int]):
    """What turns an id into its number."""

    def parse(cell: Any) -> int:
        if str(cell) not in numbers:
            raise ValueError(f"expected the id of a {what}. Received: {str(cell)!r}, of which there is none")
        return numbers[str(cell)]

    return parse
