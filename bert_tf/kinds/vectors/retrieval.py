"""Finding documents for queries by sentence vectors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bert_tf.config import SAMPLE
from bert_tf.data.rows.cells import number
from bert_tf.data.rows.judgements import gathered
from bert_tf.data.sources.text_sets import known_id
from bert_tf.errors import UserError
from bert_tf.kinds.base import Answer
from bert_tf.kinds.diagnosis import Diagnosis
from bert_tf.kinds.vectors.spec import SentenceVectors, TextGroups, unit_rows
from bert_tf.metrics.ranking import check_retrieval_metric, rank, ranked_for, retrieval_scores, without


@dataclass(frozen=True, kw_only=True)
class Judged(TextGroups):
    """Documents, queries, and what is relevant to what.

    Its examples are the pairs of a query and a document relevant to it; `texts` are the documents, then the queries.

    Args:
        documents: how many of the texts are documents.
        judgements: for each query the gain of each document judged, by the document's number; from `documents` on for
            one that is not there.
        own: for each query the number of the document of the same id, -1 where there is none.
    """

    documents: int
    judgements: Sequence[Mapping[int, float]]
    own: Sequence[int] = ()

    def first(self, count: int) -> Judged:
        """All of them: a ranking over all is what is measured."""
        return self


@dataclass(frozen=True, kw_only=True)
class Retrieval(SentenceVectors):
    """Vectors by which the documents nearest to a query are those that answer it.

    The source is opened for "documents" and "queries", each with the columns `id` and `text`, and for the split's
    judgements, with `query`, `document` (ids) and `gain`, above 0 where the document is relevant.

    A model is trained on pairs of a query and a relevant document, with "contrastive" loss; metrics rank all documents
    by the cosine, by brute force, and are trec_eval's: a relevant document that the collection lacks counts as not
    found.

    Args:
        ignore_identical_ids: leave a document out of the ranking for the query of the same id, where queries are
            documents themselves; None: in sets of BEIR, as its own evaluation does.
    Raises: ValueError for a loss that needs more than pairs, or metrics that are not of rankings.

    >>> from bert_tf.data import Cranfield
    >>> files = {"documents": "cran.all.1400", "queries": "cran.qry", "test": "cranqrel"}
    >>> Retrieval(source=Cranfield(files=files), sequence_length=256).main_metric
    'ndcg_at_10'
    """

    loss: str = "contrastive"
    ignore_identical_ids: bool | None = None
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
        documents, queries = (parts[name].columns["id"] for name in ("documents", "queries"))
        parsers = {"query": known_id("query", queries), "document": _id, "gain": number()}
        table = self.source.open(place, split, parsers, skip_bad_rows=skip_bad_rows)
        rows = zip(map(table.place, range(len(table))), *(table.columns[name] for name in parsers), strict=True)
        judgements = gathered(rows, queries=len(queries), documents=documents, origin=table.origin)
        pairs = [
            (len(documents) + query, document)
            for query, judged in enumerate(judgements)
            for document, gain in judged.items()
            if gain > 0 and document < len(documents)
        ]
        if not pairs:
            raise UserError(f"{table.origin}: expected a relevant document that the collection has. Received: none")
        numbers = {key: row for row, key in enumerate(documents)}
        return Judged(
            texts=[*parts["documents"].columns["text"], *parts["queries"].columns["text"]],
            members=np.array(pairs, np.int32),
            documents=len(documents),
            judgements=judgements,
            own=[numbers.get(key, -1) for key in queries] if self.ignores_identical_ids else (),
            bad_rows=table.skipped + sum(part.skipped for part in parts.values()),
            bad_row_reasons=sum((Counter(part.reasons) for part in (table, *parts.values())), Counter()),
            is_sample=where == SAMPLE,
        )

    @property
    def ignores_identical_ids(self) -> bool:
        """Whether a query's own document is left out."""
        if self.ignore_identical_ids is None:
            return getattr(self.source.reader, "ignores_identical_ids", False)
        return self.ignore_identical_ids

    def measure_vectors(self, vectors: np.ndarray, examples: Judged) -> dict[str, float]:
        judged = _judged(examples)
        ranked = self._ranked(vectors, examples, ranked_for(self.metrics))
        return retrieval_scores(ranked, [examples.judgements[query] for query in judged], self.metrics)

    def _ranked(self, vectors: np.ndarray, examples: Judged, depth: int) -> list[list[int]]:
        """For each judged query the documents nearest to it."""
        judged = _judged(examples)
        queries = vectors[examples.documents :][judged]
        own = [examples.own[query] for query in judged] if examples.own else None
        ranked = rank(queries, vectors[: examples.documents], depth + (own is not None)).tolist()
        return ranked if own is None else without(ranked, own)

    def diagnose(self, answers: Sequence[Answer], examples: Judged) -> Diagnosis:
        from bert_tf.kinds.vectors.diagnosis import of_ranking

        vectors = np.stack([answer["vector"] for answer in answers])
        judged = _judged(examples)
        # A collection may be the query's own document alone.
        first = [ranked[0] if ranked else -1 for ranked in self._ranked(vectors, examples, 1)]
        pairs = [(query, best) for query, best in zip(judged, first, strict=True) if best >= 0]
        units, start = unit_rows(vectors), examples.documents
        right = [[document for document, gain in examples.judgements[query].items() if gain > 0] for query, _ in pairs]
        return of_ranking(
            "query",
            [examples.texts[start + query] for query, _ in pairs],
            examples.texts[:start],
            right,
            [best for _, best in pairs],
            [float(units[start + query] @ units[best]) for query, best in pairs],
        )


def _judged(examples: Judged) -> list[int]:
    """The queries of which something is judged."""
    return [query for query, found in enumerate(examples.judgements) if found]


def _id(cell: Any) -> str:
    return str(cell)


def _text(cell: Any) -> str:
    """A text that may be empty, as two of Cranfield's are."""
    if not isinstance(cell, str):
        raise ValueError(f"expected text. Received: {cell!r}")
    return cell
