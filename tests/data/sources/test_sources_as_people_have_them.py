from __future__ import annotations

import gzip
import json
from types import MappingProxyType, SimpleNamespace

import pandas
import pytest

from bert_tf.data import Beir, Csv, InMemory, JsonLines, Parallel, Source, Tsv, class_index, number, text
from bert_tf.errors import UserError

PARSERS = {"text": text, "label": class_index(("neg", "pos"))}
CSV = Csv(files={"train": "train.csv", "validation": "dev.csv"}, bad_rows_share=0.5)
TSV = Tsv(files={"train": "train.tsv"}, bad_rows_share=0.5)


def read(tmp_path, name, content, source: Source = CSV, parsers=None, **options):
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return source.open(tmp_path, "train", parsers or PARSERS, **options)


def columns(tmp_path, name, content, source: Source = CSV, parsers=None, **options):
    table = read(tmp_path, name, content, source, parsers, **options)
    return list(zip(*table.columns.values(), strict=True))


GOOD_BAD = [("good, really", 1), ("bad", 0)]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("text;label\ngood, really;pos\nbad;neg\n", "cells are separated by semicolons"),
        ("text|label\ngood, really|pos\nbad|neg\n", "cells are separated by bars"),
        ("text\tlabel\ngood, really\tpos\nbad\tneg\n", "cells are separated by tabs"),
        (
            'sep=;\r\ntext;label\r\n"good, really";pos\r\nbad;neg\r\n',
            "cells are separated by ';', as its first line says",
        ),
        ('"sep=,"\ntext,label\n"good, really",pos\nbad,neg\n', ""),
        ('Label,ID, TEXT \npos,1,"good, really"\nneg,2,bad\n', "the column 'TEXT' is read as 'text'"),
        ('text,label,\n"good, really",pos,\nbad,neg,\n', ""),
        ('text,label,,\n"good, really",pos\nbad,neg,\n', ""),
        (',text,label\n0,"good, really",pos\n1,bad,neg\n', ""),
        ('id,text,id,label\n0,"good, really",1,pos\n1,bad,2,neg\n', ""),
        ('text,label\n"good, really", "pos"\nbad,neg\n', "rows with spaces between a separator and a quote, which are"),
        ('text,label\r"good, really",pos\rbad,neg\r', "lines end in \\r, as on old Macs"),
        ('text,label\n\n"good, really",pos\n\n\nbad,neg\n\n', "empty lines left out: 3"),
        ('text,label\n"good, really",pos\nbad,neg\n,\n ,\n', "empty rows at the end of the file, left out: 2"),
        ('text,label\n"good, really",pos\nbad,neg\n'.encode("utf-16-be", "surrogatepass"), None),
        (b"\xfe\xff" + 'text,label\n"good, really",pos\nbad,neg\n'.encode("utf-16-be"), "read as UTF-16-BE, which its"),
    ],
)
def test_csv_files_as_people_have_them(content, said, tmp_path, caplog):
    if said is None:
        with pytest.raises(UserError, match="say --encoding=utf-16-be"):
            columns(tmp_path, "train.csv", content)
        return
    assert columns(tmp_path, "train.csv", content) == GOOD_BAD
    assert said in caplog.text
    assert bool(said) == bool(caplog.text)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("Text,TEXT,label\ngood,good,pos\n", r"expected one column 'text'\. Received: 'Text', 'TEXT'"),
        ("text,text,label\ngood,good,pos\n", r"expected one column 'text'\. Received: 2 of this name"),
        ('text,label\n"say \\"hi\\" now",pos\n', r'where they are written \\", its source needs escape="\\\\"'),
        (
            "text,label\ngood,pos,more\n",
            r"expected 2 columns \(text, label\) separated by commas\. Received: 3 columns",
        ),
        (
            'text,label\ngood,pos\n"open,pos\nx,neg\n',
            r"train\.csv:3: expected a closing quote\. Received: none up to line 4",
        ),
        (
            '"3","Title a"\n"4","Title b"\n',
            r"A file without a header needs columns=\(\.\.\.\) and header=False in its source",
        ),
        (
            "text,label\ngood,pos\rbad,neg\n",
            r"train\.csv:2: expected CSV\. .*new-line character seen in unquoted field\)$",
        ),
    ],
)
def test_csv_files_that_cannot_be_read(content, expected, tmp_path):
    with pytest.raises(UserError, match=expected):
        columns(tmp_path, "train.csv", content)


