from __future__ import annotations

import numpy as np
import pytest

from bert_tf.data import InMemory, SpanAnswer, batch_arrays, choose_layout, plan_epoch
from bert_tf.kinds import SpanExamples, SpanQA
from bert_tf.kinds.span_qa.features import CHUNK, best_spans
from bert_tf.text import BertTokenizer
from tests.conftest import VOCABULARY, shared_data

KIND = SpanQA(source=InMemory({}), sequence_length=10, stride=2, question_tokens=3)


@pytest.fixture(name="tokenizer", scope="module")
def tokenizer_fixture():
    return BertTokenizer(VOCABULARY)


def examples(*rows):
    """Of (question, context, answers), an answer is "text" or ("text", number of its occurrence)."""
    answers = []
    for _, context, texts in rows:
        places = [text if isinstance(text, tuple) else (text, 0) for text in texts]
        starts = [[i for i in range(len(context)) if context.startswith(text, i)][n] for text, n in places]
        answers.append(tuple(SpanAnswer(text, start) for (text, _), start in zip(places, starts, strict=True)))
    return SpanExamples(texts=[row[0] for row in rows], pairs=[row[1] for row in rows], answers=answers)


def answer_of(features, e):
    """The tokens of an example's answer, as text."""
    ids = features.token_ids[features.splits[e] : features.splits[e + 1]]
    first, last = (int(features.position_fields[name][e]) for name in ("first_token", "last_token"))
    return " ".join(VOCABULARY[i] for i in ids[first : last + 1])


def test_the_tokens_that_cover_an_answer(tokenizer):
    given = examples(
        ("a", "Good film, bad film.", ["film"]),
        ("a", "Good film, bad film.", [("film", 1), "Good"]),  # the first answer counts, not the first place
        ("a", "Good film, bad film.", ["od fil"]),  # whole tokens
        ("a", "Good film, bad film.", [" film, "]),  # white space around it does not count
        ("a", "zoë b", ["ë b"]),
        ("a", "good", []),
    )
    features = KIND.features(tokenizer, given, sequence_length=16)
    assert features.example.tolist() == [0, 1, 2, 3, 4, 5]
    found = [answer_of(features, e) for e in range(6)]
    assert found == ["film", "film", "good film", "film ,", "##e b", "[CLS]"]
    assert [int(features.position_fields["first_token"][e]) for e in (0, 1)] == [4, 7]
    assert features.labels is None
    assert features.loss_terms is None


def test_only_windows_with_the_whole_answer_have_it(tokenizer):
    context = "a b c d e f g h i j"
    given = examples(*(("good", context, [text]) for text in ("b", "e f", "d e f g", "j", "a b c d e f g")))
    features = KIND.features(tokenizer, given)
    per_question = [[answer_of(features, w) for w in np.flatnonzero(features.example == e)] for e in range(5)]
    # Windows of six tokens that share two: a-f, e-j.
    assert per_question == [["b", "[CLS]"], ["e f", "e f"], ["[CLS]"] * 2, ["[CLS]", "j"], ["[CLS]"] * 2]


def test_an_answer_with_characters_that_are_no_tokens_at_its_edge(tokenizer):
    given = examples(("a", "\u200dgood\u200d", ["\u200dgood\u200d"]), ("a", "\u200d", ["\u200d"]))
    features = KIND.features(tokenizer, given)
    assert [answer_of(features, e) for e in range(2)] == ["good", "[CLS]"]


def test_offsets_count_characters_of_the_context(tokenizer):
    features = KIND.features(tokenizer, examples(("good", "\U0001d11e Bäd film", ["film"])))
    tokens = [VOCABULARY[i] for i in features.token_ids]
    places = list(zip(tokens, features.starts.tolist(), features.ends.tolist(), strict=True))
    assert places == [
        *[("[CLS]", 0, 0), ("good", 0, 0), ("[SEP]", 0, 0)],
        *[("[UNK]", 0, 1), ("bad", 2, 5), ("film", 6, 10), ("[SEP]", 0, 0)],
    ]
    assert features.segment_ids.tolist() == [0, 0, 0, 1, 1, 1, 1]


