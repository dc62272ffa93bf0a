"""README.md of ONNX files, and of OpenVINO's."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bert_tf.exporting.readmes import SAMPLES, python, table, write

ROWS = """
import numpy as np
{imports}
from tokenizers import BertWordPieceTokenizer  # pip install tokenizers

tokenizer = BertWordPieceTokenizer("vocab.txt", {settings})
{pairs}tokenizer.enable_truncation({length})
tokenizer.enable_padding(pad_id={pad_id}, pad_token={pad_token!r})
rows = tokenizer.encode_batch({texts})
inputs = {{
    "token_ids": np.array([row.ids for row in rows], np.int32),
    "segment_ids": np.array([row.type_ids for row in rows], np.int32),
    "padding_mask": np.array([row.attention_mask for row in rows], np.int32),
}}
"""
# Of another tokenizer than BERT's, whose own file says all.
OF_FILE = """
import numpy as np
{imports}
from tokenizers import Tokenizer  # pip install tokenizers

tokenizer = Tokenizer.from_file("{vocabulary_file}")
tokenizer.enable_truncation({length})
tokenizer.enable_padding(pad_id={pad_id}, pad_token={pad_token!r})
rows = tokenizer.encode_batch({texts})
inputs = {{
    "token_ids": np.array([row.ids for row in rows], np.int32),
    "segment_ids": np.array([row.type_ids for row in rows], np.int32),
    "padding_mask": np.array([row.attention_mask for row in rows], np.int32),
}}
"""
PAIRS = """from tokenizers.processors import RobertaProcessing

tokenizer.post_processor = RobertaProcessing({sep_token}, {cls_token})  # two separators between texts
"""
ONNX = """
session = onnxruntime.InferenceSession("{file}")
takes = {{item.name for item in session.get_inputs()}}
found = session.run(None, {{name: array for name, array in inputs.items() if name in takes}})
for item, value in zip(session.get_outputs(), found, strict=True):
    print(item.name, value)
"""
OPENVINO = """
model = openvino.Core().compile_model("{file}", "CPU", {{"INFERENCE_PRECISION_HINT": "f32"}})
takes = {{item.any_name for item in model.inputs}}
found = model({{name: array for name, array in inputs.items() if name in takes}})
for item in model.outputs:
    print(item.any_name, found[item])
"""
BFLOAT16 = (
    "On a processor that has bfloat16, OpenVINO works in it by default, which is faster and rounds more: "
    '`INFERENCE_PRECISION_HINT` of "bf16" asks for it, of "f32" for float32. `export_report.md` has both.'
)
INT8 = (
    "`model_int8.onnx` multiplies unsigned by signed numbers of 8 bits. A processor without VNNI, AMX or their like "
    "may lose digits in such products: check it there."
)


def write_onnx(folder: Path, described: Mapping[str, Any]) -> None:
    """Of a folder with ONNX files, from what its task.json says."""
    has_int8 = any(model["quantization"] == "int8" for model in described["models"])
    _write(folder, described, "ONNX", "import onnxruntime  # pip install onnxruntime", ONNX, [INT8] if has_int8 else [])


def write_openvino(folder: Path, described: Mapping[str, Any]) -> None:
    """Of a folder with OpenVINO's files, from what its task.json says."""
    _write(folder, described, "OpenVINO", "import openvino  # pip install openvino", OPENVINO, [BFLOAT16])


def _write(folder: Path, described: Mapping[str, Any], name: str, imports: str, asks: str, notes: list[str]) -> None:
    tokenizer, models = described["tokenizer"], described["models"]
    prompt = described["prompt"]
    parts = [
        f"{name} files of the task {Path(described['task']).stem} ({described['kind']}), at most "
        f"{described['sequence']['max_length']} tokens. What a program needs to make answers of their outputs stands "
        "in `task.json`: labels, thresholds, casing, lengths. `export_report.md` says how far each file's answers are "
        "those of the run, and how long they take.",
        python(
            (ROWS if tokenizer["piece_prefix"] else OF_FILE).format(
                imports=imports, vocabulary_file=tokenizer["vocabulary_file"], **_settings(described)
            )
            + asks.format(file=models[0]["file"])
        ),
        f"A row is {' '.join(described['sequence']['layout'])}; segments are 0, and 1 from the second text on. "
        + (f"Before every text stands {prompt!r}. " if prompt else "")
        + (
            f"What sets this tokenizer apart from BERT's: {', '.join(tokenizer['odd_rules'])}. "
            if tokenizer["odd_rules"]
            else ""
        )
        + "With `pip install bert_tf`, `bert_tf.Pipeline` over one of these files gives answers as "
        "`python -m bert_tf.predict` prints them, with the run's own tokenizer.",
        table(["file", "takes", "gives"], [_row(model) for model in models]),
        *notes,
    ]
    write(folder, f"{name} files of bert_tf", parts)


def _settings(described: Mapping[str, Any]) -> dict[str, Any]:
    """What the tokenizer of the block is made with, and asked."""
    tokenizer = described["tokenizer"]
    special = {name: noted["token"] for name, noted in tokenizer["special_tokens"].items()}
    special_ids = {name: (noted["token"], noted["id"]) for name, noted in tokenizer["special_tokens"].items()}
    layout = " ".join(described["sequence"]["layout"])
    settings = {
        "lowercase": tokenizer["lowercase"],
        "strip_accents": tokenizer["strip_accents"],
        "handle_chinese_chars": tokenizer["split_cjk"],
        **special,
    }
    texts: list[Any] = [f"{described['prompt']}{text}" for text in SAMPLES]
    if described["sequence"]["layout"].count("[SEP]") > 1:
        texts = [tuple(texts)]
    return {
        "settings": ", ".join(f"{name}={value!r}" for name, value in settings.items()),
        "pairs": PAIRS.format(**special_ids) if "[SEP] [SEP]" in layout else "",
        "length": described["sequence"]["max_length"],
        "pad_id": tokenizer["special_tokens"]["pad_token"]["id"],
        "pad_token": special["pad_token"],
        "texts": texts,
    }


def _row(model: Mapping[str, Any]) -> list[str]:
    takes = ", ".join(f"`{name}` int32 [B, T]" for name in model["inputs"])
    gives = ", ".join(f"`{note['name']}`: {note['description']}" for note in model["outputs"])
    return [f"`{model['file']}`", takes, gives]
