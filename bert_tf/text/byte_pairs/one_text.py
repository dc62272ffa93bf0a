"""One text in Python: what the graph gives for it, without the time that a graph's many small operators take.

This is for texts of ASCII that name no added token, where a byte is a character. Tokens of words are kept, as most
words come again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from bert_tf.text.byte_pairs.alphabet import ALPHABET
from bert_tf.text.byte_pairs.merging import merged_numbers
from bert_tf.text.tokens.one_row import Piece

PATTERN = r"'s|'t|'re|'ve|'m|'ll|'d| ?[A-Za-z]+| ?[0-9]+| ?[^\sA-Za-z0-9]+|\s+(?!\S)|\s+"
"""GPT-2's, for ASCII."""
LONGEST_WORD = 100  # characters: longer ones take less time in the graph
MOST_WORDS = 1 << 14  # that are kept


class OneText:
    """Splits a text into pieces as `bert_tf.text.byte_pairs.graph.BytePairGraph` does.

    Args:
        ids: token -> number, of the vocabulary.
        merges: pairs of tokens, by rank.
        names: what added tokens are looked for as.
        blanks: number of a token -> how many spaces it begins and ends with; of others there are none.
        add_prefix_space, trim_offsets, keep_first_space, split_words, ignore_merges: as of `BytePairTokenizer`.

    >>> ids = {t: i for i, t in enumerate(["a", "b", "d", "Ġ", "Ġb", "ad", "Ġbad"])}
    >>> merges, blanks = [("Ġ", "b"), ("a", "d"), ("Ġb", "ad")], {3: (1, 1), 4: (1, 0), 6: (1, 0)}
    >>> one = OneText(ids, merges, names=["<s>"], blanks=blanks)
    >>> one("ad bad")
    [(5, 0, 2), (6, 3, 6)]
    >>> one("<s> bad") is one("é") is one("x") is None
    True
    """

    def __init__(
        self,
        ids: Mapping[str, int],
        merges: Sequence[tuple[str, str]],
        *,
        names: Iterable[str],
        blanks: Mapping[int, tuple[int, int]],
        add_prefix_space: bool = False,
        trim_offsets: bool = True,
        keep_first_space: bool = False,
        split_words: bool = True,
        ignore_merges: bool = False,
    ) -> None:
        self.ids, self.blanks = ids, blanks
        self.ranks = {(ids[a], ids[b]): (rank, ids[a + b]) for rank, (a, b) in enumerate(merges)}
        self.search = re.compile("|".join(map(re.escape, names)) or r"(?!)").search
        self.split = re.compile(PATTERN if split_words else r"(?s:.+)", re.ASCII).finditer
        self.written = str.maketrans({chr(byte): character for byte, character in ALPHABET.items()})
        self.add_prefix_space, self.trim_offsets = add_prefix_space, trim_offsets
        self.keep_first_space, self.ignore_merges = keep_first_space, ignore_merges
        self.words: dict[str, list[Piece]] = {}

    def __call__(self, text: str) -> list[Piece] | None:
        """The pieces, without special tokens around them; None: a text for the graph."""
        if not text.isascii() or self.search(text):
            return None
        before = int(self.add_prefix_space and text[:1] not in ("", " "))
        found: list[Piece] = []
        for match in self.split(" " * before + text):
            pieces = self.words.get(match[0]) or self._pieces(match[0])
            if pieces is None:
                return None
            place = match.start() - before
            for number, start, end in pieces:
                start, end = max(place + start, 0), max(place + end, 1)
                found.append(
                    (number, *self._trimmed(number, start, end)) if self.trim_offsets else (number, start, end)
                )
        return found

    def _pieces(self, word: str) -> list[Piece] | None:
        """Those of a word; None where it is too long, or has a byte that is no token."""
        written = word.translate(self.written)
        symbols = [self.ids.get(character, -1) for character in written]
        if len(word) > LONGEST_WORD or min(symbols) < 0:
            return None
        whole = self.ids.get(written) if self.ignore_merges else None
        found = merged_numbers(symbols, self.ranks) if whole is None else [(whole, 0, len(word))]
        if len(self.words) >= MOST_WORDS:
            self.words.clear()
        self.words[word] = found
        return found

    def _trimmed(self, number: int, start: int, end: int) -> tuple[int, int]:
        """The place of a token without the spaces that it begins and ends with."""
        leading, trailing = self.blanks.get(number, (0, 0))
        if self.keep_first_space and start == 0 and leading == 1:
            leading = 0
        start = min(start + leading, end)
        return start, max(end - trailing, start) if end >= trailing else end
