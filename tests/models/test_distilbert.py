"""DistilBERT, by the table of the family's members: compared with Transformers, and everything that stands on it."""

from __future__ import annotations

import json
import logging
import shutil
import zipfile
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import bert_tf
from bert_tf.errors import UserError
from bert_tf.inference.pipeline import Pipeline
from bert_tf.kinds import Classification, Pretraining, Regression, Retrieval, SpanQA, Tagging
from bert_tf.kinds.registry import kind_of
from bert_tf.layers.embeddings import sinusoids
from bert_tf.layers.functions.masks import attention_bias
from bert_tf.models import weights_by_path
from bert_tf.text.files import read as read_tokenizer
from bert_tf.weights import load
from bert_tf.weights.members import MEMBERS
from tests.checks import check_keras_file

GOLDEN = Path(__file__).parents[1] / "golden" / "distilbert.zip"
TEXTS, PAIRS = ["a good film", "who is Anna ?", "bad"], ["bad film", "Anna is a dab hand", "a b c d e"]
# Folder -> our class, and what of its outputs Transformers gives under which name
MODELS: dict[str, tuple[str, Any]] = {
    "backbone": ("BertBackbone", lambda found: {"last_hidden_state": found["sequence_output"]}),
    "classifier": ("BertClassifier", lambda found: {"logits": found}),
    "regression": ("BertClassifier", lambda found: {"logits": found}),
    "tagger": ("BertTagger", lambda found: {"logits": found}),
    "span_qa": ("BertSpanQA", lambda found: {"start_logits": found[..., 0], "end_logits": found[..., 1]}),
    "masked_lm": ("BertMaskedLM", lambda found: {"logits": found["masked_lm_logits"]}),
    "choice": ("BertMultipleChoice", lambda found: {"logits": found[None]}),
    "sinusoidal": ("BertClassifier", lambda found: {"logits": found}),
    "old": ("BertMaskedLM", lambda found: {"logits": found["masked_lm_logits"]}),
}
HEADS = ("classifier", "tagger", "span_qa", "masked_lm")
CONFIG = bert_tf.BertConfig(
    model_type="distilbert", num_segments=0, vocabulary_size=28, hidden_dim=4, num_layers=1, num_heads=2,
    intermediate_dim=6, max_positions=32, initializer_range=0.5,
)  # fmt: skip


