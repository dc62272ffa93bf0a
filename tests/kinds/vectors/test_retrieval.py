from __future__ import annotations

import json

import numpy as np
import pytest
import tensorflow as tf

from bert_tf import load_task
from bert_tf.data import Beir, InMemory
from bert_tf.errors import UserError
from bert_tf.kinds import Retrieval
from bert_tf.kinds.vectors.retrieval import Judged


def make(judgements, **changes) -> Retrieval:
    splits = {
        "documents": [{"id": key, "text": f"text {key}"} for key in "xyz"],
        "queries": [{"id": 1, "text": "one"}, {"id": 2, "text": "two"}],
        "train": [dict(zip(("query", "document", "gain"), row, strict=True)) for row in judgements],
    }
    return Retrieval(source=InMemory(splits), sequence_length=8, **changes)


def test_documents_come_first_then_queries_and_pairs_are_of_relevant_ones():
    examples = make([(1, "z", 2.0), (1, "x", 0.0), (2, "y", 1.0)]).read("own", "train")
    assert list(examples.texts) == ["text x", "text y", "text z", "one", "two"]
    assert examples.members.tolist() == [[3, 2], [4, 1]]
    assert (examples.documents, list(examples.judgements)) == (3, [{2: 2.0, 0: 0.0}, {1: 1.0}])
    assert (len(examples), examples.is_labelled) == (2, True)


@pytest.mark.parametrize(
    ("judgements", "expected"),
    [
        (
            [(3, "x", 1.0)],
            r"train\[0\]: column 'query': expected the id of a query. Received: '3', of which there is none",
        ),
        ([(1, "w", 1.0)], r"train\[0\]: 'w': expected the id of a document. Received: none of those judged"),
        ([(1, "x", 0.0)], "expected a relevant document for one query at least. Received: none"),
    ],
)
def test_bad_judgements(judgements, expected):
    with pytest.raises(UserError, match=expected):
        make(judgements).read("own", "train")


def test_only_judged_queries_count_and_all_documents_are_ranked():
    vectors = np.array([[1, 0], [0, 1], [1, 1], [1, 0.1], [0, 0.5]], np.float32)
    shared = {"texts": ["a"] * 5, "members": np.array([[3, 2]]), "documents": 3}
    kind = make([(1, "x", 1.0)], metrics=("ndcg_at_10", "mrr", "recall_at_1"))
    found = kind.measure_vectors(vectors, Judged(**shared, judgements=[{2: 1.0}, {}]))
    assert found == pytest.approx({"ndcg_at_10": 1 / np.log2(3), "mrr": 0.5, "recall_at_1": 0.0})
    both = kind.measure_vectors(vectors, Judged(**shared, judgements=[{2: 1.0}, {1: 3.0}]))
    assert both["mrr"] == pytest.approx(0.75)


def test_judged_documents_that_are_not_there_count_against_recall(caplog):
    examples = make([(1, "x", 1.0), (1, "w", 2.0), (2, "v", 1.0)]).read("own", "train")
    assert examples.members.tolist() == [[3, 0]]  # nothing can be learnt of the others
    assert list(examples.judgements) == [{0: 1.0, 3: 2.0}, {4: 1.0}]
    assert "2 of 3 judgements are of documents that the collection lacks" in caplog.text
    vectors = np.array([[1, 0], [0, 1], [1, 1], [1, 0], [0, 1]], np.float32)
    found = make([], metrics=("recall_at_1", "ndcg_at_1", "mrr")).measure_vectors(vectors, examples)
    assert found == pytest.approx({"recall_at_1": (0.5 + 0) / 2, "ndcg_at_1": (1 / 2 + 0) / 2, "mrr": 0.5})
    with pytest.raises(UserError, match=r"train\[1\]: expected one judgement .* Received: 2 for 'x', and 1 before"):
        make([(1, "x", 1.0), (1, "x", 2.0)]).read("own", "train")
    again = make([(1, "x", 1.0), (1, "x", "1")]).read("own", "train")
    assert list(again.judgements) == [{0: 1.0}, {}]
    with pytest.raises(UserError, match=r"column 'gain': expected a number. Received: 'much'"):
        make([(1, "x", "much")]).read("own", "train")
    with pytest.raises(UserError, match="expected a relevant document that the collection has"):
        make([(1, "x", 0), (1, "w", 1)]).read("own", "train")


