"""`compile` without a loss and then `fit`: every head's own loss, that of `compute` and of this library's training."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from bert_tf.models import (
    BertBackbone,
    BertClassifier,
    BertConfig,
    BertDiscriminator,
    BertEmbedder,
    BertExtractiveSummarizer,
    BertMaskedLM,
    BertMultipleChoice,
    BertPretrainer,
    BertSeq2Seq,
    BertSpanQA,
    BertTagger,
    weights_by_path,
)
from tests.models.every import EVERY

CONFIG = BertConfig(
    vocabulary_size=11,
    hidden_dim=8,
    num_layers=1,
    num_heads=2,
    intermediate_dim=8,
    max_positions=12,
    initializer_range=0.5,
    hidden_dropout=0.0,
    attention_dropout=0.0,
)
IDS = np.array([[2, 5, 3, 7, 9, 3], [2, 4, 3, 8, 0, 0], [2, 6, 3, 7, 3, 0], [2, 10, 3, 8, 7, 3]], "int32")
X = {
    "token_ids": IDS,
    "segment_ids": np.array([[0, 0, 0, 1, 1, 1]] * 4, "int32") * (IDS > 0),
    "padding_mask": (IDS > 0).astype("int32"),
}
TOKEN_LABELS = np.array(
    [[-100, 0, -100, 2, 1, -100], [-100] * 6, [-100, 1, -100, 1, -100, -100], [-100, 2, 2, 2, 2, 0]], "int32"
)
WORDS = np.where(TOKEN_LABELS >= 0, IDS, -100).astype("int32")
SIMILAR = np.array([0.9, -0.2, 0.1, 0.5], "float32")
WEIGHT = np.array([1.0, 0.0, 2.0, 0.5], "float32")
OTHER = {name: np.roll(x, 1, axis=0) for name, x in X.items()}
CHOICES = {name: np.stack([X[name], OTHER[name]], axis=1) for name in X}  # two for each of four texts
# Head, arguments, and the labels as keyword arguments of `compute`.
CASES: dict[str, tuple[Any, dict[str, Any], dict[str, Any]]] = {
    "classes": (BertClassifier, {"num_classes": 3}, {"labels": np.array([0, 2, 1, -100], "int32")}),
    "labels": (
        BertClassifier,
        {"num_classes": 2, "problem": "multi_label"},
        {"labels": np.array([[0, 1], [1, 1], [0, 0], [1, 0]], "float32")},
    ),
    "number": (BertClassifier, {"num_classes": 1}, {"labels": np.array([0.3, 2.0, -1.0, 0.5], "float32")}),
    "tags": (BertTagger, {"num_classes": 3}, {"labels": TOKEN_LABELS}),
    "spans": (BertSpanQA, {}, {"labels": np.array([[1, 3], [-100, -100], [2, 2], [0, 5]], "int32")}),
    "replaced": (BertDiscriminator, {}, {"labels": np.clip(TOKEN_LABELS, -100, 1)}),
    "sentences": (BertExtractiveSummarizer, {}, {"labels": np.clip(TOKEN_LABELS, -100, 1)}),
    "words": (BertMaskedLM, {}, {"labels": WORDS}),
    "words_and_pairs": (
        BertPretrainer,
        {},
        {"labels": WORDS, "pair_labels": np.array([0, 1, -100, 1], "int32")},
    ),
    "choices": (BertMultipleChoice, {}, {"labels": np.array([0, 1, 1, -100], "int32")}),
    "target": (BertSeq2Seq, {}, {"labels": WORDS}),
    "vectors": (BertEmbedder, {}, {"pairs": OTHER, "labels": SIMILAR}),
    "scores": (
        BertClassifier,
        {"num_classes": 2, "problem": "multi_label", "output_activation": "sigmoid"},
        {"labels": np.array([[0, 1], [1, 1], [0, 0], [1, 0]], "float32")},
    ),
}
every_head = pytest.mark.parametrize("case", CASES)


def x_of(case: str) -> dict[str, np.ndarray]:
    return CHOICES if case == "choices" else X


def test_every_model_with_a_loss_has_a_case():
    assert {cls for cls, _, _ in CASES.values()} == set(EVERY) - {BertBackbone}


def make(case: str) -> tuple[Any, dict[str, Any], Any]:
    """A model, the labels, and y as `fit` takes it."""
    keras.utils.set_random_seed(2)
    cls, arguments, labels = CASES[case]
    return cls(CONFIG, **arguments), labels, labels["labels"] if len(labels) == 1 else labels


@every_head
@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["unweighted", "weighted"])
def test_the_loss_of_fit_is_that_of_compute(case, weight):
    model, labels, y = make(case)
    wanted = float(model.compute(x_of(case), **labels, example_weight=weight)["loss"])
    assert wanted != float(model.compute(x_of(case), **labels, example_weight=WEIGHT[::-1].copy())["loss"])
    model.compile(run_eagerly=True)
    found = model.evaluate(x_of(case), y, sample_weight=weight, batch_size=4, verbose=0, return_dict=True)
    assert found["loss"] == pytest.approx(wanted, rel=1e-5)


@every_head
def test_an_update_of_fit_follows_the_gradient_of_compute(case):
    model, labels, y = make(case)
    before = {path: np.array(weight) for path, weight in weights_by_path(model).items()}
    variables = {path: weight.value for path, weight in weights_by_path(model).items() if weight.trainable}
    with tf.GradientTape() as tape:
        loss = model.compute(x_of(case), **labels, training=True)["loss"]
    gradients = tape.gradient(loss, list(variables.values()), unconnected_gradients="zero")
    in_a_graph = case in ("spans", "vectors")  # tracing is what takes long
    model.compile(keras.optimizers.SGD(0.1), run_eagerly=not in_a_graph)
    history = model.fit(x_of(case), y, batch_size=4, shuffle=False, verbose=0)
    assert history.history["loss"][0] == pytest.approx(float(loss), rel=1e-5)
    for (path, variable), gradient in zip(variables.items(), gradients, strict=True):
        np.testing.assert_allclose(
            variable, before[path] - 0.1 * tf.convert_to_tensor(gradient), atol=1e-5, err_msg=path
        )


def test_targets_among_the_inputs_are_enough():
    for cls in (BertMaskedLM, BertSeq2Seq):
        model = cls(CONFIG)
        positions = {} if cls is BertSeq2Seq else {"masked_positions": np.array([[0, 1, 2, 3, 4, 5]] * 4, "int32")}
        model.compile(run_eagerly=True)
        found = model.evaluate(X | positions | {"target_ids": WORDS}, batch_size=4, verbose=0)
        assert found == pytest.approx(float(model.compute(X, labels=WORDS)["loss"]), rel=1e-5)


def test_a_loss_of_compile_wins_and_metrics_are_kept():
    model, labels, _ = make("classes")
    y = np.abs(labels["labels"]) % 3
    cross_entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("sgd", cross_entropy, metrics=["accuracy"], run_eagerly=True)
    given = model.evaluate(X, y, batch_size=4, verbose=0, return_dict=True)
    model.compile("sgd", metrics=["accuracy"], run_eagerly=True)
    own = model.evaluate(X, y, batch_size=4, verbose=0, return_dict=True)
    assert given == pytest.approx(own, rel=1e-5)
    model.compile("sgd", lambda y, found: 2.0 * cross_entropy(y, found), run_eagerly=True)
    doubled = model.evaluate(X, y, batch_size=4, verbose=0, return_dict=True)["loss"]
    assert doubled == pytest.approx(2 * own["loss"], rel=1e-5)


def test_what_a_layer_adds_counts_too():
    model, _, y = make("classes")
    model.compile(run_eagerly=True)
    without = model.evaluate(X, y, batch_size=4, verbose=0, return_dict=True)["loss"]
    model.classifier.kernel.regularizer = keras.regularizers.L2(0.1)
    model.compile(run_eagerly=True)
    more = 0.1 * float(np.square(np.array(model.classifier.kernel)).sum())
    found = model.evaluate(X, y, batch_size=4, verbose=0, return_dict=True)["loss"]
    assert found == pytest.approx(without + more, rel=1e-5)


@pytest.mark.parametrize(
    ("make_model", "y", "message"),
    [
        (lambda: BertBackbone(CONFIG), IDS, "BertBackbone has no loss of its own: give `compile` a `loss`"),
        (lambda: BertTagger(CONFIG, 3), None, "`labels` are needed for a loss"),
        (lambda: BertEmbedder(CONFIG), SIMILAR, "A loss of vectors needs `pairs` and `labels`"),
        (lambda: BertClassifier(CONFIG, 3), TOKEN_LABELS, r"`labels` must have the shape \[4\].*\[4, 6\]"),
    ],
)
def test_what_is_missing_is_named(make_model, y, message):
    model = make_model()
    model.compile(run_eagerly=True)
    with pytest.raises(ValueError, match=message):
        model.fit(X, y, batch_size=4, verbose=0)


MIRRORED = """
import keras
import numpy as np
import tensorflow as tf

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from tests.models.pretrained.test_fit import CASES, X, make

found = []
for strategy in (tf.distribute.get_strategy(), tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])):
    with strategy.scope():
        model, labels, y = make("classes")
        # With metrics Keras tries the model on symbols first.
        model.compile(keras.optimizers.SGD(0.1), metrics=["accuracy"])
    y = np.abs(y) % 3  # every example counts, so that two halves weigh the same
    history = model.fit(X, y, batch_size=4, shuffle=False, epochs=2, verbose=0).history["loss"]
    found.append((history, model.get_weights(), model.predict(X, batch_size=4, verbose=0)))
(one, one_weights, one_answers), (two, two_weights, two_answers) = found
np.testing.assert_allclose(one, two, rtol=1e-5)
np.testing.assert_allclose(one_answers, two_answers, atol=1e-5)
for a, b in zip(one_weights, two_weights, strict=True):
    np.testing.assert_allclose(a, b, atol=1e-6)
"""


@pytest.mark.slow
def test_two_replicas_of_fit_are_trained_as_one_device():
    # A process of its own: devices are split before TensorFlow starts.
    root = Path(__file__).parents[3]
    environment = {**os.environ, "PYTHONPATH": str(root), "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        [sys.executable, "-c", MIRRORED], cwd=root, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
