"""The steps that normalise a text, as a tokenizer.json names them, in TensorFlow ops on characters.

A step is written as in that file, `{"type": "Lowercase"}`, so that what is read is what is saved. What is not here is
refused by its name: nothing is left out in silence.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import tensorflow as tf

from bert_tf.errors import UserError
from bert_tf.guard import short
from bert_tf.text.sentence_pieces import tables
from bert_tf.text.sentence_pieces.characters import (
    Characters,
    OneText,
    PointMap,
    begins_section,
    drop,
    insert,
    is_text,
    take,
)
from bert_tf.text.sentence_pieces.composing import FORMS, NormalForm
from bert_tf.text.sentence_pieces.files.charsmap import read_charsmap
from bert_tf.text.sentence_pieces.precompiled import Precompiled


class Step(Protocol):
    """What a text becomes."""

    touched: frozenset[str]
    """All characters that do not always stay as they are."""

    def __call__(self, x: Characters) -> Characters: ...

    def one(self, x: OneText) -> OneText | None:
        """A text alone, in Python: what the graph makes of it, or None for one that the graph is needed for.

        Which one that is tell single characters, two neighbours, or the first or last character: texts are
        looked at so in the graph (`bert_tf.text.sentence_pieces.simple`).
        """
        ...


SPACE, META = ord(" "), ord("▁")
SPACES = " {2,}"
WHITE = r"\s{2,}|[\n\r\t]"
EDGES = r"\A +| +\z"
FIRST_META = r"\A▁"


def build_steps(steps: Sequence[Mapping[str, Any]], where: str | os.PathLike[str]) -> list[Step]:
    """The steps in their order.

    Args:
        steps: as in a tokenizer.json.
        where: the file, for errors.
    Raises: UserError naming a step that is not known here.
    """
    built: list[Step | dict[int, str]] = []
    names = [step.get("type") for step in steps]
    for number, step in enumerate(steps):
        if names[number] in ("NFD", "NFKD") and names[number + 1 : number + 2] == ["StripAccents"]:
            continue  # The next step does both: what combines is gone before its order counts.
        made = _build(step, names[number - 1] if number else None, where)
        if isinstance(made, dict) and built and isinstance(built[-1], dict):
            built[-1] = one_after_other(built[-1], made)
        else:
            built.append(made)
    return [PointMap(made) if isinstance(made, dict) else made for made in built]


def one_after_other(first: Mapping[int, str], second: Mapping[int, str]) -> dict[int, str]:
    """What two maps of single code points do together."""
    both = {point: "".join(second.get(ord(c), c) for c in text) for point, text in first.items()}
    return {**second, **both}


def _build(step: Mapping[str, Any], previous: Any, where: str | os.PathLike[str]) -> Step | dict[int, str]:
    """A step, or what it makes of each code point where it looks at no others."""
    kind = step.get("type")
    if kind == "Precompiled":
        return Precompiled(read_charsmap(_bytes_of(step.get("precompiled_charsmap"), where), where))
    if kind in FORMS:
        return NormalForm(str(kind))
    if kind == "Lowercase":
        return tables.mapping("lower")
    if kind == "StripAccents":
        decomposed = tables.mapping(previous.lower()) if previous in ("NFD", "NFKD") else {}
        return without_marks(decomposed)
    if kind == "Strip":
        left, right = step.get("strip_left"), step.get("strip_right")
        if isinstance(left, bool) and isinstance(right, bool):
            white = "".join(map(chr, sorted(tables.points("white"))))
            return Strip(tables.numbers("white"), white, left=left, right=right)
    if kind == "Replace":
        found = _replace(step.get("pattern"), step.get("content"))
        if found is not None:
            return found
    if kind == "Prepend" and step.get("prepend") == chr(META):
        return Prepend()
    raise UserError(f"{where}: `normalizer` has a step that is not known here. Received: {short(dict(step), 200)}")


def _replace(pattern: Any, content: Any) -> Step | dict[int, str] | None:
    """A step that replaces what a pattern finds; None for a pattern that is not known."""
    if not isinstance(pattern, Mapping) or not isinstance(content, str):
        return None
    if isinstance(text := pattern.get("String"), str):
        if len(text) == 1:
            return {ord(text): content}
        if len(text) == 2 and text[0] == text[1] and len(content) == 1:
            return Pairs(ord(text[0]), ord(content))
    regex = pattern.get("Regex")
    if regex == SPACES and len(content) == 1:
        return Runs(lambda points: points == SPACE, ord(content), regex)
    if regex == WHITE and content == " ":
        white = tables.numbers("regex_white")
        return Runs(lambda points: white(points) > 0, SPACE, regex, alone=(ord("\n"), ord("\r"), ord("\t")))
    if regex == EDGES and content == "":
        return Strip(lambda points: tf.cast(points == SPACE, tf.int32), " ", left=True, right=True)
    if regex == FIRST_META and content == "▁▁":
        return Prepend(to=META)
    return None


def _bytes_of(text: Any, where: str | os.PathLike[str]) -> bytes:
    try:
        return base64.b64decode(text or "", validate=True)
    except (TypeError, ValueError, binascii.Error):
        raise UserError(f"{where}: `precompiled_charsmap` must be base64. Received: {short(text)}") from None


def without_marks(decomposed: Mapping[int, str]) -> dict[int, str]:
    """Code point -> what is left of its decomposition, for those that change."""
    marks = tables.points("marks")
    left = {point: "".join(c for c in text if ord(c) not in marks) for point, text in decomposed.items()}
    return dict.fromkeys(marks, "") | left


class Prepend:
    """Puts META before each section: before each text between added tokens.

    Args:
        to: only before those that begin with this character; None: all.
    """

    def __init__(self, to: int | None = None):
        self.to, self.touched = to, frozenset(chr(META))

    def __call__(self, x: Characters) -> Characters:
        begins = begins_section(x)
        return insert(x, begins if self.to is None else begins & (x.values == self.to), META)

    def one(self, x: OneText) -> OneText:
        """A text alone, in Python."""
        gets = bool(x.text) if self.to is None else x.text.startswith(chr(self.to))
        return OneText(chr(META) + x.text, x.before + 1) if gets else x


class Strip:
    """Removes what is white at the beginning and at the end of each section: of each text between added tokens.

    Args:
        white: int32 [N] -> int32 [N], not 0 for what is removed.
        characters: the same, one behind the other.
    """

    def __init__(self, white: Callable[[Any], Any], characters: str, *, left: bool, right: bool):
        self.white, self.characters, self.left, self.right = white, characters, left, right
        self.touched = frozenset(characters)

    def one(self, x: OneText) -> OneText | None:
        """A text alone, in Python; None for what the graph is needed for."""
        edges = x.text[:1] * self.left + x.text[-1:] * self.right
        return None if edges.strip(self.characters) != edges else x

    def __call__(self, x: Characters) -> Characters:
        text = is_text(x)
        solid = tf.cast(text & (self.white(x.values) == 0), tf.int32)
        before = tf.cumsum(solid, exclusive=True)
        begins = begins_section(x)
        bounds = tf.concat([tf.boolean_mask(before, begins), [tf.reduce_sum(solid)]], axis=0)
        section = tf.maximum(tf.cumsum(tf.cast(begins, tf.int32)) - 1, 0)
        dropped = tf.zeros_like(text)
        if self.left:
            dropped |= before + solid == tf.gather(bounds, section)
        if self.right:
            dropped |= before == tf.gather(bounds, tf.minimum(section + 1, tf.size(bounds) - 1))
        return drop(x, dropped & text & (solid == 0))


class Runs:
    """Makes one character of each run of two or more of a set, with the place of the last.

    Args:
        holds: int32 [N] -> bool [N], the set.
        value: what it becomes.
        regex: a pattern that finds the runs, and which characters become it alone.
        alone: of the set, those that become it alone as well.
    """

    def __init__(self, holds: Callable[[Any], Any], value: int, regex: str, *, alone: Sequence[int] = ()):
        self.holds, self.value, self.alone = holds, value, alone
        self.search = re.compile(regex).search
        white = tables.points("regex_white") if alone else {SPACE}
        self.touched = frozenset(map(chr, white))

    def one(self, x: OneText) -> OneText | None:
        """A text alone, in Python; None for what the graph is needed for."""
        return x if self.search(x.text) is None else None

    def __call__(self, x: Characters) -> Characters:
        held = self.holds(x.values) & is_text(x)
        more = held[1:] & held[:-1]
        nothing = tf.zeros_like(held[:1])
        follows, goes_on = tf.concat([nothing, more], axis=0), tf.concat([more, nothing], axis=0)
        changed = follows
        for point in self.alone:
            changed |= x.values == point
        return drop(x._replace(values=tf.where(changed, self.value, x.values)), goes_on)


class Pairs:
    """Makes one character of each two of a kind, from the left, with the place of the second."""

    def __init__(self, value: int, replacement: int):
        self.value, self.replacement, self.touched = value, replacement, frozenset(chr(value))

    def __call__(self, x: Characters) -> Characters:
        held = x.values == self.value
        return tf.cond(tf.reduce_any(held[1:] & held[:-1]), lambda: self._replace(x, held), lambda: x)

    def one(self, x: OneText) -> OneText | None:
        """A text alone, in Python; None for what the graph is needed for."""
        return None if chr(self.value) * 2 in x.text else x

    def _replace(self, x: Characters, held) -> Characters:
        nothing = tf.zeros_like(held[:1])
        begins = held & ~tf.concat([nothing, held[:-1]], axis=0)
        followed = tf.concat([held[1:], nothing], axis=0)
        firsts = tf.concat([[0], tf.cast(tf.where(begins)[:, 0], tf.int32)], axis=0)
        within = tf.range(tf.size(held)) - tf.gather(firsts, tf.cumsum(tf.cast(begins, tf.int32)))
        second = held & (within % 2 == 1)
        x = x._replace(values=tf.where(second, self.replacement, x.values))
        return take(x, tf.where(~(held & ~second & followed))[:, 0])
