"""The half of the comparison that has PyTorch: Transformers, sentence-transformers, CTranslate2 and OpenVINO open what
an export wrote. Run by a Python that has them: python hub_side.py JOB FOLDER|FILE REQUEST.json RESULT.npz
"""

# pyright: reportMissingImports=false
from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np


def transformers(folder: str, request: dict[str, Any]) -> dict[str, np.ndarray]:
    """Its own class for the folder's head; what it could not place is an error."""
    import torch
    import transformers

    architecture = json.loads((Path(folder) / "config.json").read_text())["architectures"][0]
    model, report = getattr(transformers, architecture).from_pretrained(folder, output_loading_info=True)
    if troubles := [f"{kind}: {names}" for kind, names in report.items() if names]:
        raise SystemExit(f"{architecture} of Transformers: {'; '.join(troubles)}")
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    batch = tokenizer(*request["texts"], padding=True, truncation=True, max_length=request["length"],
                      return_tensors="pt")  # fmt: skip
    with torch.inference_mode():
        found = model.eval()(**batch)
    return {"token_ids": batch["input_ids"].numpy()} | {
        name: value.numpy() for name, value in found.items() if hasattr(value, "numpy")
    }


def sentence_transformers(folder: str, request: dict[str, Any]) -> dict[str, np.ndarray]:
    import sentence_transformers

    model = sentence_transformers.SentenceTransformer(folder, device="cpu")
    return {"vector": model.encode(request["texts"][0])}


def ctranslate2(folder: str, request: dict[str, Any]) -> dict[str, np.ndarray]:
    """Its converter, and the hidden states and pooled output of the encoder that it made."""
    import ctranslate2

    with tempfile.TemporaryDirectory() as out:
        program = Path(sys.executable).with_name("ct2-transformers-converter")
        done = subprocess.run([str(program), "--model", folder, "--output_dir", out, "--force"], capture_output=True,
                              text=True, check=False)  # fmt: skip
        if done.returncode:
            raise SystemExit(done.stderr.strip().splitlines()[-1])
        encoder = ctranslate2.Encoder(out, compute_type="float32")
        found = [encoder.forward_batch([ids]) for ids in request["ids"]]
        return {
            "sequence_output": np.concatenate([np.array(item.last_hidden_state)[0] for item in found]),
            "pooled_output": np.concatenate([np.array(item.pooler_output) for item in found]),
        }


def openvino(path: str, request: dict[str, Any]) -> dict[str, np.ndarray]:
    """A TFLite file, or a SavedModel with the inputs of one signature."""
    import openvino

    model = openvino.Core().read_model(path)
    compiled = openvino.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})  # or bf16, where it can
    names = [next(iter(port.names)) for port in compiled.inputs]
    inputs = {port: np.array(request["inputs"][name.split(":")[0]], np.int32)
              for port, name in zip(compiled.inputs, names, strict=True)}  # fmt: skip
    found = compiled(inputs)
    return {min(port.names, key=len).split(":")[0]: np.asarray(found[port]) for port in compiled.outputs}


if __name__ == "__main__":
    job, place, asked, result = sys.argv[1:]
    np.savez(result, **globals()[job](place, json.loads(Path(asked).read_text())))
