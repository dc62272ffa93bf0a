"""The training loop. It reads top to bottom: data, strategy, weights, steps, report."""

from __future__ import annotations

import logging
import math
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf

from bert_tf.config import RunConfig
from bert_tf.data import Features, Stream, plan_batches
from bert_tf.data.batching.plan import Batching
from bert_tf.errors import UserError
from bert_tf.models.pretrained import config_of
from bert_tf.training.asked import freeze_as_asked, schedule_as_asked, stops_as_asked
from bert_tf.training.checkpoints import Checkpoints, State
from bert_tf.training.engine import make_engine
from bert_tf.training.optimizers.adamw import AdamW, layer_multipliers
from bert_tf.training.optimizers.lamb import Lamb
from bert_tf.training.optimizers.loss_scale import LossScale
from bert_tf.training.precision import choose_precision
from bert_tf.training.reports.flops import peak_flops
from bert_tf.training.reports.history import History, check_same_examples, described
from bert_tf.training.reports.meter import Meter
from bert_tf.training.reports.reporting import Log, Progress, peak_memory_bytes, versions, write_result, write_whole
from bert_tf.training.step import TrainStep
from bert_tf.training.strategy import make_placement
from bert_tf.training.threads import set_threads
from bert_tf.training.trained_model import TrainedModel

if TYPE_CHECKING:
    from bert_tf.kinds.base import Kind
    from bert_tf.kinds.examples import Examples

REPORT_STEPS = 50
MANY_UNKNOWN = 0.1
LOG = logging.getLogger(__name__)