@pytest.fixture(scope="module")
def golden(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("distilbert")
    with zipfile.ZipFile(GOLDEN) as archive:
        archive.extractall(folder)
    return folder


@pytest.fixture(scope="module")
def tokenizer(golden: Path) -> bert_tf.BertTokenizer:
    return bert_tf.BertTokenizer.from_pretrained(golden / "classifier")


def model_of(folder: Path, name: str, **options: Any) -> Any:
    return getattr(bert_tf, MODELS[name][0]).from_pretrained(folder, **options)


def truth_of(folder: Path) -> dict[str, np.ndarray]:
    with np.load(folder / "truth.npz") as file:
        return dict(file)


def inputs_of(truth: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {"token_ids": truth["input_ids"].astype("int32"), "padding_mask": truth["attention_mask"].astype("int32")}


def assert_equals_truth(model: Any, name: str, truth: dict[str, np.ndarray]) -> None:
    inputs = inputs_of(truth)
    real = inputs["padding_mask"].astype(bool)
    for key, ours in MODELS[name][1](model(inputs)).items():
        theirs = truth[key]
        per_token = theirs.shape[:2] == real.shape
        found = np.asarray(ours)[real] if per_token else np.asarray(ours)
        np.testing.assert_allclose(found, theirs[real] if per_token else theirs, atol=1e-5, rtol=0)


def altered(folder: Path, target: Path, *, tensors=None, config: dict[str, Any] | None = None) -> Path:
    """A copy with its tensors put through a function, and keys of config.json changed, or left out where None."""
    shutil.copytree(folder, target)
    if tensors is not None:
        save_file(tensors(load_file(folder / "model.safetensors")), target / "model.safetensors")
    raw = json.loads((folder / "config.json").read_text()) | (config or {})
    (target / "config.json").write_text(json.dumps({key: value for key, value in raw.items() if value is not None}))
    return target


@pytest.mark.parametrize("name", MODELS)
def test_outputs_are_those_of_transformers(golden, name, caplog):
    with caplog.at_level(logging.WARNING):
        model = model_of(golden / name, name, new_weights="forbid")
    assert not caplog.records
    truth = truth_of(golden / name)
    assert_equals_truth(model, name, truth)
    backbone = getattr(model, "backbone", model)
    mask = truth["attention_mask"].astype(bool)
    x = backbone.embeddings(truth["input_ids"])
    for block, theirs in zip((None, *backbone.blocks), truth["hidden_states"], strict=True):
        x = x if block is None else block(x, bias=attention_bias(truth["attention_mask"]))
        np.testing.assert_allclose(np.asarray(x)[mask], theirs[mask], atol=1e-5, rtol=0)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["tagger", "old", "classifier"])
def test_tokens_of_pairs_are_those_of_transformers(golden, tokenizer, name):
    """The first is cased."""
    if name != "classifier":
        tokenizer = bert_tf.BertTokenizer.from_pretrained(golden / name)
    truth, found = truth_of(golden / name), tokenizer(TEXTS, PAIRS)
    np.testing.assert_array_equal(found["token_ids"], truth["input_ids"])
    np.testing.assert_array_equal(found["padding_mask"], truth["attention_mask"])


@pytest.mark.parametrize("name", [name for name in MODELS if name != "old"])
def test_what_came_in_goes_out(golden, tmp_path, name):
    model = model_of(golden / name, name)
    model.save_pretrained(tmp_path / "x")
    theirs, ours = (load_file(folder / "model.safetensors") for folder in (golden / name, tmp_path / "x"))
    assert set(ours) == set(theirs)
    for key, array in theirs.items():
        np.testing.assert_array_equal(ours[key], array, err_msg=key)
    raw, saved = (json.loads((folder / "config.json").read_text()) for folder in (golden / name, tmp_path / "x"))
    kept = {"architectures", "model_type", "activation", "attention_dropout", "dim", "dropout", "hidden_dim", "n_heads"}
    kept |= {"n_layers", "initializer_range", "max_position_embeddings", "pad_token_id", "sinusoidal_pos_embds"}
    kept |= {"vocab_size", "seq_classif_dropout", "qa_dropout"} | ({"id2label"} & set(raw))
    kept -= {"id2label"} if name in ("masked_lm", "choice") else set()
    assert {key: saved[key] for key in kept} == {key: raw[key] for key in kept}
    assert_equals_truth(model_of(tmp_path / "x", name), name, truth_of(golden / name))


def test_its_words_are_written_as_its_own_and_take_pairs_again(golden, tokenizer, tmp_path):
    model_of(golden / "classifier", "classifier").save_pretrained(tmp_path / "x", tokenizer)
    words = json.loads((tmp_path / "x" / "tokenizer_config.json").read_text())
    assert words["tokenizer_class"] == "DistilBertTokenizer"
    assert words["model_input_names"] == ["input_ids", "attention_mask"]
    assert read_tokenizer(tmp_path / "x")[0].get("pairs", True)  # segments do not matter to it
    for name in ("DistilBertTokenizer", "BertTokenizer"):  # which a BERT with such words has learned as one segment
        words |= {"tokenizer_class": name}
        (tmp_path / "x" / "tokenizer_config.json").write_text(json.dumps(words))
        (tmp_path / "x" / "config.json").write_text(json.dumps({"model_type": "bert"}))
        assert read_tokenizer(tmp_path / "x")[0]["pairs"] is False
        (tmp_path / "x" / "config.json").unlink()
        assert read_tokenizer(tmp_path / "x")[0].get("pairs", True) == (name == "DistilBertTokenizer")


def test_dropout_before_heads_is_as_the_file_says(golden, tmp_path):
    assert model_of(golden / "classifier", "classifier").dropout == 0.35
    assert model_of(golden / "span_qa", "span_qa").dropout == 0.25
    assert model_of(golden / "tagger", "tagger").dropout == 0.0  # that of the hidden values
    assert bert_tf.BertClassifier.from_pretrained(golden / "backbone", num_classes=2).dropout == 0.2  # their default
    assert bert_tf.BertClassifier.from_pretrained(golden / "classifier", dropout=0.0).dropout == 0.0
    folder = altered(golden / "span_qa", tmp_path / "x", config={"qa_dropout": 1.0})
    with pytest.raises(UserError, match=r"config.json: `qa_dropout` must be a number in \[0, 1\). Received: 1.0"):
        load(folder)


def test_dropout_of_spans_has_a_part_in_training(golden):
    model = model_of(golden / "span_qa", "span_qa")
    inputs = inputs_of(truth_of(golden / "span_qa"))
    seed = np.array([3, 4], "int32")
    still = bert_tf.BertSpanQA(model.backbone)
    still.span.set_weights(model.span.get_weights())
    first, again = (np.asarray(model(inputs, training=True, seed=seed)) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - np.asarray(still(inputs, training=True, seed=seed))).max() > 1e-3
    np.testing.assert_array_equal(model(inputs), still(inputs))


def without_prefix(tensors):
    return {name.removeprefix("distilbert."): array for name, array in tensors.items()}


def halves(tensors):
    return {name: array.astype("float16") for name, array in tensors.items()}


def brain_halves(tensors):
    return {name: array.astype(ml_dtypes.bfloat16) for name, array in tensors.items()}


def with_both_copies(tensors):
    table = tensors["distilbert.embeddings.word_embeddings.weight"]
    buffer = {"distilbert.embeddings.position_ids": np.arange(24)[None]}
    return tensors | buffer | ({"vocab_projector.weight": table.copy()} if "vocab_projector.bias" in tensors else {})


@pytest.mark.parametrize("name", HEADS)
@pytest.mark.parametrize("change", [without_prefix, with_both_copies])
def test_the_ways_to_name_the_same_tensors(golden, tmp_path, name, change):
    folder = altered(golden / name, tmp_path / "x", tensors=change)
    assert_equals_truth(model_of(folder, name, extra_weights="forbid"), name, truth_of(folder))


@pytest.mark.parametrize("change", [halves, brain_halves])
def test_half_precision_is_read(golden, tmp_path, change):
    folder = altered(golden / "classifier", tmp_path / "x", tensors=change)
    model, expected = model_of(folder, "classifier"), change(load_file(golden / "classifier" / "model.safetensors"))
    kernel = expected["pre_classifier.weight"].astype("float32").T
    np.testing.assert_array_equal(weights_by_path(model)["pooler/dense/kernel"], kernel)


def test_shards_are_read_and_written(golden, tmp_path):
    model_of(golden / "masked_lm", "masked_lm").save_pretrained(tmp_path / "x", shard_bytes=600)
    assert len(list((tmp_path / "x").glob("*.safetensors"))) > 3
    assert_equals_truth(model_of(tmp_path / "x", "masked_lm"), "masked_lm", truth_of(golden / "masked_lm"))


@pytest.mark.parametrize("name", HEADS)
def test_where_config_json_names_no_class_the_tensors_decide(golden, tmp_path, caplog, name):
    folder = altered(golden / name, tmp_path / "x", config={"architectures": None})
    kinds = {"classifier": Classification, "tagger": Tagging, "span_qa": SpanQA, "masked_lm": Pretraining}
    with caplog.at_level(logging.WARNING):
        kind, model = kind_of(folder)
    assert type(kind) is kinds[name]
    assert f"taken for {model.architecture}" in caplog.text
    assert_equals_truth(model, name, truth_of(folder))


def test_without_labels_classes_have_numbers(golden, tmp_path):
    folder = altered(golden / "classifier", tmp_path / "x", config={"id2label": None, "label2id": None})
    assert model_of(folder, "classifier").labels == ("LABEL_0", "LABEL_1", "LABEL_2")


def test_keys_have_a_second_name_and_must_not_contradict_it(golden, tmp_path):
    names = {"dim": None, "hidden_size": 8, "n_layers": None, "num_hidden_layers": 2, "n_heads": None}
    folder = altered(golden / "classifier", tmp_path / "x", config=names | {"num_attention_heads": 2})
    assert_equals_truth(model_of(folder, "classifier"), "classifier", truth_of(folder))
    assert not load(folder).warnings
    with pytest.raises(UserError, match=r"`n_layers` and `num_hidden_layers` are one key .* Received: 2 and 3"):
        load(altered(golden / "classifier", tmp_path / "y", config={"num_hidden_layers": 3}))
    with pytest.raises(UserError, match=r"config\.json lacks dim, n_layers"):
        load(altered(golden / "classifier", tmp_path / "z", config={"dim": None, "n_layers": None}))


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"architectures": ["BertModel"]}, "`architectures` must be of DistilBERT. Received: BertModel"),
        ({"model_type": "bert"}, "`architectures` must be of BERT. Received: DistilBertForSequenceClassification"),
        ({"model_type": "bert", "architectures": None}, "lacks hidden_size, num_hidden_layers"),
        ({"n_heads": 3}, "`n_heads` must divide `dim`. Received: n_heads=3, dim=8"),
        ({"is_decoder": True}, "`is_decoder` must be false or absent"),
        ({"sinusoidal_pos_embds": "yes"}, "`sinusoidal_pos_embds` must be true or false"),
        ({"n_layers": 3}, r"`num_layers` \(n_layers in config.json\) is 3, the file has 2 blocks"),
        ({"max_position_embeddings": 9}, r"wrong shape: .*`max_positions`, max_position_embeddings in config.json"),
    ],
)
def test_what_contradicts_itself_is_refused(golden, tmp_path, config, said):
    with pytest.raises(UserError, match=said):
        model_of(altered(golden / "classifier", tmp_path / "x", config=config), "classifier")


