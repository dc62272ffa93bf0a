"""What a model answers in, and with how many threads: what the commands decide before it is read."""

from __future__ import annotations

import inspect
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from bert_tf.config import PRECISIONS

if TYPE_CHECKING:
    from bert_tf.kinds.base import Kind

FLOAT32, AUTO = "float32", "auto"


def check_precision(precision: str, *, takes_one: bool, what: str) -> None:
    """Raises: ValueError for a precision that is not known, or one for what has its own."""
    if precision not in PRECISIONS:
        raise ValueError(f"`precision` must be one of {', '.join(PRECISIONS)}. Received: precision={precision!r}")
    if not takes_one and precision not in (AUTO, FLOAT32):
        raise ValueError(f"`precision` is for folders of models; {what} has its own. Received: precision={precision!r}")


def precision_of_run(asked: str, trained: str) -> str:
    """The precision of a run's answers: for "auto" the one that it was trained in, where the machine is fast with it.

    >>> precision_of_run("float32", "mixed_bfloat16"), precision_of_run("auto", "float32")
    ('float32', 'float32')
    """
    from bert_tf.machine.precision import choose_precision

    if asked != AUTO:
        return asked
    fastest = choose_precision(AUTO)
    return fastest if trained in (AUTO, fastest) else FLOAT32


def load(kind: Kind, where: str, *, ignore: Collection[str] = (), precision: str = FLOAT32) -> Any:
    """The model of a task, in the precision asked for; in float32 where a kind of somebody's own takes no other.

    Only what is not the default is handed on, so that a kind of your own may leave the arguments out.
    """
    from bert_tf.machine.precision import choose_precision

    dtype = choose_precision(precision)
    more: dict[str, Any] = {"ignore": ignore} if ignore else {}
    if dtype != FLOAT32 and "dtype" in inspect.signature(kind.load_model).parameters:
        more["dtype"] = dtype
    return kind.load_model(where, **more)


def use_all_cores() -> None:
    """Threads for answers, before TensorFlow starts: each operation few, and several batches side by side.

    For processes that do nothing else: it holds for all of TensorFlow.
    """
    from bert_tf.machine.threads import set_threads

    set_threads(None, 0)
