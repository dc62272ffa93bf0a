"""Files that Transformers 4 wrote from TensorFlow and from Flax, against what its own models gave for them."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

from bert_tf.errors import UserError
from bert_tf.models import BertBackbone, BertClassifier, BertMaskedLM, BertPretrainer, BertSpanQA, BertTagger
from bert_tf.weights import load
from bert_tf.weights.readers.flax import read_flax
from bert_tf.weights.readers.tf_h5 import torch_name
from tests.weights.tiny import TINY, inputs

ARCHIVE = TINY.parent / "transformers4.zip"
REAL = inputs()["padding_mask"].astype(bool)
# The class of theirs -> ours, and our output and theirs of the same meaning
HEADS = {
    "Model": (BertBackbone, {"sequence_output": "last_hidden_state", "pooled_output": "pooler_output"}),
    "ForSequenceClassification": (BertClassifier, {"": "logits"}),
    "ForTokenClassification": (BertTagger, {"": "logits"}),
    "ForMaskedLM": (BertMaskedLM, {"masked_lm_logits": "logits"}),
    "ForPreTraining": (
        BertPretrainer,
        {"masked_lm_logits": "prediction_logits", "pair_logits": "seq_relationship_logits"},
    ),
}


@pytest.fixture(name="folders", scope="module")
def folders_fixture(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("transformers4")
    with zipfile.ZipFile(ARCHIVE) as file:
        file.extractall(folder)
    return folder


def theirs(folder: Path) -> dict[str, np.ndarray]:
    """Some names differ: Flax has none of TensorFlow's `logits` for the masked-LM head alone."""
    with np.load(folder / "outputs.npz") as file:
        return dict(file)


def check(model, folder: Path, outputs: dict[str, str]) -> None:
    found, expected = model(inputs()), theirs(folder)
    for ours, name in outputs.items():
        mine = np.asarray(found[ours] if ours else found)
        per_token = mine.shape[:2] == REAL.shape
        np.testing.assert_allclose(
            mine[REAL] if per_token else mine, expected[name][REAL] if per_token else expected[name], rtol=0, atol=1e-5
        )


@pytest.mark.parametrize("library", ["tf", "flax"])
@pytest.mark.parametrize("head", HEADS)
def test_every_head_gives_what_their_own_model_gave(folders, library, head):
    cls, outputs = HEADS[head]
    folder = folders / f"{library}_{head}"
    check(cls.from_pretrained(folder), folder, outputs)
    assert not load(folder).extra


@pytest.mark.parametrize("library", ["tf", "flax"])
def test_span_qa(folders, library):
    folder = folders / f"{library}_ForQuestionAnswering"
    expected = theirs(folder)
    logits = np.asarray(BertSpanQA.from_pretrained(folder)(inputs()))
    for i, name in enumerate(("start_logits", "end_logits")):
        np.testing.assert_allclose(logits[..., i][REAL], expected[name][REAL], rtol=0, atol=1e-5)


