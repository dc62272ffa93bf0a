"""Texts are put into batches of like lengths, and answered side by side."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from bert_tf.inference.engine import batches as engine
from bert_tf.inference.pipeline import Pipeline
from bert_tf.machine.side_by_side import several_at_a_time

LENGTHS = [1, 40, 7, 7, 64, 3, 19, 2, 2, 55]


@pytest.fixture(scope="module")
def pipeline(tiny_run):
    return Pipeline(tiny_run, batch_examples=3)


@pytest.mark.parametrize(("batch_examples", "tokens"), [(1, 64), (3, 1), (4, 100), (100, 1), (1, 100_000)])
def test_every_text_is_in_one_batch_and_batches_are_small(batch_examples, tokens):
    counts = np.array(LENGTHS * 5)
    found = engine.batches_by_length(counts, batch_examples=batch_examples, sequence_length=32, tokens=tokens)
    assert sorted(np.concatenate(found).tolist()) == list(range(len(counts)))
    in_order = counts[np.concatenate(found)]
    assert (np.diff(in_order) <= 0).all(), "the longest first"
    for batch in found:
        padded = len(batch) * min(int(counts[batch].max()), 32)
        assert len(batch) <= batch_examples or padded <= tokens


def test_texts_are_counted_in_tokens_and_not_in_characters(pipeline):
    texts = ["unbelievable " * 2, "a b c d e f g", "", "good film"]
    counts = engine.token_counts(pipeline.tokenizer, [texts])
    assert counts.tolist() == [len(row) for row in pipeline.tokenizer.tokenize(texts).to_list()]
    both = engine.token_counts(pipeline.tokenizer, [texts, texts[::-1]])
    assert both.tolist() == (counts + counts[::-1]).tolist()


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_answers_stand_in_their_order_however_many_are_worked_out_at_a_time(pipeline, monkeypatch, workers):
    texts = [f"{'good ' * (i % 7)}film {'bad ' * (i % 5)}" for i in range(40)]
    monkeypatch.setattr(engine, "TOKENS", 16)
    monkeypatch.setattr(engine.batches_by_length, "__kwdefaults__", {"tokens": 16})
    monkeypatch.setattr(engine, "runs_at_a_time", lambda: workers)
    told = []
    rows = pipeline.rows(texts, progress=lambda done, total: told.append((done, total)))
    alone = [pipeline.rows([text])[0] for text in texts]
    np.testing.assert_allclose([row["logits"] for row in rows], [row["logits"] for row in alone], atol=1e-5)
    assert told[-1] == (40, 40)
    assert [done for done, _ in told] == sorted({done for done, _ in told})


def test_so_many_are_at_work_together_and_a_mistake_ends_all():
    together, most, lock = set(), [0], threading.Lock()
    gate = threading.Barrier(2, timeout=10)

    def work(item):
        with lock:
            together.add(item)
            most[0] = max(most[0], len(together))
        if item < 2:
            gate.wait()  # passed by two threads alone
        if item == 7:
            raise ValueError("the seventh")
        with lock:
            together.discard(item)
        return 10 * item

    found = []

    def go():
        for item, result in several_at_a_time(work, range(1000), workers=2):
            found.append((item, result))

    with pytest.raises(ValueError, match="the seventh"):
        go()
    assert found == [(i, 10 * i) for i in range(7)]
    assert most[0] == 2
    assert threading.active_count() < 10
