"""What is served of multiple choice: signatures of a SavedModel, and files for phones."""

from __future__ import annotations

import json

import numpy as np
import pytest
import tensorflow as tf

from benchmarks.random_run import make_run
from bert_tf import export
from bert_tf.data import InMemory
from bert_tf.errors import UserError
from bert_tf.exporting.saved_model.signatures import signatures_of
from bert_tf.inference.pipeline import Pipeline
from bert_tf.kinds import MultipleChoice

SCENE = {"sent1": "It was good.", "sent2": "She", "ending0": "is not there.", "ending1": "was on it", "ending2": "ends",
         "ending3": "is from two films."}  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return make_run(tmp_path_factory.mktemp("choice") / "run", "swag", data={"source": "sample"})


@pytest.fixture(scope="module")
def pipeline(run):
    return Pipeline(run)


def test_texts_and_tensors_in_choices_and_logits_out(pipeline):
    found, counts = signatures_of(pipeline.kind, pipeline.model, pipeline.tokenizer, sequence_length=32)
    assert (set(found), counts) == ({"serving_default", "details", "tensors", "classify"}, {})
    answer, expected = (
        found["serving_default"](**{name: tf.constant([text]) for name, text in SCENE.items()}),
        pipeline(SCENE),
    )
    assert set(answer) == {"choice", "choice_index", "probabilities", "score"}
    assert answer["choice"].numpy()[0].decode() == expected["choice"] == SCENE[f"ending{expected['choice_index']}"]
    np.testing.assert_allclose(answer["probabilities"][0], expected["probabilities"], atol=1e-6)
    assert float(answer["score"][0]) == pytest.approx(expected["score"], abs=1e-6)

    rows = pipeline.tokenizer([SCENE["sent1"]] * 4, [f"She {SCENE[f'ending{i}']}" for i in range(4)])
    logits = found["tensors"](**{name: rows[name][None] for name in ("token_ids", "segment_ids", "padding_mask")})[
        "logits"
    ]
    assert tuple(logits.shape) == (1, 4)
    np.testing.assert_allclose(tf.nn.softmax(logits)[0], expected["probabilities"], atol=1e-6)

    example = tf.train.Example()
    for name, text in SCENE.items():
        example.features.feature[name].bytes_list.value.append(text.encode())
    classes = found["classify"](tf.constant([example.SerializeToString()]))
    assert [name.decode() for name in classes["classes"].numpy()[0]] == ["ending0", "ending1", "ending2", "ending3"]
    np.testing.assert_allclose(classes["scores"][0], expected["probabilities"], atol=1e-6)


def test_choices_in_a_list_are_lines_of_a_text(pipeline):
    kind = MultipleChoice(source=InMemory({}), text="q", choices="o", label="label", sequence_length=32)
    found, _ = signatures_of(kind, pipeline.model, pipeline.tokenizer, sequence_length=32)
    assert "classify" not in found
    answer = found["serving_default"](q=tf.constant(["good?", "bad?"]), o=tf.constant(["a\nfilm\nend", "one\ntwo"]))
    expected = Pipeline.of(kind, pipeline.model, pipeline.tokenizer)(
        [{"q": "good?", "o": ["a", "film", "end"]}, {"q": "bad?", "o": ["one", "two"]}]
    )
    assert tuple(answer["probabilities"].shape) == (2, 3)
    assert answer["probabilities"].numpy()[1, 2] == 0.0
    for row, one in zip(answer["probabilities"].numpy(), expected, strict=True):
        np.testing.assert_allclose(row[: len(one["probabilities"])], one["probabilities"], atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["saved_model", "tflite", "keras", "huggingface"])
def test_an_export_answers_as_the_run(run, pipeline, tmp_path, capsys, name):
    out = tmp_path / "out"
    quantize = ["--set", "quantize=float32,float16"] if name == "tflite" else []
    export.main([f"--run={run}", f"--format={name}", f"--out={out}", "--no-timing", *quantize])
    models = json.loads(capsys.readouterr().out)["models"]
    assert models[0]["agreement"]["same_answers"] == 1.0
    assert models[0]["agreement"]["largest_difference"] < 1e-5
    if name == "tflite":
        described = json.loads((out / "task.json").read_text())
        assert "softmax over the logits of a text's choices" in described["facts"]["answer"]
        assert described["sequence"]["layout"] == ["[CLS]", "sent1", "[SEP]", "sent2, a space, a choice", "[SEP]"]
        (output,) = described["models"][0]["outputs"]
        assert (output["name"], output["shape"]) == ("logit", [1])
    elif name in ("saved_model", "huggingface"):
        again = Pipeline(out)
        found, expected = again(SCENE if name == "saved_model" else _as_list()), pipeline(SCENE)
        assert found["probabilities"] == pytest.approx(expected["probabilities"], abs=1e-5)
        assert (found["choice_index"], "label" in found) == (expected["choice_index"], name == "saved_model")


def _as_list():
    """The scene for a folder that knows no columns; of the text and its stem only the text is one."""
    return {"text": SCENE["sent1"], "choices": [f"She {SCENE[f'ending{i}']}" for i in range(4)]}


def test_a_file_that_takes_text_is_refused(run, tmp_path):
    flags = [f"--run={run}", "--format=tflite", f"--out={tmp_path / 'out'}", "--set", "inputs=text"]
    with pytest.raises(UserError, match=r"--set inputs: expected tensors: a row is a text with one of its choices"):
        export.main(flags)
