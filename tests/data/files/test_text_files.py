from __future__ import annotations

import gzip
import logging

import pytest

from bert_tf.data.rows.cells import number, text
from bert_tf.data.rows.labels import class_index
from bert_tf.data.sources.table_files import Csv, JsonLines, Tsv
from bert_tf.errors import UserError

PARSERS = {"sentence": text, "label": class_index(("negative", "positive"))}
TSV = Tsv(files={"train": "train.tsv"}, bad_rows_share=0.7)
CSV = Csv(files={"train": "train.csv"}, bad_rows_share=0.7)
JSONL = JsonLines(files={"train": "train.jsonl"})


def table_of(tmp_path, source, content, parsers=None, **options):
    raw = content if isinstance(content, bytes) else content.encode()
    (tmp_path / source.files["train"]).write_bytes(raw)
    return source.open(tmp_path, "train", parsers or PARSERS, **options)


def error_of(tmp_path, source, content, parsers=None, **options):
    with pytest.raises(UserError) as caught:
        table_of(tmp_path, source, content, parsers, **options)
    message = str(caught.value)
    assert "\n" not in message
    return message.replace(f"{tmp_path}/", "")


def test_tsv_with_header_keeps_quotes_and_other_line_ends(tmp_path):
    table = table_of(tmp_path, TSV, 'sentence\tlabel\n"so" good \x0b\x85 \tpositive\nbad\t0\n')
    assert table.columns == {"sentence": ['"so" good \x0b\x85 ', "bad"], "label": [1, 0]}
    assert [table.place(0), table.place(1)] == [f"{tmp_path / 'train.tsv'}:2", f"{tmp_path / 'train.tsv'}:3"]
    assert len(table) == 2
    assert table.skipped == 0


def test_columns_are_found_by_the_header_in_any_order(tmp_path):
    table = table_of(tmp_path, TSV, "index\tlabel\tsentence\n7\t1\tgood\n")
    assert table.columns == {"sentence": ["good"], "label": [1]}


@pytest.mark.parametrize("zipped", [False, True])
def test_byte_order_mark_and_carriage_returns(tmp_path, zipped):
    raw = "\ufeffsentence\tlabel\r\ngut, größer\t1\r\n\r\n".encode()
    table = table_of(tmp_path, TSV, gzip.compress(raw) if zipped else raw)
    assert table.columns == {"sentence": ["gut, größer"], "label": [1]}


def test_gz_beside_the_name_is_found(tmp_path):
    (tmp_path / "train.tsv.gz").write_bytes(gzip.compress(b"sentence\tlabel\ngood\t1\n"))
    assert TSV.open(tmp_path, "train", PARSERS).columns["label"] == [1]


def test_a_file_is_read_whatever_the_split(tmp_path):
    (tmp_path / "mine.tsv").write_text("sentence\tlabel\ngood\t1\n")
    assert TSV.open(str(tmp_path / "mine.tsv"), "test", PARSERS).columns["label"] == [1]


def test_tsv_without_header(tmp_path):
    source = Tsv(files={"train": "train.tsv"}, columns=("sentence", "label"), header=False)
    table = table_of(tmp_path, source, "good\t1\nbad\t0")
    assert table.columns["label"] == [1, 0]
    assert table.numbers == [1, 2]
    with pytest.raises(ValueError, match=r"`columns` must be a tuple of names .* Received: columns=None"):
        Tsv(files={}, header=False)


def test_columns_stand_in_for_the_header(tmp_path):
    source = Tsv(files={"train": "train.tsv"}, columns=("sentence", "label"))
    assert table_of(tmp_path, source, "text\tclass\ngood\t1\n").columns["sentence"] == ["good"]
    assert error_of(tmp_path, source, "text\ngood\n") == (
        "train.tsv:1: expected a header of 2 columns (sentence, label). Received: ['text']"
    )