def test_a_tensor_within_a_part_that_no_row_knows_is_refused(golden, tmp_path):
    for name in ("distilbert.transformer.layer.0.attention.bias", "pre_classifier.scale", "vocab_layer_norm.scale"):
        folder = altered(
            golden / "classifier", tmp_path / name, tensors=lambda t, name=name: t | {name: np.ones(2, "float32")}
        )
        if name.startswith("vocab"):  # another head's
            assert model_of(folder, "classifier")
            continue
        with pytest.raises(UserError, match=f"{name} is extra"):
            model_of(folder, "classifier")


def test_positions_that_are_not_the_sinusoids_that_config_json_promises_are_read_as_they_are(golden, tmp_path, caplog):
    model = model_of(golden / "sinusoidal", "sinusoidal")
    assert model.config.position_kind == "sinusoidal"
    theirs = load_file(golden / "sinusoidal" / "model.safetensors")["distilbert.embeddings.position_embeddings.weight"]
    np.testing.assert_array_equal(sinusoids(24, 8), theirs)

    def trained(tensors):
        key = "distilbert.embeddings.position_embeddings.weight"
        return tensors | {key: tensors[key] + 0.5}

    folder = altered(golden / "sinusoidal", tmp_path / "x", tensors=trained)
    with caplog.at_level(logging.WARNING):
        found = model_of(folder, "sinusoidal")
    assert "`sinusoidal_pos_embds`: its position vectors are not the sinusoids" in caplog.text
    np.testing.assert_array_equal(found.backbone.embeddings.position.table, theirs + 0.5)
    found.save_pretrained(tmp_path / "y")
    assert json.loads((tmp_path / "y" / "config.json").read_text())["sinusoidal_pos_embds"] is False


