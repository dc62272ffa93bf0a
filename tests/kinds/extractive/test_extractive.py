"""Extractive summarisation, from published rows to summaries."""

from __future__ import annotations

import dataclasses
import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from bert_tf import load_task
from bert_tf.data import InMemory, JsonLines, batch_arrays, choose_layout, plan_epoch
from bert_tf.errors import UserError
from bert_tf.inference.engine.rows import rows_of as _rows
from bert_tf.kinds import ExtractiveSummarization, SummaryExamples
from bert_tf.kinds.extractive.features import sentence_features
from bert_tf.kinds.outputs import Outputs
from bert_tf.metrics.rouge import rouge
from bert_tf.models import BertConfig, BertExtractiveSummarizer
from bert_tf.models.base import inputs_of
from bert_tf.text import BertTokenizer
from bert_tf.text.sentences import split_sentences
from tests.conftest import VOCABULARY, shared_data

TEXTS = ["good film\nbad film. A film", "bad", "a b c d\nb c d e\nf g h i", "c"]
REFERENCES = [("a bad film",), ("x", "bad"), ("b c d e", "f g h i"), ("z",)]
EXAMPLES = SummaryExamples(texts=TEXTS, references=REFERENCES)
CONFIG = BertConfig(
    vocabulary_size=len(VOCABULARY),
    hidden_dim=8,
    num_layers=1,
    num_heads=2,
    intermediate_dim=8,
    max_positions=64,
    hidden_dropout=0.0,
    attention_dropout=0.0,
    initializer_range=0.8,
)


def make(**changes) -> ExtractiveSummarization:
    fields = {"source": InMemory({}), "text": "body", "summary": "short", "num_sentences": 2, "sequence_length": 24}
    return ExtractiveSummarization(**{**fields, **changes})


@pytest.fixture(scope="module")
def tokenizer() -> BertTokenizer:
    return BertTokenizer(VOCABULARY)


@pytest.fixture(scope="module")
def model() -> BertExtractiveSummarizer:
    keras.utils.set_random_seed(4)
    return BertExtractiveSummarizer(CONFIG)


def answers_of(kind, model, tokenizer, texts):
    return list(_rows(kind.answer_function(model, tokenizer)(tf.constant(texts, tf.string))))


def test_published_rows_are_read(tmp_path):
    rows = [{"source": ["One\n two.", "", "Three."], "target": ["A", "B"]}, {"source": "Four. Five.", "target": "C"}]
    (tmp_path / "train.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n")
    source = JsonLines(files={"train": "train.jsonl", "test": "train.jsonl"})
    examples = make(source=source, text="source", summary="target").read(str(tmp_path), "train")
    assert examples.texts == ["One two.\nThree.", "Four. Five."]
    assert examples.references == [("A", "B"), ("C",)]
    assert examples.is_labelled
    (tmp_path / "train.jsonl").write_text('{"source": ["One."]}\n')
    assert not make(source=source, text="source", summary="target").read(str(tmp_path), "test").is_labelled


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"source": [" "], "target": ["A"]}, r"train.jsonl:2: column 'source': expected a text with a sentence in it"),
        ({"source": ["One."], "target": []}, r"train.jsonl:2: column 'target': expected one summary at least"),
        ({"source": {"a": 1}, "target": ["A"]}, r"train.jsonl:2: column 'source': expected a text or a list"),
        ({"source": ["One."]}, r"train.jsonl:2: expected the column 'target'"),
    ],
)
def test_a_bad_row_is_named_or_skipped(tmp_path, row, expected):
    good = {"source": ["One."], "target": ["A"]}
    (tmp_path / "train.jsonl").write_text("\n".join(map(json.dumps, [good, row])))
    source = JsonLines(files={"train": "train.jsonl"}, bad_rows_share=0.5)
    kind = make(source=source, text="source", summary="target")
    with pytest.raises(UserError, match=expected):
        kind.read(str(tmp_path), "train")
    examples = kind.read(str(tmp_path), "train", skip_bad_rows=True)
    assert (len(examples), examples.bad_rows) == (1, 1)


