"""What our readers read is what pandas, openpyxl, the csv module and the json module read, over generated files."""

from __future__ import annotations

import csv
import gzip
import io
import json
from pathlib import Path

import hypothesis.strategies as st
import openpyxl
import pandas
import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings

from bert_tf.data.files import DataFile, Style, Wanted, read_rows
from bert_tf.data.rows.table import BadRow

SEEDED = settings(
    derandomize=True,
    max_examples=60,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],  # shrinking takes minutes; the failing file is in the message
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
ODD = st.sampled_from([*"\"'\\,;|\t\n\r /#-=\x0b\x85\u2028é–好😀", '""', "\r\n", 'a "b"', "\\n", "NA", "null", " x "])
TEXT = st.lists(st.one_of(ODD, st.text(st.characters(blacklist_categories=["Cs", "Cc"]), max_size=4)), max_size=6).map(
    "".join
)
ROWS = st.lists(st.tuples(st.integers(0, 99).map(str), TEXT, st.sampled_from(["pos", "neg", "1", "-1.5"])), min_size=1)
WHOLE = st.integers(-(2**63), 2**63 - 1)
NAMES = ["id", "text", "label"]
WANTED = Wanted(required=("text", "label"))


def ours(path: Path, name: str, encoding: str | None = None, style: Style | None = None) -> list[dict]:
    found = read_rows(DataFile(path, encoding), WANTED, name, style)
    rows = [row for _, row in found.rows]
    assert not [row for row in rows if isinstance(row, BadRow)]
    return [dict(row) for row in rows if not isinstance(row, BadRow)]


def encoded(text: str, encoding: str) -> str:
    """What an encoding can hold of a text."""
    return text.encode(encoding, "ignore").decode(encoding)


