from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import bert_tf
from bert_tf import export, lookup
from bert_tf.errors import UserError
from bert_tf.exporting.artefact import Artefact
from bert_tf.exporting.definitions import load_export
from bert_tf.exporting.models import HuggingFace

REPOSITORY = Path(__file__).resolve().parents[2]

OWN = """
import dataclasses, pathlib
from bert_tf.exporting import Artefact, Loaded

class Guess(Loaded):
    def rows(self, texts, pairs=None):
        import numpy as np
        return [{"probabilities": np.array([1.0, 0.0]), "label_index": 0} for _ in texts]

    def call(self, batch, tokens):
        return (lambda: None) if tokens < 50 else None

    def notes(self):
        return {"by": "heart"}

@dataclasses.dataclass(frozen=True, kw_only=True)
class Own(Artefact):
    quantize: tuple[str, ...] = ("one",)
    depth: int = 2

    def __post_init__(self):
        if self.depth > 9:
            raise ValueError(f"`depth` must be at most 9. Received: depth={self.depth}")

    def write(self, run, folder):
        for name in self.quantize:
            (folder / f"{name}.bin").write_bytes(b"x" * self.depth)

    def load(self, run, folder):
        return [Guess(name, [folder / f"{name}.bin"], takes="tensors") for name in self.quantize]

ARTEFACT = Own()
"""


@pytest.fixture
def own(tmp_path) -> Path:
    path = tmp_path / "own.py"
    path.write_text(OWN)
    return path


def run(*flags: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bert_tf.export", *flags]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)


def test_help_answers_in_under_a_second_and_names_the_formats():
    run("--help")  # byte-compiles
    began = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = run("--help")
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert ended.ru_utime - began.ru_utime + ended.ru_stime - began.ru_stime < 1.0
    assert done.returncode == 0
    for name in ("saved_model", "huggingface", "keras", "--tolerance", "--quantize"):
        assert name in done.stdout


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (["--run=nowhere", "--format=saved_model", "--out=x"], "--run=nowhere: expected a run folder."),
        (["--format=saved_model", "--out=x"], "the following arguments are required: --run"),
        (["--run=x", "--format=keras", "--out=x", "--tolerance=-1"], "expected points from 0 to 100. Received: -1"),
        (["--run=x", "--format=keras", "--out=x", "--examples=0"], "expected a number of 1 or more. Received: 0"),
    ],
)
def test_bad_use_is_one_line(flags, expected):
    done = run(*flags)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.stderr
    assert done.stderr.startswith("python -m bert_tf.export: error: ")
    assert expected in done.stderr


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (["--format=saved_modle"], r"unknown export format 'saved_modle'. Did you mean 'saved_model'\? There are: "),
        (["--format=huggingface", "--set", "shards=2"], r"--set: no setting 'shards'.*There are: shard_bytes"),
        (["--format=huggingface", "--set", "shard_bytes=many"], r"--set shard_bytes: expected a value such as 0\."),
        (["--format=huggingface", "--quantize=int8"], r"--set: no setting 'quantize'"),
        (["--format=huggingface", "--split=nothing"], r"nothing"),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_written(flags, expected, tiny_run, tmp_path):
    with pytest.raises(UserError, match=expected):
        export.main([f"--run={tiny_run}", f"--out={tmp_path / 'out'}", *flags])
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_taken(tiny_run, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"--out=.*: expected a fresh folder\. Received: one that is there already"):
        export.main([f"--run={tiny_run}", "--format=keras", f"--out={tmp_path}"])


def test_a_hugging_face_folder(tiny_run, tmp_path, capsys):
    out = tmp_path / "hf"
    flags = [f"--run={tiny_run}", "--format=huggingface", f"--out={out}", "--no-timing", "--examples=5"]
    export.main([*flags, "--set", "shard_bytes=1000"])
    report = json.loads(capsys.readouterr().out)
    assert report == {"out": str(out), **json.loads((out / "export_report.json").read_text())}
    assert report["examples"] == 5
    assert report["models"][0]["agreement"]["same_answers"] == 1.0
    assert report["models"][0]["bytes"] == sum(
        file.stat().st_size for file in out.iterdir() if not file.name.startswith("export_report")
    )
    assert len(list(out.glob("model-*.safetensors"))) > 1
    assert json.loads((out / "config.json").read_text())["position_embedding_type"] == "absolute"  # for CTranslate2
    np.testing.assert_array_equal(
        bert_tf.BertClassifier.from_pretrained(out).get_weights()[0],
        bert_tf.BertClassifier.from_pretrained(tiny_run / "model").get_weights()[0],
    )


