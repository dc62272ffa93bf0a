"""Folders of models that say no task: what their architecture answers, or why it does not."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pytest

import bert_tf
from bert_tf import kinds
from bert_tf.data import InMemory
from bert_tf.errors import UserError
from bert_tf.inference.pipeline import Pipeline
from bert_tf.kinds import Classification, ExtractiveSummarization, Pretraining, SpanQA, Tagging
from bert_tf.kinds.registry import ARCHITECTURES, kind_of
from bert_tf.models import BertPretrainer
from tests.conftest import VOCABULARY

SHAPE = {"hidden_dim": 8, "num_layers": 1, "num_heads": 2, "intermediate_dim": 8, "initializer_range": 0.5}
CONFIG = bert_tf.BertConfig(vocabulary_size=len(VOCABULARY), **SHAPE)


def save(model: Any, folder: Path, **changes: Any) -> Path:
    """A folder as `save_pretrained` writes it; with some keys of config.json changed, or left out where None."""
    model.save_pretrained(folder, bert_tf.BertTokenizer(VOCABULARY))
    path = folder / "config.json"
    config = json.loads(path.read_text()) | changes
    path.write_text(json.dumps({key: value for key, value in config.items() if value is not None}))
    return folder


def test_a_pretrained_model_fills_masks_and_its_other_head_tells_pairs_apart(tmp_path):
    keras.utils.set_random_seed(1)
    model = BertPretrainer(CONFIG)
    kind, found = kind_of(save(model, tmp_path / "both"))
    assert (type(kind), type(found)) == (Pretraining, bert_tf.BertMaskedLM)
    # As Transformers' class for pairs alone would have it.
    kind, found = kind_of(save(model, tmp_path / "pairs", architectures=["BertForNextSentencePrediction"]))
    assert (kind.text_columns, found.labels) == (("text", "pair"), ("is_next", "not_next"))
    ids = bert_tf.BertTokenizer(VOCABULARY)(["good film"], ["bad!"])
    np.testing.assert_allclose(found(ids), model(ids)["pair_logits"], atol=1e-6)


@pytest.mark.slow
def test_a_model_that_writes_says_so_in_its_folder(tmp_path, caplog):
    folder = save(bert_tf.BertSeq2Seq(CONFIG), tmp_path / "seq2seq")
    config = json.loads((folder / "config.json").read_text())
    assert (config["architectures"], config["bert_tf"]["model"]) == (["BertForMaskedLM"], "BertSeq2Seq")
    found = Pipeline(folder)("a good film")
    assert set(found) == {"text", "generated", "score"}
    assert "at most 128 tokens are written" in caplog.text
    assert isinstance(bert_tf.BertSeq2Seq.from_pretrained(folder), bert_tf.BertSeq2Seq)


def test_a_backbone_alone_answers_nothing_and_says_what_to_do(tmp_path):
    folder = save(bert_tf.BertBackbone(CONFIG), tmp_path / "backbone")
    with pytest.raises(UserError, match=r"backbone: BertModel is a backbone without a head, .* give `task`"):
        Pipeline(folder)


def test_vectors_of_texts(tmp_path):
    folder = save(bert_tf.BertEmbedder(CONFIG), tmp_path / "embedder")
    assert len(Pipeline(folder)("a good film")["vector"]) == 8


@pytest.mark.parametrize(
    ("architecture", "message"),
    [
        ("BertLMHeadModel", "BertLMHeadModel writes text from left to right"),
        ("EncoderDecoderModel", "EncoderDecoderModel joins an encoder and a decoder"),
        (
            "NezhaForSequenceClassification",
            r"config\.json: the architecture NezhaForSequenceClassification is not known\. .* "
            "Known are BertForSequenceClassification, BertForNextSentencePrediction, "
            "BertForTokenClassification, .*`task`",
        ),
        ("BertForSequenceClasification", "Did you mean 'BertForSequenceClassification'?"),
    ],
)
def test_what_is_not_answered_is_refused_by_name(tmp_path, architecture, message):
    folder = save(bert_tf.BertClassifier(CONFIG, 2), tmp_path / "model", architectures=[architecture])
    with pytest.raises(UserError, match=message):
        Pipeline(folder)


def test_of_a_named_file_that_file_answers(tmp_path):
    first, second = bert_tf.BertSpanQA(CONFIG), bert_tf.BertSpanQA(CONFIG)
    folder = save(first, tmp_path / "x")
    (save(second, tmp_path / "y") / "model.safetensors").rename(folder / "best.safetensors")
    kind, model = kind_of(folder / "best.safetensors")
    assert isinstance(kind, SpanQA)
    np.testing.assert_array_equal(model.span.kernel, second.span.kernel)
    assert np.abs(np.asarray(first.span.kernel) - np.asarray(second.span.kernel)).max() > 1e-3


def test_an_architecture_whose_head_is_not_in_the_file_is_refused(tmp_path):
    for name in ("BertForMaskedLM", "BertForSequenceClassification", "BertForQuestionAnswering"):
        folder = save(
            bert_tf.BertBackbone(CONFIG), tmp_path / name, architectures=[name], id2label={"0": "a", "1": "b"}
        )
        with pytest.raises(UserError, match=f"config.json names {name}, but the file has no weights of its head"):
            Pipeline(folder)


@pytest.mark.parametrize(
    ("make", "architecture", "kind"),
    [
        (lambda: bert_tf.BertClassifier(CONFIG, 2), "BertForSequenceClassification", Classification),
        (lambda: bert_tf.BertTagger(CONFIG, 2), "BertForTokenClassification", Tagging),
        # With a pooler, which only its labels tell from a classifier.
        (lambda: bert_tf.BertClassifier(CONFIG, 2, labels=("O", "B-a")), "BertForTokenClassification", Tagging),
        (lambda: bert_tf.BertSpanQA(CONFIG), "BertForQuestionAnswering", SpanQA),
        (lambda: bert_tf.BertMaskedLM(CONFIG), "BertForMaskedLM", Pretraining),
        (lambda: BertPretrainer(CONFIG), "BertForPreTraining", Pretraining),
        (lambda: bert_tf.BertExtractiveSummarizer(CONFIG), "BertForExtractiveSummarization", ExtractiveSummarization),
    ],
)
def test_where_config_json_says_nothing_the_tensors_decide_and_that_is_said(tmp_path, caplog, make, architecture, kind):
    folder = save(make(), tmp_path / "model", architectures=None)
    assert type(kind_of(folder)[0]) is kind
    assert f"by its tensors it is taken for {architecture}" in caplog.text


@pytest.mark.parametrize(
    ("labels", "key", "said"),
    [
        (("B-film", "I-film", "O"), "entities", "entities that B begins and I continues, of the types film"),
        (("O", "film", "mood"), "entities", "neighbours of one type are one entity, of the types film, mood"),
        (("O", "B-a", "E-a", "S-a", "[CLS]"), "entities", "or of a single word, S, of the types a; [CLS] count as O"),
        (("NOUN", "VERB"), "words", "a label for each word"),
        (("LABEL_0", "LABEL_1"), "words", "a label for each word"),
        (("O", "B-film", "I-film", "B-mood", "I-mood"), "entities", None),
    ],
)
def test_a_tagger_of_any_labels_answers_and_says_how_they_are_read(tmp_path, caplog, labels, key, said):
    keras.utils.set_random_seed(4)
    folder = save(bert_tf.BertTagger(CONFIG, len(labels), labels=labels), tmp_path / "tagger")
    kind, model = kind_of(folder)
    assert isinstance(kind, Tagging)
    assert kind.tag_names == model.labels == labels
    assert kind.label_set.is_entities == (key == "entities")
    if labels == ("NOUN", "VERB"):
        text = "it's good, (a) film!"
        found = Pipeline(folder)(text)
        assert set(found) == {"text", "words"}
        assert all(text[word["start"] : word["end"]] == word["text"] for word in found["words"])
        assert [word["text"] for word in found["words"]] == ["it", "'s", "good", ",", "(", "a", ")", "film", "!"]
    assert (said in caplog.text) if said else "labels" not in caplog.text


def test_a_task_beside_a_folder_of_other_classes(tmp_path, caplog):
    folder = save(bert_tf.BertClassifier(CONFIG, 2, labels=("POSITIVE", "NEGATIVE")), tmp_path / "model")
    task: dict[str, Any] = {"source": InMemory({}), "text": ("text",), "label": "label", "sequence_length": 16}
    with pytest.raises(UserError, match=r"the model's classes in the task's order, negative, positive\. Received: PO"):
        Pipeline(folder, task=Classification(classes=("negative", "positive"), **task))
    assert Pipeline(folder, task=Classification(classes=("positive", "negative"), **task))("a")["label"] is not None
    with pytest.raises(UserError, match=r"expected a model of 3 outputs \(a, b, c\)"):
        Pipeline(folder, task=Classification(classes=("a", "b", "c"), **task))
    assert not caplog.text
    Pipeline(folder, task=Classification(classes=("good", "bad"), **task))
    assert "are taken for the task's" in caplog.text


def test_texts_and_pairs_that_do_not_go_with_a_folder(tmp_path):
    question = Pipeline(save(bert_tf.BertSpanQA(CONFIG), tmp_path / "qa"))
    with pytest.raises(ValueError, match="This task takes as many `pairs` as `texts`"):
        question("who")
    tagger = Pipeline(save(bert_tf.BertTagger(CONFIG, 3, labels=("O", "B-a", "I-a")), tmp_path / "tagger"))
    with pytest.raises(ValueError, match="This task takes no `pairs`"):
        tagger("a", "b")


@pytest.mark.parametrize(
    ("tensors", "architecture"),
    [
        ("classifier pooler", "BertForSequenceClassification"),
        ("classifier", "BertForTokenClassification"),
        ("classifier pooler masked_lm span", "BertForSequenceClassification"),
        ("masked_lm next_sentence span", "BertForPreTraining"),
        ("masked_lm sentence_score", "BertForMaskedLM"),
        ("span sentence_score next_sentence", "BertForQuestionAnswering"),
        ("sentence_score next_sentence", "BertForExtractiveSummarization"),
        ("next_sentence pooler", "BertForNextSentencePrediction"),
        ("pooler", None),
    ],
)
def test_tensors_of_several_heads_are_of_one_architecture(tensors, architecture):
    folder: Any = SimpleNamespace(parts=frozenset(tensors.split()), checkpoint=SimpleNamespace(labels=None))
    meant = [name for name, row in ARCHITECTURES.items() if row.is_meant(folder)]
    assert meant == ([architecture] if architecture else [])


def test_no_two_kinds_claim_an_architecture():
    folders = sorted(Path(kinds.__file__).parent.glob("*/folders.py"))
    parts = [importlib.import_module(f"bert_tf.kinds.{path.parent.name}.folders") for path in folders]
    names = [name for part in parts for name in getattr(part, "ROWS", ())]
    assert len(names) == len(set(names))
    assert set(names) == {name for name, row in ARCHITECTURES.items() if row.answer is not None}


def test_the_table_has_an_answer_or_a_reason_in_every_row():
    for name, row in ARCHITECTURES.items():
        assert (row.answer is None) == bool(row.why), name
        assert (row.answer is None) == (not row.heads), name
