"""What depends on the machine: precision, threads, and how memory is counted."""

from __future__ import annotations

import os
import types

import pytest
import tensorflow as tf

from bert_tf.machine import precision, threads
from bert_tf.training.reports import results


@pytest.mark.parametrize(
    ("flags", "wanted"),
    [
        ("fpu avx2 fma", "float32"),
        ("fpu avx512f avx512_bf16", "mixed_bfloat16"),
        ("amx_bf16 amx_tile", "mixed_bfloat16"),
    ],
)
def test_auto_precision_follows_the_cpu(flags, wanted, tmp_path, monkeypatch):
    info = tmp_path / "cpuinfo"
    info.write_text(f"processor\t: 0\nflags\t\t: {flags}\nbugs\t\t:\n")
    monkeypatch.setattr(precision, "cpu_flags", lambda: set(flags.split()))
    assert precision.choose_precision("auto") == wanted
    monkeypatch.undo()
    assert precision.cpu_flags(info) == set(flags.split())


def test_a_precision_that_is_asked_for_is_taken():
    assert precision.choose_precision("mixed_float16") == "mixed_float16"


def test_no_flags_where_linux_does_not_tell(tmp_path):
    assert precision.cpu_flags(tmp_path / "absent") == set()


@pytest.mark.parametrize(
    ("width", "parts", "wanted"), [(384, 1, 4), (512, 1, 4), (768, 1, None), (384, 2, 4), (768, 2, 4)]
)
def test_small_models_and_parts_side_by_side_get_half_the_cores_for_an_operation(width, parts, wanted, monkeypatch):
    asked = []
    monkeypatch.setattr(threads, "cores", lambda: 8)
    monkeypatch.setattr(tf.config.threading, "set_intra_op_parallelism_threads", asked.append)
    assert threads.set_threads(None, width, parts=parts) == wanted
    assert asked == ([] if wanted is None else [wanted])


def test_threads_that_come_too_late_are_left(monkeypatch):
    def refuse(_: int) -> None:
        raise RuntimeError("started")

    monkeypatch.setattr(tf.config.threading, "set_intra_op_parallelism_threads", refuse)
    assert threads.set_threads(3, 768) is None


@pytest.mark.parametrize(
    ("width", "cores", "kind", "wanted"),
    [(768, 1, "", 1), (384, 2, "", 2), (768, 64, "", 2), (256, 2, "", 1), (768, 64, "GPU", 1), (768, 64, "TPU", 1)],
)
def test_two_parts_of_a_batch_at_once_where_there_are_cores_and_work_for_them(width, cores, kind, wanted, monkeypatch):
    monkeypatch.setattr(threads, "cores", lambda: cores)
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda asked: ["one"] if asked == kind else [])
    assert threads.parts_at_once(width) == wanted


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="the system has no such call")
def test_cores_are_those_that_the_process_may_use():
    mine = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(mine)})
    try:
        assert threads.cores() == 1
    finally:
        os.sched_setaffinity(0, mine)
    assert threads.cores() == len(mine)


@pytest.mark.parametrize(("system", "unit"), [("linux", 1024), ("darwin", 1)])
def test_the_peak_of_memory_is_in_bytes_whatever_the_system_counts_in(system, unit, monkeypatch):
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [])
    monkeypatch.setattr(results.sys, "platform", system)
    usage = types.SimpleNamespace(ru_maxrss=3000)
    monkeypatch.setattr(results.resource, "getrusage", lambda who: usage)
    assert results.peak_memory_bytes() == 3000 * unit
