"""Sums in memory that workers share: threads stand for processes here, as memory does not know the difference."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bert_tf.training.workers import shared_sum
from bert_tf.training.workers.shared_sum import SharedSum

RNG = np.random.default_rng(4)
LENGTHS, TABLES = (1, 5, 40), ((7, 3),)


def at_once(works: list[Callable[[], Any]]) -> list[Any]:
    with ThreadPoolExecutor(len(works)) as pool:
        return [future.result() for future in [pool.submit(work) for work in works]]


def arrays(rank: int, rows: int) -> list[np.ndarray]:
    """Of one worker: 0-d, 1-d and 2-d arrays, and rows of a table."""
    dense = [RNG.normal(size=shape).astype(np.float32) for shape in ((), (5,), (8, 5))]
    return [*dense, RNG.integers(0, 7, rows), RNG.normal(size=(rows, 3)).astype(np.float32)]


@pytest.fixture(params=[2, 3])
def workers(request: pytest.FixtureRequest, connected: Callable[[int], list[Any]]) -> list[SharedSum]:
    peers = connected(request.param)
    return at_once([lambda each=each: SharedSum.open(each, LENGTHS, TABLES) for each in peers])


@pytest.mark.skipif(not shared_sum.FOLDER.is_dir(), reason="no /dev/shm here")
def test_all_get_the_same_sums_again_and_again(workers):
    assert list(shared_sum.FOLDER.glob("bert_tf-*")) == [], "nothing is left where killed processes could leave it"
    for rows in (2, 0, 7):
        given = [arrays(rank, rows + rank if rows else 0) for rank in range(len(workers))]
        given = [[*part[:3], part[3][:7], part[4][:7]] for part in given]
        found = at_once([lambda each=each, part=part: each(*part) for each, part in zip(workers, given, strict=True)])
        for k in range(3):
            wanted = np.sum([part[k].astype(np.float64).reshape(-1) for part in given], axis=0)
            for each in found:
                np.testing.assert_allclose(each[k], wanted, rtol=1e-6, atol=1e-6)
                np.testing.assert_array_equal(each[k], found[0][k])
                assert each[k].ctypes.data % 64 == 0, "TensorFlow would copy it"
        for each in found:
            np.testing.assert_array_equal(each[3], np.concatenate([part[3] for part in given]))
            np.testing.assert_array_equal(each[4], np.concatenate([part[4] for part in given]))


@pytest.mark.skipif(not shared_sum.FOLDER.is_dir(), reason="no /dev/shm here")
def test_what_one_writes_into_its_sum_reaches_no_other(workers):
    given = [arrays(rank, 1) for rank in range(len(workers))]
    found = at_once([lambda each=each, part=part: each(*part) for each, part in zip(workers, given, strict=True)])
    kept = found[1][2].copy()
    found[0][2][:] = 99.0
    np.testing.assert_array_equal(found[1][2], kept)


def test_without_memory_in_common_there_is_no_sum_on_any_worker(connected, monkeypatch, tmp_path):
    two = connected(2)
    monkeypatch.setattr(shared_sum, "FOLDER", tmp_path / "none")
    assert at_once([lambda each=each: SharedSum.open(each, LENGTHS, TABLES) for each in two]) == [None, None]
    monkeypatch.setattr(shared_sum, "FOLDER", tmp_path)
    monkeypatch.setattr(shared_sum, "_map", lambda path, token, size: None)  # as where one is in another container
    assert at_once([lambda each=each: SharedSum.open(each, LENGTHS, TABLES) for each in two]) == [None, None]
    assert list(tmp_path.iterdir()) == []


def test_another_file_of_that_name_is_not_taken(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(shared_sum, "FOLDER", tmp_path)
    made = shared_sum._create(4096, 1024)
    assert made is not None
    path, token = made
    assert shared_sum._map(path, token, 4096) is not None
    assert shared_sum._map(path, "0" * 64, 4096) is None
    assert shared_sum._map(path, token, 8192) is None
    assert shared_sum._map(tmp_path / "none", token, 4096) is None


def test_no_room_is_no_sum(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(shared_sum, "FOLDER", tmp_path)

    def full(*ignored: int) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(shared_sum.os, "posix_fallocate", full)
    assert shared_sum._create(4096, 1024) is None
    assert list(tmp_path.iterdir()) == []
