"""Raw text as documents of sentences: a sentence a line, running text, or JSON lines; plain or gzipped."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from bert_tf.data.corpora.text_files import corpus_lines
from bert_tf.data.rows.cells import shown
from bert_tf.errors import UserError

FORMATS = ("sentences", "running", "jsonl")
JSON_NAME = re.compile(r".*\.(jsonl|ndjson|json)(\.gz)?")
ENDS_A_SENTENCE = re.compile(r".*[.!?…。！？؟।][\"'”’»)\]]*\s*")
MOST_LINES_END = 0.6
LINES_LOOKED_AT = 500
FILES_LOOKED_AT = 20
PART_CHARACTERS = 1 << 16

Part = tuple[list[str], bool]
"""Some sentences of a document, and whether it ends after them."""
OnBad = Callable[[UserError], None]


def guess_format(files: Sequence[Path]) -> str:
    """By the first file's name "jsonl"; else as the first lines of the first files look: "sentences" where most of
    them end in a mark of punctuation, "running" where they break anywhere.
    """
    if files and JSON_NAME.fullmatch(files[0].name):
        return "jsonl"
    lines = ends = 0
    for file in files[:FILES_LOOKED_AT]:
        for number, line in enumerate(corpus_lines([file], on_bad=lambda error: None)):
            if number == LINES_LOOKED_AT:
                break
            if line.strip():
                lines += 1
                ends += bool(ENDS_A_SENTENCE.fullmatch(line))
    return "sentences" if ends >= MOST_LINES_END * lines else "running"


def read_documents(
    file: Path,
    text_format: str,
    *,
    text_key: str = "text",
    language: str = "en",
    on_bad: OnBad | None = None,
    report: Callable[[float], None] | None = None,
) -> Iterator[Part]:
    """The documents of one file, in parts that fit in memory. A part may have no sentence.

    - "sentences": a sentence a line, documents end at empty lines and at the file's end.
    - "running": a file is a document; empty lines stand between paragraphs, other line breaks mean nothing. A library
      (sentencex) finds the sentences.
    - "jsonl": a JSON object a line, whose `text_key` is a document of running text; if it has no empty lines, every
      line break stands between paragraphs.

    Args:
        language: of running text, as sentencex names it ("en", "de").
        on_bad: is told of lines that cannot be read, which are then left out; None: the first one is raised.
        report: as `corpus_lines` calls it.
    Raises: UserError naming file and line.
    """
    skipped: list[UserError] = []

    def skip(error: UserError) -> None:
        if on_bad is None:
            raise error
        skipped.append(error)
        on_bad(error)

    lines = corpus_lines([file], report, on_bad=skip)
    if text_format == "sentences":
        yield from _sentence_a_line(lines)
    elif text_format == "running":
        yield from _running(lines, language)
    elif text_format == "jsonl":
        yield from _json_lines(file, lines, text_key, language, skipped, on_bad)
    else:
        raise ValueError(f"`text_format` must be one of {', '.join(FORMATS)}. Received: text_format={text_format!r}")


def _sentence_a_line(lines: Iterator[str]) -> Iterator[Part]:
    sentences: list[str] = []
    size = 0
    for line in lines:
        sentence = line.strip()
        if sentence:
            sentences.append(sentence)
            size += len(sentence)
        if not sentence or size >= PART_CHARACTERS:
            yield sentences, not sentence
            sentences, size = [], 0
    yield sentences, True


def _running(lines: Iterator[str], language: str) -> Iterator[Part]:
    paragraphs: list[str] = []
    paragraph: list[str] = []
    size = 0
    for line in lines:
        text = line.strip()
        if text:
            paragraph.append(text)
            size += len(text)
        elif paragraph:
            paragraphs.append(" ".join(paragraph))
            paragraph = []
        if size >= PART_CHARACTERS and (paragraphs or size >= 4 * PART_CHARACTERS):
            if not paragraphs:  # no empty line in sight: a sentence may be cut here
                paragraphs, paragraph = [" ".join(paragraph)], []
            yield _sentences(paragraphs, language), False
            paragraphs, size = [], sum(map(len, paragraph))
    yield _sentences([*paragraphs, " ".join(paragraph)], language), True


def _json_lines(
    file: Path, lines: Iterator[str], text_key: str, language: str, skipped: list[UserError], on_bad: OnBad | None
) -> Iterator[Part]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row: Any = json.loads(line)
            text = row[text_key]
            text.encode()  # UTF-8 has no place for lone surrogates
        except (ValueError, RecursionError, LookupError, TypeError, AttributeError):
            place = f"{file}:{number + len(skipped)}"
            bad = UserError(f"{place}: expected a JSON object with the text {text_key!r}. Received: {shown(line)}")
            if on_bad is None:
                raise bad from None
            on_bad(bad)
            continue
        paragraphs = re.split(r"\n\s*\n", text)
        if len(paragraphs) == 1:
            paragraphs = text.split("\n")
        yield _sentences([" ".join(paragraph.split()) for paragraph in paragraphs], language), True


def _sentences(paragraphs: Sequence[str], language: str) -> list[str]:
    try:
        import sentencex
    except ImportError as error:
        raise UserError(
            "running text needs an optional package that finds its sentences: pip install sentencex; or give a "
            f"sentence a line, and pretraining.text_format=sentences. Received: {error}"
        ) from None
    found = sentencex.segment(language, "\n\n".join(filter(None, paragraphs)))
    return [sentence for part in found if (sentence := " ".join(part.split()))]
