"""CoNLL-U: words with their parts of speech and more, and the text that they stand in."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from bert_tf.data.files import DataFile, Notes, Row, Rows, decoding_error, text_lines
from bert_tf.data.rows.cells import shown
from bert_tf.data.rows.table import BadRow
from bert_tf.data.tagged.label_sets import OUTSIDE, PREFIX
from bert_tf.data.tagged.spans import Sentence
from bert_tf.data.tagged.tags import Tags
from bert_tf.errors import UserError, did_you_mean

COLUMNS = ("ID", "FORM", "LEMMA", "UPOS", "XPOS", "FEATS", "HEAD", "DEPREL", "DEPS", "MISC")
NAMES = re.compile(r"#\s*global\.columns\s*=\s*(.+)")  # of CoNLL-U Plus
DOCUMENT = re.compile(r"#\s*newdoc\b")
TEXT = re.compile(r"#\s*text\s*=\s?(.*)")
WORD, RANGE, EMPTY = re.compile(r"\d+"), re.compile(r"(\d+)-(\d+)"), re.compile(r"\d+\.\d+")
UNSAID = "_"
NO_SPACE = "SpaceAfter=No"
JOINED = "+"

MERGED = "words of several (2-3), which are one word of the text with their labels joined, such as ADP+DET"
EMPTY_NODES = "empty nodes (4.1), which are no words of the text, left out"
OTHER_TEXT = "sentences whose words are not those of their '# text', which is not used"


@dataclass(frozen=True)
class Token:
    """A word of the text, or several that it writes as one.

    Args:
        form: the word as it is written.
        tags: the label of each of its words.
        spaced: whether a space follows.
        line: of the file.
    """

    form: str
    tags: tuple[str, ...]
    spaced: bool
    line: int


def conllu_rows(file: DataFile, tags: str) -> Rows:
    """Sentences of a CoNLL-U or CoNLL-U Plus file: `words` a `Sentence` with its text, `tags`, and `document`.

    The text is that of `# text` where the words are found in it, or else made of the words with the spaces that MISC
    says. What the text writes as one word (the range 2-3 of "du", words 2 "de" and 3 "le") is one; its label is theirs,
    joined by "+" where they differ. So what is learned from is what texts look like.

    Args:
        tags: the column of the labels by its name, such as UPOS, or its number from 0; with a key after a dot
            (FEATS.Number, MISC.NER) that key's value.
    Raises: UserError for a column that is not there.
    """
    notes = Notes(file.origin)
    lines = [line.rstrip("\r\n") for line in text_lines(file, notes)]
    names = columns_of(lines)
    column, key = _column(tags, names, file.origin)
    missing = UNSAID
    if key:
        found = {_value(cells[column], key) for _, cells in _words(lines, len(names))} - {None}
        if not found:
            raise UserError(f"{file.origin}: expected the key {key!r} in the column {names[column]}. Received: none")
        missing = OUTSIDE if are_entities(found) else UNSAID  # pyright: ignore[reportArgumentType]
    return Rows((), _sentences(lines, names, column, key, missing, notes, file.encoding), notes)


def is_conllu(lines: Sequence[str]) -> bool:
    """Whether lines are a CoNLL-U file's: ten columns with tabs between, or others that its first line names; the first
    of them numbers the words.
    """
    words = [line.split("\t") for line in lines if line and not line.startswith("#")]
    has_names = any(NAMES.match(line) for line in lines[:1])
    return bool(words) and all(
        (has_names or len(cells) == len(COLUMNS))
        and any(pattern.fullmatch(cells[0]) for pattern in (WORD, RANGE, EMPTY))
        for cells in words[:20]
    )


def columns_of(lines: Sequence[str]) -> tuple[str, ...]:
    """The names of a file's columns."""
    found = NAMES.match(lines[0]) if lines else None
    return tuple(found[1].split()) if found else COLUMNS


def are_entities(tags: Any) -> bool:
    """Whether tags are entities': each O, or with the letter of a scheme before a type, and not all O."""
    different = set(tags)
    return different != {OUTSIDE} and all(tag == OUTSIDE or PREFIX.fullmatch(tag) for tag in different)


def columns_of_tags(lines: Sequence[str]) -> dict[str, Counter[str]]:
    """For each column how often each of its values stands at a word."""
    names = columns_of(lines)
    found: dict[str, Counter[str]] = {name: Counter() for name in names}
    for _, cells in _words(lines, len(names)):
        for name, cell in zip(names, cells, strict=True):
            found[name][cell] += 1
    return found


def _words(lines: Sequence[str], width: int) -> Iterator[tuple[int, list[str]]]:
    for number, line in enumerate(lines, start=1):
        cells = line.split("\t")
        if len(cells) == width and WORD.fullmatch(cells[0]):
            yield number, cells


