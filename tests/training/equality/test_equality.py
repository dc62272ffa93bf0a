"""Every strategy that CPUs can run ends with the weights and the metrics of one device, whatever a run asks for."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, log_loss

import bert_tf.kinds
from bert_tf.config import TrainingConfig
from bert_tf.kinds import Kind
from tests.training import tiny_run
from tests.training.equality import page, starting
from tests.training.equality.rows import BASE, COLUMNS, ROWS, TOLERANCE
from tests.training.equality.tasks import SIZES, TASKS, two_classes
from tests.training.equality.trained import ONE_DEVICE, Apart, Outcome, config_of, train_row

FAST = (("usual", "two_workers"),)
CELLS = [(name, column) for name, row in ROWS.items() for column in row.columns]


def cells(*chosen: tuple[str, str]) -> list:
    return [
        pytest.param(*cell, marks=() if cell in FAST else pytest.mark.slow, id="-".join(reversed(cell)))
        for cell in chosen
    ]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return starting.make_folder(tmp_path_factory.mktemp("equality"))


@pytest.fixture(scope="module")
def outcome(folder: Path, request: pytest.FixtureRequest) -> Callable[[str, str], Outcome]:
    """What a row's training leaves in a column. A column's processes train all rows that are asked of it in this
    session one after another, as most of a process's time is its start."""
    specs = [getattr(item, "callspec", None) for item in request.session.items]
    asked = [spec.params for spec in specs if spec is not None]
    started: set[str] = set()

    def of(name: str, column: str) -> Outcome:
        if column == ONE_DEVICE:
            if not (folder / column / name).exists():
                train_row(folder, column, name)
        elif column not in started:
            started.add(column)
            rows = {each["name"]: None for each in asked if each.get("column") == column and "name" in each}
            starting.train_column(folder, column, list(rows))
        return Outcome.of(folder / column / name)

    return of


@pytest.mark.parametrize(("name", "column"), cells(*CELLS))
def test_weights_and_metrics_are_those_of_one_device(outcome, name, column):
    found, wanted = outcome(name, column), outcome(name, ONE_DEVICE)
    assert (found.result["replicas"], found.result.get("gradient_sum")) == (
        COLUMNS[column].replicas,
        COLUMNS[column].gradient_sum,
    )
    apart = Apart.of(found, wanted, leaves=ROWS[name].leaves)
    assert apart.weights <= ROWS[name].bound, apart
    assert apart.numbers <= ROWS[name].bound, apart


@pytest.mark.parametrize(("name", "column"), cells(*FAST))
def test_an_evaluation_is_of_every_example_once(outcome, folder, name, column):
    """Worked out again from the saved weights, the whole set in one batch, by scikit-learn."""
    from bert_tf.models import BertClassifier

    found = outcome(name, column)
    examples = two_classes().read("own", "validation")
    labels = np.asarray(examples.labels)
    logits = np.array(BertClassifier.from_pretrained(folder / column / name / "model")(batch_of(examples.texts)))
    probabilities = np.exp(logits - np.logaddexp.reduce(logits.astype(np.float64), axis=-1, keepdims=True))
    smoothing = float(ROWS[name].settings.get("training.label_smoothing", 0.0))  # pyright: ignore[reportArgumentType]

    def of(chosen: list[int]) -> dict[str, float]:
        guesses, right = probabilities[chosen].argmax(axis=-1), labels[chosen]
        loss = log_loss(right, probabilities[chosen], labels=[0, 1])
        spread = -np.log(probabilities[chosen]).mean()
        return {
            "accuracy": accuracy_score(right, guesses),
            "f1": f1_score(right, guesses),
            "validation_loss": (1 - smoothing) * loss + smoothing * spread,
        }

    everyone = list(range(SIZES["validation"]))
    wanted = of(everyone)
    said = {key: found.numbers["evaluation", found.result["steps"], key] for key in wanted}
    assert said == pytest.approx(wanted, rel=0, abs=TOLERANCE)
    assert {key: found.numbers["result", found.result["steps"], key] for key in wanted} == said
    # One that is left out, or counted twice, would be seen.
    for number in everyone:
        for others in (everyone[:number] + everyone[number + 1 :], [*everyone, number]):
            assert abs(of(others)["validation_loss"] - wanted["validation_loss"]) > 10 * TOLERANCE


