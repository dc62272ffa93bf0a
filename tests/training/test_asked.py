"""What is said of the number of updates, compared with the plans of batches."""

from __future__ import annotations

import numpy as np
import pytest

from bert_tf.config import TrainingConfig
from bert_tf.data import Features
from bert_tf.data.batching.epochs import plan_batches
from bert_tf.kinds import Examples
from bert_tf.training.asked import updates_as_planned


@pytest.mark.parametrize(("lengths", "batching"), [((5, 9, 30), "packed"), ((12,), "padded")])
def test_the_updates_that_will_be_run_are_said_where_they_are_not_those_of_the_examples_alone(lengths, batching):
    examples = Examples(texts=["x"] * 168, labels=np.zeros(168, np.int32))
    tokens = np.resize(lengths, 168)
    splits, total = np.cumsum([0, *tokens]), int(tokens.sum())
    features = Features(token_ids=np.zeros(total, np.int32), segment_ids=np.zeros(total, np.int8), splits=splits)
    options = TrainingConfig(epochs=20, batch_examples=16, meant_for_examples=168)
    total = plan_batches(features, 16, batching=batching, seed=1).number_of_batches(20)
    said = updates_as_planned(options, examples, total)
    assert total > 210
    mean = f"{20 * 168 / total:.3g} examples on average"
    assert said == [f"{total} updates, of {mean}, as texts of these lengths fill the batches"]
    assert updates_as_planned(options, examples, 210) == []
    assert updates_as_planned(options.model_copy(update={"max_steps": total}), examples, total) == []
    assert updates_as_planned(options.model_copy(update={"meant_for_examples": None}), examples, total) == []
