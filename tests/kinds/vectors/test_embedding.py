from __future__ import annotations

import dataclasses
import json
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from bert_tf.config import RunConfig
from bert_tf.config.sections import ModelConfig
from bert_tf.data import Epochs, InMemory, choose_layout, replica_batches
from bert_tf.data.batching.plan import BATCHINGS, Batching
from bert_tf.errors import UserError
from bert_tf.kinds import Embedding, TextGroups
from bert_tf.models import BertConfig, BertEmbedder, weights_by_path
from bert_tf.text import BertTokenizer
from bert_tf.training.optimizers.adamw import AdamW
from bert_tf.training.optimizers.schedule import Schedule
from bert_tf.training.step import TrainStep
from tests.conftest import VOCABULARY
from tests.rest_slow import rest_slow

WORDS = ["good film", "bad film", "good", "bad", "film", "good, good", "a b c", "d e f", "x!", "y?"]


def make(**changes) -> Embedding:
    fields = {"source": InMemory({}), "text": ("a", "b"), "score": "s", "sequence_length": 12}
    return Embedding(**{**fields, **changes})


def kinds() -> dict[str, Embedding]:
    """One for each loss, with data."""
    rng = np.random.default_rng(1)
    rows = []
    for i in range(24):
        a, b, c = rng.permutation(len(WORDS))[:3]
        rows.append({"a": WORDS[a], "b": WORDS[b], "c": WORDS[c], "s": float(i % 5) / 4})
    source = InMemory({"train": rows, "validation": rows})
    return {
        "cosine": make(source=source),
        "scored_contrastive": make(source=source, loss="contrastive", positive_from=0.5),
        "contrastive": make(source=source, score=None, loss="contrastive", metrics=("mrr",)),
        "hard_contrastive": make(source=source, text=("a", "b", "c"), score=None, loss="contrastive", metrics=("mrr",)),
        "triplet": make(
            source=source, text=("a", "b", "c"), score=None, loss="triplet", metrics=("triplet_accuracy", "mrr")
        ),
    }


@pytest.fixture(scope="module")
def tokenizer() -> BertTokenizer:
    return BertTokenizer(VOCABULARY)


@pytest.fixture
def model() -> BertEmbedder:
    keras.utils.set_random_seed(7)
    config = BertConfig(
        vocabulary_size=len(VOCABULARY),
        hidden_dim=8,
        num_layers=1,
        num_heads=2,
        intermediate_dim=8,
        max_positions=16,
        hidden_dropout=0.0,
        attention_dropout=0.0,
        initializer_range=0.5,
    )
    return BertEmbedder(config)


def batches(kind, tokenizer, batching: Batching = "packed", examples=8):
    features = kind.features(tokenizer, kind.read("own", "train"))
    layout = choose_layout(features.lengths, examples, batching=batching)
    epochs = Epochs.of(features.lengths, layout, seed=1)
    number = epochs.number_of_batches(1)
    return [
        {name: tf.constant(value) for name, value in b.items()} for b in replica_batches(features, epochs, stop=number)
    ]


def step_of(kind, model, **options) -> TrainStep:
    variables = {path: weight.value for path, weight in weights_by_path(model).items() if weight.trainable}
    optimizer = AdamW(variables, Schedule(peak=1e-2, total_steps=100, shape="constant"), weight_decay=0.0)
    return TrainStep(model, kind.per_example_loss, optimizer, **options)


@pytest.mark.parametrize("name", rest_slow(kinds(), "contrastive"))
def test_training_lowers_the_loss_under_xla_with_static_shapes(name, tokenizer, model):
    kind = kinds()[name]
    given = batches(kind, tokenizer)
    assert len({tuple(value.shape for value in batch.values()) for batch in given}) == 1
    run = tf.function(step_of(kind, model, xla=True))
    losses = np.array([[float(run(batch)["loss"]) for batch in given] for _ in range(10)]).mean(axis=1)
    assert losses[-1] < 0.8 * losses[0], losses


