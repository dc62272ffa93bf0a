"""What Transformers' pipelines answer with small random models, as tests/golden/pipelines.zip.

    python benchmarks/make_golden_pipelines.py [OUT]

Needs PyTorch and Transformers 5 (this was made with 5.24 and 2.13): taggers of several label sets, grouped by words
whose first piece decides (`aggregation_strategy="first"`), guesses for masks, and whether a sentence is the next one.
"""

from __future__ import annotations

import json
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import torch
import transformers

VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good", "bad", "film", *"abcdefghijklmnopqrstuvwxyz"]
VOCABULARY += [f"##{letter}" for letter in "abcdefghijklmnopqrstuvwxyz"]
SHAPE = {
    "vocab_size": len(VOCABULARY), "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2,
    "intermediate_size": 8, "max_position_embeddings": 32, "initializer_range": 1.0,
}  # fmt: skip
LABELS = {
    "any_order": ("I-LOC", "B-PER", "O", "I-PER", "B-LOC"),
    "io": ("O", "PER", "LOC"),
    "inside_only": ("I-PER", "I-LOC", "O"),
    "missing": ("O", "B-PER", "I-PER", "B-LOC"),
}
TEXTS = ["a good film", "anna saw bad zed films in q", "x y z b good bad cat dog film the end of it", "ab cd ef gh ij"]
MASKED = ["a [MASK] film", "[MASK] bad [MASK]", "good"]
PAIRS = [["a good film", "bad"], ["x", "the end"], ["good", "good"]]


def main(out: Path) -> None:
    truth: dict[str, Any] = {"taggers": {}}
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        for labels, names in LABELS.items():
            truth["taggers"][labels] = _tagged(names, work / labels)
        model = _model(transformers.BertForMaskedLM)
        fill = transformers.pipeline("fill-mask", model, tokenizer=_save(model, work / "mask"), top_k=3)
        truth["masked"] = [_guesses(fill, text) for text in MASKED[:2]]
        model = _model(transformers.BertForNextSentencePrediction)
        tokenizer = _save(model, work / "next")
        inputs = tokenizer(*map(list, zip(*PAIRS, strict=True)), return_tensors="pt", padding=True)
        with torch.no_grad():
            truth["next"] = torch.softmax(model(**inputs).logits, -1).tolist()
        truth |= {"texts": TEXTS, "masked_texts": MASKED[:2], "pairs": PAIRS}
        (work / "truth.json").write_text(json.dumps(truth))
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(work.rglob("*")):
                if path.is_file():
                    archive.write(path, path.relative_to(work))
    print(f"{out}: {out.stat().st_size:,} bytes")


def _tagged(names: tuple[str, ...], folder: Path) -> list[list[dict[str, Any]]]:
    """The entities of each text, by the first random model that finds some of several types."""
    for seed in range(100):
        model = _model(transformers.BertForTokenClassification, seed, id2label=dict(enumerate(names)))
        tokenizer = _save(model, folder)
        tagger = transformers.pipeline("token-classification", model, tokenizer=tokenizer, aggregation_strategy="first")
        found = [[_plain(entity) for entity in tagger(text)] for text in TEXTS]
        entities = [entity for some in found for entity in some]
        if len(entities) > 7 and len({entity["label"] for entity in entities}) > 1:
            return found
    raise ValueError(f"no seed gives entities of {names}")


def _model(cls: Any, seed: int = 5, **changes: Any) -> Any:
    torch.manual_seed(seed)
    return cls(transformers.BertConfig(**SHAPE, **changes)).eval()


def _save(model: Any, folder: Path) -> Any:
    """Writes the model with its tokenizer, which it returns."""
    model.save_pretrained(folder)
    (folder / "vocab.txt").write_text("\n".join(VOCABULARY) + "\n")
    tokenizer = transformers.BertTokenizer.from_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return tokenizer


def _plain(entity: dict[str, Any]) -> dict[str, Any]:
    return {
        "label": entity["entity_group"], "score": float(entity["score"]), "start": entity["start"], "end": entity["end"]
    }  # fmt: skip


def _guesses(fill: Any, text: str) -> list[list[dict[str, Any]]]:
    """Of each mask its guesses; for one mask the pipeline gives a list of these alone."""
    found = fill(text)
    found = found if isinstance(found[0], list) else [found]
    return [[{"token_id": guess["token"], "score": float(guess["score"])} for guess in guesses] for guesses in found]


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[1] / "tests" / "golden" / "pipelines.zip")
