from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from bert_tf.config import RunConfig
from bert_tf.data import InMemory
from bert_tf.errors import UserError
from bert_tf.kinds import Classification, Examples
from bert_tf.kinds.base import ToWatch

CLASSES = ("bad", "fair", "good")
ONE = Examples(texts=["a"], labels=np.array([0]))


def make(**changes) -> Classification:
    fields = {"source": InMemory({}), "text": ("body",), "label": "kind", "classes": CLASSES, "sequence_length": 8}
    return Classification(**{**fields, **changes})


def reference_loss(logits, labels, *, smoothing=0.0, weights=None):
    """Cross entropy in float64, an example at a time."""
    flat, found = np.reshape(logits, (-1, logits.shape[-1])).astype(np.float64), []
    for row, label in zip(flat, np.ravel(labels), strict=True):
        log_p = row - np.log(np.sum(np.exp(row)))
        target = np.full(len(row), smoothing / len(row))
        target[label] += 1 - smoothing
        found.append(-np.sum(target * log_p) * (1.0 if weights is None else weights[label]))
    return np.reshape(found, np.shape(labels))


@pytest.mark.parametrize("labels", [np.array([0, 2, 1, 2], np.int32), np.array([[0, 2], [1, 2]], np.int32)])
@pytest.mark.parametrize(("smoothing", "weights"), [(0.0, None), (0.1, None), (0.2, (0.5, 2.0, 1.0))])
def test_loss_of_each_example(labels, smoothing, weights):
    logits = np.random.default_rng(1).normal(scale=3, size=(*labels.shape, 3)).astype(np.float32)
    loss = make().per_example_loss(
        tf.constant(logits), {"labels": tf.constant(labels)}, label_smoothing=smoothing, class_weights=weights
    )
    assert loss.dtype == tf.float32
    np.testing.assert_allclose(loss, reference_loss(logits, labels, smoothing=smoothing, weights=weights), rtol=1e-5)


def test_loss_is_float32_and_finite_for_large_low_precision_logits():
    logits = tf.constant([[300.0, -300.0, 0.0]], tf.bfloat16)
    loss = make().per_example_loss(logits, {"labels": tf.constant([1])}, label_smoothing=0.1)
    np.testing.assert_allclose(loss, reference_loss(logits.numpy(), np.array([1]), smoothing=0.1), rtol=1e-5)


def test_loss_compiles_with_xla():
    kind, labels = make(), tf.constant([0, 2])
    logits = tf.constant([[1.0, 2.0, 3.0], [0.0, 0.0, 1.0]])

    def loss(logits, labels):
        return kind.per_example_loss(logits, {"labels": labels}, class_weights=(1, 2, 3))

    compiled = tf.function(loss, jit_compile=True)
    np.testing.assert_allclose(compiled(logits, labels), loss(logits, labels), rtol=1e-6)


def test_balanced_class_weights_weigh_one_on_average():
    labels = np.array([0] * 6 + [1] * 3 + [2], np.int32)
    weights = make().class_weights("balanced", Examples(texts=["a"] * 10, labels=labels))
    assert weights == pytest.approx((10 / 18, 10 / 9, 10 / 3))
    assert np.mean(np.asarray(weights)[labels]) == pytest.approx(1.0)


def test_class_weights_given_by_number():
    assert make().class_weights(None, ONE) is None
    assert make().class_weights((1, 2, 3), ONE) == (1.0, 2.0, 3.0)
    with pytest.raises(UserError, match=r"must have 3 weights, one a class \(bad, fair, good\). Received: \[1, 2\]"):
        make().class_weights((1, 2), ONE)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"text": "body"}, "`text` must be a tuple of one or two columns. Received: text='body'"),
        ({"text": ()}, "`text` must be a tuple of one or two columns"),
        ({"classes": ("a",)}, "`classes` must be two different names or more. Received: classes=.'a',."),
        ({"classes": ("a", "a")}, "`classes` must be two different names or more"),
        ({"metrics": "accuracy"}, "`metrics` must be a tuple of one name or more"),
        ({"metrics": ("acuracy",)}, "acuracy"),
        ({"sequence_length": 2}, "`sequence_length` must be 3 or more. Received: sequence_length=2"),
    ],
)
def test_a_task_that_cannot_be(changes, expected):
    with pytest.raises(ValueError, match=expected):
        make(**changes)


