"""Names of classes, from a config.json that may not fit the head."""

from __future__ import annotations

import pytest

from bert_tf.weights.hugging_face.labels import class_names


@pytest.mark.parametrize(
    "raw",
    [
        {"id2label": {"0": "neg", "1": "pos"}},
        {"id2label": {"1": "pos", "0": "neg"}, "label2id": {"LABEL_0": 0, "LABEL_1": 1}},
        {"label2id": {"pos": 1, "neg": 0}},
        {"label2id": {"pos": "1", "neg": "0"}},
        {"id2label": None, "label2id": {"neg": 0, "pos": 1}, "num_labels": 2},
    ],
)
def test_names_that_fit(raw):
    assert class_names(raw, 2) == (("neg", "pos"), None)


@pytest.mark.parametrize("raw", [{}, {"num_labels": 3}, {"id2label": {}, "label2id": None}])
def test_no_names(raw):
    assert class_names(raw, 3) == (None, None)


@pytest.mark.parametrize(
    ("raw", "names", "wrong"),
    [
        ({"id2label": {"0": "a", "2": "c"}}, ("a", "LABEL_1", "c"), "`id2label` has no name for class 1"),
        (
            {"id2label": {"1": "a", "2": "b", "3": "c"}},
            ("LABEL_0", "a", "b"),
            "`id2label` names a class 3, the head has 3; `id2label` has no name for class 0",
        ),
        ({"id2label": {"0": "a", "1": "b", "2": "a"}}, ("LABEL_0", "b", "LABEL_2"), "several classes are named a"),
        (
            {"id2label": {"0": "LABEL_0", "1": "LABEL_1"}, "label2id": {"a": 0, "b": 1, "c": 2}},
            ("a", "b", "c"),
            "`id2label` has no name for class 2; `label2id` is used",
        ),
        (
            {"id2label": {"0": "LABEL_2", "1": "b", "2": "b"}},
            ("LABEL_0", "LABEL_1", "LABEL_2"),
            "several classes are named b",
        ),
        (
            {"id2label": ["a", "b", "c"]},
            ("a", "b", "c"),
            "`id2label` is a list, taken as the names of the classes in order",
        ),
        (
            {"id2label": {"a": "0", "b": "1", "c": "2"}},
            ("LABEL_0", "LABEL_1", "LABEL_2"),
            "`id2label` has a class 'a', which is no number; `id2label` has a class 'b', which is no number; "
            "`id2label` has a class 'c', which is no number; `id2label` has no name for class 0, 1, 2",
        ),
        ({"_num_labels": 5}, None, "`num_labels` is 5, the head has 3 classes"),
        (
            {"num_labels": 2, "id2label": {"0": "a", "1": "b", "2": "c"}},
            ("a", "b", "c"),
            "`num_labels` is 2, the head has 3 classes",
        ),
        (
            {"id2label": {"0": "a", "1": "b", "2": "c"}, "label2id": {"c": 0, "b": 1, "a": 2}},
            ("a", "b", "c"),
            "`label2id` has other names for the classes, c, b, a: `id2label` is used, as in Transformers",
        ),
        (
            {"id2label": {"0": "LABEL_0", "1": "LABEL_1", "2": "LABEL_2"}, "label2id": {"x": 0, "y": 1, "z": 2}},
            ("LABEL_0", "LABEL_1", "LABEL_2"),
            "`label2id` has other names for the classes, x, y, z: `id2label` is used, as in Transformers",
        ),
        ({"id2label": 3}, ("LABEL_0", "LABEL_1", "LABEL_2"), "`id2label` is a int"),
        (
            {"label2id": {"a": 0, "b": 0, "c": 2}},
            ("a", "LABEL_1", "c"),
            "`label2id` has two names for class 0: a, b; `label2id` has no name for class 1",
        ),
    ],
)
def test_names_that_do_not_fit_are_replaced_and_said(raw, names, wrong):
    assert class_names(raw, 3) == (names, wrong)
