from __future__ import annotations

import json

import numpy as np
import pytest

from bert_tf.errors import UserError
from bert_tf.inference import vector_index
from bert_tf.inference.vector_index import VectorIndex, check_faiss, model_identity
from bert_tf.metrics.ranking import rank

pytest.importorskip("faiss", reason="the extra `search` is not installed")
RNG = np.random.default_rng(1)
VECTORS, QUERIES = RNG.normal(size=(50, 6)) * RNG.uniform(0.1, 5, size=(50, 1)), RNG.normal(size=(7, 6))
IDS, TEXTS = [f"d{i}" for i in range(50)], [f"text\u2028 {i}" for i in range(50)]


def make(**changes) -> VectorIndex:
    return VectorIndex(IDS, TEXTS, VECTORS, **{"about": {"model": "m"}, **changes})


def test_exact_search_is_brute_force():
    scores, numbers = make().search(QUERIES, 5)
    np.testing.assert_array_equal(numbers, rank(QUERIES, VECTORS, 5))
    units = VECTORS / np.linalg.norm(VECTORS, axis=1, keepdims=True)
    cosines = QUERIES @ units.T / np.linalg.norm(QUERIES, axis=1, keepdims=True)
    np.testing.assert_allclose(scores, -np.sort(-cosines, axis=1)[:, :5], atol=1e-6)
    assert make().search(QUERIES, 99)[1].shape == (7, 50)


def test_approximate_search_of_few_documents_finds_the_same():
    index = make(approximate=True)
    assert index.about["search"] == "approximate"
    np.testing.assert_array_equal(index.search(QUERIES, 5)[1], rank(QUERIES, VECTORS, 5))


@pytest.mark.parametrize("approximate", [False, True])
def test_there_and_back(tmp_path, approximate):
    index = make(approximate=approximate)
    index.save(tmp_path / "index")
    again = VectorIndex.load(tmp_path / "index")
    assert (again.ids, again.texts, len(again)) == (IDS, TEXTS, 50)
    assert again.about == {"format": 1, "documents": 50, "dimensions": 6, **index.about}
    for found, wanted in zip(again.search(QUERIES, 3), index.search(QUERIES, 3), strict=True):
        np.testing.assert_array_equal(found, wanted)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["index"]


def test_what_is_no_index(tmp_path):
    with pytest.raises(UserError, match=r"expected an index, which has index\.json. Received: none; build it"):
        VectorIndex.load(tmp_path)
    make().save(tmp_path)
    (tmp_path / "documents.jsonl").write_text('{"id": "x", "text": "y"}\n')
    with pytest.raises(UserError, match=r"expected 50 documents. Received: 50 vectors and 1 texts"):
        VectorIndex.load(tmp_path)
    (tmp_path / "vectors.faiss").write_bytes(b"nothing")
    with pytest.raises(UserError, match="expected a whole index"):
        VectorIndex.load(tmp_path)
    (tmp_path / "index.json").write_text(json.dumps({"format": 2}))
    with pytest.raises(UserError, match=r"expected an index of the format 1. Received: 2"):
        VectorIndex.load(tmp_path)


def test_arguments_that_do_not_go_together():
    with pytest.raises(ValueError, match=r"must have the same length, at least 1. Received: 50, 50 and 3"):
        VectorIndex(IDS, TEXTS, VECTORS[:3], about={})


def test_without_faiss_the_extra_is_named(monkeypatch):
    monkeypatch.setattr(vector_index.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"pip install 'bert_tf\[search\]'"):
        check_faiss()


def test_a_models_identity_is_all_that_vectors_depend_on(tiny_model):
    from bert_tf.models import BertEmbedder
    from bert_tf.text import BertTokenizer

    tokenizer = BertTokenizer.from_pretrained(tiny_model)

    def identity(model=None, tokenizer=tokenizer, length=8, **changes):
        model = model or BertEmbedder.from_pretrained(tiny_model, **changes)
        return model_identity(model, tokenizer, sequence_length=length)

    moved = BertEmbedder.from_pretrained(tiny_model)
    moved.backbone.embeddings.norm.beta.assign_add([1e-3] * 8)
    pooler = BertEmbedder.from_pretrained(tiny_model)
    assert pooler.backbone.pooler is not None
    pooler.backbone.pooler.weights[0].assign_add(np.ones((8, 8)))
    assert identity() == identity() == identity(pooler)
    others = [identity(moved), identity(pooling="max"), identity(normalize=False), identity(length=9)]
    others.append(identity(tokenizer=BertTokenizer(tokenizer.vocabulary, lowercase=False)))
    assert len({identity(), *others}) == 6
