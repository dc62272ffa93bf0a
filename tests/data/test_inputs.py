from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import sys

import pytest

from bert_tf.data import Conll, Csv, Tsv
from bert_tf.data.inputs import Input, Reading, read_inputs
from bert_tf.errors import UserError
from bert_tf.kinds.definitions import load_task

ONE = ("sentence",)
TWO = ("premise", "hypothesis")


def inputs(tmp_path, name, content, columns=ONE, **options) -> list[Input]:
    file = tmp_path / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return list(read_inputs(None, str(file), Reading(columns=columns, **options)))


def read(tmp_path, name, content, columns=ONE, **options):
    found = inputs(tmp_path, name, content, columns, **options)
    assert [one.error for one in found] == [None] * len(found)
    return [(one.text, one.pair) for one in found]


def test_texts_from_the_command_line():
    one, two = Reading(columns=ONE), Reading(columns=TWO)
    assert [(found.text, found.pair) for found in read_inputs(["a b", ""], None, one)] == [("a b", None), ("", None)]
    assert [(found.text, found.pair) for found in read_inputs(["a\tb"], None, two)] == [("a", "b")]
    assert [found.error for found in read_inputs(["ab"], None, two)] == [
        "--text: expected premise, a tab, hypothesis. Received: no tab in 'ab'"
    ]


def test_bytes_of_the_command_line_that_are_no_text_are_named():
    found = list(read_inputs(["fine", "a\udcff"], None, Reading(columns=ONE)))
    assert (found[0].text, found[0].error) == ("fine", None)
    assert found[1].error == (
        "--text 2: expected text that UTF-8 can hold. Received: a lone surrogate (U+DCFF, for the byte 0xff) at "
        "character 2 of 'a\\udcff'"
    )


@pytest.mark.parametrize(
    ("content", "texts"),
    [
        (b"one\n\ntwo\n", ["one", "", "two"]),
        (b"one\r\ntwo", ["one", "two"]),
        ("\ufeffone\ntwo\u2028three\x0bfour\n".encode(), ["one", "two\u2028three\x0bfour"]),
        (b"tab\tinside\n", ["tab\tinside"]),
        (b"", []),
        (b"\n", [""]),
        (b"one\rtwo\r", ["one", "two"]),
        ("é\nü\n".encode("utf-16"), ["é", "ü"]),
        ("é\r\nü".encode("utf-32"), ["é", "ü"]),
    ],
)
def test_plain_lines(content, texts, tmp_path):
    assert read(tmp_path, "in.txt", content) == [(text, None) for text in texts]
    assert read(tmp_path, "in", content) == [(text, None) for text in texts]


def test_standard_input(monkeypatch):
    def given(content: bytes, **options):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
        return [(found.text, found.others) for found in read_inputs(None, "-", Reading(columns=ONE, **options))]

    assert given('{"sentence": "é", "id": 3}\n'.encode(), file_format="jsonl") == [("é", {"id": 3})]
    assert given(b"one\n\n") == [("one", {}), ("", {})]
    assert given(gzip.compress(b"id\tsentence\n7\tone\n", mtime=0), file_format="tsv") == [("one", {"id": "7"})]


class Pipe(io.RawIOBase):
    """Bytes that can be read once, as a pipe's."""

    def __init__(self, content: bytes):
        self.rest = io.BytesIO(content)

    def readable(self):
        return True

    def readinto(self, buffer):
        return self.rest.readinto(buffer)


@pytest.mark.parametrize(
    ("content", "file_format"),
    [
        (b"one\ntwo\n", None),
        (gzip.compress(b"one\ntwo\n", mtime=0), None),
        (b"id,sentence\n1,one\n2,two\n", "csv"),
        (b'[{"sentence": "one"}, {"sentence": "two"}]', "jsonl"),
    ],
)
def test_a_pipe_is_read_once(content, file_format, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(Pipe(content))))
    found = list(read_inputs(None, "-", Reading(columns=ONE, file_format=file_format)))
    assert [one.text for one in found] == ["one", "two"]


def test_tsv_in_order_or_under_a_header(tmp_path, caplog):
    assert read(tmp_path, "a.tsv", b"x\ty\n", TWO) == [("x", "y")]
    assert "its first row does not name premise, hypothesis, and is read as data, in this order" in caplog.text
    content = b"id\thypothesis\tpremise\n1\ty\tx\n"
    assert read(tmp_path, "b.tsv", content, TWO) == [("x", "y")]
    assert read(tmp_path, "c.tsv", b"sentence\tlabel\ngood\t1\n") == [("good", None)]
    found = inputs(tmp_path, "d.tsv", b"x\ty\na\tb\tc\nu\tv\n", TWO)
    assert [one.text for one in found] == ["x", "", "u"]
    assert found[1].error == (
        f"{tmp_path}/d.tsv:2: expected 2 columns (premise, hypothesis) separated by tabs. Received: 3 columns: 'a', "
        "'b', 'c'"
    )


