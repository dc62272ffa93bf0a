"""Models from files and back."""

from __future__ import annotations

import json
import logging
import shutil
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from bert_tf.errors import UserError
from bert_tf.models import (
    BertBackbone,
    BertClassifier,
    BertConfig,
    BertDiscriminator,
    BertEmbedder,
    BertExtractiveSummarizer,
    BertMaskedLM,
    BertPretrainer,
    BertSeq2Seq,
    BertSpanQA,
    BertTagger,
    weights_by_path,
)
from bert_tf.models.pretrained import FORMATS, config_of, load_into, save_model
from bert_tf.weights import load
from bert_tf.weights.vocabulary_check import Sizes
from tests.models.every import with_parts_that_lack_in
from tests.weights.tiny import TINY, altered, inputs, outputs

SMALL: dict[str, Any] = {"vocabulary_size": 9, "hidden_dim": 4, "num_layers": 1, "num_heads": 2, "intermediate_dim": 6}


class Words:
    """As much of a tokenizer as saving needs."""

    def __init__(self, size):
        self.vocabulary = tuple(f"t{i}" for i in range(size))
        self.vocabulary_size = size
        self.sizes = Sizes(size, size)
        self.odd_rules, self.piece_prefix = (), "##"
        self.lowercase, self.strip_accents, self.split_cjk, self.split_special_tokens = True, None, True, False
        self.special_tokens, self.extra_special_tokens = {"unk_token": "t0"}, ()

    def save_pretrained(self, folder, *, model_max_length):
        (folder / "vocab.txt").write_text("".join(f"{token}\n" for token in self.vocabulary))


def weights_of(model):
    return {path: np.asarray(variable) for path, variable in weights_by_path(model).items()}


def test_outputs_logits_and_loss_are_those_of_transformers():
    expected, model = outputs(), BertClassifier.from_pretrained(TINY)
    assert model.labels == ("bad", "so so", "good")
    assert model.problem == "single_label"
    found = model.compute(inputs(), labels=expected["labels"])
    np.testing.assert_allclose(found["logits"], expected["logits"], rtol=0, atol=1e-5)
    np.testing.assert_allclose(found["loss"], expected["loss"], rtol=0, atol=1e-5)
    backbone, real = BertBackbone.from_pretrained(TINY)(inputs()), expected["padding_mask"].astype(bool)
    sequence = np.asarray(backbone["sequence_output"])
    np.testing.assert_allclose(sequence[real], expected["sequence_output"][real], rtol=0, atol=1e-5)
    np.testing.assert_allclose(backbone["pooled_output"], expected["pooled_output"], rtol=0, atol=1e-5)


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("tokenizer", [None, Words(12)], ids=["", "tokenizer"])
def test_there_and_back_bit_for_bit(tmp_path, format, tokenizer):
    model = BertClassifier.from_pretrained(TINY)
    save_model(model, tmp_path / "x", tokenizer, format=format)
    again = BertClassifier.from_pretrained(tmp_path / "x")
    expected = weights_of(model)
    assert set(weights_of(again)) == set(expected)
    for path, array in weights_of(again).items():
        np.testing.assert_array_equal(array, expected[path])
    assert load(tmp_path / "x").format == format
    assert (load(tmp_path / "x").vocabulary is None) == (tokenizer is None)
    if format == "hugging_face":
        assert again.config == model.config
        assert (again.labels, again.problem, again.dropout) == (model.labels, model.problem, model.dropout)


def test_labels_problem_and_dropout_of_a_head_are_kept(tmp_path):
    config = BertConfig(vocabulary_size=9, hidden_dim=4, num_layers=1, num_heads=2, intermediate_dim=6)
    model = BertClassifier(config, 2, dropout=0.4, labels=("é", "b"), problem="multi_label")
    model.save_pretrained(tmp_path / "x")
    again = BertClassifier.from_pretrained(tmp_path / "x")
    assert (again.labels, again.problem, again.dropout) == (("é", "b"), "multi_label", 0.4)
    assert again.config == config


