"""Rows of tagged sentences as a source gives them, checked and brought to one form."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from bert_tf.data.rows.cells import shown
from bert_tf.data.rows.quiet import is_quiet
from bert_tf.data.rows.table import BadRow
from bert_tf.data.tagged.label_sets import LabelSet
from bert_tf.data.tagged.spans import Sentence, are_in_utf16, are_spans, words_and_tags
from bert_tf.data.tagged.tag_reader import SCHEMES, TagReader
from bert_tf.data.tagged.tags import TagError, Tags, words

__all__ = ["SCHEMES", "TaggedRows"]

Row = tuple[int, "Mapping[str, Any] | BadRow"]

logger = logging.getLogger(__name__)


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
        rows = list(rows)
        with_spans = (row for _, row in rows if not isinstance(row, BadRow) and self._has_spans(row))
        units = are_in_utf16((row[self.words], row.get(self.tags) or []) for row in with_spans)
        counts: Counter[str] = Counter()
        split = [
            (number, row if isinstance(row, BadRow) else self._split(row, units.in_utf16, counts))
            for number, row in rows
        ]
        remarks = [f"{count:,} {what}" for what, count in counts.items() if count]
        for remark in [units.remark, *remarks]:
            if remark and not is_quiet():
                logger.warning("%s: %s", origin, remark)
        self.reader.look(
            [row[self.tags] for _, row in split if not isinstance(row, BadRow) and self.tags in row], origin
        )
        for number, row in split:
            if isinstance(row, BadRow) or self.tags not in row:
                yield number, row
            else:
                yield self._numbered(number, row)

    def _has_spans(self, row: Mapping[str, Any]) -> bool:
        """Whether a row is a text, and its tags, if there are any, spans of it."""
        tags = row.get(self.tags)
        return isinstance(row.get(self.words), str) and (not tags or are_spans(tags))

    def _split(self, row: Mapping[str, Any], in_utf16: bool, counts: Counter[str]) -> Mapping[str, Any] | BadRow:
        """A row of checked words and of tags that are a list."""
        if self.words not in row:
            return BadRow(f"expected the column {self.words!r}. Received: {shown(list(row))}{self._hint(row)}")
        cell = row[self.words]
        try:
            if self._has_spans(row):
                spans = row.get(self.tags) or []
                sentence, tags = words_and_tags(cell, spans, in_utf16=in_utf16, counts=counts)
                words(sentence.words)
                return {**row, self.words: sentence, **({self.tags: tags} if self.tags in row else {})}
            sentence = cell if isinstance(cell, Sentence) else Sentence(words(cell))
        except ValueError as error:
            return BadRow(f"column {self.words!r}: {error}")
        if self.tags not in row:
            return {**row, self.words: sentence}
        tags = row[self.tags]
        tags = tags.tolist() if hasattr(tags, "tolist") else tags
        if not isinstance(tags, (list, tuple)):
            return BadRow(f"column {self.tags!r}: expected a list of tags. Received: {shown(tags)}")
        if len(tags) != len(sentence.words):
            return BadRow(f"expected as many tags as words. Received: {len(sentence.words)} words, {len(tags)} tags")
        return {**row, self.words: sentence, self.tags: tags}

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