def test_labels_by_name_or_by_index():
    rows = [{"body": "x", "kind": "good"}, {"body": "y", "kind": "0"}, {"body": "z", "kind": 1}]
    examples = make(source=InMemory({"train": rows})).read("own", "train")
    assert list(examples.texts) == ["x", "y", "z"]
    assert examples.labels is not None
    assert examples.labels.tolist() == [2, 0, 1]
    assert examples.labels.dtype == np.int32
    assert (examples.pairs, examples.bad_rows, examples.is_sample) == (None, 0, False)


@pytest.mark.parametrize("label", ["great", "3", "-1", "", 7, "1.5"])
def test_an_unknown_label_is_an_error_or_skipped_and_counted(label):
    rows = [{"body": "x", "kind": "good"}, {"body": "y", "kind": label}]
    kind = make(source=InMemory({"train": rows}, bad_rows_share=0.5))
    with pytest.raises(UserError, match="bad, fair, good") as caught:
        kind.read("own", "train")
    assert repr(label) in str(caught.value)
    examples = kind.read("own", "train", skip_bad_rows=True)
    assert (list(examples.texts), examples.bad_rows) == (["x"], 1)


def test_pairs_are_read_and_tokenised_together():
    from bert_tf.text import BertTokenizer
    from tests.conftest import VOCABULARY

    rows = [{"a": "good film", "b": "bad", "kind": "good"}]
    kind = make(source=InMemory({"train": rows}), text=("a", "b"))
    examples = kind.read("own", "train")
    assert (examples.texts, examples.pairs) == (["good film"], ["bad"])
    features = kind.features(BertTokenizer(VOCABULARY), examples, sequence_length=8)
    tokens = [VOCABULARY[i] for i in features.token_ids]
    assert tokens == ["[CLS]", "good", "film", "[SEP]", "bad", "[SEP]"]
    assert features.segment_ids.tolist() == [0, 0, 0, 0, 1, 1]
    assert features.labels is not None
    assert features.labels.tolist() == [2]


def test_metrics():
    from bert_tf.text import BertTokenizer
    from tests.conftest import VOCABULARY

    logits = np.array([[2.0, 0, 0], [0, 1, 0], [0, 0, 1], [0, 1, 0]], np.float32)
    kind, examples = make(), Examples(texts=["a"] * 4, labels=np.array([0, 1, 2, 2]))
    features = kind.features(BertTokenizer(VOCABULARY), examples)
    assert kind.measure(list(logits), features, examples) == {"accuracy": 0.75}
    answers = [{"label_index": np.int32(index)} for index in np.argmax(logits, axis=-1)]
    assert kind.measure_answers(answers, examples) == {"accuracy": 0.75}
    assert make().main_metric == "accuracy"
    assert make().greater_is_better


def test_the_sample_reads_through_the_task():
    from bert_tf import load_task

    kind = load_task("sst2")
    train, dev = kind.read("sample", "train"), kind.read("sample", "validation")
    assert len(train) >= 600
    assert len(dev) >= 150
    assert train.is_sample
    assert dev.labels is not None
    assert set(dev.labels) == {0, 1}


def test_the_real_set_reads_through_the_task():
    from bert_tf import load_task
    from tests.conftest import shared_data

    examples = load_task("sst2").read(str(shared_data("sst2")), "validation")
    assert (len(examples), examples.is_sample) == (872, False)
    assert examples.texts[0] == "it 's a charming and often affecting journey . "
    assert examples.labels is not None
    assert (examples.labels[:2].tolist(), int(examples.labels.sum())) == ([1, 0], 444)


def test_a_model_of_a_run(tiny_model):
    run = {"task": "x", "backbone": str(tiny_model), "model": {"hidden_dropout": 0.3}}
    model = make().build_model(RunConfig.model_validate({**run, "training": {"precision": "mixed_bfloat16"}}))
    assert (model.labels, model.num_classes, model.problem) == (CLASSES, 3, "single_label")
    assert (model.config.hidden_dropout, model.config.attention_dropout) == (0.3, 0.1)
    assert model.dtype_policy.name == "mixed_bfloat16"
    with pytest.raises(UserError, match=r"'data\.sequence_length' must be at most 512, .* Received: 600"):
        make().build_model(RunConfig.model_validate({**run, "data": {"sequence_length": 600}}))


def test_examples_count():
    assert len(Examples(texts=["a", "b"])) == 2


# Texts of no class.


