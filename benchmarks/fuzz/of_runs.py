"""Readers of what runs, exports and indices leave: settings, tasks, metrics, results, shards, vectors; and inputs."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from benchmarks.fuzz.mutations import changed_json, changed_lines, changed_toml
from benchmarks.fuzz.reader import Reader


def run_folder(folder: Path) -> None:
    from bert_tf.config import RunConfig, to_toml
    from bert_tf.inference.runs import task_file
    from bert_tf.kinds.definitions import load_task

    (folder / "model").mkdir()
    (folder / "config.toml").write_text(to_toml(RunConfig.model_validate({"task": "sst2"})))
    for name, content in task_file(load_task("sst2")).items():
        (folder / name).write_text(content)
    result = {"task": "sst2", "data": "sample", "metrics": {"accuracy": 0.5}, "steps": 3, "seconds": 1.5, "seed": 1}
    (folder / "result.json").write_text(json.dumps(result))
    events = [{"event": "train", "step": 1, "loss": 0.5, "learning_rate": 1e-4},
              {"event": "evaluation", "step": 2, "accuracy": 0.5, "loss": 0.7, "train_metrics": {"accuracy": 1.0}},
              {"event": "train", "step": 3, "loss": None}]  # fmt: skip
    (folder / "metrics.jsonl").write_text("".join(f"{json.dumps(event)}\n" for event in events))


def opened(folder: Path) -> None:
    from bert_tf.inference.runs import open_run

    kind = open_run(folder, needs_data=True).kind
    repr(kind)
    assert kind.text_columns, "none"


def result_of(folder: Path) -> None:
    from bert_tf.inference.trained import Run

    run = Run(folder)
    repr(run)
    run._repr_html_()


def history_of(folder: Path) -> None:
    from bert_tf.inference.history import read_history

    read_history(folder)


def settings(folder: Path) -> None:
    (folder / "set.txt").write_text("training.epochs=2.5\ndata.source='a'\nmodel.ignore=['a', 'b']\nseed=1")


def set_flags(folder: Path) -> None:
    from bert_tf.config import Layer, override_layer, resolve

    lines = (folder / "set.txt").read_text(encoding="utf-8", errors="replace").split("\n")
    resolve([Layer(origin="task", values={"task": "sst2"}), override_layer(lines)])


def export_folder(folder: Path) -> None:
    from bert_tf.inference.task_file import to_json
    from bert_tf.kinds.definitions import load_task

    described = to_json(load_task("sst2"), task="sst2", sequence_length=16)
    tokens = {"max_length": 16, "layout": ["[CLS]", "sentence", "[SEP]"]}
    model = {"file": "a.tflite", "takes": "tensors", "quantization": "float32"}
    described |= {"models": [model], "sequence": tokens, "labels": ["no", "yes"],
                  "reject_below": None, "counts": {}}  # fmt: skip
    (folder / "a.tflite").write_bytes(b"")
    (folder / "task.json").write_text(json.dumps(described))
    (folder / "assets").mkdir()
    (folder / "assets" / "task.json").write_text(json.dumps(described))
    (folder / "export_report.json").write_text('{"format": "tflite", "task": "sst2", "models": []}')


def exported(folder: Path) -> None:
    from bert_tf.inference.exported.files import exported_in
    from bert_tf.inference.task_file import from_json

    found = exported_in(folder)
    if found is not None:
        repr(found._kind(from_json(found.described)))


def saved_model(folder: Path) -> None:
    from bert_tf.inference.saved_models import read_task

    kind, described = read_task(folder)
    repr(kind)
    assert described["settings"]["sequence_length"] >= 1
    assert isinstance(described["counts"], dict)


def report_of(folder: Path) -> None:
    from bert_tf.exporting.definitions import export_in

    export_in(folder)


def index(folder: Path, *, documents: int = 6, **how: Any) -> None:
    from bert_tf.inference.vector_index import VectorIndex

    rng = np.random.default_rng(1)
    ids = [f"d{i}" for i in range(documents)]
    about = {"model": "m", "model_facts": {"pooling": "mean"}, "corpus": "a.csv"}
    details = [{"title": "t", "start": i} for i in range(documents)]
    VectorIndex(ids, ids, rng.normal(size=(documents, 4)), about=about, details=details, **how).save(folder)


def search(folder: Path) -> None:
    from bert_tf.inference.vector_index import VectorIndex

    found = VectorIndex.load(folder)
    found.search(np.ones((1, 4), np.float32), 3)


def prepared(folder: Path) -> None:
    import tensorflow as tf

    from bert_tf.data.corpora import shards
    from bert_tf.data.corpora.pairs import PairSettings

    path = folder / shards.shard_name("train", 0, 0)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for length in (4, 6):
            values = {"token_ids": [2, *[5] * (length - 2), 3], "second_start": [length], "label": [-100]}
            features = {name: tf.train.Feature(int64_list=tf.train.Int64List(value=v)) for name, v in values.items()}
            writer.write(tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString())
    entry = {"file": path.name, "epoch": 0, "block": 0, "examples": 2, "tokens": 10, "source_tokens": 6,
             "bytes": path.stat().st_size, "sha256": shards._sha256(path)}  # fmt: skip
    described = {"settings": asdict(PairSettings("none", 8)), "vocabulary": "0", "seed": 1}
    manifest = {"format": shards.FORMAT, **described, "splits": {"train": [entry]}}
    (folder / shards.MANIFEST).write_text(json.dumps(manifest))


def portions(*, unchecked: bool) -> Callable[[Path], None]:
    """Reads a prepared corpus; `unchecked`, with the checksum of what stands there now, as a stranger would write."""

    def read(folder: Path) -> None:
        from unittest import mock

        from bert_tf.data.corpora import shards
        from bert_tf.data.corpora.pairs import PairSettings

        if unchecked:
            manifest = json.loads((folder / shards.MANIFEST).read_text())
            (entry,) = manifest["splits"]["train"]
            path = folder / entry["file"]
            entry |= {"bytes": path.stat().st_size, "sha256": shards._sha256(path)}
            (folder / shards.MANIFEST).write_text(json.dumps(manifest))
        words: Any = SimpleNamespace(vocabulary_size=12)
        with mock.patch.object(shards, "vocabulary_hash", return_value="0"):
            found = shards.ShardPortions(folder, "train", PairSettings("none", 8), words)
        for epoch in range(2):
            found.source_tokens(epoch)
            found.segments(epoch, 0)
        found.text()

    return read


def inputs(folder: Path) -> None:
    (folder / "in.jsonl").write_text('{"sentence": "good", "id": 1}\n{"sentence": "bad film", "id": 2}\n')
    (folder / "in.json").write_text('[{"sentence": "good", "id": 1}, {"sentence": "bad film", "id": 2}]')
    (folder / "in.csv").write_text('sentence,id\ngood,1\n"a, b",2\n')
    (folder / "in.txt").write_text("good\nbad film\n")


def inputs_read(folder: Path) -> None:
    from bert_tf.data.inputs import Reading, read_inputs

    for name in ("in.jsonl", "in.json", "in.csv", "in.txt"):
        list(read_inputs(None, str(folder / name), Reading(columns=("sentence",))))


def readers_of_runs() -> dict[str, Reader]:
    return {
        "config.toml": Reader(run_folder, opened, {"config.toml": changed_toml}),
        "task.json of a run": Reader(run_folder, opened, {"task.json": changed_json}),
        "result.json": Reader(run_folder, result_of, {"result.json": changed_json}),
        "metrics.jsonl": Reader(run_folder, history_of, {"metrics.jsonl": changed_lines}),
        "--set": Reader(settings, set_flags, {"set.txt": changed_toml}),
        "task.json of an export": Reader(export_folder, exported, {"task.json": changed_json}),
        "task.json of a SavedModel": Reader(export_folder, saved_model, {"assets/task.json": changed_json}),
        "export_report.json": Reader(export_folder, report_of, {"export_report.json": changed_json}),
        "an index of vectors": Reader(index, search, {"index.json": changed_json, "documents.jsonl": changed_lines}),
        "faiss": Reader(index, search, {"vectors.faiss": None}, share=0.25),
        "a faiss graph": Reader(
            partial(index, documents=40, approximate=True), search, {"vectors.faiss": None}, share=0.25
        ),
        "a faiss graph in 8 bits": Reader(
            partial(index, documents=40, approximate=True, precision="int8"),
            search,
            {"vectors.faiss": None},
            share=0.25,
        ),
        "faiss in 8 bits": Reader(partial(index, precision="int8"), search, {"vectors.faiss": None}, share=0.25),
        "manifest.json": Reader(prepared, portions(unchecked=False), {"manifest.json": changed_json}, share=0.25),
        "TFRecord": Reader(prepared, portions(unchecked=True), {"train-000-00000.tfrecord": None}, share=0.25),
        "inputs of predict": Reader(
            inputs, inputs_read, {"in.jsonl": changed_lines, "in.json": changed_json, "in.csv": None, "in.txt": None}
        ),
    }
