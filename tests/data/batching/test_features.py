from __future__ import annotations

import numpy as np
import pytest

from bert_tf.data.batching.features import Features, encode


class FakeRagged:
    def __init__(self, rows):
        self._rows = rows
        self.values = np.concatenate([np.array(row, np.int32) for row in rows])

    def row_lengths(self):
        return np.array([len(row) for row in self._rows])


class FakeTokenizer:
    """A token a character; 1 opens, 2 closes, as [CLS] and [SEP] do."""

    def __init__(self):
        self.calls = []

    def encode_ragged(self, texts, pairs=None, *, max_length, truncation):
        self.calls.append((len(texts), max_length, truncation))
        ids, segments = [], []
        for i, text in enumerate(texts):
            first = [1, *map(ord, text), 2][:max_length]
            second = [] if pairs is None else [*map(ord, pairs[i]), 2]
            ids.append(first + second)
            segments.append([0] * len(first) + [1] * len(second))
        return {"token_ids": FakeRagged(ids), "segment_ids": FakeRagged(segments)}


TEXTS = ["ab", "c", "", "defg", "h"]


def test_chunks_join_to_one_flat_set():
    seen = []
    tokenizer = FakeTokenizer()
    features = encode(
        tokenizer,
        TEXTS,
        labels=[0, 1, 1, 0, 1],
        max_length=9,
        truncation="only_first",
        chunk=2,
        progress=lambda done, of: seen.append((done, of)),
    )
    assert tokenizer.calls == [(2, 9, "only_first"), (2, 9, "only_first"), (1, 9, "only_first")]
    assert seen == [(2, 5), (4, 5), (5, 5)]
    assert features.lengths.tolist() == [4, 3, 2, 6, 3]
    assert len(features) == 5
    assert features.token_ids[features.splits[3] : features.splits[4]].tolist() == [1, *map(ord, "defg"), 2]
    assert features.token_ids.dtype == np.int32
    assert features.segment_ids.dtype == np.int8
    assert features.splits.dtype == np.int64
    assert features.labels is not None
    assert features.labels.dtype == np.int32
    whole = encode(FakeTokenizer(), TEXTS, max_length=9)
    assert np.array_equal(whole.token_ids, features.token_ids)
    assert np.array_equal(whole.splits, features.splits)
    assert whole.labels is None


def test_pairs_and_number_labels():
    features = encode(FakeTokenizer(), ["a", "b"], ["xy", "z"], labels=[0.5, 5], weights=[1, 2], max_length=9)
    assert features.segment_ids.tolist() == [0, 0, 0, 1, 1, 1, 0, 0, 0, 1, 1]
    assert features.labels is not None
    assert features.labels.dtype == np.float32
    assert features.weights is not None
    assert features.weights.dtype == np.float32


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"texts": []}, "`texts` must hold at least one text"),
        ({"labels": [1]}, "`labels` must be as many as `texts`. Received: 1 labels, 5 texts"),
        ({"pairs": ["x"] * 6}, "`pairs` must be as many as `texts`. Received: 6 pairs, 5 texts"),
    ],
)
def test_encode_refuses_what_does_not_go_together(arguments, message):
    with pytest.raises(ValueError, match=message):
        encode(FakeTokenizer(), **{"texts": TEXTS, "max_length": 9, **arguments})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"splits": np.array([0, 2, 2])}, r"`splits` must rise from 0.* Received: \[0 2 2\]"),
        ({"splits": np.array([1, 3])}, r"`splits` must rise from 0.* Received: \[1 3\]"),
        ({"segment_ids": np.zeros(2)}, "`segment_ids` must have one value a token, 3. Received: 2 values"),
        ({"labels": np.zeros(3)}, "`labels` must have one value a example, 2. Received: 3 values"),
        ({"token_fields": {"tags": np.zeros(4)}}, "`tags` must have one value a token, 3. Received: 4 values"),
        ({"position_fields": {"begin": np.zeros(1)}}, "`begin` must have one value a example, 2. Received: 1 values"),
    ],
)
def test_arrays_that_do_not_go_together_are_named(arguments, message):
    good = {"token_ids": np.ones(3, np.int32), "segment_ids": np.zeros(3, np.int8), "splits": np.array([0, 2, 3])}
    with pytest.raises(ValueError, match=message):
        Features(**{**good, **arguments})
