"""Small random DistilBERTs as Transformers writes them, and what it gives with them, as tests/golden/distilbert.zip.

    python benchmarks/make_golden_distilbert.py [OUT]

Needs PyTorch, Transformers 5 and sentence-transformers (this was made with 2.13, 5.24 and 6.2). Each folder has a
truth.npz: the tokens of its texts, and the model's outputs for them by Transformers' names.
"""

# pyright: reportMissingImports=false
from __future__ import annotations

import json
import shutil
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers

OUT = Path(__file__).resolve().parent.parent / "tests" / "golden" / "distilbert.zip"
VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good", "bad", "film", "Anna", "who", "is", "?"]
VOCABULARY += [*"abcdefgh", *(f"##{letter}" for letter in "abcdefgh")]
TEXTS = ["a good film", "who is Anna ?", "bad"]
PAIRS = ["bad film", "Anna is a dab hand", "a b c d e"]
SHAPE = {
    "vocab_size": len(VOCABULARY), "dim": 8, "n_layers": 2, "n_heads": 2, "hidden_dim": 12,
    "max_position_embeddings": 24, "initializer_range": 0.5,
}  # fmt: skip
# Folder -> end of the model's class, and keys of its config
FOLDERS: dict[str, tuple[str, dict[str, Any]]] = {
    "backbone": ("Model", {"attention_dropout": 0.2}),
    "classifier": (
        "ForSequenceClassification",
        {"id2label": {0: "bad", 1: "so so", 2: "good"}, "activation": "relu", "seq_classif_dropout": 0.35},
    ),
    "regression": ("ForSequenceClassification", {"num_labels": 1, "problem_type": "regression", "n_heads": 4}),
    "tagger": ("ForTokenClassification", {"id2label": {0: "O", 1: "B-PER", 2: "I-PER"}, "dropout": 0.0}),
    "span_qa": ("ForQuestionAnswering", {"activation": "silu", "qa_dropout": 0.25}),
    "masked_lm": ("ForMaskedLM", {"activation": "gelu_new", "n_layers": 1}),
    "choice": ("ForMultipleChoice", {"seq_classif_dropout": 0.0}),
    "sinusoidal": ("ForSequenceClassification", {"sinusoidal_pos_embds": True, "num_labels": 2}),
}


def main(out: Path) -> None:
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        for i, (folder, (end, keys)) in enumerate(FOLDERS.items()):
            write(work / folder, end, keys, seed=i, lower=folder != "tagger")
        write_old(work / "masked_lm", work / "old")
        write_vectors(work / "backbone", work / "vectors")
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(path for path in work.rglob("*") if path.is_file()):
                entry = zipfile.ZipInfo(str(path.relative_to(work)), (2026, 1, 1, 0, 0, 0))
                archive.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED)
    print(f"{out}: {out.stat().st_size:,} bytes")


def write(folder: Path, end: str, keys: dict[str, Any], *, seed: int, lower: bool) -> None:
    """A model, its tokenizer and its truth; that of a cased tokenizer is like the distilled multilingual ones."""
    torch.manual_seed(seed)
    config = transformers.DistilBertConfig(**{**SHAPE, **keys})
    model = getattr(transformers, f"DistilBert{end}")(config).eval()
    fixed = model.get_position_embeddings().weight if keys.get("sinusoidal_pos_embds") else None
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter is not fixed:
                parameter.add_(0.2 * torch.randn_like(parameter))
    model.save_pretrained(folder)
    words = {token: i for i, token in enumerate(VOCABULARY)}
    tokenizer = transformers.DistilBertTokenizer(vocab=words, do_lower_case=lower, model_max_length=24)
    tokenizer.save_pretrained(folder)
    inputs = dict(tokenizer(TEXTS, PAIRS, padding=True, return_tensors="pt"))
    assert "token_type_ids" not in inputs
    given = {name: tensor[None] for name, tensor in inputs.items()} if end == "ForMultipleChoice" else inputs
    with torch.no_grad():
        outputs = dict(model(**given, output_hidden_states=True))
    hidden = torch.stack(outputs.pop("hidden_states"))  # [L + 1, B, T, D]
    found = {name: tensor.numpy() for name, tensor in {**inputs, **outputs, "hidden_states": hidden}.items()}
    np.savez_compressed(folder / "truth.npz", **found)


def write_old(new: Path, folder: Path) -> None:
    """The same masked language model as the first versions wrote it: pickled, with both copies of the tied table, a
    config without a model type or classes, and a vocabulary alone."""
    folder.mkdir()
    model = transformers.DistilBertForMaskedLM.from_pretrained(new)
    torch.save(model.state_dict(), folder / "pytorch_model.bin")
    config = json.loads((new / "config.json").read_text())
    kept = {name: config[name] for name in (*SHAPE, "activation", "attention_dropout", "dropout", "qa_dropout",
                                            "seq_classif_dropout", "sinusoidal_pos_embds")}  # fmt: skip
    kept |= {"tie_weights_": True, "pruned_heads": {}, "torchscript": False, "output_past": True, "num_labels": 2}
    (folder / "config.json").write_text(json.dumps(kept))
    (folder / "vocab.txt").write_text("".join(f"{token}\n" for token in VOCABULARY))
    (folder / "tokenizer_config.json").write_text(json.dumps({"do_lower_case": True, "model_max_length": 24}))
    shutil.copyfile(new / "truth.npz", folder / "truth.npz")


def write_vectors(backbone: Path, folder: Path) -> None:
    """A model of sentence-transformers on it, as those for questions and answers are, and its vectors."""
    import sentence_transformers
    from sentence_transformers import models

    modules = [models.Transformer(str(backbone), max_seq_length=20), models.Pooling(8, pooling_mode="cls")]
    model = sentence_transformers.SentenceTransformer(modules=[*modules, models.Normalize()], device="cpu")
    model.save(str(folder), create_model_card=False)
    np.savez_compressed(folder / "truth.npz", vectors=model.encode(TEXTS))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else OUT)
