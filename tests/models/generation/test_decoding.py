"""Greedy and sampled decoding, and beam search, on toy models whose every text can be tried."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import tensorflow as tf

from bert_tf.models.generation.beam_search import beam_search
from bert_tf.models.generation.decoding import decode, narrowed
from bert_tf.models.generation.settings import Generation
from bert_tf.sentinels import NEVER

END, SIZE, LENGTH = 1, 4, 4


def toy(seed: int, rows: int = 3, size: int = SIZE):
    """Logits that hang on the example and on the last two tokens: of the first token [B, V], and after two [B, V, V, V]
    (at the first, token 0 stands before it)."""
    rng = np.random.default_rng(seed)
    shapes = ((rows, size), (rows, size, size, size))
    return tuple(rng.normal(scale=2.0, size=shape).astype("float32") for shape in shapes)


def run(first, table, settings: Generation, *, seed=None, xla: bool = False, never=()):
    """What the search writes. `past` is the token before the last of each text, [B * K], and the text's row."""

    def step(tokens, place, past):
        before, row = past
        flat = tf.reshape(tokens, [-1])
        return tf.gather_nd(table, tf.stack([row, before, flat], axis=1)), (flat, row)

    def search():
        beams = settings.beams
        rows = tf.repeat(tf.range(first.shape[0]), beams)
        options = {"end_id": END, "never": never}
        if beams > 1:
            return beam_search(step, tf.constant(first), (tf.zeros_like(rows), rows), settings, **options)
        return decode(step, tf.constant(first), (tf.zeros_like(rows), rows), settings, **options, seed=seed)

    found = tf.function(search, jit_compile=xla)()
    return found["token_ids"].numpy(), found["score"].numpy()


def log_softmax(logits):
    shifted = logits.astype("float64") - logits.max()
    return shifted - np.log(np.exp(shifted).sum())


def score(text, first, table, penalty):
    """Of one text of one example, tokens up to the end."""
    total, before, last = 0.0, 0, None
    for token in text:
        log_p = log_softmax(first if last is None else table[before, last])
        total, before, last = total + log_p[token], 0 if last is None else last, token
    return total / len(text) ** penalty


def texts(length=LENGTH, size=SIZE):
    """Every text: it ends with END, or is full."""
    for n in range(1, length + 1):
        for body in itertools.product([t for t in range(size) if t != END], repeat=n - 1):
            yield (*body, END)
    yield from itertools.product([t for t in range(size) if t != END], repeat=length)


@pytest.mark.parametrize("penalty", [0.0, 0.6, 1.0, 2.0])
@pytest.mark.parametrize("seed", range(3))
def test_beam_search_with_room_for_all_is_an_exhaustive_search(seed, penalty):
    first, table = toy(seed)
    ids, scores = run(first, table, Generation(max_length=LENGTH, beams=64, length_penalty=penalty))
    for b in range(len(first)):
        best = max(texts(), key=lambda text: score(text, first[b], table[b], penalty))
        assert ids[b].tolist() == [*best, *[0] * (LENGTH - len(best))]
        np.testing.assert_allclose(scores[b], score(best, first[b], table[b], penalty), rtol=1e-5)


def test_few_beams_against_a_search_written_out():
    first, table = toy(7, rows=20)
    ids, scores = run(first, table, Generation(max_length=LENGTH, beams=2))
    for b in range(len(first)):
        alive: list[tuple[int, ...]] = [()]
        done: list[tuple[int, ...]] = []
        for place in range(LENGTH):
            longer = [(*text, token) for text in alive for token in range(SIZE)]
            done += [text for text in longer if text[-1] == END or place == LENGTH - 1]
            alive = [text for text in longer if text[-1] != END]
            alive = sorted(alive, key=lambda text: -score(text, first[b], table[b], 0.0))[:2]
        # Of full texts without an end only those that were kept count.
        done = [text for text in done if text[-1] == END or text in alive]
        best = max(done, key=lambda text: score(text, first[b], table[b], 1.0))
        assert tuple(ids[b][: len(best)]) == best
        np.testing.assert_allclose(scores[b], score(best, first[b], table[b], 1.0), rtol=1e-5)


def test_examples_do_not_hang_on_their_batch():
    first, table = toy(3, rows=6)
    for settings in (Generation(max_length=LENGTH, beams=3), Generation(max_length=LENGTH)):
        ids, scores = run(first, table, settings)
        for b in range(6):
            alone, own = run(first[b : b + 1], table[b : b + 1], settings)
            np.testing.assert_array_equal(alone[0], ids[b])
            np.testing.assert_allclose(own[0], scores[b], rtol=1e-6)


def test_xla_finds_the_same():
    first, table = toy(4)
    for settings in (
        Generation(max_length=LENGTH, beams=3, no_repeat_ngram=2),
        Generation(max_length=LENGTH, no_repeat_ngram=2),
    ):
        for ours, theirs in zip(run(first, table, settings), run(first, table, settings, xla=True), strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-5)


