"""This project compared with Transformers (PyTorch), live: ids, hidden states, pooled output, folders written by us.

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

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
TOLERANCE = 1e-5


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
