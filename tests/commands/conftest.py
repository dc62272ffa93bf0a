"""What tests of commands share."""

from __future__ import annotations

import json
import sys
import types

import pytest


@pytest.fixture
def loop(monkeypatch):
    """Stands in for the training loop: notes what it is called with, and leaves a finished run."""
    calls = []

    def stand_in(config, kind, run_folder, *, data, is_sample, progress):
        calls.append({"config": config, "data": data, "is_sample": is_sample, "progress": progress})
        result = {"task": "sst2", "metrics": {"accuracy": 0.5}}
        (run_folder / "model").mkdir(exist_ok=True)
        (run_folder / "result.json").write_text(json.dumps(result))
        return result

    monkeypatch.setitem(sys.modules, "bert_tf.training.loop", types.SimpleNamespace(train=stand_in))
    return calls
