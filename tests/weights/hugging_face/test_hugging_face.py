"""Hugging Face folders: every way they are written, and what is wrong with a broken one."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from bert_tf.errors import UserError
from bert_tf.weights import load, save_hugging_face
from bert_tf.weights.members import MEMBERS
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
    buffers = {"position_ids": np.arange(8)[None], "token_type_ids": np.zeros((1, 8), "int64")}
    return tensors | {f"bert.embeddings.{name}": array for name, array in buffers.items()}


@pytest.mark.parametrize("change", [bare, parallel, old, with_buffers])
def test_the_ways_to_name_the_same_tensors(tmp_path, tiny, change):
    assert_same(load(altered(tmp_path / "x", change)), tiny)


@pytest.mark.parametrize("head", ["", "same"])
@pytest.mark.parametrize(
    "prefix",
    [
        "model.", "_orig_mod.", "_orig_mod.module.", "model.module.bert.", "encoder.", "0.auto_model.",
        "net.text.bert.", "state_dict.model.bert.", "pooler.", "a.b.c.d.", "bert.bert.",
    ],
)  # fmt: skip
def test_any_prefix_is_found_by_what_follows_it(tmp_path, tiny, prefix, head):
    """The heads have the prefix's outer parts in front, or nothing."""
    outer = prefix.rpartition(".")[0].rpartition(".")
    start = "".join(outer[:2]) if head else ""

    def change(tensors):
        parts = {name: array for name, array in tensors.items() if name.startswith("bert.")}
        renamed = {prefix + name.removeprefix("bert."): array for name, array in parts.items()}
        return renamed | {start + name: array for name, array in tensors.items() if name not in parts}

    assert_same(load(altered(tmp_path / "x", change)), tiny)


def test_wrappers_in_the_middle_of_a_name_are_left_out(tmp_path, tiny):
    def change(tensors):
        return {
            name.replace("encoder.layer.1.", "encoder._orig_mod.layer.1._checkpoint_wrapped_module.")
            .replace("bert.", "_fsdp_wrapped_module._fpw_module.bert.")
            .replace("classifier.", "_fsdp_wrapped_module.classifier._orig_mod."): array
            for name, array in tensors.items()
        }

    assert_same(load(altered(tmp_path / "x", change)), tiny)


def test_of_several_models_one_must_be_chosen(tmp_path, tiny):
    def change(tensors):
        other = {f"teacher.{name}": array + 1 for name, array in tensors.items()}
        return {f"student.{name}": array for name, array in tensors.items()} | other

    folder = altered(tmp_path / "x", change)
    with pytest.raises(UserError, match=r"holds 2 models, under student.bert., teacher.bert.: .*ignore=..teacher.\*"):
        load(folder)
    assert_same(load(folder, ignore=["teacher.*"]), tiny)


def test_names_like_the_backbones_outside_of_it_are_not_taken_for_it(tmp_path):
    def change(tensors):
        found = {name: array for name, array in tensors.items() if "pooler" not in name}
        return found | {"pooler.dense.weight": np.ones((4, 4), "float32"), "encoder.x": np.ones(3, "float32")}

    checkpoint = load(altered(tmp_path / "x", change))
    assert checkpoint.extra == {"pooler.dense.weight": (4, 4), "encoder.x": (3,)}
    assert not [path for path in checkpoint.arrays if path.startswith("pooler")]


@pytest.mark.parametrize("name", ["roberta", "electra", "distilbert"])
def test_another_models_names_are_refused_whatever_config_json_says(tmp_path, name):
    folder = altered(tmp_path / "x", lambda tensors: {k.replace("bert.", f"{name}."): v for k, v in tensors.items()})
    with pytest.raises(UserError, match=rf"holds tensors named {name}.\*: a model of the type {name}"):
        load(folder)


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (
            ("transformer.h.0.attn.weight", "wte.weight"),
            "named embeddings.word_embeddings.weight. It has transformer.h",
        ),
        (
            ("base_model.bert.encoder.layer.0.attention.self.query.lora_A.weight",),
            "an adapter's: merge it into its model",
        ),
        ((), "model.safetensors holds no tensors"),
    ],
)
def test_a_file_without_a_bert_says_what_it_has(tmp_path, names, said):
    with pytest.raises(UserError, match=said):
        load(altered(tmp_path / "x", lambda tensors: {name: np.zeros(2, "float32") for name in names}))


