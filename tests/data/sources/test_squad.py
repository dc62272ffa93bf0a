from __future__ import annotations

import gzip
import json

import numpy as np
import pytest

from bert_tf.data import SpanAnswer, Squad
from bert_tf.data.rows.span_answers import answers_cell, placed
from bert_tf.data.sources.squad import blank_or_text, flag_cell
from bert_tf.errors import UserError

SOURCE = Squad(files={"train": "train.json"}, bad_rows_share=0.5)
PARSERS = {"id": str, "question": blank_or_text, "context": str, "answers": answers_cell}
QUESTION = {"id": "q1", "question": "Who?", "answers": [{"text": "Zoë", "answer_start": 0}]}


def write(folder, *paragraphs, indent=None):
    content = {"version": "1.1", "data": [{"title": "t", "paragraphs": list(paragraphs)}]}
    path = folder / "train.json"
    path.write_text(json.dumps(content, indent=indent, ensure_ascii=False), encoding="utf-8")
    return path


def read(where, **options):
    return SOURCE.open(where, "train", PARSERS, **options)


def test_questions_stand_in_the_files_order_with_their_lines(tmp_path):
    second = {"id": "q\u00fc", "question": "Where?", "answers": []}
    write(
        tmp_path,
        {"context": "Zoë sang.", "qas": [QUESTION, second]},
        {"context": "None.", "qas": [QUESTION | {"id": "q3", "answers": []}]},
        indent=1,
    )
    table = read(tmp_path)
    assert table.columns["id"] == ["q1", "q\u00fc", "q3"]
    assert table.columns["question"] == ["Who?", "Where?", "Who?"]
    assert table.columns["context"] == ["Zoë sang.", "Zoë sang.", "None."]
    assert table.columns["answers"] == [(SpanAnswer("Zoë", 0),), (), ()]
    lines = (tmp_path / "train.json").read_text(encoding="utf-8").split("\n")
    assert [lines[number - 1].strip() for number in table.numbers] == ['"id": "q1",', '"id": "q\u00fc",', '"id": "q3",']


def test_a_gzipped_file_and_one_with_escapes(tmp_path):
    path = write(tmp_path, {"context": "Zoë sang.", "qas": [QUESTION | {"id": "ü"}]})
    content = json.dumps(json.loads(path.read_text(encoding="utf-8")), indent=0)
    assert "\\u00fc" in content
    with gzip.open(tmp_path / "train.json.gz", "wt") as file:
        file.write(content)
    path.unlink()
    table = read(tmp_path)
    line = content.split("\n").index('"id": "\\u00fc",') + 1
    assert (table.columns["id"], table.numbers) == (["ü"], [line])


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ('{"data":\n [}', r"train.json:2: expected JSON. Received: Expecting value \(column 3\)"),
        ("", r"train.json:1: expected JSON. Received: Expecting value"),
        ("[" * 100_000, r"train.json:1: expected JSON"),
        ("[1]", r"train.json:1: data\[0\]: expected an object with a list 'paragraphs' or 'qas', .* Received: 1"),
        ('{"data": {}}', "expected a JSON object with a list 'data', or a list"),
        ("7", "expected a JSON object with a list 'data', or a list. Received: 7"),
        (
            '{"question": "a"}\n{"question"}',
            r"train.json:2: expected JSON. Received: Expecting ':' delimiter \(column 12",
        ),
        ('{"data": []}', "expected one row of data at least"),
        ('{"data": [3]}', r"data\[0\]: expected an object with a list 'paragraphs' or .*. Received: 3"),
        ('[{"sentence": "a"}]', r"data\[0\]: expected an object with a list 'paragraphs' or .* with a question"),
        ('{"data": [{"paragraphs": [{"qas": []}]}]}', r"data\[0\].paragraphs\[0\]: expected an object with a text"),
        ('{"data": [{"paragraphs": [{"context": "c", "qas": ["q"]}]}]}', r"paragraphs\[0\].qas\[0\]: expected an obj"),
    ],
)
def test_a_file_of_another_form_is_named(tmp_path, content, expected):
    (tmp_path / "train.json").write_text(content)
    with pytest.raises(UserError, match=expected):
        read(tmp_path)


