"""A store of tokenised examples gives what memory does, is made once, and made again where it is damaged."""

from __future__ import annotations

import dataclasses
import logging
import re
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bert_tf.data import Features, batch_arrays, choose_layout, plan_epoch
from bert_tf.data.batching.cut import Cut
from bert_tf.data.stored.examples import stored_features
from bert_tf.errors import UserError

EXAMPLES, PART = 23, 5
RNG = np.random.default_rng(5)
LENGTHS = RNG.integers(1, 9, EXAMPLES)
ENDS = np.append(0, np.cumsum(LENGTHS))
IDS = RNG.integers(1, 99, ENDS[-1]).astype(np.int32)
MORE = RNG.random((EXAMPLES, 3)).astype(np.float32)


def make(start: int, stop: int) -> Features:
    """Examples with a field of each sort; number e has tokens, labels and fields of its own."""
    tokens, rows = slice(ENDS[start], ENDS[stop]), np.arange(start, stop)
    return Features(
        token_ids=IDS[tokens],
        segment_ids=(IDS[tokens] % 2).astype(np.int8),
        splits=ENDS[start : stop + 1] - ENDS[start],
        labels=(rows % 3).astype(np.int32),
        weights=MORE[rows, 0],
        loss_terms=LENGTHS[rows],
        token_fields={"tags": IDS[tokens] % 7},
        example_fields={"more": MORE[rows]},
        position_fields={"first": LENGTHS[rows] // 2},
        fills={"tags": -100},
        cut=Cut(LENGTHS[rows] + rows, rows.copy()),
    )


def in_groups(start: int, stop: int) -> Features:
    """The same texts in examples of two."""
    single = make(start, stop).single_texts
    members = np.stack([np.arange(stop - start), (np.arange(stop - start) + 1) % (stop - start)], axis=1)
    return dataclasses.replace(single, members=members.astype(np.int32), token_fields={}, fills={})


def stored(folder: Path, make: Any = make, *, key: str = "key", **more: Any) -> Features:
    return stored_features(make, EXAMPLES, kind=Features, key=key, cache=folder, part_examples=PART, **more)


def flat(features: Features) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for field in dataclasses.fields(features):
        value = getattr(features, field.name)
        value = {"tokens": value.tokens, "lost": value.lost} if isinstance(value, Cut) else value
        found |= (
            {f"{field.name}/{name}": part for name, part in value.items()}
            if hasattr(value, "items")
            else {field.name: value}
        )
    return found


def assert_same(found: Features, wanted: Features) -> None:
    one, other = flat(found), flat(wanted)
    assert one.keys() == other.keys()
    for name, value in other.items():
        np.testing.assert_array_equal(one[name], value, err_msg=name)
        assert np.asarray(one[name]).dtype == np.asarray(value).dtype, name
    for batching in ("packed", "bucketed", "padded"):
        layout = choose_layout(wanted.lengths, 4, batching=batching, pack_length=None if batching == "bucketed" else 16)
        plans = [plan_epoch(features.lengths, layout, seed=1, epoch=2) for features in (found, wanted)]
        for k in range(plans[1].number_of_batches):
            ours, theirs = batch_arrays(found, plans[0], k), batch_arrays(wanted, plans[1], k)
            assert ours.keys() == theirs.keys()
            for name, value in theirs.items():
                np.testing.assert_array_equal(ours[name], value)
                assert ours[name].dtype == value.dtype


def never(start: int, stop: int) -> Features:
    raise AssertionError("this is in the store already")


def test_it_is_what_memory_has_and_is_found_again(tmp_path, caplog):
    shares: list[float] = []
    found = stored(tmp_path, report=shares.append)
    assert_same(found, make(0, EXAMPLES))
    assert isinstance(found.token_ids, np.memmap)
    assert shares == [0.2, 0.4, 0.6, 0.8, 1.0]
    assert_same(stored(tmp_path, never), make(0, EXAMPLES))
    assert [path.name for path in tmp_path.iterdir()] == ["examples-key"]  # no part, no lock
    assert not caplog.records


def test_another_key_is_another_store(tmp_path):
    stored(tmp_path)
    with pytest.raises(AssertionError, match="already"):
        stored(tmp_path, never, key="other")


def test_members_are_counted_over_the_whole_set(tmp_path):
    found = stored(tmp_path, in_groups)
    parts = [in_groups(start, min(start + PART, EXAMPLES)) for start in range(0, EXAMPLES, PART)]
    members = [part.members + number * PART for number, part in enumerate(parts) if part.members is not None]
    np.testing.assert_array_equal(found.members, np.concatenate(members))
    np.testing.assert_array_equal(found.token_ids, IDS)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-9])


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("damage", "name", "said"),
    [
        (cut, "token_ids.bin", r"token_ids.bin has \d+ bytes, and had \d+"),
        (flip, "token_fields.tags.bin", "token_fields.tags.bin has another content than was written"),
        (Path.unlink, "labels.bin", "labels.bin is missing"),
        (cut, "store.json", "store.json is not as it was written"),
        (lambda path: path.write_text("[]"), "store.json", "store.json is not as it was written"),
        (lambda path: path.write_text('{"arrays": {}, "checksums": {}}'), "store.json", "store.json is not as it was"),
    ],
)
def test_a_damaged_store_is_made_again_and_that_is_said(damage, name, said, tmp_path, caplog):
    stored(tmp_path)
    damage(tmp_path / "examples-key" / name)
    with caplog.at_level(logging.WARNING):
        assert_same(stored(tmp_path), make(0, EXAMPLES))
    (record,) = caplog.records
    message = record.getMessage()
    assert message.startswith(f"what is stored of tokenised examples in {tmp_path / 'examples-key'} cannot be used")
    assert re.search(said, message)
    assert_same(stored(tmp_path, never), make(0, EXAMPLES))


def test_what_was_made_before_a_process_ended_is_not_made_again(tmp_path):
    made: list[int] = []

    def some(start: int, stop: int) -> Features:
        if len(made) == 2:
            raise KeyboardInterrupt
        made.append(start)
        return make(start, stop)

    with pytest.raises(KeyboardInterrupt):
        stored(tmp_path, some)
    (parts,) = tmp_path.iterdir()
    cut(parts / f"{PART:012d}" / "labels.bin")
    again: list[int] = []
    found = stored(tmp_path, lambda start, stop: again.append(start) or make(start, stop))
    assert made == [0, PART]
    assert again == [PART, 2 * PART, 3 * PART, 4 * PART]  # the first was there; the second is damaged
    assert_same(found, make(0, EXAMPLES))


def test_two_at_once_share_the_work(tmp_path):
    """As two processes would: a lock that this process holds is refused to its other threads as well."""
    made: list[tuple[int, int]] = []
    found: dict[int, Features] = {}

    def work(worker: int) -> None:
        def slowly(start: int, stop: int) -> Features:
            made.append((start, worker))
            time.sleep(0.02)
            return make(start, stop)

        found[worker] = stored(tmp_path, slowly)

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(start for start, _ in made) == list(range(0, EXAMPLES, PART))  # each part once
    assert {worker for _, worker in made} == {0, 1}
    for worker in range(2):
        assert_same(found[worker], make(0, EXAMPLES))
    assert [path.name for path in tmp_path.iterdir()] == ["examples-key"]


def test_a_place_where_nothing_can_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"data.cache=\S+file: expected a folder that can be written. Received: "):
        stored(tmp_path / "file")