TABLE = [("1", "good, film"), ("2", 'two\n"lines"'), ("3", "")]
CSV = 'id,sentence\n1,"good, film"\n2,"two\n""lines"""\n3,""\n'
OBJECTS = [{"id": number, "sentence": text} for number, text in TABLE]


def as_parquet() -> bytes:
    import pyarrow
    import pyarrow.parquet

    file = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(OBJECTS), file)
    return file.getvalue()


def as_xlsx() -> bytes:
    import openpyxl

    book, file = openpyxl.Workbook(), io.BytesIO()
    assert book.active is not None
    for row in [("id", "sentence"), *TABLE]:
        book.active.append(row)
    book.save(file)
    return file.getvalue()


@pytest.mark.parametrize(
    ("suffix", "content"),
    [
        ("csv", CSV.encode()),
        ("csv", CSV.replace(",", ";").replace("good;", "good,").encode()),
        ("tsv", CSV.replace(",", "\t").replace("good\t", "good,").encode()),
        ("CSV", CSV.encode("utf-16")),
        ("csv", b"sep=|\r\n" + CSV.replace(",", "|").replace("good|", "good,").encode()),
        ("jsonl", "".join(json.dumps(row) + "\n" for row in OBJECTS).encode()),
        ("json", json.dumps(OBJECTS).encode()),
        ("json", json.dumps(OBJECTS, indent=2).encode()),
        ("json", json.dumps({"version": 1, "data": OBJECTS}, indent=1).encode()),
        ("ndjson", json.dumps({"data": OBJECTS}).encode()),
        (
            "json",
            json.dumps({name: {str(i): row[name] for i, row in enumerate(OBJECTS)} for name in OBJECTS[0]}).encode(),
        ),
        ("parquet", as_parquet()),
        ("xlsx", as_xlsx()),
    ],
)
@pytest.mark.parametrize("pack", [None, gzip.compress, bz2.compress, lzma.compress])
def test_every_format_reads_the_same_rows(suffix, content, pack, tmp_path):
    packed = {gzip.compress: ".gz", bz2.compress: ".bz2", lzma.compress: ".xz"}.get(pack, "")
    found = inputs(tmp_path, f"in.{suffix}{packed}", pack(content) if pack else content)
    assert [(one.others, one.text) for one in found] == [({"id": number}, text) for number, text in TABLE]


def test_places_are_lines_and_rows(tmp_path):
    assert [one.place for one in inputs(tmp_path, "a.csv", CSV)] == [f"{tmp_path}/a.csv:{line}" for line in (2, 3, 5)]
    pretty = json.dumps(OBJECTS, indent=1)
    assert [one.place for one in inputs(tmp_path, "a.json", pretty)] == [
        f"{tmp_path}/a.json:{line}" for line in (2, 6, 10)
    ]
    assert [one.place for one in inputs(tmp_path, "a.parquet", as_parquet())][2] == f"{tmp_path}/a.parquet[2]"


def test_columns_may_be_named(tmp_path, caplog):
    csv = "Id,Review,Answer\n1,fine,so\n"
    assert read(tmp_path, "a.csv", csv, text_column="Review") == [("fine", None)]
    assert read(tmp_path, "a.csv", csv, TWO, text_column="Review", pair_column="Answer") == [("fine", "so")]
    assert inputs(tmp_path, "a.csv", csv, text_column="review")[0].others == {"Id": "1", "Answer": "so"}
    assert "the column 'Review' is read as 'review'" in caplog.text
    with pytest.raises(UserError, match=r"expected the column sentence\. .*'Review', 'Answer'.* --text-column=NAME"):
        inputs(tmp_path, "a.csv", csv)
    with pytest.raises(UserError, match=r"without 'hypothesis'.* with --pair-column=NAME"):
        inputs(tmp_path, "a.csv", csv, TWO, text_column="Review")
    with pytest.raises(UserError, match="--pair-column: this task has one text, sentence"):
        inputs(tmp_path, "a.csv", csv, pair_column="Answer")
    with pytest.raises(UserError, match=r"--text-column: .* is a text a line, without columns"):
        inputs(tmp_path, "a.txt", csv, text_column="Review")
    with pytest.raises(UserError, match=r"a\.jsonl:1: expected the column sentence\. .*--text-column=NAME"):
        inputs(tmp_path, "a.jsonl", '{"review": "fine"}\n')