@pytest.mark.parametrize("library", ["tf", "flax"])
def test_next_sentence_prediction_has_a_head_of_the_pretrainer(folders, library):
    folder = folders / f"{library}_ForNextSentencePrediction"
    checkpoint = load(folder)
    backbone = BertBackbone.from_pretrained(folder)
    pooled = np.asarray(backbone(inputs())["pooled_output"])
    logits = pooled @ checkpoint.arrays["next_sentence/kernel"] + checkpoint.arrays["next_sentence/bias"]
    np.testing.assert_allclose(logits, theirs(folder)["logits"], rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", ["tf_shards", "flax_shards", "flax_bfloat16"])
def test_shards_and_bfloat16(folders, name):
    cls, outputs = HEADS["ForPreTraining"]
    assert len(list((folders / name).glob("*-of-*"))) == (2 if "shards" in name else 0)
    check(cls.from_pretrained(folders / name), folders / name, outputs)


def test_a_shard_that_lacks_a_tensor_is_named(folders, tmp_path):
    for path in (folders / "tf_shards").iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    with h5py.File(tmp_path / "tf_model-00002-of-00002.h5", "a") as file:
        del file["bert/pooler/dense/bias:0"]
    with pytest.raises(UserError, match=r"tensors that are in no shard: tf_bert_for_pre_training/bert/pooler/dense/bi"):
        BertBackbone.from_pretrained(tmp_path)


@pytest.mark.parametrize(
    ("theirs", "torch"),
    [
        (
            "bert/tf_bert_model/bert/encoder/layer_._11/attention/self/key/bias:0",
            "encoder.layer.11.attention.self.key.bias",
        ),
        ("bert/tf_bert_model/bert/embeddings/word_embeddings:0", "embeddings.word_embeddings.weight"),
        (
            "bert/tf_bert_model/bert/embeddings/token_type_embeddings/embeddings:0",
            "embeddings.token_type_embeddings.weight",
        ),
        ("classifier/tf_bert_for_token_classification_3/classifier/kernel:0", "classifier.weight"),
        (
            "mlm___cls/tf_bert_for_masked_lm/mlm___cls/predictions/transform/LayerNorm/gamma:0",
            "cls.predictions.transform.LayerNorm.weight",
        ),
        ("nsp___cls/tf_bert_for_pre_training/nsp___cls/seq_relationship/bias:0", "cls.seq_relationship.bias"),
        (
            "albert/tf_albert_model/albert/encoder/albert_layer_groups_._1/albert_layers_._0/ffn_output/kernel:0",
            "encoder.albert_layer_groups.1.albert_layers.0.ffn_output.weight",
        ),
        (
            "sop_classifier/tf_albert_for_pre_training/sop_classifier/classifier/bias:0",
            "sop_classifier.classifier.bias",
        ),
        (
            "classifier/tf_roberta_for_sequence_classification/classifier/out_proj/kernel:0",
            "classifier.out_proj.weight",
        ),
        ("lm_head/tf_xlm_roberta_for_masked_lm/lm_head/layer_norm/beta:0", "lm_head.layer_norm.bias"),
        ("crf/tf_bert_crf/transitions:0", "crf/tf_bert_crf/transitions:0"),
    ],
)
def test_names(theirs, torch):
    assert torch_name(theirs) == torch


def test_a_second_encoder_in_the_file_is_refused(folders, tmp_path):
    folder = folders / "tf_Model"
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    with h5py.File(tmp_path / "tf_model.h5", "a") as file:
        file["bert_1/tf_bert_model/bert_1/pooler/dense/bias:0"] = np.zeros(4, "float32")
    with pytest.raises(UserError, match=r"holds pooler\.dense\.bias twice: bert/tf_bert_model/bert/pooler/dense/bias"):
        load(tmp_path)


def test_a_whole_model_that_keras_saved_is_read_without_its_optimizer(folders, tmp_path):
    """Its weights lie in a group of their own, its optimizer's slots in another, and a user's layer is beside them."""
    source = folders / "tf_Model"
    (tmp_path / "config.json").write_text((source / "config.json").read_text())
    slot = "Adam/tf_bert_model/bert/encoder/layer_._0/intermediate/dense/kernel/m:0"
    with h5py.File(source / "tf_model.h5") as file, h5py.File(tmp_path / "mine.h5", "w") as whole:
        file.copy("bert", whole.create_group("model_weights"))
        whole[f"optimizer_weights/{slot}"] = np.zeros((4, 6), "float32")
        whole["model_weights/dense/dense/kernel:0"] = np.zeros((4, 2), "float32")
    checkpoint = load(tmp_path / "mine.h5")
    assert list(checkpoint.extra) == ["model_weights/dense/dense/kernel:0"]
    said = f"1 tensors of its optimizer are not loaded, such as optimizer_weights/{slot}"
    assert any(said in line for line in checkpoint.remarks)
    cls, outputs = HEADS["Model"]
    model = cls.from_pretrained(tmp_path / "mine.h5")
    found, expected = model(inputs()), theirs(source)
    for ours, name in outputs.items():
        rows = (REAL,) if ours == "sequence_output" else ()
        np.testing.assert_allclose(np.asarray(found[ours])[rows], expected[name][rows], rtol=0, atol=1e-5)


def test_values_in_other_files_are_not_read(tmp_path):
    (tmp_path / "config.json").write_text((TINY / "config.json").read_text())
    (tmp_path / "secret").write_bytes(bytes(16))
    with h5py.File(tmp_path / "tf_model.h5", "w") as file:
        file.create_dataset("bert/pooler/dense/bias:0", (4,), "float32", external=[(str(tmp_path / "secret"), 0, 16)])
    with pytest.raises(UserError, match=r"bert/pooler/dense/bias:0 keeps its values in another file"):
        load(tmp_path)


def test_files_without_tensors_are_named(tmp_path):
    (tmp_path / "config.json").write_text((TINY / "config.json").read_text())
    (tmp_path / "flax_model.msgpack").write_bytes(b"\x81\xa4bert\x80")
    with pytest.raises(UserError, match=r"flax_model.msgpack holds no tensors"):
        load(tmp_path)
    h5py.File(tmp_path / "tf_model.h5", "w").close()
    with pytest.raises(UserError, match=r"tf_model.h5 holds no tensors"):
        load(tmp_path)


@pytest.mark.parametrize("name", ["tf_model.h5", "flax_model.msgpack"])
def test_broken_files_are_named(folders, tmp_path, name):
    source = folders / ("tf_Model" if name.endswith("h5") else "flax_Model")
    (tmp_path / "config.json").write_text((source / "config.json").read_text())
    for content, reason in (
        (b"", "is empty"),
        (b"version https://git-lfs.github.com/spec/v1\n", "is a Git LFS pointer"),
        ((source / name).read_bytes()[:-100], "is truncated or no"),
        (b"\x93\x01\x02\x03", "is truncated or no"),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(UserError, match=f"{name} {reason}"):
            load(tmp_path)


def test_flax_files_that_lie_about_their_arrays(tmp_path):
    import msgpack

    path = tmp_path / "flax_model.msgpack"

    def array(shape, dtype, data):
        return msgpack.ExtType(1, msgpack.packb((shape, dtype, data)))

    for tree, reason in (
        ({"bert": {"a": array([2**40], "float32", b"1234")}}, "an array of float32 .1099511627776. has 4 bytes"),
        ({"bert": {"a": array([1], "object", b"12345678")}}, "an array is of type 'object'"),
        ({"bert": {"a": array([-1, -1], "int8", b"1")}}, "an array has the shape"),
        ({"bert": {"a": msgpack.ExtType(9, b"x")}}, "expected an array"),
        ({"bert": {"a": "text"}}, "expected an array. Received: str"),
    ):
        path.write_bytes(msgpack.packb(tree))
        with pytest.raises(UserError, match=rf"flax_model.msgpack is truncated or no Flax file: {reason}"):
            read_flax(path)
    chunks = {"0": array([3], "float32", np.arange(3, dtype="<f4").tobytes()), "1": array([1], "float32", bytes(4))}
    whole = {"__msgpack_chunked_array__": True, "shape": {"0": 2, "1": 2}, "chunks": chunks}
    path.write_bytes(msgpack.packb({"pooler": {"dense": {"kernel": whole}}}))
    np.testing.assert_array_equal(read_flax(path)["pooler.dense.weight"].read(), [[0, 2], [1, 0]])


def test_flax_files_need_msgpack(folders, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "msgpack", None)
    with pytest.raises(UserError, match=r"needs msgpack to be read: pip install 'bert_tf\[flax\]'"):
        load(folders / "flax_Model")


def test_safetensors_come_first_and_the_rest_is_said(folders, tmp_path):
    for path in (folders / "tf_Model").iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "model.safetensors").write_bytes((TINY / "model.safetensors").read_bytes())
    config = json.loads((TINY / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config))
    backbone = load(tmp_path)
    np.testing.assert_array_equal(backbone.arrays["pooler/dense/bias"], load(TINY).arrays["pooler/dense/bias"])
    assert f"{tmp_path}: reads model.safetensors and leaves tf_model.h5 aside" in backbone.remarks
