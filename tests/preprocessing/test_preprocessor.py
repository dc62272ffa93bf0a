"""Keras's own calls on raw strings: the tokenizer's rows, the same training, and the same file."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import bert_tf
from bert_tf import BertClassifier, BertPreprocessor, BertTagger, BertTokenizer
from bert_tf.models import BertConfig
from bert_tf.text import AddedToken

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "good", "bad", "film", "!"]
SHAPE: dict[str, Any] = {"hidden_dim": 8, "num_layers": 1, "num_heads": 2, "intermediate_dim": 8}
CONFIG = BertConfig(vocabulary_size=len(WORDS), hidden_dropout=0.0, attention_dropout=0.0, **SHAPE)
TEXTS = ["a good film!", "bad", "a bad, bad film", "good!"]
LABELS = [1, 0, 0, 1]


@pytest.fixture(scope="module")
def preprocessor() -> BertPreprocessor:
    return BertPreprocessor(BertTokenizer(WORDS), sequence_length=6)


def classifier(preprocessor: BertPreprocessor | None = None) -> BertClassifier:
    keras.utils.set_random_seed(3)
    model = BertClassifier(CONFIG, 2)
    model.preprocessor = preprocessor
    return model


def same(found: Any, wanted: Any) -> None:
    assert set(found) == set(wanted)
    for name, rows in wanted.items():
        np.testing.assert_array_equal(found[name], rows)


def test_rows_are_the_tokenizers(preprocessor):
    wanted = preprocessor.tokenizer(TEXTS, max_length=6, padding="max_length")
    for texts in (TEXTS, np.array(TEXTS), np.array(TEXTS, object), tf.constant(TEXTS)):
        same(preprocessor(texts), wanted)
        same(preprocessor.prepared(texts), wanted)
    pairs = (TEXTS, TEXTS[::-1])
    same(preprocessor(pairs), preprocessor.tokenizer(*pairs, max_length=6, padding="max_length"))
    short = BertPreprocessor(preprocessor.tokenizer)
    same(short(TEXTS[:2]), preprocessor.tokenizer(TEXTS[:2]))
    batches = tf.data.Dataset.from_tensor_slices((TEXTS, LABELS)).batch(4).map(preprocessor)
    (rows, labels), = batches  # fmt: skip
    same(rows, wanted)
    assert labels.numpy().tolist() == LABELS
    assert rows["token_ids"].shape == (4, 6)
    same(preprocessor.prepared(wanted), wanted)


def test_training_on_strings_is_training_on_their_rows(preprocessor):
    rows = {name: np.asarray(x) for name, x in preprocessor(TEXTS).items()}
    on_rows, on_texts = classifier(), classifier(preprocessor)
    given: dict[str, Any] = {"batch_size": 2, "epochs": 2, "shuffle": False, "verbose": 0}
    for model in (on_rows, on_texts):
        model.compile(run_eagerly=True)
    wanted = on_rows.fit(rows, np.array(LABELS), validation_data=(rows, np.array(LABELS)), **given).history
    found = on_texts.fit(TEXTS, LABELS, validation_data=(TEXTS, LABELS), **given).history
    assert found == wanted
    assert set(found) == {"loss", "accuracy", "val_loss", "val_accuracy"}
    np.testing.assert_array_equal(on_texts.predict(TEXTS, verbose=0), on_rows.predict(rows, verbose=0))
    batches = tf.data.Dataset.from_tensor_slices((TEXTS, LABELS)).batch(4)
    wanted = on_rows.evaluate(rows, np.array(LABELS), verbose=0)
    assert on_texts.evaluate(TEXTS, LABELS, verbose=0) == pytest.approx(wanted)
    assert on_texts.evaluate(batches, verbose=0) == pytest.approx(wanted)
    np.testing.assert_array_equal(on_texts.predict(rows, verbose=0), on_rows.predict(rows, verbose=0))


def test_it_is_saved_with_its_words_and_with_a_model(tmp_path):
    added = [AddedToken("<b>", special=True), AddedToken("Film", normalized=False)]
    tokenizer = BertTokenizer(WORDS, lowercase=False, added_tokens=added, model_max_length=9)
    preprocessor = BertPreprocessor(tokenizer, 7, name="words")
    config = preprocessor.get_config()
    other = BertPreprocessor.from_config(config)
    texts = ["a Film <b>good", "film"]
    same(other(texts), preprocessor(texts))
    assert other.get_config() == config
    assert (other.name, other.tokenizer.model_max_length) == ("words", 9)
    model = BertClassifier.from_pretrained(
        "tiny", num_classes=2, preprocessor=preprocessor, vocabulary_size=12, **SHAPE
    )
    model.save(tmp_path / "model.keras")
    loaded: Any = keras.saving.load_model(tmp_path / "model.keras")
    same(loaded.preprocessor(texts), preprocessor(texts))
    np.testing.assert_allclose(loaded.predict(texts, verbose=0), model.predict(texts, verbose=0), atol=1e-6)
    assert preprocessor not in model.layers
    model.save_pretrained(tmp_path / "folder")
    read = BertPreprocessor.from_pretrained(tmp_path / "folder", 7)
    same(read(texts), preprocessor(texts))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            {"tokenizer": "minilm"},
            "`tokenizer` must be a BertTokenizer, or another Tokenizer. Received: tokenizer='minilm'",
        ),
        ({"sequence_length": 2}, "`sequence_length` must be an int of 3 or more. Received: 2"),
    ],
)
def test_bad_arguments(arguments, said, preprocessor):
    with pytest.raises(ValueError, match=said):
        BertPreprocessor(**{"tokenizer": preprocessor.tokenizer, **arguments})
    with pytest.raises(
        ValueError, match=r"`preprocessor` must be a BertPreprocessor or None\. Received: preprocessor=3"
    ):
        classifier(3)  # pyright: ignore[reportArgumentType]


def test_compile_without_arguments_is_adamw_and_the_heads_metrics():
    model = classifier()
    model.compile()
    assert isinstance(model.optimizer, keras.optimizers.AdamW)
    assert float(model.optimizer.learning_rate) == pytest.approx(5e-5)
    model.optimizer.build(model.trainable_variables)
    kept = [v.path for v in model.trainable_variables if not model.optimizer._use_weight_decay(v)]
    assert {path.rpartition("/")[2] for path in kept} == {"bias", "beta", "gamma"}
    for optimizer, shown in ((None, True), ("adam", False)):
        model.compile(optimizer, run_eagerly=True)
        result = model.evaluate(preprocessed(), np.array(LABELS), verbose=0, return_dict=True)
        assert ("accuracy" in result) == shown
    model.compile(metrics=["mse"], run_eagerly=True)
    assert "accuracy" not in [metric.name for metric in model.metrics]


def preprocessed() -> dict[str, np.ndarray]:
    return {"token_ids": np.array([[2, 5, 3]] * 4, "int32")}


@pytest.mark.parametrize(
    ("model", "labels", "metric"),
    [
        (lambda: BertClassifier(CONFIG, 2), np.array([1, 0, -100, 1]), "accuracy"),
        (lambda: BertClassifier(CONFIG, 3, problem="multi_label"), np.array([[1, 0, 1]] * 4), "binary_accuracy"),
        (lambda: BertClassifier(CONFIG, 1), np.array([1.0, 0.0, 2.0, 1.0]), "mean_absolute_error"),
        (lambda: BertTagger(CONFIG, 2), np.array([[-100, 1, -100]] * 3 + [[-100, 0, -100]]), "accuracy"),
    ],
)
def test_the_heads_metrics_are_those_worked_out_by_hand(model, labels, metric):
    keras.utils.set_random_seed(5)
    made = model()
    made.compile(run_eagerly=True)
    scores = np.asarray(made(preprocessed()))
    if metric == "accuracy":
        right = (scores.argmax(-1) == labels)[labels != -100]
        wanted = right.mean()
    elif metric == "binary_accuracy":
        wanted = ((scores > 0) == labels).mean()
    else:
        wanted = np.abs(scores[:, 0] - labels).mean()
    for given in (labels, {"labels": labels}):
        result = made.evaluate(preprocessed(), given, verbose=0, return_dict=True)
        assert result[metric] == pytest.approx(wanted, abs=1e-6)


def test_its_name_is_public():
    assert bert_tf.BertPreprocessor is BertPreprocessor
