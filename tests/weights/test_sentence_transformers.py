"""Folders of sentence-transformers: what it wrote against what it answers, and the files by themselves."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from bert_tf import BertEmbedder, Pipeline
from bert_tf.data import InMemory
from bert_tf.errors import UserError
from bert_tf.kinds import Retrieval
from bert_tf.models import BertBackbone, BertClassifier
from bert_tf.text import BertTokenizer
from bert_tf.weights import load
from bert_tf.weights.leave import Leave
from bert_tf.weights.refused import Refused, accepted
from bert_tf.weights.sentence_transformers import has_vectors, read_modules, write_modules
from tests.weights.tiny import TINY

SETTINGS = [
    {"pooling": pooling, "normalize": normalize, "max_length": 40}
    for pooling in ("mean", "cls", "max", "lasttoken", ("mean_sqrt_len_tokens", "weightedmean"), ("mean", "cls"))
    for normalize in (True, False)
]
EMBEDDERS = (
    "mean", "cls", "max", "mean_sqrt_len_tokens", "weightedmean", "lasttoken", "old_two_poolings", "dense_of_two",
    "named_prompts", "truncated",
)  # fmt: skip
# Where the way from text to vectors is another than the model's alone.
WHOLE = ("dense", "two_poolings", "prompt", "lowered", "apart")
CROSS_ENCODERS = {
    "cross_sigmoid": "sigmoid", "cross_identity": "linear", "cross_none": "sigmoid", "cross_tanh": "tanh",
    "cross_4": "linear", "cross_3": "sigmoid",
}  # fmt: skip


@pytest.fixture(name="folders", scope="module")
def folders_fixture(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("sentence_transformers")
    with zipfile.ZipFile(TINY.parent / "sentence_transformers.zip") as file:
        file.extractall(folder)
    return folder


def truth(folder: Path) -> dict:
    return json.loads((folder / "truth.json").read_text(encoding="utf-8"))


def vectors(place, texts) -> np.ndarray:
    return np.array([answer["vector"] for answer in Pipeline(place)(texts)])


def write(folder, *kinds, pooling=None, **files):
    types = [f"sentence_transformers.models.{kind}" for kind in kinds]
    modules = [{"idx": i, "path": "1_Pooling" if "Pool" in kind else "", "type": kind} for i, kind in enumerate(types)]
    (folder / "modules.json").write_text(json.dumps(modules))
    (folder / "1_Pooling").mkdir(exist_ok=True)
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(pooling or {}))
    for name, value in files.items():
        (folder / f"{name}.json").write_text(json.dumps(value))


@pytest.fixture(name="tokenizer", scope="module")
def tokenizer_fixture(folders) -> BertTokenizer:
    """That of all folders but `lowered`."""
    return BertTokenizer.from_pretrained(folders / "mean")


@pytest.mark.parametrize("name", EMBEDDERS)
def test_vectors_are_those_of_sentence_transformers(folders, tokenizer, name):
    expected = truth(folders / name)
    found = BertEmbedder.from_pretrained(folders / name)(tokenizer(expected["texts"], max_length=20))
    np.testing.assert_allclose(found, expected["vectors"], rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", WHOLE)
def test_the_way_from_text_is_theirs(folders, name):
    expected = truth(folders / name)
    np.testing.assert_allclose(vectors(folders / name, expected["texts"]), expected["vectors"], rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", ["dense", "dense_of_two", "two_poolings", "prompt", "truncated", "lowered", "apart"])
def test_saved_again_they_are_the_same(folders, tokenizer, tmp_path, name):
    model = BertEmbedder.from_pretrained(folders / name)
    model.save_pretrained(tmp_path / "x", tokenizer)
    again, inputs = BertEmbedder.from_pretrained(tmp_path / "x"), tokenizer(["a bc.", "the day"])
    np.testing.assert_array_equal(again(inputs), model(inputs))
    assert {key: getattr(again, key) for key in model.own_arguments} == {
        key: getattr(model, key) for key in model.own_arguments
    }
    assert not load(tmp_path / "x").warnings


def test_what_cannot_be_followed_is_refused_by_name_unless_it_is_left_out(folders):
    with pytest.raises(UserError, match=r"modules\.json: the module LayerNorm after the pooling .*ignore=.\"LayerNorm"):
        BertEmbedder.from_pretrained(folders / "norm_after")
    assert BertEmbedder.from_pretrained(folders / "norm_after", ignore=["LayerNorm"]).pooling == "mean"
    assert BertEmbedder.from_pretrained(folders / "norm_after", pooling="cls").pooling == "cls"
    BertBackbone.from_pretrained(folders / "norm_after")  # it makes no vectors of texts
    with pytest.raises(
        UserError, match=r"`include_prompt` of the pooling must be true where there is a default prompt"
    ):
        Pipeline(folders / "without_prompt")
    assert BertEmbedder.from_pretrained(folders / "without_prompt", prompt="").prompt == ""


@pytest.mark.parametrize(("name", "activation"), CROSS_ENCODERS.items())
def test_scores_are_those_of_a_cross_encoder(folders, tokenizer, tmp_path, name, activation):
    expected = truth(folders / name)
    inputs = tokenizer(expected["texts"], expected["pairs"], max_length=24)
    model = BertClassifier.from_pretrained(folders / name)
    assert model.score_activation == activation
    np.testing.assert_allclose(model.scores(model(inputs))[:, 0], expected["scores"], rtol=0, atol=1e-5)
    model.save_pretrained(tmp_path / "x")
    kept = json.loads((tmp_path / "x" / "config.json").read_text())["sentence_transformers"]["activation_fn"]
    assert kept.rpartition(".")[2].lower() == {"linear": "identity"}.get(activation, activation)
    again = BertClassifier.from_pretrained(tmp_path / "x")
    assert again.score_activation == activation
    np.testing.assert_array_equal(again.scores(again(inputs)), model.scores(model(inputs)))


def test_the_way_from_pairs_is_theirs(folders):
    expected = truth(folders / "cross_3")
    scores = [answer["value"] for answer in Pipeline(folders / "cross_3")(expected["texts"], expected["pairs"])]
    np.testing.assert_allclose(scores, expected["scores"], rtol=0, atol=1e-5)


@pytest.mark.parametrize(("name", "shown"), [("cross_softmax", "probabilities"), ("cross_three_labels", "logits")])
def test_scores_of_several_labels(folders, name, shown):
    expected = truth(folders / name)
    rows = Pipeline(folders / name)
    rows._is_run = False
    found = np.array([row[shown] for row in rows.rows(expected["texts"], expected["pairs"])])
    np.testing.assert_allclose(found, expected["scores"], rtol=0, atol=1e-5)


def edited(folders, tmp_path, name, file, **values) -> Path:
    import shutil

    folder = tmp_path / "x"
    shutil.copytree(folders / name, folder)
    raw = json.loads((folder / file).read_text()) if (folder / file).is_file() else {}
    (folder / file).write_text(json.dumps(raw | values))
    return folder


def test_a_cross_encoder_of_three_labels_each_by_itself_has_several(folders, tmp_path):
    prompts = "config_sentence_transformers.json"
    folder = edited(folders, tmp_path, "cross_softmax", prompts, activation_fn="torch.nn.modules.activation.Sigmoid")
    expected = truth(folder)
    answers = Pipeline(folder)(expected["texts"][0], expected["pairs"][0])
    logits = np.array(truth(folders / "cross_softmax")["scores"][0])
    odds = [p / (1 - p) for p in answers["probabilities"].values()]
    np.testing.assert_allclose(odds / np.sum(odds), logits, atol=1e-5)  # e to each logit, as a softmax has it


@pytest.mark.parametrize(
    ("name", "file", "values", "message"),
    [
        (
            "cross_sigmoid",
            "config_sentence_transformers.json",
            {"activation_fn": "my.Own"},
            "`activation_fn` must be one",
        ),
        (
            "cross_softmax",
            "config_sentence_transformers.json",
            {"activation_fn": "torch.nn.Tanh"},
            "`activation_fn` must",
        ),
        ("cross_4", "config.json", {"sentence_transformers": {"activation_fn": "torch.nn.PReLU"}}, "torch.nn.PReLU"),
        ("cross_3", "config.json", {"sbert_ce_default_activation_function": "x.y"}, "`sbert_ce_default_activation_f"),
        (
            "cross_none",
            "config_sentence_transformers.json",
            {"prompts": {"query": "q: "}, "default_prompt_name": "query"},
            "`default_prompt_name` must be null",
        ),
    ],
)
def test_scores_that_cannot_be_made_are_refused(folders, tmp_path, name, file, values, message):
    folder = edited(folders, tmp_path, name, file, **values)
    with pytest.raises(UserError, match=message):
        Pipeline(folder)
    key = message.split("`")[1] if "`" in message else "activation_fn"
    key = "sbert_ce_default_activation_function" if key.startswith("sbert") else key
    BertClassifier.from_pretrained(folder, ignore=[key])
    assert BertClassifier.from_pretrained(folder, score_activation="linear").score_activation == "linear"
    BertBackbone.from_pretrained(folder)


def test_a_lowered_folder_says_what_another_tokenizer_needs(folders):
    assert any("`do_lower_case`" in warning for warning in load(folders / "lowered").warnings)
    own = BertTokenizer.from_pretrained(folders / "lowered")
    tokenizer = Retrieval(source=InMemory({}), sequence_length=24).build_tokenizer(str(folders / "lowered"))
    assert (own.lowercase, tokenizer.lowercase, tokenizer.strip_accents) == (False, True, False)
    ids = tokenizer.tokenize(["É"]).to_list()[0]
    assert [tokenizer.vocabulary[i] for i in ids] == ["é"]  # lower-cased, its accent kept


@pytest.mark.parametrize("settings", SETTINGS)
def test_there_and_back(tmp_path, settings):
    write_modules(tmp_path, hidden_dim=6, **settings)
    assert read_modules(tmp_path).settings == settings
    more = {"prompt": "query: ", "truncate_dim": 3}
    write_modules(tmp_path, hidden_dim=6, **settings, **more)
    assert read_modules(tmp_path).settings == settings | more


@pytest.mark.parametrize("bias", [True, False])
def test_a_dense_layer_there_and_back(tmp_path, bias):
    rng = np.random.default_rng(1)
    dense = {"kernel": rng.normal(size=(6, 3)).astype("float32")} | ({"bias": np.ones(3, "float32")} if bias else {})
    write_modules(
        tmp_path, hidden_dim=6, pooling="cls", normalize=True, max_length=9, dense=dense, dense_activation="gelu"
    )
    found = read_modules(tmp_path)
    expected = {"dense_dim": 3, "dense_bias": bias, "dense_activation": "gelu"}
    assert found.settings == {"pooling": "cls", "normalize": True, "max_length": 9, **expected}
    assert {path: tensor.shape for path, tensor in found.tensors.items()} == {
        f"dense/{name}": array.shape for name, array in dense.items()
    }
    for name, array in dense.items():
        np.testing.assert_array_equal(found.tensors[f"dense/{name}"].read(), array)


def test_a_folder_that_says_nothing(tmp_path):
    assert read_modules(tmp_path).settings == {}
    assert not has_vectors(tmp_path)


def test_what_the_published_model_says():
    from bert_tf.weights import resolve

    found = read_modules(resolve("minilm"))
    assert found.settings == {"pooling": "mean", "normalize": True, "max_length": 256}
    assert not found.warnings


def test_newer_files(tmp_path):
    write(
        tmp_path, "Transformer", "Pooling", pooling={"pooling_mode": "cls"}, tokenizer_config={"model_max_length": 99}
    )
    assert read_modules(tmp_path).settings == {"pooling": "cls", "normalize": False, "max_length": 99}
    (tmp_path / "sentence_bert_config.json").write_text('{"max_seq_length": null}')
    assert read_modules(tmp_path).settings["max_length"] == 99
    (tmp_path / "tokenizer_config.json").write_text('{"model_max_length": 1000000000000000019884624838656}')
    assert "max_length" not in read_modules(tmp_path).settings


BERT, PROMPTS = "sentence_bert_config", "config_sentence_transformers"


@pytest.mark.parametrize(
    ("kinds", "pooling", "files", "name"),
    [
        ("Transformer Pooling", {"pooling_mode": "first_and_last"}, {}, "pooling_mode"),
        ("Transformer", {}, {}, "Pooling"),
        ("Transformer Pooling CNN", {}, {}, "CNN"),
        ("Transformer WeightedLayerPooling Pooling", {}, {}, "WeightedLayerPooling"),
        ("BoW Pooling", {}, {}, "BoW"),
        ("WordEmbeddings WordWeights Pooling", {}, {}, "WordEmbeddings"),
        ("Transformer Pooling Pooling", {}, {}, "Pooling"),
        ("Router", {}, {}, "Router"),
        ("Transformer Pooling", {}, {BERT: {"transformer_task": "fill-mask"}}, "transformer_task"),
        ("Transformer Pooling", {}, {BERT: {"tokenizer_args": {"a": 1}}}, "tokenizer_args"),
        ("Transformer Pooling", {}, {BERT: {"query_expansion": {"length": 3}}}, "query_expansion"),
        ("Transformer Pooling", {}, {PROMPTS: {"model_type": "SparseEncoder"}}, "model_type"),
    ],
)
def test_what_we_do_not_have_is_refused_by_name(tmp_path, kinds, pooling, files, name):
    write(tmp_path, *kinds.split(), pooling=pooling, **files)
    refused = read_modules(tmp_path).settings["pooling"]
    assert isinstance(refused, Refused)
    assert name in refused.message
    with pytest.raises(UserError, match=name):
        accepted(read_modules(tmp_path).settings)
    left = Leave([name])
    read_modules(tmp_path, leave=left)
    assert not left.unmet


def test_unknown_keys_and_facts_that_are_not_used_are_named(tmp_path):
    write(
        tmp_path,
        "Transformer",
        "Dropout",
        "Pooling",
        pooling={"pooling_mode": "max", "temperature": 2},
        sentence_bert_config={"max_seq_length": 8, "new_key": 1, "query_length": 5},
        config_sentence_transformers={"similarity_fn_name": "dot", "prompts": {"query": "q: ", "document": ""}},
    )
    found = read_modules(tmp_path)
    assert found.settings == {"pooling": "max", "normalize": False, "max_length": 8}
    said = "\n".join(found.warnings)
    for part in ("not used: temperature", "not used: new_key", "`query_length` is not used", "of some kinds (query)"):
        assert part in said
    assert "`similarity_fn_name` is dot" in said


def test_broken_files(tmp_path):
    (tmp_path / "modules.json").write_text("{")
    with pytest.raises(UserError, match=r"modules\.json: expected JSON"):
        read_modules(tmp_path)
    (tmp_path / "modules.json").write_text('{"a": 1}')
    with pytest.raises(UserError, match=r"expected a list of modules. Received: .'a': 1."):
        read_modules(tmp_path)
    write(tmp_path, "Transformer", "Pooling")
    (tmp_path / "1_Pooling" / "config.json").unlink()
    with pytest.raises(UserError, match=r"1_Pooling.config\.json: expected a file that can be read"):
        read_modules(tmp_path)
    prompts = {"prompts": {"a": "b"}, "default_prompt_name": "c"}
    write(tmp_path, "Transformer", "Pooling", config_sentence_transformers=prompts)
    with pytest.raises(UserError, match=r"`default_prompt_name` must be one of `prompts`. Received: 'c'"):
        read_modules(tmp_path)


def test_a_message_has_room_for_every_name_of_a_module(tmp_path):
    write(tmp_path, "Transformer", "Pooling", "A" * 2000)
    refused = read_modules(tmp_path).settings["pooling"]
    assert isinstance(refused, Refused)
    assert f"the module {'A' * 80} after the pooling is not supported" in refused.message
    assert len(refused.message.replace(str(tmp_path), "")) < 600


def test_a_broken_dense_layer(folders, tmp_path):
    folder = edited(folders, tmp_path, "dense", "2_Dense/config.json", activation_function="torch.nn.Hardtanh")
    with pytest.raises(
        UserError, match=r"`activation_function` must be one of torch.nn.Identity, .*Received: torch.nn.H"
    ):
        BertEmbedder.from_pretrained(folder)
    assert BertEmbedder.from_pretrained(folder, dense_activation="relu").dense_activation == "relu"
    config = json.loads((folder / "2_Dense" / "config.json").read_text())
    (folder / "2_Dense" / "config.json").write_text(json.dumps(config | {"out_features": "many"}))
    with pytest.raises(UserError, match=r"`out_features` must be an integer of at least 1. Received: 'many'"):
        load(folder)
    (folder / "2_Dense" / "config.json").write_text(json.dumps(config | {"bias": False}))
    with pytest.raises(UserError, match=r"must hold linear.weight. Received: linear.bias, linear.weight"):
        load(folder)
    (folder / "2_Dense" / "model.safetensors").unlink()
    with pytest.raises(UserError, match=r"2_Dense holds no weights: expected model.safetensors or pytorch_model.bin"):
        load(folder)