@pytest.mark.parametrize("name", ["cosine", "triplet", "contrastive"])
def test_packed_and_padded_batches_have_the_same_losses(name, tokenizer, model):
    """Of the whole set in one batch, so that contrastive losses meet the same negatives."""
    kind, found = kinds()[name], {}
    for batching in BATCHINGS:
        (batch,) = batches(kind, tokenizer, batching, examples=64)
        inputs = {key: value for key, value in batch.items() if key in ("token_ids", "padding_mask", "example_ids")}
        inputs |= {key: batch[key] for key in ("position_ids", "first_positions")}
        losses = kind.per_example_loss(model(inputs), batch)
        assert losses.shape == batch["example_weight"].shape
        index = batch["example_index"].numpy()
        found[batching] = dict(zip(index[index >= 0], losses.numpy()[index >= 0], strict=True))
    assert len(found["packed"]) == 24
    for batching in ("padded", "bucketed"):
        for index, loss in found["packed"].items():
            assert found[batching][index] == pytest.approx(loss, rel=1e-4, abs=1e-6)


def test_pairs_below_the_share_only_give_negatives(tokenizer):
    kind = kinds()["scored_contrastive"]
    features = kind.features(tokenizer, kind.read("own", "train"))
    assert features.weights is not None
    assert features.weights.tolist() == [float(i % 5 >= 2) for i in range(24)]
    with pytest.raises(UserError, match=r"pairs that score 0.5 of the range or more. Received: none among 1"):
        kind.weights(TextGroups(texts=["a", "b"], members=np.array([[0, 1]]), labels=np.array([0.2])))


def test_each_text_is_read_once_and_scores_are_shares():
    rows = [{"a": "x", "b": "y", "s": "5"}, {"a": "y", "b": "z", "s": 1}]
    examples = make(source=InMemory({"train": rows, "test": rows}), score_range=(0.0, 5.0)).read("own", "train")
    assert (list(examples.texts), examples.members.tolist()) == (["x", "y", "z"], [[0, 1], [1, 2]])
    assert (len(examples), examples.is_labelled) == (2, True)
    assert examples.labels is not None
    np.testing.assert_allclose(examples.labels, [1.0, 0.2])


def test_without_scores_there_is_nothing_to_learn_from():
    rows = [{"a": "x", "b": "y"}]
    assert not make(source=InMemory({"test": rows})).read("own", "test").is_labelled
    with pytest.raises(UserError, match="expected the column"):
        make(source=InMemory({"train": rows})).read("own", "train")
    assert (
        make(source=InMemory({"test": rows}), score=None, loss="contrastive", metrics=("mrr",))
        .read("own", "test")
        .is_labelled
    )


def test_metrics_by_hand():
    vectors = np.array([[1.0, 0], [2, 2], [0, 3], [-1, 1]], np.float32)
    members = np.array([[0, 1], [0, 2], [0, 3], [1, 3]])
    scored = TextGroups(texts=["a"] * 4, members=members, labels=np.array([0.9, 0.5, 0.2, 0.4], np.float32))
    from scipy.stats import spearmanr

    found = make().measure_vectors(vectors, scored)
    assert found["spearman"] == pytest.approx(spearmanr([0.7071, 0, -0.7071, 0], scored.labels)[0])
    assert set(found) == {"spearman", "pearson"}
    triplets = TextGroups(texts=["a"] * 4, members=np.array([[0, 1, 2], [0, 3, 2]]))
    kind = kinds()["triplet"]
    # Anchor 0 has the positives 1 and 3; 1 is the nearest of both.
    assert kind.measure_vectors(vectors, triplets) == {"triplet_accuracy": 0.5, "mrr": 1.0}


def test_the_scorer_and_raw_texts_give_the_same_metrics(tokenizer, model):
    for kind in kinds().values():
        examples = kind.read("own", "validation")
        features = kind.features(tokenizer, examples)
        scores = kind.scorer(model, tokenizer, features, examples, batch_examples=4)()
        answer = kind.answer_function(model, tokenizer)(tf.constant(list(examples.texts)))
        answers = [{"vector": vector} for vector in answer["vector"].numpy()]
        assert kind.measure_answers(answers, examples) == pytest.approx(scores, abs=1e-5)


