"""spaCy's DocBin, as spaCy wrote it: tests/golden/entities.spacy is made by benchmarks/make_golden_docbin.py."""

from __future__ import annotations

import zlib
from pathlib import Path

import msgpack
import pytest

from bert_tf.data import Annotated
from bert_tf.errors import UserError

GOLDEN = Path(__file__).resolve().parents[3] / "golden" / "entities.spacy"
FIRST, SECOND = "The mark of ORG  Harbour Works.", "Ida \U0001f600 left Bergen!"


def read(path, tags=None):
    source = Annotated(files={"train": path.name}, tags=tags)
    return source.open(path, "train", dict.fromkeys(("words", "tags", "document"), lambda cell: cell)).columns


def test_entities_and_the_text():
    columns = read(GOLDEN)
    assert [sentence.text for sentence in columns["words"]] == [FIRST, SECOND]
    assert columns["words"][0].words == ["The", "mark", "of", "ORG", "Harbour", "Works", "."]
    for sentence in columns["words"]:
        starts = zip(sentence.words, sentence.starts, strict=True)
        assert all(sentence.text.startswith(word, start) for word, start in starts)
    assert columns["tags"] == [
        ["O", "O", "O", "B-ORG", "B-Yard", "I-Yard", "O"],
        ["B-PERSON", "O", "O", "B-LOC", "O"],
    ]
    assert columns["document"] == [0, 1]


def test_parts_of_speech():
    assert read(GOLDEN, "TAG")["tags"][1] == ["NNP", "SYM", "VBD", "NNP", "."]
    assert read(GOLDEN, "POS")["tags"][0] == ["DET", "NOUN", "ADP", "PROPN", "PROPN", "PROPN", "PUNCT"]


def test_what_is_not_there_or_broken_says_so(tmp_path):
    with pytest.raises(UserError, match="--label=NER: expected one of entities, TAG, POS"):
        read(GOLDEN, "NER")
    content = msgpack.unpackb(zlib.decompress(GOLDEN.read_bytes()))
    path = tmp_path / "a.spacy"
    for changed, message in (
        ({name: value for name, value in content.items() if name != "spaces"}, "one without spaces"),
        (content | {"tokens": b"123"}, "expected spaCy's DocBin. Received: another file"),
        (content | {"strings": ["Ida"]}, r"a.spacy\[0\]: expected .* a word that its table of strings lacks"),
        (content | {"tokens": bytes(len(content["tokens"]))}, "expected entities, or parts of speech"),
    ):
        packed = msgpack.packb(changed)
        assert packed is not None
        path.write_bytes(zlib.compress(packed))
        with pytest.raises(UserError, match=message):
            read(path)