def write_beir(folder):
    """ArguAna-like: queries are documents too; the dev set's ids are those of two of them."""
    documents = [{"_id": k, "title": t, "text": x} for k, t, x in (("a", "", "one"), ("b", "B", "two"), ("c", "C", ""))]
    (folder / "corpus.jsonl").write_text("".join(json.dumps(row) + "\n" for row in documents))
    queries = [{"_id": key, "text": text, "metadata": {}} for key, text in (("a", "one"), ("b", "two"), ("q", "three"))]
    (folder / "queries.jsonl").write_text("".join(json.dumps(row) + "\n" for row in queries))
    (folder / "qrels").mkdir()
    for split, rows in (("train", ["q\tb\t1"]), ("dev", ["a\tb\t1", "b\tc\t2", "b\tgone\t1"])):
        (folder / "qrels" / f"{split}.tsv").write_text("\n".join(["query-id\tcorpus-id\tscore", *rows]) + "\n")


def test_a_folder_of_beir_leaves_out_the_query_itself(tmp_path):
    write_beir(tmp_path)
    kind = Retrieval(source=Beir(), sequence_length=8, metrics=("mrr", "recall_at_1"))
    train, examples = kind.read(str(tmp_path), "train"), kind.read(str(tmp_path), "validation")
    assert list(examples.texts) == ["one", "B two", "C", "one", "two", "three"]
    assert (train.members.tolist(), list(examples.own)) == ([[5, 1]], [0, 1, -1])
    vectors = np.array([[1, 0], [0.9, 0.1], [0, 1], [1, 0], [0.9, 0.1], [1, 1]], np.float32)
    assert kind.measure_vectors(vectors, examples) == pytest.approx({"mrr": (1 + 1 / 2) / 2, "recall_at_1": 1 / 2})
    plain = Retrieval(source=Beir(), sequence_length=8, metrics=("mrr", "recall_at_1"), ignore_identical_ids=False)
    with_them = plain.read(str(tmp_path), "validation")
    assert plain.measure_vectors(vectors, with_them) == pytest.approx({"mrr": (1 / 2 + 1 / 3) / 2, "recall_at_1": 0.0})
    numbered = load_task("cranfield").read("sample", "all")
    assert isinstance(numbered, Judged)
    assert not numbered.own  # its numbers of queries are no numbers of documents
    assert Retrieval(source=InMemory({}), sequence_length=8, ignore_identical_ids=True).ignores_identical_ids


def test_a_task_that_cannot_be():
    with pytest.raises(ValueError, match=r"`loss` must be contrastive, .* Received: loss='cosine'"):
        make([], loss="cosine")
    with pytest.raises(ValueError, match="Received: 'accuracy'"):
        make([], metrics=("accuracy",))


def test_the_sample_reads_and_scores_through_the_task(tiny_model):
    from bert_tf.models import BertEmbedder
    from bert_tf.text import BertTokenizer

    kind = load_task("cranfield")
    train, validation = kind.read("sample", "train"), kind.read("sample", "validation")
    assert isinstance(train, Judged)
    assert (train.documents, len(train.judgements), train.is_sample) == (36, 24, True)
    assert len(train) + len(validation) == len(kind.read("sample", "all")) == 39
    model, tokenizer = BertEmbedder.from_pretrained(tiny_model), BertTokenizer.from_pretrained(tiny_model)
    features = kind.features(tokenizer, validation, sequence_length=16)
    assert isinstance(kind, Retrieval)
    assert isinstance(validation, Judged)
    scores = kind.scorer(model, tokenizer, features, validation, batch_examples=32)()
    answer = kind.answer_function(model, tokenizer, sequence_length=16)(tf.constant(list(validation.texts)))
    answers = [{"vector": vector} for vector in answer["vector"].numpy()]
    assert kind.measure_answers(answers, validation) == pytest.approx(scores, abs=1e-6)
    assert set(scores) == set(kind.metrics)


@pytest.mark.real
@pytest.mark.slow
def test_untrained_minilm_on_cranfield(shared_data):
    """0.37359 is what scikit-learn's ndcg_score gives for sentence-transformers' vectors."""
    from bert_tf.inference.pipeline import Pipeline

    kind = load_task("cranfield")
    examples = kind.read(str(shared_data("cranfield")), "all")
    found = kind.measure_answers(Pipeline("minilm", task=kind).rows(examples.texts), examples)
    assert found["ndcg_at_10"] == pytest.approx(0.37359, abs=1e-4)
