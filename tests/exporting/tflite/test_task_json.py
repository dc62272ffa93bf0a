"""What stands in task.json and in the file's archive, and what the metadata says of a threshold."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from bert_tf.data import InMemory
from bert_tf.exporting.tflite import task_json
from bert_tf.exporting.tflite.edit import parsed, text
from bert_tf.inference.pipeline import Pipeline
from bert_tf.inference.task_file import from_json
from bert_tf.kinds import MultiLabel, SpanQA, Tagging
from bert_tf.runtimes.tflite import LiteFile
from bert_tf.text import BertTokenizer
from tests.conftest import VOCABULARY
from tests.exporting.tflite.test_metadata import Reader

PHONES = Path(__file__).resolve().parents[3] / "export" / "phones" / "README.md"


def metadata_of(path: Path) -> Reader:
    model = parsed(path.read_bytes())
    (entry,) = [entry for entry in model.metadata if text(entry.name) == "TFLITE_METADATA"]
    return Reader.root(bytes(model.buffers[entry.buffer].data))


def changed(run: Path, folder: Path, name: str, **values: Any) -> Path:
    """A copy of a run with other values in a file of its model."""
    import shutil

    shutil.copytree(run, folder)
    path = folder / "model" / name
    path.write_text(json.dumps(json.loads(path.read_text()) | values))
    return folder


@pytest.fixture(scope="module")
def pairs(runs, tmp_path_factory) -> Path:
    """Files of both flavours, of a task of two texts."""
    from bert_tf import export

    out = tmp_path_factory.mktemp("phone") / "out"
    export.main([f"--run={runs('regression')}", "--format=tflite", f"--out={out}", "--no-timing",
                 "--examples=3", "--set", "inputs=tensors,text"])  # fmt: skip
    return out


def test_all_that_a_phone_needs(pairs, runs):
    described = json.loads((pairs / "task.json").read_text())
    pipeline = Pipeline(runs("regression"))
    assert (described["format"], described["format_version"]) == ("bert_tf.phone", 1)
    assert type(from_json(described)) is type(pipeline.kind)
    assert (described["texts"], described["labels"]) == (["body", "other"], ["score"])
    assert (described["settings"]["low"], described["settings"]["high"]) == (0.0, 5.0)
    assert described["reject_below"] == 0.0
    assert described["sequence"] == {
        "max_length": pipeline.sequence_length,
        "stride": None,
        "layout": ["[CLS]", "body", "[SEP]", "other", "[SEP]"],
    }
    tokenizer = described["tokenizer"]
    assert (tokenizer["lowercase"], tokenizer["strip_accents"]) == (True, True)
    words = (pairs / tokenizer["vocabulary_file"]).read_text().splitlines()
    assert len(words) == tokenizer["vocabulary_size"]
    assert all(words[item["id"]] == item["token"] for item in tokenizer["special_tokens"].values())
    for model in described["models"]:
        with zipfile.ZipFile(pairs / model["file"]) as archive:
            inside = json.loads(archive.read("task.json"))
        assert inside == {name: value for name, value in described.items() if name != "models"}


@pytest.mark.parametrize(
    ("kind", "facts", "stride"),
    [
        (Tagging(source=InMemory({}), types=("a",)),
         {"tag_scheme": "iob", "tag_letters": ["O", "B", "I"], "tag_types": [None, "a", "a"],
          "tag_of_a_word": "that of its first piece"}, 16),
        (Tagging(source=InMemory({}), labels=("S-x", "E-x", "I-x", "B-x", "O")),
         {"tag_scheme": "bioes", "tag_letters": ["S", "E", "I", "B", "O"], "tag_types": ["x", "x", "x", "x", None],
          "tag_of_a_word": "that of its first piece"}, 16),
        (SpanQA(source=InMemory({}), no_answer=True, no_answer_threshold=1.5),
         {"no_answer_at": 0, "most_answer_tokens": 30}, 61),
        (MultiLabel(source=InMemory({}), text=("a",), classes=("x",), threshold=0.25, sequence_length=9),
         {"label_holds_from": 0.25}, None),
    ],
)  # fmt: skip
def test_how_answers_are_made_of_outputs(kind, facts, stride):
    run: Any = SimpleNamespace(kind=kind, tokenizer=BertTokenizer(VOCABULARY), model=None, sequence_length=64,
                               config=SimpleNamespace(task="own"))  # fmt: skip
    described = task_json.describe(run, task_json.contract_of(run))
    assert described["facts"] == facts
    assert described["sequence"]["stride"] == stride
    assert from_json(described) == dataclasses.replace(kind, sequence_length=64)


def test_the_signature_is_the_files(pairs):
    described = json.loads((pairs / "task.json").read_text())
    tensors, strings = described["models"]
    assert (tensors["takes"], strings["takes"]) == ("tensors", "text")
    file = LiteFile(pairs / tensors["file"])
    for side, details in (("inputs", file.inputs), ("outputs", file.outputs)):
        assert [note["name"] for note in tensors[side]] == [detail["name"] for detail in details]
        assert [note["shape"] for note in tensors[side]] == [detail["shape"].tolist() for detail in details]
        assert [np.dtype(note["dtype"]) for note in tensors[side]] == [detail["dtype"] for detail in details]
    assert [(note["name"], note["dtype"], note["shape"]) for note in strings["inputs"]] == [
        ("text", "string", [1]),
        ("pair", "string", [1]),
    ]


@pytest.mark.slow
def test_the_readme_runs(pairs):
    """Its blocks of Python, in the folder and each in a process of its own."""
    readme = (pairs / "README.md").read_text()
    for code in [block.partition("```")[0] for block in readme.split("```python\n")[1:]]:
        done = subprocess.run([sys.executable, "-c", code], cwd=pairs, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-3000:]
        assert "value [[" in done.stdout
    assert "does not open it: they have no task of this kind" in readme


def test_a_threshold_reaches_the_metadata(runs, tmp_path, exported):
    plain = json.loads((runs("classification") / "model" / "config.json").read_text())
    run = changed(runs("classification"), tmp_path / "run", "config.json",
                  bert_tf=plain.get("bert_tf", {}) | {"reject_below": 0.75})  # fmt: skip
    _, said = exported(f"--run={run}", "--format=tflite", f"--out={tmp_path / 'out'}", "--examples=3")
    assert json.loads((tmp_path / "out" / "task.json").read_text())["reject_below"] == 0.75
    (graph,) = metadata_of(tmp_path / "out" / "model_float32.tflite").tables(3)
    (unit,) = graph.tables(3)[0].tables(4)
    assert unit.byte(0) == 3  # ScoreThresholdingOptions
    options = unit.table(1)
    start = options._field(0)
    assert np.frombuffer(options.buffer[start : start + 4], np.float32).item() == 0.75
    assert "gives no category below 0.75" in said


@pytest.mark.slow
def test_a_cased_vocabulary_is_no_readers_but_litert(runs, tmp_path, exported):
    run = changed(runs("classification"), tmp_path / "run", "tokenizer_config.json", do_lower_case=False)
    for setting, expected in (("exact", False), ("always", True)):
        out = tmp_path / setting
        _, said = exported(f"--run={run}", "--format=tflite", f"--out={out}", "--examples=3",
                           "--set", f"reader_metadata={setting}")  # fmt: skip
        assert "it lower-cases every text, and this vocabulary is cased" in said
        (graph,) = metadata_of(out / "model_float32.tflite").tables(3)
        assert bool(graph.view.Offset(4 + 2 * 5)) == expected, "the unit that starts their tokenizer"
        assert json.loads((out / "task.json").read_text())["tokenizer"]["lowercase"] is False


@pytest.mark.slow
def test_rows_of_any_length_are_cut_as_the_run_cuts_texts(runs, tmp_path, exported):
    exported(f"--run={runs('classification')}", "--format=tflite", f"--out={tmp_path / 'out'}", "--examples=3",
             "--set", "length=dynamic")  # fmt: skip
    pipeline = Pipeline(runs("classification"))
    file = LiteFile(tmp_path / "out" / "model_float32.tflite")
    words = ["good", "film", "bad", "start", "end", "joy", "who"]
    for tokens in (3, pipeline.sequence_length - 1, pipeline.sequence_length, pipeline.sequence_length + 1, 200):
        texts = [" ".join(words[i % 7] for i in range(tokens - 2))]
        row = pipeline.tokenizer(texts, max_length=tokens)  # not cut, as MediaPipe makes it
        columns = {"ids": row["token_ids"], "mask": row["padding_mask"], "segment_ids": row["segment_ids"]}
        found = file({name: np.asarray(column, np.int32) for name, column in columns.items()})
        expected = pipeline(texts)[0]["probabilities"]
        np.testing.assert_allclose(found["probability"][0], list(expected.values()), atol=1e-5)


def test_the_page_names_every_key(pairs):
    """export/phones/README.md documents the format."""
    page = PHONES.read_text(encoding="utf-8")
    described = json.loads((pairs / "task.json").read_text())
    keys = {*described, *described["tokenizer"], *described["sequence"], *described["models"][0]}
    assert [key for key in sorted(keys) if f"`{key}`" not in page] == []
