"""Where a value in a stranger's file is of another type than code is made for, the file is named."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

from bert_tf.errors import UserError

WRONG = (TypeError, ValueError, AttributeError, LookupError, ArithmeticError, RecursionError, MemoryError)
"""What Python and NumPy raise for values of other types, sizes or depths than code is made for."""


@contextlib.contextmanager
def held(where: str | os.PathLike[str], what: str) -> Iterator[None]:
    """Meanwhile an error that a value of the file gives rise to is a UserError that names the file.

    For readers of structures with so many keys that not each has a type of its own; the error itself is kept as the
    cause. Keys whose wrong type would be believed, as a text is for a bool, are to be checked by their types besides.

    Args:
        where: the file or folder.
        what: what is expected there, "a tokenizer's files".

    >>> with held("task.json", "a task"):
    ...     {}["kind"]
    Traceback (most recent call last):
    bert_tf.errors.UserError: task.json: expected a task. Received: KeyError: 'kind'
    """
    try:
        yield
    except OSError as error:  # a name that no file can have, say
        raise UserError(f"{where}: cannot be read: {error.strerror or str(error)[:200]}") from error
    except WRONG as error:
        said = str(error).split("\n")[0][:200]
        raise UserError(f"{where}: expected {what}. Received: {type(error).__name__}: {said}") from error