def test_a_header_in_other_case_and_a_column_inside(tmp_path, caplog):
    assert read(tmp_path, "a.tsv", "ID\tSentence\n1\tgood\n") == [("good", None)]
    assert "the column 'Sentence' is read as 'sentence'" in caplog.text
    line = '{"translation": {"sentence": "good", "de": "gut"}, "id": 1}\n'
    assert [(one.text, one.others["id"]) for one in inputs(tmp_path, "a.jsonl", line)] == [("good", 1)]
    assert "the column 'translation.sentence' is read as 'sentence'" in caplog.text
    assert read(tmp_path, "a.jsonl", line, text_column="translation.de") == [("gut", None)]
    with pytest.raises(UserError, match=r"expected one column 'sentence'\. Received: 'Sentence', 'SENTENCE'"):
        inputs(tmp_path, "a.csv", "Sentence,SENTENCE\na,b\n")


def test_files_laid_out_as_the_tasks_own(tmp_path, caplog):
    columns = ("label", "id1", "id2", "premise", "hypothesis")
    content = "index\t#1 ID\t#2 ID\t#1 String\t#2 String\n0\t1\t2\ta b\tb a\n"
    (found,) = inputs(tmp_path, "a.tsv", content, TWO, source=Tsv(files={}, columns=columns))
    assert (found.text, found.pair, found.others) == ("a b", "b a", {"index": "0", "#1 ID": "1", "#2 ID": "2"})
    assert "its 5 columns are read as those of the task's own files: label, id1" in caplog.text
    headerless = Csv(files={}, columns=("score", "sentence"), header=False)
    assert read(tmp_path, "a.csv", "0,a b\n1,c\n", source=headerless) == [("a b", None), ("c", None)]


def test_conll_is_sentences(tmp_path):
    content = "-DOCSTART- O\n\nThe O\nHague B-loc\n\nno O\n"
    found = inputs(tmp_path, "a.conll", content, ("text",))
    assert [(one.text, one.others) for one in found] == [
        ("The Hague", {"tags": ["O", "B-loc"]}),
        ("no", {"tags": ["O"]}),
    ]
    source = Conll(files={}, word=1, tag=2)
    assert read(tmp_path, "b.txt", "1 a O\n2 b O\n\n", ("text",), file_format="conll", source=source) == [("a b", None)]
    with pytest.raises(
        UserError, match=r"a word and its tag on every line, as in CoNLL files; say .*input-format=conll"
    ):
        inputs(tmp_path, "c.txt", content, ("text",))
    assert len(read(tmp_path, "c.txt", content, ("text",), file_format="lines")) == 6
    assert read(tmp_path, "d.txt", "a B-movie\nabout nothing\n", ("text",)) == [
        ("a B-movie", None),
        ("about nothing", None),
    ]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "expected a JSON object. Received: '{'"),
        ('"text"', "expected a JSON object. Received: 'text'"),
        ("[]", "expected a JSON object. Received: []"),
        ('{"sentence": 3}', "column 'sentence': expected text. Received: 3"),
        ('{"sentence": null}', "column 'sentence': expected text. Received: None, a missing value"),
        ('{"sentence": NaN}', "column 'sentence': expected text. Received: nan, a missing value"),
        ('{"text": "x"}', "expected the column 'sentence'. Received: ['text']"),
        ('{"sentence": "\\ud800"}', "column 'sentence': expected text that UTF-8 can hold. Received: a lone surrogate"),
        (b'{"sentence": "\xff"}', "expected UTF-8. Received: byte 0xff"),
    ],
)
def test_a_bad_row_is_named_and_the_others_are_read(line, reason, tmp_path):
    line = line if isinstance(line, bytes) else line.encode()
    first, bad, last = inputs(tmp_path, "in.jsonl", b'{"sentence": "a"}\n' + line + b'\n{"sentence": "b"}\n')
    assert (first.text, last.text, bad.place) == ("a", "b", f"{tmp_path}/in.jsonl:2")
    assert bad.error is not None
    assert bad.error.startswith(f"{tmp_path}/in.jsonl:2: {reason}")


