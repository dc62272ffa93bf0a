from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
import pytest

import bert_tf
from bert_tf.errors import UserError
from bert_tf.inference.pipeline import Pipeline
from tests.conftest import VOCABULARY

TEXTS = ["good film", "", "a bad film, a very bad film that never ends", "bad!", "good film", "f" * 300]


@pytest.fixture(scope="module")
def pipeline(tiny_run):
    return Pipeline(tiny_run, batch_examples=2)


def test_a_text_gives_a_dict_and_a_list_gives_a_list(pipeline):
    one, several = pipeline("good film"), pipeline(["good film"])
    assert several == [one]
    assert set(one) == {"text", "label", "score", "probabilities"}
    assert one["text"] == "good film"
    assert list(one["probabilities"]) == ["negative", "positive"]
    assert one["score"] == max(one["probabilities"].values()) == one["probabilities"][one["label"]]
    assert sum(one["probabilities"].values()) == pytest.approx(1.0, abs=1e-6)


def test_answers_stand_in_the_order_of_the_texts_whatever_the_batches(pipeline):
    answers = pipeline(TEXTS)
    assert [answer["text"] for answer in answers] == TEXTS
    alone = [pipeline(text)["probabilities"]["positive"] for text in TEXTS]
    np.testing.assert_allclose([answer["probabilities"]["positive"] for answer in answers], alone, atol=1e-6)
    assert len({round(p, 4) for p in alone}) >= 4, "the texts must not all have one answer"


def test_the_answers_are_those_of_tokenizer_and_classifier(pipeline, tiny_run):
    tokenizer = bert_tf.BertTokenizer.from_pretrained(tiny_run / "model")
    model = bert_tf.BertClassifier.from_pretrained(tiny_run / "model")
    logits = model(tokenizer(["bad!", "good film"], max_length=64))
    expected = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    rows = pipeline.rows(["bad!", "good film"])
    np.testing.assert_allclose([row["probabilities"] for row in rows], expected, atol=1e-6)
    np.testing.assert_allclose([row["logits"] for row in rows], logits, atol=1e-6)
    assert [row["label"] for row in rows] == [model.labels[i].encode() for i in np.argmax(logits, -1)]


def test_a_models_folder_alone_will_do(pipeline, tiny_model):
    alone = Pipeline(tiny_model)
    for mine, theirs in zip(alone(TEXTS[:5]), pipeline(TEXTS[:5]), strict=True):
        assert (mine["text"], mine["label"]) == (theirs["text"], theirs["label"])
        assert mine["probabilities"] == pytest.approx(theirs["probabilities"], abs=1e-6)
    pair = alone("good film", "bad!")
    assert (pair["text"], pair["pair"]) == ("good film", "bad!")
    logits = alone.model(alone.tokenizer(["good film"], ["bad!"]))[0]
    assert pair["probabilities"]["positive"] == pytest.approx(float(1 / (1 + np.exp(logits[0] - logits[1]))), abs=1e-6)


SHAPE = {"hidden_dim": 8, "num_layers": 1, "num_heads": 2, "intermediate_dim": 8, "initializer_range": 0.5}


def save(model, folder):
    model.save_pretrained(folder, bert_tf.BertTokenizer(VOCABULARY))
    return folder


def altered(folder, name, **settings):
    path = folder / name
    path.write_text(json.dumps(json.loads(path.read_text()) | settings))


