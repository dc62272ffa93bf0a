"""An index of sentence vectors on disk, searched by the cosine with faiss."""

from __future__ import annotations

import importlib.util
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bert_tf.errors import UserError
from bert_tf.inference.searching.identity import model_identity as model_identity
from bert_tf.weights.files import write_json, written_folder

FORMAT = 1
VECTORS, TEXTS, ABOUT = "vectors.faiss", "documents.jsonl", "index.json"
NEIGHBOURS, BUILD_DEPTH, SEARCH_DEPTH = 32, 200, 256  # of the approximate index: M, efConstruction, efSearch


class VectorIndex:
    """Documents and their vectors.

    Args:
        ids: an id for each document.
        texts: the documents.
        vectors: float [N, D]; the index keeps them scaled to the length 1.
        about: what else is to be kept with the index, such as which model made the vectors; for JSON.
        details: what else is known of each document, for JSON, such as its title; None: nothing.
        approximate: search a graph (HNSW, Malkov and Yashunin, 2018, https://arxiv.org/abs/1603.09320): much faster
            from about 100,000 documents on, and it may miss some. The default compares every document: exact.
    Raises: ValueError where ids, texts and vectors differ in length, or are empty; UserError if faiss is not installed.
    """

    def __init__(
        self,
        ids: Sequence[str],
        texts: Sequence[str],
        vectors: np.ndarray,
        *,
        about: dict[str, Any],
        details: Sequence[Mapping[str, Any]] | None = None,
        approximate: bool = False,
    ) -> None:
        if not len(ids) == len(texts) == len(vectors) or not len(ids):
            raise ValueError(
                "`ids`, `texts` and `vectors` must have the same length, at least 1. "
                f"Received: {len(ids)}, {len(texts)} and {len(vectors)}"
            )
        check_faiss()
        import faiss

        self.ids, self.texts = list(ids), list(texts)
        self.details: list[Mapping[str, Any]] = [{} for _ in ids] if details is None else list(details)
        self.about = {**about, "search": "approximate" if approximate else "exact"}
        if approximate:
            self._index = faiss.IndexHNSWFlat(vectors.shape[1], NEIGHBOURS, faiss.METRIC_INNER_PRODUCT)
            self._index.hnsw.efConstruction, self._index.hnsw.efSearch = BUILD_DEPTH, SEARCH_DEPTH
        else:
            self._index = faiss.IndexFlatIP(vectors.shape[1])
        self._index.add(_units(vectors))

    def __len__(self) -> int:
        return len(self.ids)

    def search(self, vectors: np.ndarray, top: int) -> tuple[np.ndarray, np.ndarray]:
        """The nearest documents, the nearest first.

        Args:
            vectors: float [Q, D].
            top: how many; all of them if there are fewer.
        Returns: cosines float32 and the documents' numbers int64, [Q, min(top, N)] both; a number below 0 where an
            approximate search found fewer.
        """
        scores, numbers = self._index.search(_units(vectors), min(top, len(self)))
        return scores, numbers

    def vectors_of(self, texts: Sequence[str]) -> dict[str, np.ndarray]:
        """The vectors, of the length 1, of those of `texts` that the index has, by the texts."""
        numbers = {text: number for number, text in enumerate(self.texts)}
        return {text: self._index.reconstruct(numbers[text]) for text in set(texts) if text in numbers}

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Writes the index; a new folder appears under its name when all of it is there. Raises: UserError."""
        import faiss

        with written_folder(folder) as work:
            faiss.write_index(self._index, str(work / VECTORS))
            with (work / TEXTS).open("w", encoding="utf-8", newline="\n") as file:
                for key, text, details in zip(self.ids, self.texts, self.details, strict=True):
                    file.write(json.dumps({"id": key, "text": text, **details}, ensure_ascii=False) + "\n")
            about = {"format": FORMAT, "documents": len(self), "dimensions": self._index.d, **self.about}
            write_json(work / ABOUT, about)

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> VectorIndex:
        """Raises: UserError if there is no index, one of another format, or a broken one."""
        check_faiss()
        import faiss

        folder = Path(folder)
        about = read_about(folder)
        try:
            index = faiss.read_index(str(folder / VECTORS))
            rows = [json.loads(line) for line in _lines(folder / TEXTS)]
        except (OSError, RuntimeError, ValueError) as error:
            reason = str(error).splitlines()[0]
            raise UserError(f"{folder}: expected a whole index. Received: {reason}") from None
        if not index.ntotal == len(rows) == about.get("documents"):
            raise UserError(
                f"{folder}: expected {about.get('documents')} documents. "
                f"Received: {index.ntotal} vectors and {len(rows)} texts"
            )
        self = cls.__new__(cls)
        self.ids, self.texts = [row.pop("id") for row in rows], [row.pop("text") for row in rows]
        self.details = rows
        self.about, self._index = about, index
        return self


def read_about(folder: Path) -> dict[str, Any]:
    """What an index says of itself. Raises: UserError if there is none, or one of another format."""
    path = folder / ABOUT
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
    except OSError:
        raise UserError(
            f"{folder}: expected an index, which has {ABOUT}. Received: none; build it with --corpus"
        ) from None
    except ValueError as error:
        raise UserError(f"{path}: expected JSON. Received: {error}") from None
    if about.get("format") != FORMAT:
        raise UserError(f"{path}: expected an index of the format {FORMAT}. Received: {about.get('format')!r}")
    return about


def check_faiss() -> None:
    """Raises: UserError that names the extra if faiss is not installed."""
    if importlib.util.find_spec("faiss") is None:
        raise UserError("search needs faiss, which is not installed: pip install 'bert_tf[search]'")


def _units(vectors: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.ascontiguousarray(vectors / np.maximum(lengths, 1e-12), np.float32)


def _lines(path: Path) -> list[str]:
    """Of \\n alone: texts may hold other separators."""
    return path.read_text(encoding="utf-8").rstrip("\n").split("\n")