def test_cells_under_no_name_are_counted(tmp_path, caplog):
    """The SMS spam collection, whose texts overflow into columns without a name."""
    assert columns(tmp_path, "train.csv", "text,label,,\ngood,pos,,\nbad,neg,more,\n") == [("good", 1), ("bad", 0)]
    assert "rows with cells under columns without a name, which are left out: 1" in caplog.text


def test_backslashes_before_quotes_where_the_source_says_so(tmp_path):
    source = Csv(files={"train": "train.csv"}, escape="\\")
    assert columns(tmp_path, "train.csv", 'text,label\n"say \\"hi\\", now",pos\n', source) == [('say "hi", now', 1)]


def test_a_header_that_was_not_announced_and_data_that_was_taken_for_one(tmp_path, caplog):
    headerless = Csv(files={"train": "train.csv"}, columns=("label", "text"), header=False)
    assert columns(tmp_path, "train.csv", "pos,good\n", headerless) == [("good", 1)]
    assert caplog.text == ""
    assert columns(tmp_path, "train.csv", "ID,Text,Label\n1,good,pos\n", headerless) == [("good", 1)]
    assert "its first row names the columns, and is read so, not as data" in caplog.text
    announced = Csv(files={"train": "train.csv"}, columns=("label", "text"))
    assert columns(tmp_path, "train.csv", "class,sentence\npos,good\n", announced) == [("good", 1)]
    expected = (
        r"train\.csv:1: expected a header, .* Received: \['pos', 'good'\], which can be read as data; if the file"
    )
    with pytest.raises(UserError, match=rf"{expected} has no header, its source needs header=False"):
        columns(tmp_path, "train.csv", "pos,good\nneg,bad\n", announced)
    caplog.clear()
    assert columns(tmp_path, "train.csv", "text,label\ngood,pos\n", announced) == [("good", 1)]
    assert "its header names the columns that are wanted, and is followed" in caplog.text


@pytest.mark.parametrize(
    ("content", "rows", "said"),
    [
        ('text\tlabel\n"so" good\tpos\n"bad\tneg\n', ['"so" good', '"bad'], ""),
        ('text\tlabel\n"He said ""so"""\tpos\nbad\tneg\n', ['He said "so"', "bad"], "line 2 has quotes that only CSV"),
        ('text\tlabel\n"two\nlines"\tpos\nbad\tneg\n', ["two\nlines", "bad"], "else its lines have different numbers"),
        ('text\tlabel\n"a\ttab"\tpos\nbad\tneg\n', ["a\ttab", "bad"], "else its lines have different numbers"),
        ('"text"\t"label"\n"so"\t"pos"\n"bad"\t0\n', ["so", "bad"], "every cell that is no number is in quotes"),
        ('text\tlabel\n"He said ""so"""\tpos\n"bad" he\tneg\n', ['"He said ""so"""', '"bad" he'],
         "as other lines need it (line 3), though cells on line 2 look quoted as in CSV; if the file"),
        ('text\tlabel\n"so\tpos\nbad"\tneg\n', ['"so', 'bad"'], "as CSV its 3 lines would be 2 rows"),
        ('text\tlabel\n"So."\tpos\nbad\tneg\n', ['"So."', "bad"], ""),
    ],
)  # fmt: skip
def test_quotes_of_tsv_files_are_what_the_file_shows(content, rows, said, tmp_path, caplog):
    assert columns(tmp_path, "train.tsv", content, TSV) == [(rows[0], 1), (rows[1], 0)]
    assert said in caplog.text
    assert bool(said) == bool(caplog.text)


def test_quotes_of_tsv_files_where_the_source_says_so(tmp_path):
    content = 'text\tlabel\n"so"\tpos\n'
    for quoted, word in ((True, "so"), (False, '"so"'), (None, '"so"')):
        source = Tsv(files={"train": "train.tsv"}, quoted=quoted)
        assert columns(tmp_path, "train.tsv", content, source) == [(word, 1)]


