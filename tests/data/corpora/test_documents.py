"""Raw text to documents of sentences, and those to a store on disk."""

from __future__ import annotations

import errno
import gzip
import itertools
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from bert_tf.data.corpora import store as corpus_store
from bert_tf.data.corpora.documents import guess_format, read_documents
from bert_tf.data.corpora.store import Reading, TokenStore, open_store, tokenise_file
from bert_tf.errors import UserError
from tests.data.corpora.pretraining_sets import tokenizer

RUNNING = "The pump, said\nMr. Low, was old.  It\nbroke twice.\n\nNo one came.\n"
WRAPPED = "A line that breaks\nanywhere it likes\nand goes on. Then\nanother one.\n"


def documents(file: Path, text_format: str, **options) -> list[list[str]]:
    found: list[list[str]] = [[]]
    for sentences, ends in read_documents(file, text_format, **options):
        found[-1] += sentences
        if ends:
            found.append([])
    return [document for document in found if document]


def test_a_sentence_a_line_and_empty_lines_between_documents(tmp_path):
    file = tmp_path / "a.txt.gz"
    file.write_bytes(gzip.compress(b"One.\n Two. \n\n\nThree.\r\nFour.\n"))
    assert documents(file, "sentences") == [["One.", "Two."], ["Three.", "Four."]]


def test_running_text_is_one_document_whose_sentences_are_found(tmp_path):
    file = tmp_path / "a.txt"
    file.write_text(RUNNING)
    assert documents(file, "running") == [["The pump, said Mr. Low, was old.", "It broke twice.", "No one came."]]


def test_running_text_without_an_empty_line_is_read_in_parts(tmp_path):
    file = tmp_path / "a.txt"
    file.write_text("A short sentence stands here.\n" * 20_000)
    (found,) = documents(file, "running")
    assert sum(map(len, found)) > 550_000
    assert sum(sentence == "A short sentence stands here." for sentence in found) > 19_900


def test_json_lines_hold_a_document_each(tmp_path):
    file = tmp_path / "a.jsonl"
    file.write_text('{"body": "One. Two."}\n\n{"body": "A head\\nA text that\\n\\nwas wrapped."}\n{"body": ""}\n')
    found = documents(file, "jsonl", text_key="body")
    assert found == [["One.", "Two."], ["A head A text that", "was wrapped."]]


@pytest.mark.parametrize("line", ["{", "[]", '{"text": 3}', '{"other": "x"}', r'{"text": "\ud800"}'])
def test_bad_json_is_named_or_left_out_and_counted(tmp_path, line):
    file = tmp_path / "a.jsonl"
    file.write_bytes(b'{"text": "One."}\n\xff\n' + line.encode() + b'\n{"text": "Two."}\n')
    bad: list[UserError] = []
    assert documents(file, "jsonl", on_bad=bad.append) == [["One."], ["Two."]]
    assert [str(error).split(": ")[0] for error in bad] == [f"{file}:2", f"{file}:3"]
    with pytest.raises(UserError, match=r"a.jsonl:2: expected UTF-8. Received: byte 0xff"):
        documents(file, "jsonl")
    file.write_text(f"{line}\n")
    with pytest.raises(UserError, match=r"a.jsonl:1: expected a JSON object with the text 'text'"):
        documents(file, "jsonl")


@pytest.mark.parametrize(
    ("name", "content", "wanted"),
    [
        ("a.jsonl.gz", "", "jsonl"),
        ("a.txt", WRAPPED, "running"),
        ("a.txt", 'One.\n"Two!"\nThree?\nA heading\n', "sentences"),
    ],
)
def test_the_format_is_guessed(tmp_path, name, content, wanted):
    file = tmp_path / name
    file.write_bytes(gzip.compress(content.encode()) if name.endswith(".gz") else content.encode())
    assert guess_format([file]) == wanted


def text_of(store: TokenStore) -> list[list[str]]:
    words = tokenizer()
    found = []
    for first, last in itertools.pairwise(store.document_starts):
        edges = store.sentence_starts[first : last + 1]
        found.append([words.decode(store.token_ids[a:b].tolist())[0] for a, b in itertools.pairwise(edges)])
    return found


def test_a_store_holds_every_sentence_of_every_document(tmp_path):
    file = tmp_path / "a.txt"
    file.write_text("ab c.\nd.\n\n \n\ne f.\n")
    store = open_store([file], tokenizer(), Reading("sentences"), cache=tmp_path / "cache")
    assert text_of(store) == [["ab c.", "d."], ["e f."]]
    assert store.token_ids.dtype == np.uint16
    assert store.documents == 2


def test_a_store_is_made_once_and_again_for_other_text_or_settings(tmp_path):
    file, cache = tmp_path / "a.txt", tmp_path / "cache"
    file.write_text("ab.\n")
    first = open_store([file], tokenizer(), Reading("sentences"), cache=cache)
    made = (first.folder / "token_ids.bin").stat().st_mtime_ns
    again = open_store([file], tokenizer(), Reading("sentences"), cache=cache)
    assert (again.folder / "token_ids.bin").stat().st_mtime_ns == made
    assert open_store([file], tokenizer(), Reading("running"), cache=cache).folder != first.folder
    file.write_text("abc.\n")
    assert text_of(open_store([file], tokenizer(), Reading("sentences"), cache=cache)) == [["abc."]]
    assert not [path for path in cache.iterdir() if "writing" in path.name]


