"""Settings that fit the data: what is found, what stays, and that a run is repeated and resumed as it was."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import pytest

from bert_tf.config import Layer, Needs, RunConfig, read_layer, resolve, to_toml
from bert_tf.config.fitting import FITTED, as_begun, given_keys, settings_that_fit

NEEDS = Needs(updates=200, growth=12, passes=2, learning_rate=3e-4, layer_decay=0.8)


def asked(**training: Any) -> RunConfig:
    return resolve([Layer(origin="test", values={"task": "t", "training": training})])


def fit(config: RunConfig, train: int, *, validation: int = 50, by_hand: tuple[str, ...] = (), **size: Any):
    sizes = {"train": train, "validation": validation}
    return settings_that_fit(config, NEEDS, sizes, by_hand=by_hand, **{"width": 384, **size})


def updates(config: RunConfig, examples: int) -> float:
    return config.training.epochs * examples / config.training.batch_examples


@pytest.mark.parametrize(("examples", "batch", "expected"), [
    (60, 16, 200),  # the floor
    (1000, 16, 12 * 1000**0.5),  # grows with the root
    (80_000, 32, 2 * 80_000 / 32),  # two passes at least
])  # fmt: skip
def test_updates_by_the_number_of_examples(examples: int, batch: int, expected: float):
    config, (line,) = fit(asked(), examples)
    assert config.training.batch_examples == batch
    assert updates(config, examples) == pytest.approx(expected, rel=0.01)
    assert f"{examples:,} training examples" in line
    assert re.search(rf": about [\d,]+ updates of {batch} examples", line)
    assert config.training.meant_for_examples == examples


def test_the_rate_falls_with_the_square_of_the_width_and_random_weights_share_it():
    assert fit(asked(), 60)[0].training.learning_rate == 3e-4
    assert fit(asked(), 60, width=768)[0].training.learning_rate == pytest.approx(7.5e-5)
    assert fit(asked(), 60, width=8)[0].training.learning_rate == 5e-4
    assert fit(asked(), 60)[0].training.layer_decay == 0.8
    assert fit(asked(), 60, is_random=True)[0].training.layer_decay == 1.0


def test_few_examples_begin_from_a_head_that_is_solved_for_at_a_rate_that_leaves_it():
    needs = dataclasses.replace(NEEDS, head_first=500, rate_after_head=5e-5)
    sizes = {"train": 500, "validation": 50}
    asks = {"by_hand": (), "width": 768, "can_solve_head": True}
    config, (line,) = settings_that_fit(asked(), needs, sizes, **asks)
    assert (config.training.mode, config.training.learning_rate) == ("head_first", 1.3e-5)
    assert "from a head that is solved for first" in line
    for other in ({"can_solve_head": False}, {"sizes": {"train": 501, "validation": 50}}, {"needs": NEEDS}):
        found, (line,) = settings_that_fit(asked(), **{"needs": needs, "sizes": sizes, **asks, **other})
        assert (found.training.mode, found.training.learning_rate) == ("fine_tune", 7.5e-5), other
        assert "solved for" not in line
    given, _ = settings_that_fit(asked(mode="fine_tune"), needs, sizes, **asks)
    assert (given.training.mode, given.training.learning_rate) == ("fine_tune", 7.5e-5)
    given, _ = settings_that_fit(asked(mode="head_first"), needs, {"train": 9000}, **asks)
    assert (given.training.mode, given.training.learning_rate) == ("head_first", 1.3e-5)
    assert as_begun(asked(), config, by_hand=()).training.mode == "head_first"


def test_what_is_given_stays():
    config, (line,) = fit(asked(learning_rate=1e-5, epochs=3.0), 300, by_hand=("learning_rate",))
    assert (config.training.learning_rate, config.training.epochs) == (1e-5, 3.0)
    assert config.training.layer_decay == 0.8
    assert "given: epochs, learning_rate" in line
    config, (line,) = fit(asked(max_steps=10), 300, validation=10)
    assert ": 10 updates of 16 examples" in line
    assert config.training.max_steps == 10
    assert config.training.evaluate_every_steps == 1


def test_a_recipe_is_taken_whole_or_set_aside_whole():
    recipe = {"meant_for_examples": 8000, "epochs": 7.0, "learning_rate": 1e-5, "weight_decay": 0.5}
    whole = asked(**recipe)
    assert fit(whole, 1000) == (whole, [])
    assert whole.training.early_stopping_patience is None
    config, (said, _) = fit(whole, 999)
    assert "set aside" in said
    assert config.training.learning_rate == 3e-4
    assert config.training.weight_decay == 0.5  # neither a length nor a rate
    by_hand, _ = fit(whole, 999, by_hand=("epochs",))
    assert (by_hand.training.epochs, by_hand.training.learning_rate) == (7.0, 3e-4)
    limited, _ = fit(asked(**recipe, max_steps=500_000), 999)
    assert limited.training.max_steps is None


def test_scoring_is_never_most_of_the_work_and_patience_never_ends_a_run_before_the_floor():
    often = fit(asked(), 60, validation=60)[0].training
    assert often.evaluate_every_steps == 10
    assert often.early_stopping_patience is None  # 20 of 20 scores
    rarely = fit(asked(), 60, validation=2000)[0].training
    assert rarely.evaluate_every_steps == 100
    long = fit(asked(), 20_000, validation=500)[0].training
    assert long.evaluate_every_steps is not None
    assert long.early_stopping_patience is not None
    assert long.evaluate_every_steps * long.early_stopping_patience >= NEEDS.updates
    assert long.checkpoint_every_steps is not None
    assert long.checkpoint_every_steps % long.evaluate_every_steps == 0


def test_low_precision_is_used_where_nobody_says_which():
    assert fit(asked(), 300)[0].training.precision == "auto"
    assert fit(asked(precision="float32"), 300)[0].training.precision == "float32"
    recipe = asked(meant_for_examples=80_000, precision="mixed_float16")
    assert fit(recipe, 300)[0].training.precision == "mixed_float16"  # neither a length nor a rate
    assert fit(asked(meant_for_examples=300), 300)[0].training.precision == "float32"


def test_nothing_is_found_without_needs_or_examples():
    config = asked()
    assert settings_that_fit(config, None, {"train": 60}, by_hand=(), width=8) == (config, [])
    assert settings_that_fit(config, NEEDS, {"train": 0}, by_hand=(), width=8) == (config, [])


def test_the_run_that_is_written_is_the_run_that_is_repeated(tmp_path):
    config, _ = fit(asked(), 300)
    (tmp_path / "config.toml").write_text(to_toml(config), encoding="utf-8")
    again = resolve([read_layer(tmp_path / "config.toml")])
    assert again == config
    assert fit(again, 300) == (again, [])


@pytest.mark.parametrize("recipe", [
    {},
    {"learning_rate": 1e-5},
    {"meant_for_examples": 8000, "epochs": 7.0, "max_steps": 500_000},
    {"meant_for_examples": 300, "epochs": 7.0},
])  # fmt: skip
def test_a_run_resumes_with_what_it_found(recipe: dict[str, Any]):
    begun, _ = fit(asked(**recipe), 300, by_hand=())
    if begun.training.precision == "auto":  # a run's file has what its machine made of it
        begun = begun.model_copy(update={"training": begun.training.model_copy(update={"precision": "mixed_bfloat16"})})
    assert as_begun(asked(**recipe), begun, by_hand=()) == begun


def test_what_is_asked_by_hand_is_asked_of_a_run_that_is_there():
    begun, _ = fit(asked(), 300)
    longer = as_begun(asked(epochs=50.0), begun, by_hand=("epochs",))
    assert longer.training.epochs == 50.0
    assert longer.training.learning_rate == begun.training.learning_rate
    recipe = {"meant_for_examples": 8000, "epochs": 7.0}
    begun, _ = fit(asked(**recipe), 300)
    assert as_begun(asked(**recipe | {"epochs": 9.0}), begun, by_hand=("epochs",)).training.epochs == 9.0


def test_keys_of_a_task_count_as_given():
    layers = [Layer(origin="--set", values={"training": {"seed": 1, "epochs": 2.0}, "seed": 3})]
    assert given_keys({"training": {"layer_decay": 0.5}}, layers) == {"seed", "epochs", "layer_decay"}


def test_every_key_is_one_of_training():
    assert set(FITTED) <= set(type(asked().training).model_fields)
