from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from bert_tf.data import LiteralLines, text
from bert_tf.errors import UserError
from bert_tf.kinds import TextPairs

LINES = (
    """{'said': "it's\\nfine", 'short': 'fine', 'n': None}\n{"said": "caf\\u00e9 \\ud83d\\ude00", "short": "ok"}\n"""
)
SOURCE = LiteralLines(archive="set.zip", files={"train": "inner/train.jsonl"}, bad_rows_share=0.5)
PARSERS = {"said": text, "short": text}


def pack(folder: Path, lines: str) -> Path:
    with zipfile.ZipFile(folder / "set.zip", "w") as file:
        file.writestr("inner/train.jsonl", lines)
    return folder


@pytest.mark.parametrize("place", [".", "set.zip"])
def test_literals_and_json_in_an_archive(place, tmp_path):
    found = SOURCE.open(pack(tmp_path, LINES) / place, "train", PARSERS)
    assert found.columns == {"said": ["it's\nfine", "café \U0001f600"], "short": ["fine", "ok"]}
    assert found.place(1).endswith("set.zip/inner/train.jsonl:2")


def test_unpacked_files_win(tmp_path):
    pack(tmp_path, "nonsense")
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "train.jsonl").write_text(LINES, encoding="utf-8")
    assert len(SOURCE.open(tmp_path, "train", PARSERS)) == 2


@pytest.mark.parametrize("line", ["{'said': open('x')}", "{'said': 'a'", "['a', 'b']", "{" * 5000, "said"])
def test_a_line_that_is_no_dict_is_named_or_skipped(line, tmp_path):
    pack(tmp_path, f"{LINES}\n{line}\n")
    with pytest.raises(UserError, match=r"train\.jsonl:4: expected a dict, as JSON or Python writes it\. Received: "):
        SOURCE.open(tmp_path, "train", PARSERS)
    assert SOURCE.open(tmp_path, "train", PARSERS, skip_bad_rows=True).skipped == 1


def test_an_empty_source_is_named(tmp_path):
    pack(tmp_path, "{'said': '  ', 'short': 'a'}\n")
    with pytest.raises(UserError, match=r"jsonl:1: column 'said': expected text that is not empty"):
        SOURCE.open(tmp_path, "train", PARSERS)


def test_broken_archives_and_missing_members_are_named(tmp_path):
    (tmp_path / "set.zip").write_bytes(b"PK no")
    with pytest.raises(UserError, match=r"set\.zip: expected a zip archive"):
        SOURCE.open(tmp_path, "train", PARSERS)
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as file:
        file.writestr("other", "x")
    with pytest.raises(
        UserError, match=r"set\.zip: expected the file inner/train\.jsonl in it\. Received: \['other'\]"
    ):
        SOURCE.open(tmp_path, "train", PARSERS)
    (tmp_path / "set.zip").unlink()
    with pytest.raises(UserError, match=r"expected the file inner/train\.jsonl"):
        SOURCE.open(tmp_path, "train", PARSERS)


def test_the_real_set(shared_data):
    from bert_tf import load_task

    kind, place = load_task("dialogsum"), str(shared_data("dialogsum"))
    test = kind.read(place, "test")
    assert isinstance(test, TextPairs)
    assert test.references is not None
    assert {len(texts) for texts in test.references} == {3}
    assert (len(test), len(kind.read(place, "validation")), len(kind.read(place, "train"))) == (500, 500, 12460)
    assert {name: round(scores["rouge1"], 2) for name, scores in kind.baselines(test).items()} == {
        "lead_3": 26.94,
        "longest_utterance": 21.98,
    }