@pytest.mark.parametrize(
    "name", ["train.parquet", "train.xlsx", "train.jsonl", "train.json", "train.tsv", "train.csv.gz"]
)
def test_a_file_of_another_format_is_read_in_the_place_of_the_one_named(name, tmp_path, caplog):
    frame = pandas.DataFrame({"text": [text for text, _ in GOOD_BAD], "label": ["pos", "neg"]})
    path = tmp_path / name
    if name.endswith("parquet"):
        frame.to_parquet(path)
    elif name.endswith("xlsx"):
        frame.to_excel(path, index=False)
    elif name.endswith((".jsonl", ".json")):
        frame.to_json(path, orient="records", lines=name.endswith("l"))
    else:
        frame.to_csv(path, index=False, sep="\t" if name.endswith("tsv") else ",")
    found = CSV.open(tmp_path, "train", PARSERS)
    assert list(zip(*found.columns.values(), strict=True)) == GOOD_BAD
    assert (f"{path}: read in the place of train.csv, which is not there" in caplog.text) == (name != "train.csv.gz")
    assert list(CSV.open(path, "validation", PARSERS).columns["label"]) == [1, 0]  # one file, whatever the split
    assert list(JsonLines(files={"train": "x.jsonl"}).open(path, "train", PARSERS).columns["label"]) == [1, 0]


def test_what_is_there_is_said(tmp_path):
    for name in ("train.parquet", "train.jsonl", "readme.md"):
        (tmp_path / name).write_bytes(b"")
    with pytest.raises(
        UserError, match=r"expected the file train\.csv\. Received: readme\.md, train\.jsonl, train\.parq"
    ):
        CSV.open(tmp_path, "train", PARSERS)
    with pytest.raises(
        UserError, match=r"expected the file dev\.csv\. .* name the file so, or put some training rows aside"
    ):
        CSV.open(tmp_path, "validation", PARSERS)


def test_a_task_of_tsv_files_without_a_header_reads_csv_ones(tmp_path, caplog):
    source = Tsv(files={"train": "train.tsv"}, columns=("text", "label"), header=False)
    path = tmp_path / "mine.csv"
    path.write_text('"good, really",pos\nbad,neg\n')
    assert source.open(path, "test", PARSERS).columns["text"] == ["good, really", "bad"]
    assert "its 2 columns are read as those of the task's own files: text, label" in caplog.text
    path.write_text('id,label,text\n1,pos,"good, really"\n')
    assert source.open(path, "test", PARSERS).columns["text"] == ["good, really"]


def test_encodings_of_sources(tmp_path):
    content = "text,label\ncafé – “so”,pos\n".encode("cp1252")
    with pytest.raises(UserError, match=r"train\.csv:2: expected UTF-8\. .*byte 0xe9 .*--encoding=cp1252"):
        columns(tmp_path, "train.csv", content)
    named = Csv(files={"train": "train.csv"}, encoding="cp1252")
    assert columns(tmp_path, "train.csv", content, named) == [("café – “so”", 1)]
    assert columns(tmp_path, "train.csv", content, CSV.with_options(encoding="cp1252", bad_rows_share=0.0))[0][1] == 1
    assert named.with_options(encoding=None, bad_rows_share=0.2).encoding == "cp1252"
    parallel = Parallel(files={"train": {"text": "a.en", "label": "a.l"}}, encoding="latin-1")
    (tmp_path / "a.l").write_text("pos\n")
    assert columns(tmp_path, "a.en", "é\n".encode("latin-1"), parallel) == [("é", 1)]