def test_answers_with_and_without_word_vectors(tokenizer, model):
    texts = ["", "good  film", "ab \U0001f600 x", "good " * 30]
    kind = make()
    plain = kind.answer_function(model, tokenizer)(tf.constant(texts))
    assert set(plain) == {"vector", "text_tokens", "cut_tokens"}
    kind = kind.with_settings({"word_vectors": True})
    found = kind.answer_function(model, tokenizer)(tf.constant(texts))
    np.testing.assert_allclose(found["vector"], plain["vector"], atol=1e-6)
    assert found["token"].to_list()[:3] == [[], [b"good", b"film"], [b"a", b"##b", b"[UNK]", b"x"]]
    assert len(found["token"][3]) == 10
    starts, ends = found["start"].to_list(), found["end"].to_list()
    assert [texts[1][s:e] for s, e in zip(starts[1], ends[1], strict=True)] == ["good", "film"]
    assert [texts[2][s:e] for s, e in zip(starts[2], ends[2], strict=True)] == ["a", "b", "\U0001f600", "x"]
    alone = model.vectors(tokenizer([texts[1]]))["word_vectors"][0, 1:-1]
    np.testing.assert_allclose(found["token_vector"][1], alone, atol=1e-5)
    row = {name: value[1].numpy() for name, value in found.items()}
    answer = kind.to_json(texts[1], None, row)
    assert [(t["token"], t["start"], t["end"]) for t in answer["tokens"]] == [("good", 0, 4), ("film", 6, 10)]
    assert (answer["text"], len(answer["vector"]), len(answer["tokens"][0]["vector"])) == (texts[1], 8, 8)


def test_a_prompt_stands_before_every_text_in_training_and_in_answers(tokenizer, model, tmp_path):
    kind, texts = make(prompt="bad: ", sequence_length=16), ["good film", "", "x"]
    prompted = [f"bad: {text}" for text in texts]
    groups = TextGroups(texts=texts, members=np.array([[0, 1], [1, 2]]), labels=np.array([0.5, 1.0]))
    features = kind.features(tokenizer, groups)
    plain = make(sequence_length=16).features(tokenizer, dataclasses.replace(groups, texts=prompted))
    np.testing.assert_array_equal(features.token_ids, plain.token_ids)

    model.prompt = kind.prompt
    found = kind.answer_function(model, tokenizer)(tf.constant(texts))["vector"]
    np.testing.assert_allclose(found, model(tokenizer(prompted)), atol=1e-6)
    words = kind.with_settings({"word_vectors": True}).answer_function(model, tokenizer)(tf.constant(texts))
    np.testing.assert_allclose(words["vector"], found, atol=1e-6)
    assert words["token"].to_list() == [[b"good", b"film"], [], [b"x"]]
    assert (words["start"].to_list(), words["end"].to_list()) == ([[0, 5], [], [0]], [[4, 9], [], [1]])

    model.save_pretrained(tmp_path / "m", tokenizer)
    again = make().load_model(str(tmp_path / "m"))
    assert again.prompt == "bad: "


def test_a_backbones_own_prompt_is_for_answers_and_is_named_in_training(model, tmp_path, caplog):
    from bert_tf.config import RunConfig

    model.prompt = "good: "
    model.save_pretrained(tmp_path / "m", BertTokenizer(VOCABULARY))
    run = RunConfig.model_validate({"task": "x", "backbone": str(tmp_path / "m")})
    assert make().build_model(run).prompt == ""
    assert "puts 'good: ' before each text by default; this training does not" in caplog.text
    caplog.clear()
    assert make(prompt="bad: ").build_model(run).prompt == "bad: "
    assert make(prompt="").load_model(str(tmp_path / "m")).prompt == ""
    assert "before each text" not in caplog.text


def test_a_prompt_is_refused_where_it_would_be_lost():
    from bert_tf.exporting.tflite.artefact import TFLite

    with pytest.raises(UserError, match=r"expected a task without a `prompt`, .* Received: 'query: '"):
        TFLite().check(make(prompt="query: "))


