"""Examples of several texts: each text alone in the batch, the texts of an example together."""

from __future__ import annotations

import numpy as np
import pytest

from bert_tf.data import Features, batch_arrays, choose_layout, plan_epoch
from bert_tf.data.batching.plan import BATCHINGS, Batching

LENGTHS = np.array([3, 5, 2, 4, 6])
MEMBERS = np.array([[0, 1], [2, 0], [3, 4], [1, 2], [4, 0], [2, 3]])


def features(members=MEMBERS, **fields) -> Features:
    splits = np.concatenate([[0], np.cumsum(LENGTHS)])
    numbers = np.repeat(np.arange(len(LENGTHS)), LENGTHS)
    ids = 10 * (numbers + 1) + np.arange(splits[-1]) - splits[numbers]  # text 2's tokens are 30, 31
    return Features(
        token_ids=ids.astype(np.int32),
        segment_ids=np.zeros(splits[-1], np.int8),
        splits=splits,
        members=members,
        **fields,
    )


def test_lengths_are_of_the_examples_and_single_texts_are_examples():
    found = features(labels=np.arange(6), example_fields={"more": np.arange(6)})
    assert (len(found), found.lengths.tolist()) == (6, [8, 5, 10, 7, 9, 6])
    single = found.single_texts
    assert (len(single), single.lengths.tolist()) == (5, LENGTHS.tolist())
    assert (single.labels, dict(single.example_fields), single.members) == (None, {}, None)


@pytest.mark.parametrize("batching", BATCHINGS)
def test_every_text_stands_where_the_batch_says(batching: Batching):
    found = features(labels=np.arange(6) + 100, token_fields={"same": np.arange(20)})
    layout = choose_layout(found.lengths, 4, batching=batching, pack_length=20)
    plan = plan_epoch(found.lengths, layout, seed=1, epoch=0)
    seen = []
    for k in range(plan.number_of_batches):
        batch = batch_arrays(found, plan, k)
        rows = batch["token_ids"].shape[0]
        first = batch["first_positions"].reshape(rows, -1, 2)  # [R, M, P]
        index = batch["example_index"].reshape(rows, -1)
        assert batch["labels"].shape == batch["example_index"].shape
        for row, slot in np.ndindex(*index.shape):
            if index[row, slot] < 0:
                assert not np.any(batch["example_ids"][row] == 2 * slot + 1)
                continue
            seen.append(index[row, slot])
            assert batch["labels"].reshape(rows, -1)[row, slot] == 100 + index[row, slot]
            for part, text in enumerate(MEMBERS[index[row, slot]]):
                at = np.flatnonzero(batch["example_ids"][row] == 2 * slot + part + 1)
                assert at[0] == first[row, slot, part]
                np.testing.assert_array_equal(at, at[0] + np.arange(int(LENGTHS[text])))
                np.testing.assert_array_equal(
                    batch["token_ids"][row, at], 10 * (text + 1) + np.arange(int(LENGTHS[text]))
                )
                np.testing.assert_array_equal(batch["position_ids"][row, at], np.arange(int(LENGTHS[text])))
                assert batch["padding_mask"][row, at].all()
        assert (batch["example_ids"] > 0).sum() == batch["padding_mask"].sum()
    assert sorted(seen) == list(range(6))


@pytest.mark.parametrize("members", [np.array([[0, 5]]), np.array([[-1, 0]]), np.array([0, 1]), np.zeros((0, 2), int)])
def test_members_that_cannot_be(members):
    with pytest.raises(ValueError, match="`members` must be numbers of the 5 texts"):
        features(members)


def test_what_is_said_of_examples_must_be_as_many():
    with pytest.raises(ValueError, match=r"`labels` must have one value a example, 6. Received: 5 values"):
        features(labels=np.arange(5))