def test_the_threshold_is_where_the_share_of_validation_texts_lies():
    rng = np.random.default_rng(2)
    logits = rng.normal(size=(40, 3)).astype(np.float32)
    scores = np.sort(np.exp(logits).max(-1) / np.exp(logits).sum(-1))
    threshold = make(reject_share=0.1).threshold(list(logits))
    assert scores[3] < threshold < scores[4]
    assert make().threshold(list(logits)) == 0.0
    assert make(reject_share=0.02).threshold(list(logits)) == 0.0, "less than one text"
    certain = [np.array([99.0, 0, 0], np.float32)] * 4
    assert make(reject_share=0.5).threshold(certain) == 0.0, "nothing tells them apart"


def test_the_threshold_never_stands_between_equal_texts():
    """Whose scores differ by rounding alone, otherwise in each batch."""
    logits = np.repeat(np.array([[0.1, 0, 0], [0.5, 0, 0], [2.0, 0, 0]]), 3, axis=0)
    logits += np.random.default_rng(3).normal(scale=1e-7, size=logits.shape)
    scores = np.sort(np.exp(logits).max(-1) / np.exp(logits).sum(-1))
    for share, rejected in ((0.3, 0), (0.34, 3), (0.6, 3), (0.67, 6), (0.99, 6)):
        threshold = make(reject_share=share).threshold(list(logits))
        assert (scores < threshold).sum() == rejected
        assert np.abs(scores - threshold).min() > 1e-3


@pytest.fixture
def rejecting(tiny_model):
    """A task that may reject a third, its model after an evaluation in training, and what that found."""
    rows = {"body": ["good film", "bad", "a film, bad!"], "kind": ["good", "bad", "bad"]}
    from bert_tf.text import BertTokenizer

    kind = make(source=InMemory({"train": rows, "validation": rows}), reject_share=0.34)
    model = kind.build_model(RunConfig.model_validate({"task": "x", "backbone": str(tiny_model)}))
    model.classifier.kernel.assign(np.random.default_rng(4).normal(size=(8, 3)))
    tokenizer = BertTokenizer.from_pretrained(tiny_model)
    examples = {split: kind.read("own", split) for split in ("train", "validation")}
    features = {split: kind.features(tokenizer, part) for split, part in examples.items()}
    watched = ToWatch(model=model, tokenizer=tokenizer, features=features, examples=examples, batch_examples=2)
    return kind, model, tokenizer, examples["validation"], kind.scorer_of_splits(watched)()


def test_a_model_that_rejects_keeps_its_threshold(rejecting, tmp_path):
    from bert_tf import Pipeline
    from bert_tf.inference.engine.rows import rows_of as _rows

    kind, model, tokenizer, examples, metrics = rejecting
    assert metrics["coverage"] == pytest.approx(2 / 3)
    model.save_pretrained(tmp_path / "model", tokenizer)
    loaded = kind.load_model(str(tmp_path / "model"))
    assert loaded.reject_below == model.reject_below > 0
    answers = list(_rows(kind.answer_function(loaded, tokenizer)(tf.constant(examples.texts))))
    assert kind.measure_answers(answers, examples) == pytest.approx(metrics)
    said = [kind.to_json("x", None, answer) for answer in answers]
    assert [answer["label"] is None for answer in said] == [answer["score"] < model.reject_below for answer in said]
    assert sum(answer["label"] is None for answer in said) == 1
    for row, answer in zip(answers, said, strict=True):
        assert answer["best_guess"] == max(answer["probabilities"], key=answer["probabilities"].get)
        assert answer["label"] in (None, answer["best_guess"])
        assert row["label"] == (b"" if answer["label"] is None else answer["label"].encode())
    alone = Pipeline(tmp_path / "model")(list(examples.texts))
    assert [answer["label"] for answer in alone] == [answer["label"] for answer in said]


def test_metrics_of_what_is_covered():
    logits = np.array([[3.0, 0, 0], [0, 2, 0], [0.1, 0, 0], [0, 0, 0.2]], np.float32)
    kind, examples = make(reject_share=0.5), Examples(texts=["a"] * 4, labels=np.array([0, 0, 0, 2]))
    features: Any = None
    found = kind.measure(list(logits), features, examples)
    assert found == {"accuracy": 0.75, "coverage": 0.5, "accuracy_of_covered": 0.5}


