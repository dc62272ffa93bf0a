"""One text in Python: what the graph gives for it, without the time that a graph's many small operators take.

Every step has a way for a text alone in which each character is from one of those given, in their order; of other
texts, and of those that name added tokens, the graph alone knows what becomes. Words are split as they are in the
graph, and kept, as most come again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bert_tf.text.sentence_pieces.characters import OneText
from bert_tf.text.sentence_pieces.words import Word
from bert_tf.text.tokens.one_row import Piece

LONGEST_WORD = 100  # characters: longer ones take less time in the graph
MOST_WORDS = 1 << 14  # that are kept


def normalized(steps: Sequence[Any], text: str) -> OneText | None:
    """A text behind all steps; None for one that is for the graph."""
    x: OneText | None = OneText(text)
    for step in steps:
        x = step.one(x)
        if x is None:
            return None
    return x


class TextAlone:
    """Splits a text into pieces as `bert_tf.text.sentence_pieces.graph.SentencePieceGraph` does.

    Args:
        steps: what a text goes through in turn: `one` of normalisation, and of the search for added tokens.
        splits: how words are made of it.
        model: the pieces of a word.
    """

    def __init__(self, steps: Sequence[Any], splits: Sequence[Any], model: Any) -> None:
        self.steps, self.splits, self.model = steps, splits, model
        self.words: dict[str, list[Piece]] = {}

    def __call__(self, text: str) -> list[Piece] | None:
        """The pieces, without special tokens around them; None: a text for the graph."""
        x = normalized(self.steps, text)
        if x is None:
            return None
        words = [Word(x.text, 0)] if x.text else []
        for split in self.splits:
            words = split.one(words)
        found: list[Piece] = []
        for word, place, signs in words:
            pieces = self.words.get(word)
            if pieces is None:
                if len(word) > LONGEST_WORD:
                    return None
                if len(self.words) >= MOST_WORDS:
                    self.words.clear()
                pieces = self.words[word] = self.model(word)
            place -= x.before
            for number, start, end in pieces:
                start, end = place + max(start - signs, 0), place + max(end - signs, 1)
                found.append((number, max(start, 0), max(end, 1)))
        return found
