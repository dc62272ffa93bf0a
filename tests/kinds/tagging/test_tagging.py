from __future__ import annotations

import json
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from seqeval.metrics.sequence_labeling import get_entities

from bert_tf.data import Epochs, InMemory, choose_layout, replica_batches
from bert_tf.errors import UserError
from bert_tf.inference.engine.rows import rows_of as _rows
from bert_tf.kinds import TaggedExamples, Tagging
from bert_tf.models import BertConfig, BertTagger, weights_by_path
from bert_tf.text import BertTokenizer
from bert_tf.training.optimizers.adamw import AdamW
from bert_tf.training.optimizers.schedule import Schedule
from bert_tf.training.step import TrainStep
from tests.conftest import VOCABULARY

TYPES = ("person", "place")
TOKENIZER = BertTokenizer([*VOCABULARY, "-", '"'])
SMALL = BertConfig(
    vocabulary_size=TOKENIZER.vocabulary_size,
    hidden_dim=8,
    num_layers=1,
    num_heads=2,
    intermediate_dim=8,
    max_positions=32,
    hidden_dropout=0.0,
    attention_dropout=0.0,
    initializer_range=0.5,
)


def make(rows=(), **changes: Any) -> Tagging:
    source = InMemory({"train": list(rows), "validation": list(rows), "test": list(rows)})
    return Tagging(**{"source": source, "types": TYPES, "sequence_length": 16, **changes})


def sentences(count: int, longest: int) -> TaggedExamples:
    """Random words, some without a piece, with random well-formed tags."""
    rng = np.random.default_rng(5)
    rows = []
    for _ in range(count):
        words = [str(rng.choice(["good", "bad", "film", "xyz", "u.s.", "a-b", "it's", "?!", "\u200b", "b."]))
                 for _ in range(rng.integers(1, longest))]  # fmt: skip
        tags = ["O"]
        for _ in words:
            goes_on = [f"I-{tags[-1][2:]}"] * 2 if tags[-1] != "O" else []
            tags.append(str(rng.choice(["O", "O", "B-person", "B-place", *goes_on])))
        rows.append({"words": words, "tags": tags[1:]})
    return make(rows).read("own", "train")


def tagger(num_classes: int = 5) -> BertTagger:
    keras.utils.set_random_seed(3)
    return BertTagger(SMALL, num_classes)


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_the_loss_of_an_example_is_the_sum_over_its_labelled_tokens(smoothing):
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(2, 6, 5)).astype(np.float32)
    labels = np.array([[-100, 4, -100, 0, 2, -100], [-100, -100, -100, 3, -100, -100]], np.int32)
    owners = np.array([[1, 1, 1, 2, 2, 0], [1, 1, 2, 2, 3, 3]], np.int32)
    log_p = logits - np.log(np.exp(logits.astype(np.float64)).sum(-1, keepdims=True))
    each = np.zeros((2, 6))
    for b, t in np.argwhere(labels >= 0):
        each[b, t] = -(1 - smoothing) * log_p[b, t, labels[b, t]] - smoothing / 5 * log_p[b, t].sum()
    batch = {"token_labels": tf.constant(labels), "example_weight": tf.ones(2)}
    loss = make().per_example_loss(tf.constant(logits), batch, label_smoothing=smoothing)
    np.testing.assert_allclose(loss, each.sum(-1), rtol=1e-5)

    packed = batch | {"example_ids": tf.constant(owners), "example_weight": tf.ones([2, 4])}
    expected = [[each[b][owners[b] == m + 1].sum() for m in range(4)] for b in range(2)]
    loss = make().per_example_loss(tf.constant(logits), packed, label_smoothing=smoothing)
    np.testing.assert_allclose(loss, expected, rtol=1e-5)


def steps(features, *, batching: Any = "packed", batch_examples: int = 8, **options: Any) -> list[float]:
    """The losses of two rounds over the data."""
    layout = choose_layout(features.lengths, batch_examples, batching=batching, divisor=2, pack_length=32)
    epochs = Epochs.of(features.lengths, layout, seed=1)
    model, kind = tagger(), make()
    variables = {path: weight.value for path, weight in weights_by_path(model).items() if weight.trainable}
    optimizer = AdamW(variables, Schedule(peak=1e-2, total_steps=50, shape="constant"), weight_decay=0.01)
    run = tf.function(TrainStep(model, kind.per_example_loss, optimizer, **options))
    number = epochs.number_of_batches(2)
    found = [
        run({name: tf.constant(value) for name, value in block.items()})
        for block in replica_batches(features, epochs, stop=number)
    ]
    return [float(report["loss"]) for report in found]


