"""The training step: XLA, precisions, numbers that are none."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from bert_tf.data import Epochs, Features, choose_layout, replica_batches
from bert_tf.models import BertClassifier, BertConfig, weights_by_path
from bert_tf.training.optimizers.adamw import AdamW
from bert_tf.training.optimizers.loss_scale import LossScale
from bert_tf.training.optimizers.schedule import Schedule
from bert_tf.training.step import TrainStep
from bert_tf.training.workers import reduction
from tests.rest_slow import rest_slow

CONFIG = BertConfig(
    vocabulary_size=30,
    hidden_dim=8,
    num_layers=2,
    num_heads=2,
    intermediate_dim=16,
    max_positions=32,
    hidden_dropout=0.0,
    attention_dropout=0.0,
    initializer_range=0.3,
)


def loss(outputs: tf.Tensor, batch: dict[str, tf.Tensor]) -> tf.Tensor:
    return tf.nn.sparse_softmax_cross_entropy_with_logits(batch["labels"], outputs)


@pytest.fixture
def batches() -> list[dict[str, tf.Tensor]]:
    rng = np.random.default_rng(1)
    lengths = rng.integers(3, 12, size=24)
    splits = np.concatenate([[0], np.cumsum(lengths)])
    features = Features(
        token_ids=rng.integers(1, 30, size=splits[-1]).astype(np.int32),
        segment_ids=np.zeros(splits[-1], np.int8),
        splits=splits,
        labels=rng.integers(0, 2, size=24).astype(np.int32),
    )
    layout = choose_layout(lengths, 8, batching="packed", divisor=2, pack_length=24)
    epochs = Epochs.of(lengths, layout, seed=1)
    number = epochs.number_of_batches(1)
    return [
        {name: tf.constant(value) for name, value in block.items()}
        for block in replica_batches(features, epochs, stop=number)
    ]


def make(precision: str = "float32", config: BertConfig = CONFIG, **options: Any) -> TrainStep:
    keras.utils.set_random_seed(5)
    model = BertClassifier(config, 2, dtype=precision)
    variables = {path: variable.value for path, variable in weights_by_path(model).items()}
    optimizer = AdamW(variables, Schedule(peak=1e-2, total_steps=50, shape="constant"), weight_decay=0.01)
    return TrainStep(model, loss, optimizer, **options)


def losses(step: TrainStep, batches: list[dict[str, tf.Tensor]], rounds: int = 1) -> np.ndarray:
    run = tf.function(step)
    return np.array([float(run(batch)["loss"]) for _ in range(rounds) for batch in batches])


@pytest.mark.slow
def test_xla_takes_the_same_steps(batches):
    # Static shapes and one XLA program: what a TPU asks for.
    np.testing.assert_allclose(losses(make(xla=True), batches), losses(make(), batches), atol=1e-4)


@pytest.mark.slow
def test_xla_with_dropout_accumulation_and_recomputation_compiles(batches):
    config = CONFIG.replace(hidden_dropout=0.1, attention_dropout=0.1, recompute=True)
    found = losses(make(config=config, xla=True, accumulation_steps=2), batches)
    assert np.isfinite(found).all()


@pytest.mark.parametrize("precision", rest_slow(["mixed_bfloat16", "mixed_float16"], "mixed_bfloat16"))
def test_low_precision_learns_about_as_well(precision, batches):
    scale = LossScale() if precision == "mixed_float16" else None
    found = losses(make(precision, loss_scale=scale), batches, rounds=8)
    exact = losses(make(), batches, rounds=8)
    assert exact[-len(batches) :].mean() < 0.5 * exact[: len(batches)].mean()
    np.testing.assert_allclose(found, exact, atol=0.1)


@pytest.mark.slow
def test_slices_of_large_tables_take_the_same_steps(batches, monkeypatch):
    monkeypatch.setattr(reduction, "LARGE_TABLE", 8)  # so those of tokens and positions are
    np.testing.assert_allclose(
        losses(make(reduction=reduction.Reduction(keeps_rows=True)), batches), losses(make(), batches), atol=1e-6
    )


def test_gradients_are_clipped_after_the_sum_over_micro_batches(batches):
    for accumulation_steps in (1, 2):
        step = make(clip_norm=1e-3, accumulation_steps=accumulation_steps)
        report = tf.function(step)(batches[0])
        norm = float(report["gradient_norm"])
        assert norm > 1e-2  # the norm is told as it was before clipping
        # After one update the first moment is (1 - beta_1) times the clipped gradient.
        clipped = np.sqrt(sum(np.square(first.numpy()).sum() for first in step.optimizer.first)) / 0.1
        np.testing.assert_allclose(clipped, 1e-3, rtol=1e-3)


@pytest.mark.parametrize("accumulation_steps", rest_slow([1, 2], 1))
def test_rows_that_are_worked_out_side_by_side_take_the_same_steps(accumulation_steps, batches):
    found = losses(make(at_once=2, accumulation_steps=accumulation_steps), batches, rounds=2)
    np.testing.assert_allclose(found, losses(make(), batches, rounds=2), atol=1e-4)


@pytest.mark.parametrize(("rows", "at_once", "sizes"), [(5, 2, [2, 3]), (1, 2, [1]), (4, 1, [4]), (7, 3, [2, 2, 3])])
def test_parts_hold_every_row_in_order_and_no_two_of_all_updates_share_a_seed(rows, at_once, sizes):
    step = make(at_once=at_once)
    calls: list[tuple[int, tuple[int, ...]]] = []

    def model(inputs: dict[str, tf.Tensor], *, training: bool, seed: tf.Tensor) -> dict[str, tf.Tensor]:
        assert training
        calls.append((len(inputs["token_ids"]), tuple(seed.numpy().tolist())))
        return {"ids": inputs["token_ids"], "sums": tf.reduce_sum(inputs["token_ids"], axis=1)}

    step.model = model
    ids = tf.reshape(tf.range(rows * 3), [rows, 3])
    for number in range(3):
        found = step._outputs({"token_ids": ids}, tf.constant(number, tf.int64))
        np.testing.assert_array_equal(found["ids"], ids)
        np.testing.assert_array_equal(found["sums"], tf.reduce_sum(ids, axis=1))
    assert [size for size, _ in calls] == 3 * sizes
    assert len({seed for _, seed in calls}) == len(calls)


def test_examples_that_are_compared_are_in_the_same_micro_batches_however_many_replicas_there_are():
    step = make(accumulation_steps=2, compared=("text_ids",))
    rows = tf.range(8)[:, None]
    whole = step._cut(rows).numpy()[..., 0]
    assert whole.tolist() == [[0, 2, 4, 6], [1, 3, 5, 7]]
    of_replicas = [step._cut(part).numpy()[..., 0] for part in (rows[:4], rows[4:])]
    np.testing.assert_array_equal(np.concatenate(of_replicas, axis=1), whole)
    assert step._cut(tf.constant(3.0)).numpy().tolist() == [3.0, 3.0]


def test_dropout_depends_on_seed_and_step_alone(batches):
    config = CONFIG.replace(hidden_dropout=0.5, attention_dropout=0.5)
    first, again, other = make(config=config, seed=1), make(config=config, seed=1), make(config=config, seed=2)
    found = losses(first, batches)
    np.testing.assert_array_equal(found, losses(again, batches))
    assert np.abs(found - losses(other, batches)).max() > 1e-3
    # The same batch at the next step meets other masks.
    frozen = make(config=config, seed=1)
    frozen.optimizer.schedule = Schedule(peak=1e-30, total_steps=50, shape="constant")
    assert len(set(losses(frozen, batches[:1], rounds=3).tolist())) == 3


def test_a_loss_scale_halves_on_overflow_and_leaves_the_weights(batches):
    scale = LossScale()
    step = make("mixed_float16", loss_scale=scale)
    scale.value.assign(2.0**127)  # infinite in float16
    before = [variable.numpy() for variable in step.optimizer.variables_to_train]
    tf.function(step)(batches[0])
    assert float(scale.value) == 2.0**126
    for variable, array in zip(step.optimizer.variables_to_train, before, strict=True):
        np.testing.assert_array_equal(variable.numpy(), array)


def test_the_loss_is_the_mean_over_examples_of_the_global_batch(batches):
    step = make()
    batch = batches[-1]  # partial: it has empty slots
    assert 0 < float(tf.reduce_sum(batch["example_weight"])) < batch["example_weight"].shape.num_elements()
    logits = step.model(
        {key: batch[key] for key in ("token_ids", "segment_ids", "example_ids", "position_ids", "first_positions")}
    )
    each = loss(logits, batch).numpy()[batch["example_weight"].numpy() > 0]
    np.testing.assert_allclose(losses(step, [batch])[0], each.mean(), rtol=1e-5)
