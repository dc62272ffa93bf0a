"""What a run is: typed, validated, read from TOML and overridden by `--set section.key=value`.

The layers, later ones win: the defaults below, the task's own defaults, the recipe (`configs/<task>.toml` or
`--config`), the flags. The resolved run is written to the run folder and reads back equal.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tomli_w
from pydantic import BaseModel, Field, ValidationError

from bert_tf.config.messages import check_keys, explain
from bert_tf.config.own_data import OwnDataConfig
from bert_tf.config.pretraining import PretrainingConfig
from bert_tf.config.sections import (
    DataConfig,
    EvaluationConfig,
    ModelConfig,
    Section,
    TrainingConfig,
    entry,
)
from bert_tf.errors import UserError
from bert_tf.guard import parse_toml, read_text, short

LARGEST_BYTES = 1 << 20
# Values of data.source that are no places.
SAMPLE = "sample"  # the sentences bundled with the library
OWN = "own"  # where the task's source itself says: in memory, or at a hub


class RunConfig(Section):
    """A whole run, and what stands in a run folder's config.toml."""

    task: str = Field(description="name of a file in tasks/, or the path of your own")
    backbone: str = entry(
        "minilm",
        "minilm, a folder, hf://org/name, kaggle://..., keras_hub://..., or a size for random weights",
    )
    vocabulary: str | None = entry(
        None,
        "for random weights: a vocab.txt, a folder of bert_tf.vocabulary, or a checkpoint whose words to use; none: "
        "minilm's, uncased English",
    )
    seed: Annotated[int, Field(ge=0, lt=2**31)] = entry(1, "of the order of examples, new weights and dropout")
    model: ModelConfig = Field(default_factory=ModelConfig)
    data: DataConfig = Field(default_factory=DataConfig)
    own_data: OwnDataConfig = Field(default_factory=OwnDataConfig)
    pretraining: PretrainingConfig = Field(default_factory=PretrainingConfig)
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
        values = parse_toml(read_text(path, largest=LARGEST_BYTES), path)
    except OSError as error:
        raise UserError(f"{path}: cannot read this config: {error}") from None
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
            raise UserError(f"--set expects section.key=value, such as training.epochs=2. Received: {short(setting)}")
        node: Any = _parse_value(text.strip())
        for part in reversed(parts):
            node = {part: node}
        _merge(values, node)
    return Layer(origin="--set", values=values)


def dotted_layer(origin: str, settings: Mapping[str, Any]) -> Layer:
    """Makes a layer of values by key, `{"training.epochs": 2}`, or nested as in a recipe; both may be mixed."""
    values: dict[str, Any] = {}
    for key, value in settings.items():
        node: Any = value
        for part in reversed(key.split(".")):
            node = {part: node}
        _merge(values, node)
    return Layer(origin=origin, values=values)


def to_toml(config: RunConfig) -> str:
    """The whole run as TOML, every key written out; of own data only where the task is made of them."""
    values = config.model_dump()
    if config.own_data.kind is None:
        del values["own_data"]
    return tomli_w.dumps(_to_toml_value(values))


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
        if isinstance(field.annotation, type(BaseModel)):  # Python 3.10 takes tuple[str, ...] for a class
            described |= keys_and_meanings(field.annotation, f"{prefix}{name}.")
        else:
            default = None if field.is_required() else field.default
            described[f"{prefix}{name}"] = (default, field.description or "")
    return described


def _parse_value(text: str) -> Any:
    try:
        values = parse_toml(f"value = {text}", "--set")
    except UserError:
        return text
    return values["value"] if set(values) == {"value"} else text


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
