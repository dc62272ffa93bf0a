"""What a diagnosis says of answers, and that it says the same as the metrics, which have their own way there."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bert_tf.data import InMemory, SpanAnswer
from bert_tf.data.tagged.label_sets import read_labels
from bert_tf.kinds import (
    ChoiceExamples,
    Classification,
    Corpus,
    Embedding,
    Examples,
    ExtractiveSummarization,
    MultiLabel,
    MultipleChoice,
    Pretraining,
    Regression,
    Retrieval,
    SpanExamples,
    SpanQA,
    SummaryExamples,
    TaggedExamples,
    Tagging,
    TextGroups,
    TextPairs,
    TextToText,
)
from bert_tf.kinds.diagnosis import Answered, Diagnosis
from bert_tf.kinds.vectors.retrieval import Judged

OF = {"source": InMemory({}), "sequence_length": 32}


def share_right(found: Diagnosis) -> float:
    return sum(row.is_right is True for row in found.rows) / len(found.rows)


def confusion(found: Diagnosis) -> list[list[int]]:
    matrix = found.confusion()
    assert matrix is not None
    return matrix.tolist()


def test_classes():
    kind = Classification(text=("text",), label="label", classes=("no", "yes"), metrics=("accuracy",), **OF)
    shares = [[0.9, 0.1], [0.2, 0.8], [0.4, 0.6]]
    answers = [{"label_index": np.int32(np.argmax(p)), "probabilities": np.array(p)} for p in shares]
    examples = Examples(texts=["a", "b", "c"], labels=np.array([0, 0, 1]))
    found = kind.diagnose(answers, examples)
    assert [row.is_right for row in found.rows] == [True, False, True]
    assert found.mistakes() == [
        Answered(number=1, inputs={"text": "b"}, expected="no", answered="yes", is_right=False, confidence=0.8)
    ]
    assert found.summary == "The right class was given to 2 of 3 (66.7 %) texts."
    assert confusion(found) == [[1, 1], [0, 1]]
    assert share_right(found) == kind.measure_answers(answers, examples)["accuracy"]
    assert found.per_class() == kind.report(answers, examples)["per_class"]
    assert set(found.precision_recall()) == {"no", "yes"}
    # Off by 0.1 (right at 0.9), 0.8 (wrong at 0.8) and 0.4 (right at 0.6), each in a bin of its own.
    calibration = found.calibration()
    assert calibration is not None
    assert calibration.expected_error == pytest.approx((0.1 + 0.8 + 0.4) / 3)


def test_a_rejected_text_is_neither_right_nor_wrong():
    kind = Classification(text=("text",), label="label", classes=("no", "yes"), reject_share=0.5, **OF)
    answers = [
        {"label_index": 1, "probabilities": np.array([0.4, 0.6]), "is_rejected": np.True_},
        {"label_index": 1, "probabilities": np.array([0.1, 0.9]), "is_rejected": np.False_},
    ]
    found = kind.diagnose(answers, Examples(texts=["a", "b"], labels=np.array([0, 0])))
    assert [row.is_right for row in found.rows] == [None, False]
    assert found.rows[0].answered == "none (best guess: yes)"
    assert "1 of 2 (50.0 %) were too unsure" in found.summary


def test_several_labels():
    kind = MultiLabel(text=("text",), label="label", classes=("x", "y"), metrics=("accuracy",), **OF)
    shares = [[0.9, 0.2], [0.7, 0.6]]
    answers = [{"holds": np.array(p) > 0.5, "probabilities": np.array(p)} for p in shares]
    examples = Examples(texts=["a", "b"], labels=np.array([[1, 0], [1, 0]], np.int32))
    found = kind.diagnose(answers, examples)
    assert [(row.expected, row.answered, row.is_right) for row in found.rows] == [
        ("x", "x", True),
        ("x", "x, y", False),
    ]
    assert [row.confidence for row in found.rows] == [pytest.approx(0.8), pytest.approx(0.6)]
    assert share_right(found) == kind.measure_answers(answers, examples)["accuracy"]
    assert found.confusion() is None
    assert found.per_class() == kind.report(answers, examples)["per_class"]
    calibration = found.calibration()
    assert calibration is not None
    assert calibration.counts.sum() == 4  # each label by itself
    assert set(found.precision_recall()) == {"x"}  # no text has y


def test_numbers_are_worst_where_they_are_furthest_off():
    kind = Regression(text=("one", "two"), label=("x", "y"), **OF)
    labels = np.array([[0.0, 0.0], [1.0, 100.0]], np.float32)
    answers = [{"values": np.array([0.5, 0.0])}, {"values": np.array([1.0, 10.0])}]
    found = kind.diagnose(answers, Examples(texts=["a", "b"], pairs=["c", "d"], labels=labels))
    # 0.5 of a deviation of 0.5, and 90 of one of 50, each half of what there is.
    assert [row.shortfall for row in found.rows] == [pytest.approx(0.5), pytest.approx(0.9)]
    assert found.mistakes(1)[0].inputs == {"one": "b", "two": "d"}
    assert found.rows[1].expected == "x 1, y 100"
    assert found.summary == (
        "x is off by 0.25 on average, where 0 to 1 was expected; "
        "y is off by 45 on average, where 0 to 100 was expected."
    )
    assert found.numbers["y"][1].tolist() == [0.0, 10.0]


def tag_answer(text: str, words: list[tuple[str, str]], entities: list[tuple[str, str, float]]) -> dict[str, Any]:
    """What the graph answers: a tag a word, and entities by their text."""
    places = [text.index(named) for named, _, _ in entities]
    return {
        "piece_start": np.array([text.index(word) for word, _ in words], np.int32),
        "piece_tag": np.array([tag.encode() for _, tag in words]),
        "text": [named.encode() for named, _, _ in entities],
        "label": [label.encode() for _, label, _ in entities],
        "score": np.array([score for _, _, score in entities], np.float32),
        "start": np.array(places, np.int32),
        "end": np.array([place + len(named) for place, (named, _, _) in zip(places, entities, strict=True)], np.int32),
    }


def test_entities():
    kind = Tagging(source=InMemory({}), types=("PER", "LOC"), metrics=("f1", "precision", "recall", "accuracy"))
    texts = ["Ann Lee left Rome", "nobody", "Bob"]
    words = [text.split() for text in texts]
    starts = [[text.index(word) for word in some] for text, some in zip(texts, words, strict=True)]
    tags = [[1, 2, 0, 3], [0], [1]]  # O B-PER I-PER B-LOC I-LOC
    examples = TaggedExamples(texts=texts, words=words, starts=starts, label_set=kind.label_set, tags=tags)
    answers = [
        tag_answer(
            texts[0],
            [("Ann", "B-PER"), ("Lee", "O"), ("left", "O"), ("Rome", "B-LOC")],
            [("Ann", "PER", 0.75), ("Rome", "LOC", 0.5)],
        ),
        tag_answer(texts[1], [("nobody", "O")], []),
        tag_answer(texts[2], [("Bob", "O")], []),
    ]
    found = kind.diagnose(answers, examples)
    assert [row.is_right for row in found.rows] == [False, True, False]
    assert found.rows[0].expected == "Ann Lee [PER], Rome [LOC]"
    assert found.rows[0].answered == "Ann [PER], Rome [LOC]"
    assert [row.confidence for row in found.rows] == [0.75, None, None]
    assert [row.number for row in found.mistakes()] == [0, 2]
    assert found.summary == "Of the 3 entities 1 were found (33.3 %); of the 2 that were named, 50.0 % are right."
    scores = kind.measure_answers(answers, examples)
    assert (scores["recall"], scores["precision"]) == (pytest.approx(1 / 3), 0.5)
    assert found.classes == ("(none)", "PER", "LOC")
    assert confusion(found) == [[2, 0, 0], [2, 1, 0], [0, 0, 1]]
    assert [row["type"] for row in found.tables["entities by type"]] == ["LOC", "PER"]


def test_a_label_for_each_word():
    labels = ("NOUN", "VERB")
    kind = Tagging(source=InMemory({}), labels=labels, metrics=("accuracy",))
    assert read_labels(labels, None).scheme == "words"
    text = "Ann left"
    examples = TaggedExamples(
        texts=[text], words=[["Ann", "left"]], starts=[[0, 4]], label_set=kind.label_set, tags=[[0, 1]]
    )
    words = [("Ann", "NOUN"), ("left", "NOUN")]
    answer = tag_answer(text, words, [("Ann", "NOUN", 0.75), ("left", "NOUN", 0.875)])
    found = kind.diagnose([answer], examples)
    assert found.rows[0].expected == "Ann [NOUN], left [VERB]"
    assert (found.rows[0].is_right, found.rows[0].confidence) == (False, 0.875)
    assert found.summary == "The right label was given to 1 of 2 (50.0 %) words."
    assert kind.measure_answers([answer], examples) == {"accuracy": 0.5}
    assert (found.classes, found.tables) == (labels, {})


def test_answers_in_contexts():
    kind = SpanQA(source=InMemory({}), no_answer=True, metrics=("f1", "exact_match"))
    examples = SpanExamples(
        texts=["Where?", "Who?", "When?"],
        pairs=["in old Rome", "Ann", "now"],
        answers=[(SpanAnswer("Rome", 7), SpanAnswer("Rome", 7)), (SpanAnswer("Ann", 0),), ()],
    )
    given = [(b"old Rome", 3, 11, 0.75), (b"Ann", 0, 3, 0.5), (b"now", 0, 3, 0.25)]
    answers = [
        {
            "answer": text,
            "score": np.float32(score),
            "n_best_start": [start],
            "n_best_end": [end],
            "no_answer_score": -1.0,
        }
        for text, start, end, score in given
    ]
    found = kind.diagnose(answers, examples)
    assert [row.is_right for row in found.rows] == [False, True, False]
    assert found.rows[0].expected == "Rome"
    assert found.rows[2].expected == "(no answer)"
    assert [row.number for row in found.mistakes()] == [0, 2]
    scores = kind.measure_answers(answers, examples)
    assert np.mean([row.scores["f1"] for row in found.rows]) == pytest.approx(scores["f1"])
    assert share_right(found) == pytest.approx(scores["exact_match"])
    table = found.tables["questions with and without an answer"]
    assert [(row["count"], row["exact_match"], row["answered with nothing"]) for row in table] == [
        (2, 0.5, 0),
        (1, 0, 0),
    ]


def vectors(*rows: tuple[float, float]) -> list[dict[str, Any]]:
    return [{"vector": np.array(row, np.float32)} for row in rows]


def test_scored_pairs_fall_short_by_their_place_in_the_order():
    kind = Embedding(text=("one", "two"), score="score", score_range=(0, 5), **OF)
    examples = TextGroups(
        texts=["a", "b", "c", "d"],
        members=np.array([[0, 1], [0, 2], [0, 3]]),
        labels=np.array([1.0, 0.5, 0.0], np.float32),
        needs_labels=True,
    )
    found = kind.diagnose(vectors((1, 0), (0, 1), (1, 1), (1, 0)), examples)
    assert [(row.expected, row.answered) for row in found.rows] == [("5", "0.0000"), ("2.5", "0.7071"), ("0", "1.0000")]
    assert [row.shortfall for row in found.rows] == [pytest.approx(2 / 3), 0.0, pytest.approx(2 / 3)]
    assert [row.number for row in found.mistakes(2)] == [0, 2]


def test_triplets_and_pairs():
    answers = vectors((1, 0), (1, 0.1), (0, 1), (0.1, 1))
    examples = TextGroups(texts=["a", "b", "c", "d"], members=np.array([[0, 1, 2], [3, 0, 2]]))
    triplets = Embedding(text=("one", "two", "three"), loss="triplet", metrics=("triplet_accuracy",), **OF)
    found = triplets.diagnose(answers, examples)
    assert [row.is_right for row in found.rows] == [True, False]
    assert (found.rows[1].expected, found.rows[1].answered) == ("a", "c")
    assert triplets.measure_answers(answers, examples) == {"triplet_accuracy": 0.5}

    pairs = Embedding(text=("one", "two"), loss="contrastive", metrics=("recall_at_1",), **OF)
    examples = TextGroups(texts=["a", "b", "c", "d"], members=np.array([[0, 1], [3, 1], [0, 2]]))
    found = pairs.diagnose(answers, examples)
    assert [(row.inputs["one"], row.expected, row.answered, row.is_right) for row in found.rows] == [
        ("a", "b | c", "b", True),
        ("d", "b", "c", False),
    ]


def test_documents_of_queries():
    kind = Retrieval(metrics=("recall_at_1",), **OF)
    examples = Judged(
        texts=["doc one", "doc two", "q one", "q two", "q three"],
        members=np.array([[2, 0], [3, 0]]),
        documents=2,
        judgements=[{0: 1.0}, {0: 1.0, 1: 0.0, 7: 1.0}, {}],
    )
    answers = vectors((1, 0), (0, 1), (1, 0.5), (0, 2), (1, 1))
    found = kind.diagnose(answers, examples)
    assert [(row.inputs["query"], row.answered, row.is_right) for row in found.rows] == [
        ("q one", "doc one", True),
        ("q two", "doc two", False),
    ]
    assert found.rows[1].expected == "doc one"
    assert found.summary == "The first of 2 texts is a right one for 1 of 2 (50.0 %) queries."


def test_choices():
    kind = MultipleChoice(
        source=InMemory({}), text="text", stem="stem", choices="ends", label="label", sequence_length=8
    )
    examples = ChoiceExamples(
        texts=["t", "u"],
        stems=["He", "She"],
        choices=[("runs", "swims", ""), ("sits", "eats", "naps")],
        in_columns=False,
        labels=np.array([0, 2]),
    )
    answers = [
        {"choice_index": 0, "probabilities": np.array([0.9, 0.1, 0.0])},
        {"choice_index": 0, "probabilities": np.array([0.5, 0.2, 0.3])},
    ]
    found = kind.diagnose(answers, examples)
    assert found.rows[0].inputs == {"text": "t", "stem": "He", "choices": "runs | swims"}
    assert [(row.expected, row.answered, row.is_right) for row in found.rows] == [
        ("runs", "runs", True),
        ("naps", "sits", False),
    ]
    assert found.tables["by the place of the right choice"] == [
        {"place": 0, "right": 1, "chosen": 2, "accuracy": 1.0},
        {"place": 1, "right": 0, "chosen": 0, "accuracy": None},
        {"place": 2, "right": 1, "chosen": 0, "accuracy": 0.0},
    ]


def test_texts_that_are_written_are_worst_where_they_score_least():
    kind = TextToText(
        source=InMemory({}), text="de", target="en", metrics=("rouge1",), sequence_length=32, target_length=8
    )
    examples = TextPairs(texts=["x", "y"], references=[("a dog",), ("a cat", "one cat")])
    answers = [{"generated": b"a dog"}, {"generated": b"one dog"}]
    found = kind.diagnose(answers, examples)
    assert [row.scores["rouge1"] for row in found.rows] == [100.0, 25.0]
    assert [row.number for row in found.mistakes()] == [1, 0]
    assert kind.measure_answers(answers, examples)["rouge1"] == 62.5
    summaries = ExtractiveSummarization(
        source=InMemory({}), text="text", summary="summary", metrics=("rouge1",), sequence_length=32
    )
    some = SummaryExamples(texts=["x", "y"], references=[("a dog",), ("a cat", "one cat")])
    found = summaries.diagnose([{"summary": b"a dog"}, {"summary": b"one dog"}], some)
    assert [row.scores["rouge1"] for row in found.rows] == [100.0, 50.0]


def test_a_metric_that_is_better_the_less_it_is():
    kind = TextToText(
        source=InMemory({}), text="de", target="en", metrics=("ter",), sequence_length=32, target_length=8
    )
    examples = TextPairs(texts=["x", "y"], references=[("a dog",), ("a cat",)])
    found = kind.diagnose([{"generated": b"a dog"}, {"generated": b"nothing like it"}], examples)
    assert [row.number for row in found.mistakes(1)] == [1]


def test_hidden_words():
    from bert_tf.data import TextCorpus

    kind = Pretraining(source=TextCorpus(), sequence_length=16)
    corpus = Corpus(where="x", split="validation", texts=["The [MASK] rose.", "A [MASK]."], words=["Sun", "dog"])
    answers = [
        {"tokens": np.array([[b"sun", b"moon"]]), "scores": np.array([[0.5, 0.25]])},
        {"tokens": np.zeros((0, 2), "S1"), "scores": np.zeros((0, 2))},
    ]
    found = kind.diagnose(answers, corpus)
    assert [(row.is_right, row.confidence) for row in found.rows] == [(True, 0.5), (False, None)]
    assert kind.measure_answers(answers, corpus) == {"hidden_word_accuracy": 0.5}


def test_the_surest_mistakes_come_first():
    rows = [
        Answered(number=i, inputs={}, expected="", answered="", is_right=right, confidence=sure)
        for i, (right, sure) in enumerate([(False, 0.2), (True, 1.0), (False, None), (False, 0.9), (None, 0.95)])
    ]
    assert [row.number for row in Diagnosis(rows=rows).mistakes()] == [3, 0, 2]
    assert [row.number for row in Diagnosis(rows=rows).mistakes(1)] == [3]
    assert Diagnosis(rows=rows[1:2]).mistakes() == []
    assert (Diagnosis().calibration(), Diagnosis().confusion(), Diagnosis().per_class()) == (None, None, {})
