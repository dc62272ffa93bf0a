from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from bert_tf.kinds.serving import Contract, TensorNote
from bert_tf.runtimes.base import RowsModel


class Sums(RowsModel):
    """Gives each row's sum of ids and of segments, or each token's."""

    def __init__(self, contract: Contract, **options: Any) -> None:
        self.seen: list[tuple[int, ...]] = []
        super().__init__(contract, **options)

    def outputs(self, ids, mask, segment_ids):
        self.seen.append(ids.shape)
        assert ids.dtype == mask.dtype == segment_ids.dtype == np.int32
        found = np.stack([ids * mask, segment_ids * mask], axis=-1)
        found = found if self.contract.per_token else found.sum(axis=1)
        return {"first": found[..., :1].astype(np.float64), "second": found[..., 1]}


def contract(**options) -> Contract:
    return Contract(
        outputs=(TensorNote(name="first", description=""), TensorNote(name="second", description="")),
        decode=lambda found: tf.concat([found["first"], 2.0 * found["second"][..., None]], axis=-1),
        **options,
    )


def rows(*shape: int) -> dict[str, np.ndarray]:
    ids = np.arange(np.prod(shape)).reshape(shape)
    return {"token_ids": ids, "segment_ids": ids % 2, "padding_mask": (ids % 3 > 0).astype(np.int64)}


@pytest.mark.parametrize("traced", [False, True])
@pytest.mark.parametrize("per_token", [False, True])
@pytest.mark.parametrize("leading", [(3,), (0,), (2, 3)])
def test_rows_go_out_and_what_the_model_gives_comes_back(traced, per_token, leading):
    model = Sums(contract(per_token=per_token))
    given = rows(*leading, 5)
    call = tf.function(model) if traced else model
    found = np.asarray(call({name: tf.constant(value) for name, value in given.items()}))
    ids, segments = (given[name] * given["padding_mask"] for name in ("token_ids", "segment_ids"))
    expected = np.stack([ids, 2.0 * segments], axis=-1)
    np.testing.assert_array_equal(found, expected if per_token else expected.sum(axis=-2))
    assert model.seen[-1] == (int(np.prod(leading)), 5)


def test_shapes_are_known_to_the_graph():
    model = Sums(contract())
    spec = {name: tf.TensorSpec([None, None], tf.int32) for name in rows(1, 1)}
    concrete = tf.function(lambda inputs: model(inputs, training=False)).get_concrete_function(spec)
    assert concrete.structured_outputs.shape.as_list() == [None, 2]
    assert model.vector_dim == 2


def test_what_a_kind_asks_for_besides():
    def given(found, inputs):
        return {"at": tf.gather(found, inputs["positions"], axis=1, batch_dims=1)}

    model = Sums(contract(per_token=True, given=given), reject_below=0.25)
    found = model(rows(2, 4) | {"positions": np.array([[3], [0]])})
    np.testing.assert_array_equal(found["at"], [[[0.0, 0.0]], [[4.0, 0.0]]])
    assert (model.reject_below, model.prompt) == (0.25, "")
    assert model.scores(3.0) == 3.0
