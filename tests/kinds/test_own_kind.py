"""A kind of your own, in a file outside the library, about three texts: answered, served and exported by itself."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from benchmarks.random_run import make_run
from bert_tf import export, predict
from bert_tf.exporting.saved_model.signatures import signatures_of
from bert_tf.inference.pipeline import Pipeline
from bert_tf.kinds import Classification
from bert_tf.kinds.definitions import load_task

FILE = '''
"""How well do a title, a question and an answer go together?"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bert_tf.data import InMemory, number, text
from bert_tf.kinds import Examples, Measured

COLUMNS = ("title", "question", "answer")


@dataclass(frozen=True, kw_only=True)
class Threes(Examples):
    answers: Sequence[str]

    @property
    def columns(self):
        return self.texts, self.pairs, self.answers


@dataclass(frozen=True, kw_only=True)
class Fit(Measured):
    metrics: tuple[str, ...] = ("pearson",)

    @property
    def text_columns(self):
        return COLUMNS

    def read(self, where, split, *, skip_bad_rows=False):
        parsers = dict.fromkeys(COLUMNS, text) | {"fit": number()}
        table = self.source.open(self.place(where), split, parsers, skip_bad_rows=skip_bad_rows)
        titles, questions, answers = (table.columns[name] for name in COLUMNS)
        labels = np.asarray(table.columns["fit"], np.float32)[:, None]
        return Threes(texts=titles, pairs=questions, answers=answers, labels=labels)

    def features(self, tokenizer, examples, *, sequence_length=None, progress=None):
        from bert_tf.data.batching.features import encode

        pairs = [f"{question} {answer}" for question, answer in zip(examples.pairs, examples.answers)]
        length = sequence_length or self.sequence_length
        return encode(tokenizer, examples.texts, pairs, labels=examples.labels, max_length=length, progress=progress)

    def build_model(self, config):
        from bert_tf.models import BertClassifier

        return self.from_backbone(BertClassifier, config, num_classes=1, labels=("fit",), problem="regression")

    def load_model(self, folder, *, ignore=()):
        from bert_tf.models import BertClassifier

        return BertClassifier.from_pretrained(folder, new_weights="forbid", ignore=ignore)

    def per_example_loss(self, outputs, batch, *, label_smoothing=0.0, class_weights=None):
        import tensorflow as tf

        return tf.reduce_mean(tf.square(outputs - batch["labels"]), axis=-1)

    def measure(self, outputs, features, examples):
        return self.correlation(np.stack(outputs), examples)

    def measure_answers(self, answers, examples):
        return self.correlation(np.stack([answer["fit"] for answer in answers])[:, None], examples)

    def correlation(self, found, examples):
        return {"pearson": float(np.corrcoef(found[:, 0], examples.labels[:, 0])[0, 1])}

    def answer_function(self, model, tokenizer, *, sequence_length=None):
        import tensorflow as tf

        length = sequence_length or self.sequence_length

        def answer(title, question, answer):
            joined = tf.strings.join([question, answer], separator=" ")
            inputs = tokenizer(title, joined, max_length=length, padding="longest")
            words = tf.strings.split(joined)
            return {"fit": tf.cast(model(inputs, training=False), tf.float32)[:, 0], "words": words}

        return tf.function(answer, input_signature=[tf.TensorSpec([None], tf.string, name=name) for name in COLUMNS])