@pytest.mark.slow
def test_packed_training_compiles_with_xla_and_takes_the_same_steps():
    # Static shapes and one XLA program: what a TPU asks for.
    features = make().features(TOKENIZER, sentences(20, 14))
    found = steps(features)
    assert found[-1] < found[0]
    np.testing.assert_allclose(steps(features, xla=True, accumulation_steps=2), found, atol=1e-4)


def test_the_loss_is_the_mean_over_the_labelled_tokens_of_a_batch():
    features = make().features(TOKENIZER, sentences(6, 14))
    token_labels = features.token_fields["token_labels"]
    model, total = tagger(), 0.0
    for e in range(len(features)):
        part = slice(features.splits[e], features.splits[e + 1])
        out = model.compute({"token_ids": features.token_ids[None, part]}, labels=token_labels[None, part])
        total += float(out["loss"]) * (token_labels[part] >= 0).sum()
    mean = total / (token_labels >= 0).sum()
    for batching in ("packed", "padded"):
        assert steps(features, batching=batching, batch_examples=32)[0] == pytest.approx(mean, rel=1e-5), batching


def answers_of(kind: Tagging, model: BertTagger, texts: list[str]) -> list[Any]:
    return list(_rows(kind.answer_function(model, TOKENIZER)(tf.constant(texts, tf.string))))


def test_raw_text_scores_as_in_training_and_gives_the_same_entities():
    # Windows, words without a piece and all: a random model says a bit of everything.
    examples, kind, model = sentences(40, 30), make(stride=5), tagger()
    features = kind.features(TOKENIZER, examples)
    assert len(features) > len(examples)
    scores = kind.scorer(model, TOKENIZER, features, examples, batch_examples=8)()
    answers = answers_of(kind, model, list(examples.texts))
    assert kind.measure_answers(answers, examples) == scores
    assert 0 < scores["f1"] < 1
    count = 0
    for words, text, answer in zip(examples.words, examples.texts, answers, strict=True):
        tags, starts = ["O"] * len(words), np.cumsum([0, *(len(word) + 1 for word in words)])
        for start, tag in reversed(list(zip(answer["piece_start"], answer["piece_tag"], strict=True))):
            tags[int(np.searchsorted(starts, start, side="right")) - 1] = tag.decode()
        pieces_of_words = np.searchsorted(starts, answer["start"], side="right") - 1
        last_words = np.searchsorted(starts, answer["end"] - 1, side="right") - 1
        found = zip((label.decode() for label in answer["label"]), pieces_of_words, last_words, strict=True)
        # By seqeval on the tags of words; but a word that is not seen does not break an entity.
        seen = [i for i, word in enumerate(words) if word != "\u200b"]
        expected = [(kind_, seen[a], seen[b]) for kind_, a, b in get_entities([tags[i] for i in seen])]
        assert [(label, int(a), int(b)) for label, a, b in found] == expected, text
        count += len(expected)
    assert count > 100


def test_a_word_without_a_piece_goes_on_with_the_entity_around_it():
    words = ["\u200b", "x", "\u200b", "\u200b", "y", "\u200b", "z", "\u200b"]
    kind = make(metrics=("f1",))
    for tags, said in (
        ("O B-place I-place I-place I-place O B-place O", [3, 4, 3]),
        ("O B-place O O B-person O O O", [3, 1, 0]),
        ("O O O O B-place I-place I-place O", [0, 4, 4]),
    ):
        examples = make([{"words": words, "tags": tags.split()}]).read("own", "train")
        features = kind.features(TOKENIZER, examples)
        outputs = np.zeros((len(features.token_ids), 5), np.float32)
        outputs[np.arange(1, 4), said] = 1
        assert kind.measure([outputs], features, examples) == {"f1": 1.0}, tags
        names = [kind.tag_names[tag].encode() for tag in said]
        answer = {"piece_start": np.array([2, 8, 12]), "piece_tag": np.array(names, object)}
        assert kind.measure_answers([answer], examples) == {"f1": 1.0}, tags