def test_fixed_positions_are_kept_and_written_as_a_table(tmp_path):
    config = BertConfig(
        vocabulary_size=12, hidden_dim=4, num_layers=1, num_heads=2, intermediate_dim=6, position_kind="sinusoidal"
    )
    model = BertBackbone(config)
    model.save_pretrained(tmp_path / "x")
    assert load(tmp_path / "x").arrays.shape("embeddings/position/table") == (512, 4)
    again = BertBackbone.from_pretrained(tmp_path / "x")
    assert again.config == config
    learned = BertBackbone.from_pretrained(tmp_path / "x", position_kind="learned")
    expected = model(inputs())["pooled_output"]
    np.testing.assert_array_equal(again(inputs())["pooled_output"], expected)
    np.testing.assert_allclose(learned(inputs())["pooled_output"], expected, rtol=0, atol=1e-6)


def test_positions_are_repeated_where_the_caller_asks_for_more_and_never_by_the_file_alone(tmp_path):
    table = load_file(TINY / "model.safetensors")["bert.embeddings.position_embeddings.weight"]
    longer = BertBackbone.from_pretrained(TINY, max_positions=2 * len(table) + 1)
    found = weights_by_path(longer)["embeddings/position/table"].numpy()
    np.testing.assert_array_equal(found, np.concatenate([table, table, table[:1]]))
    folder = altered(tmp_path / "x", config={"max_position_embeddings": 2 * len(table)})
    for changes in ({}, {"max_positions": 3 * len(table)}):
        with pytest.raises(UserError, match=r"position_embeddings.*max_position_embeddings in config.json.*file has"):
            BertBackbone.from_pretrained(folder, **changes)


def test_overrides_of_config_model_and_dtype():
    model = BertClassifier.from_pretrained(TINY, hidden_dropout=0.0, recompute=True, name="x", dtype="mixed_bfloat16")
    assert (model.config.hidden_dropout, model.config.attention_dropout, model.config.recompute) == (0.0, 0.1, True)
    assert (model.name, model.backbone.compute_dtype) == ("x", "bfloat16")
    assert {variable.dtype for variable in weights_by_path(model).values()} == {"float32"}
    with pytest.raises(
        ValueError, match=r"`BertBackbone.from_pretrained` has no num_classes, odd. Known: activation, "
    ):
        BertBackbone.from_pretrained(TINY, num_classes=2, odd=1)
    with pytest.raises(ValueError, match="`hidden_dropout` must be"):
        BertBackbone.from_pretrained(TINY, hidden_dropout=2.0)


def test_a_head_that_the_file_lacks_is_new(tmp_path):
    def headless(tensors):
        return {name: array for name, array in tensors.items() if not name.startswith("classifier")}

    folder = altered(tmp_path / "x", headless)
    with pytest.raises(
        UserError, match="x has no classifier's head: `BertClassifier` needs `num_classes` for a new one"
    ):
        BertClassifier.from_pretrained(folder)
    model = BertClassifier.from_pretrained(folder, labels=("a", "b", "c", "d"))
    weights = weights_of(model)
    assert weights["classifier/kernel"].shape == (4, 4)
    assert 0 < np.abs(weights["classifier/kernel"]).max() < 2.0  # a truncated normal of 0.5
    assert not weights["classifier/bias"].any()
    np.testing.assert_array_equal(weights["pooler/dense/kernel"], load(TINY).arrays["pooler/dense/kernel"])


def test_another_number_of_classes_makes_a_new_head_with_a_warning(caplog):
    with caplog.at_level(logging.WARNING):
        model = BertClassifier.from_pretrained(TINY, num_classes=5)
    assert [record.message for record in caplog.records] == [
        f"{TINY}: not loaded, since BertClassifier has no place for them: classifier.weight, classifier.bias",
        f"{TINY} has no weights for classifier/kernel, classifier/bias: they are random until they are trained; the "
        "file's head has 3 classes, `num_classes` is 5",
    ]
    assert model.labels == tuple(f"LABEL_{i}" for i in range(5))
    assert weights_of(model)["classifier/kernel"].shape == (4, 5)
    with caplog.at_level(logging.WARNING):
        caplog.clear()
        assert BertClassifier.from_pretrained(TINY, num_classes=3).labels == ("bad", "so so", "good")
    assert not caplog.records


