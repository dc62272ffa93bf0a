"""Predict on folders and patterns, questions to files, explanations, the terminal and in turn; in this process."""

from __future__ import annotations

import io
import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest

import bert_tf
from bert_tf import predict
from bert_tf.errors import UserError
from tests.exporting.runs import run_of
from tests.terminal.ttys import terminal

pytestmark = pytest.mark.usefixtures("shared_pipeline")
ESCAPE = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    folder = tmp_path / "notes"
    (folder / "sub").mkdir(parents=True)
    (folder / ".hidden").mkdir()
    (folder / "a.txt").write_text("good film\nbad film\n")
    (folder / "sub" / "b.md").write_bytes(b"bad\r\n\r\nfilm")
    (folder / "rows.csv").write_text('sentence,file\n"a, good film",x\nbad,y\n')
    (folder / "broken.txt").write_bytes(b"caf\xe9")
    (folder / "picture.png").write_bytes(b"\x89PNG")
    (folder / ".hidden" / "c.txt").write_text("x")
    return folder


def lines_of(capsys) -> list[dict]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_folder_gives_a_text_a_file_and_a_row_a_line_of_its_tables(tiny_run, notes, tmp_path):
    pandas = pytest.importorskip("pandas")
    target = tmp_path / "out.csv"
    assert predict.main([f"--run={tiny_run}", f"--input={notes}", f"--output={target}"]) == 3
    table = pandas.read_csv(target)
    assert table["file"].tolist() == ["a.txt", "broken.txt", "rows.csv", "rows.csv", "sub/b.md"]
    good = table[table["error"].isna()]
    texts = ["good film\nbad film", "a, good film", "bad", "bad\n\nfilm"]
    assert good["sentence"].tolist() == texts
    wanted = bert_tf.Pipeline(tiny_run)(texts)
    assert good["label"].tolist() == [answer["label"] for answer in wanted]
    np.testing.assert_allclose(good["score"], [answer["score"] for answer in wanted])
    assert good["input.file"].dropna().tolist() == ["x", "y"]
    (error,) = table["error"].dropna()
    assert "broken.txt: expected UTF-8. Received: byte 0xe9" in error


@pytest.mark.parametrize(
    ("pattern", "options", "expected"),
    [
        ("*.txt", ["--encoding=cp1252"], [("a.txt", "good film\nbad film"), ("broken.txt", "café")]),
        ("**/[ab].*", [], [("a.txt", "good film\nbad film"), ("sub/b.md", "bad\n\nfilm")]),
        ("a*", ["--input-format=lines"], [("a.txt", "good film"), ("a.txt", "bad film")]),
        ("a.txt", ["--input-format=text"], [("a.txt", "good film\nbad film")]),
        ("a.txt", [], [(None, "good film"), (None, "bad film")]),
    ],
)
def test_patterns_and_files_that_are_one_text(pattern, options, expected, tiny_run, notes, capsys):
    assert predict.main([f"--run={tiny_run}", f"--input={notes}/{pattern}", *options]) == 0
    assert [(answer.get("file"), answer["text"]) for answer in lines_of(capsys)] == expected


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (["--input={notes}", "--text-column=x"], r"rows\.csv:1: expected the column x\. Received: .*without 'x'"),
        (["--input={notes}/*.odt"], "expected files of a name like this. Received: none"),
        (["--input={notes}/.hidden/none"], "none: expected a file that can be read. Received: no such file"),
        (["--input={notes}/empty"], "empty: expected a folder with files ending in .txt, .* Received: an empty folder"),
        (["--text=x", "--input-format=text"], "--input-format=text is for files that are one text each"),
        (["--text=x", "--question=y"], "expected one of --text, .*. Received: --text and --question"),
        (["--interactive", "--input=y"], "expected one of --text, .*. Received: --input and --interactive"),
        (["--question=y"], "--question needs --context"),
        (["--text=y", "--context=x"], "--context needs --question or --interactive. Received: --text"),
        (["--question=y", "--context=x"], "expected a run that answers questions .*. Received: one of Classification"),
        (["--text=y", "--output=x.csv", "--format=text"], "--format is for standard output. Received: --output=x.csv"),
        (["--interactive", "--output=x.csv"], "--interactive is for standard output. Received: --output=x.csv"),
        (["--text=y", "--rows-of=entities", "--format=text"], "--rows-of is for --output and --format=json"),
        (["--text=y", "--rows-of=entities"], "--rows-of=entities: expected a list .*: answers without any list"),
    ],
)  # fmt: skip
def test_bad_use(flags, expected, tiny_run, notes, monkeypatch):
    (notes / "empty").mkdir()
    monkeypatch.chdir(notes)
    with pytest.raises(UserError, match=expected):
        predict.main([f"--run={tiny_run}", *(flag.format(notes=notes) for flag in flags)])
    assert not list(notes.glob("x*"))