def test_json_rows_inside(tmp_path, caplog):
    source = JsonLines(files={"train": "train.jsonl"})
    content = '{"example": {"text": "good", "label": "pos"}, "id": 1}\n{"example": {"text": "bad", "label": 0}}\n'
    assert columns(tmp_path, "train.jsonl", content, source) == [("good", 1), ("bad", 0)]
    assert "the column 'example.text' is read as 'text'" in caplog.text
    twice = '{"a": {"text": "good"}, "b": {"text": "bad"}, "label": 1}\n'
    with pytest.raises(
        UserError, match=r"train\.jsonl:1: expected the column 'text'\. Received: \['a', 'b', 'label'\]"
    ):
        columns(tmp_path, "train.jsonl", twice, source)
    content = '{"text": "good", "label": 0, "label": 1}\n'
    assert columns(tmp_path, "train.jsonl", content, source) == [("good", 1)]
    assert "objects that name a key twice, of which the last is read: 1" in caplog.text


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (
            '[{"text": "a", "label": 1},\n {"text": "b" "label": 1}]',
            r"train\.jsonl:2: expected JSON \(Expecting ',' delim",
        ),
        ('[{"text": "a", "label": 1}\n', r"train\.jsonl:2: expected '\]'\. Received: the file's end"),
        ('[{"text": "a", "label": 1}\n {"text": "b", "label": 1}]', r"train\.jsonl:2: expected ',' or '\]'"),
        (
            '[{"text": "a", "label": 1}]\n[]',
            r"train\.jsonl:2: expected nothing after the array's end\. Received: '\[\]'",
        ),
        ('[\n{"text": "a", "label": 1},\n3]', r"train\.jsonl:3: expected a JSON object\. Received: 3"),
        ('{\n"text": "a",\n"label": }', r"train\.jsonl:3: expected JSON"),
        ('{"a": [{"text": "x"}], "b": [{"text": "y"}]}', r"expected the column 'text'\. Received: \['a', 'b'\]"),
    ],
)
def test_json_that_breaks_off_is_named_by_its_line(content, expected, tmp_path):
    with pytest.raises(UserError, match=expected):
        columns(tmp_path, "train.jsonl", content, JsonLines(files={"train": "train.jsonl"}))


def test_data_in_memory(tmp_path):
    frame = pandas.DataFrame({"text": ["a", "b"], "label": pandas.Categorical(["pos", "neg"])})
    import pyarrow

    for rows in (frame, pyarrow.Table.from_pandas(frame), {"text": frame["text"], "label": frame["label"]}):
        assert InMemory({"train": rows}).open(None, "train", PARSERS).columns == {"text": ["a", "b"], "label": [1, 0]}
    for rows, expected in (
        ([("a", 1)], r"train\[0\]: expected a dict of columns\. Received: \('a', 1\)"),
        (
            pandas.DataFrame({"text": ["a", None], "label": [0, 1]}),
            r"train\[1\]: column 'text': expected text\. Received: ",
        ),
        (
            pandas.DataFrame({"text": ["a"], "label": pandas.array([None], "Int64")}),
            r"Received: <NA>, which stands for no",
        ),
        (pandas.DataFrame({"text": [5], "label": [0]}), r"train\[0\]: column 'text': expected text\. Received: 5"),
        (
            pandas.DataFrame([["a", "b", 1]], columns=["text", "text", "label"]),
            r"expected one column 'text'\. Received: 2",
        ),
    ):
        with pytest.raises(UserError, match=expected):
            InMemory({"train": rows}).open(None, "train", PARSERS)
    spare = pandas.DataFrame([["a", 1, "x", "y"]], columns=["text", "label", "z", "z"])
    assert InMemory({"train": spare}).open(None, "train", PARSERS).columns["label"] == [1]


def test_labels_of_a_set_of_datasets_come_by_name():
    class Held(list):
        """What is used of a `datasets.Dataset`, whose classes are in an order of their own."""

        column_names = ("text", "label")
        features = MappingProxyType({"text": None, "label": SimpleNamespace(names=["pos", "neg"])})

    rows = Held([{"text": "a", "label": 0}, {"text": "b", "label": 1}])
    assert InMemory({"train": rows}).open(None, "train", PARSERS).columns["label"] == [1, 0]


