"""The oracle of extractive summaries: what it counts, and what it takes."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from rouge_score.rouge_scorer import RougeScorer

from bert_tf.metrics.oracle import Oracle
from bert_tf.metrics.rouge import rouge

WORDS = ["running", "runs", "dogs", "dog", "The", "a", "tables,", "U.S."]


def score(texts, references):
    """The same sum by the library itself."""
    scorer = RougeScorer(["rouge1", "rouge2"], use_stemmer=True)
    return max(sum(part.fmeasure for part in scorer.score(right, " ".join(texts)).values()) for right in references)


def text_of(rng, low, high):
    return " ".join(rng.choice(WORDS, rng.integers(low, high)))


@pytest.mark.parametrize("seed", range(4))
def test_one_sentence_is_the_best_one(seed):
    rng = np.random.default_rng(seed)
    sentences, right = [text_of(rng, 1, 9) for _ in range(6)], [text_of(rng, 3, 9) for _ in range(2)]
    scores = [score([sentence], right) for sentence in sentences]
    assert Oracle(1)(sentences, right) == [int(np.argmax(scores))]


def test_sentences_are_added_while_they_help():
    sentences = ["dogs bark", "nobody knows", "cats sleep all day", "dogs bark"]
    right = ["Cats sleep all day. Dogs bark."]
    assert Oracle(1)(sentences, right) == [2]
    assert Oracle(4)(sentences, right) == [2, 3]  # in the text's order, as the bigrams of two sentences count too
    # Each step is the best of all there are.
    chosen, best = [2], score([sentences[2]], right)
    for k in (0, 1, 3):
        gain = score([sentences[i] for i in sorted([*chosen, k])], right) - best
        assert (gain > 0) == (k in (0, 3))
    worse = [score([sentences[i] for i in three], right) for three in itertools.combinations(range(4), 3)]
    assert max(worse) < score([sentences[2], sentences[3]], right)


def test_words_are_those_of_the_library():
    from rouge_score.tokenizers import DefaultTokenizer

    text, oracle = "The U.S. tables' RUNNING runs, café 3.5 -- flies dies", Oracle(1)
    assert oracle.words(text) == oracle.words(text) == DefaultTokenizer(use_stemmer=True).tokenize(text)


def test_the_best_reference_counts_and_no_word_in_common_is_no_summary():
    assert Oracle(1)(["a b", "c d"], ["x", "c d"]) == [1]
    assert Oracle(2)(["a b", "c d"], ["x y"]) == []
    assert Oracle(2)([], ["x y"]) == []


def test_rouge_of_the_best_reference():
    predictions, references = ["a b c", "x"], [["a b", "a b c d"], ["x"]]
    names = ("rouge1", "rouge2")
    mean, best = rouge(predictions, references, names), rouge(predictions, references, names, best=True)
    assert mean == pytest.approx({"rouge1": 100 * (0.5 * (4 / 5 + 6 / 7) + 1) / 2, "rouge2": 100 * (2 / 3 + 4 / 5) / 4})
    assert best == pytest.approx({"rouge1": 100 * (6 / 7 + 1) / 2, "rouge2": 100 * (4 / 5) / 2})
