"""Which files are the corpus, and what of it is held out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from bert_tf.data.corpora.randomness import keys
from bert_tf.data.corpora.store import TokenStore
from bert_tf.data.corpora.text_files import corpus_files, files_like
from bert_tf.data.files.hubs import is_hub
from bert_tf.data.rows.table import Parsers, Table
from bert_tf.data.sources.base import Source
from bert_tf.errors import UserError

SPLITS = ("train", "validation")


@dataclass(frozen=True, kw_only=True)
class TextCorpus(Source):
    """Raw text: a file, a folder (its .txt, .jsonl, .ndjson and .json files, or with .gz, in all its folders), or a
    pattern of files' names.

    What is held out: with `validation` that file, folder or pattern, as it stands or within the corpus's folder; else,
    of a folder with the folders train and validation, the second; else a share of the documents.

    >>> TextCorpus().takes_patterns
    True
    """

    has_own_place: ClassVar[bool] = False
    takes_patterns: ClassVar[bool] = True

    def split(self, where: str, split: str, validation: str | None) -> tuple[tuple[Path, ...], bool]:
        """The files of a split, "train" or "validation".

        Returns: the files; and whether these are those of both splits, so that documents are to be drawn.
        Raises: UserError where there are no files.
        """
        if split not in SPLITS:
            raise UserError(f"expected a split of {', '.join(SPLITS)}. Received: {split!r}")
        if is_hub(where):
            raise UserError(f"--data: pre-training reads text files: a file, folder or pattern. Received: {where}")
        place = Path(where).expanduser()
        folders = [place / name for name in SPLITS]
        if validation is None and all(folder.is_dir() for folder in folders):
            return corpus_files(str(place / split)), False
        train = corpus_files(where)
        if validation is None:
            return train, True
        held_out = self._held_out(place, validation)
        chosen = held_out if split == "validation" else tuple(file for file in train if file not in held_out)
        if not chosen:
            raise UserError(f"pretraining.validation={validation} leaves no file for training in {where}")
        return chosen, False

    def _held_out(self, place: Path, validation: str) -> tuple[Path, ...]:
        inside = place if place.is_dir() else place.parent
        for pattern in (str(inside / validation), validation):
            if Path(pattern).expanduser().exists() or files_like(pattern):
                return corpus_files(pattern)
        raise UserError(
            f"pretraining.validation={validation}: expected a file, folder or pattern of held-out text, "
            f"within {inside} or as it stands. Received: nothing that is there"
        )

    def _open(self, where: Any, split: str, parsers: Parsers, **options: Any) -> Table:
        raise NotImplementedError("a corpus has no columns")


def documents_of(store: TokenStore, split: str, share: float) -> np.ndarray:
    """int64: the documents of a split, where a random `share` of them all is held out.

    Raises: UserError if there is one document only.
    """
    count = store.documents
    if count < 2:
        raise UserError(
            "the corpus is one document, of which none can be held out: name other text with "
            "--set pretraining.validation=FILE (text_format=sentences ends documents at empty lines)"
        )
    held_out = min(max(1, round(share * count)), count - 1)
    order = np.argsort(keys(np.arange(count), 0), kind="stable")
    return np.sort(order[:held_out] if split == "validation" else order[held_out:])
