"""What else is in a SavedModel's folder, and what TensorFlow's own tools make of it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from bert_tf import export
from bert_tf.exporting.readmes import SAMPLES
from bert_tf.exporting.saved_model import batching
from bert_tf.inference.pipeline import Pipeline
from tests.exporting.runs import KINDS

CLI = "from tensorflow.python.tools.saved_model_cli import main; main()"


def run(*command: str | Path, folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def blocks(readme: Path) -> list[str]:
    """The blocks of Python in a README."""
    return [block.partition("```")[0] for block in readme.read_text().split("```python\n")[1:]]


def test_the_fingerprint_is_of_the_graph_that_is_there(served):
    from tensorflow.core.protobuf import fingerprint_pb2
    from tensorflow.python.saved_model.pywrap_saved_model import fingerprinting

    again = fingerprint_pb2.FingerprintDef.FromString(fingerprinting.CreateFingerprintDef(str(served)))
    found = tf.saved_model.experimental.read_fingerprint(str(served))
    for name in ("saved_model_checksum", "graph_def_program_hash", "signature_def_hash", "saved_object_graph_hash"):
        assert getattr(found, name) == getattr(again, name), name


def test_no_file_names_the_folder_that_it_was_written_in(served):
    report = json.loads((served / "export_report.json").read_text())
    (model,) = report["models"]
    assert model["files"] == ["README.md", "assets", "assets.extra", "batching_params.pbtxt", "fingerprint.pb",
                              "saved_model.pb", "variables"]  # fmt: skip
    assert model["bytes"] > sum((served / name).stat().st_size for name in ("saved_model.pb", "fingerprint.pb"))
    for path in served.rglob("*"):
        assert not path.is_file() or b".writing-" not in path.read_bytes(), path


@pytest.mark.slow
def test_the_readme_runs_without_bert_tf(served):
    """The first block needs TensorFlow and tensorflow_text alone; the second what the first says it needs."""
    plain, pipeline = blocks(served / "README.md")
    hidden = "import sys; sys.modules['bert_tf'] = None\n"
    assert "\nlabel [b'" in f"\n{run(sys.executable, '-c', hidden + plain, folder=served)}"
    assert "import bert_tf" in pipeline


@pytest.mark.slow
def test_without_the_tokenizers_operators_it_does_not_load(served):
    """Or the README says too much."""
    code = blocks(served / "README.md")[0].replace("import tensorflow_text", "#")
    done = subprocess.run([sys.executable, "-c", code], cwd=served, capture_output=True, text=True, check=False)
    assert "Op type not registered" in done.stderr


def test_the_readme_names_what_is_there(served):
    text = (served / "README.md").read_text()
    loaded = tf.saved_model.load(str(served))
    for name, graph in loaded.signatures.items():
        assert f"| `{name}` |" in text
        for side in (*graph.structured_input_signature[1], *graph.structured_outputs):
            assert f"`{side}` " in text
    assert "`logits` float32 [B, 2]" in text
    assert "`token_ids` int32 [B, any]" in text


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_saved_model_cli_and_the_readme_of_every_kind(runs, tmp_path, kind):
    out = tmp_path / "model"
    export.main([f"--run={runs(kind)}", "--format=saved_model", f"--out={out}", "--no-timing", "--examples=3",
                 "--set", "batch_sizes=1"])  # fmt: skip
    folder = out / "1"
    shown = run(sys.executable, "-c", CLI, "show", "--all", "--dir", ".", folder=folder)
    pipeline = Pipeline(runs(kind))
    assert all(f"signature_def['{name}']" in shown for name in ("serving_default", "details", "tensors"))
    texts = dict(zip(pipeline.kind.text_columns, SAMPLES, strict=False))
    expressions = (folder / "README.md").read_text().split("--input_exprs '")[1].partition("'\n")[0]
    answers = run(
        sys.executable, "-c", f"import tensorflow_text; {CLI}", "run", "--dir", ".", "--tag_set", "serve",
        "--signature_def", "serving_default", "--input_exprs", expressions, "--outdir", str(tmp_path / "answers"),
        folder=folder,
    )  # fmt: skip
    found = {path.stem: np.load(path, allow_pickle=True) for path in (tmp_path / "answers").glob("*.npy")}
    assert found, answers
    expected = tf.saved_model.load(str(folder)).signatures["serving_default"](
        **{name: tf.constant([text]) for name, text in texts.items()}
    )
    assert set(found) == set(expected)
    for name, value in expected.items():
        if value.dtype == tf.string:
            assert found[name].tolist() == value.numpy().tolist()
        else:
            np.testing.assert_allclose(found[name], value, atol=1e-5)
    for code in blocks(folder / "README.md"):
        assert run(sys.executable, "-c", code, folder=folder)


# The batching file.


@pytest.mark.parametrize("lists", [False, True])
def test_batching_parameters(lists):
    sizes = batching.sizes_of((1, 4, 32), lists=lists)
    assert sizes == ((1, 4, 32, 64, 128) if lists else (1, 4, 32))
    text = batching.parameters(sizes, lists=lists)
    lines = text.splitlines()
    assert [line for line in lines if line.startswith("allowed")] == [f"allowed_batch_sizes: {size}" for size in sizes]
    assert ("enable_large_batch_splitting { value: true }" in lines) is not lists
    assert ("max_execution_batch_size { value: 32 }" in lines) is not lists
    assert f"max_batch_size {{ value: {128 if lists else 1024} }}" in lines
    assert "pad_variable_length_inputs: false" in lines


def test_large_batches_that_were_asked_for():
    assert batching.sizes_of((300, 2), lists=True) == (2, 300)
    text = batching.parameters((2, 3000), lists=False)
    assert "max_batch_size { value: 3000 }" in text


def test_the_file_is_in_the_folder(served):
    """Of one label: no lists. test_signatures.py holds which kinds have some."""
    assert (served / batching.FILE).read_text() == batching.parameters((1, 2, 4, 8, 16, 32), lists=False)