@pytest.mark.parametrize(
    ("bad", "share", "stops"), [(1, 0.01, False), (2, 0.01, True), (2, 0.02, False), (1, 0.0, True)]
)
def test_bad_rows_stop_above_the_share(bad, share, stops, tmp_path, caplog):
    content = "text,label\n" + "good,pos\n" * (100 - bad) + "good,maybe\n" * bad
    source = Csv(files={"train": "train.csv"}, bad_rows_share=share)
    if stops:
        expected = rf"train\.csv: expected at most {100 * share:g} % of the rows to be bad \(data\.bad_rows_share\)\. "
        with pytest.raises(
            UserError, match=rf"{expected}Received: {bad} of 100 \({bad}\.00 %\).*say --skip-bad-rows=0\.0{bad}$"
        ):
            read(tmp_path, "train.csv", content, source, skip_bad_rows=True)
    else:
        assert read(tmp_path, "train.csv", content, source, skip_bad_rows=True).skipped == bad
        assert (
            f"left out {bad} bad rows of 100 ({bad}.00 %): {bad} x [column 'label': expected one of neg, pos"
            in caplog.text
        )
    with pytest.raises(UserError, match=rf"train\.csv:{102 - bad}: column 'label'"):
        read(tmp_path, "train.csv", content, source)


def test_beirs_folders_in_other_formats(tmp_path):
    (tmp_path / "qrels").mkdir()
    (tmp_path / "corpus.jsonl.gz").write_bytes(gzip.compress(b'{"_id": "d1", "title": "T", "text": "one"}\n'))
    pandas.DataFrame({"_id": ["q1"], "text": ["what"]}).to_parquet(tmp_path / "queries.parquet")
    found = [Beir().open(tmp_path, name, {"id": str, "text": text}).columns for name in ("documents", "queries")]
    assert found == [{"id": ["d1"], "text": ["T one"]}, {"id": ["q1"], "text": ["what"]}]
    (tmp_path / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq1\td1\t1\n")
    parsers = {"query": str, "document": str, "gain": number()}
    assert Beir().open(tmp_path, "test", parsers).columns == {"query": ["q1"], "document": ["d1"], "gain": [1.0]}


def test_what_annotators_of_prodigy_refused_teaches_nothing(tmp_path, caplog):
    rows = [
        {"text": text, "label": "pos", "_task_hash": n, "answer": answer}
        for n, (text, answer) in enumerate([("a", "accept"), ("b", "reject"), ("c", "ignore"), ("d", "accept")])
    ]
    source = JsonLines(files={"train": "train.jsonl"}, bad_rows_share=0.5)
    content = "".join(json.dumps(row) + "\n" for row in rows)
    with pytest.raises(UserError, match=r"train.jsonl:2: expected an annotation that was accepted. .*: 'reject'"):
        read(tmp_path, "train.jsonl", content, source)
    assert columns(tmp_path, "train.jsonl", content, source, skip_bad_rows=True) == [("a", 1), ("d", 1)]
    assert "left out 2 bad rows of 4" in caplog.text
    own = content.replace("_task_hash", "hash")  # a column of somebody's own
    assert len(columns(tmp_path, "train.jsonl", own, source)) == 4


def test_a_quote_is_found_wherever_it_stands(tmp_path):
    # The first and the second piece that a file is read in, and UTF-16.
    for filler, encoding in (("", "utf-8"), ("x" * 1_200_000, "utf-8"), ("", "utf-16")):
        content = f'text\tlabel\n{filler}a\tpos\n"b ""c"""\tneg\n'.encode(encoding)
        assert columns(tmp_path, "train.tsv", content, TSV)[1] == ('b "c"', 0)


def test_lines_that_pieces_of_a_file_cut(tmp_path):
    # Pieces end after 64 KiB and then after every MiB: within a character, within \r\n, and with no end for a MiB.
    texts = ["é" * n for n in (32_760, 3, 524_286, 5, 1_200_000, 1)]
    for end in ("\n", "\r\n"):
        content = end.join(["text\tlabel", *(f"{text}\tpos" for text in texts)]).encode()
        assert [found for found, _ in columns(tmp_path, "train.tsv", content, TSV)] == texts


def test_a_broken_character_before_a_line_end_stays_in_its_line(tmp_path):
    for encoding in ("shift_jis", "gb18030", "big5"):
        content = b"text\tlabel\na\tpos\nb\x81\tneg\nc\tpos\n"
        source = Tsv(files={"train": "train.tsv"}, encoding=encoding, bad_rows_share=0.5)
        found = columns(tmp_path, "train.tsv", content, source, skip_bad_rows=True)
        assert found == [("a", 1), ("c", 1)]
