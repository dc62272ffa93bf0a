"""The requests that TensorFlow Serving answers when it has loaded a model, before the first user's.

The file holds TFRecords of `tensorflow.serving.PredictionLog`. The package with those messages wants a TensorFlow of
its own version, so their few fields are written here by number; they are those of tensorflow_serving/apis/*.proto.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf

from bert_tf.exporting.run import Run
from bert_tf.exporting.saved_model.signatures import CLASSIFY, REGRESS, SERVING
from bert_tf.exporting.saved_model.wire import field

CLASSIFY_LOG, REGRESS_LOG, PREDICT_LOG = 2, 3, 6  # of PredictionLog
OTHER_SCRIPTS = "Überraschend: 有趣 — naïve café"  # takes the tokenizer's longer way
SHORT = 16  # tokens


def write_requests(path: Path, run: Run, signatures: Mapping[str, Any], *, batch_sizes: tuple[int, ...]) -> None:
    """Of each batch size one request with short texts and one with texts as long as the model takes; the first of a
    short batch is not English. A tf.Example for classify and regress, where they are."""
    columns = run.kind.text_columns
    with tf.io.TFRecordWriter(str(path)) as out:
        for batch in batch_sizes:
            for tokens in (min(SHORT, run.sequence_length), run.sequence_length):
                texts = dict(zip(columns, run.probe(batch, tokens), strict=True))
                if tokens <= SHORT:
                    texts[columns[0]][0] = OTHER_SCRIPTS
                out.write(predict_log(texts, signature=SERVING))
        for name, log in ((CLASSIFY, CLASSIFY_LOG), (REGRESS, REGRESS_LOG)):
            if name in signatures:
                texts = dict(zip(columns, run.probe(1, min(SHORT, run.sequence_length)), strict=True))
                out.write(example_log(texts, signature=name, log=log))


def predict_log(inputs: Mapping[str, list[str]], *, signature: str) -> bytes:
    """PredictionLog{predict_log{request{model_spec{signature_name}, inputs}}}"""
    request = field(1, field(3, signature.encode()))
    for name, texts in inputs.items():
        tensor = tf.make_tensor_proto([text.encode() for text in texts], tf.string)
        request += field(2, field(1, name.encode()) + field(2, tensor.SerializeToString()))
    return field(PREDICT_LOG, field(1, request))


def example_log(inputs: Mapping[str, list[str]], *, signature: str, log: int) -> bytes:
    """PredictionLog{log{request{model_spec{signature_name}, input{example_list{examples}}}}}"""
    rows = [dict(zip(inputs, row, strict=True)) for row in zip(*inputs.values(), strict=True)]
    examples = b"".join(field(1, example(row).SerializeToString()) for row in rows)
    request = field(1, field(3, signature.encode())) + field(2, field(1, examples))
    return field(log, field(1, request))


def example(texts: Mapping[str, str]) -> Any:
    """A tf.train.Example with a text a column."""
    features = {
        name: tf.train.Feature(bytes_list=tf.train.BytesList(value=[text.encode()])) for name, text in texts.items()
    }
    return tf.train.Example(features=tf.train.Features(feature=features))
