"""The sections of a run's settings: every key, its default and what it means."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

Count = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0.0, lt=1.0)]
Positive = Annotated[float, Field(gt=0.0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0.0, allow_inf_nan=False)]
Precision = Literal["auto", "float32", "mixed_bfloat16", "mixed_float16"]
PRECISIONS = get_args(Precision)


def _checked_steps(value: str) -> str:
    first, dots, last = value.partition("..")
    if not dots or not (first.isdecimal() and last.isdecimal()) or not 1 <= int(first) <= int(last):
        raise ValueError("two numbers of updates that rise, from 1 on, such as 10..15")
    return value


Steps = Annotated[str, AfterValidator(_checked_steps)]

FOUND = "not given: found from the number of examples"


def entry(default: Any, meaning: str) -> Any:
    return Field(default, description=meaning)


class Section(BaseModel):
    """A frozen group of keys. TOML has no null: the word "none" stands for it, where a key may be empty."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    @model_validator(mode="before")
    @classmethod
    def _from_toml(cls, values: Any) -> Any:
        if not isinstance(values, Mapping):
            return values
        return {key: _from_toml_value(cls, key, value) for key, value in values.items()}


class ModelConfig(Section):
    """[model]: what may differ from the checkpoint's own configuration."""

    hidden_dropout: Share | None = entry(
        None,
        "share of hidden values dropped in training; none: as the checkpoint says",
    )
    attention_dropout: Share | None = entry(
        None,
        "share of attention weights dropped in training; none: as the checkpoint says",
    )
    max_positions: Count | None = entry(
        None,
        "positions of the model; none: as the checkpoint says. Where they are more than the checkpoint's, its position "
        "vectors are repeated for the new ones (Beltagy et al., 2020), and training continues from there",
    )
    initializer_range: Positive | None = entry(
        None,
        "deviation of new weights; none: as the checkpoint says, or 0.02",
    )
    position_initializer: Literal["random", "sinusoidal"] | None = entry(
        None,
        "what new learned positions start from; none: random. From sinusoidal ones a model with random weights learns "
        "to look at neighbours many times sooner",
    )
    recompute: bool = entry(
        False,
        "compute each block's activations again in the backward pass: less memory, a third more time",
    )
    new_weights: Literal["warn", "forbid"] = entry(
        "warn",
        "weights that the backbone lacks, such as a new head; warn: they start at random, and a warning names them; "
        "forbid: an error",
    )
    extra_weights: Literal["warn", "forbid"] = entry(
        "warn",
        "weights of the backbone's file that the model has no place for, such as other heads; warn: a warning names "
        "them; forbid: an error",
    )
    ignore: tuple[str, ...] = entry(
        (),
        "parts of the backbone's files to leave out although they change answers: keys of config.json, names or "
        "patterns of tensors, adapter_config.json",
    )
    lowercase: bool | None = entry(
        None,
        "lower-case texts; none: as the backbone's or vocabulary's files say, or else as the vocabulary looks",
    )
    ignore_tokenizer: tuple[str, ...] = entry(
        (),
        "settings of the tokenizer's files to leave out although they change how text is split",
    )


