"""Settings that fit the data: what is used for the keys of [training] that nobody gave, from the number of examples."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from bert_tf.config.run import Layer, RunConfig

FITTED = (
    "mode",
    "batch_examples",
    "epochs",
    "learning_rate",
    "layer_decay",
    "warmup_share",
    "evaluate_every_steps",
    "checkpoint_every_steps",
    "early_stopping_patience",
    "standardize_numbers",
)
"""Keys of [training] that are found here where neither the task nor the recipe nor the flags give them."""

FEWER = 8  # a recipe found with this many times the examples is not for these
MEASURED_WIDTH = 384  # of the model that the rates were measured with
HIGHEST_RATE = 5e-4
MANY = 5000  # examples
CHECKPOINTS = 4


@dataclass(frozen=True, kw_only=True)
class Needs:
    """What a kind of task takes to learn, measured with MiniLM.

    Args:
        updates: the least number of updates, however few examples there are.
        growth: updates for the square root of the number of examples, where that is more.
        passes: the least number of passes over the examples, where that is more.
        learning_rate: for a model 384 wide; wider ones get less, by the square of the width, so that BERT-base and
            BERT-large get about what their authors give (Devlin et al., 2019, appendix A.3).
        layer_decay: factor on the rate for each layer further from the output; 1 for random weights.
        batch_examples: examples an update, for few examples and, from 5,000 on, for many.
        evaluations: how often to score on the way, where that is not most of the work.
        evaluation_cost: of scoring an example, in forward passes.
        standardize_numbers: whether labels are numbers, of any size.
        head_first: examples up to which a head is solved for before anything is trained, where the backbone can have
            one (training.mode).
        rate_after_head: the learning rate for such a head, for a model 384 wide. What it was solved for is lost at the
            rate that a random head needs.
    """

    updates: int = 200
    growth: float = 12.0
    passes: float = 2.0
    learning_rate: float = 3e-4
    layer_decay: float = 0.8
    batch_examples: tuple[int, int] = (16, 32)
    evaluations: int = 20
    evaluation_cost: float = 1.0
    standardize_numbers: bool = False
    head_first: int = 0
    rate_after_head: float = 1e-4

    def batch(self, examples: int) -> int:
        """Examples an update."""
        return self.batch_examples[examples >= MANY]

    def updates_for(self, examples: int, batch_examples: int) -> int:
        """Updates for so many examples.

        >>> [Needs().updates_for(examples, 16) for examples in (60, 1000, 50_000)]
        [200, 380, 6250]
        """
        return math.ceil(max(self.updates, self.growth * math.sqrt(examples), self.passes * examples / batch_examples))

    def rate(self, width: int, *, mode: str = "fine_tune") -> float:
        """The learning rate for a model of this width, to two digits.

        >>> [Needs().rate(width) for width in (128, 384, 768, 1024)]
        [0.0005, 0.0003, 7.5e-05, 4.2e-05]
        """
        measured = self.rate_after_head if mode == "head_first" else self.learning_rate
        return float(f"{min(measured * (MEASURED_WIDTH / width) ** 2, HIGHEST_RATE):.1e}")


def given_keys(defaults: Mapping[str, Any], layers: Collection[Layer]) -> frozenset[str]:
    """The keys of [training] that a task's defaults or the flags' layers give.

    >>> sorted(given_keys({"training": {"epochs": 2.0}}, [Layer(origin="--set", values={"seed": 1})]))
    ['epochs']
    """
    sections = (values.get("training", {}) for values in (defaults, *(layer.values for layer in layers)))
    return frozenset(key for section in sections if isinstance(section, Mapping) for key in section)


def is_set_aside(config: RunConfig, examples: int) -> bool:
    """Whether the recipe's lengths and rates were found with far more examples than there are."""
    meant = config.training.meant_for_examples
    return meant is not None and examples < meant / FEWER


