"""The search command, in this process."""

from __future__ import annotations

import io
import json
import re
import shutil
import sys

import pytest

from bert_tf import search
from bert_tf.data.search_corpus import read_corpus
from bert_tf.data.sources.text_sets import TextSetReading
from bert_tf.errors import UserError
from bert_tf.inference.searching import models
from tests.terminal.ttys import terminal

pytestmark = pytest.mark.usefixtures("shared_pipeline")
pytest.importorskip("faiss", reason="the extra `search` is not installed")
CORPUS = (
    '{"_id": "x", "text": "good film"}\n{"_id": "y", "title": "bad", "text": "film"}\n{"_id": "z", "text": "a b c"}\n'
)


@pytest.fixture
def corpus(tmp_path):
    (tmp_path / "corpus.jsonl").write_text(CORPUS)
    (tmp_path / "queries.tsv").write_text("q1\tgood film\nq2\tbad film\n")
    (tmp_path / "qrels").write_text("q1 0 x 1\nq2 0 y 2\n")
    return tmp_path


@pytest.fixture
def command(corpus, tiny_model, capsys):
    def run(*flags: str, model=tiny_model):
        search.main([f"--model={model}", f"--index={corpus / 'index'}", *flags])
        out, err = capsys.readouterr()
        return [json.loads(line) for line in out.splitlines()], err

    return run


def test_build_then_search_and_score(command, corpus):
    answers, err = command(f"--corpus={corpus / 'corpus.jsonl'}", "--query=good film", "--query=", "--top=2")
    assert [answer["id"] for answer in answers] == ["1", "2"]
    assert [len(answer["results"]) for answer in answers] == [2, 2]
    best = answers[0]["results"][0]
    assert (best["id"], best["text"], best["score"]) == ("x", "good film", pytest.approx(1.0, abs=1e-6))
    assert "an index of 3 documents" in err
    # The index is there now; queries and judgements from files.
    answers, _ = command(f"--queries={corpus / 'queries.tsv'}", f"--qrels={corpus / 'qrels'}", "--top=1")
    assert [(answer["id"], answer["results"][0]["id"]) for answer in answers[:2]] == [("q1", "x"), ("q2", "y")]
    assert answers[1]["results"][0]["text"] == "bad film"
    assert answers[2] == {
        "metrics": {"ndcg_at_10": 1.0, "mrr": 1.0, "recall_at_10": 1.0, "recall_at_100": 1.0},
        "queries": 2,
        "documents": 3,
    }
    # The same corpus again is no error, and builds nothing.
    _, err = command(f"--corpus={corpus / 'corpus.jsonl'}", "--query=x")
    assert "an index of" not in err


def test_another_model_or_corpus_is_refused(command, corpus, tiny_model, tmp_path):
    command(f"--corpus={corpus / 'corpus.jsonl'}")
    (corpus / "other.txt").write_text("x\n")
    with pytest.raises(UserError, match=r"holds an index of another corpus, corpus\.jsonl. Give a fresh --index"):
        command(f"--corpus={corpus / 'other.txt'}")
    from bert_tf.models import BertEmbedder

    shutil.copytree(tiny_model, tmp_path / "other")
    BertEmbedder.from_pretrained(tiny_model, pooling="cls").save_pretrained(tmp_path / "other")
    with pytest.raises(UserError, match="was made by another model, so its vectors cannot be compared"):
        command("--query=x", model=tmp_path / "other")


def test_a_run_of_another_kind_is_refused(corpus, tiny_run):
    with pytest.raises(UserError, match=r"expected a run whose task is of sentence vectors. Received: one of Classif"):
        search.main([f"--run={tiny_run}", f"--index={corpus / 'i'}", f"--corpus={corpus / 'corpus.jsonl'}"])
    assert not (corpus / "i").exists()


