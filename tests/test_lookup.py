from __future__ import annotations

import dataclasses
import sys

import pytest

import bert_tf
from bert_tf import lookup
from bert_tf.errors import UserError
from bert_tf.exporting.definitions import load_export
from bert_tf.kinds import Classification
from bert_tf.kinds.definitions import load_task

OWN_TASK = """
from __future__ import annotations
import dataclasses
from bert_tf.kinds import Classification

@dataclasses.dataclass
class Place:  # needs its module in sys.modules
    name: str

TASK = Classification(
    source=Place("here"), text=("body",), label="kind", classes=("a", "b", "c"), sequence_length=8)
"""


def test_a_task_by_name():
    task = bert_tf.load_task("sst2")
    assert isinstance(task, Classification)
    assert (task.classes, task.main_metric) == (("negative", "positive"), "accuracy")


@pytest.mark.parametrize("group", ["tasks", "configs"])
def test_names_are_those_of_the_folder(group):
    assert "sst2" in lookup.names(group)
    assert lookup.find(group, "sst2").name.startswith("sst2.")


def test_a_task_of_ones_own(tmp_path):
    file = tmp_path / "my_task.py"
    file.write_text(OWN_TASK)
    task = load_task(str(file))
    assert isinstance(task, Classification)
    assert task.classes == ("a", "b", "c")
    assert dataclasses.is_dataclass(task.source)


def test_two_tasks_of_one_file_name_do_not_share_a_module(tmp_path):
    for number in ("one", "two"):
        (tmp_path / number).mkdir()
        (tmp_path / number / "task.py").write_text(OWN_TASK.replace('"body"', f'"{number}"'))
    tasks = [load_task(str(tmp_path / number / "task.py")) for number in ("one", "two")]
    assert [task.text_columns for task in tasks] == [("one",), ("two",)]


def test_an_installed_wheel_has_its_definitions_inside(tmp_path, monkeypatch):
    folder = tmp_path / "bert_tf" / "_definitions" / "tasks"
    folder.mkdir(parents=True)
    (folder / "shipped.py").write_text(OWN_TASK)
    (folder / "_private.py").write_text("")
    monkeypatch.setattr(lookup, "PACKAGE", tmp_path / "bert_tf")
    assert lookup.names("tasks") == ["shipped"]
    assert isinstance(load_task("shipped"), Classification)


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("ssst2", ["unknown task 'ssst2'", "Did you mean 'sst2'?", "There are: "]),
        ("weather", ["unknown task 'weather'. There are: "]),
        ("missing/my_task.py", ["'missing/my_task.py' must be a .py file. Received: no such file"]),
    ],
)
def test_an_unknown_task_lists_the_tasks_and_suggests_the_nearest(name, parts):
    with pytest.raises(UserError) as caught:
        load_task(name)
    message = str(caught.value)
    assert [part for part in [*parts, *lookup.names("tasks")] if part not in message] == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("TASK = 3\n", r": TASK must be an object of a kind from bert_tf\.kinds\. Received: 3$"),
        ("", r": expected TASK = \.\.\., an object of a kind from bert_tf\.kinds\. Received: none$"),
        (OWN_TASK.replace("TASK =", "task ="), r": expected TASK = .* Received: the name task$"),
        (
            "from bert_tf.kinds import Regression\nTASK = Regression\n",
            r": TASK must be an object of a kind from .*, Regression\(\.\.\.\)\. Received: the class Regression",
        ),
        # A mistake of its own, in the line where it stands.
        ("x = 1\nTASK = (\n", r":2: SyntaxError: '\(' was never closed$"),
        ("\n\nif True:\nx = 1\n", r":4: IndentationError: expected an indented block"),
        ("import bert_tf\n\nTASK = Clasification()\n", r":3: NameError: name 'Clasification' is not defined"),
        ("import bert_tf\nimport nothing_of_the_name\n", r":2: ModuleNotFoundError: No module named 'nothing_of"),
        ("from bert_tf.kinds import Clasification\n", r":1: ImportError: cannot import name 'Clasification'"),
        (
            OWN_TASK.replace("sequence_length", "sequence_lenght"),
            r":10: TypeError: .*'sequence_lenght' Did you mean 'sequence_length'\?$",
        ),
        (OWN_TASK.replace(", label=", ", lable="), r":10: TypeError: .*'lable' Did you mean 'label'\?$"),
        (OWN_TASK.replace('text=("body",)', 'text="body"'), r":10: ValueError: `text` must be a tuple of one or two"),
        # A value of another type than its field's.
        (
            OWN_TASK.replace("sequence_length=8", "sequence_length='8'"),
            r":10: TypeError: `sequence_length` must be a whole number\. Received: '8'$",
        ),
        (
            OWN_TASK.replace('Place("here")', "'train.csv'"),
            r": `source` must be an object, Source\(\.\.\.\)\. .*'train\.csv'$",
        ),
        (
            OWN_TASK.replace('("a", "b", "c")', "(0, 1)"),
            r'`classes` must be a tuple of texts, \("one", "two"\)\. .*\(0, 1\)$',
        ),
        (OWN_TASK.replace('label="kind"', "label=3"), r": `label` must be a text\. Received: 3$"),
        (OWN_TASK.replace("length=8", "length=8, defaults=3"), r": `defaults` must be a dict\. Received: 3$"),
        ("def f():\n    return 1 / 0\n\nf()\n", r":2: ZeroDivisionError: division by zero$"),
        ("from bert_tf.errors import UserError\nraise UserError('no data')\n", r":2: no data$"),
        ("x = 'a\0b'\n", r"mine\.py.*null bytes"),
        (b"x = '\xff'\n", r"mine\.py.*(utf-8|UTF-8|encoding)"),
    ],
)
def test_a_task_files_own_mistake_is_one_line_with_its_place(tmp_path, text, message):
    file = tmp_path / "mine.py"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(UserError, match=message) as caught:
        load_task(str(file))
    assert str(caught.value).startswith(str(file))
    assert "\n" not in str(caught.value)


def test_a_list_may_stand_for_a_tuple_in_a_task_file(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(OWN_TASK.replace('("a", "b", "c")', '["a", "b", "c"]'))
    assert list(getattr(load_task(str(file)), "classes", ())) == ["a", "b", "c"]


@pytest.mark.parametrize("name", lookup.names("tasks"))
def test_no_field_of_a_task_here_has_another_type(name):
    assert lookup.wrong_field(load_task(name)) == ""


def test_a_task_that_fails_leaves_no_module_and_keeps_its_error_for_a_debugger(tmp_path):
    file = tmp_path / "broken.py"
    file.write_text("1 / 0\n")
    with pytest.raises(UserError, match=r"broken\.py:1: ZeroDivisionError") as caught:
        load_task(str(file))
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    assert not [name for name in sys.modules if "broken" in name]


def test_a_format_files_own_mistake_is_one_line_with_its_place(tmp_path):
    file = tmp_path / "format.py"
    file.write_text("from bert_tf.exporting.artefact import Artefact\n\nARTEFACT = Artefakt()\n")
    with pytest.raises(UserError, match=r"format\.py:3: NameError: name 'Artefakt' is not defined"):
        load_export(str(file))
    file.write_text("ARTEFACT = 'tflite'\n")
    with pytest.raises(UserError, match=r"ARTEFACT must be an object of an export format of bert_tf\.exporting"):
        load_export(str(file))


def test_a_config_by_path(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text("seed = 2\n")
    assert lookup.find("configs", str(file)) == file.resolve()
    with pytest.raises(UserError, match=r"must be a \.toml file\. Received: a file that does not end in \.toml"):
        lookup.find("configs", __file__)
