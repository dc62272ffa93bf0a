"""A folder may name Python files, and a SavedModel may have any graph: neither is run because it lies there."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import pytest

from bert_tf import evaluate, export, predict, report, train
from bert_tf.config import RunConfig, read_config, to_toml
from bert_tf.data import Csv, HuggingFaceDataset
from bert_tf.data.files import hubs
from bert_tf.data.splits.source import Splits
from bert_tf.errors import UserError
from bert_tf.exporting.definitions import export_in
from bert_tf.inference import task_file
from bert_tf.inference.exported.files import exported_in
from bert_tf.inference.pipeline import Pipeline
from bert_tf.inference.runs import task_file as task_of_run
from bert_tf.inference.saved_models import read_task
from bert_tf.inference.trained import Run
from bert_tf.kinds.definitions import load_task

GOOD = """
from bert_tf.data import Csv
from bert_tf.kinds import Classification

TASK = Classification(source=Csv(files={"validation": "dev.csv"}), text=("sentence",), label="label",
                      classes=("negative", "positive"), sequence_length=16)
"""


@pytest.fixture
def planted(tiny_run, tmp_path):
    """A run folder that names a Python file, which leaves a mark if it is run; and the mark's place."""
    mark, code, run = tmp_path / "mark", tmp_path / "evil.py", tmp_path / "run"
    code.write_text(f"from pathlib import Path\nPath({str(mark)!r}).write_text('run')\n{GOOD}")
    shutil.copytree(tiny_run / "model", run / "model")
    config = RunConfig.model_validate({"task": str(code), "data": {"source": str(tmp_path)}})
    (run / "config.toml").write_text(to_toml(config))
    (run / "result.json").write_text('{"steps": 1, "metrics": {}}')
    return run, code, mark


@pytest.mark.parametrize(
    "use",
    [
        lambda run: predict.main([f"--run={run}", "--text=good"]),
        lambda run: evaluate.main([f"--run={run}"]),
        lambda run: export.main([f"--run={run}", "--format=saved_model", f"--out={run / 'out'}"]),
        lambda run: report.main([f"--run={run}"]),
        lambda run: train.main([f"--config={run / 'config.toml'}"]),
        lambda run: train.train(config=read_config(run / "config.toml"), run=run),
        Pipeline,
        Run,
    ],
)
def test_a_file_that_a_run_folder_names_is_not_run(planted, use):
    run, code, mark = planted
    with pytest.raises(UserError, match=rf"a Python file that a folder names is not run: add .*task.*={code}"):
        use(run)
    assert not mark.exists()


def test_nor_one_that_lies_in_the_folder_of_plain_weights(planted, tiny_model):
    run, code, mark = planted
    for file in tiny_model.iterdir():
        shutil.copy(file, run / file.name)
    shutil.move(code, run / "evil.py")
    (run / "config.toml").write_text(f"task = '{run / 'evil.py'}'\n")
    with pytest.raises(UserError, match=r"add --task=.*evil\.py"):
        Pipeline(run)
    assert not mark.exists()


@pytest.fixture
def asked(monkeypatch) -> list[str]:
    """The sets that hubs are asked for."""
    found: list[str] = []

    def read(where, split, names):
        found.append(where)
        return ("sentence", "label"), enumerate([{"sentence": "good film", "label": "positive"}])

    monkeypatch.setattr(hubs, "read", read)
    return found


@pytest.fixture(params=["config.toml", "task.json", "validation"])
def at_a_hub(request, tiny_run, tmp_path) -> tuple[Path, str]:
    """A run folder that names a set of a hub in one of its files."""
    run, hub = tmp_path / "run", "hf:else/where"
    shutil.copytree(tiny_run, run)
    kind, source = load_task("sst2"), None
    if request.param == "config.toml":
        source = hub
    elif request.param == "task.json":
        kind = dataclasses.replace(kind, source=HuggingFaceDataset("else/where"))
    else:
        kind = dataclasses.replace(kind, source=Splits(rows=Csv(files={}), validation=hub))
    config = RunConfig.model_validate({"task": "sst2", "data": {"source": source}})
    (run / "config.toml").write_text(to_toml(config))
    (run / "result.json").write_text('{"steps": 1, "metrics": {}}')
    for name, text in task_of_run(kind).items():
        (run / name).write_text(text)
    return run, hub


@pytest.mark.parametrize(
    "use",
    [
        lambda run: evaluate.main([f"--run={run}"]),
        lambda run: export.main([f"--run={run}", "--format=saved_model", f"--out={run / 'out'}"]),
        lambda run: report.main([f"--run={run}"]),
        lambda run: Run(run).evaluate(),
    ],
)
def test_a_hub_that_a_run_folder_names_is_not_asked(at_a_hub, asked, use):
    run, hub = at_a_hub
    with pytest.raises(UserError, match=rf"none is asked because a folder names it: add .*data.*={hub}$"):
        use(run)
    assert asked == []


def test_it_is_asked_if_its_user_says_so(at_a_hub, asked, capsys):
    run, hub = at_a_hub
    evaluate.main([f"--run={run}", f"--data={hub}"])
    assert json.loads(capsys.readouterr().out)["examples"] == 1
    assert asked == [hub]


