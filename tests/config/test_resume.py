"""Which keys may differ when a run is resumed."""

from __future__ import annotations

import pytest

from bert_tf.config import Layer, keys_and_meanings, override_layer, resolve
from bert_tf.config.resume import RESUMABLE, changes

OTHER = {
    "evaluation.batch_examples": "7",
    "evaluation.train_examples": "0",
    "evaluation.diagnosed_examples": "0",
    "evaluation.report": "false",
    "training.profile_steps": "10..15",
    "training.evaluate_first": "true",
    "training.evaluate_every_steps": "7",
    "training.checkpoint_every_steps": "7",
    "training.rollbacks": "7",
    "training.early_stopping_patience": "7",
    "training.epochs": "7.0",
    "training.max_steps": "7",
    "training.steps_per_call": "7",
    "training.threads_per_operation": "7",
    "training.deterministic": "true",
    "model.recompute": "true",
    "pretraining.cache": '"elsewhere"',
    "data.cache": '"elsewhere"',
    "data.store": '"disk"',
    "data.source": '"elsewhere"',
    "data.skip_bad_rows": "true",
    "pretraining.validation": '"elsewhere"',
}
REFUSED = {
    "seed": "9",
    "backbone": '"tiny"',
    "training.learning_rate": "1e-3",
    "training.schedule": '"constant"',
    "training.batch_examples": "7",
    "training.accumulation_steps": "2",
    "training.precision": '"mixed_bfloat16"',
    "training.keep": '"last"',
    "training.frozen_blocks": "1",
    "data.sequence_length": "32",
    "data.batching": '"padded"',
}


def asked(*settings: str):
    return resolve([Layer(origin="test", values={"task": "sst2"}), override_layer(settings)])


def test_every_row_is_a_key_and_is_tried():
    assert set(RESUMABLE) == set(OTHER)
    assert set(RESUMABLE) <= set(keys_and_meanings())


@pytest.mark.parametrize(("key", "value"), [*OTHER.items(), *REFUSED.items()])
def test_a_change_has_its_rule(key, value):
    (change,) = changes(asked(), asked(f"{key}={value}"))
    assert change.key == key
    assert (change.rule is None) == (key in REFUSED)
    assert str(change).startswith(f"{key}: there ")
    assert change.rule == RESUMABLE.get(key)
