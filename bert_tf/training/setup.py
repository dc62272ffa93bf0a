"""What a run is built from, in the order in which it is built. What is done with it stands in `loop.py`."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import keras
import numpy as np
import tensorflow as tf

from bert_tf import __version__
from bert_tf.config import DataConfig, RunConfig, TrainingConfig
from bert_tf.data import BatchPlans, Features, Stream, plan_batches
from bert_tf.errors import UserError
from bert_tf.machine.precision import choose_precision
from bert_tf.machine.threads import parts_at_once, set_threads
from bert_tf.models.pretrained import config_of
from bert_tf.training.asked import freeze_as_asked, schedule_as_asked, standardize_as_asked
from bert_tf.training.checkpoints.folder import CheckpointFolder
from bert_tf.training.checkpoints.state import State
from bert_tf.training.checkpoints.tensors import Checkpoints
from bert_tf.training.examples import read_examples, tokenised
from bert_tf.training.optimizers.adamw import AdamW, layer_multipliers
from bert_tf.training.optimizers.lamb import Lamb
from bert_tf.training.optimizers.loss_scale import LossScale
from bert_tf.training.optimizers.schedule import Schedule
from bert_tf.training.reports.history import History, check_same_examples, described
from bert_tf.training.step import TrainStep
from bert_tf.training.strategy import Placement, join_workers, make_placement
from bert_tf.training.trained_model import TrainedModel
from bert_tf.training.watching import Loss, watcher_of
from bert_tf.training.workers.agreement import agree_on_examples, agree_on_settings

if TYPE_CHECKING:
    from bert_tf.kinds.base import Kind, Watched
    from bert_tf.kinds.examples import Examples
    from bert_tf.text import Tokenizer

MANY_UNKNOWN = 0.1
CHECKPOINTS = "checkpoints"  # of a run folder
LOG = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, eq=False)
class Setup:
    """All that a run works with.

    Args:
        config: the resolved run, its precision decided.
        kind: the task, as the run wants it.
        placement: the strategy, and this process's part in it.
        tokenizer: of the model that is trained.
        examples: split -> what was read.
        splits: split -> the same, tokenised.
        history: what the run began with; the schedules that it has had are not in yet.
        epochs: the batches of all epochs.
        total_steps: updates of the whole run.
        schedule: of the learning rate, for a run of this length.
        trained: the model.
        optimizer: holds the weights to train.
        loss_scale: for float16, or None.
        state: what is remembered besides weights and moments.
        checkpoints: of the model, the optimizer and the state; nothing is restored yet.
        step: one update.
        watch: gives the metrics of `trained.precise` as it stands then, and what is drawn next to them.
    """

    config: RunConfig
    kind: Kind
    placement: Placement
    tokenizer: Tokenizer
    examples: Mapping[str, Examples]
    splits: Mapping[str, Features | Stream]
    history: History
    epochs: BatchPlans
    total_steps: int
    schedule: Schedule
    trained: TrainedModel
    optimizer: AdamW
    loss_scale: LossScale | None
    state: State
    checkpoints: Checkpoints
    step: TrainStep
    watch: Callable[[], Watched]


def set_up(
    config: RunConfig, kind: Kind, run_folder: Path, *, data: str, examples: Mapping[str, Examples] | None = None
) -> Setup:
    """Builds a run; writes nothing into its folder.

    Args: as of `bert_tf.training.loop.train`.
    Raises: UserError for data, weights or settings that cannot be used.
    """
    config = _with_precision(config)
    kind = kind.configured(config)
    options = config.training
    placement = _prepare_machine(options, hidden_dim=_width(config), seed=config.seed)
    agree_on_settings(placement.peers, config.model_dump(mode="json"), ours=__version__)

    # Data: the whole set is tokenised once, so that epochs can be planned from the lengths.
    tokenizer = kind.tokenizer_of(config)
    if examples is None:
        examples = read_examples(config, kind, data=data)
    splits = tokenised(kind, tokenizer, examples, config.data)
    _say_unknown(splits["train"], tokenizer)
    _say_cut(kind, splits, config)
    history = _history(run_folder, splits, options, place=data)
    epochs = _plan(splits["train"], config.data, options, placement, steps=history.planned_steps, seed=config.seed)
    total_steps = epochs.number_of_batches(options.epochs)
    if options.max_steps is not None:
        total_steps = min(total_steps, options.max_steps)
    agree_on_examples(placement.peers, history.examples, updates=total_steps)

    # Weights: --backbone's or random ones, until those of a checkpoint are restored over them.
    schedule = schedule_as_asked(options, total_steps)
    model = kind.build_model(config)
    freeze_as_asked(model, options)
    whole_tables = options.optimizer == "lamb"  # it looks at the norm of a whole table
    trained = TrainedModel(model, splits, placement.strategy, trim=kind.trims_vocabulary and not whole_tables)
    if options.standardize_numbers:
        is_new = model.not_loaded is None or any(path.startswith("classifier/") for path in model.not_loaded)
        standardize_as_asked(kind, trained, examples["train"], head_is_new=is_new)
    optimizer, loss_scale = _optimizer(trained, schedule, options, placement)
    state = State()
    checkpoints = Checkpoints(
        run_folder / CHECKPOINTS,
        list(trained.trainable.values()),
        optimizer,
        state,
        extra={"loss_scale": loss_scale} if loss_scale else None,
        writes=placement.is_chief,
    )
    loss = _loss(kind, options, examples["train"])
    return Setup(
        config=config,
        kind=kind,
        placement=placement,
        tokenizer=tokenizer,
        examples=examples,
        splits=splits,
        history=history,
        epochs=epochs,
        total_steps=total_steps,
        schedule=schedule,
        trained=trained,
        optimizer=optimizer,
        loss_scale=loss_scale,
        state=state,
        checkpoints=checkpoints,
        step=TrainStep(
            trained.model,
            loss,
            optimizer,
            seed=config.seed,
            accumulation_steps=options.accumulation_steps,
            clip_norm=options.clip_norm,
            loss_scale=loss_scale,
            reduction=placement.reduction(options.gradient_sum),
            xla=options.xla,
            at_once=1 if options.xla or placement.local > 1 else parts_at_once(trained.config.hidden_dim),
            parts=kind.loss_parts,
            compared=kind.compared_fields,
        ),
        watch=watcher_of(kind, config, trained, tokenizer, examples, loss),
    )


def _with_precision(config: RunConfig) -> RunConfig:
    """The run with "auto" resolved, so that a model is built in what the machine is fastest with."""
    precision = choose_precision(config.training.precision)
    return config.model_copy(update={"training": config.training.model_copy(update={"precision": precision})})


def _width(config: RunConfig) -> int:
    return config_of(config.backbone, ignore=config.model.ignore).hidden_dim


def _prepare_machine(options: TrainingConfig, *, hidden_dim: int, seed: int) -> Placement:
    """Threads, seeds and the strategy: what holds for the whole process."""
    cluster, peers = join_workers(options.strategy, seconds=options.worker_seconds)
    parts = 1 if options.xla else parts_at_once(hidden_dim)
    set_threads(options.threads_per_operation, hidden_dim, parts=parts)
    keras.utils.set_random_seed(seed)
    if options.deterministic:
        tf.config.experimental.enable_op_determinism()
    placement = make_placement(options.strategy, cluster, peers)
    if options.xla and placement.name != "one_device":
        raise UserError(f"training.xla is for one device; a TPU compiles by itself. Received: {placement.name}")
    return placement


def _say_unknown(train: Features | Stream, tokenizer: Tokenizer) -> None:
    """Warns of a vocabulary that is not the texts'."""
    unknown = train.share_of(tokenizer.unk_id)
    if unknown > MANY_UNKNOWN:
        LOG.warning(
            "%.0f %% of the tokens are %s: is this the text's vocabulary?",
            100 * unknown,
            tokenizer.special_tokens["unk_token"],
        )


