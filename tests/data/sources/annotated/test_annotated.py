"""Files as tools and people write them, each read as the same two sentences, or refused with what to do."""

from __future__ import annotations

import csv
import gzip
import io
import json
import logging
from typing import Any

import pandas
import pytest

from bert_tf.data import Annotated
from bert_tf.data.tagged.label_sets import of_types
from bert_tf.data.tagged.rows import TaggedRows
from bert_tf.errors import UserError

TEXTS = ("Ida left Bergen today", "nobody came")
SPANS = ([[0, 3, "PER"], [9, 15, "LOC"]], [])
WORDS = [["Ida", "left", "Bergen", "today"], ["nobody", "came"]]
NUMBERS = [[1, 0, 3, 0], [0, 0]]
TAGS = [["B-PER", "O", "B-LOC", "O"], ["O", "O"]]


def keep(cell):
    return cell


def read(folder, name, content, *, adapt=True, **how):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    source = Annotated(files={"train": name}, **how)
    rows = TaggedRows("words", "tags", of_types(("PER", "LOC")), by_type=True) if adapt else None
    columns: dict[str, Any] = dict.fromkeys(("words", "tags", "document"), keep)
    return source.found(path), source.open(folder, "train", columns, adapt=rows).columns


def lines(rows):
    return "".join(json.dumps(row) + "\n" for row in rows)


def table(rows, separator=","):
    out = io.StringIO()
    csv.writer(out, delimiter=separator).writerows(rows)
    return out.getvalue()


def studio(text, spans, **more):
    """A task of Label Studio's JSON export; of JSON_MIN what `value` holds."""
    values = [{"start": a, "end": b, "text": text[a:b], "labels": [kind]} for a, b, kind in spans]
    results = [
        {"id": f"r{i}", "type": "labels", "from_name": "label", "to_name": "text", "origin": "manual", "value": value}
        for i, value in enumerate(values)
    ]
    annotation = {"id": 1, "completed_by": 1, "result": results, "was_cancelled": False, "ground_truth": False}
    return {"id": 3, "annotations": [annotation], "predictions": [], "data": {"text": text}, "meta": {}, **more}


def minimal(text, spans):
    row = {"id": 3, "text": text, "annotator": 1, "annotation_id": 1, "created_at": "2026-01-02T03:04:05Z"}
    values = [{"start": a, "end": b, "text": text[a:b], "labels": [kind]} for a, b, kind in spans]
    return row | ({"label": values} if values else {})


def prodigy(text, spans):
    """As `prodigy db-out` has it; a text without spans may lack the key."""
    starts = [0, *(i + 1 for i, character in enumerate(text) if character == " ")]
    tokens = [
        {"text": word, "start": start, "end": start + len(word), "id": i, "ws": True}
        for i, (word, start) in enumerate(zip(text.split(), starts, strict=True))
    ]
    found = [{"start": a, "end": b, "label": kind, "token_start": 0, "token_end": 0} for a, b, kind in spans]
    row = {"text": text, "_input_hash": 1, "_task_hash": 2, "tokens": tokens, "answer": "accept"}
    return row | ({"spans": found} if found else {})


PAIRS = list(zip(TEXTS, SPANS, strict=True))
OFFSETS = [
    {"id": 1, "text": text, "Comments": [], "relations": [],
     "entities": [{"id": 9, "label": kind, "start_offset": a, "end_offset": b} for a, b, kind in spans]}
    for text, spans in PAIRS
]  # fmt: skip
LISTS = [["tokens", "pos_tags", "ner_tags"], *((w, ["N"] * len(w), t) for w, t in zip(WORDS, TAGS, strict=True))]
NUMPY = [["tokens", "tags"], *(("\n ".join(str(w).split("\n")).replace(",", ""), str(t).replace(",", ""))
                               for w, t in zip(WORDS, TAGS, strict=True))]  # fmt: skip
KAGGLE = [["Sentence #", "Word", "POS", "Tag"], *(
    [f"Sentence: {n + 1}" if i == 0 else "", word, "NN" if i else "VB", tag]
    for n, (words, tags) in enumerate(zip(WORDS, TAGS, strict=True))
    for i, (word, tag) in enumerate(zip(words, tags, strict=True))
)]  # fmt: skip
IN_FULL = [KAGGLE[0], *([str(1 + (i > 4)), *row[1:]] for i, row in enumerate(KAGGLE[1:], start=1))]
CONLL = "-DOCSTART- -X- -X- O\n\nIda NNP I-NP B-PER\nleft VBD I-VP O\nBergen NNP I-NP B-LOC\ntoday NN I-NP O\n\n"
CONLL += "nobody NN I-NP O\ncame VBD I-VP O\n"