def test_a_new_index_is_made_with_the_model_that_is_installed_where_none_is_said(corpus, monkeypatch, capsys):
    asked = []

    def fetch(place):
        asked.append(place)
        raise UserError("enough")

    monkeypatch.setattr(models, "fetch_model", fetch)
    flags = [f"--index={corpus / 'new'}", f"--corpus={corpus / 'corpus.jsonl'}"]
    with pytest.raises(UserError, match="enough"):
        search.main(flags)
    assert capsys.readouterr().err == "--model=minilm, as neither --model nor --run says another\n"
    with pytest.raises(UserError, match="enough"):
        search.main([*flags, "--model=hf://a/b"])
    assert [place["model"] for place in asked] == ["minilm", "hf://a/b"]
    assert not capsys.readouterr().err


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (["--index=i", "--query=x"], "i: expected an index, .* Received: none; build it with --corpus"),
        (["--index=i", "--model=m", "--run=r", "--query=x"], "expected either --run or --model. Received: both"),
        (["--model=m", "--query=x"], "the following arguments are required: --index"),
        (["--index=i", "--model=m"], "expected --corpus, to build an index, or --query or --queries"),
        (["--index=i", "--model=m", "--query=x", "--queries=y"], "expected either --query or --queries"),
        (["--index=i", "--model=m", "--query=x", "--qrels=y"], "--qrels needs --queries"),
        (["--index=i", "--model=m", "--query=x", "--approximate"], "--approximate is for building an index"),
        (["--index=i", "--model=m", "--query=x", "--precision=int8"], "--precision is for building an index"),
        (["--index=i", "--model=m", "--query=x", "--interactive"], "expected either --interactive, or --query"),
        (["--index=i", "--model=m", "--query=x", "--passage-words=9"], "--passage-words is for building an index"),
        (
            ["--index=i", "--model=m", "--corpus=*.md"],
            "--corpus=.*: expected files of a name like this. Received: none",
        ),
        (["--index=i", "--model=m", "--query=x", "--top=0"], "expected a number of 1 or more. Received: 0"),
        (["--index=i", "--model=m", "--query=x"], "i: expected an index, which has index.json. Received: none"),
        (["--index=i", "--model=m", "--corpus=none.txt"], "none.txt: expected a file that can be read"),
        (["--index=i", "--model=m", "--corpus=i", "--set", "word_vectors=true"], "have no setting 'word_vectors'"),
        (
            ["--index=i", "--model=m", "--corpus=i", "--set", "long_texts=all"],
            "must be cut or windows. Received: .*all",
        ),
        (["--index=i", "--run=m", "--corpus=i", "--set", "model.lowercase=true"], "--set is for a --model that no run"),
    ],
)
def test_bad_use(flags, expected, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=expected):
        search.main(flags)
    assert list(tmp_path.iterdir()) == []


# Folders, passages, what an index remembers, the terminal.


@pytest.fixture
def notes(tmp_path):
    folder = tmp_path / "notes"
    (folder / "sub").mkdir(parents=True)
    (folder / "films.md").write_text("# Films\n\ngood film\n\n" + "bad " * 200 + "\n\n## More\n\na b c d\n")
    (folder / "sub" / "one.txt").write_text("bad film, " * 3 + "\n")
    (folder / "rows.csv").write_text('id,title,text\n7,"A title",x y z\n')
    (folder / "empty.txt").write_text("\n")
    (folder / "picture.png").write_bytes(b"\x89PNG")
    return folder


def test_a_file_that_cannot_be_read_is_named_and_left_out_if_asked(notes):
    (notes / "old.txt").write_bytes("schön".encode("cp1252"))
    with pytest.raises(UserError, match=r"old\.txt: expected UTF-8\. .*; --skip-bad-rows leaves out files that cannot"):
        read_corpus(str(notes), TextSetReading())
    assert read_corpus(str(notes), TextSetReading(skip_bad_rows=True)).bad_files == ["old.txt"]


@pytest.fixture
def counted(monkeypatch):
    """How many texts are given vectors."""
    from bert_tf.inference.vectors import Vectors

    seen: list[list[str]] = []
    encode = Vectors.encode

    def counting(self, texts, **options):
        seen.append(list(texts))
        return encode(self, texts, **options)

    monkeypatch.setattr(Vectors, "encode", counting)
    return seen