def test_a_keras_file(tiny_run, tmp_path, capsys):
    import keras

    out = tmp_path / "keras"
    export.main([f"--run={tiny_run}", "--format=keras", f"--out={out}", "--no-timing"])
    report = json.loads(capsys.readouterr().out)
    assert report["models"][0]["agreement"]["largest_difference"] == 0.0
    assert sorted(file.name for file in out.iterdir()) == [
        "README.md", "export_report.json", "export_report.md", "model.keras", "tokenizer",
    ]  # fmt: skip
    assert isinstance(keras.saving.load_model(out / "model.keras"), bert_tf.BertClassifier)


def test_a_format_of_ones_own_with_several_models(own, tiny_run, tmp_path, capsys):
    out = tmp_path / "out"
    flags = [f"--run={tiny_run}", f"--format={own}", f"--out={out}", "--tolerance=100", "--quantize=one,two"]
    export.main([*flags, "--set", "depth=5"])
    report = json.loads(capsys.readouterr().out)
    assert [model["name"] for model in report["models"]] == ["one", "two"]
    model = report["models"][1]
    assert (model["bytes"], model["takes"], model["by"], model["files"]) == (5, "tensors", "heart", ["two.bin"])
    times = {(item["batch"], item["tokens"]): item["ms"] for item in model["latency_ms"]}
    assert set(times) == {(1, 16), (1, 64), (32, 16), (32, 64)}, "the task reads 64 tokens"
    assert (times[1, 16] is None, times[1, 64] is None) == (False, True)
    assert all(item["ms"] > 0 for item in report["run"]["latency_ms"])
    table = (out / "export_report.md").read_text()
    assert "| two " in table
    assert "ms, 32 x 64 tokens" in table


def test_one_that_loses_too_much_is_refused_and_leaves_nothing(own, tiny_run, tmp_path, capsys):
    expected = bert_tf.Pipeline(tiny_run)
    examples = expected.kind.read("sample", "validation")
    own.write_text(OWN.replace("[1.0, 0.0]", "[0.5, 0.5]").replace('"label_index": 0', '"label_index": -1'))
    before = expected.kind.measure_answers(expected.rows(examples.texts), examples)["accuracy"]
    with pytest.raises(
        UserError, match=rf"refused, nothing is written: --tolerance=0\.5 .* {before:.4f} .*: one 0\.0000"
    ):
        export.main([f"--run={tiny_run}", f"--format={own}", f"--out={tmp_path / 'out'}", "--no-timing"])
    assert capsys.readouterr().out == ""
    assert [path.name for path in tmp_path.iterdir() if path.name != "own.py"] == []


def test_an_error_while_writing_leaves_nothing(own, tiny_run, tmp_path):
    own.write_text(OWN.replace("for name in self.quantize:", "for name in (*self.quantize, 1 / 0):"))
    with pytest.raises(ZeroDivisionError):
        export.main([f"--run={tiny_run}", f"--format={own}", f"--out={tmp_path / 'out'}"])
    assert [path.name for path in tmp_path.iterdir() if path.name != "own.py"] == []


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"quantize": "a,b"}, ("a", "b")),
        ({"quantize": ["a"]}, ("a",)),
        ({"quantize": [1]}, "--set quantize: expected a value such as"),
        ({"depth": 10}, "--set: `depth` must be at most 9. Received: depth=10"),
        ({"depth": True}, "--set depth: expected a value such as 2. Received: True"),
        ({"dept": 1}, "no setting 'dept'. Did you mean 'depth'? There are: quantize, depth"),
    ],
)
def test_settings_are_typed(own, settings, expected):
    artefact = load_export(str(own))
    if isinstance(expected, tuple):
        assert artefact.with_settings(settings).quantize == expected  # pyright: ignore[reportAttributeAccessIssue]
        return
    with pytest.raises(UserError) as caught:
        artefact.with_settings(settings)
    assert expected in str(caught.value)


def test_formats_by_name(tmp_path):
    assert {"saved_model", "huggingface", "keras"} <= set(lookup.names("export"))
    assert all(isinstance(load_export(name), Artefact) for name in lookup.names("export"))
    assert isinstance(load_export("huggingface"), HuggingFace)
    (tmp_path / "none.py").write_text("")
    with pytest.raises(
        UserError, match=r"none\.py: expected ARTEFACT = \.\.\., an object of an export format of bert_tf\.exporting"
    ):
        load_export(str(tmp_path / "none.py"))
