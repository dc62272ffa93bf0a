"""`--beside`: other exports of a run in an export's report."""

from __future__ import annotations

import json

import pytest

from bert_tf.errors import UserError
from bert_tf.exporting.definitions import export_in


@pytest.mark.slow
def test_other_exports_stand_in_the_report(classifier, served, tmp_path, exported):
    phone = tmp_path / "phone"
    exported(f"--run={classifier}", "--format=tflite", f"--out={phone}", "--quantize=float16,float32", "--examples=2")
    out = tmp_path / "keras"
    report, _ = exported(
        f"--run={classifier}", "--format=keras", f"--out={out}", "--examples=2", "--beside", str(phone), str(served)
    )
    assert [model["name"] for model in report["models"]] == ["keras"]
    found = [(other["name"], other["takes"], other["files"][:1]) for other in report["beside"]]
    assert found[:2] == [(f"{phone}: {name}", "tensors", [f"model_{name}.tflite"]) for name in ("float16", "float32")]
    assert found[2][:2] == (f"{served}: saved_model", "text")
    lines = [[cell.strip() for cell in line.split("|")] for line in (out / "export_report.md").read_text().splitlines()]
    assert any(line[1:3] == [f"{served}: saved_model", "text"] for line in lines)
    assert json.loads((out / "export_report.json").read_text()) | {"out": str(out)} == report


def test_only_what_an_export_wrote(tmp_path):
    with pytest.raises(UserError, match=r"expected a folder of an export, with its export_report\.json\. Received: "):
        export_in(tmp_path)
