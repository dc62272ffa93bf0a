# pyright: reportMissingImports=false
# The same job with sentence-transformers: the passages of a folder's notes that answer a query, from a stored index.
import json
import sys
from pathlib import Path

import numpy as np
from sentence_transformers import SentenceTransformer, util

model = SentenceTransformer(sys.argv[1])
places, passages = [], []
for path in sorted(Path("notes").glob("*.md")):
    for passage in path.read_text(encoding="utf-8").split("\n\n"):
        places.append(path.name)
        passages.append(passage)
np.save("vectors.npy", model.encode(passages, normalize_embeddings=True))
Path("passages.json").write_text(json.dumps([places, passages]), encoding="utf-8")

vectors = np.load("vectors.npy")
places, passages = json.loads(Path("passages.json").read_text(encoding="utf-8"))
query = model.encode(["why is the internet slow"], normalize_embeddings=True)
for hit in util.semantic_search(query, vectors, top_k=3)[0]:
    print(round(hit["score"], 3), places[hit["corpus_id"]], passages[hit["corpus_id"]])
