"""What a tagger's labels say: which begin an entity, which continue one, of which type; or what each word is."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence

import numpy as np

OUTSIDE = "O"
UNNAMED = "entity"
"""The type of entities where labels are B, I and O alone."""
LETTERS = {"B": "B", "I": "I", "E": "E", "S": "S", "L": "E", "U": "S", "M": "I", "W": "S"}
"""Letters of IOB, BIOES, BILOU, BMES and BMEWO -> what they stand for: first, inside, end (last), single."""
PREFIX = re.compile(r"([BIESLUMWbieslumw])[-_:./|](.+)")
SUFFIX = re.compile(r"(.+)[-_:./|]([BIESLUMWbieslumw])")
# What some models have a label for although it stands at no word: special tokens, padding, the later pieces of a word.
UNUSED = frozenset(
    (
        *("[cls]", "[sep]", "[pad]", "[unk]", "[mask]", "[x]", "<pad>", "<s>", "</s>", "<cls>", "<sep>", "<unk>"),
        *("<start>", "<stop>", "<end>", "cls", "sep", "pad", "x", "ignore", "[ignore]", "-100"),
    )
)
SCHEMES = ("io", "iob", "bioes", "words")


@dataclasses.dataclass(frozen=True)
class LabelSet:
    """C labels, read.

    Args:
        labels: their names.
        scheme: "iob" (first and inside), "bioes" (also end or single), "io" (no label begins an entity, so neighbours
            of one type are one) or "words" (no entities: each word has a label).
        types: names of what entities can be; in "words" the labels themselves.
        type_of: for each label the number of its type, -1 outside of everything.
        letters: for each label B, I, E or S; O outside.
        unused: labels that name nothing in a text, such as [CLS]; they are outside.
    """

    labels: tuple[str, ...]
    scheme: str
    types: tuple[str, ...]
    type_of: tuple[int, ...]
    letters: tuple[str, ...]
    unused: tuple[str, ...] = ()

    @property
    def is_entities(self) -> bool:
        """Whether neighbouring words can be one entity, rather than each word having a label."""
        return self.scheme != "words"

    @property
    def outside(self) -> int:
        """The label of what is nothing; the first one where each word has a label."""
        return next((i for i, kind in enumerate(self.type_of) if kind < 0), 0)

    @property
    def description(self) -> str:
        """How the labels were read, for people."""
        if not self.is_entities:
            return "a label for each word: no label is O, and not all begin with B-, I- and the like"
        how = {
            "iob": "entities that B begins and I continues",
            "bioes": "entities that B begins, I continues and E ends, or of a single word, S",
            "io": "entities without a mark where one begins: neighbours of one type are one entity",
        }[self.scheme]
        left = f"; {', '.join(self.unused)} count as O" if self.unused else ""
        return f"{how}, of the types {', '.join(self.types)}{left}"

    def begins(self, indices: np.ndarray) -> np.ndarray:
        """Which words of a sentence begin an entity, bool [W], of their labels int [W].

        A word of an entity begins one after a word outside or of another type, after the last word of an entity, and
        where its label says so: the rule of conlleval and seqeval.
        """
        kind, letter = np.asarray(self.type_of)[indices], np.asarray(self.letters)[indices]
        before = np.concatenate([[-1], kind[:-1]])
        ended = np.concatenate([[True], np.isin(letter[:-1], ("E", "S"))])
        return (kind >= 0) & (np.isin(letter, ("B", "S")) | ended | (before != kind))

    def continuation(self, index: int) -> int | None:
        """The label of the rest of a word in a script without spaces whose first character has this one.

        None: there is no such label.
        """
        kind, letter = self.type_of[index], self.letters[index]
        if kind < 0 or not self.is_entities or letter == "I":
            return index
        wanted = (kind, "I") if letter == "B" else None
        return next(
            (i for i, found in enumerate(zip(self.type_of, self.letters, strict=True)) if found == wanted), None
        )


def of_types(types: Sequence[str]) -> LabelSet:
    """O, then B and I of each type: the labels of a model that is trained here."""
    labels = (OUTSIDE, *(f"{letter}-{name}" for name in types for letter in "BI"))
    numbers = (-1, *(number for number in range(len(types)) for _ in "BI"))
    return LabelSet(labels, "iob", tuple(types), numbers, (OUTSIDE, *("BI" * len(types))))


def read_labels(labels: Sequence[str], scheme: str | None = None) -> LabelSet:
    """Reads labels of any order and scheme, as files of many models have them.

    Labels are entities' where all but O (and what names nothing, such as [CLS], X or PAD) begin or end with a letter of
    a scheme ("B-PER", "b_per", "PER-B"), or where there is an O: labels without a letter then continue an entity of
    their type, as Transformers has it. Elsewhere (parts of speech, LABEL_0) each word has a label.

    Args:
        scheme: "words" or "io": to be read so whatever they look like; None: as above.
    """
    labels = tuple(labels)
    if scheme == "words":
        return _words(labels)
    has_outside = any(_is_outside(label) for label in labels)
    named = [label for label in labels if not _is_outside(label) and label.lower() not in UNUSED]
    split = _split_as_all(named)
    if split is None and (has_outside or scheme == "io") and named:
        split = {label: _split(label, PREFIX, 1, 2) or ("", label) for label in named}
        if scheme == "io" or not any(letter for letter, _ in split.values()):
            split = {label: ("", label) for label in named}
    if split is None or not split:
        return _words(labels)
    types = tuple(dict.fromkeys(name for _, name in split.values()))
    letters = {label: letter or "I" for label, (letter, _) in split.items()}
    marks = {letter for letter, _ in split.values()}
    found = "bioes" if marks & {"E", "S"} else "iob" if "B" in marks else "io"
    return LabelSet(
        labels=labels,
        scheme=found,
        types=types,
        type_of=tuple(types.index(split[label][1]) if label in split else -1 for label in labels),
        letters=tuple(letters.get(label, OUTSIDE) for label in labels),
        unused=tuple(label for label in labels if label not in split and not _is_outside(label)),
    )


def _words(labels: tuple[str, ...]) -> LabelSet:
    return LabelSet(labels, "words", labels, tuple(range(len(labels))), ("S",) * len(labels))


def _is_outside(label: str) -> bool:
    return label in (OUTSIDE, OUTSIDE.lower())


def _split_as_all(labels: Sequence[str]) -> dict[str, tuple[str, str]] | None:
    """Label -> letter and type, where all are written in one way; None where they are not."""
    if labels and all(label.upper() in LETTERS for label in labels) and {"B", "I"} & {x.upper() for x in labels}:
        return {label: (LETTERS[label.upper()], UNNAMED) for label in labels}
    for pattern, letter, name in ((PREFIX, 1, 2), (SUFFIX, 2, 1)):
        found = {label: _split(label, pattern, letter, name) for label in labels}
        if labels and all(found.values()):
            return {label: parts for label, parts in found.items() if parts is not None}
    return None


def _split(label: str, pattern: re.Pattern[str], letter: int, name: int) -> tuple[str, str] | None:
    found = pattern.fullmatch(label)
    return None if found is None else (LETTERS[found[letter].upper()], found[name])
