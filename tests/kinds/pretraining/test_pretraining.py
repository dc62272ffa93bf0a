"""Pre-training as a kind: losses, scores, what is held out, and guesses for [MASK]."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from bert_tf.config import Layer, resolve
from bert_tf.data import TextCorpus, plan_batches, replica_batches
from bert_tf.errors import UserError
from bert_tf.kinds import Pretraining
from bert_tf.kinds.base import ToWatch
from bert_tf.kinds.definitions import load_task
from bert_tf.models import BertConfig, BertMaskedLM, BertPretrainer
from bert_tf.models.base import inputs_of
from tests.data.corpora import pretraining_sets as sets

PAIR = pytest.mark.parametrize("pair", ["next_sentence", "sentence_order", "none"])


def make(**pretraining) -> Pretraining:
    """The task, with 24 tokens an example."""
    values = {"task": "pretrain", "data": {"sequence_length": 24}, "pretraining": pretraining}
    kind = load_task("pretrain").configured(resolve([Layer(origin="test", values=values)]))
    assert isinstance(kind, Pretraining)
    return kind


def model_for(kind: Any) -> BertMaskedLM:
    keras.utils.set_random_seed(1)
    config = BertConfig(
        vocabulary_size=len(sets.VOCABULARY),
        hidden_dim=8,
        num_layers=1,
        num_heads=2,
        intermediate_dim=16,
        max_positions=24,
        initializer_range=0.4,
    )
    return (BertMaskedLM if kind.options.pair == "none" else BertPretrainer)(config)


@pytest.fixture
def text(tmp_path) -> Path:
    return sets.write_corpus(tmp_path / "text.txt", documents=20)


def streams(kind: Any, text: Path) -> dict[str, Any]:
    words = sets.tokenizer()
    return {split: kind.features(words, kind.read(str(text), split)) for split in ("train", "validation")}


@PAIR
def test_the_loss_is_both_means_whatever_the_rows(text, pair, tmp_path):
    kind = make(pair=pair, cache=str(tmp_path / "cache"))
    model, stream = model_for(kind), streams(kind, text)["train"]
    batch = next(iter(replica_batches(stream, plan_batches(stream, 8, seed=1))))
    outputs = model(inputs_of(batch))
    losses = kind.per_example_loss(outputs, {name: tf.constant(value) for name, value in batch.items()})
    assert losses.shape == (*batch["labels"].shape, len(kind.loss_parts))
    parts = tf.reduce_sum(losses * batch["example_weight"][..., None], axis=[0, 1]) / batch["loss_divisor"]
    counted = batch["target_ids"] >= 0
    assert float(parts[0]) == pytest.approx(float(np.asarray(outputs["masked_lm_losses"])[counted].mean()), rel=1e-5)
    if pair == "none":
        assert kind.loss_parts == ("masked_lm_loss",)
        return
    assert kind.loss_parts == ("masked_lm_loss", f"{pair}_loss")
    there = batch["example_weight"] > 0
    logits = np.asarray(outputs["pair_logits"], np.float64)[there]
    log_shares = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
    wanted = -log_shares[np.arange(len(logits)), batch["labels"][there]].mean()
    assert float(parts[1]) == pytest.approx(wanted, rel=1e-5)


@PAIR
def test_scores_are_those_of_every_target(text, pair, tmp_path):
    kind = make(pair=pair, cache=str(tmp_path / "cache"))
    model, both = model_for(kind), streams(kind, text)
    watched = ToWatch(model=model, tokenizer=sets.tokenizer(), features=both, examples={}, batch_examples=8)
    score = kind.scorer_of_splits(watched)
    found = score()
    stream = both["validation"]
    plans = stream.epochs(8, batching="packed", divisor=1, pack_length=None, seed=0)
    right = targets = loss = 0.0
    for batch in replica_batches(stream, plans, stop=plans.number_of_batches(1)):
        logits = np.asarray(model({k: v for k, v in inputs_of(batch).items() if k != "target_ids"})["masked_lm_logits"])
        for row, place in zip(*np.nonzero(batch["target_ids"] >= 0), strict=True):
            mine, target = logits[row, place].astype(np.float64), batch["target_ids"][row, place]
            right += mine.argmax() == target
            loss += np.log(np.exp(mine).sum()) - mine[target]
            targets += 1
    assert found["masked_lm_loss"] == pytest.approx(loss / targets, rel=1e-5)
    assert found["masked_lm_accuracy"] == pytest.approx(right / targets)
    assert found["perplexity"] == pytest.approx(np.exp(loss / targets), rel=1e-4)
    assert {"most_frequent_accuracy", "bigram_accuracy"} <= set(found)
    assert (f"{pair}_accuracy" in found) == (pair != "none")
    assert score() == found  # the same examples, masked alike
    assert not kind.greater_is_better


def test_held_out_text_is_the_same_for_every_seed(text, tmp_path):
    values = {"task": "pretrain", "data": {"sequence_length": 24}, "pretraining": {"cache": str(tmp_path / "cache")}}
    first = {}
    for seed in (1, 2):
        config = resolve([Layer(origin="test", values={**values, "seed": seed})])
        both = streams(load_task("pretrain").configured(config), text)
        for split, stream in both.items():
            plans = plan_batches(stream, 8, seed=seed if split == "train" else 0)
            first[split, seed] = stream.batch(plans.plan(0), 0)["token_ids"]
    assert not np.array_equal(first["train", 1], first["train", 2])
    np.testing.assert_array_equal(first["validation", 1], first["validation", 2])


def test_a_share_of_the_documents_is_held_out(text, tmp_path):
    both = streams(make(validation_share=0.25, cache=str(tmp_path / "cache")), text)
    documents = [{tuple(pair) for pair in stream.portions.pieces.documents.tolist()} for stream in both.values()]
    assert [len(found) for found in documents] == [15, 5]
    assert not documents[0] & documents[1]


def test_a_held_out_text_that_is_too_short_for_pairs_says_how_to_hold_out_more(tmp_path):
    words = " ".join(sets.VOCABULARY[-3:])
    (tmp_path / "text.txt").write_text(f"{words}\n\n" * 4)
    with pytest.raises(
        UserError, match=r"^of the held-out text: .* 1 documents, 1 sentences; --set .*validation_share"
    ):
        streams(make(cache=str(tmp_path / "cache")), tmp_path / "text.txt")


SOURCE = TextCorpus()


def test_files_that_are_held_out(tmp_path):
    for name in ("a.txt", "b.txt.gz", "c.jsonl", "README.md", "sub/d.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")

    def names(where, split, validation=None):
        files, is_drawn = SOURCE.split(str(where), split, validation)
        return [file.name for file in files], is_drawn

    assert names(tmp_path, "train") == (["a.txt", "b.txt.gz", "c.jsonl", "d.txt"], True)
    assert names(tmp_path / "*.txt", "train") == (["a.txt"], True)
    assert names(tmp_path, "train", "a.txt") == (["b.txt.gz", "c.jsonl", "d.txt"], False)
    assert names(tmp_path / "*.txt*", "validation", "b*") == (["b.txt.gz"], False)
    assert names(tmp_path / "a.txt", "validation", str(tmp_path / "sub")) == (["d.txt"], False)
    with pytest.raises(UserError, match=r"pretraining.validation=a.txt leaves no file for training"):
        names(tmp_path / "a.txt", "train", "a.txt")
    with pytest.raises(UserError, match=r"pretraining.validation=no.txt: expected a file, folder or pattern"):
        names(tmp_path, "train", "no.txt")
    with pytest.raises(UserError, match=r"expected a split of train, validation. Received: 'test'"):
        names(tmp_path, "test")
    with pytest.raises(UserError, match=r"expected text files \(.txt.*Received: none"):
        names(tmp_path / "*.md2", "train")
    with pytest.raises(UserError, match=r"pre-training reads text files.*Received: hf:x"):
        names("hf:x", "train")
    for split in ("train", "validation"):
        (tmp_path / "both" / split).mkdir(parents=True)
        (tmp_path / "both" / split / f"{split}.txt").write_text("x")
    assert names(tmp_path / "both", "validation") == (["validation.txt"], False)


def test_one_document_cannot_be_shared_out(tmp_path):
    file = sets.write_corpus(tmp_path / "text.txt", documents=1)
    with pytest.raises(UserError, match=r"the corpus is one document.*--set pretraining.validation=FILE"):
        streams(make(cache=str(tmp_path / "cache")), file)


@PAIR
def test_the_step_compiles(text, pair, tmp_path):
    kind = make(pair=pair, cache=str(tmp_path / "cache"))
    model, stream = model_for(kind), streams(kind, text)["train"]
    batch = {
        name: tf.constant(value)
        for name, value in next(iter(replica_batches(stream, plan_batches(stream, 4, seed=1)))).items()
    }

    def losses(batch):
        return kind.per_example_loss(model(inputs_of(batch), training=False), batch)

    compiled = tf.function(losses, jit_compile=True)(batch)
    np.testing.assert_allclose(compiled, losses(batch), atol=1e-3)


def answers(kind: Any, model: BertMaskedLM, texts: list[str]) -> list[dict]:
    found = kind.answer_function(model, sets.tokenizer(), sequence_length=24)(tf.constant(texts))
    rows = [{name: value[i].numpy() for name, value in found.items()} for i in range(len(texts))]
    return [kind.to_json(text, None, row) for text, row in zip(texts, rows, strict=True)]


def test_guesses_for_every_mask():
    kind = make().with_settings({"top_k": 3})
    model = model_for(kind)
    texts = ["a [MASK] b [MASK].", "", "no mask", "ä[MASK]"]
    first, *rest = answers(kind, model, texts)
    assert [mask["start"] for mask in first["masks"]] == [2, 11]
    assert [mask["end"] for mask in first["masks"]] == [8, 17]
    assert [answer["masks"] for answer in rest[:2]] == [[], []]
    assert [(mask["start"], mask["end"]) for mask in rest[2]["masks"]] == [(1, 7)]
    inputs = sets.tokenizer()([texts[0]])
    logits = np.asarray(model(inputs)["masked_lm_logits"])[0]
    for mask, place in zip(first["masks"], (2, 4), strict=True):
        shares = np.exp(logits[place]) / np.exp(logits[place]).sum()
        best = np.argsort(-shares)[:3]
        assert [guess["token_id"] for guess in mask["guesses"]] == best.tolist()
        assert [guess["token"] for guess in mask["guesses"]] == [sets.VOCABULARY[i] for i in best]
        assert [guess["score"] for guess in mask["guesses"]] == pytest.approx(shares[best].tolist(), rel=1e-4)
    assert rest[0] == {"text": "", "filled": "", "masks": []}
    json.dumps(first)


def test_the_best_guess_is_put_into_the_text():
    found = {
        "starts": np.array([2, 9]),
        "ends": np.array([8, 15]),
        "tokens": np.array([[b"##b"], [b"c"]]),
        "token_ids": np.array([[1], [2]]),
        "scores": np.array([[0.5], [0.25]]),
    }
    assert make().to_json("a [MASK] [MASK].", None, found)["filled"] == "ab c."


def test_wrong_settings():
    with pytest.raises(ValueError, match=r"`metrics` must be \('masked_lm_loss',\). Received: metrics=\('accuracy',\)"):
        Pretraining(source=SOURCE, sequence_length=24, metrics=("accuracy",))
    with pytest.raises(ValueError, match=r"`top_k` must be at least 1. Received: top_k=0"):
        Pretraining(source=SOURCE, sequence_length=24, top_k=0)
    with pytest.raises(UserError, match=r"'training.label_smoothing' must be 0"):
        make().per_example_loss({}, {}, label_smoothing=0.1)


def test_sentences_with_a_hidden_word(tmp_path):
    file = tmp_path / "a.txt"
    file.write_text("One two three four five.\n\nx 7.\n\nSo it is.\n")
    corpus = make(text_format="sentences").read(str(file), "train")
    assert corpus.texts == ["One two three [MASK] five.", "So it [MASK]."]
    assert len(corpus) == len(corpus.words) == 2
    tokens = [{"tokens": np.array([[word.upper().encode(), b"no"]])} for word in corpus.words]
    assert make().measure_answers(tokens, corpus) == {"hidden_word_accuracy": 1.0}
    tokens[1] = {"tokens": np.zeros((0, 2), "S1")}
    assert make().measure_answers(tokens, corpus) == {"hidden_word_accuracy": 0.5}
