"""Where data is, and whether a folder can be written."""

from __future__ import annotations

import glob
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from bert_tf.command_line.saying import say
from bert_tf.config import OWN, SAMPLE, RunConfig
from bert_tf.errors import UserError

if TYPE_CHECKING:
    from bert_tf.kinds.base import Kind

REMOTE = ("tfds:", "hf:")
PATTERN = frozenset("*?[]")  # of a pattern of files' names


def find_data(kind: Kind, task: str, asked: str | None, *, tell: Callable[[str], None] = say) -> str:
    """What to read: `asked`, or the folder of the task under $BERT_TF_DATA, or the bundled sample.

    Args:
        tell: says that it is the sample.
    Returns: the absolute path of a folder or file, `tfds:NAME`, `hf:NAME`, `sample`, or `own`:
        that of a task whose source is no files.
    Raises: UserError if it is not there.
    """
    hint = f" {kind.how_to_get}" if kind.how_to_get else ""
    if asked is None:
        root = os.environ.get("BERT_TF_DATA")
        folder = Path(root).expanduser() / Path(task).stem if root else None
        if folder is not None and folder.exists():
            return str(folder.resolve())
        looked = f"{folder} (from $BERT_TF_DATA) is not there" if folder else "$BERT_TF_DATA is not set"
        if kind.has_own_place:
            return OWN
        if kind.sample is None:
            raise UserError(f"--data is needed: {looked}, and this task has no bundled sample.{hint}")
        tell(f"No --data, and {looked}: using the small bundled sample, not the real set.{hint}")
        return SAMPLE
    if asked == SAMPLE:
        if kind.sample is None:
            raise UserError(f"--data=sample: this task has no bundled sample.{hint}")
        return asked
    if asked.startswith(REMOTE) or (asked == OWN and kind.has_own_place):
        return asked
    if asked == OWN:
        raise UserError("--data is needed: this run was trained on rows in memory, which its folder does not hold")
    path = Path(asked).expanduser()
    if kind.source.takes_patterns and not path.exists() and matches(str(path)):
        return str(path.absolute())
    if not path.exists():
        raise UserError(
            f"--data={asked}: expected a folder or file, tfds:NAME, hf:NAME or sample. "
            f"Received: a path that is not there.{hint}"
        )
    return str(path.resolve())


def with_training_data(kind: Kind, config: RunConfig, *, tell: Callable[[str], None] = say) -> RunConfig:
    """The run with the place of its data. Raises: UserError for a place where training finds none."""
    data = find_data(kind, config.task, config.data.source, tell=tell)
    if Path(data).is_file() and not (kind.source.takes_patterns or kind.source.holds_splits):
        raise UserError(
            f"--data={data}: training needs a folder with a file for each split, and scores the model on the "
            "validation one. Received: a single file; put it into a folder, with some of its rows in the other file"
        )
    return config.model_copy(update={"data": config.data.model_copy(update={"source": data})})


def default_run_folder(config: RunConfig) -> Path:
    """Where a run goes that names no folder: called as its task, and as its data where the task is made of them."""
    place = Path(config.data.source or "")
    part = place.parent.name if PATTERN & set(place.name) else place.stem
    return Path("runs", f"{Path(config.task).stem}{f'_{part}' if config.own_data.kind is not None else ''}")


def matches(pattern: str) -> bool:
    """Whether there is a file of a name like this; ** stands for any folders."""
    return bool(glob.glob(pattern, recursive=True))  # noqa: PTH207 (which takes no pattern with .. in it)


def check_writable(folder: Path, flag: str) -> None:
    """Whether `folder` is one, or can be made, and can be written in; nothing is made.

    Raises: UserError that names the flag and the reason.
    """
    there = next((path for path in (folder, *folder.parents) if os.path.lexists(path)), Path())
    try:
        with tempfile.TemporaryFile(dir=there):  # on Linux a file without a name
            pass
    except OSError as error:
        raise UserError(f"{flag}={folder}: expected a folder that can be written. Received: {error}") from None
