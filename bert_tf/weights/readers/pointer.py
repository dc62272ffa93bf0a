"""What stands in for a large file where Git LFS has not fetched it."""

from __future__ import annotations

from pathlib import Path

from bert_tf.errors import UserError
from bert_tf.guard import check_regular

START = b"version https://git-lfs"


def check_fetched(path: Path) -> None:
    """Raises: UserError if `path` cannot be read, is empty, or is a pointer of Git LFS."""
    try:
        check_regular(path)
        with path.open("rb") as file:
            start = file.read(len(START))
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from error
    if start == START:
        raise UserError(f"{path} is a Git LFS pointer, not the weights themselves: fetch it with `git lfs pull`")
    if not start:
        raise UserError(f"{path} is empty: its download, or its copy, did not finish")