def train(
    config: RunConfig, kind: Kind, run_folder: Path, *, data: str, is_sample: bool = False, settings: str | None = None
) -> dict[str, Any]:
    """Trains a run to its end, from wherever it stands, and returns what stands in its result.json.

    Args:
        config: the resolved run.
        kind: the task.
        run_folder: where checkpoints, model, logs and result go; there already, and writable.
        data: where the task's data is, as `kind.read` takes it.
        is_sample: whether that is the sample bundled with the library; noted in the result.
        settings: what config.toml is to say from now on, once the run is found to be one that `config` may resume;
            None: it stays.
    Raises: UserError for data, weights or settings that cannot be used, and if the loss is not a number.
    """
    precision = choose_precision(config.training.precision)
    config = config.model_copy(update={"training": config.training.model_copy(update={"precision": precision})})
    options = config.training
    set_threads(options.threads_per_operation, config_of(config.backbone, ignore=config.model.ignore).hidden_dim)
    kind = kind.configured(config)
    keras.utils.set_random_seed(config.seed)
    if options.deterministic:
        tf.config.experimental.enable_op_determinism()
    placement = make_placement(options.strategy)
    if options.xla and placement.name != "one_device":
        raise UserError(f"training.xla is for one device; a TPU compiles by itself. Received: {placement.name}")

    # Data: the whole set is tokenised once, so that epochs can be planned from the lengths.
    tokenizer = kind.tokenizer_of(config)
    examples: dict[str, Examples] = {}
    splits: dict[str, Features | Stream] = {}
    for split in ("train", *kind.scored_splits):
        examples[split] = kind.read(data, split, skip_bad_rows=config.data.skip_bad_rows)
        splits[split] = kind.features(tokenizer, examples[split], sequence_length=config.data.sequence_length)
        if not examples[split].is_labelled:
            raise UserError(f"{data}: the split {split} has no labels, and training needs them")
    unknown = splits["train"].share_of(tokenizer.unk_id)
    if unknown > MANY_UNKNOWN:
        LOG.warning(
            "%.0f %% of the tokens are %s: is this the text's vocabulary?",
            100 * unknown,
            tokenizer.special_tokens["unk_token"],
        )
    began, described_now = History.read(run_folder), {split: described(part) for split, part in splits.items()}
    if began is not None:
        check_same_examples(began, described_now, data)
    asked_steps = min(options.epochs * len(splits["train"]) / options.batch_examples, options.max_steps or math.inf)
    began = began or History(examples=described_now, planned_steps=asked_steps)
    epochs = plan_batches(
        splits["train"],
        options.batch_examples,
        batching=config.data.batching if placement.takes_any_shape and not options.xla else _of_one_shape(config),
        divisor=placement.replicas * options.accumulation_steps,
        pack_length=config.data.pack_length,
        steps=began.planned_steps,
        seed=config.seed,
    )
    total_steps = epochs.number_of_batches(options.epochs)
    if options.max_steps is not None:
        total_steps = min(total_steps, options.max_steps)

    # Weights: those of this run's last checkpoint win, then --backbone's, then random ones.
    is_lamb = options.optimizer == "lamb"  # it looks at whole tables
    schedule = schedule_as_asked(options, total_steps)
    model = kind.build_model(config)
    freeze_as_asked(model, options)
    trained = TrainedModel(model, splits, placement.strategy, trim=kind.trims_vocabulary and not is_lamb)
    with placement.strategy.scope():
        optimizer = (Lamb if is_lamb else AdamW)(
            trained.trainable,
            schedule,
            weight_decay=options.weight_decay,
            beta_1=options.beta_1,
            beta_2=options.beta_2,
            epsilon=options.epsilon,
            multipliers=layer_multipliers(trained.trainable, options.layer_decay, trained.config.num_layers),
        )
        loss_scale = LossScale() if options.precision == "mixed_float16" else None
    state = State()
    checkpoints = Checkpoints(
        run_folder / "checkpoints",
        list(trained.trainable.values()),
        optimizer,
        state,
        extra={"loss_scale": loss_scale} if loss_scale else None,
        writes=placement.is_chief,
    )
    resumed = checkpoints.restore()
    done = int(state.next_batch.numpy())
    if done > total_steps:
        raise UserError(
            f"{run_folder} has taken {done} updates already, more than the {total_steps} of training.epochs="
            f"{options.epochs:g} and training.max_steps={options.max_steps or 'none'}. Give a fresh --run, or as many"
        )
    began = began.with_schedule(done, schedule)
    optimizer.schedules = began.schedules
    if placement.is_chief:
        (run_folder / "result.json").unlink(missing_ok=True)  # first, or a run cut off here would seem finished
        if settings is not None:
            write_whole(run_folder / "config.toml", settings)
        began.write(run_folder)

    # Steps.
    class_weights = kind.class_weights(options.class_weights, examples["train"])
    step = TrainStep(
        trained.model,
        lambda outputs, batch: kind.per_example_loss(
            outputs, batch, label_smoothing=options.label_smoothing, class_weights=class_weights
        ),
        optimizer,
        seed=config.seed,
        accumulation_steps=options.accumulation_steps,
        clip_norm=options.clip_norm,
        loss_scale=loss_scale,
        xla=options.xla,
        parts=kind.loss_parts,
    )
    run_steps = make_engine(placement, step, trained.features["train"], epochs, start=done)
    score = kind.scorer_of_splits(
        trained.precise, tokenizer, trained.features, examples, batch_examples=config.evaluation.batch_examples
    )
    peak = placement.replicas * peak_flops(options.precision)
    only_pooled = getattr(trained.model, "only_pooled", False)
    meter = Meter(
        epochs, splits["train"].lengths_in, trained.config, only_pooled=only_pooled, peak_flops=peak, state=state
    )
    evaluated = int(state.evaluated_step.numpy())
    known = {"resumed_at": done, "evaluated_at": evaluated} if resumed else {}
    log = Log(run_folder if placement.is_chief else None, **known)
    progress = Progress(total_steps, start=done)
    if resumed:
        progress.line(f"going on from step {done} of {total_steps}")
    window: list[dict[str, np.ndarray]] = []
    evaluations, saves = stops_as_asked(options, epochs, total_steps)

    def scores_now() -> dict[str, float]:
        trained.update_precise()
        return score()

    def evaluate() -> None:
        scores = scores_now()
        log.write("evaluation", done, scores)
        progress.line(f"step {done}: {_listed(scores)}")
        is_best = state.record(scores[kind.main_metric], done, greater_is_better=kind.greater_is_better)
        if placement.is_chief and (is_best or options.keep == "last"):
            trained.save(run_folder / "model", tokenizer, optimizer)
        if done in saves:
            checkpoints.save(done)

    try:
        if resumed and done in evaluations and evaluated < done:
            evaluate()
        if options.evaluate_first and not resumed:
            log.write("evaluation", 0, scores := scores_now())
            progress.line(f"step 0: {_listed(scores)}")
        while done < total_steps and not _out_of_patience(state, options.early_stopping_patience):
            next_stop = min(stop for stop in {*evaluations, *saves, _next_report(done, total_steps)} if stop > done)
            count = min(options.steps_per_call, next_stop - done)
            began = time.perf_counter()
            reports = run_steps(count)
            meter.add(done, count, time.perf_counter() - began)
            window.append(reports)
            _check_numbers(reports, done, checkpoints, scaled=loss_scale is not None)
            done += count
            state.next_batch.assign(done)
            progress.update(done, loss=float(reports["loss"][-1]))
            if done == _next_report(done - 1, total_steps):
                values = {name: float(np.concatenate([part[name] for part in window]).mean()) for name in reports}
                log.write("train", done, values | meter.report())
                window.clear()
            if done in saves:  # before an evaluation, which may fail and is then made up for
                meter.store()
                checkpoints.save(done)
            if done in evaluations:
                evaluate()
    finally:
        progress.close()

    # Report.
    kept_step = int(state.best_step.numpy()) if options.keep == "best" else done
    overall = meter.overall()
    result = {
        "task": config.task,
        "data": "sample" if is_sample else data,
        "metrics": log.scores_at(kept_step),
        "kept_step": kept_step,
        "steps": done,
        "seconds": overall.get("seconds"),
        "train_examples_per_second": overall.get("examples_per_second"),
        "train_tokens_per_second": overall.get("tokens_per_second"),
        "padding_share": overall.get("padding_share"),
        "model_flops_utilization": overall.get("model_flops_utilization"),
        "peak_memory_bytes": peak_memory_bytes(),
        "parameters": trained.parameters(),
        "train_examples": len(splits["train"]),
        "bad_rows": {split: part.bad_rows + getattr(splits[split], "bad_rows", 0) for split, part in examples.items()},
        "bad_row_reasons": {split: dict(part.bad_row_reasons) for split, part in examples.items()},
        "precision": precision,
        "strategy": placement.name,
        "replicas": placement.replicas,
        "seed": config.seed,
        "versions": versions(),
    }
    if placement.is_chief:
        write_result(run_folder, result)
    return result


