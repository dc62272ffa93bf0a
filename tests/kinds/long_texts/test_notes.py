"""What is said of texts that are cut, for every kind."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from bert_tf.data import InMemory
from bert_tf.data.batching.cut import Cut
from bert_tf.kinds import Classification, Examples, ExtractiveSummarization, MultipleChoice, SpanQA, Tagging, TextToText
from bert_tf.kinds.long_texts.notes import cut_of
from bert_tf.text import BertTokenizer
from tests.conftest import VOCABULARY
from tests.text.reference import reference

TOKENIZER = BertTokenizer(VOCABULARY)
LONG, SHORT = "a b c d e f g h i j k l m n", "good film"


def tokens(*texts: str) -> int:
    """Of a row of texts, special ones included, as the `tokenizers` library counts them."""
    return sum(len(reference(VOCABULARY).encode(text).ids) - 1 for text in texts) + 1


def of(kind: Any, rows: list[dict[str, Any]], **fields: Any) -> Any:
    return kind(source=InMemory({"train": rows}), **fields)


def test_text_to_text_counts_the_texts_that_are_read():
    rows = [{"a": LONG, "b": SHORT}, {"a": SHORT, "b": SHORT}]
    kind = of(TextToText, rows, text="a", target="b", metrics=("rouge1",), sequence_length=12, target_length=4)
    cut = kind.features(TOKENIZER, kind.read("own", "train")).cut
    assert (cut.tokens.tolist(), cut.lost.tolist()) == ([tokens(LONG), tokens(SHORT)], [tokens(LONG) - 8, 0])


def test_extractive_counts_the_tokens_of_sentences_that_have_no_room():
    text = "a b c.\nd e f.\ng h i.\nj"
    rows = [{"a": text, "b": "a b c."}, {"a": "x", "b": "x"}, {"a": LONG, "b": "x"}]
    kind = of(ExtractiveSummarization, rows, text="a", summary="b", num_sentences=1, sequence_length=12)
    features = kind.features(TOKENIZER, kind.read("own", "train"))
    whole = [sum(tokens(part) for part in ("a b c.", "d e f.", "g h i.", "j")), tokens("x"), tokens(LONG)]
    assert features.cut.tokens.tolist() == whole
    assert features.cut.lost.tolist() == (np.array(whole) - features.lengths).tolist()
    assert features.lengths.tolist() == [12, 3, 12]


def test_questions_may_be_cut_and_contexts_are_not():
    rows = [{"question": LONG, "context": LONG, "answers": []}, {"question": SHORT, "context": LONG, "answers": []}]
    kind = of(SpanQA, rows, no_answer=True, question_tokens=5, sequence_length=16, stride=2)
    features = kind.features(TOKENIZER, kind.read("own", "train"))
    assert features.cut.tokens.tolist() == [tokens(LONG, LONG), tokens(SHORT, LONG)]
    assert features.cut.lost.tolist() == [14 - 5, 0]
    said = kind.cut_warning({"train": features}, sequence_length=None, positions=512)
    assert said.startswith("train: 1 of 2 texts (50.0 %) too long for 5 tokens")
    assert said.endswith("The task's `question_tokens` says how much of a question is read")


def test_a_tagger_reads_all():
    rows = [{"words": LONG.split(), "tags": ["O"] * 14}, {"words": ["good"], "tags": ["O"]}]
    kind = of(Tagging, rows, types=("x",), sequence_length=8)
    features = kind.features(TOKENIZER, kind.read("own", "train"))
    assert (features.cut.tokens.tolist(), features.cut.lost.tolist()) == ([tokens(LONG), 3], [0, 0])
    assert kind.cut_warning({"train": features}, sequence_length=None, positions=512) is None


def test_choices_are_counted_with_their_texts_and_answered_with_the_longest():
    rows = [{"text": LONG, "a": SHORT, "b": "x", "label": 0}, {"text": "x", "a": "a", "b": "b", "label": 0}]
    kind = of(MultipleChoice, rows, text="text", choices=("a", "b"), label="label", sequence_length=10)
    cut = kind.features(TOKENIZER, kind.read("own", "train")).cut
    whole = [tokens(LONG, SHORT), tokens(LONG, "x"), tokens("x", "a"), tokens("x", "b")]
    assert (cut.tokens.tolist(), cut.lost.tolist()) == (whole, [max(n - 10, 0) for n in whole])

    def model(inputs: Any, training: bool) -> Any:
        return tf.zeros([tf.shape(inputs["token_ids"])[0]])

    columns = [tf.constant([row[name] for row in rows]) for name in ("text", "a", "b")]
    found = kind.answer_function(model, TOKENIZER).python_function(*columns)
    assert found["text_tokens"].numpy().tolist() == [whole[0], whole[2]]
    assert found["cut_tokens"].numpy().tolist() == [whole[0] - 10, 0]


@pytest.mark.parametrize(
    ("changes", "length", "ending"),
    [
        ({}, None, "positions, reads more of them; data.long_texts=windows reads all of them"),
        ({}, 32, "The backbone has no more than 32 positions; data.long_texts=windows reads all of them"),
        ({"long_texts": "windows", "max_windows": 1}, None, "A greater data.max_windows than 1 reads more of them"),
        ({"long_texts": "windows"}, None, None),
    ],
)
def test_a_warning_says_what_reads_more(changes, length, ending):
    kind = Classification(source=InMemory({}), text=("a",), label="b", classes=("x", "y"), sequence_length=8, **changes)
    long = " ".join([LONG] * 3)
    texts = {"train": [long, SHORT], "validation": [SHORT, long]}
    splits = {
        split: kind.features(TOKENIZER, Examples(texts=some, labels=np.array([0, 1])), sequence_length=length)
        for split, some in texts.items()
    }
    said = kind.cut_warning({**splits, "other": object()}, sequence_length=length, positions=32)
    if ending is None:
        assert said is None
        return
    assert said is not None
    lost = 100 * (tokens(long) - (length or 8)) / (tokens(long) + tokens(SHORT))
    part = f"1 of 2 texts (50.0 %) too long for {length or 8} tokens, {lost:.1f} % of all tokens cut"
    assert said.startswith(f"train: {part}; validation: {part}; the longest text has {tokens(long)}. ")
    assert said.endswith(ending)


def test_kinds_that_say_it_themselves_are_not_said_again():
    kind = of(TextToText, [], text="a", target="b", metrics=("rouge1",), sequence_length=12, target_length=4)

    @dataclasses.dataclass
    class Part:
        cut: Cut

    assert kind.cut_warning({"train": Part(Cut(np.array([9]), np.array([1])))}, sequence_length=8, positions=9) is None


def test_what_was_cut_off_answers():
    answers = [{"text_tokens": 9, "cut_tokens": 1}, {"text_tokens": 4, "cut_tokens": 0}]
    cut = cut_of(answers)
    assert cut is not None
    assert (cut.tokens.tolist(), cut.lost.tolist()) == ([9, 4], [1, 0])
    assert cut_of([]) is None
    assert cut_of([{"label": b"x"}]) is None