BAD = [
    ({"answers": [{"answer_start": 1}]}, "expected a text, or an object with 'text' and 'answer_start'"),
    ({"answers": [7]}, "expected a text, or an object with 'text'"),
    ({"answers": [{"text": 7, "answer_start": 1}]}, "expected text. Received: 7"),
    ({"answers": {"text": ["x", "y"], "answer_start": [1]}}, "lists 'text' and 'answer_start' of one length"),
    ({"answers": {"answer_start": [1]}}, "lists 'text' and 'answer_start'"),
    ({"answers": "{'text': "}, "expected answers, as JSON or Python writes them"),
    ({"answers": 7}, "list of answers"),
    ({"question": None}, "column 'question': expected text. Received: None"),
    ({"is_impossible": "no"}, "question 'q1': expected 'is_impossible' true or false. Received: 'no'"),
]


@pytest.mark.parametrize(("change", "expected"), BAD)
def test_a_bad_question_is_named_or_skipped(tmp_path, change, expected):
    good = QUESTION | {"id": "q2"}
    write(tmp_path, {"context": "Zoë sang.", "qas": [QUESTION | change, good]}, indent=1)
    with pytest.raises(UserError, match=r"train.json:\d+: ") as caught:
        read(tmp_path)
    assert expected in str(caught.value)
    table = read(tmp_path, skip_bad_rows=True)
    assert (table.columns["id"], table.skipped) == (["q2"], 1)


def test_a_question_without_answers_is_named_where_answers_are_needed(tmp_path):
    write(tmp_path, {"context": "Zoë sang.", "qas": [{"id": "q1", "question": "Who?"}]})
    with pytest.raises(UserError, match=r"train.json:1: expected the column 'answers'"):
        read(tmp_path)
    assert "answers" not in read(tmp_path, optional=("answers",)).columns


def test_a_row_has_the_columns_of_its_file(tmp_path):
    bare = {"id": "q1", "question": "Who?"}

    def rows(*questions):
        write(tmp_path, {"context": "Zoë sang.", "qas": list(questions)})
        return [row for _, row in SOURCE._read(tmp_path / "train.json")[1]]

    assert rows(bare) == [{**bare, "context": "Zoë sang."}]
    flagged = rows(bare, bare | {"is_impossible": True})
    assert [isinstance(row, dict) and row["is_impossible"] for row in flagged] == [None, True]


def test_impossible_questions_need_no_answers(tmp_path):
    row = {"id": "q1", "question": "Who?", "is_impossible": True, "plausible_answers": [{"text": "Zoë"}]}
    write(tmp_path, {"context": "Zoë sang.", "qas": [row, QUESTION | {"is_impossible": False}]})
    assert read(tmp_path).columns["answers"] == [(), (SpanAnswer("Zoë", 0),)]


ZOE = SpanAnswer("Zoë", 3)


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ([{"text": "Zoë", "answer_start": 3, "answer_id": 9}], (ZOE,)),
        ({"text": ["Zoë", "b"], "answer_start": [3, 0]}, (ZOE, SpanAnswer("b", 0))),
        ({"text": np.array(["Zoë".encode()], object), "answer_start": np.array([3], np.int32)}, (ZOE,)),
        ({"text": "Zoë", "answer_start": 3}, (ZOE,)),
        ({"text": ["Zoë"]}, (SpanAnswer("Zoë"),)),
        ({"text": [], "answer_start": []}, ()),
        ("Zoë", (SpanAnswer("Zoë"),)),
        (["Zoë", "b"], (SpanAnswer("Zoë"), SpanAnswer("b"))),
        (np.array(["Zoë"]), (SpanAnswer("Zoë"),)),
        ("{'text': ['Zoë'], 'answer_start': [3]}", (ZOE,)),
        ('{"text": ["Zo\\u00eb"], "answer_start": [3]}', (ZOE,)),
        ("{'text': array(['Zoë'], dtype=object), 'answer_start': array([3], dtype=int32)}", (ZOE,)),
        ("{'text': array([], dtype=object), 'answer_start': array([], dtype=int32)}", ()),
        ("[{'text': 'Zoë', 'answer_start': 3}]", (ZOE,)),
        ("[1] Zoë", (SpanAnswer("[1] Zoë"),)),
        ([{"text": " ", "answer_start": 0}], ()),
        ([{"text": "", "answer_start": -1}, {"text": "Zoë", "answer_start": 3}], (ZOE,)),
        *((cell, ()) for cell in ("", None, float("nan"), [])),
        *(([{"text": "Zoë", "answer_start": at}], (ZOE,)) for at in ("3", 3.0, " 3 ", np.int64(3), "3.0")),
        *(
            ([{"text": "Zoë", "answer_start": at}], (SpanAnswer("Zoë"),))
            for at in (-1, "-1", None, 1.5, float("nan"), float("inf"), "x", True, [3])
        ),
    ],
)
def test_answers_as_people_have_them(cell, expected):
    assert answers_cell(cell) == expected


