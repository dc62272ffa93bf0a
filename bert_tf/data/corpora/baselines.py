"""What guesses of hidden tokens are worth that need no model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bert_tf.sentinels import IGNORED_LABEL


@dataclass(frozen=True, eq=False)
class TokenCounts:
    """What a corpus says about tokens.

    Args:
        most_frequent: id of the most frequent token.
        after: int64 [V]: for each token, which one follows it most often; `most_frequent` where it was never seen.
        at_start: which token begins most sentences.
    """

    most_frequent: int
    after: np.ndarray
    at_start: int

    @classmethod
    def of(cls, ids: np.ndarray, begins: np.ndarray, vocabulary_size: int) -> TokenCounts:
        """Counts tokens int64 [N], of which those with `begins` bool [N] begin sentences."""
        most_frequent = int(np.bincount(ids).argmax())
        pairs, counts = np.unique(ids[:-1] * vocabulary_size + ids[1:], return_counts=True)
        order = np.argsort(counts, kind="stable")  # the last one written is the most frequent
        after = np.full(vocabulary_size, most_frequent)
        after[pairs[order] // vocabulary_size] = pairs[order] % vocabulary_size
        return cls(most_frequent, after, int(np.bincount(ids[begins]).argmax()))

    def right(self, batch: dict[str, np.ndarray], special: np.ndarray) -> tuple[int, int, int]:
        """How many of a batch's targets the most frequent token is, and how many the one that mostly follows the token
        before, which is looked at in the text itself even where it is hidden; and how many targets there are.

        Args:
            special: ids of tokens that begin a segment.
        """
        rows, places = np.nonzero(batch["target_ids"] != IGNORED_LABEL)
        targets, positions = batch["target_ids"][rows, places], batch["masked_positions"][rows, places]
        text = batch["token_ids"].copy()
        text[rows, positions] = targets
        before = text[rows, positions - 1]
        guesses = np.where(np.isin(before, special), self.at_start, self.after[before])
        return int(np.sum(targets == self.most_frequent)), int(np.sum(guesses == targets)), len(targets)
