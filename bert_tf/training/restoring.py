"""How a run comes back from its folder: its last whole checkpoint, and model/ as that remembers it."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Mapping
from pathlib import Path

from bert_tf.disk.whole import damage, write_whole
from bert_tf.disk.work_folders import remove_leftovers
from bert_tf.errors import UserError
from bert_tf.training.checkpoints.memory import Memory
from bert_tf.training.reports.history import History
from bert_tf.training.setup import Setup

LOG = logging.getLogger(__name__)


def restore(
    setup: Setup, run_folder: Path, files: Mapping[str, str], *, newest: int | None = None, after: Memory | None = None
) -> bool:
    """The weights of the run's last whole checkpoint win over those it was built with; what is damaged is mended.

    Args:
        files: name -> text of files that the run folder is to hold.
        newest: leaves aside, and removes, checkpoints of later steps.
        after: has the warnings and rollbacks that are remembered in place of the checkpoint's.
    Returns: whether there was a checkpoint.
    Raises: UserError where there are some and none can be used, or the run is longer than is asked for.
    """
    checkpoints = setup.checkpoints
    resumed = checkpoints.restore(newest)
    memory = checkpoints.memory
    if after is not None:
        memory.warnings, memory.rollbacks = after.warnings, after.rollbacks
    done, options = int(setup.state.next_batch.numpy()), setup.config.training
    if done > setup.total_steps:
        raise UserError(
            f"{run_folder} has taken {done} updates already, more than the {setup.total_steps} of training.epochs="
            f"{options.epochs:g} and training.max_steps={options.max_steps or 'none'}. Give a fresh --run, or as many"
        )
    began = History.from_json(memory.history) if memory.history else setup.history
    schedule = dataclasses.replace(setup.schedule, peak=setup.schedule.peak * 0.5 ** len(memory.rollbacks))
    history = began.with_schedule(done, schedule)
    setup.optimizer.schedule, setup.optimizer.schedules = schedule, history.schedules
    memory.history = history.as_json()
    for line in checkpoints.damaged:
        _warn(setup, f"a checkpoint is damaged ({line}): the run resumes from that of step {done}")
    if setup.placement.is_chief:
        (run_folder / "result.json").unlink(missing_ok=True)  # first, or a run cut off here would seem finished
        run_folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            write_whole(run_folder / name, text)
        history.write(run_folder)
        remove_leftovers(run_folder)
        checkpoints.folder.remove_leftovers()
        if resumed:
            _mend_model(setup, run_folder, done)
        elif (run_folder / "model").exists():
            LOG.warning("%s holds a model and no checkpoint: the run begins again", run_folder)
    return resumed


def _mend_model(setup: Setup, run_folder: Path, done: int) -> None:
    """Makes model/ what the checkpoint remembers of it: a copy of weights that another checkpoint has, too.

    A process that is killed between model/ and the checkpoint of the same step leaves another one than is remembered.
    Where these weights are lost, they are forgotten, and those of the next evaluation take their place.
    """
    checkpoints, model, kept = setup.checkpoints, run_folder / "model", setup.checkpoints.memory.kept
    if kept is None:  # no evaluation yet, or an earlier version's checkpoint
        step = int(setup.state.best_step.numpy())
        why = None if step < 0 or (model / "config.json").is_file() else "it is missing"
    else:
        step, why = kept.step, damage(model, kept.files)
    if why is None:
        return
    if checkpoints.read(step):
        setup.trained.update_precise()
        files = setup.trained.save(model, setup.tokenizer, setup.optimizer)
        checkpoints.memory.kept = None if kept is None else dataclasses.replace(kept, files=files)
        said = f"it is written again, from the checkpoint of step {step}"
    else:
        if setup.placement.name == "multi_worker":  # the others would not evaluate with this one
            raise UserError(
                f"{model} is not as it was written ({why}), and there is no checkpoint of its step {step}. Give a "
                "fresh --run, or resume with one worker"
            )
        said = f"there is no checkpoint of its step {step}, so that those of the next evaluation are kept instead"
    if not checkpoints.read(done):
        raise UserError(f"{checkpoints.latest()} can be read no more. Start the same command again")
    setup.trained.update_precise()
    if said.startswith("there is no"):
        checkpoints.memory.kept = None
        setup.state.forget_best(done)
    _warn(setup, f"the weights in {model} are not as they were kept ({why}): {said}")


def _warn(setup: Setup, line: str) -> None:
    """Says it now, and in the result."""
    LOG.warning("%s", line)
    setup.checkpoints.memory.warnings.append(line)