def _listed(scores: dict[str, float]) -> str:
    """The scores; of one that there is none of, the reason."""
    parts = []
    for name, value in scores.items():
        reason = getattr(value, "reason", "not a number")
        parts.append(f"{name} undefined ({reason})" if math.isnan(value) else f"{name} {value:.4f}")
    return ", ".join(parts)


def _of_one_shape(config: RunConfig) -> Batching:
    """How batches are made where a step is compiled for each shape."""
    return "packed" if config.data.batching == "auto" else config.data.batching


def _next_report(done: int, total_steps: int) -> int:
    return min((done // REPORT_STEPS + 1) * REPORT_STEPS, total_steps)


def _out_of_patience(state: State, patience: int | None) -> bool:
    return patience is not None and int(state.evaluations_since_best.numpy()) >= patience


def _check_numbers(reports: dict[str, np.ndarray], done: int, checkpoints: Checkpoints, *, scaled: bool) -> None:
    """Raises: UserError at the first update whose loss, or gradient unless a loss scale mends it, is not a number."""
    bad = ~np.isfinite(reports["loss"])
    if not scaled:
        bad |= ~np.isfinite(reports["gradient_norm"])
    if bad.any():
        at = int(np.argmax(bad))
        raise UserError(
            f"step {done + at + 1}: the loss is {reports['loss'][at]} and the gradient's norm "
            f"{reports['gradient_norm'][at]}; training has stopped. Last good checkpoint: {checkpoints.latest()}. "
            "A lower training.learning_rate, a longer warm-up or float32 usually helps"
        )
