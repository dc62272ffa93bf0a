"""What a run is: typed, validated, read from TOML and overridden by `--set section.key=value`.

The layers, later ones win: the defaults below, the task's own defaults, the recipe (`configs/<task>.toml` or
`--config`), the flags. The resolved run is written to the run folder and reads back equal.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from bert_tf.config_errors import check_keys, explain
from bert_tf.errors import UserError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # pyright: ignore[reportMissingImports]

# Values of data.source that are no places.
SAMPLE = "sample"  # the sentences bundled with the library
OWN = "own"  # where the task's source itself says: in memory, or at a hub

Count = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0.0, lt=1.0)]
Positive = Annotated[float, Field(gt=0.0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0.0, allow_inf_nan=False)]


def _key(default: Any, meaning: str) -> Any:
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

    hidden_dropout: Share | None = _key(
        None,
        "share of hidden values dropped in training; none: as the checkpoint says",
    )
    attention_dropout: Share | None = _key(
        None,
        "share of attention weights dropped in training; none: as the checkpoint says",
    )
    recompute: bool = _key(
        False,
        "compute each block's activations again in the backward pass: less memory, a third more time",
    )


class DataConfig(Section):
    """[data]: which data, and how examples become batches."""

    source: str | None = _key(
        None,
        "what --data gave: a folder or file, tfds:NAME, hf:NAME or sample; none: $BERT_TF_DATA/<task>, else the sample",
    )
    sequence_length: Annotated[int, Field(ge=3)] | None = _key(
        None,
        "most tokens of an example, special ones included; none: the task's own",
    )
    batching: Literal["auto", "packed", "bucketed", "padded"] = _key(
        "auto",
        "packed: several examples a row; bucketed: rows of like length; padded: to sequence_length; auto: the "
        "fastest measured",
    )
    pack_length: Annotated[int, Field(ge=3)] | None = _key(
        None,
        "tokens in a packed row; none: chosen from the lengths in the data",
    )
    skip_bad_rows: bool = _key(
        False,
        "leave out and count rows that cannot be read, where the default is to stop at the first",
    )


class TrainingConfig(Section):
    """[training]: the optimizer, its schedule, and where and how long to train."""

    epochs: Positive = _key(3.0, "passes over the training data; a fraction is allowed")
    max_steps: Count | None = _key(None, "stop after this many updates; none: when the epochs are done")
    batch_examples: Count = _key(32, "examples an update, over all replicas and accumulated micro-batches")
    accumulation_steps: Count = _key(1, "micro-batches a replica adds up before an update")
    learning_rate: Positive = _key(5e-5, "the highest learning rate, reached after the warm-up")
    schedule: Literal["linear", "cosine", "constant"] = _key("linear", "how the learning rate falls after the warm-up")
    warmup_share: Share = _key(0.06, "share of all updates in which the learning rate rises from 0")
    warmup_steps: Annotated[int, Field(ge=0)] | None = _key(None, "updates of warm-up, instead of warmup_share")
    weight_decay: NotNegative = _key(0.01, "decoupled decay; never on biases and norms")
    beta_1: Share = _key(0.9, "AdamW's decay of the first moment")
    beta_2: Share = _key(0.999, "AdamW's decay of the second moment")
    epsilon: Positive = _key(1e-8, "AdamW's epsilon")
    layer_decay: Annotated[float, Field(gt=0.0, le=1.0)] = _key(
        1.0,
        "factor on the learning rate for each layer further from the output",
    )
    clip_norm: Positive | None = _key(
        1.0,
        "largest global norm of the gradient, after the sum over replicas; none: no clipping",
    )
    label_smoothing: Share = _key(0.0, "share of the target spread evenly over all classes")
    class_weights: tuple[Positive, ...] | Literal["balanced"] | None = _key(
        None,
        'weight of each class in the loss, in the order of the classes; "balanced": inverse to how often it occurs',
    )
    precision: Literal["auto", "float32", "mixed_bfloat16", "mixed_float16"] = _key(
        "float32",
        "Keras dtype policy; softmax, norms and loss stay float32; auto: mixed_bfloat16 where the hardware has it",
    )
    xla: bool = _key(False, "compile the training step with XLA")
    steps_per_call: Count = _key(1, "updates in one call of the compiled function")
    threads_per_operation: Count | None = _key(
        None,
        "threads of a CPU operation; none: half the cores for models up to 512 wide, else TensorFlow's default",
    )
    strategy: Literal["auto", "one_device", "mirrored", "multi_worker", "tpu", "parameter_server"] = _key(
        "auto",
        "tf.distribute strategy; auto: from the devices and TF_CONFIG",
    )
    evaluate_every_steps: Count | None = _key(None, "updates between evaluations; none: after each epoch")
    checkpoint_every_steps: Count | None = _key(None, "updates between checkpoints; none: at each evaluation")
    early_stopping_patience: Count | None = _key(
        None,
        "evaluations without a better score before stopping; none: never",
    )
    keep: Literal["best", "last"] = _key(
        "best",
        "which weights end in model/: the best by the task's metric, or the last",
    )
    deterministic: bool = _key(False, "bit-identical runs on the same machine, somewhat slower")


class EvaluationConfig(Section):
    """[evaluation]"""

    batch_examples: Count = _key(64, "examples in a batch of evaluation and prediction")


class RunConfig(Section):
    """A whole run, and what stands in a run folder's config.toml."""

    task: str = Field(description="name of a file in tasks/, or the path of one's own")
    backbone: str = _key(
        "minilm",
        "minilm, a folder, hf://org/name, kaggle://..., or a size (tiny ... large) for random weights",
    )
    vocabulary: str | None = _key(
        None,
        "for random weights: a vocab.txt, a folder of bert_tf.vocabulary, or a checkpoint whose words to use; none: "
        "minilm's, uncased English",
    )
    seed: Annotated[int, Field(ge=0, lt=2**31)] = _key(1, "of the order of examples, new weights and dropout")
    model: ModelConfig = Field(default_factory=ModelConfig)
    data: DataConfig = Field(default_factory=DataConfig)
    training: TrainingConfig = Field(default_factory=TrainingConfig)
    evaluation: EvaluationConfig = Field(default_factory=EvaluationConfig)


