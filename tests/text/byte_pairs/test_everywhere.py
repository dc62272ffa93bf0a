"""A model with a tokenizer of byte pairs through training, answers and every export."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

import bert_tf
from benchmarks.c_api_parity import check
from bert_tf import export
from bert_tf.inference.pipeline import Pipeline
from bert_tf.kinds.own_data.lengths import lengths_of
from tests.exporting.runs import run_of
from tests.text.byte_pairs.reference import ours, texts_of, trained

KINDS = ("classification", "tagging", "span_qa", "pretraining")
ODD = [
    "",
    "naïve 有趣 𝔘 \x00 film",
    "Ann was in Paris. " * 60,
    "[MASK] good\n\tbad",
    "e\u0301\u0323 " * 30,
    "don't  we'll",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """The files of a tokenizer like ModernBERT's."""
    place = tmp_path_factory.mktemp("byte_pairs")
    ours(trained(separators=1, size=400, compose=True), place)
    return place


@pytest.fixture(scope="module")
def tokenizer(folder) -> bert_tf.Tokenizer:
    return bert_tf.Tokenizer.from_pretrained(folder)


@pytest.mark.slow
def test_a_graph_in_a_saved_model_gives_the_same(tokenizer, tmp_path):
    module = tf.Module()
    module.rows = tf.function(
        lambda texts: tokenizer(texts, max_length=24, return_offsets=True),
        input_signature=[tf.TensorSpec([None], tf.string)],
    )
    tf.saved_model.save(module, str(tmp_path / "model"))
    loaded = tf.saved_model.load(str(tmp_path / "model"))
    texts = texts_of(trained(separators=1, size=400), 60, seed=8)
    expected = tokenizer(texts, max_length=24, return_offsets=True)
    for name, rows in loaded.rows(tf.constant(texts)).items():
        np.testing.assert_array_equal(rows, expected[name])
    batches = tf.data.Dataset.from_tensor_slices(texts).batch(7).map(lambda x: tokenizer.encode_ragged(x)["token_ids"])
    found = [row for batch in batches for row in batch.to_list()]
    assert found == tokenizer.encode_ragged(texts)["token_ids"].to_list()


def test_bytes_that_are_no_text_become_replacements(tokenizer):
    ids, starts, ends = tokenizer.tokenize_with_offsets(tf.constant([b"a\xffb", "a\ufffdb"]))
    for rows in (ids, starts, ends):
        first, second = rows.to_list()
        assert first == second


def test_lengths_and_sizes_are_counted_by_the_tokenizer_itself(folder, tokenizer):
    config = bert_tf.config.RunConfig(task="x", backbone="tiny", vocabulary=str(folder))
    texts = [["a film", "not bad"], ["don't"]]
    rows = [tokenizer.encode("a film", "not bad"), tokenizer.encode("don't")]
    assert lengths_of(texts, config).tolist() == list(map(len, rows))


def test_tokens_are_shown_as_texts(tokenizer):
    assert [tokenizer.shown(token) for token in ("Ġfilm", "ing", "[MASK]", "Ã", "Ã©")] == [
        " film",
        "ing",
        "[MASK]",
        "\ufffd",
        "é",
    ]
    assert [tokenizer.continues_word(token) for token in ("Ġfilm", "ing", "[MASK]")] == [False, True, False]


def test_other_formats_are_for_wordpiece(tokenizer, tmp_path):
    config = bert_tf.BertConfig(vocabulary_size=400, hidden_dim=4, num_layers=1, num_heads=2, intermediate_dim=4)
    with pytest.raises(ValueError, match=r"`format` must be hugging_face for a BytePairTokenizer.*format=keras_hub"):
        bert_tf.BertBackbone(config).save_pretrained(tmp_path, tokenizer, format="keras_hub")


def test_a_layer_for_strings_is_saved_with_its_tokenizer(tokenizer):
    layer = bert_tf.BertPreprocessor(tokenizer, 9)
    again = bert_tf.BertPreprocessor.from_config(json.loads(json.dumps(layer.get_config())))
    assert again.tokenizer.get_config() == tokenizer.get_config()
    assert type(again.tokenizer) is bert_tf.BytePairTokenizer


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_saved_models_answer_raw_text_as_predict_does(kind, tokenizer, tmp_path):
    run = run_of(kind, tmp_path / "run", tokenizer=tokenizer)
    export.main([f"--run={run}", "--format=saved_model", f"--out={tmp_path / 'model'}", "--no-timing"])
    pipeline = Pipeline(run)
    examples = pipeline.kind.read("sample" if pipeline.kind.sample else "own", "validation")
    columns = [[*column[:20], *(ODD, ODD[::-1])[i % 2]] for i, column in enumerate(examples.columns)]
    found = check(pipeline, tmp_path / "model" / "1", columns, batches=[1, 3, 22])
    assert found["answers"] == len(columns[0])
    assert found["largest_difference"] <= 1e-5


@pytest.mark.slow
@pytest.mark.parametrize("format", ["huggingface", "keras", "tflite", "onnx"])
def test_other_exports_answer_as_the_run_does(format, tokenizer, tmp_path):
    if format == "onnx":
        pytest.importorskip("tf2onnx")
    run = run_of("classification", tmp_path / "run", tokenizer=tokenizer)
    export.main([f"--run={run}", f"--format={format}", f"--out={tmp_path / 'model'}", "--no-timing"])
    readme = (tmp_path / "model" / "README.md").read_text(encoding="utf-8")
    assert "BertTokenizer" not in readme
    assert "BytePairTokenizer" in readme or "Tokenizer.from_" in readme
    if format == "tflite":
        described = json.loads((tmp_path / "model" / "task.json").read_text())
        assert described["tokenizer"]["vocabulary_file"] == "tokenizer.json"
        assert described["tokenizer"]["piece_prefix"] is None
        assert all("merges of bytes" in why for model in described["models"] for why in model["cannot"].values())
        with pytest.raises(bert_tf.UserError, match="takes text follows no such rules of a tokenizer: 139 merges"):
            export.main([f"--run={run}", "--format=tflite", f"--out={tmp_path / 'text'}", "--set", "inputs=text"])


@pytest.mark.slow
def test_a_run_trains_and_answers_with_byte_pairs(folder, tokenizer, tmp_path):
    config = bert_tf.BertConfig(vocabulary_size=400, hidden_dim=8, num_layers=1, num_heads=2, intermediate_dim=8)
    bert_tf.BertClassifier(config, 2).save_pretrained(tmp_path / "backbone", tokenizer)
    for name in ("sst2", "pretrain"):
        bert_tf.train(task=name, data="sample", backbone=str(tmp_path / "backbone"), run=str(tmp_path / name),
                      training={"max_steps": 4})  # fmt: skip
        read = bert_tf.Tokenizer.from_pretrained(tmp_path / name / "model")
        assert read.get_config() | {"model_max_length": 0} == tokenizer.get_config() | {"model_max_length": 0}
    assert Pipeline(tmp_path / "sst2")("a good film")["label"] in ("negative", "positive")
    (guess,) = Pipeline(tmp_path / "pretrain")("a [MASK] film")["masks"]
    assert (guess["start"], guess["end"]) == (1, 8)  # The space before it is of the token.
