"""What a file of faiss says of its sizes is held to the file before faiss maps it."""

from __future__ import annotations

import numpy as np
import pytest

from bert_tf.errors import UserError
from bert_tf.inference.searching.faiss_file import check_faiss_file
from bert_tf.inference.vector_index import VECTORS, VectorIndex

faiss = pytest.importorskip("faiss", reason="the extra `search` is not installed")
IDS = [f"d{i}" for i in range(6)]
KINDS = [{}, {"precision": "int8"}, {"approximate": True}, {"approximate": True, "precision": "int8"}]


def saved(folder, **settings):
    VectorIndex(IDS, IDS, np.random.default_rng(1).normal(size=(6, 4)), about={}, **settings).save(folder)
    return folder / VECTORS


@pytest.mark.parametrize("settings", KINDS)
def test_files_as_they_are_written(tmp_path, settings):
    check_faiss_file(saved(tmp_path / "index", **settings), 6, 4)
    assert len(VectorIndex.load(tmp_path / "index")) == 6


@pytest.mark.parametrize("settings", KINDS)
@pytest.mark.parametrize(
    ("place", "value"), [(0, b"IxPQ"), (4, b"\xff\xff\xff\x7f"), (4, b"\xff\xff\xff\xff"), (8, b"\xff" * 7 + b"\x3f")]
)
def test_a_head_that_lies(tmp_path, settings, place, value):
    path = saved(tmp_path / "index", **settings)
    content = path.read_bytes()
    path.write_bytes(content[:place] + value + content[place + len(value) :])
    with pytest.raises(UserError, match=r"index: expected (a whole index|6 vectors of 4 numbers)"):
        VectorIndex.load(tmp_path / "index")


@pytest.mark.parametrize("change", [lambda old: old[:-1], lambda old: old + b"a", lambda old: old[:20], lambda old: b"",
                                    lambda old: old[:37] + b"\xff" * 8 + old[45:]])  # fmt: skip
def test_an_exact_index_has_one_size(tmp_path, change):
    path = saved(tmp_path / "index")
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(UserError, match=r"index: expected a whole index"):
        VectorIndex.load(tmp_path / "index")


GRAPHS = KINDS[2:]
MANY = 300


def graph(folder, **settings):
    """An index of enough vectors to be on several levels, and a way to change its graph."""
    vectors = np.random.default_rng(2).normal(size=(MANY, 4))
    ids = [f"d{i}" for i in range(MANY)]
    VectorIndex(ids, ids, vectors, about={}, **settings).save(folder)
    index = faiss.read_index(str(folder / VECTORS))
    index = index if isinstance(index, (faiss.IndexHNSWFlat, faiss.IndexHNSWSQ)) else faiss.downcast_index(index)
    return index, lambda: faiss.write_index(index, str(folder / VECTORS))


def change(name, place, value):
    """Sets one number of a graph's, as faiss keeps it."""

    def changed(hnsw):
        array = faiss.vector_to_array(getattr(hnsw, name)).copy()
        array[place] = value
        faiss.copy_array_to_vector(array, getattr(hnsw, name))

    return changed


def to_the_lowest_level(hnsw):
    """A link of the second level to a vector that is on the first alone."""
    levels = faiss.vector_to_array(hnsw.levels)
    offsets, ends = faiss.vector_to_array(hnsw.offsets), faiss.vector_to_array(hnsw.cum_nneighbor_per_level)
    place = int(offsets[np.argmax(levels > 1)]) + int(ends[1])
    change("neighbors", place, int(np.argmax(levels == 1)))(hnsw)


def beginning(name, value):
    return lambda hnsw: setattr(hnsw, name, value)


@pytest.mark.parametrize("settings", GRAPHS)
@pytest.mark.parametrize(
    ("change_it", "said"),
    [
        (change("neighbors", 7, MANY), "links to vectors that are not there"),
        (change("neighbors", -1, -2), "links to vectors that are not there"),
        (to_the_lowest_level, "not on their level"),
        (change("levels", 5, 0), "links that belong to no vector"),
        (change("levels", 5, 99), "links that belong to no vector"),
        (change("offsets", 5, 2**63), "links that belong to no vector"),
        (change("offsets", -1, 0), "links that belong to no vector"),
        (change("cum_nneighbor_per_level", 1, -5), "a graph without levels"),
        (change("cum_nneighbor_per_level", 0, 1), "a graph without levels"),
        (beginning("entry_point", MANY), "a graph that begins nowhere"),
        (beginning("entry_point", -1), "a graph that begins nowhere"),
        (beginning("max_level", 40), "a graph that begins nowhere"),
        (beginning("efSearch", 2**31 - 1), "searched deeper than 1,048,576"),
        (beginning("efSearch", 0), "searched deeper than 1,048,576"),
    ],
)
def test_a_graph_leads_nowhere_but_into_itself(tmp_path, settings, change_it, said):
    index, write = graph(tmp_path / "index", **settings)
    assert faiss.vector_to_array(index.hnsw.levels).max() > 1
    check_faiss_file(tmp_path / "index" / VECTORS, MANY, 4)
    change_it(index.hnsw)
    write()
    with pytest.raises(UserError, match=rf"index: expected a whole index. Received: {VECTORS} has .*{said}"):
        VectorIndex.load(tmp_path / "index")


@pytest.mark.parametrize("settings", KINDS)
def test_no_number_of_the_file_may_be_another_size(tmp_path, settings):
    """Eight bytes in many places, as a number of 2 ** 56 and more: refused, or of no meaning to where anything lies."""
    path = saved(tmp_path / "index", **settings)
    content, refused = path.read_bytes(), 0
    for place in range(0, len(content) - 8, 6):
        path.write_bytes(content[:place] + b"\xff" * 8 + content[place + 8 :])
        try:
            check_faiss_file(path, 6, 4)
        except UserError:
            refused += 1
        else:
            faiss.read_index(str(path)).search(np.ones((1, 4), np.float32), 3)
    assert refused > 5
