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


def bundle(folder, variables, name="bert_model.ckpt", config=CONFIG):
    """Saves the same files without a graph, and without the file `checkpoint`."""
    folder.mkdir(exist_ok=True)
    names = sorted(variables)
    tensors = [tf.constant(variables[path]) for path in names]
    tf.raw_ops.SaveV2(
        prefix=str(folder / name), tensor_names=names, shape_and_slices=[""] * len(names), tensors=tensors
    )
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
    assert (checkpoint.format, dict(checkpoint.extra)) == ("google", {})
    assert set(checkpoint.arrays) == {*load(TINY).arrays, "masked_lm/bias"}
    assert checkpoint.config == load(TINY).config


def test_a_prefix_and_the_only_checkpoint_of_a_folder_are_found(tmp_path):
    folder = write(tmp_path / "run", google_variables(), "model.ckpt-1200")
    assert len(load(folder).arrays) == len(load(folder / "model.ckpt-1200").arrays) == 41
    for name in ("model.ckpt-1200", "model.ckpt-1200.index", "model.ckpt-1200.data-00000-of-00001"):
        assert len(load(folder / name).arrays) == 41


def test_of_several_checkpoints_the_one_that_the_saver_noted_is_read_and_said(tmp_path, caplog):
    first, second = google_variables(), google_variables()
    second["output_bias"] = second["output_bias"] + 1
    folder = bundle(tmp_path / "run", first, "model.ckpt-20")
    bundle(folder, second, "model.ckpt-100")
    with pytest.raises(UserError, match=r"several checkpoints \(model.ckpt-100, model.ckpt-20\): name one of them"):
        load(folder)
    for name, bias in (("model.ckpt-100", second), ("model.ckpt-20", first)):
        # Written by another machine: only the last part of the path counts.
        (folder / "checkpoint").write_text(f'model_checkpoint_path: "/gone/away/{name}"\n')
        caplog.clear()
        np.testing.assert_array_equal(load(folder).arrays["classifier/bias"], bias["output_bias"])
        assert f"{name} is read, as its file `checkpoint` says" in caplog.text
    bundle(folder, first)
    (folder / "checkpoint").unlink()
    assert "classifier/bias" in load(folder).arrays
    assert "bert_model.ckpt is read, its own name for a whole model" in caplog.text
    np.testing.assert_array_equal(load(folder / "model.ckpt-100").arrays["classifier/bias"], second["output_bias"])


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


def test_missing_extra_and_wrong_variables_are_named(tmp_path):
    variables = google_variables()
    del variables["bert/encoder/layer_1/output/dense/bias"]
    variables["bert/embeddings/LayerNorm/gamma"] = np.ones(5, "float32")
    variables["bert/odd"] = np.ones((2, 3), "float32")
    with pytest.raises(UserError) as error:
        BertBackbone.from_pretrained(write(tmp_path / "x", variables))
    for part in (
        "block_1/feed_forward/output/bias is missing: the model needs [4], the file has none",
        "embeddings/norm/gamma (bert/embeddings/LayerNorm/gamma) has the wrong shape: the model needs [4], "
        "the file has [5]",
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
    with pytest.raises(UserError, match=r"bert_model.ckpt is no readable TensorFlow checkpoint: "):
        load(folder)
    bundle(folder, google_variables())
    (folder / "bert_config.json").unlink()
    with pytest.raises(UserError, match=r"holds no bert_config.json, which describes the model"):
        load(folder / "bert_model.ckpt")


def test_what_google_cannot_compute_is_refused(tmp_path):
    tiny = load(TINY)
    with pytest.raises(
        ValueError, match=r"activations gelu, relu, .* Received: activation=silu, position_kind=learned"
    ):
        save_google(tmp_path / "x", {**tiny.config, "activation": "silu"}, tiny.arrays)
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    "slots",
    [
        ("AdamWeightDecayOptimizer", "AdamWeightDecayOptimizer_1"), ("BERTAdam", "BERTAdam_1"), ("Adafactor/vr", "v"),
        ("LAMBOptimizer_m", "lamb_v"), ("ExponentialMovingAverage",), ("training/Momentum",), ("a_name_of_tomorrow/z",),
    ],
)  # fmt: skip
def test_slots_of_any_optimizer_are_left_aside_in_one_line(tmp_path, caplog, slots):
    variables = google_variables()
    extra = {f"{path}/{slot}": array[..., 0] for path, array in variables.items() for slot in slots}
    extra |= {"global_step": np.int64(7), "loss_scale": np.float32(2), "signal_early_stopping/STOP": np.bool_(False)}
    checkpoint = load(bundle(tmp_path / "x", {**variables, **extra}))
    assert set(checkpoint.arrays) == set(load(TINY).arrays)
    assert not checkpoint.extra
    (line,) = [record.getMessage() for record in caplog.records]
    assert f"{len(extra)} variables of its training are not loaded: bert/embeddings/LayerNorm/beta/" in line


