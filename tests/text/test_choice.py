"""`Tokenizer.from_pretrained` picks the class by what a folder's files say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bert_tf import BertTokenizer, Tokenizer, UserError
from bert_tf.text.files.choice import ROWS, WORDPIECE, choose, class_named, type_of

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "un", "##able", "able"]


@pytest.fixture(scope="module")
def words() -> BertTokenizer:
    return BertTokenizer(WORDS, model_max_length=9)


def written(folder: Path, files: dict[str, Any]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return folder


def test_a_tokenizer_is_of_the_class_that_its_files_are_of(tmp_path, words):
    words.save_pretrained(tmp_path)
    read = Tokenizer.from_pretrained(tmp_path, lowercase=True)
    assert type(read) is BertTokenizer
    assert read.get_config() == words.get_config()
    assert isinstance(words, Tokenizer)


@pytest.mark.parametrize(
    ("files", "place"),
    [
        ({"vocab.txt": "\n".join(WORDS)}, ""),
        ({"vocab.txt": "\n".join(WORDS)}, "vocab.txt"),
        ({"some.txt": "\n".join(WORDS), "tokenizer.json": {"model": {"type": "Unigram"}}}, "some.txt"),
        ({"assets/tokenizer/vocabulary.txt": "\n".join(WORDS), "tokenizer.json": {"class_name": "BertTokenizer"}}, ""),
        ({"tokenizer.json": {"model": {"type": "WordPiece", "vocab": {"a": 0}}}}, ""),
        ({"tokenizer.json": {"model": {"vocab": {"a": 0}}}}, ""),
    ],
)
def test_these_are_files_of_wordpiece(tmp_path, files, place):
    assert choose(written(tmp_path, files) / place) is WORDPIECE


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "no tokenizer here: expected tokenizer.json, vocab.txt, assets/tokenizer/vocabulary.txt"),
        ({"tokenizer.json": {"model": {"type": "WordLevel"}}}, "Received: `model` of the type 'WordLevel'"),
        (
            {"tokenizer.json": {"model": {"type": "WordLevel"}}, "vocab.txt": "a"},
            "tokenizer.json: expected a tokenizer",
        ),
        ({"tokenizer.json": {"model": "BPE"}}, "Received: `model` of the type 'BPE'"),
        ({"tokenizer.json": "[]"}, "tokenizer.json"),
    ],
)
def test_other_folders_are_refused_by_what_they_have(tmp_path, files, said):
    with pytest.raises(UserError) as caught:
        Tokenizer.from_pretrained(written(tmp_path, files))
    assert said in str(caught.value)
    assert str(tmp_path) in str(caught.value)


def test_a_file_to_be_ignored_does_not_choose(tmp_path, words):
    words.save_pretrained(tmp_path)
    written(tmp_path, {"tokenizer.json": {"model": {"type": "WordLevel"}}})
    read = Tokenizer.from_pretrained(tmp_path, ignore=["tokenizer.json"])
    assert read.get_config() == words.get_config()


@pytest.mark.parametrize(
    ("model", "kind"),
    [
        ({"vocab": {"a": 0}}, "WordPiece"),
        ({"vocab": {"a": 0}, "merges": []}, "BPE"),
        ({"vocab": [["a", 0.0]]}, "Unigram"),
        ({"type": "Other", "merges": []}, "Other"),
    ],
)
def test_a_model_that_does_not_say_its_type_shows_it(model, kind):
    assert type_of(model) == kind


def test_every_row_names_a_class_that_reads_and_writes():
    for row in ROWS:
        assert issubclass(row.tokenizer, Tokenizer)
        assert row.tokenizer is class_named(row.name)
        assert row.tokenizer.__name__ == row.name
        assert "_read" in vars(row.tokenizer)
    with pytest.raises(ValueError, match=r"must be one of BertTokenizer.*Received: 'Tokenizer'"):
        class_named("Tokenizer")


def test_saving_removes_what_another_tokenizer_has_left(tmp_path, words):
    left = [name for row in ROWS for files in row.files for name in files if "/" not in name]
    written(tmp_path, dict.fromkeys([*left, "added_tokens.json", "config.json"], "{}"))
    words.save_pretrained(tmp_path)
    kept = {"vocab.txt", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "config.json"}
    assert {path.name for path in tmp_path.iterdir()} == kept


def test_the_base_itself_makes_no_tokenizer():
    with pytest.raises(TypeError, match="abstract"):
        Tokenizer(WORDS, special_tokens={})  # pyright: ignore[reportAbstractUsage]
