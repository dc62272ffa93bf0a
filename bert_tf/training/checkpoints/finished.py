"""Whether a run is finished, and what it left is as it was written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from bert_tf.config.result import read_result
from bert_tf.disk.whole import damage
from bert_tf.errors import UserError
from bert_tf.training.checkpoints.folder import CheckpointFolder


def finished(run_folder: Path, *, tell: Callable[[str], None]) -> dict[str, Any] | None:
    """What stands in the result.json of a run that is finished; None: it is to be resumed.

    That is so, too, where its result or the weights in model/ are not as they were written, and there is a checkpoint
    to write them again from.

    Args:
        tell: says what is written again, and why.
    Raises: UserError for a damaged result without a checkpoint.
    """
    folder, model = CheckpointFolder(run_folder / "checkpoints"), run_folder / "model"
    try:
        result = read_result(run_folder)
    except UserError as error:
        if not folder.steps():
            raise UserError(
                f"{error}. There is no checkpoint to make it again from: delete it to train again"
            ) from None
        tell(f"{error}: it is made again, from the last checkpoint")
        return None
    memory = folder.memory()
    if memory is not None and memory.kept is not None:
        why = damage(model, memory.kept.files)
    else:
        why = "model/ has no config.json" if folder.steps() and not (model / "config.json").is_file() else None
    if result is not None and why is not None:
        tell(f"{run_folder} holds this run, finished, and its model is not as it was written ({why})")
        return None
    return result
