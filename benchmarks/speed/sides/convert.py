"""What other runtimes make of the folder of a model: python -m benchmarks.speed.sides.convert FOLDER MODELS

MODELS has calibration.txt, texts that ranges of 8 bits are found from, and gets a file or folder for each runtime; what
a converter refuses, or one that is not installed, is left out, which is said.
"""

# pyright: reportMissingImports=false
from __future__ import annotations

import json
import subprocess
import sys
import traceback
import warnings
from pathlib import Path

import numpy as np

from benchmarks.speed.sides.token_rows import INPUTS, batch_of, tokenizer_of

PLAIN, ONNX_INT8, CTRANSLATE2 = "plain.onnx", "int8.onnx", "ctranslate2"
OPENVINO = {"bf16": "openvino.xml", "int8": "openvino_int8.xml"}
LENGTH, CALIBRATED_TEXTS = 64, 300


def onnx(folder: str, models: Path) -> None:
    """As PyTorch exports it, any batch and length."""
    import torch
    import transformers

    warnings.filterwarnings("ignore")
    network = transformers.AutoModelForSequenceClassification.from_pretrained(folder, attn_implementation="eager")
    network.eval()

    class Outputs(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, ids: torch.Tensor, mask: torch.Tensor, segments: torch.Tensor) -> torch.Tensor:
            return self.network(input_ids=ids, attention_mask=mask, token_type_ids=segments).logits

    row, free = torch.ones(2, 16, dtype=torch.long), {0: "batch", 1: "tokens"}
    torch.onnx.export(Outputs(), (row, row, 0 * row), str(models / PLAIN), input_names=list(INPUTS), dynamo=False,
                      opset_version=17, dynamic_axes=dict.fromkeys(INPUTS, free))  # fmt: skip


def onnx_int8(folder: str, models: Path) -> None:
    """With what ONNX Runtime's optimizer fuses, weights of 8 bits and activations quantized dynamically."""
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from onnxruntime.transformers import optimizer

    config, fused = json.loads((Path(folder) / "config.json").read_text(encoding="utf-8")), models / "fused.onnx"
    shape = {"num_heads": config["num_attention_heads"], "hidden_size": config["hidden_size"]}
    optimizer.optimize_model(str(models / PLAIN), model_type="bert", **shape).save_model_to_file(str(fused))
    extra = {"DefaultTensorType": 1}
    quantize_dynamic(fused, models / ONNX_INT8, weight_type=QuantType.QInt8, extra_options=extra)


def openvino(folder: str, models: Path) -> None:
    """As it is, and quantized by NNCF as a Transformer."""
    import nncf
    import openvino

    openvino.save_model(openvino.convert_model(str(models / PLAIN)), models / OPENVINO["bf16"])
    lines = (models / "calibration.txt").read_text(encoding="utf-8").splitlines()
    library = tokenizer_of(folder, LENGTH)
    rows = [batch_of([library.encode(line).ids]) for line in lines[:CALIBRATED_TEXTS]]
    plain = openvino.convert_model(str(models / PLAIN))
    found = nncf.quantize(plain, nncf.Dataset(rows), model_type=nncf.ModelType.TRANSFORMER)
    openvino.save_model(found, models / OPENVINO["int8"])


def ctranslate2(folder: str, models: Path) -> None:
    """The encoder, and the head for NumPy, as CTranslate2 runs encoders alone."""
    import transformers

    whole = models / "for_ctranslate2"
    model = transformers.AutoModelForSequenceClassification.from_pretrained(folder)
    model.save_pretrained(whole)
    transformers.AutoTokenizer.from_pretrained(folder).save_pretrained(whole)
    config = json.loads((whole / "config.json").read_text(encoding="utf-8"))
    config["position_embedding_type"] = "absolute"  # which the converter asks for
    (whole / "config.json").write_text(json.dumps(config), encoding="utf-8")
    program = Path(sys.executable).with_name("ct2-transformers-converter")
    subprocess.run([str(program), "--model", str(whole), "--output_dir", str(models / CTRANSLATE2)], check=True)
    head = model.classifier.state_dict()
    np.savez(models / "head.npz", **{name: value.numpy() for name, value in head.items()})


def main(folder: str, models: str) -> None:
    for convert in (onnx, onnx_int8, openvino, ctranslate2):
        try:
            convert(folder, Path(models))
        except Exception as error:
            traceback.print_exc()
            print(f"{convert.__name__} left out: {error}", file=sys.stderr)


if __name__ == "__main__":
    main(*sys.argv[1:])
