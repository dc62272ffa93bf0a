"""Settings of long texts: where they come from, what they refuse, and what formats of export are told."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from bert_tf.config import Layer, resolve
from bert_tf.data import InMemory
from bert_tf.errors import UserError
from bert_tf.exporting.tflite.artefact import TFLite
from bert_tf.exporting.tflite.readers import readers_of
from bert_tf.kinds import Classification, Examples, Retrieval, SpanQA, Tagging
from bert_tf.text import BertTokenizer
from tests.conftest import VOCABULARY

LENGTH, OVERLAP = 8, 2
TOKENIZER = BertTokenizer(VOCABULARY)
OF_TEXT: dict[str, Any] = {"source": InMemory({}), "text": ("text",), "sequence_length": LENGTH}
WINDOWS: dict[str, Any] = {"long_texts": "windows", "window_overlap": 0.34}
CLASSIFICATION = Classification(label="label", classes=("x", "y", "z"), **OF_TEXT, **WINDOWS)


def test_files_that_take_text_and_readers_on_phones_are_told():
    with pytest.raises(UserError, match=r"--set inputs: expected long_texts=cut: .* Received: windows"):
        TFLite(inputs=("text",)).check(CLASSIFICATION)
    TFLite(inputs=("text",)).check(dataclasses.replace(CLASSIFICATION, long_texts="cut"))
    assert CLASSIFICATION.serving.contract.stride == OVERLAP
    readers = readers_of(CLASSIFICATION.serving.contract, TOKENIZER, texts=1, length=LENGTH)
    assert "reads the first tokens of a long text" in readers.cannot["MediaPipe Tasks TextClassifier"]


def test_settings_of_a_run_reach_the_task_and_are_checked():
    def asked(**data: Any) -> Any:
        return resolve([Layer(origin="--set", values={"task": "x", "data": data})])

    cut = dataclasses.replace(CLASSIFICATION, long_texts="cut")
    found = cut.configured(asked(long_texts="windows", window_overlap=0.5, max_windows=3))
    assert (found.long_texts, found.window_overlap, found.max_windows) == ("windows", 0.5, 3)
    assert cut.configured(asked()) == cut
    with pytest.raises(UserError, match=r"'data.long_texts' must be 'cut' or 'windows'"):
        asked(long_texts="all")
    for kind in (SpanQA(source=InMemory({})), Tagging(source=InMemory({}), types=("a",))):
        with pytest.raises(UserError, match=r"'data.long_texts' is for tasks of classes, .* Received: 'windows'"):
            kind.configured(asked(long_texts="windows"))
    assert cut.with_settings({"long_texts": "windows", "window_overlap": 0}).window_overlap == 0
    with pytest.raises(UserError, match=r"--set: `max_windows` must be 1 or more. Received: max_windows=0"):
        cut.with_settings({"max_windows": 0})
    pair = Classification(
        label="l", classes=("x", "y"), **{**OF_TEXT, "text": ("a", "b"), "sequence_length": 3}, **WINDOWS
    )
    with pytest.raises(UserError, match=r"'data.sequence_length' must be 4 or more .* Received: 3"):
        pair.features(TOKENIZER, Examples(texts=["a"], pairs=["b"]))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"long_texts": "all"}, "`long_texts` must be cut or windows. Received: long_texts='all'"),
        ({"window_overlap": 0.6}, r"`window_overlap` must be in \[0, 0.5\]. Received: window_overlap=0.6"),
        ({"max_windows": 0}, "`max_windows` must be 1 or more. Received: max_windows=0"),
    ],
)
def test_wrong_settings_of_a_task(changes, expected):
    with pytest.raises(ValueError, match=expected):
        dataclasses.replace(CLASSIFICATION, **changes)
    with pytest.raises(ValueError, match=expected):
        Retrieval(source=InMemory({}), sequence_length=8, **changes)
