from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from bert_tf.config import (
    Layer,
    RunConfig,
    keys_and_meanings,
    override_layer,
    read_config,
    read_layer,
    resolve,
    to_toml,
)
from bert_tf.config.run import differences
from bert_tf.errors import UserError

TASK = Layer(origin="--task", values={"task": "sst2"})


def settings(*given: str) -> RunConfig:
    return resolve([TASK, override_layer(given)])


def test_defaults():
    config = settings()
    assert config == RunConfig(task="sst2")
    assert (config.backbone, config.seed, config.training.epochs, config.training.clip_norm) == ("minilm", 1, 3.0, 1.0)
    assert config.data.source is None
    assert config.training.class_weights is None


def test_later_layers_win_and_leave_other_keys_of_a_section_alone(tmp_path):
    recipe = tmp_path / "recipe.toml"
    recipe.write_text("seed = 5\n[training]\nepochs = 2\nlearning_rate = 1e-4\n")
    defaults = Layer(origin="task", values={"seed": 4, "training": {"epochs": 9, "xla": True}})
    config = resolve([defaults, TASK, read_layer(recipe), override_layer(["training.learning_rate=2e-4"])])
    assert (config.seed, config.training.epochs, config.training.xla) == (5, 2.0, True)
    assert config.training.learning_rate == 2e-4


def test_overrides_are_toml_values_and_bare_words_are_strings():
    config = settings(
        "training.class_weights=[1, 2.5]", "backbone=hf://google/bert", 'data.batching="packed"', "training.xla=true",
        "training.clip_norm=none", "data.source=a=b",
    )  # fmt: skip
    assert config.training.class_weights == (1.0, 2.5)
    assert (config.backbone, config.data.batching, config.data.source) == ("hf://google/bert", "packed", "a=b")
    assert config.training.xla is True
    assert config.training.clip_norm is None


@pytest.mark.parametrize(
    "given",
    [
        (),
        ("training.clip_norm=none", "training.max_steps=7", "training.class_weights=[0.5, 3]"),
        ("training.class_weights=balanced", 'data.source=C:\\data "x" é', "training.learning_rate=3.3e-5"),
    ],
)
def test_the_resolved_run_reads_back_equal(given, tmp_path):
    config = settings(*given)
    file = tmp_path / "config.toml"
    file.write_text(to_toml(config), encoding="utf-8")
    assert read_config(file) == config


def test_a_run_cannot_be_changed():
    with pytest.raises(Exception, match="frozen"):
        settings().training.epochs = 4  # pyright: ignore[reportAttributeAccessIssue]


def test_differences_name_the_key_and_both_values():
    assert differences(settings("seed=3"), settings("training.epochs=2")) == {
        "seed": (3, 1),
        "training.epochs": (3.0, 2.0),
    }


@pytest.mark.parametrize(
    ("given", "parts"),
    [
        ("training.learing_rate=1", ["--set: unknown key 'training.learing_rate'",
            "mean 'training.learning_rate'?", "keys of [training]: epochs, max_steps"]),
        ("learning_rate=1", ["Did you mean 'training.learning_rate'?", "Known keys of the top level: task, backbone"]),
        ("trainin.epochs=1", ["unknown key 'trainin'", "Did you mean 'training'?"]),
        ("training.epochs=-1", ["--set: 'training.epochs' must be greater than 0. Received: -1"]),
        ("training.epochs=inf", ["'training.epochs' must be a finite number. Received: inf"]),
        ("training.batch_examples=8.5", ["'training.batch_examples' must be a valid integer", "Received: 8.5"]),
        ("training.batch_examples=true", ["'training.batch_examples' must be a valid integer. Received: True"]),
        (
            "training.profile_steps=15..10",
            ["'training.profile_steps' must be two numbers of updates that rise", "such as 10..15. Received: '15..10'"],
        ),
        ("training.profile_steps=soon", ["'training.profile_steps' must be two numbers of updates"]),
        ("training.xla=1", ["'training.xla' must be a valid boolean. Received: 1"]),
        ("training.label_smoothing=1.0", ["'training.label_smoothing' must be less than 1. Received: 1.0"]),
        ("training.schedule=cos", ["'training.schedule' must be 'linear', 'cosine' or 'constant'. Received: 'cos'"]),
        ("training.class_weights=even", ["'training.class_weights' must be", "'balanced'. Received: 'even'"]),
        ("training.class_weights=[1, -1]", ["'training.class_weights' must be", "greater than 0", "Received: [1, -1]"]),
        ("training=fast", ["'training' is a section, with the keys training.epochs", "Received: 'fast'"]),
        ("training.epochs", ["--set expects section.key=value", "Received: 'training.epochs'"]),
        ("=3", ["--set expects section.key=value", "Received: '=3'"]),
    ],
)  # fmt: skip
def test_a_wrong_setting_is_named_with_its_rule_and_value(given, parts):
    with pytest.raises(UserError) as caught:
        settings(given)
    message = str(caught.value)
    assert [part for part in parts if part not in message] == []
    assert "\n" not in message


