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


# 8 bits, and parts of the vectors at a time.


def recall(index: VectorIndex, queries: np.ndarray, vectors: np.ndarray, top: int) -> float:
    """The share of the true neighbours, by float64, that an index finds."""
    wanted, (_, found) = rank(queries, vectors, top), index.search(queries, top)
    return float(np.mean([len(set(a) & set(b)) / top for a, b in zip(found.tolist(), wanted.tolist(), strict=True)]))


@pytest.fixture(scope="module")
def many():
    """2,500 vectors in groups, as texts have them, and queries near them."""
    middles = RNG.normal(size=(50, 16))
    vectors = np.repeat(middles, 50, axis=0) + 0.5 * RNG.normal(size=(2500, 16))
    return vectors.astype(np.float32), (vectors[::25] + 0.3 * RNG.normal(size=(100, 16))).astype(np.float32)


@pytest.mark.parametrize("approximate", [False, True])
def test_int8_finds_nearly_the_same_in_a_quarter_of_the_file(many, tmp_path, approximate):
    vectors, queries = many
    numbers = [str(number) for number in range(len(vectors))]
    indexes = {
        precision: VectorIndex(numbers, numbers, vectors, about={}, precision=precision, approximate=approximate)
        for precision in ("float32", "int8")
    }
    assert recall(indexes["float32"], queries, vectors, 10) >= 0.999
    assert 0.95 <= recall(indexes["int8"], queries, vectors, 10) < 1.0  # below 1, or it would not be 8 bits
    exact, near = (index.search(queries, 1)[0] for index in indexes.values())
    np.testing.assert_allclose(near, exact, atol=0.01)
    assert np.abs(near - exact).max() > 1e-4
    indexes["int8"].save(tmp_path / "index")
    again = VectorIndex.load(tmp_path / "index")
    assert (again.about["precision"], again.about["search"]) == ("int8", "approximate" if approximate else "exact")
    np.testing.assert_array_equal(again.search(queries, 10)[1], indexes["int8"].search(queries, 10)[1])
    if not approximate:
        size = (tmp_path / "index" / "vectors.faiss").stat().st_size
        assert 16 * len(vectors) < size < 16 * len(vectors) + 500


def test_vectors_are_read_and_added_in_parts(many, monkeypatch):
    vectors, queries = many
    seen: list[int] = []

    class Part:
        def __len__(self):
            return len(vectors)

        def __getitem__(self, rows):
            seen.append(len(vectors[rows]))
            return vectors[rows]

    numbers = [str(number) for number in range(len(vectors))]
    whole = VectorIndex(numbers, numbers, vectors, about={})
    monkeypatch.setattr(vector_index, "CHUNK", 700)
    parts = VectorIndex(numbers, numbers, Part(), about={})
    assert max(seen) == 700
    for found, wanted in zip(parts.search(queries, 5), whole.search(queries, 5), strict=True):
        np.testing.assert_array_equal(found, wanted)
    # Ranges of 8 bits are found from blocks of all parts.
    monkeypatch.setattr(vector_index, "BLOCK", 10)
    monkeypatch.setattr(vector_index, "RANGES_OF", 900)
    seen.clear()
    eight = VectorIndex(numbers, numbers, Part(), about={}, precision="int8")
    assert seen[1:-4] == [10] * 84
    assert recall(eight, queries, vectors, 10) >= 0.9


def test_kept_ranges_keep_the_vectors(many):
    vectors, _ = many
    first = VectorIndex(IDS, TEXTS, vectors[:50], about={}, precision="int8")
    kept = first.vectors(np.arange(50))
    again = VectorIndex([*IDS, "new"], [*TEXTS, "new"], np.vstack([kept, vectors[99:100]]), about={},
                        precision="int8", ranges_of=first)  # fmt: skip
    np.testing.assert_array_equal(again.vectors(np.arange(50)), kept)
    np.testing.assert_allclose(np.linalg.norm(again.vectors(np.array([50]))), 1.0, atol=0.2)  # cut at the ranges


def test_another_precision_is_refused():
    with pytest.raises(ValueError, match=r"`precision` must be one of float32, int8. Received: precision='int4'"):
        make(precision="int4")


def test_an_index_of_before_precision_is_float32(tmp_path):
    make().save(tmp_path)
    about = json.loads((tmp_path / "index.json").read_text())
    assert about.pop("precision") == "float32"
    (tmp_path / "index.json").write_text(json.dumps(about))
    assert VectorIndex.load(tmp_path).about["precision"] == "float32"