@SEEDED
@given(
    rows=ROWS,
    separator=st.sampled_from(",;\t|"),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
    end=st.sampled_from(["\n", "\r\n"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252", "gb18030", "shift_jis"]),
    packed=st.booleans(),
)
def test_csv_as_pandas_reads_it(tmp_path, rows, separator, quoting, end, encoding, packed):
    assume(end == "\r\n" or not any("\r" in text for _, text, _ in rows))  # which Python before 3.13 writes unquoted
    frame = pandas.DataFrame([[encoded(cell, encoding) for cell in row] for row in rows], columns=NAMES)
    raw = io.StringIO(newline="")
    frame.to_csv(raw, index=False, sep=separator, quoting=quoting, lineterminator=end)
    path = tmp_path / "in.csv"
    content = raw.getvalue().encode(encoding)
    path.write_bytes(gzip.compress(content) if packed else content)
    theirs = pandas.read_csv(
        io.BytesIO(content), sep=separator, dtype=str, keep_default_na=False, encoding=encoding, lineterminator=None
    )
    told = encoding if encoding in ("utf-16-le", "cp1252", "gb18030", "shift_jis") else None
    assert ours(path, "csv", told) == theirs.to_dict("records")
    # The csv module, told what the file says of itself.
    reader = csv.DictReader(io.StringIO(raw.getvalue(), newline=""), delimiter=separator)
    assert theirs.to_dict("records") == list(reader)


@SEEDED
@given(
    rows=ROWS,
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    end=st.sampled_from(["\n", "\r\n"]),
)
def test_tsv_that_pandas_wrote_as_pandas_reads_it(tmp_path, rows, quoting, end):
    path = tmp_path / "in.tsv"
    assume(not any("\t" in text and "\n" in text for _, text, _ in rows))  # which could be rows of their own
    assume(end == "\r\n" or not any("\r" in text for _, text, _ in rows))  # which Python before 3.13 writes unquoted
    frame = pandas.DataFrame(rows, columns=NAMES)
    frame.to_csv(path, index=False, sep="\t", quoting=quoting, lineterminator=end)
    theirs = pandas.read_csv(path, sep="\t", dtype=str, keep_default_na=False)
    assert ours(path, "tsv") == theirs.to_dict("records")


NATURAL = st.lists(st.sampled_from(['"', '"Yes', 'he said"', '"so" ', "it's", '5" ', "é", ".", " "]), min_size=1).map(
    "".join
)


@SEEDED
@given(rows=st.lists(st.tuples(NATURAL, st.sampled_from("01")), min_size=2))
def test_tsv_that_nothing_quotes_keeps_its_quotes(tmp_path, rows):
    """GLUE's: read as pandas does with quoting=3, unless all of its quotes happen to be where CSV has them."""
    path = tmp_path / "in.tsv"
    path.write_text("text\tlabel\n" + "".join(f"{text}\t{label}\n" for text, label in rows), encoding="utf-8")
    theirs = pandas.read_csv(path, sep="\t", dtype=str, keep_default_na=False, quoting=csv.QUOTE_NONE).to_dict(
        "records"
    )
    stray = any('"' in text.strip('"') for text, _ in rows)
    assume(stray)
    assert ours(path, "tsv") == theirs


@SEEDED
@given(
    rows=st.lists(
        st.fixed_dictionaries(
            {
                "text": TEXT,
                "label": st.one_of(st.integers(), st.booleans(), st.none(), st.floats(allow_nan=False), TEXT),
            },
            optional={"more": st.lists(st.dictionaries(TEXT, st.integers(), max_size=2), max_size=2)},
        ),
        min_size=1,
    ),
    form=st.sampled_from(["lines", "blank lines", "array", "indented", "a row a line", "data", "objects"]),
    ascii_only=st.booleans(),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_json_as_the_json_module_reads_it(tmp_path, rows, form, ascii_only, encoding):
    def dumps(value, **options):
        return json.dumps(value, ensure_ascii=ascii_only, **options)

    content = {
        "lines": lambda: "".join(dumps(row) + "\n" for row in rows),
        "blank lines": lambda: "\n" + "\n\r\n".join(dumps(row) for row in rows),
        "array": lambda: dumps(rows),
        "indented": lambda: dumps(rows, indent=2),
        "a row a line": lambda: "[\n" + ",\n".join(dumps(row) for row in rows) + "\n]\n",
        "data": lambda: dumps({"version": 1, "data": rows}),
        "objects": lambda: "\n".join(dumps(row, indent=1) for row in rows),
    }[form]()
    path = tmp_path / "in.json"
    path.write_bytes(content.encode(encoding))
    assert ours(path, "jsonl") == rows
    if form == "lines":
        written = [json.loads(line) for line in content.split("\n")[:-1]]
        assert written == rows


@SEEDED
@given(rows=st.lists(st.tuples(WHOLE, st.none() | TEXT, st.floats(allow_nan=False), st.lists(TEXT)), min_size=1))
def test_parquet_as_pandas_reads_it(tmp_path, rows):
    path = tmp_path / "in.parquet"
    frame = pandas.DataFrame(rows, columns=["id", "text", "label", "words"])
    frame.to_parquet(path)
    theirs = pandas.read_parquet(path)
    theirs["text"] = theirs["text"].astype(object).where(theirs["text"].notna(), None)
    theirs["words"] = [list(words) for words in theirs["words"]]
    assert ours(path, "parquet") == theirs.to_dict("records")


@settings(SEEDED, max_examples=25)
@given(rows=ROWS)
def test_xlsx_as_pandas_reads_it(tmp_path, rows):
    rows = [
        (number, "".join(c for c in text if c.isprintable() and ord(c) < 0xFFFE), label) for number, text, label in rows
    ]
    assume(not any(text.startswith("=") for _, text, _ in rows))  # a formula
    path = tmp_path / "in.xlsx"
    book = openpyxl.Workbook()
    assert book.active is not None
    for row in [NAMES, *rows]:
        book.active.append(row)
    book.save(path)
    theirs = pandas.read_excel(path, dtype=str, keep_default_na=False, na_filter=False)
    assert ours(path, "xlsx") == theirs.to_dict("records")


@SEEDED
@given(
    lines=st.lists(TEXT.map(lambda text: text.replace("\n", "").replace("\r", ""))),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
def test_lines_end_where_they_say(tmp_path, lines, end, encoding):
    assume(end != "\r" or encoding == "utf-8")
    path = tmp_path / "in.txt"
    path.write_bytes("".join(line + end for line in lines).encode(encoding))
    found = read_rows(DataFile(path), Wanted(), "lines")
    assert [dict(row)["line"] for _, row in found.rows if not isinstance(row, BadRow)] == lines