def test_true_and_false_as_people_have_them():
    assert [flag_cell(cell) for cell in (True, "true", " True", 1, "1", 1.0)] == [True] * 6
    assert [flag_cell(cell) for cell in (False, "FALSE", 0, "0", 0.0)] == [False] * 5
    assert [flag_cell(cell) for cell in (None, "", float("nan"))] == [None] * 3
    for wrong in ("maybe", 2, []):
        with pytest.raises(ValueError, match="true or false"):
            flag_cell(wrong)


CONTEXT = "  Zoë sang 𝄞 and\r\nMia  danced; Zoë slept."


@pytest.mark.parametrize(
    ("text", "start", "at", "how"),
    [
        ("sang", 6, 6, None),
        (" sang ", 5, 5, None),
        ("sang", 4, 6, "was counted without the white space before the context"),
        ("Zoë", 0, 2, "was counted without the white space before the context"),
        ("slept", 36, 35, "was counted in units of UTF-16"),
        ("slept", 34, 35, "was counted with line ends of one character"),
        ("slept", 40, 35, "was counted in bytes"),
        ("Mia", -1, 18, "stands once in the context"),
        ("Mia", 3, 18, "stands once in the context"),
        ("Zoë", 33, 31, "was off by 2 characters or fewer"),
        ("Mia danced", 18, 18, "was off by 2 characters or fewer"),
        ("and\nMia", -1, 13, "stands once in the context"),
        (" slept ", -1, 35, "stands once in the context"),
    ],
)
def test_an_answer_is_put_in_its_place_where_there_is_no_doubt(text, start, at, how):
    (found, other), change = placed([SpanAnswer(text, start), SpanAnswer("Zoë", 1)], CONTEXT)
    assert (found.start, change, other) == (at, how, SpanAnswer("Zoë", 1))
    assert CONTEXT[found.start :].startswith(found.text)
    assert found.text.split() == text.split()


def test_an_answer_that_cannot_be_placed():
    for answer, expected in (
        (
            SpanAnswer("Zoë", 12),
            r"'Zoë' at character 12 of the context. Received: '.*' there; the answer stands 2 times",
        ),
        (SpanAnswer("Zoë"), r"'Zoë' in the context. Received: the answer stands 2 times in the context"),
        (SpanAnswer("wept", 0), r"Received: '  Zo' there; the answer is not in the context at all"),
        (SpanAnswer("zoë", 2), r"Received: 'Zoë' there; the answer is not in the context at all"),
        (SpanAnswer("sang", 99), r"^$"),
    ):
        if expected == "^$":  # it stands once
            assert placed([answer], CONTEXT)[0][0].start == 6
            continue
        with pytest.raises(ValueError, match=expected):
            placed([answer], CONTEXT)
    answers, how = placed([SpanAnswer("wept", 0), SpanAnswer("Zoë"), SpanAnswer("sang", 6)], CONTEXT)
    assert answers == (SpanAnswer("sang", 6), SpanAnswer("wept", 0), SpanAnswer("Zoë"))
    assert how == "another answer of the question is in the context"


