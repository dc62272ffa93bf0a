"""The built wheel, in a virtual environment without this checkout, used from an empty folder: `make test-wheel`.

The new environment sees the packages of the one that runs the tests, all but bert_tf: that saves installing TensorFlow
again. That no requirement is forgotten is held by test_packaging.py.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
FOLDERS = {"tasks": ".py", "configs": ".toml"}

pytestmark = pytest.mark.slow
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """The wheel, built from the source distribution, as an index would be given it."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--outdir", str(folder), str(REPOSITORY)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def python(wheel, tmp_path_factory) -> Run:
    """Runs the new environment's Python, by default in an empty folder; stderr and the exit status are the caller's."""
    home = tmp_path_factory.mktemp("venv")
    subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
    executable = home / "bin" / "python"
    subprocess.run([executable, "-m", "pip", "install", "--quiet", "--no-deps", str(wheel)], check=True)
    (packages,) = home.glob("lib/python3*/site-packages")
    # Folders named in a .pth file are searched, but .pth files in them are not read: the checkout stays unseen.
    (packages / "requirements.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    empty = tmp_path_factory.mktemp("empty")
    environment = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "BERT_TF_DATA"}}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(executable), *arguments]
        return subprocess.run(command, cwd=empty, env=environment, capture_output=True, text=True, check=False)

    return run


def test_the_package_in_use_is_the_wheels(python):
    done = python("-c", "import sys, bert_tf; print(bert_tf.__file__.startswith(sys.prefix), bert_tf.__version__)")
    assert done.stdout.startswith("True "), done.stdout + done.stderr


def test_it_holds_every_file_and_nothing_else(wheel):
    inside = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    expected = {
        path.relative_to(REPOSITORY).as_posix()
        for path in (REPOSITORY / "bert_tf").rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    for folder, suffix in FOLDERS.items():
        expected |= {f"bert_tf/_definitions/{folder}/{path.name}" for path in (REPOSITORY / folder).glob(f"*{suffix}")}
    expected |= {
        f"bert_tf/_definitions/{path.relative_to(REPOSITORY).as_posix()}"
        for path in (REPOSITORY / "export").rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    assert inside == expected


@pytest.mark.parametrize("command", ["train", "evaluate", "predict", "export"])
def test_help_answers_at_once(python, command):
    started = time.perf_counter()
    done = python("-m", f"bert_tf.{command}", "--help")
    seconds = time.perf_counter() - started
    assert done.returncode == 0, done.stderr
    assert "--run" in done.stdout
    assert seconds < 1.0 + float(os.environ.get("CI") is not None)  # a machine of a CI may be busy


def test_an_unknown_task_is_one_line(python):
    done = python("-m", "bert_tf.train", "--task=sst3")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.stderr
    assert "'sst2'" in done.stderr


def test_train_evaluate_predict_export(python):
    few_steps = ["--set", "training.max_steps=3", "training.batch_examples=4"]
    done = python("-m", "bert_tf.train", "--task=sst2", "--data=sample", "--run=run", *few_steps)
    assert done.returncode == 0, done.stderr[-3000:]
    result = json.loads(done.stdout)
    assert (result["task"], result["data"], result["steps"]) == ("sst2", "sample", 3)

    done = python("-m", "bert_tf.evaluate", "--run=run")
    assert done.returncode == 0, done.stderr[-3000:]
    assert json.loads(done.stdout)["metrics"]["accuracy"] == pytest.approx(result["metrics"]["accuracy"], abs=1e-6)

    done = python("-m", "bert_tf.predict", "--run=run", "--text=A joy from start to end.", "--text=Dull.")
    assert done.returncode == 0, done.stderr[-3000:]
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == 2
    assert {answer["label"] for answer in answers} <= {"negative", "positive"}

    done = python("-m", "bert_tf.export", "--run=run", "--format=saved_model", "--out=models", "--no-timing")
    assert done.returncode == 0, done.stderr[-3000:]
    (compose,) = [word for word in done.stderr.split() if word.endswith("compose.yaml")]
    assert Path(compose).is_file()
    assert "_definitions" in compose
    use = "import bert_tf, json; print(json.dumps(bert_tf.Pipeline('models')(['A joy from start to end.', 'Dull.'])))"
    done = python("-c", use)
    assert done.returncode == 0, done.stderr[-3000:]
    assert [answer["label"] for answer in json.loads(done.stdout)] == [answer["label"] for answer in answers]
