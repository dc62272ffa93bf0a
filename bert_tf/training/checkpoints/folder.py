"""The folder checkpoints/ of a run: which checkpoints are there, and whether each is as it was written.

A checkpoint is a folder `ckpt-STEP` of TensorFlow's files and `about.json`, which has their sizes and checksums, its
own checksum, and what the run remembers. It is made under another name and renamed when all of it is on the disk. No
list of checkpoints is kept, so that none can be lost. Those of earlier versions, `ckpt-STEP.index` with its data, are
read.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import re
import shutil
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from bert_tf.disk.whole import checksums, damage, sync_folder, sync_tree, write_whole
from bert_tf.disk.work_folders import remove_leftovers, work_folder
from bert_tf.errors import UserError
from bert_tf.guard import read_object, typed
from bert_tf.training.checkpoints.memory import Memory
from bert_tf.training.checkpoints.noted import About

ABOUT, WEIGHTS = "about.json", "weights"
NAME = re.compile(r"ckpt-(\d+)(\.index|\.data-\d+-of-\d+)?$")
FORMAT = 1


class DamageError(Exception):
    """A checkpoint that is not as it was written; the message names it and says how."""


@dataclasses.dataclass(frozen=True)
class Found:
    """A checkpoint that is whole.

    Args:
        step: after so many updates.
        prefix: of its files, as TensorFlow takes it.
        state: numbers of the run's state that may be newer than those in its files.
        memory: what the run remembers; None: it is of an earlier version.
    """

    step: int
    prefix: Path
    state: Mapping[str, Any]
    memory: Memory | None


class CheckpointFolder:
    """The checkpoints of a run; nothing here needs TensorFlow.

    Args:
        path: the folder; it need not be there.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as run:
    ...     folder = CheckpointFolder(Path(run, "checkpoints"))
    ...     with folder.written(12, {}, {}) as prefix:
    ...         _ = Path(f"{prefix}.index").write_text("x")
    ...     folder.steps(), folder.whole(12).prefix.name
    ([12], 'weights')
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def steps(self) -> list[int]:
        """The steps of all that are there, rising, whole or not."""
        entries = self.path.iterdir() if self.path.is_dir() else ()
        return sorted({int(match[1]) for entry in entries if (match := NAME.match(entry.name))})

    def whole(self, step: int) -> Found:
        """The checkpoint of a step, every byte of it compared with its checksum. Raises: DamageError."""
        folder = self.path / f"ckpt-{step}"
        if not folder.is_dir() and self._old(step):
            index = self.path / f"ckpt-{step}.index"
            if not index.is_file() or index.stat().st_size == 0:
                raise DamageError(f"{folder}: its .index is missing")
            return Found(step, folder, {}, None)  # TensorFlow compares checksums of its own
        about = self.about(step)
        why = damage(folder, about["files"])
        if why is not None:
            raise DamageError(f"{folder}: {why}")
        return Found(step, folder / WEIGHTS, about["state"], Memory.from_json(about["memory"]))

    def about(self, step: int) -> dict[str, Any]:
        """What stands in the about.json of a step; its other files are not looked at. Raises: DamageError."""
        path = self.path / f"ckpt-{step}" / ABOUT
        try:
            about = read_object(path)
            noted = about.pop("sha256")
        except FileNotFoundError:
            raise DamageError(f"{path.parent}: {ABOUT} is missing") from None
        except (OSError, UserError, KeyError):
            raise DamageError(f"{path.parent}: {ABOUT} is not as it was written") from None
        if noted != _digest(about):
            raise DamageError(f"{path.parent}: {ABOUT} has another content than was written")
        try:
            typed(About, about, path)
        except UserError as error:
            came = str(error).removeprefix(f"{path}: ")
            raise DamageError(f"{path.parent}: {ABOUT} is not as it is written ({came})") from None
        return about

    def memory(self) -> Memory | None:
        """What the newest checkpoint with a sound about.json remembers; None: there is none."""
        for step in reversed(self.steps()):
            with contextlib.suppress(DamageError):
                return Memory.from_json(self.about(step)["memory"])
        return None

    @contextlib.contextmanager
    def written(self, step: int, state: Mapping[str, Any], memory: Mapping[str, Any]) -> Iterator[Path]:
        """Gives the prefix under which TensorFlow is to write; at the end they get their name, whole."""
        final = self.path / f"ckpt-{step}"
        self.path.mkdir(parents=True, exist_ok=True)
        with work_folder(final) as work:
            yield work / WEIGHTS
            _write_about(work, {"files": checksums(work), "state": state, "memory": memory})
            work.chmod(0o777 & self.path.stat().st_mode)
            sync_tree(work)
            if final.exists():  # of no use: damaged, or of updates that were taken back
                shutil.rmtree(final)
            work.rename(final)
            sync_folder(self.path)

    def amend(self, step: int, state: Mapping[str, Any], memory: Mapping[str, Any]) -> None:
        """Notes in a checkpoint what has been learnt of its weights since it was written."""
        _write_about(self.path / f"ckpt-{step}", {**self.about(step), "state": state, "memory": memory})

    def keep(self, steps: Collection[int]) -> None:
        """Removes all others."""
        for step in self.steps():
            if step not in steps:
                self.remove(step)
        if not any(self._old(step) for step in self.steps()):
            (self.path / "checkpoint").unlink(missing_ok=True)  # an earlier version's list of them

    def remove(self, step: int) -> None:
        """Removes one; its about.json first, without which it is none."""
        folder = self.path / f"ckpt-{step}"
        (folder / ABOUT).unlink(missing_ok=True)
        shutil.rmtree(folder, ignore_errors=True)
        for path in self._old(step):
            path.unlink(missing_ok=True)

    def remove_leftovers(self) -> None:
        """Removes what killed processes were writing."""
        remove_leftovers(self.path)
        for path in self.path.glob("ckpt-*_temp*"):  # TensorFlow's, in earlier versions
            shutil.rmtree(path, ignore_errors=True)

    def _old(self, step: int) -> list[Path]:
        """The files of a checkpoint as earlier versions wrote them."""
        return [path for path in self.path.glob(f"ckpt-{step}.*") if NAME.match(path.name)]


def _write_about(folder: Path, about: Mapping[str, Any]) -> None:
    about = {"format": FORMAT, **about}
    write_whole(folder / ABOUT, json.dumps({**about, "sha256": _digest(about)}, indent=1) + "\n")


def _digest(about: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()