def test_greedy_takes_the_likeliest_token_each_time():
    first, table = toy(5, rows=8)
    ids, scores = run(first, table, Generation(max_length=LENGTH, length_penalty=0.0))
    for b in range(8):
        text, before, last = [], 0, None
        while len(text) < LENGTH and last != END:
            token = int(np.argmax(first[b] if last is None else table[b, before, last]))
            before, last = 0 if last is None else last, token
            text.append(token)
        assert ids[b].tolist() == [*text, *[0] * (LENGTH - len(text))]
        np.testing.assert_allclose(scores[b], score(text, first[b], table[b], 0.0), rtol=1e-5)


@pytest.mark.parametrize("beams", [1, 3])
@pytest.mark.parametrize("n", [1, 2, 3])
def test_no_ngram_occurs_twice(n, beams):
    first, table = toy(6, rows=16, size=5)
    table[..., END] -= 50.0  # no text ends by itself
    length = 4 if n == 1 else 9
    ids, _ = run(first, table, Generation(max_length=length, beams=beams, no_repeat_ngram=n))
    free, _ = run(first, table, Generation(max_length=length, beams=beams))

    def repeats(row):
        grams = [tuple(row[i : i + n]) for i in range(len(row) - n + 1)]
        return len(grams) - len(set(grams))

    assert [repeats(row[: list(row).index(END)] if END in row else row) for row in ids] == [0] * 16
    assert sum(repeats(row) for row in free) > 5


@pytest.mark.parametrize("beams", [1, 3])
def test_no_text_is_shorter_than_asked_and_barred_tokens_are_not_written(beams):
    first, table = toy(8, rows=8)
    first[:, END] += 20.0
    table[..., END] += 20.0
    ids, _ = run(first, table, Generation(max_length=LENGTH, beams=beams))
    assert (ids[:, 0] == END).all()
    ids, _ = run(first, table, Generation(max_length=LENGTH, beams=beams, min_length=3), never=(2,))
    assert (ids[:, :2] != END).all()
    assert (ids[:, 2] == END).all()
    assert (ids != 2).all()


def test_top_k_and_top_p_keep_the_likeliest():
    p = np.array([[0.4, 0.05, 0.3, 0.15, 0.1], [0.96, 0.01, 0.01, 0.01, 0.01]], "float32")

    def kept(top_k, top_p):
        return [np.flatnonzero(row > NEVER / 2).tolist() for row in np.array(narrowed(np.log(p), top_k, top_p))]

    assert kept(0, 1.0) == [[0, 1, 2, 3, 4]] * 2
    assert kept(2, 1.0)[0] == [0, 2]
    assert kept(0, 0.65) == [[0, 2], [0]]
    assert kept(0, 0.75) == [[0, 2, 3], [0]]
    assert kept(0, 1e-6) == [[0], [0]]
    # Of the two likeliest, token 0 has 4/7 of the probability.
    assert kept(2, 0.5)[0] == [0]
    assert kept(2, 0.6)[0] == [0, 2]


def test_samples_are_drawn_by_probability_within_top_k_and_top_p():
    p = np.array([0.4, 0.0001, 0.3, 0.2, 0.0999], "float32")
    first = np.tile(np.log(p), (4000, 1))
    table = np.zeros((4000, 5, 5, 5), "float32")

    def shares(**changes):
        ids, _ = run(first, table, Generation(max_length=1, sample=True, **changes), seed=(3, 4))
        return np.bincount(ids[:, 0], minlength=5) / 4000

    np.testing.assert_allclose(shares(), p, atol=0.03)
    np.testing.assert_allclose(shares(top_k=2), [4 / 7, 0, 3 / 7, 0, 0], atol=0.03)
    np.testing.assert_allclose(shares(top_p=0.8), [4 / 9, 0, 3 / 9, 2 / 9, 0], atol=0.03)
    cold = p**4 / np.sum(p**4)
    np.testing.assert_allclose(shares(temperature=0.25), cold, atol=0.03)


def test_a_seed_repeats_and_places_differ():
    first, table = np.zeros((50, 8), "float32"), np.zeros((50, 8, 8, 8), "float32")
    settings = Generation(max_length=6, sample=True)
    ids, _ = run(first, table, settings, seed=(1, 0), never=(END,))
    np.testing.assert_array_equal(ids, run(first, table, settings, seed=(1, 0), never=(END,))[0])
    assert (ids != run(first, table, settings, seed=(2, 0), never=(END,))[0]).mean() > 0.5
    assert (ids[:, 1:] != ids[:, :-1]).mean() > 0.5


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"max_length": 0}, "`max_length` must be an integer of at least 1. Received: max_length=0"),
        ({"beams": 1.5}, "`beams` must be an integer of at least 1. Received: beams=1.5"),
        ({"min_length": 9, "max_length": 8}, "`min_length` must be at most `max_length`, 8. Received: min_length=9"),
        ({"length_penalty": -1.0}, "`length_penalty` must be a number of at least 0"),
        ({"temperature": 0.0, "sample": True}, "`temperature` must be a number above 0"),
        ({"top_p": 1.5, "sample": True}, r"`top_p` must be a number in \(0, 1\]"),
        ({"beams": 2, "sample": True}, "`sample` must be false with more than one beam"),
        ({"top_k": 5}, "`top_k` must be left alone without `sample`. Received: top_k=5"),
    ],
)
def test_settings_that_cannot_be(changes, expected):
    with pytest.raises(ValueError, match=expected):
        Generation(**changes)
