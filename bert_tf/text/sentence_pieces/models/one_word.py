"""One word in Python, with the pieces that the graphs give it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bert_tf.text.byte_pairs.merging import merged_numbers
from bert_tf.text.sentence_pieces.models.unigram import BYTES, UNKNOWN_PENALTY
from bert_tf.text.tokens.one_row import Piece


class UnigramWord:
    """The pieces of one word, as `bert_tf.text.sentence_pieces.models.unigram.Unigram` gives them.

    Args: as of `Unigram`.

    >>> one = UnigramWord([("<unk>", 0.0), ("un", -2.0), ("aff", -4.0), ("able", -3.0)], unk_id=0, byte_fallback=False)
    >>> one("unaffable!!")
    [(1, 0, 2), (2, 2, 5), (3, 5, 9), (0, 9, 11)]
    """

    def __init__(self, pieces: Sequence[tuple[str, float]], *, unk_id: int, byte_fallback: bool) -> None:
        self.pieces = {piece: (number, float(score)) for number, (piece, score) in enumerate(pieces) if piece}
        self.unk_id, self.unknown = unk_id, min(float(score) for _, score in pieces) - UNKNOWN_PENALTY
        self.longest = max(map(len, self.pieces))
        self.bytes = [self.pieces[piece][0] for piece in BYTES] if byte_fallback else None

    def __call__(self, word: str) -> list[Piece]:
        sums, begins, numbers = [0.0], [0], [-1]
        for end in range(1, len(word) + 1):
            # A character that is no piece is unknown; the longest piece wins where sums are equal.
            best, begin, number = float("-inf"), end - 1, -1
            for start in range(max(0, end - self.longest), end):
                piece = self.pieces.get(word[start:end])
                if piece is not None:
                    total = sums[start] + piece[1]
                    if total > best:
                        best, begin, number = total, start, piece[0]
                elif start == end - 1:
                    total = sums[start] + self.unknown
                    if total > best:
                        best, begin, number = total, start, -1
            sums.append(best)
            begins.append(begin)
            numbers.append(number)
        found: list[Piece] = []
        end = len(word)
        while end:
            begin, number = begins[end], numbers[end]
            is_unknown = number in (-1, self.unk_id)
            if is_unknown and found and found[-1][0] in (-1, self.unk_id):
                found[-1] = -1, begin, found[-1][2]  # Of the text <unk> alone the piece is meant, not its bytes.
            else:
                found.append((number, begin, end))
            end = begin
        spelled: list[Piece] = []
        for number, begin, end in reversed(found):
            if number >= 0:
                spelled.append((number, begin, end))
            elif self.bytes is None:
                spelled.append((self.unk_id, begin, end))
            else:
                spelled += [(self.bytes[byte], begin, end) for byte in word[begin:end].encode()]
        return spelled


class MergedWord:
    """The pieces of one word, as `bert_tf.text.sentence_pieces.models.merged.Merged` gives them.

    Args: as of `Merged`.
    """

    def __init__(
        self, vocabulary: Sequence[str], merges: Sequence[tuple[str, str]], *, unk_id: int, fuse_unknown: bool,
        byte_fallback: bool,
    ) -> None:  # fmt: skip
        self.ids: Mapping[str, int] = {piece: number for number, piece in enumerate(vocabulary) if piece}
        ids = self.ids
        self.ranks = {(ids[a], ids[b]): (rank, ids[a + b]) for rank, (a, b) in enumerate(merges)}
        self.unk_id, self.fuses = unk_id, fuse_unknown and not byte_fallback
        self.bytes = [ids[piece] for piece in BYTES] if byte_fallback else None

    def __call__(self, word: str) -> list[Piece]:
        symbols: list[Piece] = []
        unknown = False
        for place, character in enumerate(word):
            number, before = self.ids.get(character), unknown
            unknown = number is None
            if number is not None:
                symbols.append((number, place, place + 1))
            elif self.bytes is not None:
                symbols += [(self.bytes[byte], place, place + 1) for byte in character.encode()]
            elif self.fuses and before:
                symbols[-1] = self.unk_id, symbols[-1][1], place + 1
            else:
                symbols.append((self.unk_id, place, place + 1))
        found: list[Piece] = []
        for number, first, stop in merged_numbers([symbol[0] for symbol in symbols], self.ranks):
            found.append((number, symbols[first][1], symbols[stop - 1][2]))
        return found
