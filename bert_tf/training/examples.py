"""What a run learns from and is scored on, read before anything slow is imported."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bert_tf.config import RunConfig
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
