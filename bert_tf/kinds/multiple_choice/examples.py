"""Questions with their choices, read and checked, and tokenised."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bert_tf.kinds.examples import Examples
from bert_tf.kinds.multiple_choice.cells import SEPARATOR

if TYPE_CHECKING:
    from bert_tf.data.batching.features import Features
    from bert_tf.text import Tokenizer

CHOICE_MASK = "choice_mask"
"""Of a batch: 1 where an example has such a choice."""


@dataclass(frozen=True, kw_only=True)
class ChoiceExamples(Examples):
    """Examples of one text each, and of choices among which one goes with it.

    >>> examples = ChoiceExamples(texts=["It rains."], choices=[("He swims.", "He gets wet.")], in_columns=False)
    >>> examples.columns, examples.second_texts(0)
    ((['It rains.'], ['He swims.\\nHe gets wet.']), ['He swims.', 'He gets wet.'])

    Args:
        stems: what every choice of an example begins with, [E]; None: nothing.
        choices: the choices of each example; empty where it has no such choice.
        in_columns: whether each choice is a column of its own, so that there are equally many.
    """

    stems: Sequence[str] | None = None
    choices: Sequence[tuple[str, ...]]
    in_columns: bool

    @property
    def columns(self) -> tuple[Sequence[str], ...]:
        """The texts by the task's columns; choices that are a list are one text, a choice a line."""
        stems = () if self.stems is None else (self.stems,)
        if self.in_columns:
            return (self.texts, *stems, *(list(column) for column in zip(*self.choices, strict=True)))
        return (self.texts, *stems, [SEPARATOR.join(texts) for texts in self.choices])

    def second_texts(self, example: int) -> list[str]:
        """What stands after the text of an example, for each of its choices; "" where it has no such choice."""
        stem = "" if self.stems is None else f"{self.stems[example]} "
        return [f"{stem}{text}" if text.strip() else "" for text in self.choices[example]]


def encode_choices(
    tokenizer: Tokenizer,
    examples: ChoiceExamples,
    *,
    max_length: int,
    progress: Callable[[int, int], None] | None = None,
) -> Features:
    """Each example as P rows, the text with a choice, that do not see one another; P is the most choices of an example.

    In the place of a choice that an example lacks stands a row without a word, and `choice_mask` [E, P] is 0.
    """
    from bert_tf.data.batching.features import encode

    number = max(map(len, examples.choices))
    members = np.full((len(examples), number), -1, np.int32)
    firsts: list[str] = []
    seconds: list[str] = []
    for example, text in enumerate(examples.texts):
        for place, second in enumerate(examples.second_texts(example)):
            if second:
                members[example, place] = len(firsts)
                firsts.append(text)
                seconds.append(second)
    there = members >= 0
    if not there.all():
        members[~there] = len(firsts)
        firsts.append("")
        seconds.append("")
    rows = encode(tokenizer, firsts, seconds, max_length=max_length, progress=progress)
    return dataclasses.replace(
        rows, members=members, labels=examples.labels, example_fields={CHOICE_MASK: there.astype(np.int32)}
    )
