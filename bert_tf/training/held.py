"""A run folder is written by one run at a time."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from bert_tf.disk.locks import lock
from bert_tf.disk.whole import writing
from bert_tf.errors import UserError
from bert_tf.training.workers.cluster import read_cluster


@contextlib.contextmanager
def held(folder: Path, flag: str = "--run") -> Iterator[None]:
    """Keeps other processes from writing in a folder meanwhile; of a run's several workers the chief does it for all.

    Args:
        folder: it is made, and taken away again where nothing came into it.
        flag: which names it in the error.
    Raises: UserError that names the process that holds it, or says why nothing can be written there.
    """
    if not is_chief(os.environ.get("TF_CONFIG", "")):
        yield
        return
    named = f"{flag}={folder}"
    with contextlib.ExitStack() as stack:
        with writing(named):
            stack.enter_context(lock(folder / ".lock", named))
        yield


def is_chief(cluster: str) -> bool:
    """Whether a process is the one of its cluster that writes.

    Args:
        cluster: TF_CONFIG, JSON; what is wrong with it is said where it is used, and "" is a process on its own.

    >>> is_chief(""), is_chief('{"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 1}}')
    (True, False)
    """
    try:
        found = read_cluster(cluster)
    except UserError:
        return True
    return found is None or found.rank == 0