def test_what_a_folder_is_refused_for_can_be_left_out(tmp_path, tiny_run):
    config = bert_tf.BertConfig(vocabulary_size=len(VOCABULARY), **SHAPE)
    folder = save(bert_tf.BertClassifier(config, 2), tmp_path / "x")
    expected = Pipeline(folder)("A good film")
    altered(folder, "config.json", is_decoder=True)
    with pytest.raises(UserError, match=r'`is_decoder`.*ignore=\["is_decoder"\]'):
        Pipeline(folder)
    altered(folder, "tokenizer_config.json", truncation_side="left")
    with pytest.raises(UserError, match=r"`truncation_side`.*model.ignore_tokenizer"):
        Pipeline(folder, ignore=["is_decoder"])
    left: dict[str, Any] = {"ignore": ["is_decoder"], "ignore_tokenizer": ["truncation_side"]}
    assert Pipeline(folder, **left)("A good film") == expected
    task = Pipeline(folder, **left).kind
    assert Pipeline(folder, task=task, **left)("A good film") == expected
    assert not Pipeline(folder, lowercase=False, **left).tokenizer.lowercase
    run_settings: tuple[dict[str, Any], ...] = left, {"lowercase": True}
    for settings in run_settings:
        with pytest.raises(ValueError, match=r"for folders of other models, and .* is a run"):
            Pipeline(tiny_run, **settings)


def test_an_architecture_that_is_not_known_can_be_left_to_the_tensors(tmp_path):
    config = bert_tf.BertConfig(vocabulary_size=len(VOCABULARY), **SHAPE)
    folder = save(bert_tf.BertTagger(config, 3, labels=("O", "B-film", "I-film")), tmp_path / "x")
    altered(folder, "config.json", architectures=["BertCrfForNer"])
    with pytest.raises(UserError, match=r'BertCrfForNer is not known.*ignore=\["architectures"\]$'):
        Pipeline(folder)
    assert "entities" in Pipeline(folder, ignore=["architectures"])("a good film")


@pytest.mark.parametrize(
    "make",
    [
        lambda config: bert_tf.BertSpanQA(config),
        lambda config: bert_tf.BertTagger(config, 3),
        lambda config: bert_tf.BertMaskedLM(config),
        lambda config: bert_tf.BertEmbedder(config),
        lambda config: bert_tf.BertExtractiveSummarizer(config),
    ],
)
def test_every_kind_of_folder_can_be_read_without_what_it_is_refused_for(make, tmp_path):
    model = make(bert_tf.BertConfig(vocabulary_size=len(VOCABULARY), **SHAPE))
    folder = save(model, tmp_path / "x")
    altered(folder, "config.json", pruned_heads={"0": [1]})
    with pytest.raises(UserError, match="`pruned_heads`"):
        Pipeline(folder)
    kind = Pipeline(folder, ignore=["pruned_heads"]).kind
    assert type(Pipeline(folder, ignore=["pruned_heads"]).model) is type(model)
    assert type(kind.load_model(str(folder), ignore=["pruned_heads"])) is type(model)


def test_a_folder_says_by_its_head_what_it_answers(tmp_path):
    config = bert_tf.BertConfig(vocabulary_size=len(VOCABULARY), **SHAPE)
    found = Pipeline(save(bert_tf.BertSpanQA(config), tmp_path / "qa"))("who", "a good film")
    assert {"question", "context", "answer", "start", "end", "n_best"} <= set(found)
    assert found["context"][found["start"] : found["end"]] == found["answer"]

    tagger = bert_tf.BertTagger(config, 5, labels=("O", "B-film", "I-film", "B-mood", "I-mood"))
    found = Pipeline(save(tagger, tmp_path / "tagger"))("a good film")
    assert {entity["label"] for entity in found["entities"]} <= {"film", "mood"}
    assert all(found["text"][entity["start"] : entity["end"]] == entity["text"] for entity in found["entities"])

    summarizer = bert_tf.BertExtractiveSummarizer(config)
    found = Pipeline(save(summarizer, tmp_path / "summarizer"))("A good film. A bad film.")
    assert found["summary"] in ("A good film. A bad film.", "A good film.", "A bad film.")


