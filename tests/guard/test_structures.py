"""What a stranger's file may be: regular, of a bounded size, not too deep, and of the types that code is made for."""

from __future__ import annotations

import json
import os
import time
from typing import Annotated, Any

import pytest
from pydantic import Field

from bert_tf import guard
from bert_tf.errors import UserError


class Facts(guard.Checked):
    lowercase: bool = True
    count: Annotated[int, Field(ge=1)] = 1
    names: list[str] = Field(default_factory=list)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[" * 100_000 + "]" * 100_000, "expected JSON of at most 64 levels. Received: more"),
        ('{"a":' * 66 + "1" + "}" * 66, "expected JSON of at most 64 levels. Received: more"),
        ("9" * 10_000, "expected JSON. Received: a number of 10,000 digits, 9999999999..., where 100 may be"),
        ("1." + "9" * 10_000, "expected JSON. Received: a number of 10,002 characters"),
        (r'{"a": "\ud800"}', "expected JSON of Unicode"),
        (r'{"\udfff": 1}', "expected JSON of Unicode"),
        (b"\xff{}", "expected JSON, in UTF-8"),
        ("{", "expected JSON. Received: Expecting property name"),
    ],
)
def test_json_that_no_model_has(text, message):
    with pytest.raises(UserError, match=f"^a.json: {message}") as caught:
        guard.parse_json(text, "a.json")
    assert len(str(caught.value)) < 300


def test_json_that_models_have():
    deep = '{"a":' * 60 + "[1e-12, 1000000000000000019884624838656, null, true]" + "}" * 60
    assert guard.parse_json(deep, "a.json") == json.loads(deep)
    assert guard.parse_json(r'"\ud83d\ude00 naïve"', "a.json") == "\U0001f600 naïve"
    assert guard.parse_json(b"\xef\xbb\xbf[1]", "a.json") == [1]
    assert guard.parse_json("3", "a.json") == 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a = " + "[" * 5000, "expected TOML"),
        ("a = " + "[" * 70 + "]" * 70, "expected TOML of at most 64 levels"),
        (".".join("a" * 100_000) + " = 1", "keys of at most 64 parts"),
        ("x = {" + ".".join("a" * 100_000) + " = 1}", "keys of at most 64 parts"),
        ("a = 0x" + "f" * 500, "numbers of at most 100 digits"),
        ("a = '" + "a" * (1 << 20) + "'", "at most 1,048,576 characters"),
        ("a = 1979-99-99", "expected TOML"),
    ],
)
def test_toml_that_no_run_has(text, message):
    started = time.process_time()
    with pytest.raises(UserError, match=message):
        guard.parse_toml(text, "config.toml")
    assert time.process_time() - started < 2


def test_toml_with_many_dots_in_a_text_is_fine():
    assert guard.parse_toml('a = "' + "x. " * 60 + '"\nb.c.d = 1', "a.toml")["b"] == {"c": {"d": 1}}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"lowercase": "false"}, "`lowercase` must be a valid boolean. Received: 'false'"),
        ({"count": "3"}, "`count` must be a valid integer. Received: '3'"),
        ({"count": 1.0}, "`count` must be a valid integer. Received: 1.0"),
        ({"count": True}, "`count` must be a valid integer. Received: True"),
        ({"count": 0}, "`count` must be greater than or equal to 1. Received: 0"),
        ({"names": ["a", 3]}, "`names.1` must be a valid string. Received: 3"),
        ([], "expected an object. Received: \\[\\]"),
    ],
)
def test_types_are_not_believed(value, message):
    with pytest.raises(UserError, match=f"^a.json: {message}"):
        guard.typed(Facts, value, "a.json")


def test_other_keys_may_be_there():
    assert guard.typed(Facts, {"count": 3, "more": {}}, "a.json") == Facts(count=3)


def test_a_pipe_a_device_and_a_folder_are_not_read(tmp_path):
    os.mkfifo(tmp_path / "pipe.json")
    (tmp_path / "link.json").symlink_to("/dev/zero")
    for name, what in (("pipe.json", "a pipe"), ("link.json", "a device"), ("", "a folder")):
        with pytest.raises(UserError, match=f"expected a regular file. Received: {what}"):
            guard.read_bytes(tmp_path / name)
    with pytest.raises(FileNotFoundError):
        guard.read_bytes(tmp_path / "none")


def test_a_large_file_is_not_read(tmp_path):
    with (tmp_path / "a.json").open("wb") as file:
        file.truncate(300 << 20)  # of no blocks on the disk
    with pytest.raises(UserError, match=r"a file of at most 268,435,456 bytes\. Received: 314,572,800"):
        guard.read_json(tmp_path / "a.json")


def test_a_value_in_a_message_is_cut_and_no_more_of_it_is_made():
    nested: tuple = ()
    for _ in range(60):
        nested = (nested, nested)
    assert len(guard.short(nested)) == 80
    assert guard.short("a" * 10**6).endswith("...")
    assert guard.short([1, "a"]) == "[1, 'a']"


def test_a_message_is_one_line_that_a_terminal_only_shows():
    error = UserError("bad \x1b[31mred\x1b[0m\nname \x07 \u2028 \ud800 " + "x" * 100_000)
    assert str(error).startswith("bad \\x1b[31mred\\x1b[0m name \\x07 \\u2028 \\ud800 xxx")
    assert len(str(error)) < 9000


def test_what_a_value_gives_rise_to_names_the_file():
    none: Any = None
    for code in (lambda: {}["a"], lambda: none.x, lambda: int("a"), lambda: -none, lambda: 1 / 0):
        with (
            pytest.raises(UserError, match=r"^task\.json: expected a task\. Received: ") as caught,
            guard.held("task.json", "a task"),
        ):
            code()
        assert caught.value.__cause__ is not None
    with pytest.raises(UserError, match=r"^mine$"), guard.held("task.json", "a task"):
        raise UserError("mine")
    with pytest.raises(KeyboardInterrupt), guard.held("task.json", "a task"):
        raise KeyboardInterrupt