def test_optional_column_may_be_missing(tmp_path):
    assert table_of(tmp_path, TSV, "index\tsentence\n0\tgood\n", optional=("label",)).columns == {"sentence": ["good"]}
    assert table_of(tmp_path, JSONL, '{"sentence": "a"}\n', optional=("label",)).columns == {"sentence": ["a"]}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "sentence\tlabel\ngood\t1\nno tab here\n",
            "train.tsv:3: expected 2 columns (sentence, label) separated by tabs. Received: 1 column: 'no tab here'",
        ),
        (
            "sentence\tlabel\na\tb\t1\n",
            "train.tsv:2: expected 2 columns (sentence, label) separated by tabs. Received: 3 columns: 'a', 'b', '1'",
        ),
        (
            b"sentence\tlabel\ngood\t1\nna\xc3\xafve caf\xe9\t1\n",
            "train.tsv:3: expected UTF-8. Received: byte 0xe9 after 'naïve caf' ('é' in cp1252); if the file is not "
            "UTF-8, name its encoding, such as --encoding=cp1252",
        ),
        (
            b"sent\x81ence\tlabel\ngood\t1\n",
            "train.tsv:1: expected UTF-8. Received: byte 0x81 after 'sent'; if the file is not UTF-8, name its "
            "encoding, such as --encoding=cp1252",
        ),
        (
            "sentence\tlabel\ngood\tpostive\n",
            "train.tsv:2: column 'label': expected one of negative, positive, or an index from 0 to 1. "
            "Received: 'postive'. Did you mean 'positive'?",
        ),
        (
            "sentence\tlabel\ngood\t2\n",
            "train.tsv:2: column 'label': expected one of negative, positive, or an index from 0 to 1. Received: '2'; "
            "a file that counts its classes from 1 needs them by name",
        ),
        (
            "sentence\tlabel\n  \t1\n",
            "train.tsv:2: column 'sentence': expected text that is not empty. Received: '  '",
        ),
        (
            "good film\t1\nbad film\t0\n",
            "train.tsv:1: expected the columns sentence, label. Received: ['good film', '1'] without 'sentence'. A "
            "file without a header needs columns=(...) and header=False in its source.",
        ),
        (
            "sentences\tlabel\ngood\t1\n",
            "train.tsv:1: expected the columns sentence, label. Received: ['sentences', 'label'] without 'sentence'. "
            "Did you mean 'sentences'?",
        ),
        ("label\tlabel\n", "train.tsv:1: expected one column 'label'. Received: 2 of this name"),
        ("sentence\tlabel\n", "train.tsv: expected one row of data at least. Received: none"),
        ("", "train.tsv: expected one row of data at least. Received: none"),
    ],
)
def test_bad_tsv_is_named_with_file_and_line(tmp_path, content, message):
    assert error_of(tmp_path, TSV, content) == message


def test_broken_gzip_is_named(tmp_path):
    whole = gzip.compress(b"sentence\tlabel\n" + b"good\t1\n" * 1000)
    assert error_of(tmp_path, TSV, whole[:-20]).startswith("train.tsv: expected a whole gzip file. Received: ")
    flipped = whole[:30] + b"\0\0\0\0" + whole[34:]
    assert error_of(tmp_path, TSV, flipped).startswith("train.tsv: expected a whole gzip file. Received: ")


def test_bad_rows_are_skipped_and_counted(tmp_path, caplog):
    content = b"sentence\tlabel\ngood\t1\none column\n\xff\t1\n\t0\nbad\tawful\nbad\t0\n"
    with caplog.at_level(logging.WARNING):
        table = table_of(tmp_path, TSV, content, skip_bad_rows=True)
    assert table.columns == {"sentence": ["good", "bad"], "label": [1, 0]}
    assert table.numbers == [2, 7]
    assert table.skipped == 4
    assert table.reasons == {
        "expected 2 columns (sentence, label) separated by tabs": 1,
        "expected UTF-8": 1,
        "column 'sentence': expected text that is not empty": 1,
        "column 'label': expected one of negative, positive, or an index from 0 to 1": 1,
    }
    assert "left out 4 bad rows of 6 (66.67 %): 1 x [expected 2 columns (sentence, label) separated by" in caplog.text
    assert "train.tsv:4: expected UTF-8" in caplog.text
    assert "and 1 more reasons" in caplog.text


def test_nothing_but_bad_rows_is_an_error(tmp_path):
    message = error_of(tmp_path, TSV, "sentence\tlabel\nx\ny\n", skip_bad_rows=True)
    assert message.startswith("train.tsv: expected one row of data at least. Received: 2 bad rows: 2 x [")
    assert "train.tsv:2: expected 2 columns" in message


def test_csv_quotes_commas_and_line_ends(tmp_path):
    content = 'sentence,label\r\n"well, ""fine""\r\non two lines",1\r\nplain,0\r\n'
    table = table_of(tmp_path, CSV, content)
    assert table.columns == {"sentence": ['well, "fine"\r\non two lines', "plain"], "label": [1, 0]}
    assert table.numbers == [2, 4]


def test_csv_without_header_and_with_another_delimiter(tmp_path):
    source = Csv(files={"train": "train.csv"}, columns=("a", "b", "score"), header=False, delimiter=";")
    parsers = {"a": text, "b": text, "score": number(0, 5)}
    table = table_of(tmp_path, source, "x;y;2.5\nu;v;5\n", parsers)
    assert table.columns == {"a": ["x", "u"], "b": ["y", "v"], "score": [2.5, 5.0]}
    assert error_of(tmp_path, source, "x;y;5.5\n", parsers) == (
        "train.csv:1: column 'score': expected a number from 0 to 5. Received: '5.5'"
    )