def test_a_character_of_none_is_text_and_bytes_are_shown_with_their_row(tmp_path):
    assert read(tmp_path, "a.txt", b"a\0b\n") == [("a\0b", None)]
    assert inputs(tmp_path, "a.csv", b"id,sentence\n1,caf\xe9\n")[0].error == (
        f"{tmp_path}/a.csv:2: expected UTF-8. Received: byte 0xe9 after '1,caf' ('é' in cp1252); if the file is not "
        "UTF-8, name its encoding, such as --encoding=cp1252"
    )


def test_empty_lines_of_tables_are_none_and_are_said(tmp_path, caplog):
    assert read(tmp_path, "a.jsonl", '{"sentence": "a"}\n\n{"sentence": "b"}\n\n') == [("a", None), ("b", None)]
    assert "a.jsonl: empty lines left out: 1" in caplog.text
    assert read(tmp_path, "a.csv", "id,sentence\n1,a\n\n2,\n,\n,\n") == [("a", None), ("", None)]
    assert "a.csv: empty lines left out: 1" in caplog.text
    assert "a.csv: empty rows at the end of the file, left out: 2" in caplog.text


def test_a_kind_may_read_more_than_texts(tmp_path):
    content = '{"source": ["One.", "Two  words."]}\n{"source": ""}\n{"source": ["One.", 2]}\n'
    found = inputs(tmp_path, "in.jsonl", content, ("source",), read_cell=load_task("scitldr").input_text)
    assert [one.text for one in found[:2]] == ["One.\nTwo words.", ""]
    assert found[2].error is not None
    assert "in.jsonl:3: column 'source': expected a text or a list of sentences" in found[2].error


def test_another_encoding_is_named_never_guessed(tmp_path):
    content = "fine\ncafé – “so”\n".encode("cp1252")
    first, second = inputs(tmp_path, "in.txt", content)
    assert first.text == "fine"
    assert second.error == (
        f"{tmp_path}/in.txt:2: expected UTF-8. Received: byte 0xe9 after 'caf' ('é' in cp1252); if the file is not "
        "UTF-8, name its encoding, such as --encoding=cp1252"
    )
    assert read(tmp_path, "in.txt", content, encoding="cp1252") == [("fine", None), ("café – “so”", None)]
    assert read(tmp_path, "in.txt", "gut – 好\n".encode("gb18030"), encoding="gb18030") == [("gut – 好", None)]
    assert read(tmp_path, "in.csv", "sentence\né\n".encode("utf-16-le"), encoding="utf-16-le") == [("é", None)]
    assert inputs(tmp_path, "in.txt", b"a\n\x81\n", encoding="cp1252")[1].error == (
        f"{tmp_path}/in.txt:2: expected CP1252. Received: byte 0x81 after ''"
    )
    for content, encoding, expected in (
        (b"x", "cp-1252x", r"--encoding=cp-1252x: expected an encoding's name"),
        ("é".encode("utf-8-sig"), "cp1252", r"expected cp1252, .* mark of UTF-8; leave --encoding out"),
        (b"x", "utf-16", r"expected a byte order mark of UTF-16. Received: none; say --encoding=utf-16-le or"),
        (b"x\0y\0" * 50, None, r"look like UTF-16 without a byte order mark; if they are, say --encoding=utf-16-le"),
        (b"x\0y", "utf-16-le", r"in\.txt:1: expected UTF-16-LE\. Received: truncated data"),
    ):
        with pytest.raises(UserError, match=expected):
            inputs(tmp_path, "in.txt", content, encoding=encoding)


def as_docx() -> bytes:
    import zipfile

    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("word/document.xml", "<w:document/>")
    return file.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("in.docx", as_docx(), r"Received: a Word document \(\.docx\); save it as plain text"),
        ("in.txt", as_docx(), r"Received: a Word document"),
        ("in.txt", b"PK\x03\x04whatever", r"Received: a zip archive; unpack it first"),
        ("in.csv", b"PAR1....PAR1", r"Received: Parquet; name it \.parquet, or say --input-format=parquet"),
        ("in.txt", as_parquet(), r"Received: Parquet"),
        ("in.jsonl", as_xlsx(), r"Received: an Excel workbook; name it \.xlsx, or save it as CSV"),
        ("in.txt", bytes(range(256)) * 4, r"Received: a binary file"),
        ("in.csv", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", r"a pointer of Git LFS"),
        ("in.csv", b"<!DOCTYPE html><html>Not found</html>", r"Received: a web page \(HTML\)"),
        ("in.tmx", b'<?xml version="1.0"?><tmx/>', r"Received: XML"),
        ("in.parquet", b"id,sentence\n", r"expected a Parquet file\. Received: a text"),
        ("in.parquet", b"PAR1broken", r"expected a Parquet file\. Received: a broken one"),
        (
            "in.xlsx",
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest",
            r"expected an Excel workbook \(\.xlsx\)\. Received: an old O",
        ),
        (
            "in.story",
            b"a text\n",
            r"expected a file ending in \.txt, .*\.parquet.* Received: \.story; say what it is with",
        ),
        ("in.csv.gz", gzip.compress(b"sentence\n" + b"a\n" * 999, mtime=0)[:-9], r"expected a whole gzip file"),
    ],
)
def test_what_is_no_file_of_rows_is_refused_by_name(name, content, expected, tmp_path):
    with pytest.raises(UserError, match=expected):
        inputs(tmp_path, name, content)


