"""Readers of what a training or an answering that was cut off leaves to resume from."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

from benchmarks.fuzz.mutations import changed_json, changed_lines
from benchmarks.fuzz.of_runs import run_folder
from benchmarks.fuzz.reader import Reader
from bert_tf.errors import UserError


def checkpoint(folder: Path) -> None:
    from bert_tf.training.checkpoints.folder import CheckpointFolder

    schedule = {"peak": 1e-4, "total_steps": 12, "warmup_steps": 1, "shape": "linear"}
    history = {"examples": {"train": {"examples": 3, "digest": "a1", "texts": "b2"}}, "planned_steps": 12.0,
               "schedules": [[0, schedule]]}  # fmt: skip
    noted = {"config.json": {"bytes": 2, "sha256": "c3"}}
    memory = {
        "history": history, "window": {"loss": [0.5, float("nan")]}, "head": {"solved": True}, "warnings": ["one"],
        "kept": {"step": 3, "metrics": {"accuracy": 0.5}, "validation_loss": None, "files": noted},
        "rollbacks": [{"at": 3, "to": 2}], "first_losses": [0.7], "high_losses": 0,
    }  # fmt: skip
    state = {"best_score": 0.5, "best_step": 3, "evaluated_step": 3, "evaluations_since_best": 0}
    with CheckpointFolder(folder).written(4, state, memory) as prefix:
        Path(f"{prefix}.index").write_text("x")
    (folder / "began.json").write_text(json.dumps(history))


def checkpoint_of(folder: Path) -> None:
    """Reads it, with the checksum of what stands there now, as a stranger would write."""
    from bert_tf.training.checkpoints import folder as checkpoints
    from bert_tf.training.checkpoints.state import State
    from bert_tf.training.reports.history import History

    path = folder / "ckpt-4" / checkpoints.ABOUT
    with contextlib.suppress(ValueError, RecursionError):
        about = json.loads(path.read_bytes())
        if isinstance(about, dict) and "sha256" in about:
            del about["sha256"]
            path.write_text(json.dumps({**about, "sha256": checkpoints._digest(about)}))
    found = checkpoints.CheckpointFolder(folder)
    try:
        whole = found.whole(4)
    except checkpoints.DamageError as error:
        raise UserError(str(error)) from None
    assert whole.memory is not None
    if whole.memory.history:
        History.from_json(whole.memory.history).as_json()
    State().assign(whole.state)
    assert found.memory() is not None


def began(folder: Path) -> None:
    from bert_tf.training.reports.history import History

    found = History.read(folder)
    assert found is not None
    found.as_json()


def events_of(folder: Path) -> None:
    from bert_tf.training.reports import log

    found = [event for _, event in log._events(folder / "metrics.jsonl")]
    for event in found:
        assert event["step"] >= 0
        sum(value for value in log._scores(event).values() if value is not None)
    if len(found) < 3:
        raise UserError("lines that are no events are left out")


def parts(folder: Path) -> None:
    (folder / "plan.json").write_text('{"settings": "a", "model": "b", "inputs": "c", "portions": 1}')
    (folder / "counts").mkdir()
    (folder / "counts" / "00000.json").write_text('{"texts": 2, "errors": 1, "cut": 0, "first_error": "a:2: none"}')
    (folder / "portions").mkdir()
    lines = [["a:1", ["good"], {"id": 1}, None], ["a:2", [], {}, "a:2: none"]]
    (folder / "portions" / "00000.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))


def parts_of(folder: Path) -> None:
    from bert_tf.inference import sharded

    sharded._portions(folder, (), 5, {"settings": "a", "model": "b", "inputs": "c"})
    sharded.typed(sharded.Counts, sharded.read_object(folder / "counts" / "00000.json"), folder)
    found = list(sharded._inputs(folder / "portions" / "00000.jsonl"))
    assert all(isinstance(each.texts, tuple) for each in found)


def readers_of_parts() -> dict[str, Reader]:
    return {
        "about.json of a checkpoint": Reader(checkpoint, checkpoint_of, {"ckpt-4/about.json": changed_json}),
        "began.json": Reader(checkpoint, began, {"began.json": changed_json}),
        "metrics.jsonl of a resumed run": Reader(run_folder, events_of, {"metrics.jsonl": changed_lines}),
        "parts of predict --shards": Reader(
            parts,
            parts_of,
            {"plan.json": changed_json, "counts/00000.json": changed_json, "portions/00000.jsonl": changed_lines},
        ),
    }
