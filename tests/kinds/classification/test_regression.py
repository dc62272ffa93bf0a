from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from bert_tf.config import RunConfig
from bert_tf.data import InMemory
from bert_tf.errors import UserError
from bert_tf.kinds import Examples, Regression
from bert_tf.kinds.outputs import Outputs
from bert_tf.text import BertTokenizer
from tests.conftest import VOCABULARY

ROWS = [
    {"a": "good", "b": "a good film", "score": "3.5", "more": 1},
    {"a": "bad film", "b": "good", "score": 0, "more": -1},
    {"a": "a", "b": "b", "score": 5.0, "more": 0},
]


def make(**changes) -> Regression:
    fields = {"source": InMemory({"train": ROWS}), "text": ("a", "b"), "label": "score", "sequence_length": 12}
    return Regression(**{**fields, **changes})


def test_numbers_are_read_and_checked():
    examples = make(low=0, high=5).read("own", "train")
    assert examples.labels is not None
    assert (examples.labels.tolist(), examples.labels.dtype) == ([[3.5], [0.0], [5.0]], np.float32)
    assert examples.pairs == ["a good film", "good", "b"]
    with pytest.raises(UserError, match=r"train\[2\]: column 'score': expected a number from 0 to 4. Received: 5.0"):
        make(low=0, high=4).read("own", "train")
    two = make(label=("score", "more")).read("own", "train")
    assert two.labels is not None
    assert two.labels.tolist() == [[3.5, 1], [0, -1], [5, 0]]


@pytest.mark.parametrize("shape", [(4,), (2, 3)])
def test_loss_of_each_example(shape):
    """The squared error, the mean over numbers, as BertForSequenceClassification's."""
    rng = np.random.default_rng(1)
    outputs, labels = rng.normal(size=(2, *shape, 2)).astype(np.float32)
    compiled = tf.function(lambda outputs: make().per_example_loss(outputs, {"labels": labels}), jit_compile=True)
    np.testing.assert_allclose(compiled(tf.constant(outputs)), np.mean((outputs - labels) ** 2, axis=-1), rtol=1e-5)


def test_settings_for_classes_are_refused():
    with pytest.raises(UserError, match=r"'training\.label_smoothing' is for tasks with classes. Received: 0\.1"):
        make().per_example_loss(tf.zeros((1, 1)), {"labels": tf.zeros((1, 1))}, label_smoothing=0.1)
    with pytest.raises(UserError, match=r"'training\.class_weights' is for tasks with classes"):
        make().class_weights((1.0,), Examples(texts=["a"], labels=np.zeros((1, 1))))


@pytest.mark.parametrize("label", ["score", ("score", "more")])
def test_answers_and_their_metrics_are_those_of_training(label, tiny_model):
    kind, tokenizer = make(label=label), BertTokenizer(VOCABULARY)
    model = kind.build_model(RunConfig.model_validate({"task": "x", "backbone": str(tiny_model)}))
    names = (label,) if label == "score" else label
    assert (model.problem, model.labels) == ("regression", names)
    model.classifier.kernel.assign(np.random.default_rng(1).normal(size=model.classifier.kernel.shape))
    examples = kind.read("own", "train")
    assert examples.pairs is not None
    features = kind.features(tokenizer, examples)
    outputs = Outputs(model, features, batch_examples=2)()
    answers = kind.answer_function(model, tokenizer)(
        tf.constant([*examples.texts, ""]), tf.constant([*examples.pairs, ""])
    )
    np.testing.assert_allclose(answers["values"][:3], np.stack(outputs), atol=1e-6)
    rows = [{"values": row} for row in answers["values"].numpy()[:3]]
    metrics = kind.measure(outputs, features, examples)
    assert list(metrics) == ["spearman", "pearson"]
    assert kind.measure_answers(rows, examples) == pytest.approx(metrics, abs=1e-4)
    answer = kind.to_json("x", "y", rows[0])
    numbers = rows[0]["values"].tolist()
    expected = {"value": numbers[0]} if label == "score" else {"values": dict(zip(label, numbers, strict=True))}
    assert answer == {"text": "x", "pair": "y", **expected}


def test_metrics_of_several_numbers_are_means():
    labels = np.array([[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]])
    outputs = np.array([[1.0, 3.0], [2.0, 1.0], [3.0, 2.0]], np.float32)
    kind = make(label=("score", "more"))
    answers = [{"values": row} for row in outputs]
    found = kind.measure_answers(answers, Examples(texts=["a"] * 3, labels=labels))
    assert found == pytest.approx({"spearman": (1 - 0.5) / 2, "pearson": (1 - 0.5) / 2})


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"low": 5, "high": 5}, "`low` must be below `high`. Received: low=5, high=5"),
        ({"metrics": ("accuracy",)}, "`metrics` must be of numbers"),
        ({"label": ()}, "outputs must be different names, one or more"),
    ],
)
def test_a_task_that_cannot_be(changes, expected):
    with pytest.raises(ValueError, match=expected):
        make(**changes)


def test_numbers_are_weighed_by_their_spread():
    kind = make(label=("score", "more"))
    labels = np.array([[350.0, 0.01], [0.0, -0.01], [500.0, 0.0]], np.float32)
    center, deviation = kind.numbers_in(Examples(texts=["a", "b", "c"], labels=labels))
    np.testing.assert_allclose(center, labels.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(deviation, labels.std(axis=0), rtol=1e-6)
    outputs = tf.constant([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    weighed = kind.per_example_loss(outputs, {"labels": labels}, class_weights=list(1 / deviation**2))
    np.testing.assert_allclose(weighed, np.mean(((outputs - labels) / deviation) ** 2, axis=1), rtol=1e-5)


@pytest.mark.parametrize(
    ("numbers", "wanted"),
    [
        ([0.0, 5.0], (0.0, 1.0)),  # grades
        ([-1.0, 1.0], (0.0, 1.0)),
        ([1999.0, 2001.0], (2000.0, 1.0)),
        ([0.0, 100.0], (50.0, 50.0)),
        ([0.01, 0.03], (0.02, 0.01)),
        ([4.0, 4.0], (4.0, 1.0)),  # the same everywhere
    ],
)
def test_numbers_of_the_usual_size_stay(numbers, wanted):
    center, deviation = make().numbers_in(Examples(texts=["a", "b"], labels=np.array(numbers)[:, None]))
    np.testing.assert_allclose((center[0], deviation[0]), wanted, rtol=1e-5)
