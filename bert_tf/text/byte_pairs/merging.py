"""Pairs of symbols merged by rank, in all words at once, in TensorFlow ops."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
import tensorflow as tf

from bert_tf.text.byte_pairs.hashing import KeyTable

NEVER = 2**31 - 1


class Merger:
    """Merges pairs in each word, the lowest rank first, of equal ones the leftmost first.

    Every step merges all of a word's pairs of its lowest rank at once. That is the same as one after the other, unless
    what comes of a merge is itself in a merge of a lower rank, as it is where two pairs give the same token: of such a
    rank only the leftmost pair is merged in a step.

    Args:
        merges: the left and right symbol of each merge, in the order of their ranks. Of a pair that occurs again, the
            last rank counts.
        ids: symbol -> its number; those of all merges, and what comes of them, are there.
    Reference: Sennrich et al., 2016, https://arxiv.org/abs/1508.07909
    """

    def __init__(self, merges: Sequence[tuple[str, str]], ids: Mapping[str, int]) -> None:
        last = {pair: rank for rank, pair in enumerate(merges)}
        pairs = [(ids[a], ids[b], ids[a + b], rank) for (a, b), rank in last.items()]
        left, right, new, rank = np.array(pairs, np.int64).reshape(-1, 4).T
        self.size = max(ids.values(), default=0) + 1
        self.table = KeyTable(left * self.size + right)
        # Where nothing is found the number is -1, which gathers the last entry.
        self.ranks, self.new = (tf.constant([*column, NEVER], tf.int32) for column in (rank, new))
        used = np.full(self.size, NEVER)  # the lowest rank of a merge that each symbol is in
        for side in (left, right):
            np.minimum.at(used, side, rank)
        unsafe = used[new] < rank
        self.unsafe = tf.constant([*unsafe, False]) if unsafe.any() else None

    def __call__(self, ids, places, words):
        """
        Args:
            ids: int32 [S], the symbols of all words, one after the other.
            places: int32 [S], rising: what is known of each.
            words: int32 [S], rising: the word that each is of.
        Returns: the ids and places that are left, int32 [T] each, in no order; a merged symbol has the place of its
            first part.
        """

        def step(i, ids, places, words, done_ids, done_places):
            ids, places, words, done = self._step(ids, places, words)
            done_ids, done_places = done_ids.write(i, done[0]), done_places.write(i, done[1])
            return i + 1, ids, places, words, done_ids, done_places

        arrays = [
            tf.TensorArray(tf.int32, 1, dynamic_size=True, infer_shape=False, element_shape=[None]) for _ in range(2)
        ]
        any_length = tf.TensorShape([None])
        *_, done_ids, done_places = tf.while_loop(
            lambda i, ids, *_: (i < 1) | (tf.size(ids) > 0),  # once at least, so that there is something to join
            step,
            [tf.constant(0), ids, places, words, *arrays],
            shape_invariants=[tf.TensorShape([]), *[any_length] * 3, *[tf.TensorShape([])] * 2],
            parallel_iterations=1,
        )
        return done_ids.concat(), done_places.concat()

    def _step(self, ids, places, words):
        """Merges one rank in each word. Returns: what continues, and the ids and places of words that are done."""
        count = tf.size(ids)
        keys = tf.cast(ids[:-1], tf.int64) * self.size + tf.cast(ids[1:], tf.int64)
        begins = tf.concat([[False], words[1:] != words[:-1]], axis=0)[:count]
        number = tf.where(begins[1:], -1, self.table(keys))
        number = tf.concat([number, [-1]], axis=0)[:count]  # [S], of each symbol with the one after it
        number = tf.where(number < 0, tf.size(self.ranks) - 1, number)
        rank = tf.gather(self.ranks, number)
        of_word = tf.cumsum(tf.cast(begins, tf.int32))
        lowest = tf.gather(tf.math.segment_min(rank, of_word), of_word)
        goes_on = lowest < NEVER
        chosen = goes_on & (rank == lowest)
        before = tf.concat([[False], chosen], axis=0)[:count]
        chosen = tf.cond(tf.reduce_any(chosen & before), lambda: _every_second(chosen, before), lambda: chosen)
        if self.unsafe is not None:
            chosen = self._leftmost(chosen, number, of_word)
        follows = tf.concat([[False], chosen], axis=0)[:count]
        merged = tf.where(chosen, tf.gather(self.new, number), ids)
        kept, done = tf.where(goes_on & ~follows)[:, 0], tf.where(~goes_on)[:, 0]
        left = [tf.gather(column, kept) for column in (merged, places, words)]
        return *left, [tf.gather(column, done) for column in (ids, places)]

    def _leftmost(self, chosen, number, of_word):
        """Of chosen pairs of an unsafe rank the first of each word alone."""
        place = tf.range(tf.size(chosen))
        first = tf.gather(tf.math.segment_min(tf.where(chosen, place, NEVER), of_word), of_word)
        return chosen & (~tf.gather(self.unsafe, number) | (place == first))


def _every_second(chosen, before):
    """Of pairs that overlap, as in `aaa`, every second one of each run, from its first on."""
    place = tf.range(tf.size(chosen))
    begins = chosen & ~before
    run = tf.maximum(tf.cumsum(tf.cast(begins, tf.int32)) - 1, 0)
    first = tf.gather(tf.cast(tf.where(begins)[:, 0], tf.int32), run)
    return chosen & ((place - first) % 2 == 0)


def merged_in_python(symbols: Sequence[str], ranks: Mapping[tuple[str, str], int]) -> list[str]:
    """The same for one word: for what is counted without TensorFlow.

    >>> merged_in_python("banana", {("a", "n"): 0, ("an", "a"): 1, ("b", "an"): 2})
    ['ban', 'ana']
    """
    found = list(symbols)
    while len(found) > 1:
        best = min(range(len(found) - 1), key=lambda i: ranks.get((found[i], found[i + 1]), NEVER))
        if (found[best], found[best + 1]) not in ranks:
            break
        found[best : best + 2] = [found[best] + found[best + 1]]
    return found


def merged_numbers(
    symbols: Sequence[int], ranks: Mapping[tuple[int, int], tuple[int, int]]
) -> list[tuple[int, int, int]]:
    """The same for one word, of numbers: what is left, and which of the symbols each is of, from one to another.

    Args:
        ranks: pair -> its rank, and what it becomes.

    >>> merged_numbers([2, 1, 3, 1, 3, 1], {(1, 3): (0, 4), (4, 1): (1, 5), (2, 4): (2, 6)})
    [(6, 0, 3), (5, 3, 6)]
    """
    found = [(symbol, place, place + 1) for place, symbol in enumerate(symbols)]
    pairs = [ranks.get(pair) for pair in itertools.pairwise(symbols)]
    while any(pair is not None for pair in pairs):
        best = min((pair[0], place) for place, pair in enumerate(pairs) if pair is not None)[1]
        _, new = pairs[best] or (0, 0)
        found[best : best + 2] = [(new, found[best][1], found[best + 1][2])]
        del pairs[best]
        for place in (best - 1, best):
            if 0 <= place < len(pairs):
                pairs[place] = ranks.get((found[place][0], found[place + 1][0]))
    return found