def test_half_a_head_is_an_error(tmp_path):
    def half(tensors):
        return {name: array for name, array in tensors.items() if name != "classifier.weight"}

    folder = altered(tmp_path / "x", half)
    with pytest.raises(UserError, match=r"classifier/kernel is missing: the model needs \[4, 3\], the file has none"):
        BertClassifier.from_pretrained(folder)


def test_a_pooler_that_the_file_lacks_is_new_with_a_warning(tmp_path, caplog):
    def change(tensors):
        return {name: array for name, array in tensors.items() if "pooler" not in name}

    checkpoint, model = load(altered(tmp_path / "x", change)), BertBackbone.from_pretrained(TINY)
    with caplog.at_level(logging.WARNING):
        assert load_into(model, checkpoint) == ("pooler/dense/kernel", "pooler/dense/bias")
    assert "has no weights for pooler/dense/kernel, pooler/dense/bias: they are random" in caplog.text


def test_missing_extra_and_wrong_tensors_are_each_named_with_both_shapes(tmp_path):
    def change(tensors):
        del tensors["bert.encoder.layer.1.attention.self.key.bias"]
        tensors["bert.encoder.layer.0.intermediate.dense.weight"] = np.zeros((7, 4), "float32")
        return tensors | {"bert.encoder.odd.weight": np.zeros((2, 5), "float32")}

    before = weights_of(model := BertBackbone.from_pretrained(TINY))
    checkpoint = load(altered(tmp_path / "x", change))
    with pytest.raises(UserError) as error:
        load_into(model, checkpoint)
    assert str(error.value) == (
        f"{tmp_path / 'x'} does not fit BertBackbone: "
        "block_0/feed_forward/intermediate/kernel (bert.encoder.layer.0.intermediate.dense.weight) has the wrong "
        "shape: the model needs [4, 6], the file has [4, 7]; "
        "block_1/attention/key/bias is missing: the model needs [4], the file has none; "
        "bert.encoder.odd.weight is extra: the model has none, the file has [2, 5]; "
        "what is extra can be left out by its name or a pattern (`*`): `ignore`, or --set model.ignore"
    )
    for path, array in weights_of(model).items():  # nothing was assigned before all was found right
        np.testing.assert_array_equal(array, before[path])


def test_extra_tensors_outside_of_the_model_are_left_aside_with_a_warning(tmp_path, caplog):
    def change(tensors):
        return tensors | {"odd.weight": np.zeros((2, 5), "float32"), "crf.transitions": np.zeros((3, 3), "float32")}

    folder, expected = altered(tmp_path / "x", change), BertBackbone.from_pretrained(TINY)
    with caplog.at_level(logging.WARNING):
        caplog.clear()
        model = BertBackbone.from_pretrained(folder)
    assert [record.message for record in caplog.records] == [
        f"{folder}: not loaded, since BertBackbone has no place for them: "
        "classifier.weight, classifier.bias, crf.transitions, odd.weight"
    ]
    for path, array in weights_of(model).items():
        np.testing.assert_array_equal(array, weights_of(expected)[path])
    with pytest.raises(
        UserError,
        match=r"classifier.bias is .*crf.transitions is extra: the model has none, the file has \[3, 3\]; odd",
    ):
        BertBackbone.from_pretrained(folder, extra_weights="forbid")


@pytest.mark.parametrize(
    "name",
    [
        "bert.encoder.layer.0.attention.self.distance_embedding.weight",
        "bert.encoder.layer.1.crossattention.self.key.weight",
        "bert.embeddings.task_type_embeddings.weight",
        "bert.encoder.layer.0.output.adapters.x.down.weight",
        "bert.pooler.odd",
        "classifier.scale",
    ],
)
def test_extra_tensors_within_what_is_computed_are_refused_unless_they_are_to_be_ignored(tmp_path, name):
    folder = altered(tmp_path / "x", lambda tensors: tensors | {name: np.zeros((2, 5), "float32")})
    with pytest.raises(UserError, match=rf"{name} is extra: the model has none, the file has \[2, 5\]"):
        BertClassifier.from_pretrained(folder)
    model = BertClassifier.from_pretrained(folder, ignore=[name])
    np.testing.assert_allclose(model(inputs()), outputs()["logits"], rtol=0, atol=1e-5)


