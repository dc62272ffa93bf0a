"""What a run is: its settings, read from TOML and from the command line, checked, and compared with a run begun."""

from bert_tf.config.fitting import Needs
from bert_tf.config.own_data import OwnDataConfig, own_flags
from bert_tf.config.pretraining import PretrainingConfig
from bert_tf.config.run import (
    OWN,
    SAMPLE,
    Layer,
    RunConfig,
    dotted_layer,
    keys_and_meanings,
    override_layer,
    read_config,
    read_layer,
    resolve,
    to_toml,
)
from bert_tf.config.sections import PRECISIONS, DataConfig, EvaluationConfig, ModelConfig, TrainingConfig

__all__ = [
    "OWN",
    "PRECISIONS",
    "SAMPLE",
    "DataConfig",
    "EvaluationConfig",
    "Layer",
    "ModelConfig",
    "Needs",
    "OwnDataConfig",
    "PretrainingConfig",
    "RunConfig",
    "TrainingConfig",
    "dotted_layer",
    "keys_and_meanings",
    "override_layer",
    "own_flags",
    "read_config",
    "read_layer",
    "resolve",
    "to_toml",
]
