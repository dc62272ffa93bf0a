"""The tagging tasks: their data, and from training to an answer."""

from __future__ import annotations

import dataclasses
import json

import pytest
import tensorflow as tf

import bert_tf
from bert_tf import evaluate, predict, train
from bert_tf.inference.engine.rows import rows_of as _rows
from bert_tf.kinds import TaggedExamples, Tagging
from tests.kinds.tagging.test_tagging import TOKENIZER, tagger


@pytest.mark.parametrize("name", ["wnut17", "conll2003"])
def test_the_tasks_are_small_and_have_a_place_for_their_data(name):
    kind = bert_tf.load_task(name)
    assert isinstance(kind, Tagging)
    assert len(kind.tag_names) == 1 + 2 * len(kind.types)
    assert "--data" in kind.how_to_get


@pytest.mark.parametrize(("split", "count"), [("train", 50), ("validation", 20)])
def test_the_sample_reads_through_the_task(split, count):
    kind = bert_tf.load_task("wnut17")
    assert isinstance(kind, Tagging)
    examples = kind.read("sample", split)
    assert isinstance(examples, TaggedExamples)
    assert examples.tags is not None
    assert examples.is_sample
    assert len(examples) == len(set(examples.texts)) == count
    assert {tag for tags in examples.tags for tag in tags} >= {0, *range(1, 13, 2)}


def test_conll2003_reads_both_schemes_in_circulation(tmp_path):
    kind = bert_tf.load_task("conll2003")
    for name, tags in (("eng.train", "I-PER I-PER B-PER O"), ("eng.testa", "B-PER I-PER B-PER O")):
        lines = [f"w{i} NN I-NP {tag}\n" for i, tag in enumerate(tags.split())]
        (tmp_path / name).write_text("-DOCSTART- -X- -X- O\n\n" + "".join(lines))
    found = [kind.read(str(tmp_path), split) for split in ("train", "validation")]
    assert all(isinstance(examples, TaggedExamples) and examples.tags == [[1, 2, 1, 0]] for examples in found)


def test_the_real_set_has_the_published_entities(shared_data):
    kind = bert_tf.load_task("wnut17")
    where = str(shared_data("wnut17"))
    sizes = {}
    for split in ("train", "validation", "test"):
        examples = kind.read(where, split)
        assert isinstance(examples, TaggedExamples)
        assert examples.tags is not None
        sizes[split] = (len(examples), sum(tag % 2 for tags in examples.tags for tag in tags))
    assert sizes == {"train": (3394, 1975), "validation": (1009, 836), "test": (1287, 1079)}


def test_the_real_set_scores_alike_from_raw_text_and_in_training(shared_data):
    kind = bert_tf.load_task("wnut17")
    assert isinstance(kind, Tagging)
    examples = kind.read(str(shared_data("wnut17")), "validation")
    assert isinstance(examples, TaggedExamples)
    cut = {name: getattr(examples, name)[:200] for name in ("texts", "words", "starts", "tags")}
    examples, model = dataclasses.replace(examples, **cut), tagger(13)
    features = kind.features(TOKENIZER, examples, sequence_length=32)
    scores = kind.scorer(model, TOKENIZER, features, examples, batch_examples=64)()
    function = kind.answer_function(model, TOKENIZER, sequence_length=32)
    answers = list(_rows(function(tf.constant(list(examples.texts)))))
    assert kind.measure_answers(answers, examples) == scores
    assert scores["recall"] > 0


@pytest.mark.slow
def test_train_evaluate_predict(tmp_path, capsys):
    backbone, folder = tmp_path / "backbone", tmp_path / "run"
    tagger().backbone.save_pretrained(backbone, TOKENIZER)
    flags = ["--task=wnut17", "--data=sample", f"--backbone={backbone}", f"--run={folder}"]
    train.main([*flags, "--set", "training.max_steps=2", "training.learning_rate=0.01", "data.sequence_length=16"])
    result = json.loads(capsys.readouterr().out)
    assert (result["task"], result["data"], set(result["metrics"])) == (
        "wnut17",
        "sample",
        {"f1", "precision", "recall"},
    )
    evaluate.main([f"--run={folder}"])
    assert json.loads(capsys.readouterr().out)["metrics"] == result["metrics"]
    predict.main([f"--run={folder}", "--text=a good film", "--text="])
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert answers == bert_tf.Pipeline(folder)(["a good film", ""])
    assert answers[1] == {"text": "", "entities": []}