@dataclass(frozen=True, kw_only=True)
class Layer:
    """Some of a run's keys as a nested dict, and where they came from (for errors)."""

    origin: str
    values: Mapping[str, Any]


def resolve(layers: Iterable[Layer]) -> RunConfig:
    """Lays `layers` over the defaults, later ones winning.

    Raises: UserError naming an unknown key, the known ones and the nearest; or a wrong value, its key and the rule.
    """
    layers = list(layers)
    merged: dict[str, Any] = {}
    for layer in layers:
        check_keys(RunConfig, layer.values, layer.origin)
        _merge(merged, layer.values)
    try:
        return RunConfig.model_validate(merged)
    except ValidationError as error:
        raise UserError(explain(RunConfig, error, [(layer.origin, layer.values) for layer in layers])) from None


def read_layer(path: Path) -> Layer:
    """Reads one TOML file. Raises: UserError if it cannot be read or parsed."""
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot read this config: {error}") from None
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"{path}: expected TOML. Received: {error}") from None
    return Layer(origin=str(path), values=values)


def read_config(path: Path) -> RunConfig:
    """Reads a resolved run, as `write_config` left it."""
    return resolve([read_layer(path)])


def override_layer(settings: Sequence[str]) -> Layer:
    """Makes a layer of `--set` values, each `a.b=c` with c in TOML syntax; bare words are strings."""
    values: dict[str, Any] = {}
    for setting in settings:
        key, equals, text = setting.partition("=")
        parts = [part.strip() for part in key.split(".")]
        if not equals or not all(parts):
            raise UserError(f"--set expects section.key=value, such as training.epochs=2. Received: {setting!r}")
        node: Any = _parse_value(text.strip())
        for part in reversed(parts):
            node = {part: node}
        _merge(values, node)
    return Layer(origin="--set", values=values)


def to_toml(config: RunConfig) -> str:
    """The whole run as TOML, every key written out."""
    return tomli_w.dumps(_to_toml_value(config.model_dump()))


def flat(config: BaseModel, prefix: str = "") -> dict[str, Any]:
    """`{"training.epochs": 3.0, ...}`"""
    keys: dict[str, Any] = {}
    for name in type(config).model_fields:
        value = getattr(config, name)
        keys |= flat(value, f"{prefix}{name}.") if isinstance(value, BaseModel) else {f"{prefix}{name}": value}
    return keys


def differences(first: RunConfig, second: RunConfig) -> dict[str, tuple[Any, Any]]:
    """The keys in which two runs differ, with both values."""
    one, other = flat(first), flat(second)
    return {key: (one[key], other[key]) for key in one if one[key] != other[key]}


def keys_and_meanings(section: type[BaseModel] = RunConfig, prefix: str = "") -> dict[str, tuple[Any, str]]:
    """Every key, with its default (None: required or empty) and what it means."""
    described: dict[str, tuple[Any, str]] = {}
    for name, field in section.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            described |= keys_and_meanings(field.annotation, f"{prefix}{name}.")
        else:
            default = None if field.is_required() else field.default
            described[f"{prefix}{name}"] = (default, field.description or "")
    return described


def _parse_value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _from_toml_value(section: type[BaseModel], key: str, value: Any) -> Any:
    if isinstance(value, list):
        return tuple(value)
    field = section.model_fields.get(key)
    if field is not None and value == "none" and type(None) in get_args(field.annotation):
        return None
    return value


def _to_toml_value(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _to_toml_value(item) for key, item in value.items()}
    return "none" if value is None else list(value) if isinstance(value, tuple) else value


def _merge(into: dict[str, Any], values: Mapping[str, Any]) -> None:
    for key, value in values.items():
        if isinstance(value, Mapping) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = {} if isinstance(value, Mapping) else value
            if isinstance(value, Mapping):
                _merge(into[key], value)
