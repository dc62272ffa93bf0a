"""A file's bytes: unpacked where it is gzip, bzip2 or xz, and refused by name where it is no file of rows at all."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from bert_tf.errors import UserError
from bert_tf.guard import bounded

CHUNK_BYTES = 1 << 20
HEAD_BYTES = 1 << 16
PACKED = {
    b"\x1f\x8b": ("gzip", lambda raw: gzip.GzipFile(fileobj=raw), ".gz"),
    b"BZh": ("bzip2", bz2.BZ2File, ".bz2"),
    b"\xfd7zXZ\x00": ("xz", lzma.LZMAFile, ".xz"),
}
PARQUET, ZIP = b"PAR1", b"PK\x03\x04"
# What a file begins with that is no text: what it is, and what to do.
FOREIGN = {
    PARQUET: ("Parquet", "name it .parquet, or say --input-format=parquet"),
    b"PK\x05\x06": ("an empty zip archive", ""),
    b"\x28\xb5\x2f\xfd": ("a file packed by Zstandard", "unpack it first"),
    b"7z\xbc\xaf\x27\x1c": ("a 7z archive", "unpack it first"),
    b"Rar!": ("a RAR archive", "unpack it first"),
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": ("an old Office file (.xls, .doc)", "save it as .xlsx, CSV or plain text"),
    b"%PDF-": ("a PDF", "take its text out first"),
    b"{\\rtf": ("an RTF document", "save it as plain text"),
    b"ARROW1": ("an Arrow file", "save it as Parquet"),
    b"FEA1": ("a Feather file", "save it as Parquet"),
    b"ORC": ("an ORC file", "save it as Parquet"),
    b"Obj\x01": ("an Avro file", "save it as Parquet or JSON lines"),
    b"\x89HDF\r\n": ("an HDF5 file", "save it as Parquet"),
    b"\x93NUMPY": ("a NumPy array", "save it as JSON lines"),
    b"SQLite format 3\x00": ("an SQLite database", "save the table as CSV"),
    b"\x80\x04\x95": ("a Python pickle", "save it as Parquet or JSON lines"),
    b"\x80\x05\x95": ("a Python pickle", "save it as Parquet or JSON lines"),
    b"\x89PNG": ("a PNG picture", ""),
    b"\xff\xd8\xff": ("a JPEG picture", ""),
    b"GIF8": ("a GIF picture", ""),
    b"version https://git-lfs.github.com/spec/": (
        "a pointer of Git LFS in place of the file",
        "fetch the file with git lfs pull",
    ),
}
MARKUP = {
    b"<!doctype html": "a web page (HTML)",
    b"<html": "a web page (HTML)",
    **dict.fromkeys((b"<?xml", b"<!doctype", b"<tmx", b"<srcset", b"<refset", b"<tstset", b"<mteval"), "XML"),
}
IN_ZIP = {
    b"word/": ("a Word document (.docx)", "save it as plain text"),
    b"xl/": ("an Excel workbook", "name it .xlsx, or save it as CSV"),
    b"ppt/": ("PowerPoint slides", "save the text as plain text"),
    b"opendocument": ("an OpenDocument file", "save it as CSV or plain text"),
}
MARKED_UP = "take its texts out first; to read its lines as they are, say --input-format=lines"
# A text has of the control characters only tabs, line ends, form feeds, backspaces and escapes.
CONTROL = bytes(set(range(32)) - set(b"\t\n\v\f\r\b\x1b\x1c\x1d\x1e\x1f\x00")) + b"\x00"
MOST_CONTROL, FEW_CONTROL = 0.02, 3  # a share, and a number that is let pass in any file
BYTE_ORDER_MARKS = (b"\xff\xfe", b"\xfe\xff")


@dataclass
class DataFile:
    """A file that is to be read, perhaps twice.

    Args:
        path: where it is, or None: `stream` has it.
        encoding: of its text, as the user says; None: UTF-8, or what a byte order mark says.
        stream: standard input, say; it is read into memory where it has to be read twice.
        name: how messages call it; None: by its path.
        is_text: whether somebody said so, so that markup is text like any other.
    """

    path: Path | None
    encoding: str | None = None
    stream: IO[bytes] | None = None
    name: str | None = None
    is_text: bool = False

    @property
    def origin(self) -> str:
        """How messages call the file."""
        return self.name or str(self.path)

    @property
    def suffix(self) -> str:
        """That of the name in lower case, with the dot, without one of packing."""
        if self.path is None:
            return ""
        name = self.path.name.lower()
        for _, _, packed in PACKED.values():
            name = name.removesuffix(packed)
        return Path(name).suffix

    def chunks(self, *, twice: bool = False) -> Iterator[bytes]:
        """The unpacked bytes, in pieces, none empty.

        Args:
            twice: whether they will be asked for again.
        Raises: UserError if the file cannot be read or unpacked.
        """
        kind = "gzip"
        try:
            raw = self._start(twice)
            try:
                head = raw.read(max(map(len, PACKED)))
                found = next((row for magic, row in PACKED.items() if head.startswith(magic)), None)
                source = raw
                if found is not None:
                    kind, unpacker, _ = found
                    packed = raw if raw.seekable() else io.BytesIO(head + raw.read())
                    packed_bytes = packed.seek(0, io.SEEK_END)
                    packed.seek(0)
                    source = bounded(unpacker(packed), packed_bytes, self.origin)
                elif head:
                    yield head + raw.read(HEAD_BYTES - len(head))
                while chunk := source.read(CHUNK_BYTES):
                    yield chunk
            finally:
                if raw is not self.stream:
                    raw.close()
        except (EOFError, zlib.error, gzip.BadGzipFile, lzma.LZMAError) as error:
            raise UserError(f"{self.origin}: expected a whole {kind} file. Received: {error}") from None
        except OSError as error:
            problem = error.strerror or error
            expected = "a file that can be read" if error.errno is not None else f"a whole {kind} file"
            raise UserError(f"{self.origin}: expected {expected}. Received: {problem}") from None

    def _start(self, twice: bool) -> IO[bytes]:
        if self.path is not None:
            return self.path.open("rb")
        assert self.stream is not None
        if twice and not isinstance(self.stream, io.BytesIO):
            self.stream = io.BytesIO(self.stream.read())
        return io.BytesIO(self.stream.getvalue()) if isinstance(self.stream, io.BytesIO) else self.stream

    def content(self) -> bytes:
        """All of the unpacked bytes."""
        return b"".join(self.chunks())

    def text_chunks(self, *, twice: bool = False) -> Iterator[bytes]:
        """As `chunks`. Raises: UserError, too, for what is no text, saying what it is."""
        first = True
        for chunk in self.chunks(twice=twice):
            if first:
                self._check_text(chunk[:HEAD_BYTES])
                first = False
            yield chunk

    def _check_text(self, head: bytes) -> None:
        what, remedy = not_text(head, self.encoding)
        if what and not (self.is_text and remedy == MARKED_UP):
            expected = "expected text, such as CSV, TSV, JSON or a text a line"
            raise UserError(f"{self.origin}: {expected}. Received: {what}{f'; {remedy}' if remedy else ''}")


def not_text(head: bytes, encoding: str | None = None) -> tuple[str, str]:
    """What a file is that begins so, and what to do; two empty texts where it may be text."""
    if head.startswith(ZIP):
        return next((found for mark, found in IN_ZIP.items() if mark in head), ("a zip archive", "unpack it first"))
    if head[257:262] == b"ustar":
        return "a tar archive", "unpack it first"
    for magic, found in FOREIGN.items():
        if head.startswith(magic):
            return found
    markup = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:40].lower()
    for mark, what in MARKUP.items():
        if markup.startswith(mark):
            return what, MARKED_UP
    wide = encoding is not None and encoding.lower().replace("_", "-").startswith(("utf-16", "utf-32", "u16", "u32"))
    if wide or head.startswith(BYTE_ORDER_MARKS) or not head:
        return "", ""
    if sum(head.count(byte) for byte in CONTROL) > max(FEW_CONTROL, MOST_CONTROL * len(head)):
        even, odd = head[::2].count(0), head[1::2].count(0)
        if max(even, odd) > 0.3 * len(head[1::2]) and min(even, odd) < 0.05 * len(head):
            order = "utf-16-le" if odd > even else "utf-16-be"
            return f"bytes that look like UTF-16 without a byte order mark; if they are, say --encoding={order}", ""
        return "a binary file", ""
    return "", ""
