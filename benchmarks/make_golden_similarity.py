"""Makes tests/golden/similarity.json: what sentence-transformers says of how alike texts are.

    python benchmarks/make_golden_similarity.py      (needs sentence-transformers, PyTorch, Transformers 5)

Of folders in tests/golden/sentence_transformers.zip: vectors as its `encode` gives them, scaled or not, and its
`similarity` for each function that a folder's files can name.
"""

# pyright: reportMissingImports=false
from __future__ import annotations

import json
import tempfile
import zipfile
from pathlib import Path

GOLDEN = Path(__file__).resolve().parent.parent / "tests" / "golden"
FOLDERS = ("mean", "dense", "truncated")
NAMES = ("cosine", "dot", "euclidean", "manhattan")
A, B = ["a bc.", "hello sir", "be quiet the day", "hello"], ["the", "a day: a code", "hello sir"]


def main() -> None:
    """Writes the file."""
    from sentence_transformers import SentenceTransformer

    found = {"a": A, "b": B, "folders": {}}
    with tempfile.TemporaryDirectory() as work, zipfile.ZipFile(GOLDEN / "sentence_transformers.zip") as file:
        file.extractall(work)
        for folder in FOLDERS:
            model = SentenceTransformer(str(Path(work) / folder), device="cpu")
            vectors = model.encode(A), model.encode(B)
            said = {
                "encoded": vectors[0].tolist(),
                "scaled": model.encode(A, normalize_embeddings=True).tolist(),
                "similarity": {},
            }
            for name in NAMES:
                model.similarity_fn_name = name
                said["similarity"][name] = model.similarity(*vectors).tolist()
            found["folders"][folder] = said
    (GOLDEN / "similarity.json").write_text(json.dumps(found) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
