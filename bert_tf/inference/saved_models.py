"""SavedModels that the export made: where they are, and which task they answer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from pydantic import Field

from bert_tf.errors import UserError
from bert_tf.guard import Checked, read_object, typed
from bert_tf.inference import task_file

if TYPE_CHECKING:
    from bert_tf.kinds.base import Kind
    from bert_tf.text import Tokenizer

TASK = "task.json"
DETAILS = "details"
"""The signature that gives all that answers have."""


class Settings(Checked):
    """What a SavedModel's own graph was made with."""

    sequence_length: Annotated[int, Field(ge=1)]


class Described(Checked):
    """What is read of a SavedModel's task.json beside the task itself; `counts`: ragged answers that share a count."""

    settings: Settings
    counts: dict[str, str]


def versions(folder: Path) -> list[int]:
    """The numbers of the versions in a folder for them."""
    return [int(path.name) for path in folder.glob("[0-9]*") if path.name.isdecimal()]


def saved_model_in(where: Path) -> Path | None:
    """The SavedModel that `where` is, or its newest version; None if there is none."""
    if (where / "saved_model.pb").is_file():
        return where
    newest = where / str(max(versions(where), default=0))
    return newest if (newest / "saved_model.pb").is_file() else None


def read_task(folder: Path, task: Kind | None = None) -> tuple[Kind, dict[str, Any]]:
    """The task of a SavedModel that the export made, and what its task.json says.

    Args:
        task: what it is where it is of a kind of your own, which task.json cannot say.
    Raises: UserError if there is none.
    """
    path = folder / "assets" / TASK
    try:
        described = read_object(path)
        typed(Described, described, path)
        if task is None or task_file.is_known(described):
            task = task_file.from_json(described)
        return task, described
    except OSError as error:
        raise UserError(f"{folder}: expected a SavedModel of bert_tf.export, with {TASK}. Received: {error}") from None


class Opened(NamedTuple):
    """What a pipeline needs of a SavedModel; `answer` is its own graph's, as `Kind.answer_function` gives it."""

    kind: Kind
    model: Any  # to be kept: its functions die with it
    tokenizer: Tokenizer
    sequence_length: int
    answer: Callable[..., dict[str, Any]]


def open_saved(folder: Path, task: Kind | None) -> Opened:
    """A SavedModel, loaded. Raises: UserError if the export did not make it."""
    import tensorflow as tf

    from bert_tf.inference.answers import with_ragged
    from bert_tf.inference.exported.operators import check_operators
    from bert_tf.text import Tokenizer

    check_operators(folder)
    kind, described = read_task(folder, task)
    tokenizer = Tokenizer.from_pretrained(folder / "assets")
    model = tf.saved_model.load(str(folder))
    function, columns = model.signatures[DETAILS], kind.text_columns

    def answer(*texts: Any) -> dict[str, Any]:
        return with_ragged(function(**dict(zip(columns, texts, strict=True))), described["counts"])

    return Opened(kind, model, tokenizer, described["settings"]["sequence_length"], answer)