def test_chunks_join_and_progress_is_told(tokenizer, monkeypatch):
    rows = [("good", "a b c d e f g h i j"[: 2 * n + 1], ["a"]) for n in range(10)]
    whole = KIND.features(tokenizer, examples(*rows))
    monkeypatch.setattr("bert_tf.kinds.span_qa.features.CHUNK", 4)
    told = []
    parts = KIND.features(tokenizer, examples(*rows), progress=lambda *numbers: told.append(numbers))
    assert told == [(4, 10), (8, 10), (10, 10)]
    assert CHUNK > 10
    for name in ("token_ids", "segment_ids", "splits", "starts", "ends", "example"):
        np.testing.assert_array_equal(getattr(parts, name), getattr(whole, name))
        assert getattr(parts, name).dtype == getattr(whole, name).dtype
    for name, field in whole.position_fields.items():
        np.testing.assert_array_equal(parts.position_fields[name], field)


def test_packed_rows_move_the_places_with_the_window(tokenizer):
    features = KIND.features(tokenizer, examples(*[("good", f"{x} film", ["film"]) for x in "abcd"]))
    layout = choose_layout(features.lengths, 4, pack_length=14)
    batch = batch_arrays(features, plan_epoch(features.lengths, layout, seed=0, epoch=0), 0)
    film = VOCABULARY.index("film")
    used = batch["example_index"] >= 0
    for row, slot in zip(*np.nonzero(used), strict=True):
        assert batch["token_ids"][row, batch["first_token"][row, slot]] == film
        assert batch["example_ids"][row, batch["last_token"][row, slot]] == slot + 1
    assert used.sum() == 4


def test_best_spans_over_windows(tokenizer, monkeypatch):
    context = "a b c d e f g h i j"
    features = KIND.features(tokenizer, examples(("good", context, ["b"]), ("bad", "good film", ["film"])))
    rng = np.random.default_rng(0)
    outputs = [rng.normal(size=(n, 2)).astype(np.float32) for n in features.lengths]
    outputs[0][[4, 5], [0, 1]] = 20.0  # b c, of the first window
    outputs[1][[3, 4], [0, 1]] = 30.0  # e f, of the second; it is better
    outputs[2][[4, 3], [0, 1]] = 50.0  # ends before it starts: no span
    found = best_spans(outputs, features, 2, answer_tokens=30)
    assert context[found["start"][0] : found["end"][0]] == "e f"
    assert found["score"][0] == 60.0
    np.testing.assert_allclose(found["no_answer"][0], min(outputs[0][0].sum(), outputs[1][0].sum()), rtol=1e-6)
    assert found["end"][1] > found["start"][1]
    assert found["score"][1] < 60.0
    monkeypatch.setattr("bert_tf.kinds.span_qa.features.MEASURED_AT_ONCE", 1)
    for name, values in best_spans(outputs, features, 2, answer_tokens=30).items():
        np.testing.assert_array_equal(values, found[name])


def test_the_answers_of_the_real_set_come_back_from_their_tokens():
    """Over 99 % are in a window, and over 95 % of those are whole tokens, whose offsets give the text back."""
    from bert_tf import load_task

    kind = load_task("squad")
    assert isinstance(kind, SpanQA)
    whole = kind.read(str(shared_data("squad/dev-v1.1.json")), "validation")
    assert whole.answers is not None
    assert whole.pairs is not None
    chosen = slice(0, 400)
    given = SpanExamples(texts=whole.texts[chosen], pairs=whole.pairs[chosen], answers=whole.answers[chosen])
    tokenizer = BertTokenizer.from_pretrained("minilm")
    features = kind.features(tokenizer, given, sequence_length=128)
    assert len(features) > len(given)
    exact, found = 0, np.zeros(len(given), bool)
    for w, e in enumerate(features.example):
        first, last = (int(features.position_fields[name][w]) for name in ("first_token", "last_token"))
        if first:
            found[e] = True
            begin = int(features.splits[w])
            text = whole.pairs[e][int(features.starts[begin + first]) : int(features.ends[begin + last])]
            assert whole.answers[e][0].text in text
            exact += text == whole.answers[e][0].text
    assert found.mean() > 0.99
    assert exact / (features.position_fields["first_token"] > 0).sum() > 0.95