def test_long_csv_cells_are_read(tmp_path):
    table = table_of(tmp_path, CSV, f"sentence,label\n{'word ' * 40_000},1\n")
    assert len(table.columns["sentence"][0]) == 200_000


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            'sentence,label\n"a\nb",1\nc\n',
            "train.csv:4: expected 2 columns (sentence, label) separated by commas. Received: 1 column: 'c'",
        ),
        (
            'sentence,label\ngood,1\n"open,1\nbad,0\n',
            "train.csv:3: expected a closing quote. Received: none up to line 4",
        ),
        (
            'sentence,label\n"a" b,1\n',
            """train.csv:2: expected CSV. Received: '"a" b,1' (',' expected after '"')""",
        ),
        (
            b"sentence,label\ncaf\xe9,1\n",
            "train.csv:2: expected UTF-8. Received: byte 0xe9 after 'caf' ('é' in cp1252); if the file is not UTF-8, "
            "name its encoding, such as --encoding=cp1252",
        ),
        (
            "sen\rtence,label\ngood,1\n",
            "train.csv:1: expected CSV. Received: 'sen\\rtence,label' (new-line character seen in unquoted field)",
        ),
        ("", "train.csv: expected one row of data at least. Received: none"),
    ],
)
def test_bad_csv_is_named_with_file_and_line(tmp_path, content, message):
    assert error_of(tmp_path, CSV, content) == message


def test_an_open_quote_is_never_skipped(tmp_path):
    content = 'sentence,label\ngood,1\n"open,1\nbad,0\n'
    assert "expected a closing quote" in error_of(tmp_path, CSV, content, skip_bad_rows=True)
    content = 'sentence,label\n"a" b,1\ngood,1\n'
    assert table_of(tmp_path, CSV, content, skip_bad_rows=True).columns["sentence"] == ["good"]


def test_json_lines(tmp_path):
    content = '{"label": 1, "sentence": "caf\\u00e9\\n", "other": null}\n{"sentence": "é", "label": "negative"}\n'
    table = table_of(tmp_path, JSONL, content)
    assert table.columns == {"sentence": ["café\n", "é"], "label": [1, 0]}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{oops\n", "train.jsonl:1: expected a JSON object. Received: '{oops' (Expecting property name enclosed in"),
        ("[1]\n", "train.jsonl:1: expected a JSON object. Received: [1]"),
        (
            '{"sentence": "a", "label": 1}\n{"sentence": "b"}\n',
            "train.jsonl:2: expected the column 'label'. Received: ['sentence']",
        ),
        ('{"sentence": 3, "label": 1}\n', "train.jsonl:1: column 'sentence': expected text. Received: 3"),
        (
            '{"sentence": "a", "label": [true, 1]}\n',
            "train.jsonl:1: column 'label': expected one of negative, positive",
        ),
        (b'{"sentence": "\xff"}\n', "train.jsonl:1: expected UTF-8. Received: byte 0xff"),
        (
            '{"sentence": "a\\ud800", "label": 1}\n',
            "train.jsonl:1: column 'sentence': expected text that UTF-8 can hold. Received: a lone surrogate (U+D8",
        ),
        ("[" * 100_000, "train.jsonl:1: expected a JSON object. Received: '[[["),
    ],
)
def test_bad_json_is_named_with_file_and_line(tmp_path, content, message):
    assert error_of(tmp_path, JSONL, content).startswith(message)


def test_missing_places_are_named(tmp_path):
    with pytest.raises(UserError, match=r"nowhere: expected a folder or file with the data. Received: no such"):
        TSV.open(tmp_path / "nowhere", "train", PARSERS)
    with pytest.raises(UserError, match=r"expected the file train.tsv. Received: an empty folder"):
        TSV.open(tmp_path, "train", PARSERS)
    for i in range(12):
        (tmp_path / f"{i:02}.txt").touch()
    with pytest.raises(UserError, match=r"Received: 00.txt, 01.txt, .*09.txt and 2 more"):
        TSV.open(tmp_path, "train", PARSERS)
    with pytest.raises(UserError, match=r"expected a split of train. Received: 'trian'. Did you mean 'train'\?"):
        TSV.open(tmp_path, "trian", PARSERS)
    with pytest.raises(UserError, match=r"expected a folder or file with the data. Received: none"):
        TSV.open(None, "train", PARSERS)
