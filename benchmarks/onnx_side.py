"""ONNX Runtime's half of lite_speed.py: makes ONNX models of a Hugging Face folder, and times them when told to.

Run by a Python that has torch, transformers, onnx, onnxscript and onnxruntime. Each line of input is a precision, a
number of tokens and a number of calls; the answer is the milliseconds of each call, for each of that precision's
models.
"""

import json
import sys
import tempfile
import time
import warnings
from pathlib import Path

PAUSE, WARM = 0.2, 3  # as in lite_speed.py


def main() -> None:
    model, threads, vocabulary_size = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    with tempfile.TemporaryDirectory() as folder:
        sessions = {name: open_session(path, threads) for name, path in make_models(model, Path(folder)).items()}
    print("= ready", flush=True)
    for line in sys.stdin:
        precision, tokens, calls = line.split()
        feed = feed_of(int(tokens), vocabulary_size)
        found = {name: timed(session, feed, int(calls)) for name, session in sessions.items() if precision in name}
        print("= " + json.dumps(found), flush=True)


def make_models(model, folder):
    """As exported, and with what ONNX Runtime's optimizer for Transformers fuses; both also in 8 bits."""
    import transformers
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from onnxruntime.transformers import optimizer

    config = transformers.AutoConfig.from_pretrained(model)
    plain, fused = folder / "plain.onnx", folder / "fused.onnx"
    export(getattr(transformers, config.architectures[0]), model, plain)
    found = optimizer.optimize_model(
        str(plain), model_type="bert", num_heads=config.num_attention_heads, hidden_size=config.hidden_size
    )
    found.save_model_to_file(str(fused))
    paths = {"float32": plain, "float32 fused": fused}
    for name, path in (("int8", plain), ("int8 fused", fused)):
        paths[name] = path.with_name(f"{path.stem}_int8.onnx")
        quantize_dynamic(path, paths[name], weight_type=QuantType.QInt8, extra_options={"DefaultTensorType": 1})
    return paths


def export(kind, model, path):
    import torch

    warnings.filterwarnings("ignore")
    network = kind.from_pretrained(model, attn_implementation="eager").eval()

    class Outputs(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.network = network

        def forward(self, ids, mask, segment_ids):
            found = self.network(input_ids=ids, attention_mask=mask, token_type_ids=segment_ids)
            return tuple(found.to_tuple())

    row = torch.ones(2, 16, dtype=torch.long)
    free = {0: "batch", 1: "tokens"}
    names = ["ids", "mask", "segment_ids"]
    torch.onnx.export(Outputs(), (row, row, 0 * row), str(path), input_names=names, dynamo=False, opset_version=17,
                      dynamic_axes=dict.fromkeys(names, free))  # fmt: skip


def open_session(path, threads):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(path.read_bytes(), options)


def feed_of(tokens, vocabulary_size):
    import numpy as np

    ids = np.arange(tokens, dtype=np.int64)[None] % vocabulary_size
    return {"ids": ids, "mask": np.ones_like(ids), "segment_ids": np.zeros_like(ids)}


def timed(session, feed, calls):
    feed = {item.name: feed[item.name] for item in session.get_inputs()}
    time.sleep(PAUSE)
    for _ in range(WARM):
        session.run(None, feed)
    times = []
    for _ in range(calls):
        started = time.perf_counter()
        session.run(None, feed)
        times.append(1000 * (time.perf_counter() - started))
    return times


if __name__ == "__main__":
    main()
