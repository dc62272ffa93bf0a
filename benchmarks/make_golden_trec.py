"""Scores of random rankings by trec_eval, stored for a test: python benchmarks/make_golden_trec.py

Needs pytrec-eval-terrier, which holds trec_eval's own code, in an environment of its own.
"""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytrec_eval  # pyright: ignore[reportMissingImports]

GOLDEN = Path(__file__).resolve().parent.parent / "tests" / "golden" / "trec_eval.json"
DEPTHS = "1,3,10,100"
MEASURES = {f"{name}.{DEPTHS}" for name in ("ndcg_cut", "recall", "P", "map_cut")} | {"recip_rank"}
DOCUMENTS = [f"d{number}" for number in range(30)]


def main() -> None:
    rng = random.Random(13)
    judgements: dict[str, dict[str, int]] = {}
    ranked: dict[str, list[str]] = {}
    for number in range(40):
        judged = rng.sample([*DOCUMENTS, "gone1", "gone2", "gone3"], rng.randint(1, 12))
        judgements[f"q{number}"] = {document: rng.choice([-1, 0, 0, 1, 1, 2, 3]) for document in judged}
        ranked[f"q{number}"] = rng.sample(DOCUMENTS, rng.randint(1, 30))
    run = {query: {document: 100.0 - place for place, document in enumerate(found)} for query, found in ranked.items()}
    scores = pytrec_eval.RelevanceEvaluator(judgements, MEASURES).evaluate(run)
    found = {"judgements": judgements, "ranked": ranked, "scores": scores}
    GOLDEN.write_text(json.dumps(found, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
