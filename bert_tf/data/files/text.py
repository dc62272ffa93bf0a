"""From bytes to text and lines: what encoding, where lines end, and which byte cannot be read."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from bert_tf.data.files.open_file import HEAD_BYTES, DataFile
from bert_tf.data.files.rows import Notes
from bert_tf.data.rows.cells import shown
from bert_tf.data.rows.table import BadRow
from bert_tf.errors import UserError

# The longer ones first, as one begins with another.
MARKS = {
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
UNDECODED = re.compile("[\udc80-\udcff]")
SUGGESTED = "cp1252"


def read_text(where: Path | DataFile, encoding: str | None = None) -> str:
    """A whole file; bytes that cannot be decoded come as lone surrogates, which `decoding_error` finds.

    A byte order mark is no part of it. Lines end as in the file, but for old Macs' \\r, which comes as \\n.

    Args:
        where: a file, which may be packed by gzip, bzip2 or xz.
        encoding: None: UTF-8, or what a byte order mark says.
    Raises: UserError if the file cannot be read, is broken, or is no text.
    """
    file = where if isinstance(where, DataFile) else DataFile(where, encoding)
    text = "".join(text_lines(file))
    return text.replace("\r", "\n") if "\n" not in text else text


def text_lines(file: DataFile, notes: Notes | None = None, *, twice: bool = False) -> Iterator[str]:
    """The lines of a text, each with its end: \\n or \\r\\n, or \\r in a file that has no \\n at its beginning.

    Args:
        notes: where to say which encoding a byte order mark told of, and that lines end in \\r; None: nowhere.
        twice: whether they will be asked for again.
    Raises: UserError as `DataFile.text_chunks`; for an encoding that is not known, or is not what the file's mark says.
    """
    chunks = file.text_chunks(twice=twice)
    head = next(chunks, b"")
    encoding, mark = _encoding(file, head)
    head = head[len(mark) :]
    if notes is not None and mark and not encoding.startswith("utf-8"):
        notes.say(f"read as {encoding.upper()}, which its byte order mark says")
    if "\n".encode(encoding) != b"\n":
        yield from _wide_lines(file, head, chunks, encoding)
        return
    end = b"\n"
    if b"\n" not in head and b"\r" in (head if len(head) < HEAD_BYTES else head[:-1]):
        end = b"\r"
        if notes is not None:
            notes.say("lines end in \\r, as on old Macs")
    for whole in _whole_lines(head, chunks, end):
        text = whole.decode(encoding, "surrogateescape")
        if text.count(end.decode()) == whole.count(end):
            yield from io.StringIO(text, newline=end.decode())
        else:  # a broken character took a line's end with it
            yield from (line.decode(encoding, "surrogateescape") for line in _split(whole, end))


def decoding_error(line: str, encoding: str | None = None) -> BadRow | None:
    """Says which byte of a line is not what `encoding` (None: UTF-8) has; None where all are."""
    try:
        line.encode()
    except UnicodeEncodeError as error:
        before = shown(line[: error.start][-40:])
        if UNDECODED.match(line[error.start]) is None:
            came = f"a lone surrogate, U+{ord(line[error.start]):04X}, after {before}"
            return BadRow(f"expected text that UTF-8 can hold. Received: {came}")
        byte = ord(line[error.start]) - 0xDC00
        came = f"byte 0x{byte:02x} after {before}"
        name = (encoding or "utf-8").upper()
        return BadRow(f"expected {name}. Received: {came}{'' if encoding else _suggestion(byte)}")
    return None


def known_encoding(name: str) -> str:
    """An encoding's usual name. Raises: UserError if Python has none of this name."""
    try:
        info = codecs.lookup(name)
        "".encode(name)
    except (LookupError, ValueError):
        raise UserError(
            f"--encoding={name}: expected an encoding's name, such as utf-8, utf-16, cp1252, gb18030 or shift_jis. "
            f"Received: {name!r}"
        ) from None
    return info.name


def _suggestion(byte: int) -> str:
    try:
        looks = f" ({bytes([byte]).decode(SUGGESTED)!r} in {SUGGESTED})"
    except UnicodeDecodeError:
        looks = ""
    return f"{looks}; if the file is not UTF-8, name its encoding, such as --encoding={SUGGESTED}"


def _encoding(file: DataFile, head: bytes) -> tuple[str, bytes]:
    """What the text is in, and its byte order mark. A mark is a fact: another encoding than its own is refused."""
    mark, marked = next(((mark, name) for mark, name in MARKS.items() if head.startswith(mark)), (b"", ""))
    if file.encoding is None:
        return marked or "utf-8", mark
    asked = known_encoding(file.encoding)
    asked = {"utf-8-sig": "utf-8"}.get(asked, asked)
    if asked in ("utf-16", "utf-32"):
        if not marked.startswith(asked):
            orders = f"--encoding={asked}-le or --encoding={asked}-be"
            raise UserError(
                f"{file.origin}: expected a byte order mark of {asked.upper()}. Received: none; say {orders}"
            )
        return marked, mark
    if mark and marked != asked:
        raise UserError(
            f"{file.origin}: expected {asked}, as --encoding says. Received: a file that begins with the byte order "
            f"mark of {marked.upper()}; leave --encoding out, and that is used"
        )
    return asked, mark


def _whole_lines(head: bytes, chunks: Iterator[bytes], end: bytes) -> Iterator[bytes]:
    """The bytes in pieces that end where a line does: many lines are decoded at once, which is faster than each."""
    rest = [head]
    for chunk in chunks:
        before, found, after = chunk.rpartition(end)
        if found:
            yield b"".join([*rest, before, found])
            rest = [after]
        else:
            rest.append(chunk)
    yield b"".join(rest)


def _split(lines: bytes, end: bytes) -> Iterator[bytes]:
    *whole, rest = lines.split(end)
    yield from (line + end for line in whole)
    if rest:
        yield rest


def _wide_lines(file: DataFile, head: bytes, chunks: Iterator[bytes], encoding: str) -> Iterator[str]:
    """Where a newline is several bytes. Lone surrogates pass, to be found as other texts' are."""
    decoder = codecs.getincrementaldecoder(encoding)("surrogatepass")
    number, rest = 1, ""
    try:
        for chunk in chain([head], chunks, [b""]):
            *lines, rest = (rest + decoder.decode(chunk, final=not chunk)).split("\n")
            for line in lines:
                yield f"{line}\n"
            number += len(lines)
    except UnicodeDecodeError as error:
        raise UserError(f"{file.origin}:{number}: expected {encoding.upper()}. Received: {error.reason}") from None
    if rest:
        yield rest
