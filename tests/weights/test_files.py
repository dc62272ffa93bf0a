"""Nothing half-written under a final name."""

from __future__ import annotations

import pytest

from bert_tf.errors import UserError
from bert_tf.weights.files import write_json, write_lines, written_folder


def names(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def half_write(folder):
    with written_folder(folder) as work:
        (work / "config.json").write_text("new")
        raise ZeroDivisionError


def test_a_new_folder_appears_only_when_all_is_written(tmp_path):
    with written_folder(tmp_path / "a" / "model") as work:
        write_json(work / "config.json", {"é": 1})
        write_lines(work / "vocab.txt", ["a", "é"])
        assert not (tmp_path / "a" / "model").exists()
    assert names(tmp_path) == ["a", "a/model", "a/model/config.json", "a/model/vocab.txt"]
    assert (tmp_path / "a" / "model" / "vocab.txt").read_bytes() == "a\né\n".encode()


def test_an_error_leaves_nothing(tmp_path):
    for folder in (tmp_path / "model", tmp_path / "a" / "b" / "model"):
        with pytest.raises(ZeroDivisionError):
            half_write(folder)
        assert names(tmp_path) == []


def test_an_existing_folder_keeps_other_files_and_loses_stale_shards(tmp_path):
    for name in ("README.md", "model-00001-of-00002.safetensors", "config.json"):
        (tmp_path / name).write_text("old")
    with written_folder(tmp_path, ("model-*.safetensors", "config.json")) as work:
        for name in ("model.safetensors", "config.json", "assets/vocab.txt"):
            (work / name).parent.mkdir(exist_ok=True)
            (work / name).write_text("new")
    assert names(tmp_path) == ["README.md", "assets", "assets/vocab.txt", "config.json", "model.safetensors"]
    assert (tmp_path / "config.json").read_text() == "new"
    assert (tmp_path / "README.md").read_text() == "old"


def test_an_error_leaves_an_existing_folder_as_it_was(tmp_path):
    (tmp_path / "config.json").write_text("old")
    with pytest.raises(ZeroDivisionError):
        half_write(tmp_path)
    assert names(tmp_path) == ["config.json"]
    assert (tmp_path / "config.json").read_text() == "old"


def test_permissions_are_those_of_any_new_folder(tmp_path):
    (tmp_path / "plain").mkdir()
    with written_folder(tmp_path / "model"):
        pass
    assert (tmp_path / "model").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"file.model cannot be written: (Not a directory|File exists)"):
        half_write(tmp_path / "file" / "model")
    with pytest.raises(UserError, match="file cannot be written: "), written_folder(tmp_path / "file"):
        pass
    assert names(tmp_path) == ["file"]
