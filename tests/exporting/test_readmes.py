"""The README of the formats that are the Keras model itself: its first block runs in the folder, in a fresh process."""

from __future__ import annotations

import subprocess
import sys

import pytest

from bert_tf import export
from tests.exporting.runs import KINDS

SHOWN = {"text_to_text": "['", "pretraining": "masked_lm_logits"}
OF_TRANSFORMERS = {
    "classification": "BertForSequenceClassification",
    "rejecting": "BertForSequenceClassification",
    "multi_label": "BertForSequenceClassification",
    "regression": "BertForSequenceClassification",
    "tagging": "BertForTokenClassification",
    "span_qa": "BertForQuestionAnswering",
    "embedding": "BertModel",
    "retrieval": "BertModel",
    "pretraining": "BertForPreTraining",
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("format_name", ["keras", "huggingface"])
def test_it_runs(runs, tmp_path, format_name, kind):
    out = tmp_path / "out"
    export.main([f"--run={runs(kind)}", f"--format={format_name}", f"--out={out}", "--no-timing", "--examples=3"])
    readme = (out / "README.md").read_text()
    code = readme.split("```python\n")[1].partition("```")[0]
    done = subprocess.run([sys.executable, "-c", code], cwd=out, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert SHOWN.get(kind, "tf.Tensor") in done.stdout
    if format_name == "huggingface":
        named = f"transformers.{OF_TRANSFORMERS.get(kind)}.from_pretrained" in readme
        assert named == (kind in OF_TRANSFORMERS)
        alone = "this model opens in bert_tf alone" in readme or "does not write texts" in readme
        assert alone != named
