"""Makes tests/golden/ranking_loss.json: what losses of sentence-transformers give for some vectors.

    PYTHON_WITH_TORCH benchmarks/make_golden_ranking_loss.py

Of its MultipleNegativesRankingLoss for pairs, and for triplets whose third texts are hard negatives of all anchors, and
of its TripletLoss; no text occurs twice.
"""

# pyright: reportMissingImports=false
from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import sentence_transformers
import torch
from sentence_transformers.losses import MultipleNegativesRankingLoss, TripletLoss
from sentence_transformers.losses.TripletLoss import TripletDistanceMetric
from torch import nn

OUT = Path(__file__).resolve().parent.parent / "tests" / "golden" / "ranking_loss.json"
SCALES = (1.0, 20.0)
MARGIN = 0.5


class Given(nn.Module):
    """Stands for a model whose sentence vectors are given."""

    def forward(self, features: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        return {"sentence_embedding": features["vectors"]}


def main() -> None:
    random = np.random.default_rng(7)
    found = []
    for texts in (2, 3):
        vectors = random.normal(size=(6, texts, 4)).round(3)
        columns = [{"vectors": torch.tensor(vectors[:, i], dtype=torch.float64)} for i in range(texts)]
        for scale in SCALES:
            loss = MultipleNegativesRankingLoss(Given(), scale=scale)  # pyright: ignore[reportArgumentType]
            value = loss(columns, torch.zeros(6))
            found.append({"loss": "contrastive", "scale": scale, "vectors": vectors.tolist(), "mean": float(value)})
    metric = TripletDistanceMetric.COSINE
    triplet = TripletLoss(Given(), distance_metric=metric, triplet_margin=MARGIN)  # pyright: ignore[reportArgumentType]
    value = triplet(columns, torch.zeros(6))
    found.append({"loss": "triplet", "margin": MARGIN, "vectors": vectors.tolist(), "mean": float(value)})
    made_by = f"sentence-transformers {sentence_transformers.__version__}"
    OUT.write_text(json.dumps({"made_by": made_by, "losses": found}, indent=1) + "\n", encoding="utf-8")
    print(f"{OUT}: {len(found)} losses by {made_by}")


if __name__ == "__main__":
    main()
