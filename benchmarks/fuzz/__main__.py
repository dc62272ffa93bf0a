"""Changes valid files by chance, reads them, and counts what does not end in an answer or an error of ours.

    python -m benchmarks.fuzz --inputs=20000
    python -m benchmarks.fuzz --inputs=500 --readers="tokenizer.json,HDF5"

Prints a row for each reader: inputs, answers, refusals, errors that are not ours, the slowest, and how much the memory
grew; then the first of each foreign error, with the seed that makes it again. The status is 1 where there is one.
"""

from __future__ import annotations

import argparse
import faulthandler
import sys
from pathlib import Path

from benchmarks.fuzz.readers import every
from benchmarks.fuzz.work import fuzzed, row_of

faulthandler.enable()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=int, default=20_000, help="of each reader; default: 20000")
    parser.add_argument("--readers", help="names, with commas between them; default: all")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="folder for what gave a foreign error")
    flags = parser.parse_args()
    chosen = None if flags.readers is None else set(flags.readers.split(","))
    found = []
    for name, reader in every():
        if chosen is None or name in chosen:
            outcome = fuzzed(
                name, reader, inputs=max(1, int(flags.inputs * reader.share)), seed=flags.seed, keep=flags.keep
            )
            print(row_of(outcome), flush=True)
            for error, (seed, count) in outcome.foreign.items():
                print(f"    {count} x {error} (seed {seed})", flush=True)
            found.append(outcome)
    sys.exit(1 if any(outcome.foreign for outcome in found) else 0)


if __name__ == "__main__":
    main()