def test_errors_name_the_file_that_set_the_value(tmp_path):
    recipe = tmp_path / "recipe.toml"
    recipe.write_text("[training]\nepochs = 0\n")
    with pytest.raises(UserError, match=r"recipe\.toml: 'training\.epochs' must be greater than 0\. Received: 0"):
        resolve([TASK, read_layer(recipe)])
    recipe.write_text("[optimizer]\nlr = 1\n")
    with pytest.raises(UserError, match=r"recipe\.toml: unknown key 'optimizer'"):
        resolve([TASK, read_layer(recipe)])


@pytest.mark.parametrize(
    ("content", "expected"),
    [(b"seed = \n", "expected TOML"), (b"seed = '\xff'\n", "expected UTF-8"), (None, "No such file")],
)
def test_a_config_that_cannot_be_read(content, expected, tmp_path):
    recipe = tmp_path / "recipe.toml"
    if content is not None:
        recipe.write_bytes(content)
    with pytest.raises(UserError, match=f"recipe.toml: .*{expected}"):
        read_layer(recipe)


def test_every_key_has_a_meaning():
    described = keys_and_meanings()
    assert "training.learning_rate" in described
    assert len(described) > 30
    assert [key for key, (_, meaning) in described.items() if not meaning] == []


def test_the_recipes_of_the_repository_are_valid():
    recipes = list((Path(__file__).parents[2] / "configs").glob("*.toml"))
    assert recipes
    for recipe in recipes:
        resolve([TASK, read_layer(recipe)])
        assert recipe.read_text(encoding="utf-8").startswith("# python -m bert_tf.train --task="), recipe


# Names of files and of other formats' keys that look like settings.
NO_SETTINGS = {
    "model.byte_fallback",
    "model.fuse_unk",
    "model.inputs",
    "model.keras",
    "model.max_input_chars_per_word",
    "model.merges",
    "model.outputs",
    "model.safetensors",
    "model.unk_id",
    "model.unk_token",
    "model.vocab",
    "model.weights",
    "data.pkl",
    # modules of bert_tf/models
    "pretraining.discriminator",
    "pretraining.masked_lm",
    "pretraining.replaced_tokens",
}


def messages(path: Path) -> Iterator[tuple[int, str]]:
    """Line and text of a file's strings, docstrings left out."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    docstrings = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.lineno, node.value


def test_every_setting_that_a_message_names_is_there():
    known = set(keys_and_meanings())
    sections = "|".join(sorted({key.split(".")[0] for key in known if "." in key}))
    named = re.compile(rf"(?<![\w./])(?:{sections})\.[a-z][a-z_0-9]*\b(?!\(|\[)")  # no calls of a `model` in Python
    found = {}
    for path in sorted((Path(__file__).parents[2] / "bert_tf").rglob("*.py")):
        for line, text in messages(path):
            found |= dict.fromkeys(named.findall(text), f"{path.name}:{line}")
    assert len(set(found) & known) > 10  # messages do name settings, or the test reads nothing
    assert {name: place for name, place in found.items() if name not in known | NO_SETTINGS} == {}