def test_segments_are_not_looked_at_and_the_backbone_gives_the_first_token(golden):
    model = model_of(golden / "backbone", "backbone")
    inputs = inputs_of(truth_of(golden / "backbone"))
    outputs = model(inputs)
    np.testing.assert_array_equal(outputs["pooled_output"], outputs["sequence_output"][:, 0])
    segments = np.ones_like(inputs["token_ids"])
    np.testing.assert_array_equal(model({**inputs, "segment_ids": segments})["pooled_output"], outputs["pooled_output"])
    assert not [path for path in weights_by_path(model) if path.startswith("pooler")]


def test_a_backbone_of_a_classifier_leaves_its_head_aside_and_is_saved_without(golden, tmp_path):
    model = bert_tf.BertBackbone.from_pretrained(golden / "classifier")
    model.save_pretrained(tmp_path / "x")
    assert json.loads((tmp_path / "x" / "config.json").read_text())["architectures"] == ["DistilBertModel"]
    names = set(load_file(tmp_path / "x" / "model.safetensors"))
    assert names == set(load_file(golden / "backbone" / "model.safetensors"))


def test_packed_rows_give_what_single_rows_give(golden):
    model, truth = model_of(golden / "classifier", "classifier"), truth_of(golden / "classifier")
    rows = [ids[mask == 1] for ids, mask in zip(truth["input_ids"], truth["attention_mask"], strict=True)]
    lengths = [len(row) for row in rows]
    packed = {
        "token_ids": np.concatenate(rows)[None],
        "example_ids": np.repeat([1, 2, 3], lengths)[None],
        "position_ids": np.concatenate([np.arange(length) for length in lengths])[None],
        "first_positions": np.cumsum([0, *lengths[:-1]])[None],
    }
    found = model({name: array.astype("int32") for name, array in packed.items()})
    np.testing.assert_allclose(found[0], truth["logits"], atol=1e-5, rtol=0)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "of", "key"),
    [
        ("classifier", Classification, "label"),
        ("regression", Regression, "value"),
        ("tagger", Tagging, "entities"),
        ("span_qa", SpanQA, "answer"),
        ("masked_lm", Pretraining, "masks"),
    ],
)
def test_pipeline_answers_by_the_head(golden, name, of, key):
    pipeline = Pipeline(golden / name)
    assert type(pipeline.kind) is of
    texts = ["a [MASK] film"] if name == "masked_lm" else TEXTS
    answers = pipeline(texts, PAIRS) if name == "span_qa" else pipeline(texts)
    assert all(key in answer for answer in answers)