def test_features_label_where_sentences_start(tokenizer):
    features = make().features(tokenizer, EXAMPLES)
    labels = features.token_fields["sentence_labels"]
    assert [VOCABULARY[i] for i in features.token_ids[labels >= 0]] == ["[CLS]"] * 8
    assert np.flatnonzero(labels >= 0).tolist() == features.sentence_tokens.tolist()
    # "bad film." alone is best; "a film" adds an "a", but costs more. The last text has nothing of its reference.
    assert labels[labels >= 0].tolist() == [0, 1, 0, 1, 0, 1, 0, 0]
    assert features.loss_terms is not None
    assert features.loss_terms.tolist() == [3, 1, 3, 1]
    first = [VOCABULARY[i] for i in features.token_ids[: features.splits[1]]]
    assert first == [
        "[CLS]",
        "good",
        "film",
        "[SEP]",
        "[CLS]",
        "bad",
        "film",
        ".",
        "[SEP]",
        "[CLS]",
        "a",
        "film",
        "[SEP]",
    ]
    assert features.segment_ids[: features.splits[1]].tolist() == [0] * 4 + [1] * 5 + [0] * 4
    assert sentence_features(tokenizer, TEXTS, None, max_length=8, limit=1).token_fields == {}


def test_chunks_make_no_difference(tokenizer, monkeypatch):
    whole = make().features(tokenizer, EXAMPLES)
    monkeypatch.setattr("bert_tf.kinds.extractive.features.CHUNK", 3)
    calls = []
    parts = make().features(tokenizer, EXAMPLES, progress=lambda done, of: calls.append((done, of)))
    assert calls == [(3, 4), (4, 4)]
    for field in dataclasses.fields(whole):
        np.testing.assert_equal(getattr(parts, field.name), getattr(whole, field.name), err_msg=field.name)
    outputs = [np.arange(n, dtype=np.float32) for n in whole.lengths]
    assert make().measure(outputs, parts, EXAMPLES) == make().measure(outputs, whole, EXAMPLES)


def batches(features, batching):
    layout = choose_layout(features.lengths, 4, batching=batching, pack_length=32 if batching == "packed" else None)
    plan = plan_epoch(features.lengths, layout, seed=0, epoch=0, shuffle=False)
    for k in range(plan.number_of_batches):
        yield {name: tf.constant(value) for name, value in batch_arrays(features, plan, k).items()}


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_the_loss_of_a_text_is_summed_over_its_sentences_packed_or_not(tokenizer, model, smoothing):
    kind, features = make(), make().features(tokenizer, EXAMPLES)
    logits = Outputs(model, features, batch_examples=2, per_token=True)()
    wanted = []
    for e, scores in enumerate(logits):
        own = features.token_fields["sentence_labels"][features.splits[e] : features.splits[e + 1]]
        scores, own = scores[own >= 0].astype(np.float64), own[own >= 0]
        target = own * (1 - smoothing) + smoothing / 2
        wanted.append(np.sum(np.log1p(np.exp(scores)) - target * scores))
    for batching in ("packed", "bucketed"):
        found = np.full(4, np.nan)
        for batch in batches(features, batching):
            loss = kind.per_example_loss(model(inputs_of(batch)), batch, label_smoothing=smoothing)
            assert loss.shape == batch["example_weight"].shape
            index = batch["example_index"].numpy()
            found[index[index >= 0]] = loss.numpy()[index >= 0]
            assert not loss.numpy()[index < 0].any()
        np.testing.assert_allclose(found, wanted, rtol=1e-4)


