"""CoNLL-U: its columns, words of several, empty nodes, and the text that the words stand in."""

from __future__ import annotations

import logging

import pytest

from bert_tf.data import Annotated
from bert_tf.errors import UserError

# Our own sentences. The first writes two pairs of words as one each, has an empty node, and its text.
TREES = """# newdoc id = one
# sent_id = 1
# text = Vámonos al mar.
1-2	Vámonos	_	_	_	_	_	_	_	_
1	Vamos	ir	VERB	_	Mood=Imp|Number=Plur	0	root	_	_
2	nos	yo	PRON	_	Number=Plur	1	obj	_	_
3-4	al	_	_	_	_	_	_	_	_
3	a	a	ADP	_	_	5	case	_	_
4	el	el	DET	_	Number=Sing	5	det	_	_
5	mar	mar	NOUN	_	Number=Sing	1	obl	_	SpaceAfter=No|NER=B-LOC
5.1	nada	nada	VERB	_	_	_	_	1:conj	_
6	.	.	PUNCT	_	_	1	punct	_	SpaceAfter=No

# newdoc id = two
1	Hola	hola	INTJ	_	_	0	root	_	SpaceAfter=No
2	!	!	PUNCT	_	_	1	punct	_	_
"""


def read(folder, content=TREES, name="es.conllu", **how):
    path = folder / name
    path.write_bytes(content.encode())
    source = Annotated(files={"train": name}, **how)
    columns = source.open(folder, "train", dict.fromkeys(("words", "tags", "document"), lambda cell: cell)).columns
    return source.found(path), columns


@pytest.mark.parametrize("content", [TREES, TREES.replace("\n", "\r\n"), "\ufeff" + TREES, TREES + "\n\n"])
def test_words_are_those_of_the_text(tmp_path, content):
    found, columns = read(tmp_path, content)
    assert (found.form, found.tags) == ("conllu", "UPOS")
    first, second = columns["words"]
    assert (first.words, first.text, first.starts) == (["Vámonos", "al", "mar", "."], "Vámonos al mar.", [0, 8, 11, 14])
    assert (second.text, second.starts) == ("Hola!", [0, 4])
    assert columns["tags"] == [["VERB+PRON", "ADP+DET", "NOUN", "PUNCT"], ["INTJ", "PUNCT"]]
    assert columns["document"] == [1, 2]


def test_what_is_left_out_or_joined_is_said(tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        read(tmp_path)
    assert "joined, such as ADP+DET: 2" in caplog.text
    assert "empty nodes (4.1), which are no words of the text, left out: 1" in caplog.text


@pytest.mark.parametrize(
    ("column", "tags"),
    [
        ("upos", ["VERB+PRON", "ADP+DET", "NOUN", "PUNCT"]),
        ("3", ["VERB+PRON", "ADP+DET", "NOUN", "PUNCT"]),
        ("FEATS", ["Mood=Imp|Number=Plur+Number=Plur", "Number=Sing", "Number=Sing", "_"]),
        ("FEATS.Number", ["Plur", "Sing", "Sing", "_"]),
        ("DEPREL", ["root+obj", "case+det", "obl", "punct"]),
        ("MISC.NER", ["O", "O", "B-LOC", "O"]),
    ],
)
def test_any_column(tmp_path, column, tags):
    assert read(tmp_path, tags=column)[1]["tags"][0] == tags


def test_a_text_that_is_another_is_not_used(tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        _, columns = read(tmp_path, TREES.replace("text = Vámonos al mar.", "text = Vamos al mar."))
    assert columns["words"][0].text == "Vámonos al mar."  # made of the words and what MISC says of spaces
    assert "sentences whose words are not those of their '# text', which is not used: 1" in caplog.text


def test_columns_that_the_file_names(tmp_path):
    content = "# global.columns = ID FORM UPOS NER\n1\tIda\tPROPN\tB-PER\n2\tleft\tVERB\tO\n\n"
    assert read(tmp_path, content, "a.conllup", tags="NER")[1]["tags"] == [["B-PER", "O"]]
    assert read(tmp_path, content, "a.txt")[1]["tags"] == [["PROPN", "VERB"]]


@pytest.mark.parametrize(
    ("content", "how", "message"),
    [
        (TREES, {"tags": "UPSO"}, "expected one of the columns ID, .*, or 0 to 9. Received: 'UPSO'.* mean 'UPOS'"),
        (TREES, {"tags": "MISC.Gloss"}, "expected the key 'Gloss' in the column MISC. Received: none"),
        ("", {}, "expected one sentence of CoNLL-U at least"),
        (TREES.replace("\t0\troot\t_\t_", "\t0\troot\t_", 1), {}, "es.conllu:5: expected 10 columns"),
        (TREES.replace("6\t.", "x\t.", 1), {}, "es.conllu:12: expected the number of a word, such as 1, 1-2 or 1.1"),
    ],
)  # fmt: skip
def test_what_cannot_be_says_so(tmp_path, content, how, message):
    with pytest.raises(UserError, match=message):
        read(tmp_path, content, **how)
