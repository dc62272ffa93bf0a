"""Pre-training by replaced tokens as a kind: batches, losses, scores, answers, and what it refuses."""

from __future__ import annotations

import json
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from bert_tf.config import Layer, RunConfig, resolve
from bert_tf.data import plan_batches, replica_batches
from bert_tf.errors import UserError
from bert_tf.kinds import Pretraining, ReplacedTokens
from bert_tf.kinds.base import ToWatch
from bert_tf.kinds.definitions import asked_run, load_task
from bert_tf.models import BertConfig, BertDiscriminator, BertReplacedTokens
from bert_tf.models.base import inputs_of
from tests.data.corpora import pretraining_sets as sets

REPLACED = {"objective": "replaced_tokens"}


def run_config(**pretraining: Any) -> RunConfig:
    values = {"task": "pretrain", "data": {"sequence_length": 24}, "pretraining": {**REPLACED, **pretraining}}
    return resolve([Layer(origin="test", values=values)])


def make(**pretraining: Any) -> ReplacedTokens:
    """The task, with 24 tokens an example."""
    config = run_config(**pretraining)
    kind = load_task("pretrain").meant_by(config).configured(config)
    assert isinstance(kind, ReplacedTokens)
    return kind


def model_for(**options: Any) -> BertReplacedTokens:
    keras.utils.set_random_seed(1)
    config = BertConfig(
        model_type="electra",
        vocabulary_size=len(sets.VOCABULARY),
        hidden_dim=8,
        embedding_dim=6,
        num_layers=1,
        num_heads=2,
        intermediate_dim=16,
        max_positions=24,
        initializer_range=0.4,
    )
    return BertReplacedTokens(config, **options)


@pytest.fixture
def kind(tmp_path) -> ReplacedTokens:
    return make(cache=str(tmp_path / "cache"), replaced_weight=7.0)


@pytest.fixture
def streams(kind, tmp_path) -> dict[str, Any]:
    text, words = str(sets.write_corpus(tmp_path / "text.txt", documents=20)), sets.tokenizer()
    return {split: kind.features(words, kind.read(text, split)) for split in ("train", "validation")}


def tensors(batch: dict[str, np.ndarray]) -> dict[str, tf.Tensor]:
    return {name: tf.constant(value) for name, value in batch.items()}


def entropies(logits: Any, labels: Any) -> np.ndarray:
    """Of yes or no, from probabilities in float64."""
    shares = 1.0 / (1.0 + np.exp(-np.asarray(logits, np.float64)))
    return -np.log(np.where(np.asarray(labels) > 0, shares, 1.0 - shares))


def test_the_loss_is_both_means_whatever_the_rows(kind, streams):
    model = model_for()
    batch = next(iter(replica_batches(streams["train"], plan_batches(streams["train"], 8, seed=1))))
    assert batch["example_ids"].max() > 1  # packed
    outputs = model(inputs_of(batch))
    losses = kind.per_example_loss(outputs, tensors(batch))
    assert losses.shape == (*batch["labels"].shape, 2)
    assert kind.loss_parts == ("masked_lm_loss", "weighted_replaced_token_loss")
    parts = tf.reduce_sum(losses * batch["example_weight"][..., None], axis=[0, 1]) / batch["loss_divisor"]
    counted = batch["target_ids"] >= 0
    assert float(parts[0]) == pytest.approx(float(np.asarray(outputs["masked_lm_losses"])[counted].mean()), rel=1e-5)
    told = entropies(outputs["replaced_logits"], outputs["is_replaced"])[batch["padding_mask"] > 0]
    assert float(parts[1]) == pytest.approx(7.0 * told.mean(), rel=1e-5)
    assert float(sum(parts)) == pytest.approx(float(model_for(replaced_weight=7.0).compute(inputs_of(batch))["loss"]))