def test_a_buffer_that_is_not_the_usual_one_is_said(tmp_path):
    def change(tensors):
        return tensors | {"bert.embeddings.position_ids": np.arange(2, 10)[None]}

    (said,) = load(altered(tmp_path / "x", change)).warnings
    assert "the buffer bert.embeddings.position_ids is not the usual one" in said


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
        ({"model_type": "ernie"}, (), f"`model_type` must be {' or '.join(MEMBERS)}. Received: ernie"),
        ({"model_type": "b" * 900}, (), f"Received: {'b' * 80}$"),
        ({"architectures": ["Roberta" + "b" * 900]}, (), f"Received: Roberta{'b' * 73}$"),
        ({"bert_tf": "odd"}, (), "`bert_tf` must be an object. Received: 'odd'"),
    ],
)
def test_a_config_that_is_wrong_is_named(tmp_path, config, without, message):
    with pytest.raises(UserError, match=f"config.json.*{message}" if "lacks" not in message else message):
        load(altered(tmp_path / "x", config=config, without=without))


def test_a_missing_or_broken_config_is_named(tmp_path):
    folder = altered(tmp_path / "x")
    for text, message in (
        ("{", r"config\.json: expected JSON\. Received: Expecting"),
        ("[]", r"expected a JSON object\. Received: list"),
    ):
        (folder / "config.json").write_text(text)
        with pytest.raises(UserError, match=message):
            load(folder)
    (folder / "config.json").unlink()
    with pytest.raises(UserError, match=r"holds no config.json"):
        load(folder)


def test_a_folder_without_weights_says_what_was_expected(tmp_path):
    with pytest.raises(UserError, match=r"holds no weights: expected model.safetensors, pytorch_model.bin, tf"):
        load(tmp_path)


def test_a_named_file_is_the_one_that_is_read(tmp_path, tiny):
    folder = altered(tmp_path / "x", lambda tensors: {name: array + 1 for name, array in tensors.items()})
    for source, name in (
        ("model.safetensors", "model.fp16.safetensors"), ("pytorch_model.bin", "best.bin"),
        ("legacy.bin", "epoch=3.ckpt"), ("pytorch_model.bin", "model.pt"),
    ):  # fmt: skip
        shutil.copyfile(TINY / source, folder / name)
        checkpoint = load(folder / name)
        assert_same(checkpoint, tiny)
        assert checkpoint.where == folder / name
        assert checkpoint.labels == tiny.labels
    whole = load(folder / "config.json")  # stands for its folder
    np.testing.assert_array_equal(whole.arrays["pooler/dense/bias"], tiny.arrays["pooler/dense/bias"] + 1)
    (folder / "weights.npz").touch()
    with pytest.raises(UserError, match=r"weights.npz is no file of weights by its name: expected a folder, or a file"):
        load(folder / "weights.npz")


def test_a_named_index_and_a_folder_with_weights_under_other_names(tmp_path, tiny):
    folder = sharded(tmp_path / "x")
    (folder / "model.safetensors.index.json").rename(folder / "model.bf16.safetensors.index.json")
    assert_same(load(folder / "model.bf16.safetensors.index.json"), tiny)
    with pytest.raises(UserError, match=r"holds no weights: .*model.bf16.safetensors.index.json is there|model-00001"):
        load(folder)


@pytest.mark.parametrize("inside", ["0_BERT", "0_Transformer", "encoder"])
def test_the_transformer_of_a_sentence_encoder_may_lie_in_a_folder_of_its_own(tmp_path, tiny, inside):
    altered(tmp_path / inside)
    (tmp_path / "1_Pooling").mkdir()
    (tmp_path / "1_Pooling" / "config.json").write_text(json.dumps({"pooling_mode_cls_token": True}))
    modules = [("Transformer", inside), ("Pooling", "1_Pooling")]
    (tmp_path / "modules.json").write_text(
        json.dumps([{"type": f"sentence_transformers.models.{kind}", "path": path} for kind, path in modules])
    )
    checkpoint = load(tmp_path)
    assert_same(checkpoint, tiny)
    assert checkpoint.settings["pooling"] == "cls"


def test_bert_config_json_stands_in_for_config_json(tmp_path, tiny):
    folder = altered(tmp_path / "x")
    (folder / "config.json").rename(folder / "bert_config.json")
    checkpoint = load(folder)
    assert_same(checkpoint, tiny)
    assert checkpoint.warnings == (f"{folder} holds no config.json: bert_config.json is read for it",)


def test_an_adapter_is_refused_with_or_without_its_model(tmp_path):
    folder = altered(tmp_path / "x")
    (folder / "adapter_config.json").write_text("{}")
    (tmp_path / "y").mkdir()
    (tmp_path / "y" / "adapter_config.json").write_text("{}")
    for place in (folder, tmp_path / "y", folder / "model.safetensors"):
        with pytest.raises(UserError, match=r"holds an adapter .*merge it into its model first.*ignore=."):
            load(place)
    assert load(folder, ignore=["adapter_config.json"]).config["hidden_dim"] == 4


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