def test_a_format_may_be_named(tmp_path):
    assert read(tmp_path, "in.story", b"one\n", file_format="lines") == [("one", None)]
    assert read(tmp_path, "in.txt", as_parquet(), file_format="parquet")[0] == ("good, film", None)
    assert read(tmp_path, "in.dat", b"sentence\na\n", file_format="csv") == [("a", None)]
    assert read(tmp_path, "in.txt", b"<html>\n", file_format="lines") == [("<html>", None)]


@pytest.mark.parametrize(
    ("module", "name", "extra"), [("pyarrow.parquet", "a.parquet", "parquet"), ("openpyxl", "a.xlsx", "xlsx")]
)
def test_a_missing_extra_is_named(module, name, extra, tmp_path, monkeypatch):
    content = as_parquet() if extra == "parquet" else as_xlsx()
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(UserError, match=rf"{name} needs an optional package: pip install 'bert_tf\[{extra}\]'"):
        inputs(tmp_path, name, content)


def test_a_file_that_is_not_there_is_said_before_anything_is_read(tmp_path):
    with pytest.raises(UserError, match=r"--input=nowhere\.txt: expected a file that can be read\. Received: no such"):
        read_inputs(None, "nowhere.txt", Reading(columns=ONE))
    with pytest.raises(UserError, match=r"expected a file that can be read\. Received: a folder"):
        read_inputs(None, str(tmp_path), Reading(columns=ONE))


@pytest.mark.parametrize(
    ("content", "came"),
    [
        ('id,sentence\n1,"good, film"\n', "a header of columns"),
        ('"sentence";"note"\ngood;x\n', "a header of columns"),
        ('{"id": 1, "sentence": "good"}\n{"id": 2, "sentence": "bad"}\n', "a JSON object"),
    ],
)
def test_a_table_that_is_called_text_is_not_answered_line_by_line(content, came, tmp_path):
    with pytest.raises(UserError) as error:
        inputs(tmp_path, "in.txt", content)
    assert f"in.txt:1: expected a text a line. Received: {came} with 'sentence'" in str(error.value)
    assert len(inputs(tmp_path, "in.txt", content, file_format="lines")) == content.count("\n")


def test_texts_that_only_look_like_a_table_are_texts(tmp_path):
    for content in ("sentence\n", "a sentence, really\n", '{"other": 1}\n', "{sentence}\n"):
        assert read(tmp_path, "in.txt", content) == [(content.strip(), None)]


def test_a_sheet_below_empty_rows_or_behind_another(tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.active.append(["Survey of May"])
    sheet = book.create_sheet("answers")
    sheet["B3"], sheet["C3"], sheet["B4"], sheet["C4"] = "id", "sentence", 7, "good"
    book.save(tmp_path / "in.xlsx")
    (only,) = read_inputs(None, str(tmp_path / "in.xlsx"), Reading(columns=ONE))
    assert (only.text, only.others, only.place) == ("good", {"id": "7"}, f"{tmp_path}/in.xlsx:4")


def test_conll_u_has_its_words_in_the_second_column(tmp_path):
    rest = "\t_\t_\t0\troot\t_\t_\n"
    content = f"# text = Zoë sang\n1\tZoë\tZoë\tPROPN{rest}2\tsang\tsing\tVERB{rest}\n"
    for source in (None, Conll(files={"train": "train.conll"}, scheme="iob1")):
        (found,) = inputs(tmp_path, "in.conllu", content, ("text",), source=source)
        assert (found.text, found.others) == ("Zoë sang", {"tags": ["PROPN", "VERB"]})
    with pytest.raises(UserError, match=r"in.conll:2: .* predict reads them there in a file called .conllu"):
        inputs(tmp_path, "in.conll", content, ("text",))