class DataConfig(Section):
    """[data]: which data, and how examples become batches."""

    source: str | None = entry(
        None,
        "what --data gave: a folder or file, tfds:NAME, hf:NAME or sample; none: $BERT_TF_DATA/<task>, else the sample",
    )
    sequence_length: Annotated[int, Field(ge=3)] | None = entry(
        None,
        "most tokens of an example, special ones included; none: the task's own",
    )
    long_texts: Literal["cut", "windows"] | None = entry(
        None,
        "for classes, numbers and vectors, what becomes of texts longer than sequence_length; cut: their first tokens "
        "are read; windows: all of them, in windows that overlap, of whose answers one is made; none: the task's own",
    )
    window_overlap: Annotated[float, Field(ge=0.0, le=0.5)] | None = entry(
        None,
        "share of a window that it has in common with the one before; none: the task's own",
    )
    max_windows: Count | None = entry(
        None,
        "most windows of a text; what is behind them is cut; none: the task's own",
    )
    language: str | None = entry(
        None,
        "of answers, summaries and translations, by which metrics tell words: a code of ISO 639-1; none: the task's",
    )
    batching: Literal["auto", "packed", "bucketed", "padded"] = entry(
        "auto",
        "packed: several examples a row; bucketed: rows of like length; padded: to sequence_length; auto: packed, or "
        "bucketed where long examples make that faster on a CPU",
    )
    pack_length: Annotated[int, Field(ge=3)] | None = entry(
        None,
        "tokens in a packed row; none: chosen from the lengths in the data",
    )
    skip_bad_rows: bool = entry(
        False,
        "leave out and count rows that cannot be read, where the default is to stop at the first",
    )
    bad_rows_share: Annotated[float, Field(ge=0.0, le=1.0)] = entry(
        0.01,
        "of a file's rows, the most that data.skip_bad_rows may leave out; with more, the run stops",
    )
    store: Literal["auto", "memory", "disk"] = entry(
        "auto",
        "where tokenised training examples are; memory; disk: in data.cache, made once, mapped into memory, for more "
        "than can be held; auto: disk where there are more than a million, or their texts have more than 2^29 "
        "characters, and the kind of task allows it. Batches and weights are the same",
    )
    cache: str | None = entry(
        None,
        "folder for data.store, which a second run finds again; none: bert_tf in $XDG_CACHE_HOME or ~/.cache",
    )
    encoding: str | None = entry(
        None,
        "of text files, as Python names it: cp1252, gb18030, utf-16, ...; none: UTF-8, or what a byte order mark says",
    )


