"""What a TFLite file says of itself: the metadata that MediaPipe Tasks and the Task Library read.

The fields' numbers are those of TFLite's metadata_schema.fbs, version 1.1.0 and later:
https://github.com/tensorflow/tflite-support/blob/master/tensorflow_lite_support/metadata/metadata_schema.fbs
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence

import numpy as np

from bert_tf.exporting.tflite.flat_tables import Table, pack
from bert_tf.kinds.serving import TensorNote

IDENTIFIER = b"M001"
PARSER_VERSION = "1.1.0"  # the first that knows BERT's tokenizer
VOCABULARY, LABELS = "vocab.txt", "labels.txt"
AXIS_LABELS_FILE, VOCABULARY_FILE = np.int8(2), np.int8(5)
FEATURE, BERT_TOKENIZER, SCORE_THRESHOLD = np.uint8(1), np.uint8(4), np.uint8(3)


def metadata(
    *,
    name: str,
    description: str,
    inputs: Sequence[TensorNote],
    outputs: Sequence[TensorNote],
    has_tokenizer: bool,
) -> bytes:
    """The metadata's buffer, for `lite_file.finish`.

    Args:
        inputs, outputs: in the order of the model's.
        has_tokenizer: whether the file holds a vocabulary, with which the reader makes the inputs.
    """
    words = Table({0: VOCABULARY, 1: "The tokens, one a line; the first line is token 0.", 2: VOCABULARY_FILE})
    tokenizer = Table({0: BERT_TOKENIZER, 1: Table({0: [words]})})
    subgraph = Table({
        2: [_tensor(note) for note in inputs],
        3: [_tensor(note) for note in outputs],
        5: [tokenizer] if has_tokenizer else None,
    })  # fmt: skip
    root = Table({0: name, 1: description, 2: "1", 3: [subgraph], 7: PARSER_VERSION})
    return pack(root, identifier=IDENTIFIER)


def files(*, vocabulary: Sequence[str] | None, labels: Sequence[str] | None) -> dict[str, bytes]:
    """The files that go with it, by name; no labels that a file of lines cannot hold."""
    found = {VOCABULARY: vocabulary, LABELS: labels if labels is not None and fit_lines(labels) else None}
    return {name: "".join(f"{line}\n" for line in lines).encode() for name, lines in found.items() if lines is not None}


def fit_lines(labels: Sequence[str]) -> bool:
    """Whether readers of a file with a label a line find these again: none is empty, and none has several lines."""
    return all(label.splitlines() == [label] and label.strip() == label for label in labels)


def with_files(model: bytes, contents: Mapping[str, bytes]) -> bytes:
    """The model with an archive behind it, whose offsets count from the model's first byte. Nothing is compressed, as
    readers on phones want it, and the same files always give the same bytes."""
    buffer = io.BytesIO(model)
    with zipfile.ZipFile(buffer, "a", zipfile.ZIP_STORED) as archive:
        for name, content in contents.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return buffer.getvalue()


def _tensor(note: TensorNote) -> Table:
    labels = Table({0: LABELS, 1: "What each place of the last axis stands for.", 2: AXIS_LABELS_FILE})
    # A float is written as the whole number of the same bytes.
    least = Table({0: SCORE_THRESHOLD, 1: Table({0: np.float32(note.least_score).view(np.int32)})})
    return Table({
        0: note.name,
        1: note.description,
        3: Table({0: FEATURE, 1: Table()}),
        4: [least] if note.least_score else None,
        6: [labels] if note.labels else None,
    })  # fmt: skip
