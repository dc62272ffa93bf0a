"""What the commands share: flags, errors as one line, what is said, where data is. Imports nothing heavy."""

from bert_tf.command_line.in_python import arguments_named, check_backend, own_randomness
from bert_tf.command_line.parser import (
    Parser,
    add_model_settings,
    add_precision,
    add_reading_flags,
    add_task,
    answer_settings,
    model_settings,
    reading_layer,
    reading_of,
    run_layers,
    with_reading,
)
from bert_tf.command_line.places import check_writable, default_run_folder, find_data, matches, with_training_data
from bert_tf.command_line.process import run_command, start_tensorflow
from bert_tf.command_line.saying import LEVELS, is_said, say, set_verbosity
from bert_tf.command_line.train_flags import train_parser

__all__ = [
    "LEVELS",
    "Parser",
    "add_model_settings",
    "add_precision",
    "add_reading_flags",
    "add_task",
    "answer_settings",
    "arguments_named",
    "check_backend",
    "check_writable",
    "default_run_folder",
    "find_data",
    "is_said",
    "matches",
    "model_settings",
    "own_randomness",
    "reading_layer",
    "reading_of",
    "run_command",
    "run_layers",
    "say",
    "set_verbosity",
    "start_tensorflow",
    "train_parser",
    "with_reading",
    "with_training_data",
]
