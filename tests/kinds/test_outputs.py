"""The loss of a whole set, however it is cut into batches, is that of a training step on all of it at once."""

from __future__ import annotations

import numpy as np
import pytest

from bert_tf.kinds.outputs import MeanLoss, Outputs, compiled
from tests.kinds.test_one_loss import of_training
from tests.kinds.tiny_kinds import EXAMPLES, TINY

BY_OUTPUTS = ("classification", "tagging")


@pytest.mark.parametrize("name", [*BY_OUTPUTS, "contrastive"])
def test_the_loss_of_a_set(name):
    case = TINY[name]()
    model, features = case.model(), case.features
    (batch,) = case.batches("bucketed")
    expected = of_training(case, model, batch)
    whole = MeanLoss(model, features, case.kind.per_example_loss, batch_examples=EXAMPLES)
    assert whole() == pytest.approx(expected, abs=1e-5)
    if name in BY_OUTPUTS:
        forward = compiled(model, case.kind.per_example_loss)
        options = {"batch_examples": 3, "per_token": case.kind.outputs_per_token}
        outputs, plain = Outputs(model, features, **options, forward=forward), Outputs(model, features, **options)
        for found, same in zip(outputs(), plain(), strict=True):
            np.testing.assert_array_equal(found, same)
        assert outputs.loss == pytest.approx(expected, abs=1e-5)
        assert plain.loss == 0.0


def test_the_loss_of_a_part_is_of_short_and_long_examples():
    case = TINY["classification"]()
    model, features = case.model(), case.features
    part = MeanLoss(model, features, case.kind.per_example_loss, batch_examples=2, most_examples=3)
    lengths = np.concatenate([np.sum(batch["padding_mask"], axis=1) for batch in part.batches])
    assert len(part.batches) == 2
    assert (lengths.min(), lengths.max()) == (features.lengths.min(), features.lengths.max())
    seen = np.concatenate([batch["example_index"] for batch in part.batches])
    outputs = Outputs(model, features, batch_examples=2)()
    expected = [-np.log(np.exp(outputs[i]) / np.exp(outputs[i]).sum())[features.labels[i]] for i in seen]
    assert part() == pytest.approx(np.mean(expected), abs=1e-6)
