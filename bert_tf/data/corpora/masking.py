"""Which tokens are hidden, and what stands in their place: by the numbers of seed, epoch and example alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bert_tf.data.corpora.randomness import GAMMA, mixed, uniform

MASKINGS = ("tokens", "words", "ngrams")
CHOICE, FATE, WORD, RUN = range(4)  # what a random number is for
PURPOSES = np.arange(4, dtype=np.uint64) * GAMMA


@dataclass(frozen=True)
class MaskSettings:
    """What is to be guessed.

    Args:
        masking: "tokens": each on its own; "words": all pieces of a word; "ngrams": one to `max_ngram` words in a row.
        mask_share: share of an example's tokens, in (0, 1).
        max_ngram: longest run of words; a run of n words is drawn with a probability that falls as 1 / n (ALBERT).
        hidden_share, kept_share: of the tokens to be guessed, those in whose place [MASK] stands, and those that stay;
            in place of the others stand random ones (BERT).
    """

    masking: str = "tokens"
    mask_share: float = 0.15
    max_ngram: int = 3
    hidden_share: float = 0.8
    kept_share: float = 0.1

    def __post_init__(self) -> None:
        if self.masking not in MASKINGS:
            raise ValueError(f"`masking` must be one of {', '.join(MASKINGS)}. Received: masking={self.masking!r}")
        if not 0 < self.mask_share < 1:
            raise ValueError(f"`mask_share` must be in (0, 1). Received: mask_share={self.mask_share}")
        if self.max_ngram < 1:
            raise ValueError(f"`max_ngram` must be at least 1. Received: max_ngram={self.max_ngram}")
        if self.hidden_share < 0 or self.kept_share < 0 or self.hidden_share + self.kept_share > 1:
            raise ValueError(
                "`hidden_share` and `kept_share` must be shares of one whole. Received: "
                f"hidden_share={self.hidden_share}, kept_share={self.kept_share}"
            )

    def counts(self, lengths: np.ndarray) -> np.ndarray:
        """int64: most tokens that are hidden in examples of these lengths; 1 at least."""
        return np.maximum(1, np.rint(np.asarray(lengths) * self.mask_share)).astype(np.int64)


@dataclass(frozen=True, eq=False)
class Masker:
    """Hides tokens.

    Args:
        settings: see there.
        vocabulary_size: number V of tokens that a random one is drawn from.
        mask_id: the id of [MASK].
        continues: bool [V], whether a token continues a word ("##ing").
    """

    settings: MaskSettings
    vocabulary_size: int
    mask_id: int
    continues: np.ndarray

    def __call__(
        self, token_ids: np.ndarray, candidates: np.ndarray, splits: np.ndarray, keys: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Masks E examples, end to end in [S] tokens.

        Args:
            token_ids: integers [S].
            candidates: bool [S], what may be hidden.
            splits: int64 [E + 1].
            keys: uint64 [E], all the randomness.
        Returns: the places that are to be guessed, rising, int64 [C]; and the ids that stand there now, int32 [C].
        """
        lengths = np.diff(splits)
        example = np.repeat(np.arange(len(lengths)), lengths)
        place = (np.arange(splits[-1]) - np.repeat(splits[:-1], lengths)).astype(np.uint64)
        base = keys[example] + place * np.uint64(4) * GAMMA

        def draw(purpose: int, at: np.ndarray) -> np.ndarray:
            return mixed(base[at] + PURPOSES[purpose])

        counts = self.settings.counts(lengths)
        at = np.flatnonzero(candidates)
        if self.settings.masking == "tokens":
            rank = _ranks(example[at], draw(CHOICE, at))
            chosen = at[rank < counts[example[at]]]
        else:
            # A unit begins at a candidate that does not continue a word, or has no candidate before it.
            begins = ~self.continues[token_ids[at]] | np.append(True, np.diff(at) > 1)
            begins |= np.append(True, example[at][1:] != example[at][:-1])
            if self.settings.masking == "ngrams":
                words = at[begins]
                runs = _runs(example[words], uniform(draw(RUN, words)), self.settings.max_ngram)
                begins[np.flatnonzero(begins)[~runs]] = False
            unit = np.cumsum(begins) - 1
            heads = at[begins]
            taken = _fill(example[heads], draw(CHOICE, heads), np.bincount(unit, minlength=len(heads)), counts)
            chosen = at[taken[unit]] if len(at) else at
        fate = uniform(draw(FATE, chosen))
        random = (uniform(draw(WORD, chosen)) * self.vocabulary_size).astype(np.int32)
        kept = token_ids[chosen].astype(np.int32)
        hidden, kept_share = self.settings.hidden_share, self.settings.kept_share
        instead = np.where(fate < hidden, np.int32(self.mask_id), random)
        instead = np.where((fate >= hidden) & (fate < hidden + kept_share), kept, instead)
        return chosen, instead.astype(np.int32)


def _ranks(group: np.ndarray, key: np.ndarray) -> np.ndarray:
    """The place of each thing in its group's order by key; groups stand together."""
    order = np.lexsort((key, group))
    starts = np.searchsorted(group, np.arange(group[-1] + 1 if len(group) else 0))
    rank = np.empty(len(group), np.int64)
    rank[order] = np.arange(len(group)) - starts[group]
    return rank


def _by_rank(group: np.ndarray, rank: np.ndarray, groups: int) -> np.ndarray:
    """int64 [groups, most]: which thing has that rank in that group; -1: none."""
    table = np.full((groups, int(rank.max(initial=-1)) + 1), -1, np.int64)
    table[group, rank] = np.arange(len(group))
    return table


def _fill(group: np.ndarray, key: np.ndarray, sizes: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """bool: the things of each group, in random order, that still fit in its count; one that does not is left out."""
    table = _by_rank(group, _ranks(group, key), len(counts))
    left = counts.copy()
    taken = np.zeros(len(group), bool)
    for column in table.T:
        if not left.any():
            break
        thing = np.maximum(column, 0)
        fits = (column >= 0) & (sizes[thing] <= left)
        left -= np.where(fits, sizes[thing], 0)
        taken[column[fits]] = True
    return taken


def _runs(group: np.ndarray, drawn: np.ndarray, longest: int) -> np.ndarray:
    """bool: which words begin a run, where runs have n words with a probability that falls as 1 / n."""
    shares = 1.0 / np.arange(1, longest + 1)
    ends = shares / np.cumsum(shares[::-1])[::-1]  # that a run of so many words is over, if it has come so far
    rank = np.arange(len(group)) - np.searchsorted(group, group)
    groups = int(group[-1]) + 1 if len(group) else 0
    table = _by_rank(group, rank, groups)
    begins = np.zeros(len(group), bool)
    length = np.zeros(groups, np.int64)
    for column in table.T:
        there = column >= 0
        word = np.maximum(column, 0)
        over = (length == 0) | (drawn[word] < ends[np.maximum(length, 1) - 1]) if len(word) else there
        begins[word[there & over]] = True
        length = np.where(over, 1, length + 1)
    return begins
