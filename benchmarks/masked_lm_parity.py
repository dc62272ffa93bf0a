"""Logits of a pre-training run's model here and in Transformers' BertForMaskedLM, which loads the same folder.

    python -m benchmarks.masked_lm_parity --torch-python=.venv-parity/bin/python --run=runs/pretrain_minilm

The texts are those of tests/golden, each with a word hidden. Exit status 1 above 1e-4, or if Transformers complains.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.parity_checks import Torch
from benchmarks.parity_inputs import largest_difference

SENTENCES = Path(__file__).resolve().parent.parent / "tests" / "golden" / "sentences.txt"
TOLERANCE = 1e-4


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--torch-python", required=True, help="a Python that has torch and transformers")
    parser.add_argument("--run", required=True, help="a run of --task=pretrain")
    flags = parser.parse_args()
    os.environ["HF_HUB_OFFLINE"] = "1"

    from bert_tf.models import BertMaskedLM
    from bert_tf.text import BertTokenizer

    folder = Path(flags.run) / "model"
    words = [line.split() for line in SENTENCES.read_text(encoding="utf-8").splitlines()]
    texts = [" ".join([*line[: len(line) // 2], "[MASK]", *line[len(line) // 2 + 1 :]]) for line in words]
    with tempfile.TemporaryDirectory() as scratch:
        theirs = Torch(flags.torch_python, Path(scratch)).ask("masked_lm", folder=str(folder), texts=texts)
    model, tokenizer = BertMaskedLM.from_pretrained(folder), BertTokenizer.from_pretrained(folder)
    # What stands in a text as [MASK] is letters to our tokenizer, so both get Transformers' tokens.
    ids = theirs["token_ids"]
    assert (ids == tokenizer.mask_id).any(axis=1).all()
    inputs = {"token_ids": ids, "padding_mask": (ids != tokenizer.pad_id).astype(np.int32)}
    real = inputs["padding_mask"].astype(bool)
    difference = largest_difference(np.asarray(model(inputs)["masked_lm_logits"])[real], theirs["logits"][real])
    largest = np.abs(theirs["logits"][real]).max()
    print(f"{len(texts)} texts, logits up to {largest:.1f}: largest difference {difference:.1e}")
    print(f"Transformers' complaints: {list(theirs['troubles']) or 'none'}")
    return int(difference > TOLERANCE or len(theirs["troubles"]) > 0)


if __name__ == "__main__":
    sys.exit(main())