ROWS = [
    {"title": "Film", "question": "good?", "answer": "not one bad start", "fit": 0.1},
    {"title": "Joy and end", "question": "who was there?", "answer": "you", "fit": 0.9},
    {"title": "what", "question": "where?", "answer": "a film, a joy", "fit": 0.4},
]
TASK = Fit(source=InMemory({"train": ROWS, "validation": ROWS}), sequence_length=24)
'''
ROWS = [
    {"title": "Film", "question": "good?", "answer": "not one bad start"},
    {"title": "", "question": "who was there?", "answer": "you"},
]


def task_of(run: Path) -> str:
    """The file of the run's task, which is run only where somebody names it."""
    return str(run.parent / "fit.py")


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("own")
    task = folder / "fit.py"
    task.write_text(FILE)
    return make_run(folder / "run", str(task), data={"source": "own"})


@pytest.fixture(scope="module")
def pipeline(run) -> Pipeline:
    return Pipeline(run, task=load_task(task_of(run)))


def test_texts_are_given_by_their_columns_in_any_order(pipeline):
    found = pipeline(ROWS)
    tokens = pipeline.tokenizer([row["title"] for row in ROWS], [f"{row['question']} {row['answer']}" for row in ROWS])
    expected = np.asarray(pipeline.model(tokens))[:, 0]
    np.testing.assert_allclose([answer["fit"] for answer in found], expected, atol=1e-6)
    assert abs(expected[0] - expected[1]) > 1e-3
    assert found[1] == {**ROWS[1], "fit": found[1]["fit"], "words": ["who", "was", "there?", "you"]}
    one = pipeline(dict(reversed(ROWS[1].items())))
    assert one == {**found[1], "fit": pytest.approx(found[1]["fit"], abs=1e-6)}
    columns = [[row[name] for row in ROWS] for name in ("title", "question", "answer")]
    assert [row["fit"] for row in pipeline.rows(*columns)] == [row["fit"] for row in pipeline.rows(ROWS)]
    assert pipeline([]) == []


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (("a",), "This task takes a dict with the texts 'title', 'question', 'answer', or a list of them. Received: 1"),
        ((["a"], ["b"]), r"or a list of them\. Received: 1 texts, 1 pairs"),
        (({"title": "a"},), r"`texts\[0\]` must be a dict with 'title', 'question', 'answer'\. Received: \['title'\]"),
        (([ROWS[0], {**ROWS[0], "extra": "a"}],), r"`texts\[1\]` must be a dict with"),
        (([ROWS[0], "a"],), r"`texts\[1\]` must be a dict with .*\. Received: 'a'"),
        (([ROWS[0]], ["a"]), "`pairs` go with texts, and a dict has both"),
        (([{**ROWS[0], "answer": 3}],), r"`answer\[0\]` must be a text\. Received: 3"),
    ],
)
def test_other_texts_are_refused(pipeline, texts, message):
    with pytest.raises(ValueError, match=message):
        pipeline(*texts)


def test_a_task_of_one_or_two_texts_takes_dicts_too(tiny_run):
    pair = Pipeline(tiny_run)
    assert pair({"sentence": "good film"}) == pair("good film")
    kind = Classification(
        source=pair.kind.source, text=("a", "b"), label="x", classes=("no", "yes"), sequence_length=16
    )
    two = Pipeline.of(kind, pair.model, pair.tokenizer)
    assert two([{"b": "bad!", "a": "good film"}]) == two(["good film"], ["bad!"])


def test_predict_reads_a_text_a_column(run, tmp_path, capsys):
    file, expected = tmp_path / "in.jsonl", Pipeline(run, task=load_task(task_of(run)))(ROWS)
    file.write_text("".join(json.dumps({"id": i, **row}) + "\n" for i, row in enumerate(ROWS)))
    predict.main([f"--run={run}", f"--task={task_of(run)}", f"--input={file}"])
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert found == [{"id": i, **answer} for i, answer in enumerate(expected)]
    status = predict.main(
        [f"--run={run}", f"--task={task_of(run)}", "--text", "\t".join(ROWS[0].values()), "--text", "one\ttwo"]
    )
    first, second = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert (status, first["fit"]) == (3, pytest.approx(expected[0]["fit"], abs=1e-6))
    assert second["error"].endswith("expected title, a tab, question, a tab, answer. Received: 1 tab in 'one\\ttwo'")


def test_its_signatures_are_the_defaults(pipeline):
    found, counts = signatures_of(pipeline.kind, pipeline.model, pipeline.tokenizer, sequence_length=24)
    assert (set(found), counts) == ({"serving_default", "details", "tensors"}, {"words": "words_count"})
    texts = {name: tf.constant([row[name] for row in ROWS]) for name in ("title", "question", "answer")}
    answers = found["serving_default"](**texts)
    assert set(answers) == {"fit", "words", "words_count"}
    assert answers["words_count"].numpy().tolist() == [5, 4]
    np.testing.assert_allclose(answers["fit"], [row["fit"] for row in pipeline(ROWS)], atol=1e-6)
    tokens = pipeline.tokenizer(["Film"], ["good? you"])
    np.testing.assert_allclose(found["tensors"](**tokens)["logits"], pipeline.model(tokens), atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["saved_model", "tflite"])
def test_it_is_exported_and_answers_as_the_run(run, tmp_path, capsys, name):
    out = tmp_path / "out"
    export.main([f"--run={run}", f"--task={task_of(run)}", f"--format={name}", f"--out={out}", "--no-timing"])
    (model,) = json.loads(capsys.readouterr().out)["models"]
    assert model["agreement"]["same_answers"] == 1.0
    assert model["agreement"]["largest_difference"] < 1e-5
    if name == "saved_model":
        task = load_task(task_of(run))
        found, expected = Pipeline(out, task=task)(ROWS), Pipeline(run, task=load_task(task_of(run)))(ROWS)
        assert [row["fit"] for row in found] == pytest.approx([row["fit"] for row in expected], abs=1e-6)
        requests = tf.data.TFRecordDataset(str(out / "1" / "assets.extra" / "tf_serving_warmup_requests"))
        assert all(column.encode() in next(iter(requests)).numpy() for column in ROWS[0])
        assert 'answer=tf.constant(["A joy' in (out / "1" / "README.md").read_text().replace("'", '"')
    else:
        described = json.loads((out / "task.json").read_text())
        assert described["sequence"]["layout"] == ["[CLS]", "title", "[SEP]", "question", "[SEP]", "answer", "[SEP]"]
        assert described["models"][0]["outputs"][0]["name"] == "logits"


@pytest.mark.slow
def test_a_file_that_takes_text_has_no_room_for_three(run, tmp_path):
    from bert_tf.errors import UserError

    flags = [
        f"--run={run}",
        f"--task={task_of(run)}",
        "--format=tflite",
        f"--out={tmp_path / 'out'}",
        "--set",
        "inputs=text",
    ]
    with pytest.raises(UserError, match="makes rows of 2 texts at most, and this task has 3"):
        export.main(flags)
