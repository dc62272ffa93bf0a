"""Models from files and back."""

from __future__ import annotations

import logging
import shutil

import numpy as np
import pytest

from bert_tf.errors import UserError
from bert_tf.models import BertBackbone, BertClassifier, BertConfig, weights_by_path
from bert_tf.models.pretrained import FORMATS, load_into, load_model, save_model
from bert_tf.weights import load
from tests.weights.tiny import TINY, altered, inputs, outputs


class Words:
    """As much of a tokenizer as saving needs."""

    def __init__(self, size):
        self.vocabulary = tuple(f"t{i}" for i in range(size))
        self.vocabulary_size = size
        self.lowercase = True

    def save_pretrained(self, folder):
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
    assert "has a head of 3 classes, asked for are 5: the head is new" in caplog.text
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
    assert "has no pooler: its weights are random" in caplog.text


def test_missing_extra_and_misshapen_tensors_are_each_named_with_both_shapes(tmp_path):
    def change(tensors):
        del tensors["bert.encoder.layer.1.attention.self.key.bias"]
        tensors["bert.encoder.layer.0.intermediate.dense.weight"] = np.zeros((7, 4), "float32")
        return tensors | {"odd.weight": np.zeros((2, 5), "float32")}

    before = weights_of(model := BertBackbone.from_pretrained(TINY))
    checkpoint = load(altered(tmp_path / "x", change))
    with pytest.raises(UserError) as error:
        load_into(model, checkpoint)
    assert str(error.value) == (
        f"{tmp_path / 'x'} does not fit BertBackbone: "
        "block_0/feed_forward/intermediate/kernel (bert.encoder.layer.0.intermediate.dense.weight) is misshapen: "
        "the model needs [4, 6], the file has [4, 7]; "
        "block_1/attention/key/bias is missing: the model needs [4], the file has none; "
        "odd.weight is extra: the model has none, the file has [2, 5]"
    )
    for path, array in weights_of(model).items():  # nothing was assigned before all was found right
        np.testing.assert_array_equal(array, before[path])


def test_extra_tensors_can_be_left_aside(tmp_path):
    folder = altered(tmp_path / "x", lambda tensors: tensors | {"odd.weight": np.zeros((2, 5), "float32")})
    assert load_model(BertBackbone, folder, ignore_extra=True).config.hidden_dim == 4


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
    with pytest.raises(UserError, match=r"y has a config that no BERT can have: `num_heads` must divide"):
        BertBackbone.from_pretrained(altered(tmp_path / "y", config={"num_attention_heads": 3}))


def test_class_names_must_fit_the_head(tmp_path):
    folder = altered(tmp_path / "x", config={"id2label": {"0": "a", "1": "b"}})
    with pytest.raises(UserError, match="names 2 classes, its head has 3"):
        BertClassifier.from_pretrained(folder)


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
        def save_pretrained(self, folder):
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
