"""An index built, brought up to date, and asked: vectors of a pipeline, documents in passages."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from bert_tf.errors import UserError
from bert_tf.inference.searching.identity import differences, model_facts, model_identity
from bert_tf.inference.searching.models import PLACE
from bert_tf.inference.vector_index import APPROXIMATE, CHUNK, FLOAT32, VectorIndex

if TYPE_CHECKING:
    from bert_tf.data.search_corpus import SearchCorpus
    from bert_tf.inference.pipeline import Pipeline

Progress = Callable[[int, int], None]
MODEL, FACTS = "model", "model_facts"
"""What an index says of its model: the digest of all its vectors depend on, and this by names."""


class Opened(NamedTuple):
    """An index, and how many of its texts were given vectors for it just now."""

    index: VectorIndex
    encoded: int


def corpus_to_read(
    corpus: SearchCorpus,
    about: Mapping[str, Any],
    folder: Path,
    *,
    precision: str | None = None,
    approximate: bool = False,
) -> SearchCorpus | None:
    """The corpus where the index has it in another state, or not in the form asked for; else None.

    Args:
        about: what the index in `folder` says of itself.
        precision, approximate: as of `open_index`.
    Raises: UserError for another corpus.
    """
    if "rows" in about:
        is_same = about["rows"] == corpus.digest
    else:  # of an older version, which kept a digest of the file
        path = Path(corpus.place)
        is_same = path.is_file() and about.get("corpus") == hashlib.sha256(path.read_bytes()).hexdigest()
    if not is_same and about.get("corpus_place") != corpus.place:
        raise UserError(
            f"--index={folder} holds an index of another corpus, {about.get('corpus_name')}. Give a fresh --index, "
            "or leave out --corpus"
        )
    is_as_asked = precision in (None, about["precision"]) and (not approximate or about["search"] == APPROXIMATE)
    return None if is_same and is_as_asked else corpus


def about_model(pipeline: Pipeline, place: Mapping[str, Any]) -> dict[str, Any]:
    """What an index keeps of the model that makes it.

    Args:
        place: where it was read from, and how: `run` or `model`, and `settings`.
    """
    parts, lengths = (pipeline.model, pipeline.tokenizer), _lengths(pipeline)
    return {
        MODEL: model_identity(*parts, **lengths),
        FACTS: model_facts(*parts, **lengths),
        PLACE: dict(place),
        "sequence_length": pipeline.sequence_length,
    }


def check_model(folder: Path, about: Mapping[str, Any], pipeline: Pipeline) -> None:
    """Raises: UserError that names what differs, if another model made an index."""
    parts, lengths = (pipeline.model, pipeline.tokenizer), _lengths(pipeline)
    identity = model_identity(*parts, **lengths)
    if about.get(MODEL) == identity:
        return
    kept = about.get(FACTS)
    came = f"{identity[:12]}, the index has {str(about.get(MODEL))[:12]}"
    if kept is not None:
        came = f"one that differs in {differences(kept, model_facts(*parts, **lengths))}"
    raise UserError(
        f"--index={folder} was made by another model, so its vectors cannot be compared with this one's. Give the "
        f"model that made it, or a fresh --index and --corpus. Received: {came}"
    )


def _lengths(pipeline: Pipeline) -> dict[str, Any]:
    """How much of a text its vector is of."""
    return {"sequence_length": pipeline.sequence_length, "long_texts": pipeline.kind.long_text_settings}


def open_index(
    pipeline: Pipeline,
    folder: Path,
    about: Mapping[str, Any] | None,
    corpus: SearchCorpus | None,
    place: Mapping[str, Any],
    *,
    passage_words: int | None = None,
    approximate: bool = False,
    precision: str | None = None,
    progress: Progress | None = None,
) -> Opened:
    """The index that is there, or one of a corpus, which is written; texts that the old one has keep their vectors.

    Args:
        about: what the index that is there says of itself; None: there is none.
        corpus: what to read; None: nothing has changed.
        place: see `about_model`.
        passage_words: most words of a passage, as somebody said; None: as the index that is there was made.
        approximate: whether to build a graph; one that is there stays one.
        precision: of the vectors that are kept, "float32" or "int8"; None: as the index that is there has them.
        progress: called with (texts done, all texts that need vectors).
    Raises: UserError if another model made the index that is there.
    """
    old = None
    if about is not None:
        check_model(folder, about, pipeline)
        old = VectorIndex.load(folder)
    if corpus is None:
        assert old is not None
        return Opened(old, 0)
    if about is not None:
        approximate, precision = approximate or about["search"] == APPROXIMATE, precision or about["precision"]
        if precision == FLOAT32 != about["precision"]:
            old = None  # its vectors are not exact, so none is kept
    of_corpus: dict[str, Any] = {"corpus_name": corpus.name, "corpus_place": corpus.place, "rows": corpus.digest}
    of_corpus["passage_words"] = passage_words or (about or {}).get("passage_words")
    numbers = {} if old is None else {text: number for number, text in enumerate(old.texts)}
    new = [text for text in dict.fromkeys(corpus.texts) if text not in numbers]
    with tempfile.TemporaryDirectory(prefix="bert_tf-index-") as work:
        encoded = Path(work) / "vectors"
        _encode(pipeline, new, encoded, progress)
        index = VectorIndex(
            corpus.ids,
            corpus.texts,
            CorpusVectors(corpus.texts, old, numbers, new, encoded),
            about={**of_corpus, **about_model(pipeline, place)},
            details=corpus.details,
            approximate=approximate,
            precision=precision or FLOAT32,
            # Of an index that was small, the ranges need not be those of many texts.
            ranges_of=old if old is not None and len(new) <= len(old) else None,
        )
    index.save(folder)
    return Opened(index, len(new))


class CorpusVectors:
    """The vectors of a corpus, a part at a time: kept ones from an index, and new ones.

    Args:
        texts: N texts.
        old: the index of the kept ones; None: there is none.
        numbers: text -> its number in `old`.
        new: the other texts, each once.
        encoded: a file of their vectors, float32, opened for each part: what was read of a file that stays open counts
            as this process's memory.
    """

    def __init__(
        self,
        texts: Sequence[str],
        old: VectorIndex | None,
        numbers: Mapping[str, int],
        new: Sequence[str],
        encoded: Path,
    ) -> None:
        self.old, self.encoded, self.count = old, encoded, len(new)
        places = {text: -1 - place for place, text in enumerate(new)}  # below 0: in `encoded`
        self.places = np.array([numbers[text] if text in numbers else places[text] for text in texts], np.int64)

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, rows: slice) -> np.ndarray:
        places = self.places[rows]
        is_old = places >= 0
        parts = []
        if is_old.any():
            assert self.old is not None
            parts.append(self.old.vectors(places[is_old]))
        if not is_old.all():
            new = np.memmap(self.encoded, np.float32, "r").reshape(self.count, -1)
            parts.append(new[-1 - places[~is_old]])
        order = np.concatenate([np.flatnonzero(is_old), np.flatnonzero(~is_old)])
        found = np.empty((len(places), parts[0].shape[1]), np.float32)
        found[order] = np.concatenate(parts)
        return found


def _encode(pipeline: Pipeline, texts: Sequence[str], path: Path, progress: Progress | None) -> None:
    """Writes the vectors of texts, float32 [M, D]: of a million they would take more memory than all else."""
    with path.open("wb") as file:
        for start in range(0, len(texts), CHUNK):
            so_far = None if progress is None else lambda done, _, start=start: progress(start + done, len(texts))
            file.write(pipeline.encode(texts[start : start + CHUNK], progress=so_far).tobytes())


def nearest(index: VectorIndex, vectors: np.ndarray, top: int) -> list[list[tuple[int, float]]]:
    """For each query the numbers of the nearest texts and their cosines, the best text of each document alone.

    Args:
        vectors: float [Q, D].
        top: most documents for a query.
    """
    documents = len(set(index.ids))
    depth = top if documents == len(index) else 4 * top
    while True:
        found = [_by_document(index, *row, top) for row in zip(*index.search(vectors, depth), strict=True)]
        if depth >= len(index) or all(len(row) >= min(top, documents) for row in found):
            return found
        depth *= 4


def _by_document(
    index: VectorIndex, scores: Sequence[float], numbers: Sequence[int], top: int
) -> list[tuple[int, float]]:
    best: dict[str, tuple[int, float]] = {}
    for score, number in zip(scores, numbers, strict=True):
        if number >= 0:
            best.setdefault(index.ids[number], (int(number), float(score)))
    return list(best.values())[:top]
