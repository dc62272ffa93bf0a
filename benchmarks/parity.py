"""This project beside Transformers (PyTorch), live: ids, hidden states, pooled output, and folders written by us.

    make parity        or:  python benchmarks/parity.py [--torch-python=PYTHON] [--data=FILE.tsv] [--where=minilm]

Prints a line a comparison with the largest absolute difference; exit status 1 if one is above 1e-5. The texts are 64
sentences of SST-2's dev set from the shortest to the longest, and the 64 of tests/golden.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
TOLERANCE = 1e-5
PACK_LENGTH = 160
BATCH_TEXTS = 16


def padded_inputs(ids: list[list[int]]) -> dict[str, np.ndarray]:
    """All texts in one batch, padded to the longest: int32 [E, T]."""
    length = max(map(len, ids))
    token_ids = np.stack([np.pad(np.asarray(row, np.int32), (0, length - len(row))) for row in ids])
    mask = np.stack([(np.arange(length) < len(row)).astype(np.int32) for row in ids])
    return {"token_ids": token_ids, "segment_ids": np.zeros_like(token_ids), "padding_mask": mask}


def packed_inputs(
    ids: list[list[int]], length: int = PACK_LENGTH
) -> tuple[dict[str, np.ndarray], list[tuple[int, int, int]]]:
    """Texts packed first-fit into rows.

    Returns: the inputs, int32 [R, length]; and for each text its row, its start, and its slot in first_positions.
    """
    rows: list[list[int]] = []
    places: list[tuple[int, int, int]] = []
    used: list[int] = []
    for text, tokens in enumerate(ids):
        row = next((r for r, taken in enumerate(used) if taken + len(tokens) <= length), len(rows))
        if row == len(rows):
            rows.append([])
            used.append(0)
        places.append((row, used[row], len(rows[row])))
        rows[row].append(text)
        used[row] += len(tokens)
    names = ("token_ids", "segment_ids", "padding_mask", "example_ids", "position_ids")
    inputs = {name: np.zeros((len(rows), length), np.int32) for name in names}
    inputs["first_positions"] = np.zeros((len(rows), max(map(len, rows))), np.int32)
    for tokens, (row, start, slot) in zip(ids, places, strict=True):
        part = (row, slice(start, start + len(tokens)))
        inputs["token_ids"][part], inputs["padding_mask"][part] = tokens, 1
        inputs["example_ids"][part], inputs["position_ids"][part] = slot + 1, np.arange(len(tokens))
        inputs["first_positions"][row, slot] = start
    return inputs, places


def hidden_states(backbone: Any, inputs: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """What the embeddings and every block give, [L+1, B, T, D], and the pooled output."""
    states, calls = [], {}

    def record(layer: Any) -> None:
        call = calls[layer] = layer.call

        def recording(*args: Any, **kwargs: Any) -> Any:
            states.append(call(*args, **kwargs))
            return states[-1]

        layer.call = recording

    for layer in (backbone.embeddings, *backbone.blocks):
        record(layer)
    try:
        outputs = backbone(inputs)
    finally:
        for layer, call in calls.items():
            layer.call = call
    return np.stack([np.asarray(state) for state in states]), np.asarray(outputs["pooled_output"])


def by_text(backbone: Any, ids: list[list[int]], *, packed: bool) -> tuple[list[np.ndarray], np.ndarray]:
    """Hidden states of each text [L+1, T, D], and pooled outputs [E, D], from padded batches or one packed batch."""
    if not packed:
        found, pooled = [], []
        for start in range(0, len(ids), BATCH_TEXTS):
            batch = ids[start : start + BATCH_TEXTS]
            states, pooled_output = hidden_states(backbone, padded_inputs(batch))
            found += [states[:, i, : len(row)] for i, row in enumerate(batch)]
            pooled.append(pooled_output)
        return found, np.concatenate(pooled)
    inputs, places = packed_inputs(ids)
    states, pooled = hidden_states(backbone, inputs)
    found = [states[:, r, start : start + len(row)] for row, (r, start, _) in zip(ids, places, strict=True)]
    return found, np.stack([pooled[row, slot] for row, _, slot in places])


def largest_difference(ours: Any, theirs: Any) -> float:
    """Largest absolute difference of two arrays of one shape; infinity if the shapes differ."""
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    return float(np.max(np.abs(ours - theirs))) if ours.shape == theirs.shape else float("inf")


def main() -> int:
    """Runs every comparison."""
    parser = argparse.ArgumentParser(description="Compare with Transformers (PyTorch).")
    parser.add_argument("--where", default="minilm", help="weights, as from_pretrained takes them")
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data" / "sst2" / "dev.tsv")
    parser.add_argument("--torch-python", default=sys.executable, help="an interpreter with torch and transformers")
    arguments = parser.parse_args()
    os.environ["HF_HUB_OFFLINE"] = "1"
    sys.path.insert(0, str(ROOT))  # a checkout that is not installed works too
    from benchmarks import parity_checks

    sets = {"own sentences": (ROOT / "tests" / "golden" / "sentences.txt").read_text(encoding="utf-8").splitlines()}
    if arguments.data.is_file():
        sets[arguments.data.parent.name] = mixed_lengths(arguments.data)
    else:
        print(f"{arguments.data} is not there: its sentences are left out")
    failed = 0
    with tempfile.TemporaryDirectory() as scratch:
        for name, difference in parity_checks.run(
            arguments.where, sets, parity_checks.Torch(arguments.torch_python, Path(scratch))
        ):
            good = difference <= TOLERANCE
            failed += not good
            print(f"{'ok  ' if good else 'FAIL'} {difference:9.2e}  {name}", flush=True)
    print(f"{failed} comparisons above {TOLERANCE:g}" if failed else f"all within {TOLERANCE:g}")
    return 1 if failed else 0


def mixed_lengths(path: Path, count: int = 64) -> list[str]:
    """`count` sentences of a GLUE file, evenly spread from the shortest to the longest."""
    texts = sorted((line.split("\t")[0] for line in path.read_text(encoding="utf-8").splitlines()[1:]), key=len)
    return [texts[i] for i in np.linspace(0, len(texts) - 1, count).astype(int)]


if __name__ == "__main__":
    sys.exit(main())
