"""Documents, queries and judgements in a folder as BEIR's sets are published."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from bert_tf.data.files import DataFile, Row
from bert_tf.data.rows.table import Parsers, Table, collect
from bert_tf.data.sources.base import FileSource
from bert_tf.data.sources.text_sets import TextSetReading, judgement_lines, text_rows, unique

DOCUMENTS, QUERIES = "documents", "queries"


@dataclass(frozen=True, kw_only=True)
class Beir(FileSource):
    """A folder with `corpus.jsonl`, `queries.jsonl` and a file of judgements for each split.

    Documents and queries have the columns `id` and `text`, before which a document's title stands. Judgements have
    `query`, `document` and `gain`.

    Args:
        files: the file of "documents", of "queries", and of the judgements of each split.
    Reference: Thakur et al., 2021, https://arxiv.org/abs/2104.08663

    >>> from bert_tf.kinds import Retrieval
    >>> Retrieval(source=Beir(), sequence_length=256).metrics
    ('ndcg_at_10', 'mrr', 'recall_at_10', 'recall_at_100')
    """

    files: Mapping[str, str] = field(
        default_factory=lambda: {
            DOCUMENTS: "corpus.jsonl",
            QUERIES: "queries.jsonl",
            "train": "qrels/train.tsv",
            "validation": "qrels/dev.tsv",
            "test": "qrels/test.tsv",
        }
    )

    reads_folders: ClassVar[bool] = True
    ignores_identical_ids: ClassVar[bool] = True
    """Whether a document with a query's own id is no answer to it, as in BEIR's evaluation."""

    def _open(self, where: str | os.PathLike[str] | None, split: str, parsers: Parsers, **options: Any) -> Table:
        path = self.path(where, split)
        rows = self._read(path)[1] if split in (DOCUMENTS, QUERIES) else judgement_lines(path, self.encoding)
        return collect(rows, parsers, origin=str(path), **options)

    def _read(self, path: Path) -> tuple[Sequence[str], Iterator[Row]]:
        return (), unique(text_rows(DataFile(path, self.encoding), TextSetReading()).rows)