def test_parts_that_are_there_already_answer_as_the_folder_does(pipeline, tiny_run):
    parts = pipeline.model, pipeline.tokenizer, pipeline.kind
    texts = ["a good film", "bad, bad"]
    wanted = pipeline(texts)
    assert Pipeline(*parts, sequence_length=pipeline.sequence_length)(texts) == wanted
    made = Pipeline(model=parts[0], tokenizer=parts[1], kind=parts[2], batch_examples=1)
    assert (made(texts), made.batch_examples) == (wanted, 1)
    assert Pipeline.of(parts[2], *parts[:2])(texts) == wanted
    assert Pipeline(*parts, sequence_length=3)(texts) != wanted, "two tokens are cut off but for the special ones"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "expected `where`, a folder, or a `model`, its `tokenizer` and a `kind`. Received: nothing alone"),
        ({"model": 1, "kind": 2}, "Received: model and kind alone"),
        ({"where": "x", "model": 1}, "Received: where='x' and model"),
        ({"where": "x", "sequence_length": 8}, "Received: where='x' and sequence_length"),
        ({"model": 1, "tokenizer": 2, "kind": 3, "lowercase": True}, "say how a folder is read"),
    ],
)
def test_a_folder_or_parts(given, said):
    with pytest.raises(ValueError, match=re.escape(said)):
        Pipeline(**given)


def test_nothing_in_nothing_out(pipeline):
    assert pipeline([]) == []


def test_pairs_where_the_task_has_none(pipeline):
    with pytest.raises(ValueError, match=r"This task takes no `pairs`\. Received: 1 texts, 1 pairs"):
        pipeline(["a"], ["b"])


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["a", "b", "c", None], r"`texts\[3\]` must be a text\. Received: None"),
        (["a", float("nan")], r"`texts\[1\]` must be a text\. Received: nan"),
        ([b"a"], r"`texts\[0\]` must be a text\. Received: b'a'"),
        (["good", "film \ud83d", "c"], r"`texts\[1\]` must be .* UTF-8 .* surrogate at character 6 of 'film \\ud83d'"),
        ("\udc80", r"`texts\[0\]` must be a text that UTF-8 can hold"),
        (None, "`texts` must be one text or several. Received: None"),
    ],
)
def test_what_is_no_text_is_named_by_its_place(pipeline, texts, message):
    with pytest.raises(ValueError, match=message):
        pipeline(texts)


def test_the_second_text_of_a_pair_is_named_by_its_place(tiny_model):
    pipeline = Pipeline(tiny_model)
    with pytest.raises(ValueError, match=r"`pairs\[1\]` must be a text\. Received: None"):
        pipeline(["a", "b"], ["c", None])  # type: ignore[list-item]
    with pytest.raises(ValueError, match=r"`pairs\[0\]` must be a text that UTF-8 can hold"):
        pipeline("a", "\ud800")
    assert len(pipeline(["\U0001f600", "é"], ["", "a"])) == 2  # a whole pair of surrogates is one character


def test_no_model_there(tmp_path):
    with pytest.raises(UserError, match=str(tmp_path)):
        Pipeline(tmp_path)
    (tmp_path / "config.toml").write_text('task = "sst2"\n')
    with pytest.raises(UserError, match="expected a run that has saved a model"):
        Pipeline(tmp_path)


def test_hugging_face_way_of_use():
    from bert_tf import BertClassifier, BertTokenizer

    tokenizer = BertTokenizer.from_pretrained("minilm")
    model = BertClassifier.from_pretrained("minilm", num_classes=2)
    outputs = model.compute(tokenizer(["a joy from start to end", "two hours I want back"]), labels=[1, 0])
    loss, logits = outputs["loss"], outputs["logits"]

    assert logits.shape == (2, 2)
    log_p = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    assert float(loss) == pytest.approx(-float(log_p[0, 1] + log_p[1, 0]) / 2, abs=1e-5)


def test_repr_says_what_answers(tiny_run):
    pipeline = Pipeline(str(tiny_run))
    assert repr(pipeline) == (
        f"Pipeline(BertClassifier, {pipeline.tokenizer!r}, Classification, sequence_length=64, batch_examples=64)"
    )
