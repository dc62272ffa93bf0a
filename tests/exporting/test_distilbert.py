"""What becomes of a run on DistilBERT, or another member: each kind exported, read back and compared with the run."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from bert_tf import Pipeline
from bert_tf.runtimes.tflite import LiteFile
from tests.exporting.runs import KINDS, run_of
from tests.models.members import EVERY_KIND, SHAPES, of_member

SHAPE = SHAPES["distilbert"]
PAIR = "rejecting"  # a class for two texts
TEXTS, PAIRS = ["good film", "who was there", "bad"], ["a bad film", "not a good start", "good"]


def flags(run: Path, out: Path, format_name: str) -> list[str]:
    return [f"--run={run}", f"--format={format_name}", f"--out={out}", "--examples=3"]


@pytest.mark.slow
@pytest.mark.parametrize(("member", "kind"), [*(("distilbert", kind) for kind in KINDS), *EVERY_KIND])
@pytest.mark.parametrize("format_name", ["saved_model", "tflite", "huggingface"])
def test_every_kind_is_exported_and_answers_as_its_run(tmp_path, exported, member, kind, format_name):
    if (kind, format_name) == ("text_to_text", "tflite"):
        pytest.skip("which writes a token at a time, and has no TFLite file")
    run = run_of(kind, tmp_path / "run", **of_member(member))
    assert json.loads((run / "model" / "config.json").read_text())["model_type"] == member
    report, _ = exported(*flags(run, tmp_path / "out", format_name))
    for model in report["models"]:
        assert model["agreement"]["same_answers"] == 1.0, model


@pytest.mark.slow
def test_a_saved_model_and_a_tflite_file_take_pairs_and_whatever_segments(tmp_path, exported):
    run = run_of(PAIR, tmp_path / "run", shape=SHAPE)
    pipeline = Pipeline(run)
    inputs = dict(pipeline.tokenizer(TEXTS, PAIRS, max_length=16, padding="max_length"))
    assert np.asarray(inputs["segment_ids"]).max() == 1
    expected = np.asarray(pipeline.model(inputs))
    report, _ = exported(*flags(run, tmp_path / "saved", "saved_model"))
    served = tf.saved_model.load(report["out"])
    for segments in (inputs["segment_ids"], tf.zeros_like(inputs["segment_ids"])):
        found = served.signatures["tensors"](**inputs | {"segment_ids": segments})
        np.testing.assert_allclose(found["logits"], expected, atol=1e-5)
    exported(*flags(run, tmp_path / "lite", "tflite"))
    lite = LiteFile(tmp_path / "lite" / "model_float32.tflite")
    names = {detail["name"] for detail in lite.inputs}
    assert names == {"ids", "mask", "segment_ids"}  # as MediaPipe asks for, though the third says nothing
    wanted = np.exp(expected) / np.exp(expected).sum(axis=-1, keepdims=True)
    for segments in (inputs["segment_ids"], np.zeros_like(inputs["segment_ids"])):
        columns = {"ids": inputs["token_ids"], "mask": inputs["padding_mask"], "segment_ids": segments}
        rows = [lite({name: np.asarray(x)[i : i + 1] for name, x in columns.items()}) for i in range(len(TEXTS))]
        np.testing.assert_allclose(np.concatenate([row["probability"] for row in rows]), wanted, atol=1e-5)
