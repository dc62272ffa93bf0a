"""What is summed up between replicas, and as what."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import tensorflow as tf

from bert_tf.training.workers import reduction, shared_sum
from bert_tf.training.workers.reduction import Reduction, SharedReduction
from bert_tf.training.workers.shared_sum import SharedSum

SLICES = tf.IndexedSlices(
    tf.constant([[1.0, 2.0], [10.0, 20.0], [100.0, 200.0]]), tf.constant([5, 2, 5]), tf.constant([7, 2])
)
DENSE = np.array([[0, 0], [0, 0], [10, 20], [0, 0], [0, 0], [101, 202], [0, 0]], "float32")
ROWS = Reduction(keeps_rows=True)


def test_a_row_of_a_large_table_is_sent_once(monkeypatch):
    monkeypatch.setattr(reduction, "LARGE_TABLE", 7)
    sent = ROWS.to_send(SLICES, tf.Variable(tf.zeros([7, 2])))
    assert sent.indices.numpy().tolist() == [5, 2, 0], (
        "as many as there were lookups, so that all replicas have as many"
    )
    assert sent.values.numpy().tolist() == [[101, 202], [10, 20], [0, 0]]
    losses, (summed,) = ROWS(tf.constant([3.0]), [sent])
    np.testing.assert_array_equal(summed, DENSE)
    assert losses.numpy().tolist() == [3.0]


def test_small_tables_and_kernels_are_sent_whole(monkeypatch):
    monkeypatch.setattr(reduction, "LARGE_TABLE", 8)
    np.testing.assert_array_equal(ROWS.to_send(SLICES, tf.Variable(tf.zeros([7, 2]))), DENSE)
    kernel = ROWS.to_send(tf.constant([[1.5]], tf.bfloat16), tf.Variable([[0.0]]))
    assert kernel.dtype == tf.float32
    monkeypatch.setattr(reduction, "LARGE_TABLE", 7)
    np.testing.assert_array_equal(Reduction().to_send(SLICES, tf.Variable(tf.zeros([7, 2]))), DENSE)


def test_a_gradient_has_the_shape_of_its_variable_where_the_graph_does_not_know_it():
    """As that of positions, where batches are of several lengths: workers make room for their sum before the first."""
    variable = tf.Variable(tf.zeros([7, 2]))
    sent = tf.function(lambda gradient: ROWS.to_send(gradient, variable)).get_concrete_function(
        tf.TensorSpec([None, 2], tf.float32)
    )
    assert sent.output_shapes == [7, 2]


@pytest.mark.skipif(not shared_sum.FOLDER.is_dir(), reason="no /dev/shm here")
def test_a_compiled_loop_gets_the_sums_of_its_rounds(connected):
    """As in training: each round's sum is of this round's gradients, though what it is in may be written to in place.

    The other worker is a thread without TensorFlow, whose operations would wait for each other on one core.
    """
    mine, others = connected(2)
    shared = SharedReduction(mine, keeps_rows=True)

    weights = [tf.Variable(tf.zeros([3, 5])), tf.Variable(tf.zeros([7, 2]))]

    @tf.function
    def three_rounds():
        found = tf.TensorArray(tf.float32, 3)
        for i in tf.range(3):
            factor = tf.cast(i, tf.float32) + 1.0
            of_weights = 0.0 * (tf.reduce_sum(weights[0]) + tf.reduce_sum(weights[1]))
            slices = tf.IndexedSlices(SLICES.values * factor + of_weights, SLICES.indices, SLICES.dense_shape)
            losses, gradients = shared._sums(
                None, tf.ones([2]) * factor, [tf.ones([3, 5]) * factor + of_weights, slices]
            )
            kernel, table = (tf.convert_to_tensor(each) for each in gradients)
            weights[0].assign(kernel * (tf.norm(kernel) / tf.norm(kernel)))
            weights[1].assign(table)
            found = found.write(i, tf.concat([losses, weights[0][2], tf.reshape(weights[1], [-1])], axis=0))
        return found.stack()

    def three_of_the_other() -> list[list[np.ndarray]]:
        other = SharedSum.open(others, [2, 15], [(7, 2)])
        assert other is not None
        rows, values = SLICES.indices.numpy() + 1, SLICES.values.numpy()
        return [
            [each.copy() for each in other(*(np.full(n, i, np.float32) for n in (2, 15)), rows, values * np.float32(i))]
            for i in (11, 12, 13)
        ]

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(three_of_the_other)
        found = three_rounds().numpy()
        theirs = waiting.result()
    assert shared.name == "shared_memory"
    for i in range(3):
        table = DENSE * (i + 1) + np.roll(DENSE, 1, axis=0) * (i + 11)
        np.testing.assert_allclose(found[i], [2 * i + 12] * 7 + table.reshape(-1).tolist(), rtol=1e-6)
        np.testing.assert_array_equal(theirs[i][1], np.full(15, 2 * i + 12, np.float32))
