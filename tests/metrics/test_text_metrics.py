"""ROUGE and BLEU against values worked out by hand, and against their packages."""

from __future__ import annotations

import pytest

from bert_tf.metrics.bleu import bleu
from bert_tf.metrics.rouge import rouge


def test_rouge_by_hand():
    # Precision 3/4, recall 3/3; of bigrams 1/3 and 1/2; the longest common subsequence is all three words.
    found = rouge(["the cat sat down"], [["the sat down"]])
    assert found == pytest.approx({"rouge1": 100 * 6 / 7, "rouge2": 100 * 2 / 5, "rougeL": 100 * 6 / 7})


def test_rouge_stems_and_ignores_case_and_punctuation():
    assert rouge(["Cats, walking!"], [["cat walked"]], ["rouge1"]) == {"rouge1": 100.0}


def test_rouge_is_the_mean_over_references_then_over_texts():
    found = rouge(["a b", "x"], [["a b", "c d", "a c", "a d"], ["x"]], ["rouge1"])
    assert found["rouge1"] == pytest.approx(100 * ((1 + 0 + 0.5 + 0.5) / 4 + 1) / 2)


def test_rouge_lsum_takes_lines_as_sentences():
    found = rouge(["b c\na"], [["a\nb c"]], ["rougeL", "rougeLsum"])
    assert found["rougeLsum"] == pytest.approx(100.0)
    assert found["rougeL"] < 70


def test_rouge_lsum_finds_sentences_within_a_line():
    found = rouge(["It rained. Dr. Ann left early."], [["Dr. Ann left early. It rained."]], ["rougeL", "rougeLsum"])
    assert found["rougeLsum"] == pytest.approx(100.0)
    assert found["rougeL"] < 70


def test_bleu_is_the_packages_own_over_the_corpus():
    import sacrebleu

    texts = ["Ein Hund läuft über die Wiese .", "Zwei Kinder spielen."]
    references = [("Ein Hund rennt über die Wiese.",), ("Zwei Kinder spielen Ball.",)]
    assert bleu(["Ein Hund läuft."], [["Ein Hund läuft."]]) == pytest.approx(100.0)
    assert bleu(["ein hund läuft."], [["Ein Hund läuft."]]) < 60
    expected = sacrebleu.BLEU().corpus_score(texts, [[first for (first,) in references]]).score
    assert bleu(texts, references) == pytest.approx(expected)
    assert bleu(["a b c d", "x"], [("a b c d", "q"), ("y", "x")]) == pytest.approx(100.0)


@pytest.mark.parametrize("metric", [rouge, bleu])
@pytest.mark.parametrize(("texts", "references"), [([], []), (["a"], []), (["a"], [[]])])
def test_texts_and_references_must_go_together(metric, texts, references):
    with pytest.raises(ValueError, match="`references` must hold one text at least for each"):
        metric(texts, references)


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match=r"`names` must be of rouge1, .* Received: names=\('rouge3',\)"):
        rouge(["a"], [["a"]], ["rouge3"])
