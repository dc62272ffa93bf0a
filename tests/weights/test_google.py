"""Google's TF 1 checkpoints, one written here with the variable names of google-research/bert."""

from __future__ import annotations

import json

import numpy as np
import pytest
import tensorflow as tf

from bert_tf.errors import UserError
from bert_tf.models import BertBackbone, BertClassifier
from bert_tf.weights import load, save_google
from tests.weights.tiny import TINY, inputs, outputs

CONFIG = {
    "attention_probs_dropout_prob": 0.1,
    "hidden_act": "gelu",
    "hidden_dropout_prob": 0.1,
    "hidden_size": 4,
    "initializer_range": 0.5,
    "intermediate_size": 6,
    "max_position_embeddings": 8,
    "num_attention_heads": 2,
    "num_hidden_layers": 2,
    "type_vocab_size": 2,
    "vocab_size": 12,
}


def google_variables():
    """PyTorch's tensors under the names, and in the layout, of Google's code."""
    arrays = load(TINY).arrays
    variables = {
        "bert/embeddings/word_embeddings": arrays["embeddings/token/table"],
        "bert/embeddings/token_type_embeddings": arrays["embeddings/segment/table"],
        "bert/embeddings/position_embeddings": arrays["embeddings/position/table"],
        "bert/embeddings/LayerNorm/gamma": arrays["embeddings/norm/gamma"],
        "bert/embeddings/LayerNorm/beta": arrays["embeddings/norm/beta"],
        "bert/pooler/dense/kernel": arrays["pooler/dense/kernel"],
        "bert/pooler/dense/bias": arrays["pooler/dense/bias"],
        "output_weights": arrays["classifier/kernel"].T,
        "output_bias": arrays["classifier/bias"],
    }
    for i in range(2):
        layer, block = f"bert/encoder/layer_{i}/", f"block_{i}/"
        for part in ("query", "key", "value"):
            variables[f"{layer}attention/self/{part}/kernel"] = arrays[f"{block}attention/{part}/kernel"]
            variables[f"{layer}attention/self/{part}/bias"] = arrays[f"{block}attention/{part}/bias"]
        for theirs, ours in (
            ("attention/output/dense", "attention/output"),
            ("intermediate/dense", "feed_forward/intermediate"),
            ("output/dense", "feed_forward/output"),
        ):
            variables[f"{layer}{theirs}/kernel"] = arrays[f"{block}{ours}/kernel"]
            variables[f"{layer}{theirs}/bias"] = arrays[f"{block}{ours}/bias"]
        for theirs, ours in (("attention/output", "attention_norm"), ("output", "feed_forward_norm")):
            variables[f"{layer}{theirs}/LayerNorm/gamma"] = arrays[f"{block}{ours}/gamma"]
            variables[f"{layer}{theirs}/LayerNorm/beta"] = arrays[f"{block}{ours}/beta"]
    return variables


def write(folder, variables, name="bert_model.ckpt", config=CONFIG):
    """Saves as TF 1's Saver does."""
    folder.mkdir(exist_ok=True)
    graph = tf.Graph()
    with graph.as_default(), tf.compat.v1.Session(graph=graph) as session:
        for path, array in variables.items():
            tf.compat.v1.get_variable(path, initializer=np.asarray(array))
        session.run(tf.compat.v1.global_variables_initializer())
        tf.compat.v1.train.Saver().save(session, str(folder / name), write_meta_graph=False)
    (folder / "bert_config.json").write_text(json.dumps(config))
    return folder


@pytest.fixture(name="folder", scope="module")
def folder_fixture(tmp_path_factory):
    variables = google_variables()
    slots = {f"{path}/adam_{slot}": array for path, array in variables.items() for slot in "mv"}
    others = {"global_step": np.int64(7), "cls/predictions/output_bias": np.zeros(12, "float32")}
    return write(tmp_path_factory.mktemp("google") / "uncased_L-2_H-4_A-2", {**variables, **slots, **others})