def test_further_splits_are_scored_under_their_names(tiny_model):
    from bert_tf.text import BertTokenizer

    rows = [{"body": "good", "kind": "good"}, {"body": "bad", "kind": "bad"}]
    kind = make(source=InMemory({"validation": rows, "validation_other": rows[:1], "test": rows[1:]}),
                also_score=("validation_other", "test"), reject_share=0.5)  # fmt: skip
    model = kind.build_model(RunConfig.model_validate({"task": "x", "backbone": str(tiny_model)}))
    tokenizer = BertTokenizer.from_pretrained(tiny_model)
    examples = {split: kind.read("own", split) for split in kind.scored_splits}
    features = {split: kind.features(tokenizer, part) for split, part in examples.items()}
    watched = ToWatch(model=model, tokenizer=tokenizer, features=features, examples=examples, batch_examples=2)
    found = kind.scorer_of_splits(watched)()
    names = ("accuracy", "coverage", "accuracy_of_covered")
    assert list(found) == [name + end for end in ("", "_other", "_test") for name in names]
    assert found["coverage"] == 0.5
    assert model.reject_below > 0, "it is set by validation, not by the splits of one text"
    assert (found["accuracy_other"], found["accuracy_test"]) in {(0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0)}


@pytest.mark.parametrize("share", [-0.1, 1])
def test_a_share_that_cannot_be(share):
    with pytest.raises(ValueError, match=r"`reject_share` must be in \[0, 1\). Received: reject_share="):
        make(reject_share=share)


def scored(classes, metrics, labels, logits, **changes):
    rows = [{"body": "a", "tone": label} for label in labels]
    kind = Classification(
        source=InMemory({"validation": rows}),
        text=("body",),
        label="tone",
        classes=classes,
        metrics=metrics,
        sequence_length=8,
        **changes,
    )
    examples = kind.read("own", "validation")
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    answers = [{"label_index": p.argmax(), "probabilities": p} for p in probabilities]
    return kind.measure_answers(answers, examples), kind.report(answers, examples), kind, examples, answers


def test_metrics_of_one_class_are_of_the_positive_one():
    logits = np.array([[2.0, 0], [1, 0], [0, 1], [0, 3], [0, 2]])
    labels, names = ["spam", "ham", "ham", "spam", "ham"], ("f1", "precision", "recall", "roc_auc", "average_precision")
    found, report, *_ = scored(("spam", "ham"), names, labels, logits)
    assert (report["positive"], found["f1"]) == ("ham", pytest.approx(2 / 3))
    found, report, kind, examples, _ = scored(("spam", "ham"), names, labels, logits, positive="spam")
    assert report["positive"] == "spam"
    assert {name: found[name] for name in names[:3]} == pytest.approx({"f1": 0.5, "precision": 0.5, "recall": 0.5})
    assert found["roc_auc"] == pytest.approx(3 / 6)  # pairs in the right order: 2 + 0 + 1 of 2 x 3
    assert report["per_class"]["spam"] == {"precision": 0.5, "recall": 0.5, "f1": 0.5, "support": 2}
    assert kind.measure(list(logits), None, examples) == pytest.approx(found)  # pyright: ignore[reportArgumentType]
    for wrong in (
        {"positive": "x"},
        {"positive": "spam", "classes": ("spam", "ham", "eggs"), "metrics": ("accuracy",)},
    ):
        with pytest.raises(ValueError, match=r"`positive` must be one of two classes. Received: positive='"):
            dataclasses.replace(kind, **wrong)


def test_f1_of_three_classes_names_its_average(caplog):
    logits = np.eye(4)[[0, 1, 1, 2]]
    with pytest.raises(ValueError, match=r"'f1' is of two classes, .* 4 classes: f1_macro, f1_micro, f1_weighted"):
        scored(tuple("abcd"), ("f1",), ["a"], logits)
    found, report, *_ = scored(tuple("abcd"), ("f1_macro", "f1_weighted", "accuracy"), ["a", "b", "c", "c"], logits)
    assert found["f1_macro"] == pytest.approx((1 + 2 / 3 + 2 / 3 + 0) / 4)
    assert found["f1_weighted"] == pytest.approx((1 + 2 / 3 + 2 * 2 / 3) / 4)
    assert "validation: no example of ['d'], which f1_macro counts as well" in caplog.text
    assert report["per_class"]["d"] == {"precision": None, "recall": None, "f1": None, "support": 0}
    assert "positive" not in report
    caplog.clear()
    scored(tuple("ab"), ("f1",), ["b"], logits[:1, :2])
    assert not caplog.text


def test_a_score_that_there_is_none_of_is_undefined():
    found, *_ = scored(("a", "b"), ("matthews_correlation", "recall"), ["a", "a"], np.eye(2)[[0, 1]])
    assert [getattr(found[name], "reason", None) for name in found] == [
        "all labels are of class 0",
        "no example has the positive class",
    ]
