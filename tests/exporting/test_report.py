"""What a report says of the machine, on Linux and where there is less to ask."""

from __future__ import annotations

import os
import platform

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
