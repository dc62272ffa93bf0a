"""What is done in a run: restored, trained, evaluated, saved, reported. What it works with is built in `setup.py`."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bert_tf.config import RunConfig
from bert_tf.disk.whole import writing
from bert_tf.errors import INTERRUPTED, Stopped
from bert_tf.training.asked import solve_head_as_asked, stops_as_asked, too_short, updates_as_planned
from bert_tf.training.blown_up import BlownUpError, check_losses, roll_back
from bert_tf.training.board.kept import begin_kept, write_kept
from bert_tf.training.board.profiling import Profiler
from bert_tf.training.checkpoints.memory import Kept
from bert_tf.training.engine import make_engine
from bert_tf.training.interruption import Interruption
from bert_tf.training.reports.flops import peak_flops
from bert_tf.training.reports.log import Log
from bert_tf.training.reports.meter import Meter
from bert_tf.training.reports.progress import Progress
from bert_tf.training.reports.results import of_setup, peak_memory_bytes, write_result
from bert_tf.training.restoring import restore
from bert_tf.training.setup import Setup, set_up
from bert_tf.training.strategy import lost_worker_named
from bert_tf.training.watching import report_steps
from bert_tf.training.workers.agreement import agree_on_weights, score_of_first

if TYPE_CHECKING:
    from bert_tf.kinds.base import Kind, Watched
    from bert_tf.kinds.examples import Examples

LOG = logging.getLogger(__name__)
SPARED = "Its checkpoints are as they were: with some room, the same command resumes from the last"


@lost_worker_named()
def train(
    config: RunConfig,
    kind: Kind,
    run_folder: Path,
    *,
    data: str,
    examples: Mapping[str, Examples] | None = None,
    is_sample: bool = False,
    files: Mapping[str, str] | None = None,
    progress: bool = True,
    finish: Callable[[dict[str, Any]], None] | None = None,
) -> dict[str, Any]:
    """Trains a run to its end, from wherever it stands, and returns what stands in its result.json.

    Args:
        config: the resolved run.
        kind: the task.
        run_folder: where checkpoints, model, logs and result go; made once all is built that they are made by.
        data: where the task's data is, as `kind.read` takes it.
        examples: what `read_examples` read there; None: it is read now.
        is_sample: whether that is the sample bundled with the library; noted in the result.
        files: name -> text of files for the run folder, such as config.toml: written once it may begin or resume.
        progress: whether the rate, the loss and the scores are shown on stderr.
        finish: called with the result when all is written, by the worker that writes.
    Raises: UserError for what cannot be used, and if the loss is not a number; Stopped at Ctrl-C, SIGTERM and SIGHUP,
        after the updates under way and a checkpoint of them.
    """
    setup = set_up(config, kind, run_folder, data=data, examples=examples)
    with writing(run_folder, SPARED):
        resumed = restore(setup, run_folder, files or {})
        agree_on_weights(setup.placement.peers, int(setup.state.next_batch), setup.optimizer.variables_to_train)
        loop = _run(setup, run_folder, resumed, progress=progress)
        result = loop.result("sample" if is_sample else data)
        short = too_short(setup.kind, setup.examples["validation"], result)
        for line in short if progress else ():
            LOG.warning("%s", line)
        result["warnings"] = [*setup.checkpoints.memory.warnings, *short]
        if setup.placement.is_chief:
            write_result(run_folder, result)
            write_kept(run_folder, result)
        setup.placement.meet()  # the first worker, killed before its result is there, needs the others again
        if setup.placement.is_chief and finish is not None:
            finish(result)
    return result


def _run(setup: Setup, run_folder: Path, resumed: bool, *, progress: bool) -> Loop:
    """Takes all steps, again from a checkpoint where the loss is not a number, or has gone up for good."""
    with Interruption() as interruption:
        while True:
            loop = Loop(setup, run_folder, interruption, resumed=resumed, progress=progress)
            try:
                loop.run()
                return loop
            except BlownUpError as error:
                roll_back(setup, run_folder, error)
                resumed = True
            except KeyboardInterrupt as stopped:
                raise Stopped(loop.stopped(), getattr(stopped, "status", INTERRUPTED)) from None
            finally:
                loop.profiler.close()
                loop.progress.close()


class Loop:
    """The steps of a run from where it stands, with a stop at each checkpoint and evaluation, and reports on the way.

    Args:
        setup: the run, restored.
        run_folder: where the chief writes.
        interruption: what Ctrl-C does.
        resumed: whether a checkpoint was restored.
        progress: whether to show how it goes.
    """

    def __init__(
        self, setup: Setup, run_folder: Path, interruption: Interruption, *, resumed: bool, progress: bool
    ) -> None:
        self.setup, self.run_folder, self.interruption, self.resumed = setup, run_folder, interruption, resumed
        self.options, self.state, self.is_chief = setup.config.training, setup.state, setup.placement.is_chief
        self.done = int(self.state.next_batch.numpy())
        self.memory = setup.checkpoints.memory
        self.evaluated = int(self.state.evaluated_step.numpy())
        self.evaluations, self.saves = stops_as_asked(self.options, setup.epochs, setup.total_steps)
        self.run_steps = make_engine(
            setup.placement, setup.step, setup.trained.features["train"], setup.epochs, start=self.done
        )
        self.meter = Meter(
            setup.epochs,
            setup.splits["train"].lengths_in,
            setup.trained.configs,
            only_pooled=getattr(setup.trained.model, "only_pooled", False),
            peak_flops=setup.placement.replicas * peak_flops(self.options.precision),
            state=self.state,
        )
        known = {"resumed_at": self.done, "evaluated_at": self.evaluated} if resumed else {}
        writes_to = run_folder if self.is_chief else None
        self.log = Log(writes_to, **known)
        self.profiler = Profiler(self.options.profile_steps, writes_to)
        self.progress = Progress(setup.total_steps, start=self.done, shown=progress)
        self.every = report_steps(setup.total_steps)
        # What the updates since the last report gave.
        self.window: dict[str, list[float]] = {name: list(found) for name, found in self.memory.window.items()}

    def run(self) -> None:
        """All that there is to do. Raises: BlownUpError; KeyboardInterrupt."""
        self.begin()
        while not self.is_over:
            self.go_to_next_stop()

    def begin(self) -> None:
        """What is due before the first step: an evaluation that was cut off, or that of the weights as they are."""
        if self.is_chief:
            begin_kept(self.run_folder, self.setup.config)
        if self.resumed:
            of_all = "" if self.options.mode == "frozen" else f"step {self.done} of {self.setup.total_steps}"
            self.progress.line(f"resuming from {of_all or 'the head that was solved for'}")
            if not of_all or (self.done in self.evaluations and self.evaluated < self.done):
                self.evaluate()
            return
        setup = self.setup
        for line in updates_as_planned(self.options, setup.examples["train"], setup.total_steps):
            self.progress.line(line)
        self.memory.head = solve_head_as_asked(setup.kind, setup.trained, setup.examples["train"], setup.config)
        if self.memory.head:  # which may be better than what comes of it
            self.evaluate()
        elif self.options.evaluate_first:
            self.watch()

    @property
    def is_over(self) -> bool:
        """Whether all steps are taken, or scores have not become better for as long as is waited."""
        patience = self.options.early_stopping_patience
        out_of_patience = patience is not None and int(self.state.evaluations_since_best.numpy()) >= patience
        return self.done >= self.setup.total_steps or out_of_patience or self.options.mode == "frozen"

    def go_to_next_stop(self) -> None:
        """Steps in one call of the compiled function, as many as there may be, and what is due after them."""
        with self.interruption.held():  # until the weights and what is remembered of them agree
            self.take_steps()
            if self.setup.placement.peers is not None:  # all stop after the same update
                self.interruption.asked = max(self.setup.placement.peers.gather(self.interruption.asked))
            if self.done in self.saves or self.interruption.asked:
                self.save()  # before an evaluation, which may fail and is then made up for
        if self.done in self.evaluations:
            self.evaluate()

    def take_steps(self) -> None:
        """Updates up to the next stop, `training.steps_per_call` at most, and the reports that they make complete."""
        stops = {*self.evaluations, *self.saves, *self.profiler.stops, self.setup.total_steps}
        first = self.done
        self.profiler.before(first)
        count = min(self.options.steps_per_call, min(stop for stop in stops if stop > first) - first)
        began = time.perf_counter()
        reports = self.run_steps(count)
        self.meter.add(first, count, time.perf_counter() - began)
        self.profiler.after(first + count)
        check_losses(self.memory, reports, first, scaled=self.setup.loss_scale is not None)
        self.done += count
        self.state.next_batch.assign(self.done)
        for step in range(first + 1, self.done + 1):
            for name, values in reports.items():
                self.window.setdefault(name, []).append(float(values[step - first - 1]))
            if step % self.every == 0 or step == self.setup.total_steps:
                self.report(step)
        self.progress.update(self.done, loss=float(reports["loss"][-1]))

    def report(self, step: int) -> None:
        """The means since the last report, and the rates."""
        values = {name: float(np.mean(found)) for name, found in self.window.items()}
        values |= {**self.meter.report(), "peak_memory_bytes": peak_memory_bytes()}
        if self.setup.loss_scale is not None:
            values["loss_scale"] = float(self.setup.loss_scale.value.numpy())
        self.log.report(step, values)
        self.window.clear()

    def watch(self) -> Watched:
        """What the weights are worth as they stand, noted and said."""
        self.setup.trained.update_precise()
        found = self.setup.watch()
        self.log.evaluation(self.done, found.scores, loss=found.loss, of_training=found.of_training)
        self.progress.line(f"step {self.done}: {_listed(found.scores)}")
        return found

    def evaluate(self) -> None:
        """Scores the weights, keeps them if they are the best, and notes in the checkpoint that it was done."""
        kind = self.setup.kind
        try:
            score = score_of_first(self.setup.placement.peers, self.watch().scores[kind.main_metric])
        except KeyboardInterrupt:
            self.save()  # the evaluation is made up for
            raise
        with self.interruption.held():
            is_best = self.state.record(score, self.done, greater_is_better=kind.greater_is_better)
            is_kept = is_best or self.options.keep == "last"
            if is_kept:
                self.keep()
            if self.done in self.saves or (is_kept and self.options.mode != "frozen"):
                self.save()

    def keep(self) -> None:
        """Writes the weights as they are to model/, and notes what they are worth."""
        files: Mapping[str, Any] = {}
        if self.is_chief:
            files = self.setup.trained.save(self.run_folder / "model", self.setup.tokenizer, self.setup.optimizer)
        self.memory.kept = Kept(
            step=self.done,
            metrics=self.log.scores_at(self.done),
            validation_loss=self.log.losses.get(self.done),
            files=files,
        )

    def save(self) -> None:
        """Writes a checkpoint, with all that is needed to resume as if nothing had happened."""
        self.meter.store()
        self.memory.window = self.window
        self.setup.checkpoints.save(self.done)

    def stopped(self) -> str:
        """What is said at Ctrl-C: where the run is, and from where it resumes."""
        saved = self.setup.checkpoints.latest_step()
        if self.options.mode == "frozen":  # takes no updates
            kept = "There is no checkpoint of its head yet" if saved is None else "Its head is in a checkpoint"
            return f"stopped. {kept}; the same command {'begins again' if saved is None else 'resumes from there'}"
        kept = "There is no checkpoint yet" if saved is None else f"The last checkpoint is of step {saved}"
        where = "begins again" if saved is None else "resumes from there"
        return f"stopped at step {self.done} of {self.setup.total_steps}. {kept}; the same command {where}"

    def result(self, data: str) -> dict[str, Any]:
        """What stands in result.json. `data`: where the examples are from."""
        setup, overall = self.setup, self.meter.overall()
        kept_step = int(self.state.best_step.numpy()) if self.options.keep == "best" else self.done
        kept = self.memory.kept
        if kept is None or kept.step != kept_step:  # in checkpoints of an earlier version
            kept = Kept(step=kept_step, metrics=self.log.scores_at(kept_step), files={},
                        validation_loss=self.log.losses.get(kept_step))  # fmt: skip
        return {
            "task": setup.config.task,
            "data": data,
            "metrics": dict(kept.metrics),
            "validation_loss": kept.validation_loss,
            "kept_step": kept_step,
            "steps": self.done,
            "seconds": overall.get("seconds"),
            **{f"train_{name}": overall.get(name) for name in ("examples_per_second", "tokens_per_second")},
            **{name: overall.get(name) for name in ("padding_share", "model_flops_utilization")},
            "peak_memory_bytes": peak_memory_bytes(),
            "parameters": setup.trained.parameters(),
            **self.memory.head,
            **of_setup(setup),
        }


def _listed(scores: Mapping[str, float]) -> str:
    """The scores; for one that is undefined, the reason."""
    parts = []
    for name, value in scores.items():
        reason = getattr(value, "reason", "not a number")
        parts.append(f"{name} undefined ({reason})" if math.isnan(value) else f"{name} {value:.4f}")
    return ", ".join(parts)
