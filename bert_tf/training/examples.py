"""What a run learns from and is scored on, read before anything slow is imported."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from bert_tf.config import RunConfig
from bert_tf.config.fitting import settings_that_fit
from bert_tf.errors import UserError

if TYPE_CHECKING:
    from bert_tf.kinds.base import Kind
    from bert_tf.kinds.examples import Examples


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
    examples: dict[str, Examples] = {}
    for split in ("train", *kind.scored_splits):
        examples[split] = kind.read(data, split, skip_bad_rows=config.data.skip_bad_rows)
        if not examples[split].is_labelled:
            raise UserError(f"{data}: the split {split} has no labels, and training needs them")
    return examples


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
    except UserError:  # what is wrong with the backbone is said where it is loaded
        return config, []
    return settings_that_fit(config, kind.needs, sizes, by_hand=by_hand, width=width, is_random=is_random)
