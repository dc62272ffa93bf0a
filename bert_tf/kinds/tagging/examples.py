"""Sentences of tagged words, read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bert_tf.data.tagged.label_sets import LabelSet
from bert_tf.kinds.examples import Examples


@dataclass(frozen=True, kw_only=True)
class TaggedExamples(Examples):
    """Sentences of words; their texts are the words joined as their language writes them.

    Args:
        words: the words of each sentence.
        starts: where each of them begins in the text, in characters.
        label_set: what the tags are numbers of.
        tags: numbers of the words' labels, as many; None where the split has none.

    >>> from bert_tf.data.tagged.label_sets import of_types
    >>> examples = TaggedExamples(
    ...     texts=["Ann left"], words=[["Ann", "left"]], starts=[[0, 4]], label_set=of_types(["PER"]), tags=[[1, 0]]
    ... )
    >>> [examples.label_set.labels[tag] for tag in examples.tags[0]]
    ['B-PER', 'O']
    """

    words: Sequence[Sequence[str]]
    starts: Sequence[Sequence[int]]
    label_set: LabelSet
    tags: Sequence[Sequence[int]] | None = None

    @property
    def is_labelled(self) -> bool:
        return self.tags is not None

    def follows(self, sentence: int) -> list[bool]:
        """Which words of a sentence stand right behind the one before."""
        words, starts = self.words[sentence], self.starts[sentence]
        return [i > 0 and starts[i - 1] + len(words[i - 1]) == start for i, start in enumerate(starts)]