class TrainingConfig(Section):
    """[training]: the optimizer, its schedule, and where and how long to train.

    `bert_tf.config.fitting` finds some of the keys from the number of examples, where nobody gives them.
    """

    epochs: Positive = entry(3.0, f"passes over the training data; a fraction is allowed; {FOUND}")
    max_steps: Count | None = entry(None, "stop after this many updates; none: when the epochs are done")
    batch_examples: Count = entry(32, f"examples per update, over all replicas and accumulated micro-batches; {FOUND}")
    accumulation_steps: Count = entry(1, "micro-batches that a replica adds up before an update")
    optimizer: Literal["adamw", "lamb"] = entry(
        "adamw",
        "adamw, or lamb for large batches (You et al., 2020)",
    )
    learning_rate: Positive = entry(5e-5, f"the highest learning rate, reached after the warm-up; {FOUND}")
    schedule: Literal["linear", "cosine", "constant"] = entry("linear", "how the learning rate falls after the warm-up")
    warmup_share: Share = entry(0.06, f"share of all updates in which the learning rate rises from 0; {FOUND}")
    warmup_steps: Annotated[int, Field(ge=0)] | None = entry(None, "updates of warm-up, instead of warmup_share")
    weight_decay: NotNegative = entry(0.01, "decoupled decay; never on biases and norms")
    beta_1: Share = entry(0.9, "decay of the first moment")
    beta_2: Share = entry(0.999, "decay of the second moment")
    epsilon: Positive = entry(1e-8, "added to the root of the second moment")
    layer_decay: Annotated[float, Field(gt=0.0, le=1.0)] = entry(
        1.0,
        f"factor on the learning rate for each layer further from the output; {FOUND}",
    )
    freeze_embeddings: bool = entry(
        False,
        "leave the token, segment and position vectors and their norm as they are; a head tied to the token vectors "
        "too",
    )
    frozen_blocks: Annotated[int, Field(ge=0)] = entry(
        0,
        "encoder blocks that stay as they are, counted from the input; usually with freeze_embeddings=true",
    )
    clip_norm: Positive | None = entry(
        1.0,
        "largest global norm of the gradient, after the sum over replicas; none: no clipping",
    )
    label_smoothing: Share = entry(0.0, "share of the target spread evenly over all classes")
    class_weights: tuple[Positive, ...] | Literal["balanced"] | None = entry(
        None,
        'weight of each class in the loss, in the order of the classes; "balanced": inverse to how often it occurs',
    )
    precision: Precision = entry(
        "float32",
        "Keras dtype policy; softmax, norms and loss stay float32; auto: mixed_bfloat16 where the hardware has it",
    )
    xla: bool = entry(False, "compile the training step with XLA")
    steps_per_call: Count = entry(1, "updates in one call of the compiled function")
    threads_per_operation: Count | None = entry(
        None,
        "threads of a CPU operation; none: half the cores, but all of them for wide models that XLA compiles",
    )
    strategy: Literal["auto", "one_device", "mirrored", "multi_worker", "tpu", "parameter_server"] = entry(
        "auto",
        "tf.distribute strategy; auto: from the devices and TF_CONFIG",
    )
    gradient_sum: Literal["auto", "float32", "bfloat16"] = entry(
        "auto",
        "how gradients are summed up over replicas; auto: in memory that the workers of one machine share, else sent "
        "in float32; float32, bfloat16: sent as that; bfloat16 is half as many bytes, and 8 of 24 bits of each number",
    )
    worker_seconds: Positive = entry(600.0, "how long a worker waits for another one, to join or to take an update")
    evaluate_first: bool = entry(False, "also evaluate before the first update")
    evaluate_every_steps: Count | None = entry(None, f"updates between evaluations; none: after each epoch; {FOUND}")
    checkpoint_every_steps: Count | None = entry(
        None, f"updates between checkpoints; none: at each evaluation; {FOUND}"
    )
    early_stopping_patience: Count | None = entry(
        None,
        f"evaluations without a better score before stopping; none: never; {FOUND}",
    )
    rollbacks: Annotated[int, Field(ge=0)] = entry(
        3,
        "times that a run whose loss is not a number, or stays a thousand times higher than at its beginning, returns "
        "to a checkpoint, each time with half the learning rate; then it stops",
    )
    keep: Literal["best", "last"] = entry(
        "best",
        "which weights end in model/: the best by the task's metric, or the last",
    )
    profile_steps: Steps | None = entry(
        None,
        "updates to profile, such as 10..15, for TensorBoard's plugin (extra `profile`); none: none",
    )
    deterministic: bool = entry(False, "bit-identical runs on the same machine, somewhat slower")
    meant_for_examples: Count | None = entry(
        None,
        "training examples that the lengths and rates here were found with; with less than an eighth of them, others "
        "are found. None: any number",
    )
    standardize_numbers: bool = entry(
        False,
        "for tasks of numbers: those that are far from 1 are learnt in standard deviations from the training examples' "
        f"mean, so that thousands are learnt as well; answers, and what is saved, are in their own units; {FOUND}",
    )
    mode: Literal["fine_tune", "frozen", "head_first"] = entry(
        "fine_tune",
        "fine_tune: all weights are trained; frozen: the backbone stays as it is, what it gives is computed once, and "
        "a head is solved for, in seconds; head_first: that, and then all weights are trained (Kumar et al., 2022); "
        f"{FOUND}",
    )


class EvaluationConfig(Section):
    """[evaluation]: how a model is scored, and what else of it is looked at."""

    batch_examples: Count = entry(64, "examples in a batch of evaluation and prediction")
    train_examples: Annotated[int, Field(ge=0)] | None = entry(
        None,
        "training examples that each evaluation scores too, to be drawn next to the validation set's; 0: none; none: "
        "0.06 times those learnt from between two evaluations, at least 32 and at most 256",
    )
    diagnosed_examples: Annotated[int, Field(ge=0)] = entry(
        2000,
        "validation examples whose answers are looked at when training is over, at most, for mistakes, figures and "
        "tables; 0: none",
    )
    report: bool | None = entry(
        None,
        "write a report page, its figures and a model card when training ends; none: yes, unless the environment says "
        "BERT_TF_REPORT=0",
    )

    @property
    def writes_report(self) -> bool:
        """Whether a training is to end with a report."""
        return os.environ.get("BERT_TF_REPORT", "1") != "0" if self.report is None else self.report


def _from_toml_value(section: type[BaseModel], key: str, value: Any) -> Any:
    if isinstance(value, list):
        return tuple(value)
    field = section.model_fields.get(key)
    if field is not None and value == "none" and type(None) in get_args(field.annotation):
        return None
    return value
