"""What Keras offers for a model built from shapes, of every class: graphs, clones, copies, exports."""

from __future__ import annotations

import copy
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from packaging.version import Version

from bert_tf.models import (
    BertBackbone,
    BertClassifier,
    BertConfig,
    BertDiscriminator,
    BertEmbedder,
    BertExtractiveSummarizer,
    BertMaskedLM,
    BertMultipleChoice,
    BertPretrainer,
    BertSeq2Seq,
    BertSpanQA,
    BertTagger,
    weights_by_path,
)
from bert_tf.models.pooling import POOLINGS
from tests.models.every import EVERY, every_model

CONFIG = BertConfig(
    vocabulary_size=11,
    hidden_dim=8,
    num_layers=2,
    num_heads=2,
    intermediate_dim=16,
    max_positions=12,
    initializer_range=0.5,
)
SHAPES = {
    BertBackbone: {"sequence_output": (None, None, 8), "pooled_output": (None, 8)},
    BertClassifier: (None, 3),
    BertTagger: (None, None, 4),
    BertSpanQA: (None, None, 2),
    BertEmbedder: (None, 8),
    BertExtractiveSummarizer: (None, None),
    BertMultipleChoice: (None,),
    BertDiscriminator: (None, None),
    BertMaskedLM: {"masked_lm_logits": (None, None, 11)},
    BertPretrainer: {"masked_lm_logits": (None, None, 11), "pair_logits": (None, 2)},
    BertSeq2Seq: (None, None, 11),
}
IDS = np.array([[2, 5, 3, 7, 9, 3], [2, 4, 3, 8, 0, 0]], "int32")
INPUTS = {
    "token_ids": IDS,
    "segment_ids": np.array([[0, 0, 0, 1, 1, 1], [0, 0, 0, 1, 0, 0]], "int32"),
    "padding_mask": (IDS > 0).astype("int32"),
}


def test_every_model_has_its_shapes_here():
    assert set(SHAPES) == set(EVERY)


def make(cls: type, **options: Any) -> Any:
    """A model whose weights, biases too, are all random."""
    model = cls(CONFIG, *EVERY[cls], **options)
    rng = np.random.default_rng(4)
    model.set_weights([rng.normal(scale=0.3, size=weight.shape) for weight in model.get_weights()])
    return model


def arrays(outputs: Any) -> list[np.ndarray]:
    return [np.array(x) for x in keras.tree.flatten(outputs)]


@every_model
def test_inputs_and_outputs_have_names_and_shapes(cls):
    model = make(cls)
    assert {name: x.shape for name, x in model.input.items()} == dict.fromkeys(INPUTS, (None, None))
    assert {x.dtype for x in model.input.values()} == {"int32"}
    outputs = model.output
    found = {name: x.shape for name, x in outputs.items()} if isinstance(outputs, dict) else outputs.shape
    assert found == SHAPES[cls]
    assert set(model.input_shape) == {(None, None)}
    lines: list[str] = []
    model.summary(print_fn=lambda line, **_: lines.append(line))
    assert f"{model.count_params():,}" in "".join(lines)


@every_model
def test_the_graph_computes_what_a_call_does(cls):
    model = make(cls)
    graph = keras.Model(model.input, model.output)
    for found, wanted in zip(arrays(graph(INPUTS)), arrays(model(INPUTS)), strict=True):
        np.testing.assert_allclose(found, wanted, atol=1e-6)
    # And with weights that come later: no number of the graph was worked out when it was made.
    model.set_weights([weight + 0.1 for weight in model.get_weights()])
    for found, wanted in zip(arrays(graph(INPUTS)), arrays(model(INPUTS)), strict=True):
        np.testing.assert_allclose(found, wanted, atol=1e-6)


@pytest.mark.parametrize(
    "model",
    [
        *(lambda pooling=pooling: BertEmbedder(CONFIG, pooling=pooling) for pooling in POOLINGS),
        lambda: BertEmbedder(CONFIG, pooling=["max", "lasttoken"], dense_dim=3, dense_activation="gelu"),
        lambda: BertEmbedder(CONFIG, truncate_dim=3),
        lambda: BertClassifier(CONFIG, 2, output_activation="sigmoid"),
        lambda: BertClassifier(CONFIG, 2, output_activation="softmax"),
        lambda: BertBackbone(CONFIG.replace(position_kind="sinusoidal", recompute=True)),
    ],
)
def test_graphs_of_other_settings(model):
    model = model()
    graph = keras.Model(model.input, model.output)
    for found, wanted in zip(arrays(graph(INPUTS)), arrays(model(INPUTS)), strict=True):
        np.testing.assert_allclose(found, wanted, atol=1e-6)


