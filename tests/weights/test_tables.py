"""Every table there and back, bit for bit."""

from __future__ import annotations

import re

import numpy as np
import pytest

from bert_tf.weights.checkpoint import Tensor
from bert_tf.weights.tables import (
    GOOGLE,
    HUGGING_FACE,
    KERAS_HUB,
    SAME,
    Row,
    blocks_of,
    expand,
    read_backwards,
    read_forwards,
)

V, D, F, P, N, L = 7, 6, 8, 5, 2, 3
SHAPES = {
    r"embeddings/token/table": (V, D),
    r"embeddings/segment/table": (2, D),
    r"embeddings/position/table": (P, D),
    r"(embeddings/norm|block_\d/(attention|feed_forward)_norm|masked_lm/norm)/(gamma|beta)": (D,),
    r"block_\d/attention/\w+/kernel|pooler/dense/kernel|masked_lm/dense/kernel": (D, D),
    r"block_\d/attention/\w+/bias|pooler/dense/bias|masked_lm/dense/bias|block_\d/feed_forward/output/bias": (D,),
    r"block_\d/feed_forward/intermediate/kernel": (D, F),
    r"block_\d/feed_forward/intermediate/bias": (F,),
    r"block_\d/feed_forward/output/kernel": (F, D),
    r"classifier/kernel": (D, 3),
    r"classifier/bias": (3,),
    r"(span|next_sentence)/kernel": (D, 2),
    r"(span|next_sentence)/bias": (2,),
    r"(sentence_score|replaced)/kernel": (D, 1),
    r"(sentence_score|replaced)/bias": (1,),
    r"replaced_transform/dense/kernel": (D, D),
    r"replaced_transform/dense/bias": (D,),
    r"masked_lm/(decoder/)?bias": (V,),
    r"masked_lm/decoder/table": (V, D),
}
BACKBONE = 5 + 16 * L + 2  # tensors


def arrays_for(table):
    rng = np.random.default_rng(1)
    arrays = {}
    for row in expand(table, L):
        (shape,) = [shape for pattern, shape in SHAPES.items() if re.fullmatch(pattern, row.path)]
        arrays[row.path] = rng.normal(size=shape).astype("float32")
    return arrays


@pytest.mark.parametrize(("table", "heads"), [(HUGGING_FACE, 19), (GOOGLE, 11), (KERAS_HUB, 7)])
def test_there_and_back_bit_for_bit(table, heads):
    arrays = arrays_for(table)
    assert len(arrays) == BACKBONE + heads
    theirs = read_backwards(table, arrays, L, N)
    assert len(theirs) == len(arrays)
    tensors = {name: Tensor(name, array.shape, lambda array=array: array) for name, array in theirs.items()}
    ours, extra = read_forwards(table, tensors, L)
    assert not extra
    assert set(ours) == set(arrays)
    for path, array in arrays.items():
        assert ours.shape(path) == array.shape
        assert ours[path].dtype == np.float32
        np.testing.assert_array_equal(ours[path], array)