def test_stores_of_single_files_are_joined(tmp_path):
    files = []
    for name, content in (("a.txt", "ab c.\n\nd.\n"), ("b.txt", "e.\nf.\n"), ("c.txt", b"\xe4\nz.\n")):
        files.append(tmp_path / name)
        files[-1].write_bytes(content if isinstance(content, bytes) else content.encode())
    reading = Reading("sentences", skip_bad_lines=True)
    whole = open_store(files, tokenizer(), reading, cache=tmp_path / "one")
    for file in files:
        tokenise_file(file, tokenizer(), reading, tmp_path / "other")
    joined = open_store(files, tokenizer(), reading, cache=tmp_path / "other")
    assert text_of(joined) == text_of(whole) == [["ab c."], ["d."], ["e.", "f."], ["z."]]
    assert joined.bad_rows == whole.bad_rows == 1


def test_a_store_that_cannot_be_made_leaves_nothing(tmp_path):
    file, cache = tmp_path / "a.txt", tmp_path / "cache"
    file.write_bytes(b"ab.\n\xff\n")
    with pytest.raises(UserError, match=r"a.txt:2: expected UTF-8"):
        open_store([file], tokenizer(), Reading("sentences"), cache=cache)
    file.write_text("\n\n")
    with pytest.raises(UserError, match=r"expected text. Received: not one token"):
        open_store([file], tokenizer(), Reading("sentences"), cache=cache)
    assert not list(cache.iterdir())


def test_a_damaged_store_is_named(tmp_path):
    file = tmp_path / "a.txt"
    file.write_text("ab.\n")
    store = open_store([file], tokenizer(), Reading("sentences"), cache=tmp_path / "cache")
    (store.folder / "token_ids.bin").write_bytes(b"\0\0")
    with pytest.raises(UserError, match=r"token_ids.bin: expected 3 numbers of uint16"):
        TokenStore.open(store.folder)


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """A folder with a.txt, and cache/ with its store."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "a.txt").write_text("ab c.\nd.\n\ne f.\n")
    open_store([folder / "a.txt"], tokenizer(), Reading("sentences"), cache=folder / "cache")
    return folder


def without_checksums(path):
    described = json.loads(path.read_text())
    del described["checksums"]
    path.write_text(json.dumps(described))


def zeros(path):
    path.write_bytes(bytes(path.stat().st_size))


@pytest.mark.parametrize(
    ("name", "change", "why"),
    [
        ("store.json", lambda path: path.write_bytes(path.read_bytes()[:40]), "store.json is not as it was written"),
        ("store.json", lambda path: path.write_text("[]"), "store.json is not as it was written"),
        ("store.json", lambda path: path.write_text('{"version": 1, "arrays": {}}'), "store.json is not as it"),
        ("store.json", lambda path: path.unlink(), "No such file"),
        ("store.json", without_checksums, "it is of an earlier version"),
        ("sentence_starts.bin", zeros, "sentence_starts.bin has another content"),
        ("document_starts.bin", zeros, "document_starts.bin has another content"),
        ("token_ids.bin", zeros, "token_ids.bin has another content"),
        ("token_ids.bin", lambda path: path.write_bytes(b"\xff" * path.stat().st_size), "token_ids.bin has another"),
        ("token_ids.bin", lambda path: path.write_bytes(b"\0"), "token_ids.bin has 1 bytes, and had "),
        ("token_ids.bin", lambda path: path.unlink(), "token_ids.bin is missing"),
    ],
)  # fmt: skip
def test_a_damaged_store_is_made_again_and_that_is_said(made, tmp_path, monkeypatch, caplog, name, change, why):
    file, (original,) = made / "a.txt", (made / "cache").iterdir()
    cache = Path(shutil.copytree(made / "cache", tmp_path / "cache"))
    folder, read = cache / original.name, []
    monkeypatch.setattr(corpus_store, "_write", lambda work, *_: read.append(shutil.copytree(
        original, work, dirs_exist_ok=True)))  # fmt: skip
    open_store([file], tokenizer(), Reading("sentences"), cache=cache)
    assert not read
    change(folder / name)
    again = open_store([file], tokenizer(), Reading("sentences"), cache=cache)
    assert (again.folder, len(read)) == (folder, 1)
    assert all((folder / path.name).read_bytes() == path.read_bytes() for path in original.iterdir())
    (said,) = caplog.messages
    assert said.startswith(f"the tokenised text in {folder} cannot be used and is made again: ")
    assert why in said
    assert [path.name for path in cache.iterdir()] == [original.name]


def test_a_cache_that_takes_no_more_is_named_and_stays_as_it_was(tmp_path, monkeypatch):
    file, cache = tmp_path / "a.txt", tmp_path / "cache"
    file.write_text("ab.\n")

    def full(*arguments):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(corpus_store, "_write", full)
    with pytest.raises(
        UserError, match=r"pretraining.cache=\S+: expected a folder that can be written. .*disk is full"
    ):
        open_store([file], tokenizer(), Reading("sentences"), cache=cache)
    assert list(cache.iterdir()) == []
