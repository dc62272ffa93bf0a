"""What tests of commands share."""

from __future__ import annotations

import json
import sys
import types
from typing import Any

import pytest


@pytest.fixture
def loop(monkeypatch):
    """Stands in for the training loop: notes what it is called with, and leaves a finished run."""
    calls = []

    def stand_in(config, kind, run_folder, *, data, examples, is_sample, files, progress, finish):
        calls.append({"config": config, "data": data, "is_sample": is_sample, "progress": progress})
        run_folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (run_folder / name).write_text(text, encoding="utf-8")
        result = {"task": "sst2", "metrics": {"accuracy": 0.5}, "steps": 1}
        (run_folder / "model").mkdir(exist_ok=True)
        (run_folder / "result.json").write_text(json.dumps(result))
        return result

    monkeypatch.setitem(sys.modules, "bert_tf.training.loop", types.SimpleNamespace(train=stand_in))
    return calls


_PIPELINES: list[tuple[dict[str, Any], Any]] = []


@pytest.fixture
def shared_pipeline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands that answer with the same model, task and settings share its graph, where what they read and write is
    the point; tests of training, of processes and of Pipeline itself trace their own."""
    from bert_tf.inference import pipeline

    made = pipeline.Pipeline

    def shared(where: Any, **settings: Any) -> Any:
        asked = {"where": str(where), **settings}
        for known, found in _PIPELINES:
            if known == asked:
                return found
        _PIPELINES.append((asked, made(where, **settings)))
        return _PIPELINES[-1][1]

    monkeypatch.setattr(pipeline, "Pipeline", shared)
