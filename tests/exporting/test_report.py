"""What a report says of the machine, on Linux and where there is less to ask."""

from __future__ import annotations

import os
import platform
from functools import partial
from types import SimpleNamespace

import pytest

from bert_tf.exporting import report


def test_the_processor_and_the_cores_that_may_be_used(monkeypatch, tmp_path):
    (tmp_path / "cpuinfo").write_text("processor\t: 0\nmodel name\t: Some CPU @ 2 GHz\nmodel name\t: another\n")
    monkeypatch.setattr(report, "CPU_INFO", tmp_path / "cpuinfo")
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {3, 5, 8}, raising=False)
    assert report.machine() == {"processor": "Some CPU @ 2 GHz", "cores": 3}


def test_macos_has_neither(monkeypatch, tmp_path):
    monkeypatch.setattr(report, "CPU_INFO", tmp_path / "none")
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 10)
    monkeypatch.setattr(platform, "machine", lambda: "arm64")
    assert report.machine() == {"processor": "arm64", "cores": 10}
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert report.machine()["cores"] == 1


@pytest.mark.parametrize(("longest", "lengths"), [(512, [16, 128]), (128, [16, 128]), (64, [16, 64]), (12, [12])])
def test_no_time_is_of_more_tokens_than_the_task_reads(longest, lengths):
    """Longer texts would be cut, and their times said of tokens that nobody read."""
    described = {"sequence_length": longest, "metric": "accuracy", "models": [], "machine": report.machine()}
    described |= {"format": "onnx", "task": "sst2", "kind": "Classification", "examples": 1, "split": "validation"}
    latencies = [{"batch": batch, "tokens": tokens, "ms": 1.5} for batch in (1, 32) for tokens in lengths]
    described |= {"data": "sample", "tolerance_points": 0.5}
    described["beside"] = [{"name": "phone: int8", "takes": "tensors", "bytes": 2_000_000, "latency_ms": latencies[:1]}]
    described["run"] = {"metrics": {"accuracy": 0.9}, "latency_ms": latencies}
    table = report.as_table(described)
    names = [cell.strip() for cell in table.split("\n")[4].split("|") if "tokens" in cell]
    assert names == [f"ms, {batch} x {tokens} tokens" for batch in (1, 32) for tokens in lengths]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.split("\n")[6:8]]
    assert rows[0][-len(names) :] == ["1.5"] * len(names)
    assert (rows[1][:3], rows[1][-len(names) :]) == (
        ["phone: int8", "tensors", "2.0"],
        ["1.5", *[""] * (len(names) - 1)],
    )


def test_what_is_timed_is_what_the_table_says(monkeypatch):
    """The run, and a model, are asked for these very batches."""
    asked: list[tuple[str, int, int]] = []

    def call(name, batch, tokens):
        asked.append((name, batch, tokens))
        return lambda: None

    run = SimpleNamespace(
        sequence_length=64,
        probe=lambda batch, tokens: (batch, tokens),
        pipeline=SimpleNamespace(call=partial(call, "run")),
    )
    monkeypatch.setattr(report, "SECONDS", 0.0)
    found = list(report._latencies(run, [SimpleNamespace(call=partial(call, "model"))]))  # pyright: ignore[reportArgumentType]
    shapes = [(1, 16), (1, 64), (32, 16), (32, 64)]
    assert asked == [(name, *shape) for shape in shapes for name in ("run", "model")]
    assert [[(time["batch"], time["tokens"]) for time in times] for times in found] == [shapes, shapes]
