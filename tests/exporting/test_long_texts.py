"""A run that reads long texts in windows, exported."""

from __future__ import annotations

import json

import pytest

from bert_tf import Pipeline, export
from bert_tf.errors import UserError
from tests.exporting.runs import run_of

LONG = "not a good start from the end, and who was there was bad. " * 3


@pytest.mark.slow
def test_windows_are_served_and_asked_of_a_file_that_takes_tensors(tmp_path, capsys):
    data = {"source": "sample", "long_texts": "windows", "sequence_length": 16}
    run = run_of("classification", tmp_path / "run", data=data)
    texts = [LONG, "good", ""]
    expected = Pipeline(run)(texts)
    assert [answer.get("windows", 1) for answer in expected] == [4, 1, 1]
    export.main([f"--run={run}", "--format=saved_model", f"--out={tmp_path / 'saved'}", "--no-timing"])
    for ours, theirs in zip(Pipeline(tmp_path / "saved")(texts), expected, strict=True):
        assert ours.pop("probabilities") == pytest.approx(theirs.pop("probabilities"), abs=1e-6)
        assert ours.pop("score") == pytest.approx(theirs.pop("score"), abs=1e-6)
        assert ours == theirs
    export.main([f"--run={run}", "--format=tflite", f"--out={tmp_path / 'lite'}", "--no-timing"])
    capsys.readouterr()
    report = json.loads((tmp_path / "lite" / "export_report.json").read_text())
    (model,) = report["models"]
    assert model["agreement"]["same_answers"] == 1.0
    described = json.loads((tmp_path / "lite" / "task.json").read_text())
    assert described["sequence"]["stride"] == 1
    assert (described["settings"]["long_texts"], described["settings"]["max_windows"]) == ("windows", 16)
    assert "reads all of it, in windows" in str(described["models"][0]["cannot"])
    with pytest.raises(UserError, match="expected long_texts=cut"):
        export.main([f"--run={run}", "--format=tflite", "--set", "inputs=text", f"--out={tmp_path / 'x'}"])
