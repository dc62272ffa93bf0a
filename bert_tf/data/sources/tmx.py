"""Translation memories: the exchange format TMX, which translators' programs and OPUS write."""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from bert_tf.data.files import Row
from bert_tf.data.rows.table import BadRow, Parsers, Table, collect
from bert_tf.data.sources.base import FileSource
from bert_tf.errors import UserError
from bert_tf.guard import bounded

LANGUAGE = ("{http://www.w3.org/XML/1998/namespace}lang", "lang")
CODES = ("bpt", "ept", "it", "ph", "ut")  # elements that hold another format's marks, and no text


@dataclass(frozen=True, kw_only=True)
class Tmx(FileSource):
    """A file a split, or one with all; each of its units `tu` is a row, whose columns are languages.

    Args:
        languages: for each column the language of its texts as the file names it, whatever its case; "en" is "en-US"
            too where there is nothing nearer.
    Reference: https://www.gala-global.org/tmx-14b

    >>> Tmx(files={"train": "memory.tmx"}, languages={"source": "en", "target": "de"}).languages["target"]
    'de'
    """

    languages: Mapping[str, str]

    def _open(self, where: Any, split: str, parsers: Parsers, **options: Any) -> Table:
        path = self.path(where, split)
        return collect(self._read(path)[1], parsers, origin=str(path), has_lines=False, **options)

    def _read(self, path: Path) -> tuple[Sequence[str], Iterator[Row]]:
        return tuple(self.languages), self._rows(path)

    def _rows(self, path: Path) -> Iterator[Row]:
        number = 0
        try:
            with path.open("rb") as raw:
                is_packed = path.suffix == ".gz"
                file: Any = bounded(gzip.GzipFile(fileobj=raw), path.stat().st_size, path) if is_packed else raw
                for _, element in ElementTree.iterparse(file):
                    element.tag = element.tag.rpartition("}")[2]  # without a namespace
                    if element.tag == "tu":
                        yield number, self._row(element)
                        number += 1
                        element.clear()
        except ElementTree.ParseError as error:
            raise UserError(f"{path}:{error.position[0]}: expected XML. Received: {error}") from None
        except OSError as error:
            raise UserError(f"{path}: expected a file that can be read. Received: {error}") from None

    def _row(self, unit: ElementTree.Element) -> dict[str, str] | BadRow:
        texts: dict[str, str] = {}
        for variant in unit.iter("tuv"):
            language = next((variant.attrib[name] for name in LANGUAGE if name in variant.attrib), "").lower()
            segment = variant.find("seg")
            if segment is not None:
                texts.setdefault(language.replace("_", "-"), " ".join(_text(segment).split()))
        row = {}
        for column, wanted in self.languages.items():
            code = wanted.lower().replace("_", "-")
            near = [name for name in texts if name == code or name.split("-")[0] == code]
            if not near:
                came = ", ".join(sorted(texts)) or "none"
                return BadRow(f"expected a text in the language {wanted}. Received: {came}")
            row[column] = texts[code if code in texts else near[0]]
        return row


def _text(element: ElementTree.Element) -> str:
    """The text of a segment, without what codes of other formats hold."""
    parts = [element.text or ""]
    for child in element:
        parts += ["" if child.tag in CODES else _text(child), child.tail or ""]
    return "".join(parts)
