"""Batches for pre-training: what they hold, that they are full, and that their number says everything."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bert_tf.data import plan_batches, replica_batches
from bert_tf.data.corpora.baselines import TokenCounts
from bert_tf.data.corpora.examples import PretrainingStream
from bert_tf.data.corpora.store import TokenStore
from bert_tf.errors import UserError
from bert_tf.sentinels import IGNORED_LABEL
from tests.data.corpora import pretraining_sets as sets


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> TokenStore:
    return sets.store(tmp_path_factory.mktemp("corpus"), documents=26, sentences=60)


def epochs_of(stream: PretrainingStream, **options):
    return plan_batches(stream, **{"batch_examples": 16, "seed": 1, **options})


def original(batch) -> np.ndarray:
    """token_ids before they were masked."""
    text = batch["token_ids"].copy()
    rows, places = np.nonzero(batch["target_ids"] != IGNORED_LABEL)
    text[rows, batch["masked_positions"][rows, places]] = batch["target_ids"][rows, places]
    return text


def rows_of(batch):
    """Each example of a batch: its original ids, its segments, its label."""
    text = original(batch)
    for row, slot in zip(*np.nonzero(batch["example_weight"]), strict=True):
        mine = batch["example_ids"][row] == slot + 1
        yield text[row, mine], batch["segment_ids"][row, mine], batch["labels"][row, slot]


@pytest.mark.parametrize("pair", ["next_sentence", "sentence_order", "none"])
@pytest.mark.parametrize("masking", ["tokens", "words", "ngrams"])
def test_what_a_batch_holds(corpus, pair, masking):
    words = sets.tokenizer()
    stream = sets.stream(corpus, pair=pair, masking=masking)
    epochs = epochs_of(stream)
    plan = epochs.plan(0)
    batch = stream.batch(plan, 0)
    rows, length = plan.layout.rows, plan.layout.length
    assert length == 32
    assert batch["token_ids"].shape == batch["position_ids"].shape == (rows, length)
    assert all(value.dtype in (np.int32, np.float32) for value in batch.values())
    real = batch["padding_mask"] == 1
    np.testing.assert_array_equal(real, batch["example_ids"] > 0)
    seen = 0
    for ids, segments, label in rows_of(batch):
        ends = np.flatnonzero(ids == words.sep_id)
        assert ids[0] == words.cls_id
        assert ends[-1] == len(ids) - 1
        assert len(ends) == (1 if pair == "none" else 2)
        np.testing.assert_array_equal(segments, np.arange(len(ids)) > ends[0] if pair != "none" else 0 * ids)
        if pair == "next_sentence":  # every word of a document begins with its letter
            parts = np.split(ids, [ends[0] + 1])
            letters = [set(part[(part > 4) & (part < 31)].tolist()) for part in parts]
            assert all(len(letter) <= 1 for letter in letters)
            if all(letters):
                assert (letters[0] != letters[1]) == bool(label)
        seen += 1
    assert seen == (batch["example_index"] >= 0).sum() == len(stream.lengths_in(plan, 0))
    targets = batch["target_ids"] != IGNORED_LABEL
    assert targets.sum() == batch["loss_divisor"]
    assert targets.any(axis=1).all()
    assert not np.isin(batch["target_ids"][targets], [words.cls_id, words.sep_id, words.pad_id]).any()
    share = targets.sum() / real.sum()
    assert share == pytest.approx(0.15, abs=0.03)
    weights = batch["pair_weight"][batch["example_weight"] > 0]
    np.testing.assert_allclose(weights, targets.sum() / seen, rtol=1e-6)


@pytest.mark.parametrize("length", [32, 128])
def test_padding_stays_under_two_percent(tmp_path, length):
    corpus = sets.store(tmp_path, documents=60, sentences=200)
    stream = sets.stream(corpus, length=length)
    plan = epochs_of(stream, batch_examples=32).plan(0)
    masks = [stream.batch(plan, k)["padding_mask"] for k in range(plan.number_of_batches)]
    assert len(masks) > 10
    assert 1 - np.mean(masks) < 0.02


def test_a_batch_is_a_function_of_its_number(corpus):
    options: dict[str, Any] = {"portion_tokens": 2000}
    stream, other = sets.stream(corpus, **options), sets.stream(corpus, **options)
    epochs = epochs_of(stream)
    assert len(stream.portions.source_tokens(0)) > 4
    count = epochs.number_of_batches(2)
    assert count == 2 * epochs.number_of_batches(1)
    walked = [portion["token_ids"] for portion in replica_batches(stream, epochs, stop=count)]
    for number in (count - 1, count // 2, 3, 0):  # in any order, made anew
        (batch,) = replica_batches(other, epochs_of(other), start=number, stop=number + 1)
        np.testing.assert_array_equal(batch["token_ids"], walked[number])
    half = count // 2
    assert not any(np.array_equal(a, b) for a, b in zip(walked[:half], walked[half:], strict=True))


def test_replicas_see_the_rows_of_the_whole_batch(corpus):
    stream = sets.stream(corpus)
    epochs = epochs_of(stream, divisor=2)
    whole = list(replica_batches(stream, epochs, stop=3))
    parts = [list(replica_batches(stream, epochs, stop=3, replicas=2, replica_range=(i, i + 1))) for i in range(2)]
    for number, batch in enumerate(whole):
        for name, value in batch.items():
            if value.ndim:
                np.testing.assert_array_equal(np.concatenate([part[number][name] for part in parts]), value)
            else:
                assert all(part[number][name] == value for part in parts)


def test_an_epoch_shows_most_tokens_of_the_corpus(corpus):
    stream = sets.stream(corpus, pair="none", portion_tokens=3000)
    plan = epochs_of(stream).plan(0)
    shown = sum(len(ids) - 2 for k in range(plan.number_of_batches) for ids, _, _ in rows_of(stream.batch(plan, k)))
    assert 0.85 < shown / len(corpus.token_ids) < 1.02


def test_a_corpus_too_small_for_a_batch_is_used_again_with_other_masks(tmp_path):
    stream = sets.stream(sets.store(tmp_path, documents=3, sentences=3))
    epochs = epochs_of(stream, batch_examples=64)
    assert epochs.number_of_batches(1) == 1
    batch = stream.batch(epochs.plan(0), 0)
    assert batch["padding_mask"].mean() > 0.9
    assert batch["example_index"].max() < (batch["example_index"] >= 0).sum() - 1  # some stand there twice
    assert len(np.unique(original(batch), axis=0)) <= len(np.unique(batch["token_ids"], axis=0))


def test_padded_batches_have_an_example_a_row(corpus):
    stream = sets.stream(corpus)
    plan = epochs_of(stream, batching="padded").plan(0)
    batch = stream.batch(plan, 0)
    assert batch["token_ids"].shape == (16, 32)
    assert batch["labels"].shape == (16, 1)
    assert (batch["example_weight"] == 1).all()


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"batching": "bucketed"}, r"data.batching must be packed or padded for pre-training. Received: bucketed"),
        ({"pack_length": 31}, r"data.pack_length must be at least data.sequence_length, 32. Received: 31"),
    ],
)
def test_layouts_that_cannot_be(corpus, options, match):
    with pytest.raises(UserError, match=match):
        epochs_of(sets.stream(corpus), **options)


def test_numbers_of_batches_that_cannot_be(corpus):
    epochs = epochs_of(sets.stream(corpus))
    with pytest.raises(ValueError, match=r"`number` must be at least 0. Received: -1"):
        epochs.locate(-1)
    with pytest.raises(IndexError, match=r"`k` must be in \[0, "):
        epochs.plan(0).find(epochs.number_of_batches(1))


def test_guesses_without_a_model():
    counts = TokenCounts.of(np.array([5, 6, 5, 6, 5, 7, 8, 7]), np.array([1, 0, 0, 0, 0, 1, 0, 1], bool), 10)
    assert counts.most_frequent == 5
    assert counts.after.tolist() == [5, 5, 5, 5, 5, 6, 5, 8, 7, 5]
    assert counts.at_start == 7
    batch = {
        "token_ids": np.array([[2, 4, 4, 9, 4, 3]]),
        "masked_positions": np.array([[1, 2, 4, 0]]),
        "target_ids": np.array([[7, 8, 5, IGNORED_LABEL]]),
    }
    # 7 begins the sentence, 8 follows 7 (which is hidden itself), and 5 is what stands for the unheard-of 9.
    assert counts.right(batch, np.array([2, 3])) == (1, 3, 3)