def test_a_folder_is_searched_by_passages_and_refreshed_by_what_changed(notes, command, counted, corpus, capsys):
    answers, err = command(f"--corpus={notes}", "--query=good film", "--top=9", "--passage-words=50")
    assert "an index of 3 documents in 8 passages, 1 empty file left out" in err
    results = answers[0]["results"]
    assert sorted(result["id"] for result in results) == ["films.md", "rows.csv:7", "sub/one.txt"], "each document once"
    for result in results:
        if result["id"] != "rows.csv:7":
            text = (notes / result["id"]).read_text()
            assert text[result["start"] : result["end"]] == result["text"]
            assert text[: result["start"]].count("\n") + 1 == result["line"]
    titles = {result["id"]: result.get("title") for result in results}
    assert titles["rows.csv:7"] == "A title"
    assert titles["films.md"] in ("Films", "More")
    made = len(counted[0])
    assert made == len(set(counted[0])), "a text is given a vector once"

    # The same again: nothing is read by the model but the query.
    del counted[:]
    _, err = command(f"--corpus={notes}", "--query=x")
    assert counted == [["x"]]
    assert "an index of" not in err

    # One file changes, one is gone, one is new; the index remembers its model.
    (notes / "sub" / "one.txt").write_text("quite new\n\n")
    (notes / "rows.csv").unlink()
    (notes / "two.txt").write_text("also new\n")
    del counted[:]
    search.main([f"--index={corpus / 'index'}", f"--corpus={notes}", "--query=also new", "--top=1"])
    out, err = capsys.readouterr()
    assert counted == [["quite new", "also new"], ["also new"]]
    assert "2 texts new or changed, the others' vectors kept" in err
    (best,) = json.loads(out)["results"]
    assert (best["id"], best["text"], best["score"]) == ("two.txt", "also new", pytest.approx(1.0, abs=1e-6))


def test_what_was_kept_is_what_would_be_made(notes, command, corpus, tiny_model, capsys):
    command(f"--corpus={notes}")
    (notes / "two.txt").write_text("also new\n")
    refreshed, _ = command(f"--corpus={notes}", "--query=bad", "--query=a film")
    search.main([f"--model={tiny_model}", f"--index={corpus / 'fresh'}", f"--corpus={notes}", "--query=bad",
                 "--query=a film"])  # fmt: skip
    fresh = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    for one, other in zip(refreshed, fresh, strict=True):
        assert [result["id"] for result in one["results"]] == [result["id"] for result in other["results"]]
        for result, wanted in zip(one["results"], other["results"], strict=True):
            assert result["score"] == pytest.approx(wanted["score"], abs=1e-6)


def test_long_texts_are_read_in_windows_which_the_index_remembers(command, corpus, capsys):
    long = json.dumps({"_id": "l", "text": "good " * 700 + "film " * 700})
    (corpus / "corpus.jsonl").write_text(f"{long}\n{CORPUS}")
    index = f"--index={corpus / 'windows'}"
    cut, _ = command(f"--corpus={corpus / 'corpus.jsonl'}", "--query=film", "--top=4")
    windows, _ = command(
        index, f"--corpus={corpus / 'corpus.jsonl'}", "--query=film", "--set", "long_texts=windows", "--top=4"
    )
    scores = [{row["id"]: row["score"] for row in answers[0]["results"]} for answers in (cut, windows)]
    assert scores[0]["l"] != pytest.approx(scores[1]["l"], abs=1e-4)
    assert scores[0]["z"] == scores[1]["z"]
    search.main([index, "--query=film", "--top=4"])  # as the index remembers
    again = json.loads(capsys.readouterr().out)["results"]
    assert {row["id"]: row["score"] for row in again} == scores[1]
    with pytest.raises(UserError, match=r"differs in long_texts \(windows in the index, None now\)"):
        command(index, "--query=film")


def test_what_differs_in_another_model_is_named(command, corpus, tiny_model, tmp_path):
    from bert_tf.models import BertEmbedder

    command(f"--corpus={corpus / 'corpus.jsonl'}")
    shutil.copytree(tiny_model, tmp_path / "other")
    BertEmbedder.from_pretrained(tiny_model, pooling="cls").save_pretrained(tmp_path / "other")
    with pytest.raises(UserError, match=r"Received: one that differs in pooling \(mean in the index, cls now\)$"):
        command("--query=x", model=tmp_path / "other")


