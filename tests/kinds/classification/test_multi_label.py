from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from bert_tf.config import RunConfig
from bert_tf.data import Features, InMemory, batch_arrays, choose_layout, plan_epoch
from bert_tf.errors import UserError
from bert_tf.kinds import Examples, MultiLabel
from bert_tf.kinds.outputs import Outputs
from bert_tf.models.base import inputs_of
from bert_tf.text import BertTokenizer
from tests.conftest import VOCABULARY

CLASSES = ("joy", "anger", "doubt")
ROWS = [
    {"body": "good", "feelings": "joy"},
    {"body": "bad, bad film", "feelings": "anger,doubt"},
    {"body": "a film", "feelings": ""},
    {"body": "a good, bad film!", "feelings": ["doubt", 0]},
]
LABELS = [[1, 0, 0], [0, 1, 1], [0, 0, 0], [1, 0, 1]]


def make(**changes) -> MultiLabel:
    fields = {"source": InMemory({"train": ROWS}), "text": ("body",), "label": "feelings", "classes": CLASSES}
    return MultiLabel(**{**fields, "sequence_length": 12, **changes})


def test_labels_of_a_column_of_lists():
    examples = make().read("own", "train")
    assert examples.labels is not None
    assert (examples.labels.tolist(), examples.labels.dtype) == (LABELS, np.int32)


def test_labels_of_a_column_a_class():
    rows = [{"body": "x", **dict(zip(CLASSES, map(str, row), strict=True))} for row in LABELS]
    examples = make(source=InMemory({"train": rows, "test": [{"body": "y"}]}), label=None).read("own", "train")
    assert examples.labels is not None
    assert examples.labels.tolist() == LABELS
    kind = make(source=InMemory({"test": [{"body": "y"}]}), label=None)
    assert not kind.read("own", "test").is_labelled
    with pytest.raises(UserError, match=r"train\[1\]: column 'anger': expected 0 or 1. Received: '2'"):
        make(source=InMemory({"train": [rows[0], {**rows[1], "anger": "2"}]}), label=None).read("own", "train")


def test_an_unknown_label_is_named():
    with pytest.raises(
        UserError, match=r"train\[0\]: column 'feelings': expected one of joy, anger, doubt, .*'boredom'"
    ):
        make(source=InMemory({"train": [{"body": "x", "feelings": "joy,boredom"}]})).read("own", "train")


@pytest.mark.parametrize("shape", [(4,), (2, 2)])
@pytest.mark.parametrize(("smoothing", "weights"), [(0.0, None), (0.2, None), (0.1, (0.5, 2.0, 3.0))])
def test_loss_of_each_example(shape, smoothing, weights):
    """Binary cross entropy in float64, the mean over labels, as BertForSequenceClassification's."""
    rng = np.random.default_rng(1)
    logits, labels = rng.normal(scale=3, size=(*shape, 3)), rng.integers(0, 2, (*shape, 3))
    target, p = labels * (1 - smoothing) + smoothing / 2, 1 / (1 + np.exp(-logits))
    expected = np.mean(-target * np.log(p) * (weights or 1.0) - (1 - target) * np.log(1 - p), axis=-1)

    def loss(logits):
        batch = {"labels": tf.constant(labels, tf.int32)}
        return make().per_example_loss(logits, batch, label_smoothing=smoothing, class_weights=weights)

    found = loss(tf.constant(logits, tf.float32))
    assert found.shape == shape
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    compiled = tf.function(loss, jit_compile=True)
    np.testing.assert_allclose(compiled(tf.constant(logits, tf.float32)), expected, rtol=1e-5)
    far = make().per_example_loss(
        tf.constant([[300.0, -300.0, 0.0]], tf.bfloat16), {"labels": tf.constant([[0, 1, 0]])}
    )
    np.testing.assert_allclose(far, [(600 + np.log(2)) / 3], rtol=1e-5)


def test_class_weights():
    examples = Examples(texts=["a"] * 4, labels=np.array(LABELS))
    assert make().class_weights("balanced", examples) == (1.0, 3.0, 1.0)
    assert make().class_weights((1, 2, 3), examples) == (1.0, 2.0, 3.0)
    with pytest.raises(UserError, match=r"must have 3 weights, one a class \(joy, anger, doubt\)"):
        make().class_weights((1, 2), examples)
    assert make().class_weights(None, examples) is None


