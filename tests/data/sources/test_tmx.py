from __future__ import annotations

import gzip

import pytest

from bert_tf.data import Tmx, text
from bert_tf.errors import UserError

SOURCE = Tmx(files={"train": "m.tmx"}, languages={"source": "en", "target": "de"}, bad_rows_share=0.8)
PARSERS = {"source": text, "target": text}
HEAD = '<?xml version="1.0" encoding="{}"?>\n<!DOCTYPE tmx SYSTEM "tmx14.dtd">\n<tmx version="1.4"{}><header/><body>'


def unit(**segments):
    """A unit of `language="segment"`, `_` for `-`."""
    variants = "".join(
        f'<tuv xml:lang="{name.replace("_", "-")}"><seg>{segment}</seg></tuv>' for name, segment in segments.items()
    )
    return f"<tu><prop type='x'>y</prop>{variants}</tu>"


def write(folder, *units, encoding="UTF-8", attributes=""):
    content = HEAD.format(encoding, attributes) + "\n".join(units) + "</body></tmx>"
    (folder / "m.tmx").write_bytes(content.encode(encoding))
    return folder


def read(folder, **options):
    return SOURCE.open(folder, "train", PARSERS, **options)


@pytest.mark.parametrize("encoding", ["UTF-8", "UTF-16"])
def test_units_are_rows(tmp_path, encoding):
    marked = 'Press <bpt i="1">&lt;b&gt;</bpt>the <hi>red</hi>\n button<ept i="1">&lt;/b&gt;</ept> &amp; go<ph/>.'
    units = [
        unit(EN="Go.", DE="Geh\u00f6."),
        unit(en_US=marked, de="Weg.", fr="Va."),
        unit(en_GB="no", en="yes", de="ja"),
    ]
    table = read(write(tmp_path, *units, encoding=encoding))
    assert table.columns == {
        "source": ["Go.", "Press the red button & go.", "yes"],
        "target": ["Geh\u00f6.", "Weg.", "ja"],
    }
    (tmp_path / "m.tmx.gz").write_bytes(gzip.compress((tmp_path / "m.tmx").read_bytes()))
    (tmp_path / "m.tmx").unlink()
    assert read(tmp_path).columns == table.columns


def test_a_namespace_and_the_old_attribute(tmp_path):
    write(tmp_path, unit(en="a", de="b").replace("xml:lang", "lang"), attributes=' xmlns="http://www.lisa.org/tmx14"')
    assert read(tmp_path).columns == {"source": ["a"], "target": ["b"]}


def test_what_cannot_be_read_is_named_or_skipped(tmp_path):
    write(tmp_path, unit(en="a", fr="b"), unit(en="a", de=" "), unit(en="a", de="b"))
    with pytest.raises(UserError, match=r"m\.tmx\[0\]: expected a text in the language de. Received: en, fr"):
        read(tmp_path)
    table = read(tmp_path, skip_bad_rows=True)
    assert (table.columns["target"], table.skipped) == (["b"], 2)
    (tmp_path / "m.tmx").write_text("<tmx><body><tu>\n</body>")
    with pytest.raises(UserError, match=r"m\.tmx:2: expected XML. Received: mismatched tag"):
        read(tmp_path)