def test_an_index_of_an_older_version_keeps_working(command, corpus, capsys):
    import hashlib

    path = corpus / "corpus.jsonl"
    wanted, _ = command(f"--corpus={path}", "--query=good film")
    about = json.loads((corpus / "index" / "index.json").read_text())
    known = ("format", "documents", "dimensions", "search", "model", "sequence_length", "corpus_name")
    old = {key: about[key] for key in known} | {"corpus": hashlib.sha256(path.read_bytes()).hexdigest()}
    (corpus / "index" / "index.json").write_text(json.dumps(old))
    rows = [json.loads(line) for line in (corpus / "index" / "documents.jsonl").read_text().splitlines()]
    lines = [json.dumps({"id": row["id"], "text": row["text"]}) for row in rows]
    (corpus / "index" / "documents.jsonl").write_text("\n".join(lines) + "\n")
    found, err = command(f"--corpus={path}", "--query=good film")
    assert "an index of" not in err
    assert [one["id"] for one in found[0]["results"]] == [one["id"] for one in wanted[0]["results"]]
    with pytest.raises(UserError, match=r"neither, and --index=.*index does not say which made it"):
        search.main([f"--index={corpus / 'index'}", "--query=x"])
    path.write_text('{"_id": "x", "text": "other"}\n')
    with pytest.raises(UserError, match=r"holds an index of another corpus, corpus\.jsonl"):
        command(f"--corpus={path}")


def test_passages_are_scored_as_their_documents(command, corpus):
    (corpus / "long.jsonl").write_text(
        json.dumps({"_id": "x", "text": "bad film\n\ngood film"}) + "\n" + json.dumps({"_id": "y", "text": "a"}) + "\n"
    )
    (corpus / "qrels").write_text("q1 0 x 1\nq2 0 x 1\n")
    flags = [f"--corpus={corpus / 'long.jsonl'}", f"--queries={corpus / 'queries.tsv'}", f"--qrels={corpus / 'qrels'}"]
    answers, err = command(*flags, "--passage-words=2", "--top=1")
    assert "an index of 2 documents in 3 passages" in err
    assert [answer["results"][0]["text"] for answer in answers[:2]] == ["good film", "bad film"]
    assert answers[2]["metrics"] == {"ndcg_at_10": 1.0, "mrr": 1.0, "recall_at_10": 1.0, "recall_at_100": 1.0}
    assert answers[2]["documents"] == 2


def test_the_precision_asked_for_is_the_one_that_is_there(command, corpus, counted):
    path = corpus / "corpus.jsonl"

    def about():
        kept = json.loads((corpus / "index" / "index.json").read_text())
        return kept["search"], kept["precision"]

    exact, _ = command(f"--corpus={path}", "--query=bad film")
    assert about() == ("exact", "float32")
    del counted[:]
    near, err = command(f"--corpus={path}", "--query=bad film", "--precision=int8")
    assert (about(), counted) == (("exact", "int8"), [["bad film"]]), "the vectors that were there are taken"
    assert "an index of 3 documents, 0 texts new or changed" in err
    scores = [[result["score"] for result in one["results"]] for one in (exact[0], near[0])]
    assert scores[0] != scores[1]
    assert scores[1] == pytest.approx(scores[0], abs=0.01)
    path.write_text(CORPUS + '{"_id": "w", "text": "new"}\n')
    command(f"--corpus={path}", "--query=x")
    assert about() == ("exact", "int8"), "it stays so"
    command(f"--corpus={path}", "--query=x", "--approximate")
    assert about() == ("approximate", "int8")
    # Vectors of 8 bits do for no exact ones: all are made anew.
    del counted[:]
    command(f"--corpus={path}", "--query=x", "--precision=float32")
    assert (about(), len(counted[0])) == (("approximate", "float32"), 4)


def test_a_terminal_gets_results_to_read(command, notes, corpus, monkeypatch):
    command(f"--corpus={notes}")
    with terminal(monkeypatch) as screen:
        search.main([f"--index={corpus / 'index'}", "--query=good film", "--top=1"])
    shown = re.sub(r"\x1b\[[0-9;]*m", "", screen.text).replace("\r\n", "\n").splitlines()
    assert shown[0] == "good film"
    assert re.fullmatch(r"  1\. [0-9.]+  [\w./]+, line \d+(: \w+)?", shown[1])
    with terminal(monkeypatch, typed="good film\nbad\n\n") as screen:
        search.main([f"--index={corpus / 'index'}", "--interactive", "--top=1"])
    assert screen.text.count("query> ") == 3
    assert len(re.findall(r"  1\. [0-9.]+ ", screen.text)) == 2


def test_queries_in_turn_from_a_pipe(command, corpus, monkeypatch):
    command(f"--corpus={corpus / 'corpus.jsonl'}")
    monkeypatch.setattr(sys, "stdin", io.StringIO("good film\nbad film\n"))
    answers, _ = command("--interactive", "--top=1")
    assert [answer["results"][0]["id"] for answer in answers] == ["x", "y"]