@pytest.fixture(scope="module")
def model():
    import keras

    from bert_tf.models import BertClassifier, BertConfig

    keras.utils.set_random_seed(3)
    sizes = {"hidden_dim": 8, "num_layers": 1, "num_heads": 2, "intermediate_dim": 8, "initializer_range": 0.5}
    config = BertConfig(vocabulary_size=len(VOCABULARY), **sizes)
    return BertClassifier(config, 3, labels=CLASSES, problem="multi_label")


def test_answers_and_their_metrics_are_those_of_training(model):
    kind, tokenizer = make(threshold=0.4), BertTokenizer(VOCABULARY)
    examples = kind.read("own", "train")
    features = kind.features(tokenizer, examples)
    logits = Outputs(model, features, batch_examples=2)()
    answers = kind.answer_function(model, tokenizer)(tf.constant([*examples.texts, ""]))
    probabilities = 1 / (1 + np.exp(-np.stack(logits)))
    np.testing.assert_allclose(answers["probabilities"][:4], probabilities, atol=1e-6)
    names = [[CLASSES[i] for i in np.flatnonzero(row >= 0.4)] for row in probabilities]
    assert [[name.decode() for name in row] for row in answers["labels"][:4].to_list()] == names
    assert 0 < sum(map(len, names)) < 12, "some labels hold, some do not"

    rows = [{name: value[i] for name, value in answers.items() if name != "labels"} for i in range(4)]
    assert kind.measure_answers(rows, examples) == kind.measure(logits, features, examples)
    answer = kind.to_json("good", None, rows[0])
    assert answer == {"text": "good", "labels": names[0], "probabilities": answer["probabilities"]}
    assert list(answer["probabilities"]) == list(CLASSES)


def test_metrics_by_hand():
    """Of 5 labels 3 are found, with 1 wrong one."""
    logits = np.array([[1, -1, -1], [-1, 1, -1], [1, -1, -1], [-1, -1, 1]], np.float32)
    kind = make(metrics=("f1_micro", "f1_macro", "accuracy"))
    found = kind.measure(list(logits), _features(kind), Examples(texts=["a"] * 4, labels=np.array(LABELS)))
    assert found == pytest.approx({"f1_micro": 2 * 3 / (4 + 5), "f1_macro": (0.5 + 1 + 2 / 3) / 3, "accuracy": 0.25})


def _features(kind: MultiLabel) -> Features:
    return kind.features(BertTokenizer(VOCABULARY), kind.read("own", "train"))


def test_packed_rows_give_the_same_losses(model):
    kind = make()
    features = _features(kind)
    layout = choose_layout(features.lengths, 4, batching="packed", pack_length=16)
    batch = batch_arrays(features, plan_epoch(features.lengths, layout, seed=0, epoch=0, shuffle=False), 0)
    assert batch["labels"].shape == (*batch["example_weight"].shape, 3)
    packed = kind.per_example_loss(model(inputs_of(batch)), batch).numpy()
    logits = Outputs(model, features, batch_examples=4)()
    assert features.labels is not None
    alone = kind.per_example_loss(tf.constant(np.stack(logits)), {"labels": tf.constant(features.labels)}).numpy()
    used = batch["example_index"] >= 0
    np.testing.assert_allclose(packed[used], alone[batch["example_index"][used]], atol=1e-5)


def test_a_model_of_a_run(tiny_model):
    model = make().build_model(RunConfig.model_validate({"task": "x", "backbone": str(tiny_model)}))
    assert (model.labels, model.problem) == (CLASSES, "multi_label")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"classes": ()}, "`classes` must be one name or more, all different"),
        ({"classes": ("a", "a")}, "`classes` must be one name or more, all different"),
        ({"threshold": 1}, r"`threshold` must be in \(0, 1\). Received: threshold=1"),
        ({"metrics": ("f1",)}, "`metrics` must be of labels: accuracy, f1_macro, .*. Received: 'f1'"),
    ],
)
def test_a_task_that_cannot_be(changes, expected):
    with pytest.raises(ValueError, match=expected):
        make(**changes)
