from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from bert_tf.metrics.ranking import rank, ranked_for, retrieval_scores, without

NAMES = ("ndcg_at_3", "recall_at_2", "recall_at_100", "mrr")
GOLDEN = Path(__file__).resolve().parent.parent / "golden" / "trec_eval.json"


def test_worked_by_hand():
    ranked = [[4, 1, 0, 2], [9, 8, 3]]
    judgements = [{1: 2.0, 0: 1.0, 7: 4.0, 4: 0.0}, {3: 1.0}]
    found = retrieval_scores(ranked, judgements, NAMES)
    first = (2 / np.log2(3) + 1 / np.log2(4)) / (4 + 2 / np.log2(3) + 1 / np.log2(4))
    assert found["ndcg_at_3"] == pytest.approx((first + 1 / np.log2(4)) / 2)
    assert found["recall_at_2"] == pytest.approx((1 / 3 + 0) / 2)
    assert found["recall_at_100"] == pytest.approx((2 / 3 + 1) / 2)
    assert found["mrr"] == pytest.approx((1 / 2 + 1 / 3) / 2)


def test_ndcg_is_scikit_learns():
    from sklearn.metrics import ndcg_score

    rng = np.random.default_rng(1)
    scores, gains = rng.normal(size=(20, 30)), rng.integers(0, 5, size=(20, 30)) * (rng.random((20, 30)) < 0.3)
    gains[:, 0] = 1
    judgements = [{i: float(gain) for i, gain in enumerate(row)} for row in gains]
    ranked = np.argsort(-scores, axis=1).tolist()
    for depth in (1, 5, 10):
        found = retrieval_scores(ranked, judgements, (f"ndcg_at_{depth}",))[f"ndcg_at_{depth}"]
        assert found == pytest.approx(ndcg_score(gains, scores, k=depth), abs=1e-9)


def test_queries_without_a_relevant_document_do_not_count():
    assert retrieval_scores([[1], [2]], [{1: 1.0}, {2: 0.0}], ("mrr",)) == {"mrr": 1.0}
    assert retrieval_scores([[], [2]], [{1: 1.0}, {2: 1.0}], ("mrr", "ndcg_at_1")) == {"mrr": 0.5, "ndcg_at_1": 0.5}
    with pytest.raises(ValueError, match="must have a relevant document for one query at least"):
        retrieval_scores([[1]], [{1: -1.0}], ("mrr",))
    with pytest.raises(ValueError, match="Received: 2 rankings, judgements of 1 queries"):
        retrieval_scores([[1], [2]], [{1: 1.0}], ("mrr",))


@pytest.mark.parametrize("name", ["ndcg", "ndcg_at_0", "map", "mrr_at_", "recall@10"])
def test_unknown_metrics(name):
    with pytest.raises(ValueError, match=f"Received: '{name}'"):
        retrieval_scores([[1]], [{1: 1.0}], (name,))


def test_how_many_documents_metrics_need():
    assert ranked_for(("ndcg_at_10", "recall_at_20")) == 20
    assert ranked_for(("ndcg_at_10", "mrr")) == 100


def test_ranking_is_exact_by_cosine_and_stable():
    rng = np.random.default_rng(2)
    queries, documents = rng.normal(size=(7, 4)), rng.normal(size=(9, 4)) * rng.uniform(0.1, 9, size=(9, 1))
    documents[5] = 3 * documents[2]  # the same direction: the earlier first
    found = rank(queries, documents, 4, block=3)
    cosines = queries @ (documents / np.linalg.norm(documents, axis=1, keepdims=True)).T
    cosines[:, 5] = cosines[:, 2]
    np.testing.assert_array_equal(found, np.argsort(-cosines, axis=1, kind="stable")[:, :4])
    assert rank(queries, documents, 100).shape == (7, 9)


def test_scores_are_those_of_trec_eval():
    """Of its own program: graded, negative and zero judgements, documents and queries that one side lacks."""
    stored = json.loads(GOLDEN.read_text())
    names = {
        "ndcg_cut": "ndcg_at",
        "recall": "recall_at",
        "P": "precision_at",
        "map_cut": "map_at",
    }
    compared = 0
    for query, judged in stored["judgements"].items():
        ranked = [stored["ranked"].get(query, [])]
        if not any(gain > 0 for gain in judged.values()):
            continue
        for name, value in stored["scores"][query].items():
            kind, _, depth = name.rpartition("_")
            ours = "mrr" if name == "recip_rank" else f"{names[kind]}_{depth}"
            assert retrieval_scores(ranked, [judged], (ours,))[ours] == pytest.approx(value, abs=1e-6), (query, name)
            compared += 1
    assert compared > 400


def test_average_precision_is_scikit_learns_where_all_is_ranked():
    rng = np.random.default_rng(4)
    scores, relevant = rng.normal(size=(20, 15)), rng.random((20, 15)) < 0.3
    relevant[:, 3] = True
    for row, right in zip(scores, relevant, strict=True):
        ranked, judged = [np.argsort(-row).tolist()], [dict.fromkeys(np.flatnonzero(right).tolist(), 1.0)]
        expected = average_precision_score(right, row)
        assert retrieval_scores(ranked, judged, ("map_at_15",))["map_at_15"] == pytest.approx(expected)


def test_relevant_documents_that_are_not_there_count_as_not_found():
    found = retrieval_scores([[1, 0]], [{1: 1.0, 7: 1.0}], ("recall_at_10", "ndcg_at_10", "map_at_10", "mrr_at_10"))
    ideal = 1 + 1 / np.log2(3)
    assert found == pytest.approx({"recall_at_10": 0.5, "ndcg_at_10": 1 / ideal, "map_at_10": 0.5, "mrr_at_10": 1.0})


def test_one_document_left_out():
    assert without([[3, 1, 2], [1, 2], []], [1, -1, 4]) == [[3, 2], [1, 2], []]
