"""Text files too large to hold: their lines, one after the other."""

from __future__ import annotations

import glob
import gzip
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from bert_tf.data.rows.cells import shown
from bert_tf.errors import UserError
from bert_tf.guard import bounded

LINES_BETWEEN_REPORTS = 1000
SUFFIXES = (".txt", ".jsonl", ".ndjson", ".json")


def corpus_lines(
    files: Sequence[Path],
    report: Callable[[float], None] | None = None,
    *,
    on_bad: Callable[[UserError], None] | None = None,
) -> Iterator[str]:
    """Every line of the files, plain or gzipped, without its line end.

    Args:
        report: called now and then with the share of the files' bytes that has been read.
        on_bad: is told of lines that are not UTF-8, which are left out then; None: the first one is raised.
    Raises: UserError for a file that cannot be read, and naming file and line of what is not UTF-8.
    """
    sizes = [_size(file) for file in files]
    total, before = max(sum(sizes), 1), 0
    for file, size in zip(files, sizes, strict=True):
        for at, line in _lines(file, on_bad):
            if report is not None and at is not None:
                report((before + min(at, size)) / total)
            yield line
        before += size


def corpus_files(where: str, *, suffixes: tuple[str, ...] = SUFFIXES, flag: str = "") -> tuple[Path, ...]:
    """The text files of a folder, a pattern or a path: absolute, sorted.

    Args:
        suffixes: of a folder's files, those that count.
        flag: what an error begins with.
    Raises: UserError where there are none.
    """
    place = Path(where).expanduser()
    if place.is_dir():
        inside = (path for path in place.rglob("*") if path.is_file() and not path.name.startswith("."))
        found = [path for path in inside if path.name.removesuffix(".gz").endswith(suffixes)]
    elif place.is_file():
        found = [place]
    else:
        found = files_like(str(place))
    if not found:
        raise UserError(f"{flag}{where}: expected text files ({', '.join(suffixes)}, or with .gz). Received: none")
    return tuple(sorted(path.resolve() for path in found))


def files_like(pattern: str) -> list[Path]:
    found = glob.glob(str(Path(pattern).expanduser()), recursive=True)  # noqa: PTH207 (which takes no pattern with ..)
    return [Path(name) for name in found if Path(name).is_file()]


def _lines(file: Path, on_bad: Callable[[UserError], None] | None) -> Iterator[tuple[int | None, str]]:
    """Each line, and now and then how many bytes of the file are read."""
    number, returns = 0, 0
    try:
        with file.open("rb") as raw:
            is_gzip = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            lines = bounded(gzip.GzipFile(fileobj=raw), _size(file), file) if is_gzip else raw
            for number, line in enumerate(lines, start=1):
                content = line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
                returns = content.rstrip(b"\r\n").count(b"\r") if number == 1 else 0
                try:
                    text = content.decode("utf-8").removesuffix("\n").removesuffix("\r")
                except UnicodeDecodeError as error:
                    came = f"byte 0x{content[error.start]:02x} after {shown(content[: error.start].decode()[-40:])}"
                    bad = UserError(f"{file}:{number}: expected UTF-8. Received: {came}")
                    if on_bad is None:
                        raise bad from None
                    on_bad(bad)
                    continue
                yield (raw.tell() if number % LINES_BETWEEN_REPORTS == 0 else None), text
        if returns:
            came = f"one line with {returns} carriage returns in it"
            raise UserError(f"{file}:1: expected lines that end in a line feed. Received: {came}")
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise UserError(f"{file}:{number + 1}: expected a whole gzip file. Received: {error}") from None
    except OSError as error:
        raise UserError(f"{file}: expected a file that can be read. Received: {error.strerror or error}") from None


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError as error:
        raise UserError(f"{file}: expected a file that can be read. Received: {error.strerror or error}") from None