def settings_that_fit(
    config: RunConfig,
    needs: Needs | None,
    sizes: Mapping[str, int],
    *,
    by_hand: Collection[str],
    width: int,
    is_random: bool = False,
    can_solve_head: bool = False,
) -> tuple[RunConfig, list[str]]:
    """The run with every key of `FITTED` decided; and in low precision where the hardware is faster with it, as it was
    measured.

    A key that the task, the recipe or the flags give stays. A recipe that says how many examples it was found with
    (`training.meant_for_examples`) is taken whole: nothing is added to it; but where there are less than an eighth of
    them, its lengths and rates are set aside, and found here. The run then says how many examples it is for, so that
    its config.toml, given as a recipe, is taken whole too.

    Args:
        config: the run that is asked for; which keys were given, it knows (`model_fields_set`).
        needs: the kind's; None: its runs have no number of examples to go by, and nothing is found.
        sizes: split -> number of examples; "train" is needed.
        by_hand: keys of [training] that the task or the flags give, which hold in any case.
        width: of the model.
        is_random: whether the backbone's weights are random.
        can_solve_head: whether a head can be solved for on the backbone, and it has none of its own.
    Returns: the run, and lines that say what was found; none where nothing was.
    """
    training, examples = config.training, sizes["train"]
    if needs is None or not examples:
        return config, []
    aside = is_set_aside(config, examples)
    if training.meant_for_examples is not None and not aside:
        return config, []
    given = frozenset(by_hand) if aside else training.model_fields_set
    is_solved = can_solve_head and examples <= needs.head_first
    found: dict[str, Any] = {
        "mode": "head_first" if is_solved else "fine_tune",
        "batch_examples": needs.batch(examples),
    }
    mode = training.mode if "mode" in given else found["mode"]
    batch = training.batch_examples if "batch_examples" in given else found["batch_examples"]
    updates = needs.updates_for(examples, batch)
    found["epochs"] = max(round(updates * batch / examples, 2), 0.01)
    if "epochs" in given or ("max_steps" in given and training.max_steps is not None):
        epochs = training.epochs if "epochs" in given else math.inf
        updates = math.ceil(min(epochs * examples / batch, training.max_steps or math.inf))
    found |= {
        "learning_rate": needs.rate(width, mode=mode),
        "layer_decay": 1.0 if is_random else needs.layer_decay,
        "warmup_share": 0.1,
        "standardize_numbers": needs.standardize_numbers,
        **_stops(needs, updates, batch, examples=sum(sizes.values()) - examples, floor=needs.updates),
    }
    if "evaluate_every_steps" in given:  # what would go by it stays as it was
        found |= {"checkpoint_every_steps": None, "early_stopping_patience": None}
    chosen = {key: value for key, value in found.items() if key not in given}
    if aside and "max_steps" not in given:
        chosen["max_steps"] = None
    if not chosen:
        return config, []
    if "precision" not in training.model_fields_set:
        chosen["precision"] = "auto"
    chosen["meant_for_examples"] = examples
    fitted = config.model_copy(update={"training": training.model_copy(update=chosen)})
    return fitted, _said(fitted, updates, examples, sorted(set(FITTED) & set(given)), aside=aside)


def as_begun(config: RunConfig, begun: RunConfig, *, by_hand: Collection[str]) -> RunConfig:
    """The run that is asked for, with what the one in the folder found for the keys that nobody gave.

    So a run is resumed with its own settings, without reading its examples again.
    """
    asked, there = config.training, begun.training
    recipe_is_whole = asked.meant_for_examples is not None
    if recipe_is_whole and asked.meant_for_examples == there.meant_for_examples:
        return config
    given = frozenset(by_hand) if recipe_is_whole else asked.model_fields_set
    taken = {key: getattr(there, key) for key in (*FITTED, "max_steps") if key not in given}
    if "precision" not in asked.model_fields_set:
        taken["precision"] = there.precision
    taken["meant_for_examples"] = there.meant_for_examples
    return config.model_copy(update={"training": asked.model_copy(update=taken)})


def _stops(needs: Needs, updates: int, batch: int, *, examples: int, floor: int) -> dict[str, int | None]:
    """When to score and save: often enough to see a curve, unless scoring would be half the work.

    A forward pass is a third of an update's work for an example. Patience is a third of the run, and never ends it
    before the floor.
    """
    affordable = 1.5 * updates * batch / max(examples * needs.evaluation_cost, 1.0)
    evaluations = min(needs.evaluations, max(int(affordable), 2), updates)
    every = math.ceil(updates / evaluations)
    patience = max(math.ceil(evaluations / 3), math.ceil(floor / every))
    return {
        "evaluate_every_steps": every,
        "checkpoint_every_steps": every * math.ceil(evaluations / CHECKPOINTS),
        "early_stopping_patience": patience if patience < evaluations and evaluations >= needs.evaluations else None,
    }


def _said(config: RunConfig, updates: int, examples: int, given: list[str], *, aside: bool) -> list[str]:
    training = config.training
    passes = updates * training.batch_examples / examples
    lines = []
    if aside:
        lines.append("the recipe's length and rates are for far more examples than there are, and are set aside")
    patience = training.early_stopping_patience
    # How many texts fill a row shows when they are tokenised.
    steps = f"{'about ' * (training.max_steps is None)}{updates:,} updates"
    lines.append(
        f"settings for {examples:,} training examples: {steps} of {training.batch_examples} examples "
        f"({passes:.3g} passes), learning rate {training.learning_rate:g}, layer decay {training.layer_decay:g}"
        + (", from a head that is solved for first" if training.mode == "head_first" else "")
        + (f", scored every {training.evaluate_every_steps}" if training.evaluate_every_steps else "")
        + (f", stopped after {patience} scores that are no better" if patience else "")
        + (f" (given: {', '.join(given)})" if given else "")
        + ". --set training.KEY=VALUE changes them"
    )
    return lines