def test_a_backbone_alone_answers_nothing(golden):
    with pytest.raises(UserError, match="DistilBertModel is a backbone without a head"):
        Pipeline(golden / "backbone")


@pytest.mark.slow
def test_vectors_are_those_of_sentence_transformers(golden, tmp_path):
    with np.load(golden / "vectors" / "truth.npz") as file:
        expected = file["vectors"]
    pipeline = Pipeline(golden / "vectors")
    assert isinstance(pipeline.kind, Retrieval)
    found = [answer["vector"] for answer in pipeline(TEXTS)]
    np.testing.assert_allclose(found, expected, atol=1e-5)
    model = bert_tf.BertEmbedder.from_pretrained(golden / "vectors", new_weights="forbid", extra_weights="forbid")
    model.save_pretrained(tmp_path / "x", pipeline.tokenizer)
    assert set(load_file(tmp_path / "x" / "model.safetensors")) == set(
        load_file(golden / "vectors" / "model.safetensors")
    )
    np.testing.assert_allclose([answer["vector"] for answer in Pipeline(tmp_path / "x")(TEXTS)], expected, atol=1e-5)


@pytest.mark.parametrize(
    "make",
    [
        lambda: bert_tf.BertBackbone(CONFIG),
        lambda: bert_tf.BertClassifier(CONFIG, 3),
        lambda: bert_tf.BertSpanQA(CONFIG, dropout=0.25),
        lambda: bert_tf.BertPretrainer(CONFIG),
    ],
)
def test_keras_files_and_folders_give_the_model_back(tmp_path, make):
    model = make()
    inputs = {"token_ids": np.array([[2, 5, 6, 3, 7, 3]], "int32")}
    first = (lambda out: out) if model.name.startswith(("bert_classifier", "bert_span")) else lambda out: out[min(out)]
    check_keras_file(model, inputs, tmp_path, first)
    model.save_pretrained(tmp_path / "folder")
    again = type(model).from_pretrained(tmp_path / "folder", new_weights="forbid", extra_weights="forbid")
    assert again.get_config() | {"name": ""} == model.get_config() | {"name": ""} or again.config == model.config
    np.testing.assert_array_equal(first(again(inputs)), first(model(inputs)))
    assert "pooler" in str(list(weights_by_path(model))) or not isinstance(model, bert_tf.BertClassifier)


def test_heads_that_tell_segments_apart_work_on_it(tmp_path):
    for cls in (bert_tf.BertExtractiveSummarizer, bert_tf.BertSeq2Seq):
        model = cls(CONFIG)
        inputs = {
            "token_ids": np.array([[2, 5, 3, 2, 6, 3]], "int32"),
            "segment_ids": np.array([[0, 0, 0, 1, 1, 1]], "int32"),
        }
        together = {**inputs, "segment_ids": np.zeros_like(inputs["segment_ids"])}
        assert np.abs(np.asarray(model(inputs)) - np.asarray(model(together))).max() > 1e-6  # they have a part in it
        model.save_pretrained(tmp_path / cls.__name__)
        again = cls.from_pretrained(tmp_path / cls.__name__, new_weights="forbid", extra_weights="forbid")
        np.testing.assert_array_equal(again(inputs), model(inputs))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"num_segments": 2}, "`num_segments` must be 0 of a DistilBERT. Received: num_segments=2"),
        ({"layer_norm_epsilon": 1e-5}, "`layer_norm_epsilon` must be 1e-12 of a DistilBERT"),
        ({"model_type": "bert"}, "`num_segments` must be an integer of at least 1. Received: num_segments=0"),
        (
            {"model_type": "gpt2"},
            f"`model_type` must be one of {', '.join(MEMBERS)}. Received: model_type='gpt2'",
        ),
    ],
)
def test_a_config_that_its_files_could_not_say_is_refused(golden, changes, said):
    with pytest.raises(ValueError, match=said):
        CONFIG.replace(**changes)
    if "model_type" not in changes:
        with pytest.raises(ValueError, match=said):
            model_of(golden / "classifier", "classifier", **changes)


@pytest.mark.parametrize("format_name", ["google", "keras_hub"])
def test_formats_of_bert_alone_are_refused(tmp_path, format_name):
    with pytest.raises(ValueError, match=f"`format` must be hugging_face for a DistilBERT.* format={format_name}"):
        bert_tf.BertBackbone(CONFIG).save_pretrained(tmp_path / "x", format=format_name)
    assert not list(tmp_path.iterdir())
