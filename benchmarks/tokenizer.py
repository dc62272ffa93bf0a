"""Texts per second of BertTokenizer compared with the Rust `tokenizers` library, on SST-2's sentences and two threads.

    python -m benchmarks.tokenizer [--data=FILE.tsv] [--where=minilm] [--rounds=9]

Both take a list of str and are timed in turn, round by round, so that whatever else the machine does slows both. The
library runs at its best setting: the faster, on this machine and data, of encode_batch and encode_batch_fast (which
skips offsets) with several batch sizes. The ids (and offsets) of all texts are compared before anything is timed.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
REAL = ROOT.parent / "shared" / "data" / "sst2" / "train.tsv"
SAMPLE = ROOT / "bert_tf" / "data" / "samples" / "sst2" / "train.tsv"
THREADS = 2
BATCHES = (1_000, 10_000, 100_000)


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=REAL if REAL.exists() else SAMPLE, help="sentence<TAB>label lines")
    parser.add_argument("--where", default="minilm", help="whose vocabulary: minilm, or a folder")
    parser.add_argument("--rounds", type=int, default=9)
    arguments = parser.parse_args()
    os.environ |= {"RAYON_NUM_THREADS": str(THREADS), "TOKENIZERS_PARALLELISM": "true", "TF_CPP_MIN_LOG_LEVEL": "3"}
    import tensorflow as tf

    from bert_tf.text import BertTokenizer

    tf.config.threading.set_inter_op_parallelism_threads(THREADS)
    tf.config.threading.set_intra_op_parallelism_threads(THREADS)
    lines = arguments.data.read_text(encoding="utf-8").split("\n")[1:]
    texts = [line.split("\t")[0] for line in lines if line]
    accented = [f"{text} é" for text in texts]
    tokenizer = BertTokenizer.from_pretrained(arguments.where)
    library = reference(tokenizer)
    characters = sum(map(len, texts)) / len(texts)
    print(f"{arguments.data.parent.name}/{arguments.data.name}: {len(texts):,} texts of {characters:.0f} characters")
    print(f"{THREADS} threads, {arguments.rounds} rounds, medians; the setting that was best for tokenizers behind")
    print(f"{'texts/s':36}{'tokenizers':>12}{'bert_tf':>12}{'ratio':>8}   lowest to highest")
    for name, some, offsets in (
        ("ids", texts, False),
        ("ids and offsets", texts, True),
        ("ids, no text in ASCII", accented, False),
        ("ids and offsets, no text in ASCII", accented, True),
    ):
        check(tokenizer, library, some)
        theirs, setting = best_setting(library, some, offsets)
        ours = tokenizer.tokenize_with_offsets if offsets else tokenizer.tokenize
        pairs = [(seconds(lambda: theirs(some)), seconds(lambda: ours(some))) for _ in range(arguments.rounds)]  # noqa: B023
        ratios = sorted(their / our for their, our in pairs)
        rates = [len(some) / statistics.median(column) for column in zip(*pairs, strict=True)]
        print(f"{name:36}{rates[0]:12,.0f}{rates[1]:12,.0f}{statistics.median(ratios):8.1f}"
              f"   {ratios[0]:.1f} to {ratios[-1]:.1f}   ({setting})", flush=True)  # fmt: skip


def reference(tokenizer: Any) -> Any:
    """The library set up as the tokenizer, which must be lower-casing with the usual special tokens."""
    from tokenizers import BertWordPieceTokenizer

    ids = {token: number for number, token in enumerate(tokenizer.vocabulary)}
    return BertWordPieceTokenizer(ids, lowercase=tokenizer.lowercase)._tokenizer


def best_setting(library: Any, texts: list[str], offsets: bool) -> tuple[Callable[[list[str]], Any], str]:
    """The fastest way through the texts, and its name."""
    settings = {}
    for method in ("encode_batch",) if offsets else ("encode_batch", "encode_batch_fast"):
        for batch in BATCHES:

            def run(texts: list[str], method: str = method, batch: int = batch) -> None:
                for start in range(0, len(texts), batch):
                    getattr(library, method)(texts[start : start + batch], add_special_tokens=False)

            settings[f"{method} of {batch:,}"] = run
    name = min(settings, key=lambda name: min(seconds(lambda: settings[name](texts)) for _ in range(2)))
    return settings[name], name


def check(tokenizer: Any, library: Any, texts: list[str]) -> None:
    """Stops if any id or offset differs."""
    ids, starts, ends = (ragged.to_list() for ragged in tokenizer.tokenize_with_offsets(texts))
    for i, encoding in enumerate(library.encode_batch(texts, add_special_tokens=False)):
        if encoding.ids != ids[i] or encoding.offsets != list(zip(starts[i], ends[i], strict=True)):
            raise SystemExit(f"not the same ids and offsets: {texts[i]!r}")


def seconds(function: Callable[[], Any]) -> float:
    """How long one call takes."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