def test_what_is_to_be_ignored_must_be_there(tmp_path):
    with pytest.raises(UserError, match=r"`ignore` names odd\.\*, and .* has no such key, tensor or file"):
        BertBackbone.from_pretrained(TINY, ignore=["odd.*"])
    with pytest.raises(ValueError, match=r"`ignore` must be a list of names. Received: ignore='classifier'"):
        BertBackbone.from_pretrained(TINY, ignore="classifier")
    folder = altered(tmp_path / "x", config={"is_decoder": True})
    with pytest.raises(UserError, match="`is_decoder` must be false or absent"):
        BertBackbone.from_pretrained(folder)
    assert config_of(folder, ignore=("is_decoder",)) == BertBackbone.from_pretrained(folder, ignore=["is_*"]).config


HEADS = {
    BertMaskedLM: [f"masked_lm/{part}" for part in ("dense/kernel", "dense/bias", "norm/gamma", "norm/beta", "bias")],
    BertSpanQA: ["span/kernel", "span/bias"],
    BertExtractiveSummarizer: ["sentence_score/kernel", "sentence_score/bias"],
}
HEADS[BertDiscriminator] = [
    f"replaced{part}" for part in ("_transform/dense/kernel", "_transform/dense/bias", "/kernel", "/bias")
]
HEADS[BertSeq2Seq] = HEADS[BertMaskedLM]
HEADS[BertPretrainer] = [*HEADS[BertMaskedLM], "next_sentence/kernel", "next_sentence/bias"]


def test_every_head_that_the_small_checkpoint_lacks_is_among_these():
    assert set(HEADS) == with_parts_that_lack_in("classifier")


@pytest.mark.parametrize("cls", HEADS, ids=lambda cls: cls.__name__)
def test_one_warning_names_every_new_weight_of_a_head_and_it_can_be_forbidden(cls, caplog):
    with caplog.at_level(logging.WARNING):
        cls.from_pretrained(TINY)
    (said,) = [record.message for record in caplog.records if "random" in record.message]
    named = said.removeprefix(f"{TINY} has no weights for ").removesuffix(": they are random until they are trained")
    assert sorted(named.split(", ")) == sorted(HEADS[cls])
    with pytest.raises(UserError, match=rf"has no weights for .*{HEADS[cls][-1]}.*: `new_weights`=forbid"):
        cls.from_pretrained(TINY, new_weights="forbid")


def test_whole_heads_pass_where_new_weights_are_forbidden(tmp_path, caplog):
    BertTagger(BertConfig(**SMALL), 3).save_pretrained(tmp_path / "tagger")  # has no pooler, and needs none
    BertEmbedder.from_pretrained(TINY).save_pretrained(tmp_path / "embedder")
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        BertClassifier.from_pretrained(TINY, new_weights="forbid", extra_weights="forbid")
        BertTagger.from_pretrained(tmp_path / "tagger", new_weights="forbid")
        BertEmbedder.from_pretrained(tmp_path / "embedder", new_weights="forbid")
    assert not caplog.records
    with pytest.raises(UserError, match="no weights for classifier/kernel, classifier/bias; the file's head has 3 cl"):
        BertClassifier.from_pretrained(TINY, num_classes=2, new_weights="forbid")
    with pytest.raises(UserError, match="`tiny` is a size, whose weights are all new"):
        BertBackbone.from_pretrained("tiny", new_weights="forbid")
    with pytest.raises(ValueError, match=r"`new_weights` must be one of warn, forbid. Received: new_weights='no'"):
        BertBackbone.from_pretrained(TINY, new_weights="no")


