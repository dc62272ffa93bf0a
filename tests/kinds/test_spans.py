from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from bert_tf.kinds.spans import context_tokens, in_parts, is_span, merge_windows, question_windows, window_spans
from bert_tf.sentinels import NEVER
from bert_tf.text import BertTokenizer
from tests.conftest import VOCABULARY

RANDOM = np.random.default_rng(3)


@pytest.fixture(name="tokenizer", scope="module")
def tokenizer_fixture():
    return BertTokenizer(VOCABULARY)


def windows(tokenizer, questions, contexts, max_length=10, stride=2, question_tokens=3):
    found = question_windows(
        tokenizer,
        tf.constant(questions, tf.string),
        tf.constant(contexts, tf.string),
        max_length=max_length,
        stride=stride,
        question_tokens=question_tokens,
    )
    return {name: tensor.numpy() for name, tensor in found.items()}


def shown(rows):
    return [" ".join(VOCABULARY[i] for i in ids[:n]) for ids, n in zip(rows["token_ids"], rows["lengths"], strict=True)]


def test_windows_are_those_of_the_tokenizer(tokenizer):
    questions, contexts = ["ab", "good?"], ["good film. bad film.", "a"]
    rows = windows(tokenizer, questions, contexts, question_tokens=4)
    whole = tokenizer(questions, contexts, max_length=10, truncation="only_second", stride=2, return_offsets=True)
    for name in ("token_ids", "segment_ids", "padding_mask", "example"):
        np.testing.assert_array_equal(rows[name], whole[name], err_msg=name)
    in_context = rows["in_context"]
    for name in ("starts", "ends"):
        np.testing.assert_array_equal(rows[name][in_context], whole[name].numpy()[in_context])
        assert not rows[name][~in_context].any()
    assert shown(rows) == [
        "[CLS] a ##b [SEP] good film . bad film [SEP]",
        "[CLS] a ##b [SEP] bad film . [SEP]",
        "[CLS] good ? [SEP] a [SEP]",
    ]


def test_a_long_question_is_cut_and_leaves_room_for_the_context(tokenizer):
    rows = windows(tokenizer, ["abcdefghijkl", ""], ["good film", "good film"])
    assert shown(rows) == ["[CLS] a ##b ##c [SEP] good film [SEP]", "[CLS] [SEP] good film [SEP]"]
    tight = windows(tokenizer, ["abcdefghijkl"], ["good bad film"], max_length=7, stride=128, question_tokens=64)
    assert shown(tight) == ["[CLS] a ##b [SEP] good bad [SEP]", "[CLS] a ##b [SEP] bad film [SEP]"]
    assert shown(windows(tokenizer, ["abc"], ["good bad"], max_length=5, stride=9)) == [
        "[CLS] a [SEP] good [SEP]",
        "[CLS] a [SEP] bad [SEP]",
    ]


def test_an_empty_context_is_a_window_without_places(tokenizer):
    rows = windows(tokenizer, ["good", ""], ["", " "])
    assert shown(rows) == ["[CLS] good [SEP] [SEP]", "[CLS] [SEP] [SEP]"]
    assert not rows["in_context"].any()


def test_context_tokens():
    found = context_tokens(tf.constant([[0, 0, 1, 1, 1], [0, 0, 1, 0, 0]]), tf.constant([5, 3]))
    np.testing.assert_array_equal(found, [[0, 0, 1, 1, 0], [0] * 5])


def random_windows(count=4, length=9):
    in_context = np.zeros((count, length), bool)
    for row in in_context[:-1]:  # the last has no context
        begin = RANDOM.integers(1, length - 2)
        row[begin : RANDOM.integers(begin + 1, length)] = True
    starts = np.where(in_context, np.arange(length) * 3, 0).astype(np.int32)
    rows = {"in_context": in_context, "starts": starts, "ends": np.where(in_context, starts + 2, 0)}
    return RANDOM.normal(size=(count, length, 2)).astype(np.float32), rows


def by_hand(logits, rows, w, answer_tokens):
    """All spans of window w, the best first: [(score, start, end)]."""
    places = np.flatnonzero(rows["in_context"][w])
    found = [
        (float(logits[w, i, 0] + logits[w, j, 1]), int(rows["starts"][w, i]), int(rows["ends"][w, j]))
        for i in places
        for j in places
        if 0 <= j - i < answer_tokens
    ]
    return sorted(found, key=lambda span: -span[0])


