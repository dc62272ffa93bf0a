"""A data set as flat arrays of token ids: what training, evaluation and packing read."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Protocol

import numpy as np

from bert_tf.data.batching.blocks import blocks
from bert_tf.data.batching.cut import Cut
from bert_tf.data.batching.plan import Plan


class RaggedTokenizer(Protocol):
    """What `encode` needs of a tokenizer."""

    def encode_ragged(
        self, texts: Any, pairs: Any = None, *, max_length: int, truncation: str
    ) -> Mapping[str, Any]: ...


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class Features:
    """E tokenised examples, end to end in flat arrays of S = splits[E] tokens.

    Args:
        token_ids: int32 [S], special tokens included.
        segment_ids: int8 [S].
        splits: int64 [E + 1]; example e is the tokens splits[e] to splits[e + 1].
        labels: int32 or float32 [E] or [E, C], or None where there are none.
        weights: float32 [E], or None where every example weighs 1.
        loss_terms: integers [E], how many terms an example's loss is the sum of (labelled tokens, say); None: 1 each.
        token_fields: further arrays [S], laid out in a batch as `token_ids` are (labels of tokens, say).
        example_fields: further arrays [E] or [E, ...], laid out in a batch as `labels` are.
        position_fields: integer arrays [E] that count tokens from the example's first (an answer's start, say); in a
            packed row they are moved with the example, so that they count from the row's first token.
        fills: what stands in a field of that name where there is no token or no example; 0 where not named.
        members: int [E, P], where an example is P texts that do not see one another (a pair to be compared, say):
            which of the N texts, so that one text can be in several examples. Tokens and `splits` [N + 1] are then of
            the texts. None: an example is one text, and N is E.
        cut: what the sequence length has cut off the texts; None: not known. Of this the model gets nothing.
        token_numbers: int32 [V], what a batch has in the place of each id of `token_ids`; None: the ids themselves.
    Raises: ValueError where the arrays' lengths do not go together.

    >>> ids = np.array([2, 5, 3, 2, 6, 7, 3], np.int32)
    >>> features = Features(token_ids=ids, segment_ids=np.zeros(7, np.int8), splits=np.array([0, 3, 7]))
    >>> len(features), features.lengths.tolist()
    (2, [3, 4])
    """

    token_ids: np.ndarray
    segment_ids: np.ndarray
    splits: np.ndarray
    labels: np.ndarray | None = None
    weights: np.ndarray | None = None
    loss_terms: np.ndarray | None = None
    token_fields: Mapping[str, np.ndarray] = dataclasses.field(default_factory=dict)
    example_fields: Mapping[str, np.ndarray] = dataclasses.field(default_factory=dict)
    position_fields: Mapping[str, np.ndarray] = dataclasses.field(default_factory=dict)
    fills: Mapping[str, float] = dataclasses.field(default_factory=dict)
    members: np.ndarray | None = None
    cut: Cut | None = None
    token_numbers: np.ndarray | None = None

    from_zero: ClassVar[tuple[str, ...]] = ("splits",)
    """Fields that begin with a 0, and have one value more than there are things that they count."""
    unseen: ClassVar[tuple[str, ...]] = ("cut", "token_numbers")
    """Fields that say nothing of the examples that a model gets to see."""

    def __post_init__(self) -> None:
        splits = np.asarray(self.splits)
        if splits.ndim != 1 or not len(splits) or splits[0] != 0 or np.any(np.diff(splits) < 1):
            raise ValueError(f"`splits` must rise from 0, by one token an example at least. Received: {splits}")
        tokens = {"token_ids": self.token_ids, "segment_ids": self.segment_ids, **self.token_fields}
        examples = {"labels": self.labels, "weights": self.weights, "loss_terms": self.loss_terms}
        examples |= {**self.example_fields, **self.position_fields}
        if self.members is not None and (
            self.members.ndim != 2
            or not self.members.size
            or not 0 <= self.members.min() <= self.members.max() < len(splits) - 1
        ):
            raise ValueError(
                f"`members` must be numbers of the {len(splits) - 1} texts, [E, P]. "
                f"Received: shape {self.members.shape}, {self.members.ravel()[:8]}"
            )
        for arrays, size, of in ((tokens, int(splits[-1]), "token"), (examples, len(self), "example")):
            for name, array in arrays.items():
                if array is not None and len(array) != size:
                    raise ValueError(f"`{name}` must have one value a {of}, {size}. Received: {len(array)} values")

    def __len__(self) -> int:
        return len(self.splits) - 1 if self.members is None else len(self.members)

    @property
    def lengths(self) -> np.ndarray:
        """int64 [E]: tokens of each example."""
        lengths = np.diff(self.splits)
        return lengths if self.members is None else lengths[self.members].sum(axis=1)

    @property
    def raises(self) -> dict[str, int]:
        """By how much the numbers of a field are more where other examples stand behind these: all that is counted
        over the whole set."""
        return {"splits": int(self.splits[-1]), "members": len(self.splits) - 1}

    def share_of(self, token_id: int) -> float:
        """The share of tokens that are this one."""
        return sum(np.count_nonzero(part == token_id) for part in blocks(self.token_ids)) / len(self.token_ids)

    def lengths_in(self, plan: Plan, k: int) -> np.ndarray:
        """int64 [E]: tokens of each example of batch k of a plan."""
        index = plan.batch(k).index
        texts = index if self.members is None else self.members[index]
        lengths = self.splits[texts + 1] - self.splits[texts]
        return lengths if self.members is None else lengths.sum(axis=1)

    @property
    def single_texts(self) -> Features:
        """The N texts, each an example of its own, with nothing that is said of the examples."""
        return dataclasses.replace(
            self,
            members=None,
            labels=None,
            weights=None,
            loss_terms=None,
            example_fields={},
            position_fields={},
        )


def encode(
    tokenizer: RaggedTokenizer,
    texts: Sequence[str],
    pairs: Sequence[str] | None = None,
    *,
    labels: Any = None,
    weights: Any = None,
    max_length: int,
    truncation: str = "longest_first",
    chunk: int = 4096,
    progress: Callable[[int, int], None] | None = None,
) -> Features:
    """Tokenises a whole data set, `chunk` examples at a time.

    Args:
        tokenizer: gives token_ids and segment_ids, ragged [B, (T)], by `encode_ragged`; where it also gives cut [B],
            how many tokens each text has lost, the features hold it.
        texts: E texts.
        pairs: E second texts, or None.
        labels: E labels, or None; integers are kept as int32, other numbers as float32.
        weights: E weights, or None.
        max_length: longest example, special tokens included.
        truncation: as the tokenizer's.
        progress: called with (examples done, E) after each chunk.
    Raises: ValueError if there are no texts, or if pairs or labels are not as many as the texts.
    """
    if not len(texts):
        raise ValueError("`texts` must hold at least one text. Received: none")
    for name, values in (("pairs", pairs), ("labels", labels), ("weights", weights)):
        if values is not None and len(values) != len(texts):
            raise ValueError(f"`{name}` must be as many as `texts`. Received: {len(values)} {name}, {len(texts)} texts")
    ids, segments, lengths, lost = [], [], [], []
    for start in range(0, len(texts), chunk):
        part = slice(start, start + chunk)
        encoded = tokenizer.encode_ragged(
            texts[part], None if pairs is None else pairs[part], max_length=max_length, truncation=truncation
        )
        ids.append(np.asarray(encoded["token_ids"].values, np.int32))
        segments.append(np.asarray(encoded["segment_ids"].values, np.int8))
        lengths.append(np.asarray(encoded["token_ids"].row_lengths(), np.int64))
        lost += [np.asarray(encoded["cut"], np.int64)] if "cut" in encoded else []
        if progress is not None:
            progress(min(start + chunk, len(texts)), len(texts))
    all_lengths = np.concatenate(lengths)
    return Features(
        token_ids=np.concatenate(ids),
        segment_ids=np.concatenate(segments),
        splits=np.concatenate([np.zeros(1, np.int64), np.cumsum(all_lengths)]),
        labels=None if labels is None else numbers(labels),
        weights=None if weights is None else np.asarray(weights, np.float32),
        cut=Cut(all_lengths + np.concatenate(lost), np.concatenate(lost)) if lost else None,
    )


def numbers(labels: Any) -> np.ndarray:
    """Labels as an array: integers as int32, other numbers as float32."""
    array = np.asarray(labels)
    return array.astype(np.int32 if array.dtype.kind in "iub" else np.float32)
