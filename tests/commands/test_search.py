"""The search command, in this process."""

from __future__ import annotations

import json
import shutil

import pytest

from bert_tf import search
from bert_tf.errors import UserError

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


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (["--index=i", "--query=x"], "expected either --run or --model. Received: neither"),
        (["--index=i", "--model=m", "--run=r", "--query=x"], "expected either --run or --model. Received: both"),
        (["--model=m", "--query=x"], "the following arguments are required: --index"),
        (["--index=i", "--model=m"], "expected --corpus, to build an index, or --query or --queries"),
        (["--index=i", "--model=m", "--query=x", "--queries=y"], "expected either --query or --queries"),
        (["--index=i", "--model=m", "--query=x", "--qrels=y"], "--qrels needs --queries"),
        (["--index=i", "--model=m", "--query=x", "--approximate"], "--approximate is for building an index"),
        (["--index=i", "--model=m", "--query=x", "--top=0"], "expected a number of 1 or more. Received: 0"),
        (["--index=i", "--model=m", "--query=x"], "i: expected an index, which has index.json. Received: none"),
        (["--index=i", "--model=m", "--corpus=none.txt"], "none.txt: expected a file that can be read"),
    ],
)
def test_bad_use(flags, expected, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=expected):
        search.main(flags)
    assert list(tmp_path.iterdir()) == []
