"""Rows of tagged sentences as a source gives them, checked and brought to one form."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from bert_tf.data.rows.cells import shown
from bert_tf.data.rows.table import BadRow
from bert_tf.data.tagged.label_sets import LabelSet
from bert_tf.data.tagged.spans import Sentence, are_spans, words_and_tags
from bert_tf.data.tagged.tag_reader import SCHEMES, TagReader
from bert_tf.data.tagged.tags import TagError, Tags, words

__all__ = ["SCHEMES", "TaggedRows"]

Row = tuple[int, "Mapping[str, Any] | BadRow"]


class TaggedRows:
    """For the argument `adapt` of `Source.open`: the column of words holds `Sentence`s, that of tags numbers of labels.

    Args:
        words, tags: names of the columns.
        labels, by_type, scheme: see `TagReader`.
    """

    def __init__(self, words: str, tags: str, labels: LabelSet, *, by_type: bool, scheme: str | None = None) -> None:
        self.words, self.tags = words, tags
        self.reader = TagReader(labels, by_type=by_type, scheme=scheme)

    @property
    def parsers(self) -> dict[str, Callable[[Any], Any]]:
        """For the argument `parsers` of `Source.open`: all is done here."""
        return {self.words: _same, self.tags: _same}

    def __call__(self, rows: Iterable[Row], origin: str) -> Iterator[Row]:
        split = [(number, row if isinstance(row, BadRow) else self._split(row)) for number, row in rows]
        self.reader.look(
            [row[self.tags] for _, row in split if not isinstance(row, BadRow) and self.tags in row], origin
        )
        for number, row in split:
            if isinstance(row, BadRow) or self.tags not in row:
                yield number, row
            else:
                yield self._numbered(number, row)

    def _split(self, row: Mapping[str, Any]) -> Mapping[str, Any] | BadRow:
        """A row of checked words and of tags that are a list."""
        if self.words not in row:
            return BadRow(f"expected the column {self.words!r}. Received: {shown(list(row))}{self._hint(row)}")
        cell = row[self.words]
        try:
            if isinstance(cell, str) and (self.tags not in row or are_spans(row[self.tags]) or not row[self.tags]):
                sentence, tags = words_and_tags(cell, row.get(self.tags) or [])
                words(sentence.words)
                return {self.words: sentence, **({self.tags: tags} if self.tags in row else {})}
            sentence = Sentence(words(cell))
        except ValueError as error:
            return BadRow(f"column {self.words!r}: {error}")
        if self.tags not in row:
            return {self.words: sentence}
        tags = row[self.tags]
        tags = tags.tolist() if hasattr(tags, "tolist") else tags
        if not isinstance(tags, (list, tuple)):
            return BadRow(f"column {self.tags!r}: expected a list of tags. Received: {shown(tags)}")
        if len(tags) != len(sentence.words):
            return BadRow(f"expected as many tags as words. Received: {len(sentence.words)} words, {len(tags)} tags")
        return {self.words: sentence, self.tags: tags}

    def _numbered(self, number: int, row: Mapping[str, Any]) -> Row:
        tags = row[self.tags]
        try:
            return number, {**row, self.tags: self.reader.read(tags)}
        except TagError as error:
            if isinstance(tags, Tags):
                return tags.lines[error.index], BadRow(str(error))
            return number, BadRow(f"column {self.tags!r}: tag {error.index}: {error}")

    def _hint(self, row: Mapping[str, Any]) -> str:
        """Says how a task reads the spans that a row seems to have."""
        text = next((name for name, cell in row.items() if isinstance(cell, str) and " " in cell), None)
        spans = next((name for name, cell in row.items() if are_spans(cell)), None)
        if text is None or spans is None:
            return ""
        return f" (spans of characters are read with words={text!r}, tags={spans!r})"


def _same(value: Any) -> Any:
    return value
