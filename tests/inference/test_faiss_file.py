"""What a file of faiss says of its sizes is held to the file before faiss maps it."""

from __future__ import annotations

import numpy as np
import pytest

from bert_tf.errors import UserError
from bert_tf.inference.searching.faiss_file import check_faiss_file
from bert_tf.inference.vector_index import VECTORS, VectorIndex

pytest.importorskip("faiss", reason="the extra `search` is not installed")
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
