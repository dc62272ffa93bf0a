"""Hugging Face folders: every way they are written, and what is wrong with a broken one."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from bert_tf.errors import UserError
from bert_tf.weights import load, save_hugging_face
from tests.weights.tiny import TINY, altered


@pytest.fixture(name="tiny", scope="module")
def tiny_fixture():
    return load(TINY)


def assert_same(checkpoint, other):
    assert set(checkpoint.arrays) == set(other.arrays)
    for path, array in checkpoint.arrays.items():
        np.testing.assert_array_equal(array, other.arrays[path], err_msg=path)
    assert not checkpoint.extra


def test_config_labels_and_arrays(tiny):
    assert tiny.format == "hugging_face"
    assert tiny.labels == ("bad", "so so", "good")
    assert tiny.problem == "single_label"
    assert tiny.vocabulary is None
    assert tiny.lowercase is None
    assert tiny.config == {
        "vocabulary_size": 12,
        "hidden_dim": 4,
        "num_layers": 2,
        "num_heads": 2,
        "intermediate_dim": 6,
        "max_positions": 8,
        "num_segments": 2,
        "hidden_dropout": 0.1,
        "attention_dropout": 0.1,
        "layer_norm_epsilon": 1e-12,
        "activation": "gelu",
        "initializer_range": 0.5,
        "pad_token_id": 0,
    }
    assert len(tiny.arrays) == 5 + 2 * 16 + 2 + 2
    raw = load_file(TINY / "model.safetensors")
    np.testing.assert_array_equal(tiny.arrays["classifier/kernel"], raw["classifier.weight"].T)
    np.testing.assert_array_equal(tiny.arrays["embeddings/token/table"], raw["bert.embeddings.word_embeddings.weight"])


def bare(tensors):
    return {name.removeprefix("bert."): array for name, array in tensors.items()}


def parallel(tensors):
    return {f"module.{name}": array for name, array in tensors.items()}


def old(tensors):
    return {
        name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"): array
        for name, array in tensors.items()
    }


def with_buffers(tensors):
    decoder = {
        "cls.predictions.decoder.weight": tensors["bert.embeddings.word_embeddings.weight"].copy(),
        "cls.predictions.decoder.bias": np.zeros(12, "float32"),
    }
    return {**tensors, **decoder, "bert.embeddings.position_ids": np.arange(8)[None]}


@pytest.mark.parametrize("change", [bare, parallel, old, with_buffers])
def test_the_ways_to_name_the_same_tensors(tmp_path, tiny, change):
    assert_same(load(altered(tmp_path / "x", change)), tiny)


def test_heads_of_pre_training_are_known_and_other_names_are_extra(tmp_path, tiny):
    def change(tensors):
        return tensors | {
            "cls.predictions.bias": np.zeros(12, "float32"),
            "cls.seq_relationship.weight": np.zeros((2, 4), "float32"),
            "qa_outputs.weight": np.zeros((2, 4), "float32"),
            "linear.weight": np.zeros((5, 4), "float32"),
            "bert.encoder.layer.2.output.dense.bias": np.zeros(4, "float32"),
        }

    checkpoint = load(altered(tmp_path / "x", change))
    assert set(checkpoint.arrays) - set(tiny.arrays) == {"masked_lm/bias", "next_sentence/kernel", "span/kernel"}
    assert checkpoint.arrays.shape("span/kernel") == (4, 2)
    assert checkpoint.extra == {"linear.weight": (5, 4), "bert.encoder.layer.2.output.dense.bias": (4,)}


def test_one_tensor_under_two_names_is_an_error(tmp_path):
    def change(tensors):
        return tensors | {"pooler.dense.bias": tensors["bert.pooler.dense.bias"].copy()}

    with pytest.raises(UserError, match=r"two names: bert.pooler.dense.bias and pooler.dense.bias"):
        load(altered(tmp_path / "x", change))


def test_a_decoder_that_is_not_tied_is_extra(tmp_path):
    checkpoint = load(altered(tmp_path / "x", with_buffers, {"tie_word_embeddings": False}))
    assert set(checkpoint.extra) == {"cls.predictions.decoder.weight", "cls.predictions.decoder.bias"}


@pytest.mark.parametrize("name", ["pytorch_model.bin", "legacy.bin"])
def test_pytorch_model_bin(tmp_path, tiny, name):
    shutil.copyfile(TINY / name, tmp_path / "pytorch_model.bin")
    shutil.copyfile(TINY / "config.json", tmp_path / "config.json")
    assert_same(load(tmp_path), tiny)


def sharded(folder, shards=3):
    """The tensors dealt out over shards, as Transformers does with large models."""
    folder.mkdir()
    shutil.copyfile(TINY / "config.json", folder / "config.json")
    tensors = load_file(TINY / "model.safetensors")
    places = {name: f"model-{i % shards + 1:05d}-of-{shards:05d}.safetensors" for i, name in enumerate(tensors)}
    for shard in set(places.values()):
        save_file({name: tensors[name] for name in tensors if places[name] == shard}, folder / shard)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": places}))
    return folder


def test_shards(tmp_path, tiny):
    assert_same(load(sharded(tmp_path / "x")), tiny)


def test_sharded_pytorch_model_bin(tmp_path, tiny):
    shutil.copyfile(TINY / "config.json", tmp_path / "config.json")
    shutil.copyfile(TINY / "pytorch_model.bin", tmp_path / "pytorch_model-00001-of-00001.bin")
    places = dict.fromkeys(load_file(TINY / "model.safetensors"), "pytorch_model-00001-of-00001.bin")
    (tmp_path / "pytorch_model.bin.index.json").write_text(json.dumps({"weight_map": places}))
    assert_same(load(tmp_path), tiny)


def test_broken_shards_are_named(tmp_path):
    folder = sharded(tmp_path / "x")
    index = folder / "model.safetensors.index.json"
    (folder / "model-00002-of-00003.safetensors").rename(folder / "kept")
    with pytest.raises(UserError, match=r"names the shard model-00002-of-00003.safetensors, which is not there"):
        load(folder)
    (folder / "kept").rename(folder / "model-00002-of-00003.safetensors")
    raw = json.loads(index.read_text())
    index.write_text(json.dumps({"weight_map": raw["weight_map"] | {"odd": "model-00002-of-00003.safetensors"}}))
    with pytest.raises(UserError, match="names tensors that are in no shard: odd"):
        load(folder)
    index.write_text(json.dumps({"weight_map": {"odd": "../secret.safetensors"}}))
    with pytest.raises(UserError, match=r"the shard '../secret.safetensors' must lie in the same folder"):
        load(folder)
    index.write_text("{}")
    with pytest.raises(UserError, match="has no `weight_map`"):
        load(folder)


@pytest.mark.parametrize(
    ("config", "without", "message"),
    [
        ({}, ("hidden_size", "vocab_size"), "config.json lacks vocab_size, hidden_size"),
        ({"model_type": "roberta"}, (), "`model_type` must be bert. Received: roberta"),
        ({"position_embedding_type": "relative_key"}, (), "must be absolute. Received: relative_key"),
        ({"id2label": {"0": "a", "2": "b"}}, (), "`id2label` must name the classes 0 to C-1"),
        ({"id2label": ["a"]}, (), "`id2label` must name the classes 0 to C-1"),
    ],
)
def test_a_config_that_is_wrong_is_named(tmp_path, config, without, message):
    with pytest.raises(UserError, match=f"config.json.*{message}" if "lacks" not in message else message):
        load(altered(tmp_path / "x", config=config, without=without))


def test_a_missing_or_broken_config_is_named(tmp_path):
    folder = altered(tmp_path / "x")
    for text, message in (("{", "config.json is no JSON"), ("[]", "must hold a JSON object. Received: list")):
        (folder / "config.json").write_text(text)
        with pytest.raises(UserError, match=message):
            load(folder)
    (folder / "config.json").unlink()
    with pytest.raises(UserError, match=r"holds no config.json"):
        load(folder)


def test_a_folder_without_weights_says_what_was_expected(tmp_path):
    with pytest.raises(UserError, match=r"holds no weights: expected model.safetensors, pytorch_model.bin, tf"):
        load(tmp_path)


@pytest.mark.parametrize("shard_bytes", [None, 400])
def test_there_and_back_bit_for_bit(tmp_path, tiny, shard_bytes):
    folder = tmp_path / "deep" / "x"
    save_hugging_face(
        folder,
        tiny.config,
        tiny.arrays,
        head="classifier",
        labels=tiny.labels,
        problem=tiny.problem,
        head_dropout=0.25,
        shard_bytes=shard_bytes,
    )
    again = load(folder)
    assert_same(again, tiny)
    assert again.config == tiny.config
    assert (again.labels, again.problem, again.head_dropout) == (tiny.labels, tiny.problem, 0.25)
    files = sorted(folder.glob("*.safetensors"))
    theirs = {name: array for file in files for name, array in load_file(file).items()}
    expected = load_file(TINY / "model.safetensors")
    assert set(theirs) == set(expected)
    for name, array in theirs.items():
        np.testing.assert_array_equal(array, expected[name])
    assert (len(files) > 3) == (shard_bytes is not None)
    assert all(sum(a.nbytes for a in load_file(file).values()) <= 400 for file in files if shard_bytes)


def test_a_bare_backbone_has_no_prefix_and_no_labels(tmp_path, tiny):
    arrays = {path: array for path, array in tiny.arrays.items() if not path.startswith("classifier")}
    save_hugging_face(tmp_path / "x", tiny.config, arrays)
    assert "embeddings.word_embeddings.weight" in load_file(tmp_path / "x" / "model.safetensors")
    raw = json.loads((tmp_path / "x" / "config.json").read_text())
    assert raw["architectures"] == ["BertModel"]
    assert "id2label" not in raw


def test_activations_have_their_names(tmp_path, tiny):
    for ours, theirs in (("gelu", "gelu"), ("gelu_tanh", "gelu_new"), ("relu", "relu")):
        save_hugging_face(tmp_path / ours, {**tiny.config, "activation": ours}, tiny.arrays)
        assert json.loads((tmp_path / ours / "config.json").read_text())["hidden_act"] == theirs
        assert load(tmp_path / ours).config["activation"] == ours


def test_bad_arguments_are_named(tmp_path, tiny):
    with pytest.raises(ValueError, match=r"`head` must be one of .*'classifier'.* Received: tagger"):
        save_hugging_face(tmp_path / "x", tiny.config, tiny.arrays, head="tagger")
    with pytest.raises(ValueError, match=r"`labels` must name 3 classes. Received: labels=\['a'\]"):
        save_hugging_face(tmp_path / "x", tiny.config, tiny.arrays, head="classifier", labels=("a",))
    with pytest.raises(ValueError, match=r"`problem` must be one of single_label, .* Received: odd"):
        save_hugging_face(tmp_path / "x", tiny.config, tiny.arrays, head="classifier", problem="odd")
    assert not list(tmp_path.iterdir())
