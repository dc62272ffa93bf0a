"""The protocol of a file in export/: `ARTEFACT`, an object of a class with these methods. Needs no TensorFlow."""

from __future__ import annotations

import abc
import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from bert_tf.errors import UserError, did_you_mean

if TYPE_CHECKING:
    from bert_tf.exporting.run import Run
    from bert_tf.kinds.base import Answer, Kind

Self = TypeVar("Self", bound="Artefact")


class Loaded(abc.ABC):
    """One model of an artefact, read back from its files, as whoever gets them will use it.

    Args:
        name: what it is called in the report, such as "int8"; an artefact's are all different.
        files: the model's files and folders, of which the report gives the size.
        takes: what it takes, "text" or "tensors"; the latter are timed without the tokenizer.

    >>> sorted(Loaded.__abstractmethods__)
    ['call', 'rows']
    """

    def __init__(self, name: str, files: Sequence[Path], *, takes: str = "text") -> None:
        self.name, self.files, self.takes = name, tuple(files), takes

    @abc.abstractmethod
    def rows(self, *columns: Sequence[str]) -> list[Answer]:
        """What `Kind.answer_function` says of each example, worked out by the files; the texts by the task's columns:
        rows(texts), rows(texts, pairs) and so on."""

    @abc.abstractmethod
    def call(self, batch: int, tokens: int) -> Callable[[], object] | None:
        """One call on `batch` examples of `tokens` tokens, ready to be timed; None: it takes no such batch."""

    def notes(self) -> Mapping[str, Any]:
        """What else the report is to say of it, for JSON."""
        return {}


@dataclass(frozen=True, kw_only=True)
class Artefact(abc.ABC):
    """One format. Its fields are settings, which `--set name=value` changes.

    >>> from bert_tf.exporting.models import HuggingFace
    >>> HuggingFace().with_settings({"shard_bytes": 1000}).shard_bytes
    1000
    >>> HuggingFace().with_settings({"shards": 2})
    Traceback (most recent call last):
    bert_tf.errors.UserError: --set: no setting 'shards'. Did you mean 'shard_bytes'? There are: shard_bytes
    """

    def check(self, kind: Kind) -> None:  # noqa: B027
        """Before anything slow, and without TensorFlow. Raises: UserError if `kind` cannot be exported so."""

    def place(self, out: Path) -> Path:
        """The folder, under the name that --out gave, that this artefact becomes. Raises: UserError if it is taken."""
        if out.exists() and not (out.is_dir() and not any(out.iterdir())):
            raise UserError(f"--out={out}: expected a fresh folder. Received: one that is there already")
        return out

    @abc.abstractmethod
    def write(self, run: Run, folder: Path) -> None:
        """Writes the files into `folder`, which is there and empty, and gets its final name after the checks."""

    @abc.abstractmethod
    def load(self, run: Run, folder: Path) -> Sequence[Loaded]:
        """Reads back what `write` left, one object for each model in it (each quantisation, say)."""

    def of_folder(self: Self, folder: Path) -> Self:
        """The same with the settings by which it wrote a folder, as far as `load` needs them."""
        return self

    def hints(self, place: Path) -> Sequence[str]:
        """Lines for stderr when all is done: what to do with the files."""
        return ()

    def with_settings(self: Self, settings: Mapping[str, Any]) -> Self:
        """The same with some fields changed. Raises: UserError for another name or type, or a value that cannot be."""
        changes = {}
        for name, value in settings.items():
            known = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
            if name not in known:
                listed = ", ".join(known) or "none"
                raise UserError(f"--set: no setting {name!r}.{did_you_mean(name, known)} There are: {listed}")
            changes[name] = _typed(name, value, known[name])
        try:
            return dataclasses.replace(self, **changes)
        except ValueError as error:
            raise UserError(f"--set: {error}") from None


def _typed(name: str, value: Any, now: Any) -> Any:
    """A value of the type that the setting has now. A word, or words with commas between them, do for a tuple."""
    if isinstance(now, tuple):
        value = tuple(value.split(",")) if isinstance(value, str) else value
        value = tuple(value) if isinstance(value, list | tuple) else (value,)
        fits = not now or all(type(item) is type(now[0]) for item in value)
    else:
        value = float(value) if isinstance(now, float) and type(value) is int else value
        fits = now is None or type(value) is type(now)
    if not fits:
        raise UserError(f"--set {name}: expected a value such as {now!r}. Received: {value!r}")
    return value
