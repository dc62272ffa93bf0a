"""How a normalised text becomes the words that a model splits into pieces, as a tokenizer.json names it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from bert_tf.errors import UserError
from bert_tf.guard import short
from bert_tf.text.sentence_pieces import tables
from bert_tf.text.sentence_pieces.characters import END, Characters, insert, is_text, take
from bert_tf.text.sentence_pieces.steps import META, SPACE

Split = Callable[[Characters, Any], tuple[Characters, Any]]
"""Characters and bool [N], which of them begin a word, to the same."""
SCHEMES = ("always", "first", "never")


def build_splits(steps: Sequence[Mapping[str, Any]], where: str | os.PathLike[str]) -> list[Split]:
    """The steps in their order.

    Args:
        steps: as in a tokenizer.json.
        where: the file, for errors.
    Raises: UserError naming a step that is not known here.
    """
    for step in steps[:-1]:
        if step.get("type") == "Metaspace":
            rule = "must have no step behind Metaspace"
            raise UserError(f"{where}: `pre_tokenizer` {rule}. Received: {short([s.get('type') for s in steps])}")
    return [_build(step, where) for step in steps]


def _build(step: Mapping[str, Any], where: str | os.PathLike[str]) -> Split:
    kind = step.get("type")
    if kind == "WhitespaceSplit":
        return WhiteSpace()
    if kind == "Punctuation" and step.get("behavior", "Isolated") == "Isolated":
        return Punctuation()
    if kind == "Metaspace" and step.get("replacement") == chr(META) and step.get("str_rep", chr(META)) == chr(META):
        scheme, split = scheme_of(step), step.get("split", True)
        if scheme in SCHEMES and isinstance(split, bool):
            return Metaspace(scheme, split=split)
    raise UserError(f"{where}: `pre_tokenizer` has a step that is not known here. Received: {short(dict(step), 200)}")


def scheme_of(step: Mapping[str, Any]) -> Any:
    """Before which parts of a text a Metaspace puts its sign; older files say it by `add_prefix_space`."""
    older = "always" if step.get("add_prefix_space", True) is True else "never"
    return step.get("prepend_scheme", older)


class WhiteSpace:
    """White space ends words, and is gone."""

    def __init__(self):
        self.white = tables.numbers("white")

    def __call__(self, x: Characters, begins) -> tuple[Characters, Any]:
        white = (self.white(x.values) > 0) & is_text(x)
        begins |= is_text(x) & tf.concat([tf.zeros_like(white[:1]), white[:-1]], axis=0)
        kept = tf.where(~white)[:, 0]
        return take(x, kept), tf.gather(begins, kept)


class Punctuation:
    """Each sign of punctuation is a word of its own."""

    def __init__(self):
        self.marks = tables.numbers("punctuation")

    def __call__(self, x: Characters, begins) -> tuple[Characters, Any]:
        marks = self.marks(x.values) > 0
        return x, begins | marks | (is_text(x) & tf.concat([tf.zeros_like(marks[:1]), marks[:-1]], axis=0))


class Metaspace:
    """Spaces become the sign of a word's beginning, and each word gets one that has none.

    Args:
        scheme: which words get one: "always" all, which the model sees to, since it has each word once; what is from a
            text's "first" character; or "never".
        split: whether words begin at each sign.
    """

    def __init__(self, scheme: str, *, split: bool):
        self.scheme, self.split = scheme, split

    def __call__(self, x: Characters, begins) -> tuple[Characters, Any]:
        x = x._replace(values=tf.where(x.values == SPACE, META, x.values))
        if self.scheme == "first":
            bare = begins & (x.values != META) & self._at_beginning(x)
            x, begins = insert(x, bare, META), _repeat_first(begins, bare)
        return x, begins | (x.values == META) if self.split else begins

    def _at_beginning(self, x: Characters):
        """bool [N], what is from the very first character of its text."""
        is_end = x.values == END
        origins = tf.concat([tf.zeros_like(x.ends[:1]), tf.boolean_mask(x.ends, is_end)], axis=0)
        return x.starts == tf.gather(origins, tf.cumsum(tf.cast(is_end, tf.int32), exclusive=True))


def _repeat_first(begins, before):
    """`begins`, bool [N], after a character was put before each where `before`: that one begins the word now."""
    owner = tf.repeat(tf.range(tf.size(begins)), tf.where(before, 2, 1))
    second = tf.concat([tf.zeros_like(owner[:1], tf.bool), owner[1:] == owner[:-1]], axis=0)
    return tf.gather(begins, owner) & ~second