@pytest.mark.parametrize("architecture", ["BertForTokenClassification", "BertForMultipleChoice"])
def test_a_head_of_another_kind_is_not_taken_for_a_classifiers(tmp_path, caplog, architecture):
    folder = altered(tmp_path / "x", config={"architectures": [architecture]})
    with pytest.raises(UserError, match=rf"has the head of a {architecture} .*: give `num_classes`.*ignore="):
        BertClassifier.from_pretrained(folder)
    with caplog.at_level(logging.WARNING):
        model = BertClassifier.from_pretrained(folder, num_classes=3)
    assert f"random until they are trained; the file's head is a {architecture}'s" in caplog.text
    kernel = load(TINY).arrays["classifier/kernel"]
    assert np.abs(weights_of(model)["classifier/kernel"] - kernel).max() > 1e-3
    again = BertClassifier.from_pretrained(folder, ignore=["architectures"])
    np.testing.assert_array_equal(weights_of(again)["classifier/kernel"], kernel)
    assert BertBackbone.from_pretrained(folder).config.hidden_dim == 4


def test_fewer_blocks_can_be_asked_for(caplog):
    with caplog.at_level(logging.WARNING):
        model = BertBackbone.from_pretrained(TINY, num_layers=1)
    assert len(model.blocks) == 1
    assert "bert.encoder.layer.1.attention.self.query.weight" in caplog.text


def test_more_blocks_than_the_config_says_are_an_error(tmp_path):
    folder = altered(tmp_path / "x", config={"num_hidden_layers": 1})
    with pytest.raises(UserError, match=r"bert.encoder.layer.1.attention.output.LayerNorm.bias is extra: .* \[4\]"):
        BertBackbone.from_pretrained(folder)
    folder = altered(tmp_path / "x", config={"num_hidden_layers": 4})
    with pytest.raises(UserError, match=r"block_2/attention/\S+ is missing: .*; and 12 more$"):
        BertBackbone.from_pretrained(folder)


def test_values_that_are_not_finite_are_named(tmp_path):
    def change(tensors):
        tensors["bert.pooler.dense.bias"][1] = np.nan
        return tensors

    with pytest.raises(UserError, match=r"tensor bert.pooler.dense.bias has values that are not finite"):
        BertBackbone.from_pretrained(altered(tmp_path / "x", change))


def test_a_wrong_vocabulary_and_an_impossible_config_are_named(tmp_path):
    folder = altered(tmp_path / "x")
    (folder / "vocab.txt").write_text("a\n" * 13)
    with pytest.raises(UserError, match=r"vocab.txt has 13 tokens, the weights have 12"):
        BertBackbone.from_pretrained(folder)
    with pytest.raises(UserError, match=r"y/config.json: `num_attention_heads` must divide `hidden_size`"):
        BertBackbone.from_pretrained(altered(tmp_path / "y", config={"num_attention_heads": 3}))


def test_class_names_that_do_not_fit_are_said_and_stop_nothing(tmp_path, caplog):
    folder = altered(tmp_path / "x", config={"id2label": {"0": "a", "7": "b"}, "label2id": {"a": 0}})
    with caplog.at_level(logging.WARNING):
        assert BertClassifier.from_pretrained(folder).labels == ("a", "LABEL_1", "LABEL_2")
    assert "config.json: `id2label` names a class 7, the head has 3" in caplog.text
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        assert BertClassifier.from_pretrained(folder, labels=("x", "y", "z")).labels == ("x", "y", "z")
        assert BertBackbone.from_pretrained(folder).config.hidden_dim == 4
    assert "id2label" not in caplog.text


def test_weights_of_integers_are_refused(tmp_path):
    def change(tensors):
        return tensors | {"bert.encoder.layer.0.output.dense.weight": np.ones((4, 6), "int8")}

    with pytest.raises(
        UserError, match=r"layer.0.output.dense.weight is of integers \(int8\), as quantised weights are"
    ):
        BertBackbone.from_pretrained(altered(tmp_path / "x", change))


def masked_lm(folder, change=lambda tensors: tensors, **config):
    """A folder of a masked-LM head whose tied copies are written out, as a .bin has them."""
    BertMaskedLM(BertConfig(**SMALL)).save_pretrained(folder)
    tensors = load_file(folder / "model.safetensors")
    tensors["cls.predictions.bias"] = np.arange(9, dtype="float32")
    tensors["cls.predictions.decoder.weight"] = tensors["bert.embeddings.word_embeddings.weight"].copy()
    tensors["cls.predictions.decoder.bias"] = tensors["cls.predictions.bias"].copy()
    save_file(change(tensors), folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "config.json").write_text(json.dumps(json.loads((folder / "config.json").read_text()) | config))
    return folder


