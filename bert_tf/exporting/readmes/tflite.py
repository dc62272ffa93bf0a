"""README.md of TFLite files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bert_tf.exporting.readmes import SAMPLES, python, table, write

TENSORS = """
import numpy as np
from ai_edge_litert.interpreter import Interpreter  # pip install ai-edge-litert
from bert_tf import {tokenizer}

tokenizer = {tokenizer}.from_pretrained(".")
row = tokenizer({texts}, max_length={length}, padding="max_length")
columns = {{"ids": row["token_ids"], "mask": row["padding_mask"], "segment_ids": row["segment_ids"]}}

interpreter = Interpreter("{file}")
for detail in interpreter.get_input_details():
    interpreter.resize_tensor_input(detail["index"], columns[detail["name"]].shape)
interpreter.allocate_tensors()
for detail in interpreter.get_input_details():
    interpreter.set_tensor(detail["index"], np.asarray(columns[detail["name"]]))
interpreter.invoke()
for detail in interpreter.get_output_details():
    print(detail["name"], interpreter.get_tensor(detail["index"]))
"""
TEXT = """
import numpy as np
from ai_edge_litert.interpreter import InterpreterWithCustomOps  # pip install ai-edge-litert
from tensorflow_text import tflite_registrar  # pip install tensorflow-text

texts = {texts}
interpreter = InterpreterWithCustomOps(model_path="{file}", custom_op_registerers=tflite_registrar.SELECT_TFTEXT_OPS)
interpreter.allocate_tensors()
for detail in interpreter.get_input_details():
    interpreter.set_tensor(detail["index"], np.array([texts[detail["name"]].encode()], object))
interpreter.invoke()
for detail in interpreter.get_output_details():
    print(detail["name"], interpreter.get_tensor(detail["index"]))
"""


def write_readme(folder: Path, described: Mapping[str, Any]) -> None:
    """Of a folder with TFLite files, from what its task.json says."""
    models = described["models"]
    tensors = [model for model in models if model["takes"] == "tensors"]
    parts = [
        f"Files of the task {Path(described['task']).stem} ({described['kind']}), at most "
        f"{described['sequence']['max_length']} tokens. What a program needs to make answers of their outputs stands "
        "in `task.json`: labels, thresholds, casing, lengths, each file's inputs and outputs. `export_report.md` says "
        "how far each file's answers are those of the run, with this library's tokenizer before it.",
        python(_program(models[0], described)),
        table(["file", "takes", "gives"], [_row(model) for model in models]),
    ]
    if len(tensors) < len(models):
        text = next(model for model in models if model["takes"] == "text")
        if text is not models[0]:
            parts.append(f"`{text['file']}` takes text:\n\n{python(_program(text, described))}")
    parts.append("Which readers open them, and how their answers differ from the run's:")
    parts.append(table(["file", "reader", ""], [row for model in models for row in _readers(model)]))
    write(folder, "TFLite files of bert_tf", parts)


def _program(model: Mapping[str, Any], described: Mapping[str, Any]) -> str:
    columns = [note["name"] for note in model["inputs"]]
    if model["takes"] == "text":
        return TEXT.format(texts=dict(zip(columns, SAMPLES, strict=False)), file=model["file"])
    single = described["sequence"]["layout"].count("[SEP]") == 1
    texts = f"[{SAMPLES[0]!r}]" if single else f"[{SAMPLES[0]!r}], [{SAMPLES[1]!r}]"
    return TENSORS.format(
        tokenizer="BertTokenizer" if described["tokenizer"]["piece_prefix"] else "Tokenizer",
        texts=texts,
        length=described["sequence"]["max_length"],
        file=model["file"],
    )


def _row(model: Mapping[str, Any]) -> list[str]:
    sides = (", ".join(f"`{note['name']}` {_shape(note)}" for note in model[side]) for side in ("inputs", "outputs"))
    return [f"`{model['file']}`", *sides]


def _shape(note: Mapping[str, Any]) -> str:
    return f"{note['dtype']} [{', '.join('any' if size is None else str(size) for size in note['shape'])}]"


def _readers(model: Mapping[str, Any]) -> list[list[str]]:
    opens = [[f"`{model['file']}`", name, f"opens it{f'; {note}' if note else ''}"]
             for name, note in model["opens"].items()]  # fmt: skip
    return opens + [[f"`{model['file']}`", name, f"does not open it: {why}"] for name, why in model["cannot"].items()]