def test_it_is_run_if_its_user_names_it(planted, capsys):
    run, code, mark = planted
    (run.parent / "dev.csv").write_text("sentence,label\ngood film,positive\nbad film,negative\n")
    evaluate.main([f"--run={run}", f"--task={code}"])
    assert json.loads(capsys.readouterr().out)["examples"] == 2
    assert mark.exists()


@pytest.mark.parametrize("name", ["evil.py", "a/evil", "{code}", "no_such_task", "['sst2']"])
def test_a_task_json_of_a_saved_model_names_tasks_of_the_library_alone(planted, tmp_path, name):
    _, code, mark = planted
    assets = tmp_path / "model" / "assets"
    assets.mkdir(parents=True)
    described = {"task": name.format(code=code), "kind": "Evil", "settings": {"sequence_length": 8}, "counts": {}}
    (assets / "task.json").write_text(json.dumps(described))
    with pytest.raises(UserError, match=r"'Evil' is not one of bert_tf's, and (a Python file|its task)"):
        read_task(tmp_path / "model")
    with pytest.raises(UserError, match="'Evil' is not one of bert_tf's"):
        task_file.from_json(described)
    assert not mark.exists()
    assert type(task_file.from_json({**described, "task": "sst2"})).__name__ == "Classification"


def test_an_export_report_names_formats_of_the_library_alone(planted, tmp_path):
    _, code, mark = planted
    (tmp_path / "export_report.json").write_text(json.dumps({"format": str(code)}))
    with pytest.raises(UserError, match=r"expected a format of .*saved_model, tflite\. Received: '.*evil\.py'"):
        export_in(tmp_path)
    assert not mark.exists()


@pytest.fixture(scope="module")
def graphs(tmp_path_factory):
    """SavedModels that reach out of their graph, while they are loaded or when they are asked."""
    import tensorflow as tf

    folder = tmp_path_factory.mktemp("graphs")
    mark = folder / "mark"

    class Writes(tf.Module):
        def __init__(self) -> None:
            self.table = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(["a"], [1]), 0)
            self.resource = _resource(tf, lambda: tf.io.write_file(str(mark), "run"))

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
        def look(self, x):
            return self.table.lookup(x)

    class Reads(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([], tf.string)])
        def read(self, x):
            return tf.io.read_file(x)

    class Saves(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([], tf.string)])
        def save(self, x):
            tf.raw_ops.SaveV2(prefix=x, tensor_names=["a"], shape_and_slices=[""], tensors=[tf.constant(1.0)])
            return x

    class Prints(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([], tf.string)])
        def say(self, x):
            return tf.cond(tf.equal(x, ""), lambda: x, lambda: _printed(tf, x, mark))

    for module in (Writes(), Reads(), Saves(), Prints()):
        tf.saved_model.save(module, str(folder / type(module).__name__))
    return folder, mark


def _resource(tf, initialize):
    from tensorflow.python.trackable.resource import CapturableResource

    class Resource(CapturableResource):
        def _create_resource(self):
            return tf.raw_ops.VarHandleOp(dtype=tf.float32, shape=[])

        def _initialize(self):
            initialize()

    return Resource()


def _printed(tf, x, mark):
    with tf.control_dependencies([tf.print(x, output_stream=f"file://{mark}")]):
        return tf.identity(x)


@pytest.mark.parametrize(
    ("name", "operator"), [("Writes", "WriteFile"), ("Reads", "ReadFile"), ("Saves", "SaveV2"), ("Prints", "PrintV2")]
)
def test_a_saved_model_that_reaches_out_is_not_loaded(graphs, name, operator):
    folder, mark = graphs
    mark.unlink(missing_ok=True)
    with pytest.raises(UserError, match=rf"{name}: a SavedModel is loaded if .* nothing was run\. .*{operator}.*which"):
        Pipeline(folder / name)
    assert not mark.exists()


def test_the_writing_one_would_have_written(graphs):
    """So that the test above can fail."""
    import tensorflow as tf

    folder, mark = graphs
    tf.saved_model.load(str(folder / "Writes"))
    assert mark.read_text() == "run"


@pytest.mark.parametrize("content", [b"", b"\x00\xff nonsense", b"\x08\x01"])
def test_what_is_no_graph_is_not_loaded(tmp_path, content):
    (tmp_path / "saved_model.pb").write_bytes(content)
    with pytest.raises(UserError, match=r"expected (the graph of a SavedModel|a SavedModel of TensorFlow 2)"):
        Pipeline(tmp_path)


def test_a_model_file_is_looked_for_in_its_own_folder(tmp_path):
    (tmp_path / "model.tflite").write_bytes(b"")
    described = {"models": [{"file": "../model.tflite", "takes": "tensors"}], "sequence": {"max_length": 8}}
    described |= {"reject_below": None, "labels": None}
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "task.json").write_text(json.dumps(described))
    with pytest.raises(UserError, match=r"task\.json of models beside it\. .*'\.\./model\.tflite'"):
        exported_in(Path(inner))
