"""Makes tests/golden/tiny: a random BERT with a classifier, as PyTorch and Transformers write it, and its outputs.

    python benchmarks/make_golden_tiny.py        (needs PyTorch and Transformers)

model.safetensors, pytorch_model.bin (the zip form of torch.save) and legacy.bin (the form before 1.6) hold the same
numbers; half.bin holds them as bfloat16 and float16, with a tensor that is a transposed view. training.npz has the
losses, norms and learning rates of some updates of that model, and the logits after them.
"""

# pyright: reportMissingImports=false
from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
UPDATES = 30
TINY = ROOT / "tests" / "golden" / "tiny"


def main() -> None:
    """Writes the folder."""
    import torch
    import transformers

    torch.manual_seed(1)
    config = transformers.BertConfig(
        vocab_size=12,
        hidden_size=4,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=6,
        max_position_embeddings=8,
        initializer_range=0.5,
        num_labels=3,
        id2label={0: "bad", 1: "so so", 2: "good"},
        label2id={"bad": 0, "so so": 1, "good": 2},
        problem_type="single_label_classification",
    )
    model = transformers.BertForSequenceClassification(config).eval()
    with torch.no_grad():  # biases and layer norms that are not 0 and 1, so that none can be mixed up unseen
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    model.save_pretrained(TINY)
    state = model.state_dict()
    torch.save(state, TINY / "pytorch_model.bin")
    torch.save(state, TINY / "legacy.bin", _use_new_zipfile_serialization=False)
    half = {name: value.bfloat16() if value.ndim == 2 else value.half() for name, value in state.items()}
    half["classifier.weight"] = state["classifier.weight"].T.contiguous().bfloat16().T
    torch.save(half, TINY / "half.bin")

    token_ids = torch.tensor([[1, 2, 3, 4, 5, 6], [7, 8, 9, 10, 0, 0]])
    segment_ids = torch.tensor([[0, 0, 0, 1, 1, 1], [0, 0, 1, 1, 0, 0]])
    padding_mask = torch.tensor([[1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 0, 0]])
    with torch.inference_mode():
        named = {"attention_mask": padding_mask, "token_type_ids": segment_ids}
        output = model(token_ids, **named, labels=torch.tensor([2, 0]))
        bare = model.bert(token_ids, **named)
    write_training()
    np.savez_compressed(
        TINY / "outputs.npz",
        token_ids=token_ids.numpy().astype(np.int32),
        segment_ids=segment_ids.numpy().astype(np.int32),
        padding_mask=padding_mask.numpy().astype(np.int32),
        sequence_output=bare.last_hidden_state.numpy(),
        pooled_output=bare.pooler_output.numpy(),
        logits=output.logits.numpy(),
        labels=np.asarray([2, 0], np.int32),
        loss=output.loss.numpy(),
    )


def write_training() -> None:
    """Trains the model that lies in the folder, and stores what each update gave."""
    from benchmarks.torch_side import train

    rng = np.random.default_rng(1)
    ids = [[int(token) for token in rng.integers(1, 12, size=rng.integers(2, 9))] for _ in range(12)]
    labels = [int(label) for label in rng.integers(0, 3, size=12)]
    batches = [[int(example) for example in rng.permutation(12)[:5]] for _ in range(UPDATES)]
    settings = {"peak": 1e-2, "total_steps": UPDATES, "warmup_steps": 4, "weight_decay": 0.1, "clip_norm": 1.0}
    results = train(str(TINY), ids, labels, batches, settings)
    given = {"ids": ids, "labels": labels, "batches": batches, "settings": settings}
    np.savez_compressed(TINY / "training.npz", given=np.asarray(json.dumps(given)), **results)


if __name__ == "__main__":
    main()