def test_outputs_are_those_of_pytorch_with_equal_weights(folder):
    model, expected = BertClassifier.from_pretrained(folder), outputs()
    np.testing.assert_allclose(model(inputs()), expected["logits"], rtol=0, atol=1e-5)
    np.testing.assert_allclose(
        BertBackbone.from_pretrained(folder)(inputs())["pooled_output"], expected["pooled_output"], rtol=0, atol=1e-5
    )


def test_optimizer_slots_are_left_aside_and_pre_training_heads_are_known(folder):
    checkpoint = load(folder)
    assert (checkpoint.format, checkpoint.lowercase, dict(checkpoint.extra)) == ("google", True, {})
    assert set(checkpoint.arrays) == {*load(TINY).arrays, "masked_lm/bias"}
    assert checkpoint.config == load(TINY).config


def test_a_prefix_and_the_only_checkpoint_of_a_folder_are_found(tmp_path):
    folder = write(tmp_path / "run", google_variables(), "model.ckpt-1200")
    assert len(load(folder).arrays) == len(load(folder / "model.ckpt-1200").arrays) == 41
    write(folder, google_variables(), "model.ckpt-1300")
    with pytest.raises(UserError, match=r"several checkpoints \(model.ckpt-1200, model.ckpt-1300\): name one"):
        load(folder)
    assert load(folder / "model.ckpt-1300").config["hidden_dim"] == 4


def test_there_and_back_bit_for_bit(tmp_path):
    tiny = load(TINY)
    save_google(tmp_path / "x", tiny.config, tiny.arrays, vocabulary=[f"t{i}" for i in range(12)])
    again = load(tmp_path / "x")
    assert again.config == tiny.config
    assert set(again.arrays) == set(tiny.arrays)
    for path, array in tiny.arrays.items():
        np.testing.assert_array_equal(again.arrays[path], array)
    reader = tf.train.load_checkpoint(str(tmp_path / "x" / "bert_model.ckpt"))
    expected = google_variables()
    assert set(reader.get_variable_to_shape_map()) == set(expected)
    for name, array in expected.items():
        np.testing.assert_array_equal(reader.get_tensor(name), array)
    assert again.vocabulary == tmp_path / "x" / "vocab.txt"


def test_missing_extra_and_misshapen_variables_are_named(tmp_path):
    variables = google_variables()
    del variables["bert/encoder/layer_1/output/dense/bias"]
    variables["bert/embeddings/LayerNorm/gamma"] = np.ones(5, "float32")
    variables["bert/odd"] = np.ones((2, 3), "float32")
    with pytest.raises(UserError) as error:
        BertBackbone.from_pretrained(write(tmp_path / "x", variables))
    for part in (
        "block_1/feed_forward/output/bias is missing: the model needs [4], the file has none",
        "embeddings/norm/gamma (bert/embeddings/LayerNorm/gamma) is misshapen: the model needs [4], the file has [5]",
        "bert/odd is extra: the model has none, the file has [2, 3]",
    ):
        assert part in str(error.value)


def test_broken_checkpoints_are_named(tmp_path):
    folder = write(tmp_path / "x", google_variables())
    data = folder / "bert_model.ckpt.data-00000-of-00001"
    data.write_bytes(data.read_bytes()[:50])
    with pytest.raises(UserError, match=r"bert_model.ckpt: tensor \S+ cannot be read: "):
        BertBackbone.from_pretrained(folder)
    (folder / "bert_model.ckpt.index").write_bytes(b"no table")
    with pytest.raises(UserError, match=r"bert_model.ckpt is no readable TF 1 checkpoint: "):
        load(folder)
    (folder / "bert_config.json").unlink()
    with pytest.raises(UserError, match=r"holds no bert_config.json"):
        load(folder / "bert_model.ckpt")


def test_what_google_cannot_compute_is_refused(tmp_path):
    tiny = load(TINY)
    with pytest.raises(
        ValueError, match=r"activations gelu, relu, .* Received: activation=silu, position_kind=learned"
    ):
        save_google(tmp_path / "x", {**tiny.config, "activation": "silu"}, tiny.arrays)
    assert not (tmp_path / "x").exists()