def test_a_layer_within_is_the_output_of_another_model():
    backbone = make(BertBackbone)
    middle = keras.Model(backbone.input, backbone.get_layer("block_0").output)
    x = backbone.embeddings(INPUTS["token_ids"], segment_ids=INPUTS["segment_ids"])
    bias = (1.0 - INPUTS["padding_mask"][:, None, None, :].astype("float32")) * -1e4
    np.testing.assert_allclose(middle(INPUTS), backbone.blocks[0](x, bias=bias), atol=1e-6)


def test_a_head_of_your_own_on_a_backbone_is_trained_and_saved(tmp_path):
    backbone = make(BertBackbone)
    outputs = keras.layers.Dense(3, name="mine")(backbone.output["pooled_output"])
    model = keras.Model(backbone.input, outputs)
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True), run_eagerly=True)
    before = np.array(backbone.blocks[0].attention.query.kernel)
    model.fit(INPUTS, np.array([0, 2]), epochs=1, verbose=0)
    assert np.any(before != np.array(backbone.blocks[0].attention.query.kernel))
    on_symbols = keras.layers.Dense(3, name="mine")(backbone(backbone.input)["pooled_output"])
    nested = keras.Model(backbone.input, on_symbols)
    nested.save(tmp_path / "nested.keras")
    again = keras.saving.load_model(tmp_path / "nested.keras")
    np.testing.assert_array_equal(again(INPUTS), nested(INPUTS))


@every_model
def test_clones_and_copies(cls):
    model = make(cls)
    clone = keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    for again in (clone, copy.deepcopy(model)):
        for found, wanted in zip(arrays(again(INPUTS)), arrays(model(INPUTS)), strict=True):
            np.testing.assert_allclose(found, wanted, atol=1e-6)
    assert not {id(x) for x in clone.weights} & {id(x) for x in model.weights}


@pytest.mark.parametrize(
    "cls",
    [cls if cls in (BertClassifier, BertSeq2Seq) else pytest.param(cls, marks=pytest.mark.slow) for cls in EVERY],
)
def test_a_saved_model_of_keras_answers_the_same(cls, tmp_path):
    model = make(cls)
    model.export(tmp_path / "saved", verbose=False)
    again = tf.saved_model.load(str(tmp_path / "saved"))
    longer = {name: np.concatenate([x, x[:, :3]], axis=1) for name, x in INPUTS.items()}
    for inputs in (INPUTS, longer):
        found = again.serve({name: tf.constant(x) for name, x in inputs.items()})
        for got, wanted in zip(arrays(found), arrays(model(inputs)), strict=True):
            np.testing.assert_allclose(got, wanted, atol=1e-5)


@pytest.mark.skipif(Version(keras.__version__) < Version("3.13"), reason="Keras here writes no LiteRT files")
def test_a_litert_file_of_keras_answers_the_same(tmp_path):
    interpreter_of = pytest.importorskip("ai_edge_litert.interpreter").Interpreter
    model = make(BertClassifier)
    model.export(tmp_path / "model.tflite", format="litert", verbose=False)
    interpreter = interpreter_of(model_path=str(tmp_path / "model.tflite"))
    for detail in interpreter.get_input_details():
        interpreter.resize_tensor_input(detail["index"], IDS.shape)
    interpreter.allocate_tensors()
    for detail in interpreter.get_input_details():
        name = next(name for name in INPUTS if name in detail["name"])
        interpreter.set_tensor(detail["index"], INPUTS[name])
    interpreter.invoke()
    found = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    np.testing.assert_allclose(found, model(INPUTS), atol=1e-5)


def test_inputs_may_be_more_or_fewer_than_the_graphs():
    model = make(BertClassifier)
    short = {"token_ids": IDS[:1]}
    ones = np.ones_like(IDS[:1])
    whole = {**short, "segment_ids": 0 * ones, "padding_mask": ones}
    np.testing.assert_allclose(model(short), model(whole), atol=1e-6)
    np.testing.assert_allclose(model(short | {"padding_mask": None}), model(whole), atol=1e-6)
    positions = np.arange(6, dtype="int32")[None]
    np.testing.assert_allclose(model(whole | {"position_ids": positions}), model(whole), atol=1e-6)


@every_model
def test_a_name_that_a_layer_has_too_changes_no_path(cls):
    model, other = cls(CONFIG, *EVERY[cls], name="classifier"), cls(CONFIG, *EVERY[cls])
    with keras.name_scope("outer"):
        scoped = cls(CONFIG, *EVERY[cls])
    assert list(weights_by_path(model)) == list(weights_by_path(other)) == list(weights_by_path(scoped))


def test_a_mixed_policy_is_the_graphs_too():
    model = make(BertBackbone, dtype="mixed_bfloat16")
    assert {x.dtype for x in model.output.values()} == {"bfloat16"}
    assert {weight.dtype for weight in model.weights} == {"float32"}
