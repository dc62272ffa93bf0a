"""A corpus as token ids on disk: tokenised once, mapped into memory, never held.

A store is a folder of three arrays and their description. It is made elsewhere and renamed, so a store that is there is
whole; its name is that of its content, the vocabulary and the settings, so it is never out of date.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bert_tf.data.corpora.documents import Part, read_documents
from bert_tf.data.stored.arrays import ARRAYS, describe, description, mapped_arrays, whole
from bert_tf.disk.whole import reason, sync_folder, sync_tree
from bert_tf.disk.work_folders import work_folder
from bert_tf.errors import UserError

VERSION = 1
SENTENCES_AT_ONCE = 4096
WHAT = "the tokenised text"


@dataclass(frozen=True)
class Reading:
    """How files are read: see `read_documents`."""

    text_format: str
    text_key: str = "text"
    language: str = "en"
    skip_bad_lines: bool = False


@dataclass(frozen=True, eq=False)
class TokenStore:
    """S sentences of D documents, end to end in a flat array.

    Args:
        token_ids: integers [N], without special tokens.
        sentence_starts: int64 [S + 1]; sentence s is the tokens sentence_starts[s] to sentence_starts[s + 1].
        document_starts: int64 [D + 1]; document d is the sentences document_starts[d] to document_starts[d + 1].
        folder: where it lies; it is pickled as that.
        bad_rows: lines that were left out.
    """

    token_ids: np.ndarray
    sentence_starts: np.ndarray
    document_starts: np.ndarray
    folder: Path
    bad_rows: int = 0

    def __reduce__(self) -> tuple[Any, ...]:
        return TokenStore.open, (self.folder,)

    @property
    def documents(self) -> int:
        return len(self.document_starts) - 1

    @classmethod
    def open(cls, folder: Path) -> TokenStore:
        """Maps a store into memory. Raises: UserError if its files are not of the sizes that its description says."""
        return cls(**mapped_arrays(folder), folder=folder, bad_rows=description(folder)["bad_rows"])


def open_store(
    files: Sequence[Path],
    tokenizer: Any,
    reading: Reading,
    *,
    cache: Path,
    report: Callable[[float], None] | None = None,
) -> TokenStore:
    """The store of `files`, made in the folder `cache` where it is not there, or damaged: joined from the stores of the
    single files where all of them are there, else by reading them.

    Args:
        files: read in this order.
        tokenizer: a BertTokenizer.
        report: called now and then with the share of the files that is done.
    Raises: UserError naming file and line of what cannot be read, or if there is no token in any file.
    """
    folder = cache / f"corpus-{_key(files, tokenizer, reading)}"
    if _is_whole(folder, said=True):
        return TokenStore.open(folder)
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with work_folder(folder) as work:
            parts = [cache / f"corpus-{_key([file], tokenizer, reading)}" for file in files] if len(files) > 1 else []
            if parts and all(_is_whole(part) for part in parts):
                _join(work, [TokenStore.open(part) for part in parts])
            else:
                _write(work, files, tokenizer, reading, report)
            sync_tree(work)
            if not _is_whole(folder):  # no other worker was faster
                shutil.rmtree(folder, ignore_errors=True)
                work.rename(folder)
            sync_folder(cache)
    except OSError as error:
        if not _is_whole(folder):
            why = reason(error) or error.strerror or error
            raise UserError(
                f"pretraining.cache={cache}: expected a folder that can be written. Received: {why}"
            ) from None
    return TokenStore.open(folder)


def tokenise_file(file: Path, tokenizer: Any, reading: Reading, cache: Path) -> None:
    """Makes the store of one file, of which `open_store` joins that of several."""
    open_store([file], tokenizer, reading, cache=cache)


def _is_whole(folder: Path, *, said: bool = False) -> bool:
    """Whether a store is there and its files are those that were written, byte for byte.

    Reading them takes less time than reading the text, which every start does to find the store's name.

    Args:
        said: whether one that is there and is not whole is named in a warning.
    """
    return whole(folder, TokenStore.open, WHAT, said=said) is not None


def _key(files: Sequence[Path], tokenizer: Any, reading: Reading) -> str:
    digest = hashlib.sha256(repr((VERSION, reading, vocabulary_hash(tokenizer))).encode())
    for file in files:
        try:
            with file.open("rb") as stream:
                content = hashlib.sha256()
                while block := stream.read(1 << 20):
                    content.update(block)
        except OSError as error:
            raise UserError(f"{file}: expected a file that can be read. Received: {error.strerror or error}") from None
        digest.update(content.digest())
    return digest.hexdigest()[:20]


def vocabulary_hash(tokenizer: Any) -> str:
    """Says whether two tokenizers give the same ids."""
    settings = (tokenizer.vocabulary, tokenizer.lowercase, tokenizer.strip_accents, tokenizer.split_cjk)
    special = (tuple(sorted(tokenizer.special_tokens.items())), tokenizer.extra_special_tokens, *tokenizer.odd_rules)
    return hashlib.sha256(repr((settings, special)).encode()).hexdigest()[:20]


def _write(
    folder: Path, files: Sequence[Path], tokenizer: Any, reading: Reading, report: Callable[[float], None] | None
) -> None:
    bad_rows = 0

    def count(error: UserError) -> None:
        nonlocal bad_rows
        bad_rows += 1

    def parts() -> Iterable[Part]:
        sizes = [file.stat().st_size for file in files]
        total, before = max(sum(sizes), 1), 0
        for file, size in zip(files, sizes, strict=True):
            yield from read_documents(
                file,
                reading.text_format,
                text_key=reading.text_key,
                language=reading.language,
                on_bad=count if reading.skip_bad_lines else None,
            )
            before += size
            if report is not None:
                report(before / total)

    with _Writer(folder, tokenizer) as writer:
        for sentences, ends in parts():
            writer.add(sentences, ends)
    if not writer.tokens:
        raise UserError(f"{', '.join(map(str, files[:3]))}: expected text. Received: not one token")
    described = {"version": VERSION, "files": [file.name for file in files], "bad_rows": bad_rows}
    describe(folder, described | {ARRAYS: writer.arrays})


def _join(folder: Path, parts: Sequence[TokenStore]) -> None:
    """The stores end to end."""
    arrays, bad_rows = {}, sum(part.bad_rows for part in parts)
    offsets = {"token_ids": 0, "sentence_starts": 0, "document_starts": 0}
    for name, first in (("token_ids", 0), ("sentence_starts", 1), ("document_starts", 1)):
        size = first
        with (folder / f"{name}.bin").open("wb") as file:
            if first:
                file.write(np.zeros(1, np.int64).tobytes())
            for part in parts:
                values = getattr(part, name)[first:]
                (values + values.dtype.type(offsets[name])).tofile(file) if first else values.tofile(file)
                offsets[name] += int(values[-1]) if first else 0
                size += len(values)
            file.flush()
            os.fsync(file.fileno())
        arrays[name] = (parts[0].token_ids.dtype.name if not first else "int64", size)
    described = {"version": VERSION, "files": [str(part.folder.name) for part in parts], "bad_rows": bad_rows}
    describe(folder, described | {ARRAYS: arrays})


class _Writer:
    """Appends sentences to the three arrays' files. Sentences and documents without a token are left out."""

    def __init__(self, folder: Path, tokenizer: Any) -> None:
        self.tokenizer = tokenizer
        self.dtype = np.dtype(np.uint16 if tokenizer.vocabulary_size <= 1 << 16 else np.int32)
        names = ("token_ids", "sentence_starts", "document_starts")
        self.files = [(folder / f"{name}.bin").open("wb") for name in names]
        self.waiting: list[str] = []
        self.ends: list[int] = []  # numbers of waiting sentences before which a document ends
        self.tokens = self.sentences = self.document_count = self.first_of_document = 0
        for file in self.files[1:]:
            file.write(np.zeros(1, np.int64).tobytes())

    def __enter__(self) -> _Writer:
        return self

    def __exit__(self, kind: object, *rest: object) -> None:
        if kind is None:
            self._flush()
        for file in self.files:
            file.flush()
            os.fsync(file.fileno())
            file.close()

    @property
    def arrays(self) -> dict[str, tuple[str, int]]:
        return {
            "token_ids": (self.dtype.name, self.tokens),
            "sentence_starts": ("int64", self.sentences + 1),
            "document_starts": ("int64", self.document_count + 1),
        }

    def add(self, sentences: Sequence[str], ends_document: bool) -> None:
        self.waiting += sentences
        if ends_document:
            self.ends.append(len(self.waiting))
        if len(self.waiting) >= SENTENCES_AT_ONCE or len(self.ends) >= SENTENCES_AT_ONCE:
            self._flush()

    def _flush(self) -> None:
        lengths = np.zeros(0, np.int64)
        if self.waiting:
            pieces = self.tokenizer.tokenize(self.waiting)
            self.files[0].write(np.asarray(pieces.values, self.dtype).tobytes())
            lengths = np.asarray(pieces.row_lengths(), np.int64)
        kept = np.flatnonzero(lengths)
        starts = self.tokens + np.cumsum(lengths[kept])
        self.files[1].write(starts.astype(np.int64).tobytes())
        before = np.concatenate([[0], np.cumsum(lengths > 0)])  # sentences kept before each that waited
        ends = []
        for end in self.ends:
            at = self.sentences + int(before[end])
            if at > self.first_of_document:
                ends.append(at)
                self.first_of_document = at
        self.files[2].write(np.array(ends, np.int64).tobytes())
        self.document_count += len(ends)
        self.sentences += len(kept)
        self.tokens += int(lengths.sum())
        self.waiting, self.ends = [], []