FILES = {
    "conll 2003": ("train.conll", CONLL, "conll"),
    "windows": ("train.txt", CONLL.replace("\n", "\r\n"), "conll"),
    "byte order mark": ("train.iob2", "\ufeff" + CONLL, "conll"),
    "gzip": ("train.conll.gz", gzip.compress(CONLL.encode()), "conll"),
    "tabs, no header": ("train.tsv", "Ida\tB-PER\nleft\tO\nBergen\tB-LOC\ntoday\tO\n\nnobody\tO\ncame\tO\n", "conll"),
    "doccano": ("all.jsonl", lines({"id": 1, "text": t, "label": s, "Comments": []} for t, s in PAIRS), "spans"),
    "doccano, relations": ("admin.jsonl", lines(OFFSETS), "spans"),
    "doccano, one list": ("all.json", json.dumps(OFFSETS), "spans"),
    "label studio": ("project-1.json", json.dumps([studio(*pair) for pair in PAIRS]), "spans"),
    "label studio, indented": ("project-1.json", json.dumps([studio(*pair) for pair in PAIRS], indent=2), "spans"),
    "label studio, minimal": ("project-1.json", json.dumps([minimal(*pair) for pair in PAIRS]), "spans"),
    "spacy 2": ("train.json", json.dumps([[text, {"entities": spans}] for text, spans in PAIRS]), "spans"),
    "spacy 2, a line each": ("train.jsonl", lines([text, {"entities": spans}] for text, spans in PAIRS), "spans"),
    "prodigy": ("train.jsonl", lines(prodigy(*pair) for pair in PAIRS), "spans"),
    "lists": ("train.jsonl", lines(dict(zip(LISTS[0], row, strict=True)) for row in LISTS[1:]), "lists"),
    "lists in a list": (
        "train.json",
        json.dumps({"version": "1", "data": [dict(zip(LISTS[0], row, strict=True)) for row in LISTS[1:]]}),
        "lists",
    ),
    "lists as text": ("train.csv", table(LISTS), "lists"),
    "lists as NumPy prints them": ("train.csv", table(NUMPY), "lists"),
    "with spaces": (
        "train.csv",
        table([["id", "sentence", "labels"], [0, TEXTS[0], " ".join(TAGS[0])], [1, TEXTS[1], "O O"]]),
        "spaced",
    ),
    "a word a row": ("ner.csv", table(KAGGLE), "rows"),
    "a word a row, numbers in full": ("ner.tsv", table(IN_FULL, "\t"), "rows"),
    "a word a row, empty lines": (
        "ner.csv",
        "word,label\nIda,B-PER\nleft,O\nBergen,B-LOC\ntoday,O\n\nnobody,O\ncame,O\n",
        "rows",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("name", "content", "form"), FILES.values(), ids=FILES)
def test_every_form_gives_the_same(tmp_path, name, content, form):
    found, columns = read(tmp_path, name, content)
    assert found.form == form
    assert [sentence.words for sentence in columns["words"]] == WORDS
    assert columns["tags"] == NUMBERS


@pytest.mark.parametrize("row", [OFFSETS[0], studio(*PAIRS[0]), minimal(*PAIRS[0]), prodigy(*PAIRS[0])])
def test_a_file_of_one_text(tmp_path, row):
    """A JSON file with one object may be a row, or hold the rows in its list."""
    _, columns = read(tmp_path, "all.jsonl", lines([row]))
    assert (columns["words"][0].words, columns["tags"]) == (WORDS[0], NUMBERS[:1])


def test_tables_of_other_libraries(tmp_path):
    frame = pandas.DataFrame(dict(zip(LISTS[0], zip(*LISTS[1:], strict=True), strict=True)))
    frame.to_parquet(tmp_path / "train.parquet")
    pandas.DataFrame(KAGGLE[1:], columns=KAGGLE[0]).to_excel(tmp_path / "train.xlsx", index=False)
    for name, form in (("train.parquet", "lists"), ("train.xlsx", "rows")):
        found, columns = read(tmp_path, name, (tmp_path / name).read_bytes())
        assert (found.form, columns["tags"]) == (form, NUMBERS)


@pytest.mark.parametrize(
    ("name", "content", "how", "tags"),
    [
        ("train.conll", CONLL, {}, "3"),  # the last one that looks like tags
        ("train.conll", CONLL, {"tags": "1"}, "1"),
        ("train.conll", CONLL, {"tags": "-2"}, "-2"),
        ("train.conll", "Ida NNP B-PER 0.1\nleft VBD O 0.7\n", {}, "2"),  # entities before what else there is
        ("train.conll", "Ida NNP 1 _\nleft VBD 2 _\nBergen NNP 3 _\ncame VBD 4 _\n", {}, "1"),
        ("train.jsonl", lines([{"tokens": ["a", "b"], "ner": ["O", "B-X"], "chars": [1, 2]}]), {}, "ner"),
        (
            "train.jsonl",
            lines([{"tokens": ["a", "b"], "pos": ["N", "V"], "ner": ["O", "B-X"]}]),
            {"tags": "pos"},
            "pos",
        ),
        ("ner.csv", table(KAGGLE), {"tags": "POS"}, "POS"),
    ],
)
def test_the_column_of_tags(tmp_path, name, content, how, tags):
    assert read(tmp_path, name, content, adapt=False, **how)[0].tags == tags


def test_tags_that_are_numbers_have_names(tmp_path):
    content = lines([{"tokens": ["Ida", "left"], "ner_tags": [1, 0]}])
    assert read(tmp_path, "train.jsonl", content, adapt=False)[1]["tags"] == [[1, 0]]
    named = read(tmp_path, "train.jsonl", content, adapt=False, names=("O", "B-PER"))[1]
    assert named["tags"] == [["B-PER", "O"]]


def test_documents(tmp_path):
    text = "-DOCSTART- O\n\na O\nb B-PER\n\nc O\n\n-DOCSTART- O\n\nd O\n"
    assert read(tmp_path, "train.conll", text)[1]["document"] == [1, 1, 2]
    assert read(tmp_path, "train.conll", text.replace("-DOCSTART- O\n", ""))[1]["document"] == [2, 5, 8]
    rows = [{"text": "a b", "label": [[0, 1, "PER"]], "doc_id": n // 2} for n in range(4)]
    assert read(tmp_path, "train.jsonl", lines(rows))[1]["document"] == ["0", "0", "1", "1"]
    rows = [
        ["doc", "sent_id", "token", "tag"],
        *([d, s, f"w{d}", "O"] for d in "ab" for s in "01"),
        ["b", "1", "x", "B-PER"],
    ]
    _, columns = read(tmp_path, "train.csv", table(rows))
    assert columns["document"] == ["a", "a", "b", "b"]
    assert [len(sentence.words) for sentence in columns["words"]] == [1, 1, 1, 2]


def test_what_nobody_annotated_is_no_text_without_entities(tmp_path, caplog):
    tasks = [studio(*PAIRS[0]), studio("a text", [], annotations=[]), studio("no", [], annotations=[])]
    cancelled = studio(*PAIRS[1])
    cancelled["annotations"][0]["was_cancelled"] = True
    twice = studio(*PAIRS[1])
    twice["annotations"] *= 2
    twice["annotations"][0]["result"] = [{"type": "choices", "value": {"choices": ["x"]}}]
    with caplog.at_level(logging.WARNING):
        _, columns = read(tmp_path, "p.json", json.dumps([*tasks, cancelled, twice]))
    assert columns["tags"] == NUMBERS
    assert "without an annotation, left out: 3" in caplog.text
    assert "with several annotations, of which the first is read: 1" in caplog.text
    assert "such as choices and relations, not read: 1" in caplog.text


def test_prodigy_s_rejected_texts_are_bad_rows(tmp_path):
    rows = [prodigy(*PAIRS[0]), prodigy(*PAIRS[1]) | {"answer": "reject"}]
    with pytest.raises(UserError, match=r"train.jsonl:2: expected an annotation that was accepted"):
        read(tmp_path, "train.jsonl", lines(rows))


def test_sentences_without_their_number_are_said(tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        read(tmp_path, "ner.csv", table(KAGGLE))
    assert "rows whose sentence is that of the row above, as their cell is empty: 4" in caplog.text


@pytest.mark.parametrize(
    ("name", "content", "how", "message"),
    [
        ("a.conll", "", {}, "a.conll: expected one sentence at least. Received: none"),
        ("a.jsonl", "", {}, "a.jsonl: expected one row of data at least. Received: none"),
        ("a.csv", "text,label\n", {}, "a.csv: expected one row of data at least"),
        ("a.conll", "Ida\nleft\n", {}, "a.conll: expected words and their tags, with tabs or spaces between"),
        ("a.conll", "Ida B-PER\n", {"tags": "ner"}, "--label=ner: expected a number from 0, .* have no names"),
        ("a.conll", "Ida B-PER\n", {"tags": "4"}, r"a.conll:1: expected the column 4 of the tag. Received: 2 columns"),
        ("a.jsonl", '{"text": "a"}\n', {}, "say which columns they are with --text and --label. .* columns text"),
        ("a.jsonl", '{"text": "a", "lable": [[0, 1, "X"]]}', {"tags": "label"}, "--label=label: .* mean 'lable'"),
        ("a.jsonl", lines([{"body": 1, "label": [[0, 1, "X"]]}]), {}, "expected a column of texts beside 'label'"),
        ("a.spacy", b"x\x9c", {}, "a.spacy: expected spaCy's DocBin. Received: another file"),
        ("a.csv", "sentence_id,word,tag\n1,Ida,B-PER\n1,,O\n", {}, "a.csv:3: expected a word and its tag"),
        ("a.json", json.dumps([{"data": {}, "annotations": [{"result": []}]}]), {}, "expected a text in 'data'"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_says_so(tmp_path, name, content, how, message):
    with pytest.raises(UserError, match=message):
        read(tmp_path, name, content, **how)