def test_what_an_answer_says():
    kind, model = make(), tagger()
    texts = ["it's good, good film!", "", "bad bad " * 20, "é\u200bx\ufffd"]
    for text, answer in zip(texts, answers_of(kind, model, texts), strict=True):
        said = kind.to_json(text, None, answer)
        assert json.loads(json.dumps(said)) == said
        assert said["text"] == text
        for entity in said["entities"]:
            assert set(entity) == {"text", "label", "score", "start", "end"}
            assert entity["text"] == text[entity["start"] : entity["end"]] != ""
            assert entity["label"] in TYPES
            assert 0.2 < entity["score"] <= 1
    assert kind.to_json("", None, answers_of(kind, model, ["", "good"])[0]) == {"text": "", "entities": []}
    nothing = kind.answer_function(model, TOKENIZER)(tf.constant([], tf.string))
    assert {int(tensor.nrows()) for tensor in nothing.values()} == {0}


def test_bytes_that_are_no_utf_8_are_answered():
    function = make().answer_function(tagger(), TOKENIZER)
    answer = next(_rows(function(tf.constant([b"good \xff film \xe4 bad"]))))
    text = b"good \xff film \xe4 bad".decode("utf-8", errors="replace")
    for start, end, named in zip(answer["start"], answer["end"], answer["text"], strict=True):
        assert named.decode() == text[start:end]


def test_a_split_without_tags_is_read_but_not_labelled():
    kind = make([{"words": ["good", "x"]}])
    examples = kind.read("own", "test")
    assert (examples.texts, examples.is_labelled) == (["good x"], False)
    assert kind.features(TOKENIZER, examples).loss_terms is None
    with pytest.raises(UserError, match=r"train\[0\]: expected the column 'tags'"):
        kind.read("own", "train")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            {"words": ["a", "b"], "tags": ["O"]},
            r"train\[1\]: expected as many tags as words. Received: 2 words, 1 tags",
        ),
        ({"words": ["a"], "tags": ["B-thing"]}, r"train\[1\]: column 'tags': tag 0: expected one of O, B-person"),
        (
            {"words": ["a", "b", "c"], "tags": ["B-place", "O", "I-place"]},
            r"train\[1\]: column 'tags': tag 2: expected B-place or I-place",
        ),
        ({"words": ["a"], "tags": [3]}, r"train\[1\]: column 'tags': tag 0: expected one of O, .* Received: 3"),
        ({"words": [], "tags": []}, r"train\[1\]: column 'words': expected a list of words. Received: \[\]"),
    ],
)
def test_rows_that_cannot_be(row, message):
    with pytest.raises(UserError, match=message):
        make([{"words": ["a"], "tags": ["O"]}, row]).read("own", "train")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"types": "person"}, "`types` must be a tuple of different names. Received: types='person'"),
        ({"types": ("a", "a")}, "`types` must be a tuple of different names"),
        ({"types": ()}, r"`types`, one name or more, or `labels` must be given. Received: types=\(\), labels=\(\)"),
        (
            {"metrics": ("accurate",)},
            "`metrics` must be a tuple of f1, precision, recall, accuracy. Received: .*accurate",
        ),
        (
            {"labels": ("O", "B-a")},
            r"or `labels` must be given. Received: types=\('person', 'place'\), labels=\('O', 'B-a'",
        ),
        ({"types": (), "labels": ("a", "a")}, "`labels` must be a tuple of different names"),
        ({"scheme": "words"}, "`scheme` must be one of iob1, iob2, bioes, io, with `types`. Received: scheme='words'"),
        ({"joiner": "-"}, "`joiner` must be one of ' ', '' and None. Received: joiner='-'"),
        ({"sequence_length": 2}, "`sequence_length` must be 3 or more. Received: sequence_length=2"),
        ({"stride": 14}, r"`stride` must be in \[0, 14\), what special tokens leave. Received: stride=14"),
    ],
)
def test_a_task_that_cannot_be(changes, message):
    with pytest.raises(ValueError, match=message):
        make(**changes)


def test_class_weights_are_refused():
    with pytest.raises(UserError, match=r"'training\.class_weights' is for tasks with classes"):
        make().class_weights("balanced", sentences(1, 3))


def test_the_metrics_asked_for_and_the_one_that_chooses():
    kind, examples = (
        make(metrics=("recall",)),
        make([{"words": ["good", "xy"], "tags": ["B-place", "O"]}]).read("own", "train"),
    )
    features = kind.features(TOKENIZER, examples)
    assert examples.tags is not None
    flat = np.eye(5, dtype=np.float32)[np.maximum(features.token_fields["token_labels"], 0)]
    outputs = np.split(flat, features.splits[1:-1])
    assert kind.measure(outputs, features, examples) == {"recall": 1.0}
    assert (make().main_metric, make().greater_is_better) == ("f1", True)
