"""What a run learns from and is scored on, read before anything slow is imported."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import logging
import tempfile
from collections.abc import Callable, Collection, Mapping
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from bert_tf import __version__
from bert_tf.config import DataConfig, RunConfig
from bert_tf.config.fitting import settings_that_fit
from bert_tf.data.batching.counted import counted_together
from bert_tf.data.corpora.store import vocabulary_hash
from bert_tf.data.rows.column import Spill, spilled
from bert_tf.data.stored.arrays import cache_folder
from bert_tf.data.stored.examples import PART_EXAMPLES, stored_features
from bert_tf.disk.whole import writing
from bert_tf.errors import UserError

if TYPE_CHECKING:
    from bert_tf.data import Features, Stream
    from bert_tf.kinds.base import Kind
    from bert_tf.kinds.examples import Examples
    from bert_tf.text import Tokenizer

NOT_OF_FEATURES = frozenset({"source", "metrics", "also_score", "sample", "defaults", "how_to_get"})
"""Fields of a task that say nothing of how its examples are tokenised."""
PROGRESS = logging.getLogger("bert_tf.progress")  # which commands show
MOST_HELD = 1_000_000
MOST_CHARACTERS = 1 << 29


def read_examples(config: RunConfig, kind: Kind, *, data: str) -> dict[str, Examples]:
    """Reads the training set and all splits that are scored.

    Args:
        config: the run, resolved.
        kind: the task.
        data: where the task's data is, as `kind.read` takes it.
    Returns: split -> its examples, with labels.
    Raises: UserError that names file and line, and for a split that has no labels.
    """
    kind = kind.configured(config)
    if config.data.store == "disk" and not kind.can_store:
        raise UserError(
            "'data.store' = \"disk\" is for kinds whose examples are tokenised one by one. Received: "
            f"{type(kind).__name__}, whose examples are held in memory"
        )
    examples: dict[str, Examples] = {}
    for split in ("train", *kind.scored_splits):
        with spilled(_spill(config.data, kind)):
            part = kind.read(data, split, skip_bad_rows=config.data.skip_bad_rows)
        examples[split] = part if split == "train" else part.in_memory()
        if not examples[split].is_labelled:
            raise UserError(f"{data}: the split {split} has no labels, and training needs them")
    return examples


def _spill(options: DataConfig, kind: Kind) -> Spill | None:
    """When what is read leaves memory; None: never."""
    if options.store == "memory" or not kind.can_store:
        return None

    folder, all_of_it = cache_folder(options.cache), options.store == "disk"

    def open_file() -> IO[bytes]:
        folder.mkdir(parents=True, exist_ok=True)
        return tempfile.TemporaryFile(dir=folder)

    return Spill(
        rows=0 if all_of_it else MOST_HELD,
        characters=0 if all_of_it else MOST_CHARACTERS,
        open_file=open_file,
        writing=lambda: writing(f"data.cache={folder}"),
    )


def is_stored(options: DataConfig, kind: Kind, examples: Examples) -> bool:
    """Whether tokenised training examples are to be on a disk, rather than in memory."""
    if options.store != "auto" or not kind.can_store:
        return options.store == "disk"
    return len(examples) > MOST_HELD or examples.is_on_disk


def tokenised(
    kind: Kind, tokenizer: Tokenizer, examples: Mapping[str, Examples], options: DataConfig
) -> dict[str, Features | Stream]:
    """All splits as the model gets them; the training set's features may lie on a disk.

    Raises: UserError where they should, and cannot be written there.
    """
    found: dict[str, Features | Stream] = {}
    for split, part in examples.items():
        make = _maker(kind, tokenizer, part, options)
        if split == "train" and kind.stored_features is not None and is_stored(options, kind, part):
            with counted_together():
                found[split] = stored_features(
                    make,
                    len(part),
                    kind=kind.stored_features,
                    key=_key(kind, tokenizer, part, options),
                    cache=cache_folder(options.cache),
                    report=_Report(),
                )
        else:
            found[split] = make(0, len(part))
    return found


def _maker(kind: Kind, tokenizer: Tokenizer, examples: Examples, options: DataConfig) -> Callable[[int, int], Features]:
    """A function that tokenises the examples from one number to another."""

    def make(start: int, stop: int) -> Features:
        part = examples if (start, stop) == (0, len(examples)) else examples.part(start, stop)
        return kind.features(tokenizer, part, sequence_length=options.sequence_length)

    return make


def _key(kind: Kind, tokenizer: Tokenizer, examples: Examples, options: DataConfig) -> str:
    """Names all that tokenised examples depend on: what was read, whatever from; the task; the tokenizer; and this
    library's version."""
    settings = {
        field.name: _plain(getattr(kind, field.name))
        for field in dataclasses.fields(kind)
        if field.name not in NOT_OF_FEATURES
    }
    about = (__version__, type(kind).__qualname__, settings, options.sequence_length, vocabulary_hash(tokenizer))
    digest = hashlib.sha256(repr(about).encode())
    size = len(examples)
    for start in range(0, size, PART_EXAMPLES):
        part = examples.part(start, start + PART_EXAMPLES)
        for field in dataclasses.fields(part):
            if not examples.is_column(field.name):
                continue
            values, name = getattr(part, field.name), field.name
            if isinstance(values, np.ndarray):
                digest.update(f"{name}{values.dtype}{values.shape}".encode())
                digest.update(np.ascontiguousarray(values).tobytes())
            else:
                digest.update(f"{name}{json.dumps(values, default=repr)}".encode())
    return digest.hexdigest()[:20]


def _plain(value: Any) -> Any:
    """A setting as it reads in every process; what is no data, such as a function, by its name."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, tuple | list):
        return [_plain(part) for part in value]
    if isinstance(value, Mapping):
        return sorted((str(name), _plain(part)) for name, part in value.items())
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return [type(value).__qualname__, *(_plain(getattr(value, field.name)) for field in dataclasses.fields(value))]
    return getattr(value, "__qualname__", type(value).__qualname__)


class _Report:
    """Says how much of a set is tokenised, where that takes a while."""

    def __init__(self) -> None:
        self.said = 0.0

    def __call__(self, share: float) -> None:
        if share - self.said >= 0.1 and share < 1:
            self.said = share
            PROGRESS.info("tokenising: %.0f%% of the training examples", 100 * share)


def with_fitting_settings(
    config: RunConfig,
    kind: Kind,
    examples: Mapping[str, Examples],
    *,
    by_hand: Collection[str],
) -> tuple[RunConfig, list[str]]:
    """The run with every setting decided that is found from the number of examples: see `bert_tf.config.fitting`.

    Args:
        by_hand: keys of [training] that the task or the flags give.
    Returns: the run, and lines that say what was found.
    """
    if config.training.mode == "frozen":  # it takes no updates
        return config, []
    sizes = {split: len(part) for split, part in examples.items()}
    if kind.needs is None:
        return config, []
    try:
        width, is_random = kind.size_of(config)
        can_solve_head = sizes["train"] <= kind.needs.head_first and kind.can_solve_head(config)
    except UserError:  # what is wrong with the backbone is said where it is loaded
        return config, []
    return settings_that_fit(
        config,
        kind.needs,
        sizes,
        by_hand=by_hand,
        width=width,
        is_random=is_random,
        can_solve_head=can_solve_head,
    )