@pytest.mark.parametrize("answer_tokens", [1, 3, 30])
@pytest.mark.parametrize("n_best", [1, 4, 200])
def test_the_best_spans_of_each_window(answer_tokens, n_best):
    logits, rows = random_windows()
    spans = window_spans(tf.constant(logits), rows, answer_tokens=answer_tokens, n_best=n_best)
    assert spans["score"].shape == (4, n_best)
    for w in range(4):
        expected = by_hand(logits, rows, w, answer_tokens)[:n_best]
        found = is_span(spans["score"][w]).numpy()
        assert found.sum() == len(expected)
        got = np.stack([spans[name][w].numpy()[found] for name in ("score", "start", "end")], axis=-1)
        np.testing.assert_allclose(got, np.reshape(expected, (-1, 3)), rtol=1e-6)
    np.testing.assert_allclose(spans["no_answer"], logits[:, 0].sum(-1), rtol=1e-6)


def test_of_equal_spans_the_earlier_and_the_shorter_is_first():
    _, rows = random_windows(1)
    in_context = np.array([[0, 0, 1, 1, 1, 0, 0, 0, 0]], bool)
    starts = np.arange(9, dtype=np.int32)[None]
    spans = window_spans(
        tf.zeros((1, 9, 2)),
        rows | {"in_context": in_context, "starts": starts, "ends": starts + 1},
        answer_tokens=2,
        n_best=9,
    )
    found = list(zip(spans["start"][0].numpy(), spans["end"][0].numpy(), strict=True))[:5]
    assert found == [(2, 3), (2, 4), (3, 4), (3, 5), (4, 5)]


@pytest.mark.parametrize("n_best", [1, 3, 50])
def test_the_best_over_all_windows_each_once(n_best):
    counts = np.array([1, 3, 2])
    example = np.repeat(np.arange(3), counts).astype(np.int32)
    logits, rows = random_windows(6)
    rows["in_context"][-1] = rows["in_context"][-2]  # the last two windows share their places
    for name in ("starts", "ends"):
        rows[name][-1] = rows[name][-2]
    spans = window_spans(tf.constant(logits), rows, answer_tokens=4, n_best=n_best)
    best = merge_windows(spans, tf.constant(example), 3, n_best=n_best)
    for e in range(3):
        everything = [span for w in np.flatnonzero(example == e) for span in by_hand(logits, rows, w, 4)]
        expected: list[tuple[float, int, int]] = []
        for span in sorted(everything, key=lambda span: -span[0]):
            if span[1:] not in [other[1:] for other in expected]:
                expected.append(span)
        expected = expected[:n_best]
        found = is_span(best["score"][e]).numpy()
        got = np.stack([best[name][e].numpy()[found] for name in ("score", "start", "end")], axis=-1)
        np.testing.assert_allclose(got, np.reshape(expected, (-1, 3)), rtol=1e-6)
        assert not best["start"][e].numpy()[~found].any()
    lowest = [logits[example == e, 0].sum(-1).min() for e in range(3)]
    np.testing.assert_allclose(best["no_answer"], lowest, rtol=1e-6)


def test_parts_give_what_the_whole_gives_and_none_gives_none():
    logits, rows = random_windows(7)
    tensors = {"logits": tf.constant(logits), **{name: tf.constant(row) for name, row in rows.items()}}
    signature = {"score": tf.TensorSpec([None, 3], tf.float32), "start": tf.TensorSpec([None, 3], tf.int32)}
    sizes = []

    def function(part):
        sizes.append(part["logits"].shape[0])
        return window_spans(part.pop("logits"), part, answer_tokens=4, n_best=3)

    whole = function(dict(tensors))
    parts = in_parts(function, tensors, signature, rows=3)
    assert sizes == [7, 3, 3, 1]
    for name in signature:
        np.testing.assert_array_equal(parts[name], whole[name])
    compiled = tf.function(lambda given: in_parts(function, given, signature, rows=3))
    for name, tensor in compiled(tensors).items():
        np.testing.assert_array_equal(tensor, whole[name])
    nothing = compiled({name: tensor[:0] for name, tensor in tensors.items()})
    assert nothing["score"].shape == (0, 3)
    assert NEVER * 2 < NEVER / 2
