"""Writes tests/golden/seq2seq.npz: what Transformers' BertForMaskedLM gives for a tiny BertSeq2Seq.

python benchmarks/make_golden_seq2seq.py FOLDER, in an environment with torch and transformers, where FOLDER is what
python benchmarks/make_golden_seq2seq.py --save FOLDER wrote in one with TensorFlow (one environment may have both).
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]


def inputs() -> dict[str, np.ndarray]:
    """Rows of 9, 6 and 4 tokens, with targets of 4, 2 and 1."""
    ids = np.random.default_rng(0).integers(5, 30, size=(3, 9))
    real = np.arange(9) < np.array([[9], [6], [4]])
    target = real & (np.arange(9) >= np.array([[5], [4], [3]]))
    return {"token_ids": ids * real, "segment_ids": target.astype(int), "padding_mask": real.astype(int)}


def save(folder: Path) -> None:
    sys.path.insert(0, str(ROOT))
    from bert_tf.models import weights_by_path
    from tests.models.test_seq2seq import make

    model = make()
    model.save_pretrained(folder)
    arrays = {path: np.asarray(weight) for path, weight in weights_by_path(model).items() if "pooler" not in path}
    np.savez(folder / "ours.npz", **{f"weights/{path}": array for path, array in arrays.items()})  # pyright: ignore[reportArgumentType]


def compare(folder: Path) -> None:
    import torch
    from transformers import BertForMaskedLM

    model = BertForMaskedLM.from_pretrained(folder, attn_implementation="eager").eval()
    given = inputs()
    place = np.arange(9)
    mask = (given["segment_ids"][:, None, :] == 0) | (place[:, None] >= place[None, :])  # [B, T, S]
    mask &= given["padding_mask"][:, None, :].astype(bool)
    tensors = {
        "input_ids": torch.tensor(given["token_ids"]),
        "token_type_ids": torch.tensor(given["segment_ids"]),
        # 4-D and added to the scores: what the 3-D mask of ones and zeros means, in every version.
        "attention_mask": torch.tensor(np.where(mask, 0.0, -1e4)[:, None], dtype=torch.float32),
    }
    with torch.no_grad():
        logits = model(**tensors).logits.numpy()
    arrays = {**given, **np.load(folder / "ours.npz"), "logits": logits}
    compact = {name: a.astype("int32" if a.dtype.kind == "i" else "float32") for name, a in arrays.items()}
    np.savez_compressed(ROOT / "tests" / "golden" / "seq2seq.npz", **compact)


if __name__ == "__main__":
    if sys.argv[1] == "--save":
        save(Path(sys.argv[2]))
    else:
        compare(Path(sys.argv[1]))
