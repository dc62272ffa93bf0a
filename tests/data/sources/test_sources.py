from __future__ import annotations

import sys
import types

import numpy as np
import pytest

from bert_tf.data.rows.cells import text
from bert_tf.data.rows.labels import class_index
from bert_tf.data.sources.base import HuggingFaceDataset, Tfds
from bert_tf.data.sources.in_memory import InMemory
from bert_tf.data.sources.table_files import Tsv
from bert_tf.errors import UserError

PARSERS = {"sentence": text, "label": class_index(("negative", "positive"))}
ANY = Tsv(files={})


class FakeFrame:
    """What is used of a pandas DataFrame."""

    def __init__(self, columns):
        self._columns = {name: np.array(values, object) for name, values in columns.items()}
        self.columns = list(columns)

    def __getitem__(self, name):
        return self._columns[name]

    def to_dict(self):
        raise NotImplementedError


@pytest.mark.parametrize(
    "rows",
    [
        [{"sentence": "good", "label": 1}, {"sentence": "bad", "label": "negative"}],
        {"sentence": ["good", "bad"], "label": np.array([1, 0])},
        FakeFrame({"sentence": ["good", "bad"], "label": [1, 0], "more": [None, None]}),
    ],
)
def test_in_memory(rows):
    table = InMemory({"train": rows}).open(None, "train", PARSERS)
    assert table.columns == {"sentence": ["good", "bad"], "label": [1, 0]}
    assert table.place(1) == "train[1]"


def test_in_memory_errors():
    source = InMemory(
        {"train": {"sentence": ["good", None], "label": [1, 0]}, "broken": {"sentence": ["a"], "label": []}},
        bad_rows_share=0.5,
    )
    with pytest.raises(
        UserError, match=r"^train\[1\]: column 'sentence': expected text. Received: None, a missing value$"
    ):
        source.open(None, "train", PARSERS)
    assert source.open(None, "train", PARSERS, skip_bad_rows=True).skipped == 1
    with pytest.raises(
        ValueError, match=r"`splits` must have columns of one length. Received: {'sentence': 1, 'label': 0}"
    ):
        source.open(None, "broken", PARSERS)
    with pytest.raises(UserError, match=r"expected a split of train, broken. Received: 'test'"):
        source.open(None, "test", PARSERS)
    with pytest.raises(UserError, match=r"has its data in memory: .* Received: /somewhere"):
        source.open("/somewhere", "train", PARSERS)


class FakeFeatures(dict):
    def __init__(self, **names):
        super().__init__({column: types.SimpleNamespace(names=classes) for column, classes in names.items()})


@pytest.fixture
def fake_datasets(monkeypatch):
    calls = []

    class Loaded(dict):
        features = FakeFeatures(sentence=None, label=["positive", "negative"])  # not our order

        @property
        def column_names(self):
            return list(self)

    def load_dataset(path, config, *, split):
        calls.append((path, config, split))
        if split == "nope":
            raise ValueError('Unknown split "nope".\nShould be one of train.')
        return Loaded(sentence=["good", "bad"], label=[-1, -1] if split == "test" else [0, 1], idx=[0, 1])

    module = types.ModuleType("datasets")
    module.load_dataset = load_dataset  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "datasets", module)
    return calls


@pytest.fixture
def fake_tfds(monkeypatch):
    calls = []

    def load(name, *, split, with_info):
        calls.append((name, split, with_info))
        rows = [{"sentence": b"na\xc3\xafve", "label": np.int64(0)}, {"sentence": b"caf\xe9", "label": np.int64(1)}]
        return rows, types.SimpleNamespace(features=FakeFeatures(sentence=None, label=["negative", "positive"]))

    module = types.ModuleType("tensorflow_datasets")
    module.load = load  # type: ignore[attr-defined]
    module.as_numpy = iter  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", module)
    return calls


@pytest.mark.parametrize(
    ("where", "call"),
    [
        ("hf:glue/sst2", ("nyu-mll/glue", "sst2", "train")),
        ("hf:org/name", ("org/name", None, "train")),
        ("hf:org/name:config", ("org/name", "config", "train")),
        ("hf:imdb", ("imdb", None, "train")),
    ],
)
def test_hugging_face_labels_come_by_name(fake_datasets, where, call):
    table = ANY.open(where, "train", PARSERS)
    assert fake_datasets == [call]
    assert table.columns == {"sentence": ["good", "bad"], "label": [1, 0]}
    assert table.place(1) == f"{where} train[1]"


def test_hidden_labels_are_none(fake_datasets):
    assert ANY.open("hf:glue/sst2", "test", PARSERS, optional=("label",)).columns == {"sentence": ["good", "bad"]}
    with pytest.raises(
        UserError, match=r"hf:glue/sst2: expected the columns sentence, label. Received: .* without 'label'"
    ):
        ANY.open("hf:glue/sst2", "test", PARSERS)


def test_names_and_splits_at_the_hub(fake_datasets):
    source = Tsv(files={}, hub_names={"text": "sentence"}, hub_splits={"validation": "dev"})
    table = source.open("hf:org/name", "validation", {"text": text})
    assert fake_datasets == [("org/name", None, "dev")]
    assert table.columns == {"text": ["good", "bad"]}
    assert HuggingFaceDataset("org/name").open(None, "train", PARSERS).columns["label"] == [1, 0]


def test_missing_column_and_failed_load_at_the_hub(fake_datasets):
    with pytest.raises(
        UserError, match=r"expected the column txt. Received: \['sentence', 'label', 'idx'\] without 'txt'"
    ):
        ANY.open("hf:org/name", "train", {"txt": text})
    with pytest.raises(
        UserError, match=r"^hf:org/name: cannot read the split 'nope'. Received: ValueError: Unknown split"
    ):
        ANY.open("hf:org/name", "nope", PARSERS)


def test_tensorflow_datasets(fake_tfds):
    with pytest.raises(UserError, match=r"^tfds:glue/sst2 train\[1\]: column 'sentence': expected text that UTF-8"):
        ANY.open("tfds:glue/sst2", "train", PARSERS)
    table = Tfds("glue/sst2", bad_rows_share=0.5).open(None, "train", PARSERS, skip_bad_rows=True)
    assert fake_tfds == [("glue/sst2", "train", True)] * 2
    assert table.columns == {"sentence": ["naïve"], "label": [0]}
    with pytest.raises(UserError, match=r"data are at a hub: .* Received: /somewhere"):
        Tfds("glue/sst2").open("/somewhere", "train", PARSERS)


@pytest.mark.parametrize(("where", "extra"), [("tfds:glue/sst2", "tfds"), ("hf:glue/sst2", "datasets")])
def test_missing_extra_is_named(monkeypatch, where, extra):
    monkeypatch.setitem(sys.modules, {"tfds": "tensorflow_datasets"}.get(extra, extra), None)
    with pytest.raises(UserError, match=rf"^{where} needs an optional package: pip install 'bert_tf\[{extra}\]'"):
        ANY.open(where, "train", PARSERS)


def test_no_name_after_the_prefix(fake_datasets):
    with pytest.raises(UserError, match=r"expected hf:NAME. Received: 'hf:'"):
        ANY.open("hf:", "train", PARSERS)