def test_model_and_loss_compile_with_xla_on_a_packed_row(tokenizer, model):
    kind = make()
    batch = next(batches(kind.features(tokenizer, EXAMPLES), "packed"))

    def gradients(batch):
        with tf.GradientTape() as tape:
            outputs = model(inputs_of(batch), training=True, seed=tf.constant([1, 2], tf.int64))
            loss = tf.reduce_sum(kind.per_example_loss(outputs, batch))
        return loss, tape.gradient(loss, model.sentence_score.kernel.value)

    compiled = tf.function(gradients, jit_compile=True)(batch)
    for found, wanted in zip(compiled, gradients(batch), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_raw_text_gives_the_summaries_that_training_measures(tokenizer, model):
    for kind in (make(), make(num_sentences=1), make(num_sentences=3, block_trigrams=False, sequence_length=9)):
        features = kind.features(tokenizer, EXAMPLES)
        outputs = Outputs(model, features, batch_examples=3, per_token=True)()
        answers = answers_of(kind, model, tokenizer, TEXTS)
        assert kind.measure(outputs, features, EXAMPLES) == kind.measure_answers(answers, EXAMPLES)


def test_an_answer_is_the_best_sentences_in_the_order_of_the_text(tokenizer, model):
    kind, text = make(num_sentences=2, sequence_length=20), "  good film\nbad. Ä b c 😀 film? A\nbad film bad film"
    (answer,) = answers_of(kind, model, tokenizer, [text])
    found = kind.to_json(text, None, answer)
    assert set(found) == {"text", "summary", "sentences", "unread_sentences"}
    assert found["summary"] == " ".join(part["text"] for part in found["sentences"])
    assert len(found["sentences"]) == 2
    starts = [part["start"] for part in found["sentences"]]
    assert starts == sorted(starts)
    for part in found["sentences"]:
        assert text[part["start"] : part["end"]] == part["text"]
        assert 0 < part["score"] < 1
    assert found["unread_sentences"] == 1
    # Those two have the best scores of all that were read.
    everything = kind.to_json(
        text, None, answers_of(dataclasses.replace(kind, num_sentences=9), model, tokenizer, [text])[0]
    )
    assert [part["text"] for part in everything["sentences"]] == ["good film", "bad.", "Ä b c 😀 film?", "A"]
    best = sorted(everything["sentences"], key=lambda part: -part["score"])[:2]
    assert {part["text"] for part in best} == {part["text"] for part in found["sentences"]}
    json.dumps(found)


def test_sentences_that_repeat_a_better_one_are_left_out(tokenizer, model):
    text = ["a b c d\na b c d e\nA, b c!\nf"]
    (free,) = answers_of(make(num_sentences=3, block_trigrams=False), model, tokenizer, text)
    (blocked,) = answers_of(make(num_sentences=3), model, tokenizer, text)
    assert len(free["start"]) == 3
    assert len(blocked["start"]) == 2
    assert b" f" in b" " + blocked["summary"]


def test_an_empty_text_is_answered(tokenizer, model):
    kind = make()
    empty, full, blank = answers_of(kind, model, tokenizer, ["", "good film", " \n "])
    assert kind.to_json("", None, empty) == {"text": "", "summary": "", "sentences": [], "unread_sentences": 0}
    assert kind.to_json(" \n ", None, blank)["summary"] == ""
    assert full["summary"] == b"good film"
    none = kind.answer_function(model, tokenizer)(tf.constant([], tf.string))
    assert {name: values.shape[0] for name, values in none.items()} == dict.fromkeys(none, 0)


@pytest.mark.slow
def test_a_batch_changes_nothing(tokenizer, model):
    kind = make()
    together = answers_of(kind, model, tokenizer, TEXTS)
    for text, answer in zip(TEXTS, together, strict=True):
        (alone,) = answers_of(kind, model, tokenizer, [text])
        np.testing.assert_allclose(alone["score"], answer["score"], rtol=1e-4)
        assert alone["summary"] == answer["summary"]


def test_baselines_are_the_first_sentences_and_the_oracle():
    found = make(metrics=("rouge1",)).baselines(EXAMPLES)
    lead = rouge(["good film bad film.", "bad", "a b c d b c d e", "c"], REFERENCES, ("rouge1",), best=True)
    oracle = rouge(["bad film.", "bad", "b c d e", ""], REFERENCES, ("rouge1",), best=True)
    assert found == {"lead_2": lead, "oracle": oracle}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"num_sentences": 0}, "`num_sentences` must be 1 or more. Received: num_sentences=0"),
        ({"num_sentences": True}, "`num_sentences` must be 1 or more. Received: num_sentences=True"),
        ({"metrics": ("rouge1", "bleu")}, "`metrics` must be a tuple of rouge1, rouge2.* Received: metrics=.*bleu"),
        ({"metrics": "rouge1"}, "`metrics` must be a tuple of"),
        ({"sequence_length": 2}, "`sequence_length` must be 3 or more. Received: sequence_length=2"),
    ],
)
def test_a_task_that_cannot_be(changes, expected):
    with pytest.raises(ValueError, match=expected):
        make(**changes)


def test_class_weights_are_refused():
    with pytest.raises(UserError, match=r"'training\.class_weights' is for tasks with classes"):
        make().class_weights("balanced", EXAMPLES)


def test_the_sample_reads_through_the_task(tokenizer):
    kind = load_task("scitldr")
    train, dev = kind.read("sample", "train"), kind.read("sample", "validation")
    assert (len(train), len(dev), train.is_sample, dev.is_labelled) == (32, 16, True, True)
    found = split_sentences(tf.constant(train.texts))
    assert len(found.texts) == sum(text.count("\n") + 1 for text in train.texts)
    scores = kind.baselines(dev)
    assert scores["lead_1"]["rouge1"] + 15 < scores["oracle"]["rouge1"]


def test_the_real_set_reads_through_the_task():
    kind = load_task("scitldr")
    examples = kind.read(str(shared_data("scitldr_a")), "validation")
    assert isinstance(examples, SummaryExamples)
    assert examples.references is not None
    assert (len(examples), len(examples.references[0]), examples.is_sample) == (619, 3, False)
    first = dataclasses.replace(examples, texts=examples.texts[:100], references=examples.references[:100])
    scores = kind.baselines(first)
    assert 25 < scores["lead_1"]["rouge1"] < 35
    assert scores["oracle"]["rouge1"] > scores["lead_1"]["rouge1"] + 12
