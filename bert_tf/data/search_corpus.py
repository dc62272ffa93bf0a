"""The documents that search is given: a file of rows, or files that are texts, cut into passages."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bert_tf.data.files import FORMATS
from bert_tf.data.files.found import TEXT_SUFFIXES, FoundFile, found_files, is_several, whole_file
from bert_tf.data.passages import WORDS, passages
from bert_tf.data.sources.text_sets import TextSet, TextSetReading, read_text_set
from bert_tf.errors import UserError

TEXT = "text"
"""The format of a file that is one text."""
CORPUS_FORMATS = (*FORMATS, TEXT)
TABLES = tuple(suffix for name, row in FORMATS.items() if name != "lines" for suffix in row.suffixes)


@dataclass
class SearchCorpus:
    """What is searched: N texts, of documents or of passages of them.

    Args:
        place: the absolute path that it was read from, or the pattern.
        name: its last part, for messages.
        ids: of each text the id of its document, the same for all passages of one.
        texts: the texts.
        details: what else is known of each: `title`, and of a passage `start` and `end`, its place in the document in
            characters, and `line`.
        bad_rows: how many rows were left out.
        bad_files: names of files that cannot be read, which were left out.
        empty_files: how many files hold white space alone.
    """

    place: str
    name: str
    ids: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    details: list[Mapping[str, Any]] = field(default_factory=list)
    bad_rows: int = 0
    bad_files: list[str] = field(default_factory=list)
    empty_files: int = 0

    @property
    def documents(self) -> int:
        """How many documents there are."""
        return len(set(self.ids))

    @property
    def digest(self) -> str:
        """Of all that an index keeps of it."""
        digest = hashlib.sha256()
        for row in zip(self.ids, self.texts, self.details, strict=True):
            digest.update(json.dumps(row, sort_keys=True).encode())
        return digest.hexdigest()


def read_corpus(name: str, reading: TextSetReading, *, passage_words: int | None = None) -> SearchCorpus:
    """Reads a file of rows, each a document, or the files of a folder or a pattern.

    Of these a text file is a document whose id is its name below the folder, in passages; a row of a table is one whose
    id is the file's name, a colon and the row's id. A file of rows is cut into passages where `passage_words` is given.

    Args:
        reading: of tables; its format is all files', where it is given; "text": a file is one document.
        passage_words: most words of a passage; None: `WORDS`, for files that are documents.
    Raises: UserError for what cannot be read, or where there is no text.
    """
    path = Path(name).expanduser()
    corpus = SearchCorpus(str(path.absolute()), path.name or str(path))
    if not is_several(name):
        if reading.file_format == TEXT or (
            reading.file_format is None and FoundFile(path, "").suffix in TEXT_SUFFIXES[2:]
        ):
            _add_file(corpus, FoundFile(path, path.name), reading, passage_words or WORDS)
        else:
            _add_rows(corpus, path, "", reading, passage_words)
    else:
        for file in found_files(name, (*TEXT_SUFFIXES, *TABLES), "--corpus"):
            is_table = file.suffix in TABLES if reading.file_format is None else reading.file_format != TEXT
            if is_table:
                _add_rows(corpus, file.path, f"{file.name}:", reading, passage_words)
            else:
                _add_file(corpus, file, reading, passage_words or WORDS)
    if not corpus.texts:
        raise UserError(f"--corpus={name}: expected a text at least. Received: none in {corpus.empty_files} files")
    return corpus


def _add_rows(
    corpus: SearchCorpus, path: Path, before: str, reading: TextSetReading, passage_words: int | None
) -> None:
    found: TextSet = read_text_set(path, reading)
    titles = found.titles or [None] * len(found.ids)
    for key, text, title in zip(found.ids, found.texts, titles, strict=True):
        details = {"title": title} if title else {}
        if passage_words is None:
            _add(corpus, f"{before}{key}", text, details)
        else:
            for part in passages(text, passage_words) or [None]:
                place = {} if part is None else {"start": part.start, "end": part.end, "line": part.line}
                _add(corpus, f"{before}{key}", text if part is None else part.text, {**details, **place})
    corpus.bad_rows += found.bad_rows


def _add_file(corpus: SearchCorpus, file: FoundFile, reading: TextSetReading, words: int) -> None:
    try:
        text = whole_file(file.path, reading.encoding, is_text=reading.file_format == TEXT)
    except UserError as error:
        if not reading.skip_bad_rows:
            raise UserError(f"{error}; --skip-bad-rows leaves out files that cannot be read") from None
        corpus.bad_files.append(file.name)
        return
    found = passages(text, words)
    corpus.empty_files += not found
    for part in found:
        title = {"title": part.title} if part.title else {}
        _add(corpus, file.name, part.text, {**title, "start": part.start, "end": part.end, "line": part.line})


def _add(corpus: SearchCorpus, key: str, text: str, details: Mapping[str, Any]) -> None:
    corpus.ids.append(key)
    corpus.texts.append(text)
    corpus.details.append(details)


def rows_reading(reading: TextSetReading) -> TextSetReading:
    """The same for a file of queries, which is never one text."""
    return replace(reading, file_format=None) if reading.file_format == TEXT else reading
