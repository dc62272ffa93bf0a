"""A run keeps its task: its file may move, change or go, and predict, evaluate and export go by the run."""

from __future__ import annotations

import dataclasses
import json

import pytest

from bert_tf import lookup
from bert_tf.config import RunConfig, to_toml
from bert_tf.data import Conll, Csv, InMemory, JsonLines, Tfds
from bert_tf.errors import UserError
from bert_tf.inference.runs import TASK, open_run, task_file
from bert_tf.kinds import Classification, Tagging, TextToText
from bert_tf.kinds.definitions import load_task
from bert_tf.kinds.description import describe, read_description

OWN = """
from bert_tf.data import Csv
from bert_tf.kinds import Classification

TASK = Classification(source=Csv(files={"train": "a.csv"}, delimiter=";"), text=("body",), label="kind",
                      classes=("a", "b"), sequence_length=8)
"""
MEMORY = OWN.replace('Csv(files={"train": "a.csv"}, delimiter=";")', 'InMemory({"train": []})')
MEMORY = MEMORY.replace("import Csv", "import InMemory")
SUBCLASS = OWN.replace("TASK = Classification(", "class Own(Classification):\n    pass\n\n\nTASK = Own(")


@pytest.fixture
def run_of(tmp_path):
    """Makes a finished run of a task file, as training leaves it."""

    def make(text=OWN, task=None):
        file = tmp_path / "my_task.py"
        file.write_text(text)
        folder = tmp_path / "run"
        (folder / "model").mkdir(parents=True)
        config = RunConfig.model_validate({"task": task or str(file)})
        (folder / "config.toml").write_text(to_toml(config), encoding="utf-8")
        for name, content in task_file(load_task(config.task)).items():
            (folder / name).write_text(content, encoding="utf-8")
        return folder, file

    return make


@pytest.mark.parametrize("name", lookup.names("tasks"))
def test_every_task_of_the_library_is_described_whole(name):
    task = load_task(name)
    described = json.loads(json.dumps(describe(task)))
    found, left_out = read_description(described, "task.json")
    assert set(left_out) <= {"simple_answers"}
    same = {field: getattr(found, field) for field in left_out}
    assert found == dataclasses.replace(task, **same)
    assert type(found.source) is type(task.source)


@pytest.mark.parametrize(
    "source",
    [
        Conll(files={"train": "a.conll"}, tag=2, scheme="iob1"),
        JsonLines(files={"train": "a.jsonl"}, hub_names={"words": "tokens"}),
        Tfds("wikiann/en"),
        Csv(files={"train": "a.csv"}, columns=("x", "y"), header=False),
    ],
)
def test_sources_are_described(source):
    task = Tagging(source=source, labels=("NOUN", "VERB"), metrics=("accuracy",), joiner="")
    assert read_description(json.loads(json.dumps(describe(task))), "task.json") == (task, ())


def test_a_run_opens_when_its_task_file_has_gone_and_does_not_run_it_when_it_is_there(run_of):
    folder, file = run_of()
    task = load_task(str(file))
    file.unlink()
    assert open_run(folder).kind == open_run(folder, needs_data=True).kind == task
    file.write_text("raise RuntimeError('this must not run')\n")
    assert open_run(folder, needs_data=True).kind == task


def test_rows_in_memory_stay_in_the_task_file(run_of):
    folder, file = run_of(MEMORY)
    found = open_run(folder, task=str(file), needs_data=True).kind
    assert isinstance(found.source, InMemory)
    assert vars(found.source)["splits"] == {"train": []}
    assert vars(open_run(folder).kind)["classes"] == ("a", "b")  # which predicting needs
    with pytest.raises(UserError, match=r"run: the task's examples stand in its file alone, .*add --task=.*my_task.py"):
        open_run(folder, needs_data=True)


def test_a_kind_of_your_own_needs_its_file(run_of):
    folder, file = run_of(SUBCLASS)
    assert not (folder / TASK).exists()
    assert type(open_run(folder, task=str(file)).kind).__name__ == "Own"
    with pytest.raises(UserError, match=r"run: the run's folder does not hold its task, .*add --task=.*my_task.py if"):
        open_run(folder)


def test_a_run_from_before_tasks_were_kept(run_of):
    folder, file = run_of()
    (folder / TASK).unlink()
    assert vars(open_run(folder, task=str(file)).kind)["classes"] == ("a", "b")
    file.write_text("1 / 0\n")
    with pytest.raises(UserError, match=r"add --task="):
        open_run(folder)
    with pytest.raises(UserError, match=r"my_task\.py:1: ZeroDivisionError"):
        open_run(folder, task=str(file))


def test_what_json_cannot_hold_a_task_of_the_library_gets_from_the_library(run_of):
    folder, _ = run_of(task="dialogsum")
    assert json.loads((folder / TASK).read_text())["left_out"] == ["simple_answers"]
    found, task = open_run(folder).kind, load_task("dialogsum")
    assert isinstance(found, TextToText)
    assert isinstance(task, TextToText)
    assert list(found.simple_answers) == list(task.simple_answers) != []
    assert dataclasses.replace(found, simple_answers=task.simple_answers) == task


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "expected JSON. Received"),
        ("[]", "expected a task, described in version 1"),
        ('{"version": 2}', "expected a task, described in version 1"),
        ('{"version": 1, "class": "Path", "settings": {}}', "expected a kind of Classification, "),
        ('{"version": 1, "class": "Classification", "settings": {"text": ["a"]}}', "TypeError: .*missing"),
        ('{"version": 1, "class": "Classification", "settings": {"nonsense": 1}}', "TypeError: .*nonsense"),
        (
            '{"version": 1, "class": "Tagging", "settings": {"source": {"class": "Popen", "settings": {}}, '
            '"types": ["a"]}}',
            "KeyError: 'Popen'",
        ),
        (
            '{"version": 1, "class": "Classification", "settings": {"source": null, "text": ["a"], "label": "b", '
            '"classes": ["c", "d"], "sequence_length": 8}}',
            "NotDataError: expected a source of data",
        ),
    ],
)
def test_a_description_that_is_none_is_refused(run_of, text, message):
    folder, _ = run_of()
    (folder / TASK).write_text(text)
    with pytest.raises(UserError, match=rf"task\.json: (.*)?{message}"):
        open_run(folder)


def test_description_leaves_out_what_is_no_data():
    shared = {"text": ("a",), "label": "b", "classes": ("c", "d"), "sequence_length": 8}
    task = Classification(source=InMemory({}), defaults={"training": {"epochs": 2}}, **shared)
    described = describe(task)
    assert described is not None
    assert described["left_out"] == ["source"]
    found, left_out = read_description(described, "task.json")
    assert (found, left_out) == (task, ("source",))