def test_a_terminal_gets_bars_and_a_pipe_json(tiny_run, monkeypatch, capsys):
    flags = [f"--run={tiny_run}", "--text=good film", "--text=\x1b[31mbad [bold]x"]
    answers = bert_tf.Pipeline(tiny_run)(["good film", "\x1b[31mbad [bold]x"])
    with terminal(monkeypatch) as screen:
        assert predict.main(flags) == 0
    assert "\x1b[1m" in screen.text, "the chosen label is bold"
    assert "\x1b[31mbad" not in screen.text
    lines = ESCAPE.sub("", screen.text).replace("\r\n", "\n").split("\n")
    assert lines[0] == "good film"
    assert lines[4] == "␛[31mbad [bold]x"
    for answer, begin in zip(answers, (1, 5), strict=True):
        label, share = lines[begin].split()[:2]
        assert (label, float(share)) == (answer["label"], pytest.approx(100 * answer["score"], abs=0.06))
        assert "█" in lines[begin]
    assert predict.main(flags) == 0
    assert [answer["text"] for answer in lines_of(capsys)] == ["good film", "\x1b[31mbad [bold]x"]
    with terminal(monkeypatch) as screen:
        assert predict.main([*flags, "--format=json"]) == 0
    assert [json.loads(line)["text"] for line in screen.text.splitlines()] == ["good film", "\x1b[31mbad [bold]x"]
    assert predict.main([*flags, "--format=text"]) == 0
    out = capsys.readouterr().out
    assert out.splitlines()[0] == "good film"
    assert "\x1b" not in out, "colours are for terminals"


def test_in_turn_on_a_terminal(tiny_run, monkeypatch):
    with terminal(monkeypatch, typed="good film\nbad\n\nnever read\n") as screen:
        assert predict.main([f"--run={tiny_run}", "--interactive"]) == 0
    shown = ESCAPE.sub("", screen.text)
    assert shown.count("sentence> ") == 3
    assert len(re.findall(r"positive +[0-9.]+ %", shown)) == 2