def test_layouts_are_those_of_the_formats():
    arrays = arrays_for(HUGGING_FACE)
    kernel = arrays["block_1/feed_forward/intermediate/kernel"]
    theirs = read_backwards(HUGGING_FACE, arrays, L, N)
    np.testing.assert_array_equal(theirs["encoder.layer.1.intermediate.dense.weight"], kernel.T)

    arrays = {
        path: array
        for path, array in arrays.items()
        if path.split("/")[0]
        not in ("span", "sentence_score", "masked_lm", "next_sentence", "replaced", "replaced_transform")
    }
    theirs = read_backwards(KERAS_HUB, arrays, L, N)
    attention = "layers/transformer_encoder_2/_self_attention_layer/"
    query, output = arrays["block_2/attention/query/kernel"], arrays["block_2/attention/output/kernel"]
    np.testing.assert_array_equal(theirs[attention + "query_dense/vars/0"], query.reshape(D, N, D // N))
    np.testing.assert_array_equal(theirs[attention + "output_dense/vars/0"], output.reshape(N, D // N, D))
    assert "layers/transformer_encoder/_feedforward_layer_norm/vars/0" in theirs
    assert not any("transformer_encoder_0" in name for name in theirs)


def test_names_without_a_row_are_given_back_with_their_shapes():
    tensors = {name: Tensor(name, (2, 3), lambda: np.zeros((2, 3))) for name in ("pooler.dense.bias", "odd")}
    arrays, extra = read_forwards(HUGGING_FACE, tensors, L)
    assert list(arrays) == ["pooler/dense/bias"]
    assert extra == {"odd": (2, 3)}
    assert arrays.strays == {}


@pytest.mark.parametrize(
    ("table", "parts"),
    [
        (
            HUGGING_FACE,
            {
                "encoder.layer.9.output.dense.bias": "backbone", "embeddings.norm.weight": "backbone",
                "pooler.odd": "pooler", "cls.predictions.odd": "masked_lm", "classifier.0.weight": "classifier",
                "qa_outputs.odd": "span", "fc.weight": None, "lm_head.encoder.bias": None,
            },
        ),
        (GOOGLE, {"bert/encoder/odd": "backbone", "bert/pooler/odd": "pooler", "crf/transitions": None}),
        (KERAS_HUB, {"layers/odd/vars/0": "backbone", "task:layers/dense/odd": "classifier", "task:layers/x": None}),
    ],
)  # fmt: skip
def test_names_without_a_row_are_said_to_lie_in_a_part_of_the_model_or_outside(table, parts):
    arrays, extra = read_forwards(table, {name: Tensor(name, (2,), lambda: np.zeros(2)) for name in parts}, L)
    assert set(extra) == set(parts)
    assert arrays.strays == {name: part for name, part in parts.items() if part is not None}


def test_paths_without_a_row_are_refused_by_name():
    with pytest.raises(ValueError, match="has no place for: block_3/attention/query/bias, odd/kernel"):
        read_backwards(KERAS_HUB, {"odd/kernel": np.zeros(1), "block_3/attention/query/bias": np.zeros(4)}, L, N)


def test_blocks_that_a_file_counts_in_groups():
    table = (Row("block_{i}/bias", "groups.{group}.layers.{place}.bias", SAME), Row("norm/beta", "norm.bias", SAME))
    names = [row.name for row in expand(table, 4, 2)]
    assert names == [*(f"groups.{group}.layers.{place}.bias" for group in (0, 1) for place in (0, 1)), "norm.bias"]
    arrays = {f"block_{i}/bias": np.full(2, i, np.float32) for i in range(4)}
    theirs = read_backwards(table, arrays, 4, N, 2)
    assert {name: array[0] for name, array in theirs.items()} == dict(zip(names, range(4), strict=False))
    tensors = {name: Tensor(name, array.shape, lambda array=array: array) for name, array in theirs.items()}
    ours, extra = read_forwards(table, tensors, 4, 2)
    assert {path: ours[path][0] for path in ours} == {f"block_{i}/bias": i for i in range(4)}
    assert not extra
    assert blocks_of({"num_layers": 3}) == {"num_blocks": 3, "group_size": 1, "repeats": 0}


def test_what_stands_in_a_block_several_times():
    table = (Row("block_{i}/dense_{j}/bias", "layer.{i}.dense.{j}.bias", SAME), Row("block_{i}/bias", "{i}.bias", SAME))
    names = [row.name for row in expand(table, 2, repeats=3)]
    assert names == [*(f"layer.{i}.dense.{j}.bias" for i in range(2) for j in range(3)), "0.bias", "1.bias"]
    assert [row.name for row in expand(table, 2)] == ["0.bias", "1.bias"]
    arrays = {f"block_{i}/dense_{j}/bias": np.full(2, 3 * i + j, np.float32) for i in range(2) for j in range(3)}
    theirs = read_backwards(table, arrays, 2, N, repeats=3)
    assert [array[0] for array in theirs.values()] == list(range(6))
    tensors = {name: Tensor(name, array.shape, lambda array=array: array) for name, array in theirs.items()}
    ours, extra = read_forwards(table, tensors, 2, repeats=3)
    assert {path: ours[path][0] for path in ours} == {path: array[0] for path, array in arrays.items()}
    assert not extra


@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (2, 3, 4, 5)])
def test_any_shape_of_a_broken_file_can_be_named(shape):
    for table in (HUGGING_FACE, GOOGLE, KERAS_HUB):
        for row in table:
            assert isinstance(row.layout.shape(shape), tuple)
