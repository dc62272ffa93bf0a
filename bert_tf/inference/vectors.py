"""What pipelines of sentence vectors give besides answers: vectors as an array, and how alike texts are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from bert_tf.kinds import Answer, Kind

Texts = str | Sequence[str]


def cosine(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """float64 [N, M] of [N, D] and [M, D]; 0 where a vector is 0."""
    return scaled(a) @ scaled(b).T


def euclidean(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The distances, negative, so that more is more alike."""
    return -np.stack([np.linalg.norm(b - row, axis=-1) for row in a]) if len(a) else np.zeros((0, len(b)))


def manhattan(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The sums of the differences of components, negative."""
    return -np.stack([np.abs(b - row).sum(axis=-1) for row in a]) if len(a) else np.zeros((0, len(b)))


def scaled(vectors: np.ndarray) -> np.ndarray:
    """[N, D] with the length 1; 0 stays 0."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)


SIMILARITIES: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "cosine": cosine,
    "dot": lambda a, b: a @ b.T,
    "euclidean": euclidean,
    "manhattan": manhattan,
}
"""By the names that sentence-transformers has for them (its `SimilarityFunction`)."""


class Vectors:
    """The methods of `bert_tf.Pipeline` that are for models of sentence vectors."""

    kind: Kind
    model: Any
    similarity_name: str = "cosine"
    rows: Callable[..., list[Answer]]

    def encode(
        self,
        texts: Texts,
        *,
        normalize: bool = False,
        batch_examples: int | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> np.ndarray:
        """The vectors of texts, in their order.

        Args:
            texts: one text, or several.
            normalize: scale them to the length 1, where the model does not do so itself.
            batch_examples: texts in a batch; None: the pipeline's.
            progress: called with (texts done, N) after each batch.
        Returns: float32 [N, D]; [D] of one text.
        Raises: ValueError for a pipeline that gives no vectors, or what is no text.

        >>> import keras, numpy
        >>> from bert_tf import BertConfig, BertEmbedder, BertTokenizer, Pipeline
        >>> from bert_tf.data import InMemory
        >>> from bert_tf.kinds import Retrieval
        >>> tokenizer = BertTokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "good", "bad", "film"])
        >>> config = BertConfig(vocabulary_size=9, hidden_dim=8, num_layers=1, num_heads=2, intermediate_dim=8)
        >>> kind = Retrieval(source=InMemory({}), sequence_length=16)
        >>> pipeline = Pipeline(BertEmbedder(config), tokenizer, kind)
        >>> pipeline.encode(["a good film", "a bad film", "good"]).shape
        (3, 8)
        >>> pipeline.similarity("a good film", ["a good film", "bad"]).round(3)[0, 0]
        np.float32(1.0)
        """
        name = self.kind.serving.vector
        if not name:
            came = f"a pipeline of {type(self.kind).__name__}"
            raise ValueError(f"`encode` and `similarity` are for models of sentence vectors. Received: {came}")
        if isinstance(texts, str):
            return self.encode([texts], normalize=normalize, batch_examples=batch_examples)[0]
        rows = self.rows(texts, batch_examples=batch_examples, progress=progress)
        width = getattr(self.model, "vector_dim", 0)
        found = np.array([row[name] for row in rows], np.float32).reshape(len(rows), -1 if rows else width)
        return scaled(found) if normalize else found

    def similarity(self, a: Texts | np.ndarray, b: Texts | np.ndarray) -> np.ndarray:
        """How alike texts are: the cosine of their vectors, or what the model's files say (`similarity_fn_name` of
        sentence-transformers): the dot product, or a distance, negative.

        Args:
            a, b: texts, one or several; or their vectors, [N, D] and [M, D].
        Returns: float32 [N, M].
        Raises: ValueError for a pipeline that gives no vectors, vectors of different widths, or files that name a
            function that is not known.
        """
        measure = SIMILARITIES.get(self.similarity_name)
        if measure is None:
            raise ValueError(
                f"The model's `similarity_fn_name` must be one of {', '.join(SIMILARITIES)}. "
                f"Received: {self.similarity_name!r}"
            )
        sides = [np.asarray(self._vectors(side), np.float64) for side in (a, b)]
        if sides[0].shape[1] != sides[1].shape[1]:
            raise ValueError(f"`a` and `b` must have the same width. Received: {sides[0].shape} and {sides[1].shape}")
        return measure(*sides).astype(np.float32)

    def _vectors(self, side: Texts | np.ndarray) -> np.ndarray:
        if isinstance(side, str):
            side = [side]
        return np.atleast_2d(side) if isinstance(side, np.ndarray) else self.encode(side)