def test_missing_weights_stay_errors_where_there_are_slots(tmp_path):
    variables = {f"{path}/adam_m": array for path, array in google_variables().items()}
    with pytest.raises(UserError, match="embeddings/token/table is missing"):
        BertBackbone.from_pretrained(bundle(tmp_path / "x", variables))


def numbered_norms(variables):
    """As tf.keras names norms made without a name: one count through the model."""
    count: dict[str, str] = {}
    found = {}
    for path in sorted(variables, key=lambda path: ("layer_1" in path, "embeddings" not in path, path)):
        scope, norm, rest = path.rpartition("/LayerNorm/")
        if norm:
            number = f"_{len(count)}" if count else ""
            path = f"{scope}/{count.setdefault(scope, f'layer_normalization{number}')}/{rest}"
            found[path] = variables[f"{scope}/LayerNorm/{rest}"]
        else:
            found[path] = variables[path]
    return found


@pytest.mark.parametrize(
    "rename",
    [
        numbered_norms,
        lambda variables: {f"module/{path}": array for path, array in variables.items()},
        lambda variables: {
            (f"tower/{path}" if path.startswith("bert/") else path): a for path, a in variables.items()
        },
        lambda variables: {path.replace("bert/", "bert_1/", 1): array for path, array in variables.items()},
    ],
)  # fmt: skip
def test_other_names_of_the_same_variables(tmp_path, rename):
    variables = rename(google_variables())
    assert set(variables) != set(google_variables())
    folder = bundle(tmp_path / "x", variables)
    np.testing.assert_allclose(BertClassifier.from_pretrained(folder)(inputs()), outputs()["logits"], rtol=0, atol=1e-5)


def test_two_norms_in_one_place_are_refused(tmp_path):
    variables = google_variables()
    variables["bert/embeddings/layer_normalization_3/gamma"] = variables["bert/embeddings/LayerNorm/gamma"]
    with pytest.raises(UserError, match=r"holds bert/embeddings/LayerNorm/gamma under two names"):
        load(bundle(tmp_path / "x", variables))


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("bert/encoder/transformer/group_0/inner_group_0/ffn_1/x", "ALBERT"),
        ("electra/embeddings/word_embeddings", "ELECTRA"),
        ("encoder/layer-0/_attention_layer/_query_dense/kernel/.ATTRIBUTES/VARIABLE_VALUE", "TF 2"),
        ("model/layer_with_weights-0/layer_with_weights-4/_output_layer_norm/gamma/.ATTRIBUTES/VARIABLE_VALUE", "TF 2"),
    ],
)
def test_checkpoints_of_other_models_are_named(tmp_path, name, other):
    with pytest.raises(UserError, match=rf"bert_model.ckpt is a checkpoint of {other}"):
        BertBackbone.from_pretrained(bundle(tmp_path / "x", {name: np.zeros(2, "float32")}))


def test_a_keras_checkpoint_of_tf_2_is_named(tmp_path):
    model = tf.Module()
    model.w = tf.Variable([1.0])
    tf.train.Checkpoint(model=model).write(str(tmp_path / "ckpt-1"))
    (tmp_path / "bert_config.json").write_text(json.dumps(CONFIG))
    with pytest.raises(UserError, match=r"ckpt-1 is a checkpoint of TF 2, .* of a run of bert_tf, its folder `model`"):
        load(tmp_path)


@pytest.mark.parametrize("name", ["config.json", "bert_config_large.json", "my_bert_config.json"])
def test_a_config_of_another_name_is_found_and_said(tmp_path, caplog, name):
    folder = bundle(tmp_path / "x", google_variables())
    (folder / "bert_config.json").rename(folder / name)
    (folder / "tokenizer_config.json").write_text('{"do_lower_case": true}')
    np.testing.assert_allclose(BertClassifier.from_pretrained(folder)(inputs()), outputs()["logits"], rtol=0, atol=1e-5)
    assert f"holds no bert_config.json: {name} is read" in caplog.text
    (folder / "bert_config_small.json").write_text(json.dumps({**CONFIG, "hidden_size": 8}))
    with pytest.raises(UserError, match=r"holds several configs \(.*\) and no bert_config.json: rename the right one"):
        load(folder)


@pytest.mark.parametrize(
    ("key", "value"), [("directionality", "uni"), ("ln_type", "preln"), ("embedding_size", 2), ("model_type", "albert")]
)
def test_keys_that_change_what_is_computed_are_refused(tmp_path, key, value):
    folder = bundle(tmp_path / "x", google_variables(), config={**CONFIG, key: value})
    with pytest.raises(UserError, match=rf'bert_config.json: `{key}` must be .*. Received: "?{value}'):
        load(folder)
    own = {"directionality": "bidi", "ln_type": "postln", "embedding_size": 4, "model_type": "bert"}[key]
    bundle(folder, google_variables(), config={**CONFIG, key: own, "pooler_type": "first_token_transform"})
    assert load(folder).config["hidden_dim"] == 4
