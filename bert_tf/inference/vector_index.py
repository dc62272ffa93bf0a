"""An index of sentence vectors on disk, searched by the cosine with faiss."""

from __future__ import annotations

import importlib.util
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal, Protocol

import numpy as np
from pydantic import Field

from bert_tf.errors import UserError
from bert_tf.guard import Checked, check_regular, parse_json, read_object, short, typed
from bert_tf.inference.searching.faiss_file import check_faiss_file
from bert_tf.inference.searching.identity import model_identity as model_identity
from bert_tf.weights.files import write_json, written_folder

FORMAT = 1
VECTORS, TEXTS, ABOUT = "vectors.faiss", "documents.jsonl", "index.json"
NEIGHBOURS, BUILD_DEPTH, SEARCH_DEPTH = 32, 200, 256  # of the approximate index: M, efConstruction, efSearch
EXACT, APPROXIMATE = "exact", "approximate"
FLOAT32, INT8 = PRECISIONS = ("float32", "int8")
CHUNK = 16_384  # vectors that are scaled and added at once
RANGES_OF, BLOCK = 65_536, 1_024  # vectors that the ranges of 8 bits are found from, and how many of them lie together
NOTHING: Mapping[str, Any] = MappingProxyType({})


class Rows(Protocol):
    """Vectors [N, D] of which a part is read at a time: an array, one on disk, or what makes them."""

    def __len__(self) -> int: ...
    def __getitem__(self, rows: slice, /) -> np.ndarray: ...


class About(Checked):
    """What is read of index.json by name; what else stands there is compared, or shown."""

    documents: Annotated[int, Field(ge=1)]
    dimensions: Annotated[int, Field(ge=1)] | None = None
    precision: Literal["float32", "int8"]
    search: str | None = None


class Document(Checked):
    """A line of documents.jsonl; what else stands there are the document's details."""

    id: str
    text: str


class VectorIndex:
    """Documents and their vectors.

    Args:
        ids: an id for each document.
        texts: the documents.
        vectors: float [N, D], read some thousand at a time; the index keeps them scaled to the length 1.
        about: what else is to be kept with the index, such as which model made the vectors; for JSON.
        details: what else is known of each document, for JSON, such as its title; None: nothing.
        approximate: search a graph (HNSW, Malkov and Yashunin, 2018, https://arxiv.org/abs/1603.09320): much faster
            from about 100,000 documents on, and it may miss some. The default compares every document: exact.
        precision: of the vectors that are kept: "float32", or "int8": 8 bits a component, between the least and the
            greatest value that it has. A quarter of the memory; cosines are some thousandths off, so that near
            neighbours may change places.
        ranges_of: an index whose ranges int8 takes over, so that its vectors, read from it and given again, stay as
            they are; None: they are found from `vectors`.
    Raises: ValueError where ids, texts and vectors differ in length, or are empty, or for another precision; UserError
        if faiss is not installed.
    """

    def __init__(
        self,
        ids: Sequence[str],
        texts: Sequence[str],
        vectors: Rows,
        *,
        about: dict[str, Any],
        details: Sequence[Mapping[str, Any]] | None = None,
        approximate: bool = False,
        precision: str = FLOAT32,
        ranges_of: VectorIndex | None = None,
    ) -> None:
        if not len(ids) == len(texts) == len(vectors) or not len(ids):
            raise ValueError(
                "`ids`, `texts` and `vectors` must have the same length, at least 1. "
                f"Received: {len(ids)}, {len(texts)} and {len(vectors)}"
            )
        if precision not in PRECISIONS:
            raise ValueError(f"`precision` must be one of {', '.join(PRECISIONS)}. Received: precision={precision!r}")
        check_faiss()
        self.ids, self.texts = list(ids), list(texts)
        self.details: list[Mapping[str, Any]] = [NOTHING] * len(self.ids) if details is None else list(details)
        self.about = {**about, "search": APPROXIMATE if approximate else EXACT, "precision": precision}
        self._index = _empty(vectors[:1].shape[1], approximate=approximate, precision=precision)
        if precision == INT8 and ranges_of is not None and ranges_of.about["precision"] == INT8:
            _take_ranges(self._index, ranges_of._index)
        elif precision == INT8:
            self._index.train(_units(_spread(vectors)))
        storage = _storage(self._index)
        storage.codes.resize(len(vectors) * storage.code_size)  # room for all, so that nothing moves as it grows
        for start in range(0, len(vectors), CHUNK):
            self._index.add(_units(vectors[start : start + CHUNK]))

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

    def vectors(self, numbers: np.ndarray) -> np.ndarray:
        """The vectors of documents, float32 [E, D], of the length 1, or nearly so in 8 bits.

        Args:
            numbers: int64 [E], of the documents.
        """
        return self._index.reconstruct_batch(numbers)

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
        """The vectors stay in their file, and are read where a search needs them.

        Raises: UserError if there is no index, one of another format, or a broken one.
        """
        check_faiss()
        import faiss

        folder = Path(folder)
        self = cls.__new__(cls)
        self.ids, self.texts, self.details, self.about = [], [], [], read_about(folder)
        # Windows cannot replace a file that is mapped, which bringing an index up to date does.
        flags = 0 if os.name == "nt" else getattr(faiss, "IO_FLAG_MMAP_IFC", 0)
        try:
            check_faiss_file(folder / VECTORS, self.about["documents"], self.about.get("dimensions"))
            check_regular(folder / TEXTS)
            self._index = faiss.read_index(str(folder / VECTORS), flags)
            self._read_texts(folder / TEXTS)
        except (OSError, RuntimeError, ValueError) as error:
            reason = str(error).splitlines()[0]
            raise UserError(f"{folder}: expected a whole index. Received: {reason}") from None
        expected = self.about.get("documents")
        if not self._index.ntotal == len(self) == expected:
            came = f"{self._index.ntotal} vectors and {len(self)} texts"
            raise UserError(f"{folder}: expected {expected} documents. Received: {came}")
        if self._index.d != (width := self.about.get("dimensions", self._index.d)):
            raise UserError(f"{folder}: expected vectors of {width} numbers. Received: {self._index.d}")
        return self

    def _read_texts(self, path: Path) -> None:
        with path.open(encoding="utf-8", newline="\n") as file:  # of \n alone: texts may hold other separators
            for line in file:
                row = parse_json(line, path)
                typed(Document, row, path)
                self.ids.append(row.pop("id"))
                self.texts.append(row.pop("text"))
                self.details.append(row or NOTHING)