def _say_cut(kind: Kind, splits: Mapping[str, Features | Stream], config: RunConfig) -> None:
    """Warns of texts that are longer than a row."""
    positions = config.model.max_positions or config_of(config.backbone, ignore=config.model.ignore).max_positions
    warning = kind.cut_warning(splits, sequence_length=config.data.sequence_length, positions=positions)
    if warning is not None:
        LOG.warning("%s", warning)


def _history(
    run_folder: Path, splits: Mapping[str, Features | Stream], options: TrainingConfig, *, place: str
) -> History:
    """What the run in the folder began with, or what it begins with now. Raises: UserError for other examples."""
    now = {split: described(part) for split, part in splits.items()}
    memory = CheckpointFolder(run_folder / CHECKPOINTS).memory()
    began = History.from_json(memory.history) if memory and memory.history else History.read(run_folder)
    if began is not None:
        check_same_examples(began, now, place)
        return began
    steps = min(options.epochs * len(splits["train"]) / options.batch_examples, options.max_steps or math.inf)
    return History(examples=now, planned_steps=steps)


def _plan(
    features: Features | Stream,
    options: DataConfig,
    training: TrainingConfig,
    placement: Placement,
    *,
    steps: float,
    seed: int,
) -> BatchPlans:
    """The batches of all epochs."""
    batching = options.batching
    if batching == "auto" and (training.xla or not placement.takes_any_shape):
        batching = "packed"  # a step is compiled for each shape, so there had better be one
    return plan_batches(
        features,
        training.batch_examples,
        batching=batching,
        divisor=placement.replicas * training.accumulation_steps,
        pack_length=options.pack_length,
        steps=steps,
        seed=seed,
    )


def _optimizer(
    trained: TrainedModel, schedule: Schedule, options: TrainingConfig, placement: Placement
) -> tuple[AdamW, LossScale | None]:
    """The optimizer of the weights to train and, for float16, the loss's scale: variables of the strategy."""
    with placement.strategy.scope():
        optimizer = (Lamb if options.optimizer == "lamb" else AdamW)(
            trained.trainable,
            schedule,
            weight_decay=options.weight_decay,
            beta_1=options.beta_1,
            beta_2=options.beta_2,
            epsilon=options.epsilon,
            multipliers=layer_multipliers(trained.trainable, options.layer_decay, trained.config.num_blocks),
        )
        return optimizer, LossScale() if options.precision == "mixed_float16" else None


def _loss(kind: Kind, options: TrainingConfig, examples: Examples) -> Loss:
    """The kind's loss, as asked. Raises: UserError for class weights that do not go with the examples."""
    class_weights: Sequence[float] | None = kind.class_weights(options.class_weights, examples)
    if options.standardize_numbers:
        class_weights = (1.0 / np.square(kind.numbers_in(examples)[1])).tolist()
    return lambda outputs, batch: kind.per_example_loss(
        outputs, batch, label_smoothing=options.label_smoothing, class_weights=class_weights
    )