def _column(tags: str, names: Sequence[str], origin: str) -> tuple[int, str]:
    """The number of a column and, after a dot, the key in it."""
    outer, _, key = tags.partition(".")
    folded = [name.casefold() for name in names]
    if tags.casefold() in folded:
        return folded.index(tags.casefold()), ""
    if outer.casefold() in folded:
        return folded.index(outer.casefold()), key
    if outer.lstrip("-").isdigit() and -len(names) <= int(outer) < len(names):
        return int(outer) % len(names), key
    raise UserError(
        f"{origin}: expected one of the columns {', '.join(names)}, or 0 to {len(names) - 1}. "
        f"Received: {tags!r}.{did_you_mean(tags, names)}"
    )


def _sentences(
    lines: Sequence[str],
    names: Sequence[str],
    column: int,
    key: str,
    missing: str,
    notes: Notes,
    encoding: str | None,
) -> Iterator[Row]:
    document, text = 0, None
    tokens: list[Token] = []
    bad: tuple[int, BadRow] | None = None
    last = 0  # of the range that is being read
    form = names.index("FORM") if "FORM" in names else min(1, len(names) - 1)
    misc = names.index("MISC") if "MISC" in names else None
    for number, line in enumerate([*lines, ""], start=1):
        if line.startswith("#"):
            document += DOCUMENT.match(line) is not None
            text = found[1] if (found := TEXT.match(line)) else text
            continue
        if not line.strip():
            if bad is not None:
                yield bad
            elif tokens:
                yield tokens[0].line, _row(tokens, text, document, notes)
            tokens, text, bad, last = [], None, None, 0
            continue
        cells = line.split("\t")
        problem = _problem(line, cells, len(names), form, encoding)
        if problem is not None:
            bad = bad or (number, problem)
            continue
        spaced = misc is None or NO_SPACE not in cells[misc].split("|")
        if found := RANGE.fullmatch(cells[0]):
            last = int(found[2])
            tokens.append(Token(cells[form], (), spaced, number))
            notes.count(MERGED)
        elif EMPTY.fullmatch(cells[0]):
            notes.count(EMPTY_NODES)
        else:
            tag = cells[column] if not key else _value(cells[column], key) or missing
            if int(cells[0]) <= last and tokens:
                tokens[-1] = Token(tokens[-1].form, (*tokens[-1].tags, tag), tokens[-1].spaced, tokens[-1].line)
            else:
                tokens.append(Token(cells[form], (tag,), spaced, number))


def _problem(line: str, cells: Sequence[str], width: int, form: int, encoding: str | None) -> BadRow | None:
    bad = None if line.isascii() else decoding_error(line, encoding)
    if bad is not None:
        return bad
    if len(cells) != width:
        return BadRow(f"expected {width} columns separated by tabs. Received: {len(cells)}: {shown(line)}")
    if not any(pattern.fullmatch(cells[0]) for pattern in (WORD, RANGE, EMPTY)):
        return BadRow(f"expected the number of a word, such as 1, 1-2 or 1.1. Received: {shown(cells[0])}")
    return None if cells[form].strip() else BadRow(f"expected a word. Received: an empty column in {shown(line)}")


def _row(tokens: Sequence[Token], text: str | None, document: int, notes: Notes) -> dict[str, Any]:
    words = [token.form for token in tokens]
    starts = None if text is None else _places(words, text)
    if text is not None and starts is None:
        notes.count(OTHER_TEXT)
    if starts is None and not all(token.spaced for token in tokens):
        starts, text = [], ""
        for token in tokens:
            starts.append(len(text))
            text += token.form + " " * token.spaced
        text = text.rstrip()
    sentence = Sentence(words) if starts is None else Sentence(words, text, starts)
    tags = Tags([_joined(token.tags) for token in tokens], [token.line for token in tokens])
    return {"words": sentence, "tags": tags, "document": document}


def _joined(tags: Sequence[str]) -> str:
    """The label of a word of several: theirs, joined where they differ; of entities that of the first one."""
    different = list(dict.fromkeys(tags))
    if len(different) > 1 and are_entities(different):
        return next(tag for tag in different if tag != OUTSIDE)
    return JOINED.join(tag for tag in different if tag != UNSAID) or UNSAID


def _places(words: Sequence[str], text: str) -> list[int] | None:
    """Where each word begins in the text, nothing but white space between them; None where they are not so."""
    at, starts = 0, []
    for word in words:
        start = text.find(word, at)
        if start < 0 or text[at:start].strip():
            return None
        starts.append(start)
        at = start + len(word)
    return None if text[at:].strip() else starts


def _value(cell: str, key: str) -> str | None:
    """The value of a key in FEATS or MISC."""
    pairs = (part.partition("=") for part in cell.split("|"))
    return next((value for name, equals, value in pairs if equals and name == key), None)