def test_settings_of_answers_are_checked():
    with pytest.raises(UserError, match=r"have no setting 'loss'. There are: word_vectors"):
        make().with_settings({"loss": "cosine"})
    with pytest.raises(UserError, match=r"--set word_vectors: expected a bool, such as False. Received: 'yes'"):
        make().with_settings({"word_vectors": "yes"})


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"text": ("a",)}, "`text` must be a tuple of two or three columns. Received: text=.'a',."),
        ({"text": ("a", "b", "c")}, "`score` is of two texts. Received: score='s'"),
        ({"loss": "cosin"}, "`loss` must be one of cosine, contrastive, triplet. Received: loss='cosin'"),
        (
            {"loss": "triplet"},
            "`loss` must be contrastive or cosine for 2 texts with a score. Received: loss='triplet'",
        ),
        ({"score": None}, "`loss` must be contrastive for 2 texts without a score. Received: loss='cosine'"),
        ({"metrics": ("accuracy",)}, "`metrics` must be of numbers where there is a score"),
        ({"score": None, "loss": "contrastive"}, "must be of ndcg_at_K.* Received: 'spearman'"),
        ({"scale": 0}, "`scale` must be above 0. Received: scale=0"),
        ({"margin": -1}, "`margin` must be above 0. Received: margin=-1"),
        ({"score_range": (1, 1)}, "`score_range` must rise"),
        ({"positive_from": 2}, r"`positive_from` must be in \[0, 1\]. Received: positive_from=2"),
        ({"sequence_length": 2}, "`sequence_length` must be 3 or more"),
    ],
)
def test_a_task_that_cannot_be(changes, expected):
    with pytest.raises(ValueError, match=expected):
        make(**changes)


def test_smoothing_needs_something_to_choose_among(model):
    texts = tf.zeros([1, 2], tf.int32)
    with pytest.raises(UserError, match=r"'training.label_smoothing' is for the contrastive loss"):
        make().per_example_loss(tf.zeros([1, 2, 8]), {"text_ids": texts}, label_smoothing=0.1)


def test_the_model_of_a_run_keeps_the_tasks_choices(tmp_path, model):
    from bert_tf.config import RunConfig

    model.save_pretrained(tmp_path / "m", BertTokenizer(VOCABULARY))
    run = RunConfig.model_validate({"task": "x", "backbone": str(tmp_path / "m")})
    built = make(pooling="max", normalize=False).build_model(run)
    assert (built.pooling, built.normalize, built.max_length) == ("max", False, 12)
    kept = dataclasses.replace(make(), sequence_length=9).build_model(run)
    assert (kept.pooling, kept.normalize, kept.max_length) == ("mean", True, 9)


@pytest.mark.real
def test_untrained_minilm_on_stsb_as_sentence_transformers_scores_it(shared_data):
    """0.86716 is what sentence-transformers 6.2 with the same files gives."""
    from bert_tf import load_task
    from bert_tf.inference.pipeline import Pipeline

    kind = load_task("stsb_embedding")
    examples = kind.read(str(shared_data("stsb_en")), "validation")
    assert isinstance(examples, TextGroups)
    assert len(examples) == 1500
    pipeline = Pipeline("minilm", task=kind)
    assert kind.measure_answers(pipeline.rows(examples.texts), examples)["spearman"] == pytest.approx(0.86716, abs=1e-3)


def test_a_run_says_how_the_tokenizers_files_are_read(tmp_path):
    BertTokenizer(VOCABULARY, lowercase=False).save_pretrained(tmp_path)
    path = tmp_path / "tokenizer_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"truncation_side": "left"}))
    run: dict[str, Any] = {"task": "own", "backbone": str(tmp_path)}
    with pytest.raises(UserError, match="truncation_side"):
        make().tokenizer_of(RunConfig(**run))
    left: dict[str, Any] = {"ignore_tokenizer": ("truncation_side",)}
    assert not make().tokenizer_of(RunConfig(**run, model=ModelConfig(**left))).lowercase
    assert make().tokenizer_of(RunConfig(**run, model=ModelConfig(**left, lowercase=True))).lowercase

    # sentence-transformers lower-cases before the tokenizer does: that counts, but less than what the run says.
    (tmp_path / "modules.json").write_text('[{"path": "", "type": "sentence_transformers.models.Transformer"}]')
    (tmp_path / "sentence_bert_config.json").write_text('{"do_lower_case": true}')
    found = make().tokenizer_of(RunConfig(**run, model=ModelConfig(**left)))
    assert (found.lowercase, found.strip_accents) == (True, False)
    assert not make().tokenizer_of(RunConfig(**run, model=ModelConfig(**left, lowercase=False))).lowercase