def read_about(folder: Path) -> dict[str, Any]:
    """What an index says of itself. Raises: UserError if there is none, or one of another format."""
    path = folder / ABOUT
    try:
        about = read_object(path)
    except OSError:
        raise UserError(
            f"{folder}: expected an index, which has {ABOUT}. Received: none; build it with --corpus"
        ) from None
    if about.get("format") != FORMAT:
        raise UserError(f"{path}: expected an index of the format {FORMAT}. Received: {short(about.get('format'))}")
    typed(About, {"precision": FLOAT32, **about}, path)
    return {"precision": FLOAT32, **about}  # an index from before there was a choice does not say


def check_faiss() -> None:
    """Raises: UserError that names the extra if faiss is not installed."""
    if importlib.util.find_spec("faiss") is None:
        raise UserError("search needs faiss, which is not installed: pip install 'bert_tf[search]'")


def _units(vectors: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.ascontiguousarray(vectors / np.maximum(lengths, 1e-12), np.float32)


def _empty(width: int, *, approximate: bool, precision: str) -> Any:
    """An index of no vectors yet."""
    import faiss

    metric, eight_bits = faiss.METRIC_INNER_PRODUCT, faiss.ScalarQuantizer.QT_8bit
    if not approximate:
        flat = precision == FLOAT32
        return faiss.IndexFlatIP(width) if flat else faiss.IndexScalarQuantizer(width, eight_bits, metric)
    if precision == FLOAT32:
        index = faiss.IndexHNSWFlat(width, NEIGHBOURS, metric)
    else:
        index = faiss.IndexHNSWSQ(width, eight_bits, NEIGHBOURS, metric)  # pyright: ignore[reportArgumentType]
    index.hnsw.efConstruction, index.hnsw.efSearch = BUILD_DEPTH, SEARCH_DEPTH
    return index


def _storage(index: Any) -> Any:
    """What holds the vectors: the index itself, or what the graph is over."""
    import faiss

    return faiss.downcast_index(index.storage) if hasattr(index, "storage") else index


def _take_ranges(index: Any, other: Any) -> None:
    """The ranges of 8 bits, as another index has them."""
    import faiss

    storage = _storage(index)
    faiss.copy_array_to_vector(faiss.vector_to_array(_storage(other).sq.trained), storage.sq.trained)
    storage.is_trained = index.is_trained = True


def _spread(vectors: Rows) -> np.ndarray:
    """Some of the vectors, from all parts of them."""
    step = BLOCK * -(-len(vectors) // RANGES_OF)
    return np.concatenate([vectors[start : start + BLOCK] for start in range(0, len(vectors), step)])