def test_in_turn_from_a_pipe(tiny_run, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", io.StringIO("good film\n\nx\ud800y\nbad\n"))
    assert predict.main([f"--run={tiny_run}", "--interactive"]) == 0
    printed = capsys.readouterr()
    assert [json.loads(line)["text"] for line in printed.out.splitlines()] == ["good film", "bad"]
    assert "expected a line of text" in printed.err
    assert "> " not in printed.out + printed.err


def test_an_error_does_not_end_it(tiny_run, monkeypatch, capsys):
    from bert_tf.inference import pipeline

    made = pipeline.Pipeline

    class Stumbling:
        def __init__(self, where, **options):
            self.inner = made(where, **options)
            self.kind = self.inner.kind

        def __call__(self, texts):
            if texts[0]["sentence"] == "stumble":
                raise ValueError("cannot be answered")
            return self.inner(texts)

    monkeypatch.setattr(pipeline, "Pipeline", Stumbling)
    monkeypatch.setattr(sys, "stdin", io.StringIO("stumble\ngood\n"))
    assert predict.main([f"--run={tiny_run}", "--interactive"]) == 3
    first, second = lines_of(capsys)
    assert first == {"error": "cannot be answered"}
    assert second["text"] == "good"


# Questions to files.


@pytest.fixture(scope="module")
def asked_run(tmp_path_factory) -> Path:
    return run_of("span_qa", tmp_path_factory.mktemp("qa") / "run")


@pytest.fixture
def books(tmp_path: Path) -> Path:
    folder = tmp_path / "books"
    folder.mkdir()
    for name, text in (("one", "it was a good film"), ("two", "a joy from start to end"), ("three", "who was there")):
        (folder / f"{name}.txt").write_text(f"{text} that was not well\n" * 2)
    return folder


def test_a_question_to_files_is_answered_from_the_best_of_them(asked_run, books, capsys):
    flags = [f"--run={asked_run}", "--question=who was there", "--question=what is it"]
    assert predict.main([*flags, f"--context={books}"]) == 0
    texts = {path.name: path.read_text() for path in sorted(books.iterdir())}
    pipeline = bert_tf.Pipeline(asked_run)
    for answer in lines_of(capsys):
        rows = pipeline.rows([answer["question"]] * 3, list(texts.values()))
        logits = [row["n_best_logit"][0] for row in rows]
        best = list(texts)[int(np.argmax(logits))]
        assert answer["file"] == best
        assert answer["answer"] == texts[best][answer["start"] : answer["end"]] != ""
        assert "context" not in answer
        every = np.sort(np.concatenate([row["n_best_logit"] for row in rows]))[::-1][: len(answer["n_best"])]
        shares = np.exp(every - every.max())
        np.testing.assert_allclose([one["score"] for one in answer["n_best"]], shares / shares.sum(), atol=1e-6)
        for one in answer["n_best"]:
            assert texts[one["file"]][one["start"] : one["end"]] == one["answer"]
    # One file: what the pipeline says of it.
    assert predict.main([f"--run={asked_run}", "--question=what is it", f"--context={books / 'two.txt'}"]) == 0
    (one,) = lines_of(capsys)
    alone = pipeline("what is it", texts["two.txt"])
    assert (one["answer"], one["start"], one["file"]) == (alone["answer"], alone["start"], str(books / "two.txt"))
    assert one["score"] == pytest.approx(alone["score"], abs=1e-6)
    # Several places: files by their whole names, in rows of a table.
    assert predict.main([*flags, f"--context={books}/*o*.txt", f"--context={books / 'three.txt'}"]) == 0
    assert {answer["file"] for answer in lines_of(capsys)} <= {str(path) for path in books.iterdir()}


def test_the_answer_is_shown_in_its_file(asked_run, books, capsys):
    flags = [f"--run={asked_run}", "--question=what is it", f"--context={books}"]
    assert predict.main([*flags, "--format=text"]) == 0
    out = capsys.readouterr().out
    assert predict.main(flags) == 0
    (answer,) = lines_of(capsys)
    assert out.splitlines()[0] == "what is it"
    assert f"{answer['file']}: " in out
    assert f"[{answer['answer']}]".split()[0] in out
    assert f"({100 * answer['score']:.1f} %)" in out


def test_questions_in_turn(asked_run, books, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", io.StringIO("it was good\nwhat is it\nhow\n\nwhat\ta bad film\n\n"))
    assert predict.main([f"--run={asked_run}", "--interactive"]) == 0
    found = [(answer["question"], answer["context"]) for answer in lines_of(capsys)]
    assert found == [("what is it", "it was good"), ("how", "it was good"), ("what", "a bad film")]
    monkeypatch.setattr(sys, "stdin", io.StringIO("what is it\n"))
    assert predict.main([f"--run={asked_run}", "--interactive", f"--context={books}"]) == 0
    (answer,) = lines_of(capsys)
    assert answer["file"] in {path.name for path in books.iterdir()}


def test_a_context_that_is_no_text_is_named(asked_run, books):
    (books / "bad.txt").write_bytes(b"%PDF-1.4")
    with pytest.raises(UserError, match=r"bad\.txt: expected text.* Received: a PDF"):
        predict.main([f"--run={asked_run}", "--question=x", f"--context={books}"])
    with pytest.raises(UserError, match=r"--context=none: expected a text file, .*\. Received: no such"):
        predict.main([f"--run={asked_run}", "--question=x", "--context=none"])


# Explanations.


@pytest.mark.slow
def test_an_answer_to_a_file_is_explained_there(asked_run, books, capsys):
    flags = [f"--run={asked_run}", "--question=what is it", f"--context={books}", "--explain"]
    assert predict.main(flags) == 0
    (answer,) = lines_of(capsys)
    found = answer["explanation"]
    assert found["output"] == answer["answer"]
    text = (books / answer["file"]).read_text()
    words = {column: [w for w in found["words"] if w["column"] == column] for column in found["columns"]}
    assert [word["text"] for word in words["question"]] == ["what", "is", "it"]
    assert all(text[word["start"] : word["end"]] == word["text"] for word in words["context"])
    total = sum(word["attribution"] for word in found["words"])
    assert total == pytest.approx(found["value"] - found["baseline"], abs=1e-3)
    assert predict.main([*flags, "--format=text"]) == 0
    assert re.search(r"(for|against) .*?: .*?[+-]\d\.\d\d", capsys.readouterr().out, re.DOTALL)


@pytest.mark.slow
def test_each_entity_is_explained(tmp_path, capsys):
    run = run_of("tagging", tmp_path / "run")
    assert predict.main([f"--run={run}", "--text=a good film was there", "--explain"]) == 0
    (answer,) = lines_of(capsys)
    parts = answer.get("entities") or answer["words"]
    assert [(one["text"], one["start"]) for one in answer["explanations"]] == [(p["text"], p["start"]) for p in parts]


def test_what_cannot_be_explained_is_refused_at_once(tmp_path):
    run = run_of("retrieval", tmp_path / "run")
    with pytest.raises(UserError, match=r"--explain: expected a run whose answers are .*\. Received: one of Retrieval"):
        predict.main([f"--run={run}", "--text=a", "--explain"])
