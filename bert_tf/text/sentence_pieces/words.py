"""How a normalised text becomes the words that a model splits into pieces, as a tokenizer.json names it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import tensorflow as tf

from bert_tf.errors import UserError
from bert_tf.guard import short
from bert_tf.text.repeated import owners
from bert_tf.text.sentence_pieces import tables
from bert_tf.text.sentence_pieces.characters import END, Characters, insert, is_text, take
from bert_tf.text.sentence_pieces.steps import META, SPACE


class Word(NamedTuple):
    """A word of a text alone, where it begins in it, and how many signs, 0 or 1, have been put before it: these have
    the place of its first character."""

    text: str
    place: int
    signs: int = 0

    def cut(self, parts: Iterable[re.Match[str]]) -> list[Word]:
        """Parts of it as words."""
        return [
            Word(part[0], self.place + max(part.start() - self.signs, 0), self.signs if part.start() == 0 else 0)
            for part in parts
        ]


class Split(Protocol):
    """Which characters begin a word."""

    def __call__(self, x: Characters, begins: Any, marked: Any = None) -> tuple[Characters, Any]:
        """Characters and bool [N], which of them begin a word, to the same.

        Args:
            marked: bool [N], which characters are of `of`, where that is known.
        """
        ...

    of: frozenset[str]
    """A set of characters that count, if there is one: a step of such a set comes before all others."""

    def one(self, words: list[Word]) -> list[Word]:
        """Words of a text alone, each cut into several, in Python. A sign that is put before one has its place."""
        ...


SCHEMES = ("always", "first", "never")


def build_splits(
    steps: Sequence[Mapping[str, Any]], where: str | os.PathLike[str], *, by_model: bool = True
) -> list[Split]:
    """The steps in their order.

    Args:
        steps: as in a tokenizer.json.
        where: the file, for errors.
        by_model: as `Metaspace` has it.
    Raises: UserError naming a step that is not known here.
    """
    for step in steps[:-1]:
        if step.get("type") == "Metaspace":
            rule = "must have no step behind Metaspace"
            raise UserError(f"{where}: `pre_tokenizer` {rule}. Received: {short([s.get('type') for s in steps])}")
    return [_build(step, where, by_model) for step in steps]


def _build(step: Mapping[str, Any], where: str | os.PathLike[str], by_model: bool) -> Split:
    kind = step.get("type")
    if kind == "WhitespaceSplit":
        return WhiteSpace()
    if kind == "Punctuation" and step.get("behavior", "Isolated") == "Isolated":
        return Punctuation()
    if kind == "Metaspace" and step.get("replacement") == chr(META) and step.get("str_rep", chr(META)) == chr(META):
        scheme, split = scheme_of(step), step.get("split", True)
        if scheme in SCHEMES and isinstance(split, bool):
            return Metaspace(scheme, split=split, by_model=by_model)
    raise UserError(f"{where}: `pre_tokenizer` has a step that is not known here. Received: {short(dict(step), 200)}")


def scheme_of(step: Mapping[str, Any]) -> Any:
    """Before which parts of a text a Metaspace puts its sign; older files say it by `add_prefix_space`."""
    older = "always" if step.get("add_prefix_space", True) is True else "never"
    return step.get("prepend_scheme", older)


def _listed(name: str) -> str:
    """The characters of a set, for a class of a pattern."""
    return re.escape("".join(map(chr, sorted(tables.points(name)))))


class WhiteSpace:
    """White space ends words, and is gone."""

    def __init__(self):
        self.white = tables.numbers("white")
        self.of = frozenset(map(chr, tables.points("white")))
        self.solid = re.compile(f"[^{_listed('white')}]+").finditer

    def one(self, words: list[Word]) -> list[Word]:
        """Words of a text alone, in Python."""
        return [part for word in words for part in word.cut(self.solid(word.text))]

    def __call__(self, x: Characters, begins, marked=None) -> tuple[Characters, Any]:
        white = (self.white(x.values) > 0) & is_text(x) if marked is None else marked
        begins |= is_text(x) & tf.concat([tf.zeros_like(white[:1]), white[:-1]], axis=0)
        kept = tf.where(~white)[:, 0]
        return take(x, kept), tf.gather(begins, kept)


class Punctuation:
    """Each sign of punctuation is a word of its own."""

    def __init__(self):
        self.marks = tables.numbers("punctuation")
        self.of = frozenset(map(chr, tables.points("punctuation")))
        marks = _listed("punctuation")
        self.parts = re.compile(f"[{marks}]|[^{marks}]+").finditer

    def one(self, words: list[Word]) -> list[Word]:
        """Words of a text alone, in Python."""
        return [part for word in words for part in word.cut(self.parts(word.text))]

    def __call__(self, x: Characters, begins, marked=None) -> tuple[Characters, Any]:
        marks = self.marks(x.values) > 0 if marked is None else marked
        return x, begins | marks | (is_text(x) & tf.concat([tf.zeros_like(marks[:1]), marks[:-1]], axis=0))


class Metaspace:
    """Spaces become the sign of a word's beginning, and each word gets one that has none.

    Args:
        scheme: which words get one: "always" all; what is from a text's "first" character; or "never".
        split: whether words begin at each sign.
        by_model: where all get one, the model sees to it, since it has each word once.
    """

    def __init__(self, scheme: str, *, split: bool, by_model: bool):
        self.scheme, self.split, self.of = scheme, split, frozenset()
        self.inserts = scheme == "first" or (scheme == "always" and not by_model)
        self.parts = re.compile(f"{chr(META)}[^{chr(META)}]*|[^{chr(META)}]+").finditer

    def one(self, words: list[Word]) -> list[Word]:
        """Words of a text alone, in Python. One that the model would put its sign before has it already."""
        meta = chr(META)
        words = [word._replace(text=word.text.replace(" ", meta)) for word in words]
        if self.scheme != "never":
            words = [
                Word(meta + word.text, word.place, 1)
                if not word.text.startswith(meta) and (self.scheme == "always" or word.place == 0)
                else word
                for word in words
            ]
        if not self.split:
            return words
        return [part for word in words for part in word.cut(self.parts(word.text))]

    def __call__(self, x: Characters, begins, marked=None) -> tuple[Characters, Any]:
        x = x._replace(values=tf.where(x.values == SPACE, META, x.values))
        if self.inserts:
            bare = begins & (x.values != META)
            bare = bare & self._at_beginning(x) if self.scheme == "first" else bare
            x, begins = insert(x, bare, META), _repeat_first(begins, bare)
        return x, begins | (x.values == META) if self.split else begins

    def _at_beginning(self, x: Characters):
        """bool [N], what is from the very first character of its text."""
        is_end = x.values == END
        origins = tf.concat([tf.zeros_like(x.ends[:1]), tf.boolean_mask(x.ends, is_end)], axis=0)
        return x.starts == tf.gather(origins, tf.cumsum(tf.cast(is_end, tf.int32), exclusive=True))


def _repeat_first(begins, before):
    """`begins`, bool [N], after a character was put before each where `before`: that one begins the word now."""
    owner = owners(tf.where(before, 2, 1))
    second = tf.concat([tf.zeros_like(owner[:1], tf.bool), owner[1:] == owner[:-1]], axis=0)
    return tf.gather(begins, owner) & ~second
