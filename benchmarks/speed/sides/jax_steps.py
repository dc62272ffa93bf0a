"""This library's model on Keras's JAX backend: a training step and a pass, compiled by XLA."""

from __future__ import annotations

import time
from typing import Any

import jax
import keras
import numpy as np

from benchmarks.speed.sides.fixed_batch import LEARNING_RATE, fixed_batch
from benchmarks.speed.work import Repetition, Work
from bert_tf.models import BertClassifier


def make_folder(folder: str, size: str) -> None:
    """Writes a classifier of a size with random weights, as Transformers reads it."""
    from bert_tf.models import BertBackbone, size_config
    from bert_tf.models.pretrained import save_model

    keras.utils.set_random_seed(1)
    save_model(BertClassifier(BertBackbone(size_config(size)), 2), folder)


def training(*, folder: str, batch: int, length: int, steps: int, precision: str) -> Work:
    """Examples a second: mixed precision, dropout, AdamW, gradients clipped to the norm 1."""
    model, inputs, labels = _opened(folder, batch, length, precision)
    optimizer = keras.optimizers.AdamW(LEARNING_RATE, weight_decay=0.0, global_clipnorm=1.0)
    optimizer.build(model.trainable_variables)

    def loss_of(trainable: Any, others: Any) -> Any:
        logits, others = model.stateless_call(trainable, others, inputs, training=True)
        loss = keras.ops.mean(keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True))
        return loss, others

    @jax.jit
    def step(trainable: Any, others: Any, state: Any) -> Any:
        (loss, others), gradients = jax.value_and_grad(loss_of, has_aux=True)(trainable, others)
        trainable, state = optimizer.stateless_apply(state, gradients, trainable)
        return loss, trainable, others, state

    values = [
        [variable.value for variable in variables]
        for variables in (model.trainable_variables, model.non_trainable_variables, optimizer.variables)
    ]

    def once() -> Repetition:
        began = time.perf_counter()
        loss = None
        for _ in range(steps):
            loss, *values[:] = step(*values)
        assert np.isfinite(np.asarray(loss)), loss
        return Repetition(steps * batch / (time.perf_counter() - began))

    once()
    return Work(once)


def inference(*, folder: str, batch: int, length: int, steps: int, precision: str) -> Work:
    """Examples a second; the answers are the logits."""
    model, inputs, _ = _opened(folder, batch, length, precision)
    weights = [
        [variable.value for variable in some] for some in (model.trainable_variables, model.non_trainable_variables)
    ]
    logits_of = jax.jit(lambda trainable, others: model.stateless_call(trainable, others, inputs, training=False)[0])

    def once() -> Repetition:
        began = time.perf_counter()
        for _ in range(steps):
            logits_of(*weights).block_until_ready()
        return Repetition(steps * batch / (time.perf_counter() - began))

    once()
    return Work(once, answers=lambda: [repr(row) for row in np.asarray(logits_of(*weights), np.float32).tolist()])


def _opened(folder: str, batch: int, length: int, precision: str) -> tuple[Any, dict[str, Any], Any]:
    assert keras.backend.backend() == "jax", "KERAS_BACKEND must be jax"
    keras.config.set_dtype_policy({"bfloat16": "mixed_bfloat16"}.get(precision, precision))
    model: Any = BertClassifier.from_pretrained(folder)
    ids, mask, labels = fixed_batch(model.config.vocabulary_size, batch, length)
    inputs = {"token_ids": jax.numpy.asarray(ids), "padding_mask": jax.numpy.asarray(mask)}
    model(inputs)
    return model, inputs, jax.numpy.asarray(labels)