def batch_of(texts) -> dict[str, np.ndarray]:
    """Each word of the tiny vocabulary is a token."""
    vocabulary = [*tiny_run.SPECIAL, *tiny_run.WORDS]
    rows = [[vocabulary.index(word) for word in ("[CLS]", *text.split(), "[SEP]")] for text in texts]
    ids = np.zeros((len(rows), max(map(len, rows))), np.int32)
    for row, found in zip(ids, rows, strict=True):
        row[: len(found)] = found
    return {"token_ids": ids, "segment_ids": np.zeros_like(ids), "padding_mask": np.not_equal(ids, 0).astype(np.int32)}


@pytest.mark.slow
@pytest.mark.parametrize("column", ["two_devices", "two_workers"])
def test_a_sum_that_is_left_out_is_seen(outcome, tmp_path, column):
    folder = starting.make_folder(tmp_path)
    starting.train_column(folder, column, ["usual"], fault="no_sum")
    apart = Apart.of(Outcome.of(folder / column / "usual"), outcome("usual", ONE_DEVICE))
    assert apart.weights > 100 * TOLERANCE
    assert apart.numbers > 100 * TOLERANCE


@pytest.mark.slow
def test_workers_that_score_otherwise_stop_after_the_same_update(outcome, tmp_path):
    """As those of other processors may, by a rounding: the second one alone would train to the end, and wait there."""
    folder = starting.make_folder(tmp_path)
    starting.train_column(folder, "two_workers", ["stopped"], fault="second_worker_scores_otherwise")
    wanted = outcome("stopped", ONE_DEVICE)
    assert wanted.result["steps"] < 12, "or it shows nothing"
    apart = Apart.of(Outcome.of(folder / "two_workers" / "stopped"), wanted)
    assert max(apart.weights, apart.numbers) <= TOLERANCE, apart


def test_every_kind_and_every_setting_that_changes_an_update_has_a_row():
    found = {type(TASKS[row.task]().meant_by(config_of(Path(), ONE_DEVICE, name))) for name, row in ROWS.items()}
    assert {ROWS[name].task for name in ROWS} == set(TASKS)
    modules = pkgutil.walk_packages(bert_tf.kinds.__path__, "bert_tf.kinds.")
    kinds = {
        value
        for module in modules
        for value in vars(importlib.import_module(module.name)).values()
        if inspect.isclass(value) and issubclass(value, Kind) and not inspect.isabstract(value)
    }
    assert found == kinds
    tried = {key.removeprefix("training.") for row in ROWS.values() for key in row.settings}
    tried |= {key.removeprefix("training.") for column in COLUMNS.values() for key in column.settings}
    assert set(TrainingConfig.model_fields) - tried - {key.removeprefix("training.") for key in BASE} == NOT_TRIED


NOT_TRIED = {
    # Numbers in the formula of an update, which every replica has.
    "beta_1", "beta_2", "schedule", "warmup_share", "warmup_steps", "max_steps",
    # What a run says, when it stops and what it keeps.
    "checkpoint_every_steps", "evaluate_first", "meant_for_examples", "profile_steps", "rollbacks", "worker_seconds",
    # For one device; of its threads; how it is repeated, which other tests hold.
    "xla", "threads_per_operation", "deterministic",
}  # fmt: skip


def test_the_page_is_the_table():
    text = page.PAGE.read_text(encoding="utf-8")
    found = page.read(text)
    assert page.render(found) == text, "python -m tests.training.equality.page writes it"
    assert set(found) == set(CELLS)
    for (name, column), apart in found.items():
        assert max(apart) <= ROWS[name].bound, (name, column)
