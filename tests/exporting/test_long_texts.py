"""Exports of an encoder for long texts: rows of more tokens than are worked out at once, and of any number."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from bert_tf import Pipeline
from bert_tf.runtimes.tflite import LiteFile
from tests.exporting.runs import run_of
from tests.models.members import SHAPES

LENGTH = 1100
SHAPE = {**SHAPES["modernbert"], "local_attention": 64, "max_positions": 1200}


@pytest.mark.slow
def test_rows_of_any_length_are_answered_as_the_model_does(tmp_path, exported):
    run = run_of("tagging", tmp_path / "run", shape=SHAPE, data={"source": "sample", "sequence_length": LENGTH})
    pipeline, rng = Pipeline(run), np.random.default_rng(0)
    flags = [f"--run={run}", "--examples=2"]
    reports = [
        exported(*flags, "--format=tflite", f"--out={tmp_path / name}", "--set", f"length={name}")[0]
        for name in ("fixed", "dynamic")
    ]
    assert not {"WHILE", "IF"} & {name for report in reports for name in report["models"][0]["operators"]}
    report, _ = exported(*flags, "--format=saved_model", f"--out={tmp_path / 'saved'}")
    fixed, dynamic = (LiteFile(tmp_path / name / "model_float32.tflite") for name in ("fixed", "dynamic"))
    served = tf.saved_model.load(report["out"]).signatures["tensors"]
    for tokens in (7, 90, LENGTH):  # shorter than a block, some blocks, and more than are worked out at once
        row = rng.integers(5, 40, (1, tokens)).astype("int32")
        padded = np.pad(row, [[0, 0], [0, LENGTH - tokens]])
        inputs = {"token_ids": padded, "padding_mask": (np.arange(LENGTH) < tokens)[None].astype("int32")}
        wanted = tf.nn.softmax(pipeline.model(inputs))[:, :tokens].numpy()
        columns = {"ids": padded, "mask": inputs["padding_mask"], "segment_ids": np.zeros_like(padded)}
        (found,) = fixed(columns).values()
        np.testing.assert_allclose(found[:, :tokens], wanted, atol=1e-5)
        (found,) = dynamic({name: column[:, :tokens] for name, column in columns.items()}).values()
        np.testing.assert_allclose(found, wanted, atol=1e-5)
        ones = tf.ones_like(row)
        found = served(token_ids=tf.constant(row), padding_mask=ones, segment_ids=tf.zeros_like(row))
        np.testing.assert_allclose(tf.nn.softmax(found["logits"]), wanted, atol=1e-5)