def test_what_is_drawn_hangs_on_seed_epoch_and_place_alone(kind, streams):
    stream = streams["train"]

    def drawn(batching: Any, *, seed: int = 1, epoch: int = 0) -> dict[tuple[int, int], float]:
        """By example and place in it."""
        plans = plan_batches(stream, 8, batching=batching, seed=seed)
        found = {}
        first, last = (plans.number_of_batches(epochs) for epochs in (epoch, epoch + 1))
        for batch in replica_batches(stream, plans, start=first, stop=last):
            assert ((batch["draws"] >= 0) & (batch["draws"] < 1)).all()
            for row, place in zip(*np.nonzero(batch["target_ids"] >= 0), strict=True):
                token = batch["masked_positions"][row, place]
                example = batch["example_index"][row, batch["example_ids"][row, token] - 1]
                found[int(example), int(batch["position_ids"][row, token])] = float(batch["draws"][row, place])
        return found

    packed, padded = drawn("packed"), drawn("padded")
    both = set(packed) & set(padded)  # an epoch's last batch is not the same
    assert len(both) > 0.8 * len(packed)
    assert {at: packed[at] for at in both} == {at: padded[at] for at in both}
    assert packed == drawn("packed")
    for other in (drawn("packed", seed=2), drawn("packed", epoch=1)):
        assert not set(packed.values()) & set(other.values())
    values = np.array(list(packed.values()))
    assert len(set(values.tolist())) == len(values) > 100
    assert abs(values.mean() - 0.5) < 5 / np.sqrt(12 * len(values))


def test_hidden_tokens_are_hidden_or_stay(streams):
    stream, mask = streams["train"], sets.tokenizer().mask_id
    plans = plan_batches(stream, 8, seed=1)
    hidden = []
    for batch in replica_batches(stream, plans, stop=plans.number_of_batches(8)):
        ids = np.take_along_axis(batch["token_ids"], batch["masked_positions"], axis=1)
        counted = batch["target_ids"] >= 0
        assert ((ids == mask) | (ids == batch["target_ids"]))[counted].all()
        hidden.append((ids == mask)[counted])
    hidden = np.concatenate(hidden)
    assert abs(hidden.mean() - 0.85) < 5 * np.sqrt(0.85 * 0.15 / len(hidden))


@pytest.mark.slow
def test_scores_are_those_of_every_token(kind, streams):
    model = model_for()
    watched = ToWatch(model=model, tokenizer=sets.tokenizer(), features=streams, examples={}, batch_examples=8)
    score = kind.scorer_of_splits(watched)
    found, stream = score(), streams["validation"]
    plans = stream.epochs(8, batching="packed", divisor=1, pack_length=None, seed=0)
    logits, labels, guessed, losses = [], [], [], []
    for batch in replica_batches(stream, plans, stop=plans.number_of_batches(1)):
        outputs = model(inputs_of(batch))
        real, counted = batch["padding_mask"] > 0, batch["target_ids"] >= 0
        logits.append(np.asarray(outputs["replaced_logits"])[real])
        labels.append(np.asarray(outputs["is_replaced"])[real])
        losses.append(np.asarray(outputs["masked_lm_losses"])[counted])
        inputs = {name: value for name, value in inputs_of(batch).items() if name not in ("target_ids", "draws")}
        best = np.asarray(model.generator(inputs)["masked_lm_logits"]).argmax(axis=-1)
        guessed.append((best == batch["target_ids"])[counted])
    logits, labels = np.concatenate(logits), np.concatenate(labels)
    said = logits > 0
    assert found["masked_lm_loss"] == pytest.approx(np.concatenate(losses).mean(), rel=1e-5)
    assert found["masked_lm_accuracy"] == pytest.approx(np.concatenate(guessed).mean())
    assert found["replaced_token_loss"] == pytest.approx(entropies(logits, labels).mean(), rel=1e-5)
    assert found["replaced_token_accuracy"] == pytest.approx((said == (labels > 0)).mean())
    assert found["replaced_token_share"] == pytest.approx(labels.mean())
    precision, recall = labels[said].mean(), said[labels > 0].mean()
    assert found["replaced_token_precision"] == pytest.approx(precision)
    assert found["replaced_token_recall"] == pytest.approx(recall)
    assert found["replaced_token_f1"] == pytest.approx(2 * precision * recall / (precision + recall))
    assert found["pretraining_loss"] == pytest.approx(found["masked_lm_loss"] + 7 * found["replaced_token_loss"])
    assert score() == found
    assert kind.watcher(watched, train_batch_examples=8, loss=kind.per_example_loss)().loss == found["pretraining_loss"]
    assert (kind.main_metric, kind.greater_is_better) == ("pretraining_loss", False)