@pytest.mark.parametrize("seed", range(3))
def test_places_in_other_units_are_found_again(seed):
    """Random contexts with emoji and line ends; the place as other tools count it, by their own means."""
    rng = np.random.default_rng(seed)
    for _ in range(100):
        parts = rng.choice(["a", "b ", "ö", "😀", "中", "\r\n", "𝄞x"], rng.integers(4, 20))
        context, at = "".join(parts), int(rng.integers(0, len(parts)))
        before, text = "".join(parts[:at]), "".join(parts[at:])
        if not text.strip() or text != text.strip():
            continue
        for units in (len(before.encode("utf-16-le")) // 2, len(before.encode()), len(before.replace("\r\n", "\n"))):
            (found,), _ = placed([SpanAnswer(text, units)], context)
            assert context[found.start : found.start + len(found.text)] == found.text == text
            assert found.start == len(before) or context.startswith(text, units)


def test_blank_questions_are_read_as_they_are():
    assert [blank_or_text(text) for text in ("", "  ", "Who?")] == ["", "  ", "Who?"]
    with pytest.raises(ValueError, match="lone surrogate"):
        blank_or_text("\udc80")


FLAT = {"id": "q1", "question": "Who?", "context": "Zoë sang.", "answers": {"text": ["Zoë"], "answer_start": [0]}}
PARAGRAPH = {"context": "Zoë sang.", "qas": [QUESTION]}
CMRC = {
    "context_id": "c",
    "context_text": "Zoë sang.",
    "qas": [{"query_text": "Who?", "query_id": "q1", "answers": ["Zoë", "Zoë"]}],
    "title": "t",
}
DRCD = {"title": "t", "id": "9", "paragraphs": [{**PARAGRAPH, "id": "9-1"}]}
FORMS = {
    "data of flat rows": ({"version": "0.1", "data": [FLAT]}, SpanAnswer("Zoë", 0)),
    "a list of flat rows": ([FLAT], SpanAnswer("Zoë", 0)),
    "a list of articles": ([{"title": "t", "paragraphs": [PARAGRAPH]}], SpanAnswer("Zoë", 0)),
    "a list of paragraphs": ([PARAGRAPH], SpanAnswer("Zoë", 0)),
    "CMRC": ([CMRC], SpanAnswer("Zoë")),
    "DRCD": ({"version": "1.3", "data": [DRCD]}, SpanAnswer("Zoë", 0)),
    "one answer": ([{k: v for k, v in FLAT.items() if k != "answers"} | {"answer": "Zoë"}], SpanAnswer("Zoë")),
}


@pytest.mark.parametrize("form", list(FORMS))
@pytest.mark.parametrize("as_lines", [False, True])
def test_other_forms_of_the_same_question(tmp_path, caplog, form, as_lines):
    value, answer = FORMS[form]
    if as_lines:
        items = value["data"] if isinstance(value, dict) else value
        content = "".join(json.dumps(item) + "\n" for item in [{"header": {"dataset": "x"}}, *items])
    else:
        content = json.dumps(value, ensure_ascii=False)
    (tmp_path / "train.json").write_text(content, encoding="utf-8")
    table = read(tmp_path)
    assert [table.columns[name] for name in ("id", "question", "context")] == [["q1"], ["Who?"], ["Zoë sang."]]
    assert table.columns["answers"][0][0] == answer
    assert table.numbers == [2 if as_lines else 1]
    assert not caplog.text


def test_unknown_keys_and_ids_that_come_again_are_named(tmp_path, caplog):
    answer = {"text": "Zoë", "answer_start": 0, "weight": 2}
    first = QUESTION | {"yesno": "x", "answers": [answer]}
    write(tmp_path, {"context": "Zoë sang.", "qas": [first, QUESTION], "url": "u"}, indent=1)
    assert len(read(tmp_path)) == 2
    assert "train.json: keys that are not read: 'url', 'weight', 'yesno'" in caplog.text
    assert "ids of more than one question, which scripts that go by ids take for one: 1, such as" in caplog.text
    assert "'q1' on lines 11 and 23" in caplog.text


def test_the_real_sets(shared_data):
    dev = SOURCE.open(shared_data("squad/dev-v1.1.json"), "validation", PARSERS)
    train = SOURCE.open(shared_data("squad_train_subset/squad_train_subset_4000q.json"), "train", PARSERS)
    assert (len(dev), len(train), len(set(dev.columns["id"]))) == (10570, 4000, 10570)
    for table in (dev, train):
        for answers, context in zip(table.columns["answers"], table.columns["context"], strict=True):
            assert all(context.startswith(answer.text, answer.start) for answer in answers)
            assert placed(answers, context) == (answers, None)


def flattened(path):
    """A file's questions as `datasets` has them, read by other means."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        for article in json.load(file)["data"]:
            for paragraph in article["paragraphs"]:
                for question in paragraph["qas"]:
                    answers = question.get("answers", [])
                    yield {
                        "id": question["id"],
                        "question": question["question"],
                        "context": paragraph["context"],
                        "text": [answer["text"] for answer in answers],
                        "answer_start": [answer["answer_start"] for answer in answers],
                    }


PIECES = [
    "a",
    "Zoë ",
    "\u4e2d\u6587",
    "😀",
    "\r\n",
    "\n",
    '"',
    "\\",
    "\t",
    "{}",
    "[",
    "\u2028",
    "</p>",
    " 3,5 ",
    "\x7f",
    "e\u0301",
]


@pytest.mark.parametrize("seed", range(4))
def test_random_files_are_read_as_json_has_them(tmp_path, seed):
    rng = np.random.default_rng(seed)

    def text():
        return "x" + "".join(rng.choice(PIECES, rng.integers(1, 12)))

    def question(number, context):
        starts = sorted(rng.integers(0, len(context) - 1, rng.integers(0, 3)).tolist())
        answers = [{"text": context[start:], "answer_start": start} for start in starts if context[start:].strip()]
        found = {"id": f"{number} {text()}", "question": text(), "answers": answers}
        return found if answers or rng.random() < 0.5 else found | {"is_impossible": True}

    paragraphs = []
    for p in range(6):
        context = text()
        paragraphs.append(
            {"context": context, "qas": [question(10 * p + q, context) for q in range(rng.integers(0, 4))]}
        )
    value = {
        "version": "v2.0",
        "data": [{"title": text(), "paragraphs": paragraphs[:2]}, {"paragraphs": paragraphs[2:]}],
    }
    content = json.dumps(value, ensure_ascii=bool(seed % 2), indent=[None, 1][seed // 2])
    (tmp_path / "train.json").write_bytes(("\ufeff" * (seed % 2) + content).encode())
    expected = list(flattened(tmp_path / "train.json"))
    table = read(tmp_path)
    assert len(table) == len(expected) > 3
    for row, wanted in enumerate(expected):
        assert {name: table.columns[name][row] for name in ("id", "question", "context")} == {
            name: wanted[name] for name in ("id", "question", "context")
        }
        answers = table.columns["answers"][row]
        assert [answer.text for answer in answers] == wanted["text"]
        assert [answer.start for answer in answers] == wanted["answer_start"]
        assert not answers or placed(answers, wanted["context"]) == (answers, None)


@pytest.mark.parametrize("form", ["row", "article", "paragraph"])
def test_json_lines_of_a_single_line(form, tmp_path):
    row = {"id": "q1", "question": "Who?", "context": "Zoë sang.", "answers": {"text": ["Zoë"], "answer_start": [0]}}
    paragraph = {"context": "Zoë sang.", "qas": [QUESTION]}
    content = {"row": row, "article": {"title": "t", "paragraphs": [paragraph]}, "paragraph": paragraph}[form]
    path = tmp_path / "train.jsonl"
    path.write_text(json.dumps(content) + "\n", encoding="utf-8")
    assert read(path).columns["answers"] == [(SpanAnswer("Zoë", 0),)]
    assert read(path).numbers == [1]
