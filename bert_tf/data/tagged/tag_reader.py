"""Tags of a whole split, in whatever scheme they are, as numbers of a model's labels."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, NamedTuple

from bert_tf.data.rows.cells import shown
from bert_tf.data.rows.quiet import is_quiet
from bert_tf.data.tagged.label_sets import LETTERS, OUTSIDE, PREFIX, SUFFIX, LabelSet
from bert_tf.data.tagged.tags import TagError, to_iob2

SCHEMES = ("iob1", "iob2", "bioes", "io")
LISTED = 20
SAID = {
    "iob1": "they are in IOB1, where I begins an entity too",
    "bioes": "they are in BIOES (or BILOU, BMES), where E ends an entity and S is one of a single word",
    "io": "they have no B and I, so neighbours of one type are one entity",
}

logger = logging.getLogger(__name__)


class Part(NamedTuple):
    """What a tag says: B, I, E, S, O, or "" where it is a type alone; and the type's number, -1 outside."""

    letter: str
    kind: int


class TagReader:
    """Reads tags once it has looked at all of them.

    Args:
        labels: the model's labels.
        by_type: whether data in any scheme are brought to these labels, which are IOB2; else tags are labels' names.
        scheme: how tags read; None: as they show.
    """

    def __init__(self, labels: LabelSet, *, by_type: bool, scheme: str | None = None) -> None:
        self.labels, self.by_type, self.scheme = labels, by_type, scheme if by_type else None
        self.numbers = {name: number for number, name in enumerate(labels.labels)}
        self.parts: dict[Any, Part | None] = {}
        self.plain: dict[str, str] = {}
        self.are_numbers = False

    def look(self, sentences: Sequence[Sequence[Any]], origin: str) -> None:
        """Decides how tags read, and says so where it is not the usual way."""
        different = dict.fromkeys(tag for tags in sentences for tag in tags if isinstance(tag, (str, int)))
        self.are_numbers = bool(different) and all(type(tag) is int for tag in different)
        notes = [f"they are numbers, from 0, of {self._listed()}"] if self.are_numbers else []
        if self.by_type:
            names = (self._name(tag) for tag in different)
            self.parts = {name: self._part(name) for name in names if name is not None}
            self.scheme = self.scheme or self._scheme_of(sentences)
            notes += [SAID[self.scheme]] if self.scheme in SAID else []
            odd = next(
                (tag for tag, part in self.parts.items() if part and part.letter and tag != self._plain(part)), None
            )
            if odd is not None:
                notes.append(f"such as {odd!r} for {self._plain(self.parts[odd])}")
            if self.scheme == "io" and OUTSIDE not in different and not self.are_numbers:
                notes.append("no word is O: where each word has a label, such as its part of speech, give the task "
                             "`labels` instead of `types`")  # fmt: skip
        if notes and not is_quiet():
            logger.warning("%s: tags are read as follows: %s", origin, "; ".join(notes))

    def read(self, tags: Sequence[Any]) -> list[int]:
        """Numbers of a sentence's labels. Raises: TagError with the word's place."""
        names = [self._checked(tag, i) for i, tag in enumerate(tags)]
        if not self.by_type:
            return [self.numbers[name] for name in names]
        plain = [self._plain_of(name) for name in names]
        scheme = "iob1" if self.scheme == "io" else self.scheme or "iob2"
        return [self.numbers[tag] for tag in to_iob2(plain, scheme)]

    def _checked(self, tag: Any, index: int) -> str:
        name = self._name(tag)
        known = self.parts.get(name) is not None if self.by_type else name in self.numbers
        if name is None or not known:
            raise TagError(index, f"expected one of {self._listed()}. Received: {shown(tag)}")
        return name

    def _name(self, tag: Any) -> str | None:
        """A tag's name: itself, or of a number, where all are numbers, the label's."""
        if isinstance(tag, str):
            return tag
        names = self.labels.labels
        return names[tag] if self.are_numbers and type(tag) is int and 0 <= tag < len(names) else None

    def _part(self, name: str) -> Part | None:
        """What a tag says, if it says one of the types; the case of letters counts where it must."""
        if name in (OUTSIDE, OUTSIDE.lower()):
            return Part(OUTSIDE, -1)
        exact = {kind: number for number, kind in enumerate(self.labels.types)}
        folded = {kind.casefold(): number for kind, number in exact.items()}
        tables = [(exact, name)] + ([(folded, name.casefold())] if len(folded) == len(exact) else [])
        for table, tag in tables:
            if tag in table:
                return Part("", table[tag])
            for pattern, letter, kind in ((PREFIX, 1, 2), (SUFFIX, 2, 1)):
                found = pattern.fullmatch(tag)
                if found is not None and found[kind] in table:
                    return Part(LETTERS[found[letter].upper()], table[found[kind]])
        return None

    def _scheme_of(self, sentences: Sequence[Sequence[Any]]) -> str:
        parts = [[self.parts.get(self._name(tag)) for tag in tags] for tags in sentences]
        letters = {part.letter for sentence in parts for part in sentence if part is not None}
        if letters & {"E", "S"}:
            return "bioes"
        if "" in letters and not letters & {"B", "I"}:
            return "io"
        # In IOB2 every entity begins with B; in IOB1 only one that touches another of its type does. What does both is
        # read as IOB2, and the line that does not keep to it is named.
        begins_with_i, needless_b = False, False
        for sentence in parts:
            for before, part in zip([None, *sentence], sentence, strict=False):
                if part is not None and part.kind >= 0:
                    touches = before is not None and before.kind == part.kind
                    begins_with_i |= part.letter != "B" and not touches
                    needless_b |= part.letter == "B" and not touches
        return "iob1" if begins_with_i and not needless_b else "iob2"

    def _plain_of(self, name: str) -> str:
        """A known tag as IOB2 writes it."""
        if name not in self.plain:
            part = self.parts[name]
            assert part is not None
            self.plain[name] = self._plain(part._replace(letter=part.letter or "I"))
        return self.plain[name]

    def _plain(self, part: Part | None) -> str:
        assert part is not None
        return OUTSIDE if part.kind < 0 else f"{part.letter}-{self.labels.types[part.kind]}"

    def _listed(self) -> str:
        names = self.labels.labels
        more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
        return f"{', '.join(names[:LISTED])}{more}"