@pytest.mark.slow
def test_the_step_compiles(kind, streams):
    model = model_for()
    batch = tensors(next(iter(replica_batches(streams["train"], plan_batches(streams["train"], 4, seed=1)))))
    weights = [weight.value for weight in model.trainable_weights]

    def step(batch):
        with tf.GradientTape() as tape:
            outputs = model(inputs_of(batch), training=False)
            loss = tf.reduce_sum(kind.per_example_loss(outputs, batch))
        return loss, outputs["guesses"], tape.gradient(loss, weights, unconnected_gradients="zero")

    compiled, plain = tf.function(step, jit_compile=True)(batch), step(batch)
    np.testing.assert_allclose(compiled[0], plain[0], rtol=1e-4)
    np.testing.assert_array_equal(compiled[1], plain[1])
    for one, other in zip(compiled[2], plain[2], strict=True):
        np.testing.assert_allclose(tf.convert_to_tensor(one), tf.convert_to_tensor(other), atol=1e-2, rtol=1e-3)


@pytest.mark.slow
def test_what_is_said_of_each_token():
    kind, model = make(), model_for()
    texts = ["ab c.", "", "ä b"]
    found = kind.answer_function(model, sets.tokenizer(), sequence_length=24)(tf.constant(texts))
    rows = [{name: value[i].numpy() for name, value in found.items()} for i in range(3)]
    first, nothing, last = (kind.to_json(text, None, row) for text, row in zip(texts, rows, strict=True))
    logits = np.asarray(model(sets.tokenizer()([texts[0]])))[0, 1:5]
    wanted = [("a", 0, 1), ("b", 1, 2), ("c", 3, 4), (".", 4, 5)]
    assert [(one["text"], one["start"], one["end"]) for one in first["pieces"]] == wanted
    np.testing.assert_allclose([one["score"] for one in first["pieces"]], 1 / (1 + np.exp(-logits)), rtol=1e-4)
    assert nothing == {"text": "", "pieces": []}
    assert [one["text"] for one in last["pieces"]] == ["ä", "b"]
    json.dumps(first)


def test_sentences_with_a_word_replaced(tmp_path):
    (tmp_path / "a.txt").write_text("One two three four five.\n\nx 7.\n\nSo it is.\n\nIt is now.\n")
    kind = make(text_format="sentences")
    corpus: Any = kind.read(str(tmp_path / "a.txt"), "train")
    assert corpus.texts == ["One two three four five.", "So it four.", "It is now."]
    assert list(corpus.is_replaced) == [False, True, False]
    assert [text[i:j] for text, (i, j) in zip(corpus.texts, corpus.places, strict=True)] == ["four", "four", "now"]

    def answers(*scores: float) -> list[dict[str, np.ndarray]]:
        places = [np.array([place]) for place in corpus.places]
        return [
            {"starts": place[:, 0], "ends": place[:, 1], "scores": np.array([score], "float32")}
            for place, score in zip(places, scores, strict=True)
        ]

    assert kind.measure_answers(answers(0.1, 0.9, 0.4), corpus) == {"replaced_word_accuracy": 1.0}
    assert kind.measure_answers(answers(0.1, 0.4, 0.6), corpus)["replaced_word_accuracy"] == pytest.approx(1 / 3)
    assert [row.answered for row in kind.diagnose(answers(0.1, 0.9, 0.6), corpus).rows][1:] == [
        "four: replaced", "now: replaced",
    ]  # fmt: skip


