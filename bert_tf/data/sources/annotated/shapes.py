"""Which of a table's columns are words or a text, and which are tags or spans; and its rows, brought to one form."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bert_tf.data.files import Notes, Row
from bert_tf.data.rows.cells import as_number, is_missing, shown
from bert_tf.data.rows.table import BadRow
from bert_tf.data.sources.annotated.cells import as_list, cell_text, pieces, written_out
from bert_tf.data.sources.annotated.conllu import are_entities
from bert_tf.data.tagged.spans import are_spans
from bert_tf.data.tagged.tags import Tags
from bert_tf.errors import UserError, did_you_mean

LISTS, SPACED, SPANS, ROWS = "lists", "spaced", "spans", "rows"  # of tables
CONLL, CONLLU, SPACY = "conll", "conllu", "spacy"  # of files of their own
SAID = {
    CONLL: "a word a line, in columns (CoNLL)",
    CONLLU: "CoNLL-U",
    SPACY: "spaCy's DocBin",
    LISTS: "a list of words and a list of tags a row",
    SPACED: "words and tags with spaces between",
    SPANS: "texts with spans of characters",
    ROWS: "a word a row",
}
SENTENCE = re.compile(r"sent", re.IGNORECASE)
DOCUMENT = re.compile(r"(doc|document|doc_?id|document_?id|doc_?#|doc_?name)", re.IGNORECASE)
WORD_NAMES = ("word", "words", "token", "tokens", "form", "text", "tokens_list")
TEXT_NAMES = ("text", "content", "sentence", "data", "body", "message")
LOOKED_AT = 2000
NO_SPANS = "rows without spans where others have them: texts in which nothing is named"
CARRIED = "rows whose sentence is that of the row above, as their cell is empty"


@dataclass(frozen=True)
class Shape:
    """How a file or a table has its tagged sentences.

    Args:
        form: of a table LISTS, a list of words and one of tags a row; SPACED, the same with spaces between; SPANS, a
            text and its spans; or ROWS, a word a row. Of other files CONLL, CONLLU or SPACY.
        words: the column of the words, or of the text: by name, or in CONLL by number.
        tags: that of the tags, or of the spans.
        sentence: of ROWS: the column that says which sentence a word is of; None: sentences end at empty lines.
        document: the column that says which document a row is of; None: there is none.
        candidates: other columns that could be the tags.
    """

    form: str
    words: str
    tags: str
    sentence: str | None = None
    document: str | None = None
    candidates: tuple[str, ...] = ()

    @property
    def description(self) -> str:
        """The form, in words."""
        return SAID[self.form]


def find_shape(
    rows: Sequence[Row], origin: str, *, words: str | None = None, tags: str | None = None, sentence: str | None = None
) -> Shape:
    """The shape of a table's rows.

    Words are a column of lists of texts, or else a text with spans beside it, or else single words; tags the last
    column that looks like tags of those.

    Args:
        words, tags, sentence: columns that somebody named.
    Raises: UserError for a column that is not there, and where none fits, naming those that there are.
    """
    some = [row for _, row in rows if not isinstance(row, BadRow)][:LOOKED_AT]
    if not some:
        bad = next((row.reason for _, row in rows if isinstance(row, BadRow)), "none")
        raise UserError(f"{origin}: expected one row of data at least. Received: {bad}")
    names = list(dict.fromkeys(name for row in some for name in row))
    for flag, name in (("--text", words), ("--label", tags)):
        if name is not None and name not in names:
            raise UserError(
                f"{flag}={name}: expected a column of {origin}: {', '.join(map(str, names))}. Received: {name!r}."
                f"{did_you_mean(name, names)}"
            )
    columns = {name: [row[name] for row in some if not is_missing(row.get(name))] for name in names}
    listed = {name: [as_list(cell) for cell in cells] for name, cells in columns.items()}
    lists = [name for name, cells in listed.items() if cells and all(cell is not None for cell in cells)]
    spans = [name for name in names if any(are_spans(written_out(cell)) for cell in columns[name])]
    has_lists = any(_are_texts(listed[name]) for name in lists if name not in spans)
    if (words in lists or (words is None and has_lists)) and (tags is None or tags not in spans):
        found = _of_lists(some, listed, lists, words, tags)
        if found is not None:
            return found
    if spans and (tags is None or tags in spans):
        return _of_spans(columns, spans, origin, words, tags)
    if lists and words is None and not spans and tags is None:
        raise UserError(f"{origin}: expected a list of words and one of tags in each row. Received: {_said(some)}")
    return _of_spaced(columns, words, tags) or _of_rows(columns, names, origin, words, tags, sentence)


def shaped(rows: Iterator[Row], shape: Shape, notes: Notes, names: Sequence[str] = ()) -> Iterator[Row]:
    """The rows with the columns `words`, `tags` where they have them, and `document`.

    Args:
        names: of tags that are numbers.
    """
    if shape.form == ROWS:
        yield from _sentences(rows, shape, notes)
        return
    for index, (number, row) in enumerate(rows):
        if isinstance(row, BadRow):
            yield number, row
            continue
        found = dict(row)
        cell = found.pop(shape.words, None)
        document = None if shape.document is None else cell_text(row.get(shape.document))
        found["document"] = document or index
        if shape.form in (LISTS, SPACED):
            split = as_list if shape.form == LISTS else pieces
            found["words"] = cell if (listed := split(cell)) is None else listed
            if shape.tags in row:
                tags = split(found.pop(shape.tags))
                found["tags"] = row[shape.tags] if tags is None else _named(tags, names)
        else:
            found["words"] = cell
            if is_missing(row.get(shape.tags)):
                notes.count(NO_SPANS)
            found["tags"] = written_out(found.pop(shape.tags, None)) or []
        yield number, found


def _document(names: Collection[str]) -> str | None:
    return next((name for name in names if DOCUMENT.fullmatch(str(name))), None)


def _named(tags: Sequence[Any], names: Sequence[str]) -> list[Any]:
    """Tags that are numbers by their names, where there are some."""
    if not names:
        return list(tags)
    return [names[tag] if type(tag) is int and 0 <= tag < len(names) else tag for tag in tags]


def _are_texts(cells: Sequence[Any]) -> bool:
    return all(isinstance(part, str) for cell in cells for part in cell) and any(cells)


def _of_lists(
    some: Sequence[Mapping[str, Any]],
    listed: Mapping[str, Sequence[Any]],
    lists: Sequence[str],
    words: str | None,
    tags: str | None,
) -> Shape | None:
    texts = [name for name in lists if _are_texts(listed[name])]
    found = words or next((name for name in WORD_NAMES if name in texts), texts[0])
    lengths = [len(cell) for cell in listed[found]]
    fitting = [name for name in lists if name != found and [len(cell) for cell in listed[name]] == lengths]
    if tags is not None:
        return Shape(LISTS, found, tags, document=_document(some[0]))
    chosen = best_tags(
        {name: [part for cell in listed[name] for part in cell] for name in fitting},
        different=len({part for cell in listed[found] for part in cell}),
    )
    if chosen is None:
        return None
    others = tuple(name for name in fitting if name != chosen)
    return Shape(LISTS, found, chosen, document=_document(some[0]), candidates=others)


def _of_spaced(columns: Mapping[str, Sequence[Any]], words: str | None, tags: str | None) -> Shape | None:
    """Of a text and its tags with spaces between, such as "Ann left" and "B-PER O"."""
    split = {name: [pieces(cell) for cell in cells] for name, cells in columns.items()}
    split = {name: cells for name, cells in split.items() if cells and None not in cells}
    entities = [name for name, cells in split.items() if are_entities(tag for cell in cells for tag in cell or ())]
    for name in entities if tags is None else [tags] if tags in split else []:
        lengths = [len(cell or ()) for cell in split[name]]
        fitting = [other for other in split if other != name and [len(cell or ()) for cell in split[other]] == lengths]
        fitting = [other for other in fitting if words in (None, other)]
        if fitting and max(lengths) > 1:
            return Shape(SPACED, fitting[0], name, document=_document(columns))
    return None


def _of_spans(
    columns: Mapping[str, Sequence[Any]], spans: Sequence[str], origin: str, words: str | None, tags: str | None
) -> Shape:
    texts = [name for name, cells in columns.items() if cells and all(isinstance(cell, str) for cell in cells)]
    texts = [name for name in texts if name not in spans]
    found = words or next((name for name in TEXT_NAMES if name in texts), None)
    if found is None and texts:
        found = max(texts, key=lambda name: sum(map(len, columns[name])) / len(columns[name]))
    if found is None:
        raise UserError(f"{origin}: expected a column of texts beside {spans[0]!r}. Received: {', '.join(columns)}")
    preferred = [name for name in ("label", "labels", "entities", "spans") if name in spans]
    chosen = tags or (preferred or list(spans))[0]
    others = tuple(name for name in spans if name != chosen)
    return Shape(SPANS, found, chosen, document=_document(columns), candidates=others)


def _of_rows(
    columns: Mapping[str, Sequence[Any]],
    names: Sequence[str],
    origin: str,
    words: str | None,
    tags: str | None,
    sentence: str | None,
) -> Shape:
    texts = [name for name in names if columns[name] and all(isinstance(cell, str) for cell in columns[name])]
    numbers = sentence or next((name for name in names if SENTENCE.search(str(name)) and name != words), None)
    document = _document(names)
    texts = [name for name in texts if name not in (numbers, document)]
    single = [name for name in texts if all(len(cell.split()) < 2 for cell in columns[name])]
    found = words or next((name for name in texts if str(name).casefold() in WORD_NAMES), (single or [""])[0])
    others = {name: columns[name] for name in texts if name != found}
    chosen = tags or best_tags(others, different=len(set(columns.get(found, ()))))
    if not found or chosen is None or found not in columns:
        raise UserError(
            f"{origin}: expected words and their tags, or a text and its spans; say which columns they are with --text "
            f"and --label. Received: the columns {', '.join(map(str, names))}"
        )
    return Shape(ROWS, found, chosen, numbers, document, tuple(name for name in others if name != chosen))


def best_tags(columns: Mapping[str, Sequence[Any]], *, different: int) -> str | None:
    """The last column that looks like tags: of entities, or else of few values; None where there is no column.

    Args:
        different: how many different words there are.
    """
    values = {name: {str(cell).strip() for cell in cells} for name, cells in columns.items() if cells}
    entities = [name for name, found in values.items() if are_entities(found)]
    numbers = [name for name, found in values.items() if all(as_number(value) is not None for value in found)]
    few = [name for name, found in values.items() if 1 < len(found) <= max(different // 2, 2) and name not in numbers]
    telling = [name for name, found in values.items() if len(found) > 1]
    for some in (entities, few, telling, list(values)):
        if some:
            return some[-1]
    return None


def _sentences(rows: Iterator[Row], shape: Shape, notes: Notes) -> Iterator[Row]:
    """Sentences of rows with a word each: of the same cell in the column that numbers them, or between empty lines."""
    words: list[str] = []
    tags: list[str] = []
    lines: list[int] = []
    bad: list[Row] = []
    current: dict[str, str] = {}  # column -> the cell that says which sentence, or document, the last row was of
    last = 0

    def made() -> Iterator[Row]:
        if bad:
            yield bad[0]
        elif words:
            document = current.get(shape.document or "") or current.get(shape.sentence or "") or lines[0]
            yield lines[0], {"words": list(words), "tags": Tags(tags, list(lines)), "document": document}
        for part in (words, tags, lines, bad):
            part.clear()

    for number, row in rows:
        jumps, last = shape.sentence is None and number > last + 1 > 1, number
        if jumps:
            yield from made()
        if isinstance(row, BadRow):
            bad.append((number, row))
            continue
        if not any(map(cell_text, row.values())):
            yield from made()
            continue
        keys = {name: cell_text(row.get(name)) for name in (shape.sentence, shape.document) if name is not None}
        if shape.sentence is not None and not keys[shape.sentence]:
            notes.count(CARRIED)
        keys = current | {name: key for name, key in keys.items() if key}
        if keys != current:
            yield from made()
        current = keys
        word, tag = cell_text(row.get(shape.words)), cell_text(row.get(shape.tags))
        if not word or not tag:
            came = shown({shape.words: row.get(shape.words), shape.tags: row.get(shape.tags)})
            bad.append((number, BadRow(f"expected a word and its tag. Received: {came}")))
            continue
        words.append(word)
        tags.append(tag)
        lines.append(number)
    yield from made()


def _said(some: Collection[Mapping[str, Any]]) -> str:
    return shown(dict(next(iter(some))), 200)