@pytest.mark.parametrize("gone", ["cls.predictions.bias", "bert.embeddings.word_embeddings.weight", None])
@pytest.mark.parametrize("tied", [True, False])
def test_copies_of_a_tied_head_stand_in_for_what_is_gone(tmp_path, gone, tied):
    def change(tensors):
        return {name: array for name, array in tensors.items() if name != gone}

    folder = masked_lm(tmp_path / "x", change, tie_word_embeddings=tied)
    found = weights_of(BertMaskedLM.from_pretrained(folder))
    np.testing.assert_array_equal(found["masked_lm/bias"], np.arange(9))
    table = load_file(folder / "model.safetensors")["cls.predictions.decoder.weight"]
    np.testing.assert_array_equal(found["embeddings/token/table"], table)


@pytest.mark.parametrize("part", ["weight", "bias"])
def test_a_head_that_is_not_tied_is_refused_where_it_is_used(tmp_path, part, caplog):
    def change(tensors):
        tensors[f"cls.predictions.decoder.{part}"] += 1
        return tensors

    folder = masked_lm(tmp_path / "x", change)
    for cls in (BertMaskedLM, BertPretrainer, BertSeq2Seq):
        with pytest.raises(
            UserError, match=rf"decoder.{part} differs from .*`tie_word_embeddings`: false\) are not supp"
        ):
            cls.from_pretrained(folder)
    model = BertMaskedLM.from_pretrained(folder, ignore=["cls.predictions.decoder.*"])
    np.testing.assert_array_equal(weights_of(model)["masked_lm/bias"], np.arange(9))
    with caplog.at_level(logging.WARNING):
        BertBackbone.from_pretrained(folder)
    assert f"cls.predictions.decoder.{part}" in caplog.text


def test_a_truncated_file_is_named(tmp_path):
    folder = altered(tmp_path / "x")
    whole = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(whole[:-10])
    with pytest.raises(UserError, match=rf"asks for {len(whole)} bytes, the file has {len(whole) - 10}"):
        BertBackbone.from_pretrained(folder)


def test_a_size_gives_random_weights_and_says_so(caplog):
    with caplog.at_level(logging.WARNING):
        model = BertClassifier.from_pretrained("tiny", num_classes=2, vocabulary_size=9)
    assert "`tiny` is a size: the model has random weights" in caplog.text
    assert weights_of(model)["embeddings/token/table"].shape == (9, 128)


def test_saving_refuses_what_does_not_fit(tmp_path):
    model = BertBackbone.from_pretrained(TINY)
    for size in (11, 13):
        with pytest.raises(ValueError, match=f"Received: {size} tokens, vocabulary_size=12"):
            save_model(model, tmp_path / "x", Words(size))
    with pytest.raises(
        ValueError, match=r"`format` must be one of hugging_face, google, keras_hub. Received: format=onnx"
    ):
        save_model(model, tmp_path / "x", format="onnx")
    assert not (tmp_path / "x").exists()


def test_a_failing_tokenizer_leaves_nothing(tmp_path):
    class Broken(Words):
        def save_pretrained(self, folder, *, model_max_length):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        save_model(BertBackbone.from_pretrained(TINY), tmp_path / "x", Broken(12))
    assert not list(tmp_path.iterdir())


def test_saving_over_a_folder_replaces_weights_of_any_form(tmp_path):
    model = BertClassifier.from_pretrained(TINY)
    save_model(model, tmp_path / "x", shard_bytes=400)
    shutil.copyfile(TINY / "half.bin", tmp_path / "x" / "pytorch_model.bin")
    save_model(model, tmp_path / "x")
    assert sorted(file.name for file in (tmp_path / "x").iterdir()) == ["config.json", "model.safetensors"]
    assert BertClassifier.from_pretrained(tmp_path / "x").labels == model.labels