def test_one_setting_makes_it(tmp_path):
    layer = Layer(origin="test", values={"pretraining": REPLACED})
    kind, run = asked_run("pretrain", None, [layer])
    assert type(kind) is ReplacedTokens
    assert run.pretraining.pair == "none"
    assert type(asked_run("pretrain", None, [])[0]) is Pretraining
    sets.write_corpus(tmp_path / "text.txt", documents=2)
    own = {"own_data": {"kind": "pretraining"}, "data": {"source": str(tmp_path)}, "pretraining": REPLACED}
    assert type(asked_run(None, None, [Layer(origin="test", values=own)])[0]) is ReplacedTokens
    assert type(asked_run(kind, None, [])[0]) is ReplacedTokens  # a task that is one, by its own defaults


def test_wrong_settings(tmp_path):
    with pytest.raises(UserError, match=r"'pretraining.pair' must be 'none' with .*Received: 'next_sentence'"):
        make(pair="next_sentence")
    with pytest.raises(UserError, match=r"'pretraining.generator_width'"):
        make(generator_width=1.5)
    with pytest.raises(UserError, match=r"'training.label_smoothing' must be 0"):
        make().per_example_loss({}, {}, label_smoothing=0.1)


@pytest.mark.slow
def test_a_size_of_bert_becomes_an_electra(tmp_path):
    sets.tokenizer().save_pretrained(tmp_path)
    config = run_config(generator_width=0.5, generator_layers=0.5)
    config = config.model_copy(update={"backbone": "tiny", "vocabulary": str(tmp_path)})
    with pytest.raises(UserError, match=r"--backbone=modernbert-base with pretraining.objective=replaced_tokens: "):
        make().build_model(config.model_copy(update={"backbone": "modernbert-base"}))
    model = make().build_model(config)
    shape, small = model.config, model.generator.config
    assert (shape.model_type, shape.hidden_dim, shape.embedding_dim, shape.num_layers) == ("electra", 128, 128, 2)
    assert (small.hidden_dim, small.embedding_dim, small.num_layers, small.num_heads) == (64, 128, 1, 1)


@pytest.mark.slow
def test_a_folder_of_a_discriminator_answers(tmp_path):
    from bert_tf import Pipeline

    model = model_for()
    model.save_pretrained(tmp_path / "model", sets.tokenizer())
    BertDiscriminator(model.backbone).save_pretrained(tmp_path / "alone", sets.tokenizer())
    pipelines = [Pipeline(tmp_path / name) for name in ("model", "alone")]
    assert [type(pipeline.kind) for pipeline in pipelines] == [ReplacedTokens, ReplacedTokens]
    assert [len(pipeline("ab c.")["pieces"]) for pipeline in pipelines] == [4, 4]
    guesses: Any = Pipeline(tmp_path / "model" / "generator")("ab [MASK].")
    assert len(guesses["masks"]) == 1


@pytest.mark.slow
def test_a_run_learns_to_guess_and_to_tell(tmp_path):
    import bert_tf

    # Letters follow one another, so each is known by its neighbours.
    rng = np.random.default_rng(0)
    lines = []
    for _ in range(400):
        first, count = int(rng.integers(26)), int(rng.integers(6, 16))
        lines.append(" ".join(sets.LETTERS[(first + i) % 26] for i in range(count)) + ".")
    (tmp_path / "text.txt").write_text("\n\n".join(lines))
    sets.tokenizer().save_pretrained(tmp_path / "words")
    run = bert_tf.train(
        "pretrain",
        data=tmp_path / "text.txt",
        backbone="tiny",
        vocabulary=tmp_path / "words",
        run=tmp_path / "run",
        pretraining={**REPLACED, "generator_width": 0.5, "validation_share": 0.1, "cache": str(tmp_path / "cache")},
        model={"position_initializer": "sinusoidal", "initializer_range": 0.06},
        training={"max_steps": 250, "batch_examples": 32, "learning_rate": 2e-3, "epochs": 100, "steps_per_call": 50},
        settings={"data.sequence_length": 24},
        progress=False,
    )
    scores: Any = run.metrics
    assert scores["masked_lm_accuracy"] > 2 * scores["most_frequent_accuracy"]
    # Better than one answer to everything.
    share = scores["replaced_token_share"]
    assert scores["replaced_token_loss"] < 0.95 * -(share * np.log(share) + (1 - share) * np.log(1 - share))
    assert scores["replaced_token_f1"] > 0.1
