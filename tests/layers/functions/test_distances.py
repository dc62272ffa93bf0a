"""Scores for distances: as they are worked out one pair at a time, and the buckets of the released models."""

import numpy as np
import pytest
import tensorflow as tf

from bert_tf.layers.functions.distances import Distances, buckets_of, distance_scores, scores_of_new, skewed

RANDOM = np.random.default_rng(0)
LENGTH, FAR = 5, 3
Q, K = (RANDOM.normal(size=(2, LENGTH, 2, 3)).astype("float32") for _ in range(2))
KEYS, QUERIES = (RANDOM.normal(size=(2 * FAR, 2, 3)).astype("float32") for _ in range(2))
ROWS = np.clip(LENGTH - 1 - np.arange(2 * LENGTH) + FAR, 0, 2 * FAR - 1)  # of distances 4 to -5
DISTANCES = Distances(None, ROWS)


def pair_by_pair(q, k, keys, queries, places):
    """The same for queries at `places`, each pair on its own; float64 [B, N, M, S]."""
    found = np.zeros((2, 2, places.shape[1], LENGTH))
    for b, n, m, s in np.ndindex(found.shape):
        row = np.clip(places[b, m] - s + FAR, 0, 2 * FAR - 1)
        if keys is not None:
            found[b, n, m, s] += q[b, m, n] @ keys[row, n]
        if queries is not None:
            found[b, n, m, s] += k[b, s, n] @ queries[row, n]
    return found


@pytest.mark.parametrize(("keys", "queries"), [(KEYS, QUERIES), (KEYS, None), (None, QUERIES)])
def test_scores_are_those_of_each_pair(keys, queries):
    every = np.tile(np.arange(LENGTH), (2, 1))
    expected = pair_by_pair(Q, K, keys, queries, every)
    np.testing.assert_allclose(distance_scores(Q, K, DISTANCES, keys, queries), expected, atol=1e-5)
    some = np.array([[4, 1], [2, 2]])
    q = np.take_along_axis(Q, some[..., None, None], axis=1)
    found = distance_scores(q, K, DISTANCES.at(some), keys, queries)
    np.testing.assert_allclose(found, pair_by_pair(q, K, keys, queries, some), atol=1e-5)
    first = distance_scores(Q[:, :1], K, DISTANCES, keys, queries, first=True)
    np.testing.assert_allclose(first, expected[:, :, :1], atol=1e-5)


def test_a_new_tokens_scores_are_those_of_its_row():
    """Of a source of 3 tokens and 2 sequences after it, whose second token is the new one: the source's come last."""
    past = RANDOM.normal(size=(4, 2, 2, 3)).astype("float32")  # [B * K, N, P, H]
    stands = np.array([4, 1 + 1])  # after all of the source, or one token of it
    rows = np.clip(stands[:, None] - np.array([[3, 4, 0, 1, 2], [1, 2, 0, 1, 2]]) + FAR, 0, 2 * FAR - 1)
    source = np.transpose(K[:, :3], (0, 2, 3, 1))
    q = np.transpose(Q[:, :2], (0, 2, 1, 3))  # [B, N, K, H]
    found = np.asarray(scores_of_new(q, source, past, KEYS, QUERIES, rows))
    for b, n, k, s in np.ndindex(found.shape):
        key = past[2 * b + k, n, s] if s < 2 else K[b, s - 2, n]
        expected = q[b, n, k] @ KEYS[rows[b, s], n] + key @ QUERIES[rows[b, s], n]
        np.testing.assert_allclose(found[b, n, k, s], expected, atol=1e-5)


@pytest.mark.parametrize("length", [1, 2, 7])
def test_rows_are_moved_on_by_one_each(length):
    x = RANDOM.normal(size=(2, 3, length, 2 * length))
    for start in (length - 1, length):
        found = np.asarray(skewed(x, start, length))
        for i in range(length):
            np.testing.assert_array_equal(found[:, :, i], x[:, :, i, start - i : start - i + length])
    run = tf.function(lambda x: skewed(x, tf.shape(x)[2], tf.shape(x)[2]))
    run = run.get_concrete_function(tf.TensorSpec([None, 3, None, None], tf.float64))
    np.testing.assert_array_equal(run(tf.constant(x)), skewed(x, length, length))


# As `make_log_bucket_position` of Transformers 5.24 has them.
@pytest.mark.parametrize(
    ("buckets", "farthest", "found"),
    [
        (8, 26, [0, 1, 2, 3, 4, 5, 5, 5, *[6] * 6, *[7] * 12]),
        (5, 26, [0, 1, 2, *[3] * 23]),
        (2, 26, [0, *[1] * 25]),
    ],
)
def test_buckets_are_those_that_the_models_were_trained_with(buckets, farthest, found):
    np.testing.assert_array_equal(buckets_of(np.arange(farthest), buckets, farthest), found)
    np.testing.assert_array_equal(buckets_of(-np.arange(farthest), buckets, farthest), -np.array(found))


def test_buckets_of_the_published_sizes():
    found = buckets_of(np.arange(600), 256, 512)
    places = [127, 128, 129, 130, 200, 300, 400, 500, 510, 511, 512, 513, 517, 518, 599]
    assert found[places].tolist() == [127, 128, 129, 130, 169, 207, 233, 254, 255, 255, 256, 256, 257, 257, 270]
    assert found.sum() == 110448
    edges = [*range(1, 18), 21, 26, 32, 41, 51, 64, 81, 102, 128, 162, 203, 256, 322, 406, 512]
    np.testing.assert_array_equal(buckets_of(np.arange(600), 32, 512), np.searchsorted(edges, np.arange(600), "right"))
