"""Small random models of a member of the family as Transformers writes them, and what it gives with them.

    python benchmarks/make_golden_members.py electra|mpnet|modernbert [OUT]

Writes tests/golden/<member>.zip. Needs PyTorch, Transformers 5 and sentence-transformers (this was made with 2.13, 5.24
and 6.2). Each folder has a truth.npz: tokens of its texts; outputs and hidden states for them by Transformers' names,
and where the class has a loss its labels, the loss, and the gradient of each tensor, as grad/<name>.
"""

# pyright: reportMissingImports=false
from __future__ import annotations

import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
import transformers

GOLDEN = Path(__file__).resolve().parent.parent / "tests" / "golden"
WORDS = ["good", "bad", "film", "anna", "who", "is", "?", *"abcdefgh", *(f"##{letter}" for letter in "abcdefgh")]
TEXTS = ["a good film", "who is Anna ?", "bad"]
PAIRS = ["bad film", "Anna is a dab hand", "a b c d e"]
LONG = ["a good film who is bad e ? " * 4 + "anna", "is Anna a film ?", "bad"]
LABELS = {0: "bad", 1: "so so", 2: "good"}
TAGS = {0: "O", 1: "B-PER", 2: "I-PER"}
SIZES = {
    "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 10, "max_position_embeddings": 26,
    "initializer_range": 0.5,
}  # fmt: skip


class Made(NamedTuple):
    """How a member's models are made.

    Args:
        prefix: of its classes in Transformers.
        special: the special tokens that its vocabulary begins with.
        sizes: of its models, by their keys.
        folders: folder -> end of the model's class, and keys of its config.
        tokenizer: its class of WordPiece; None: its own.
        texts: the first texts of its pairs.
    """

    prefix: str
    special: tuple[str, ...]
    sizes: dict[str, Any]
    folders: dict[str, tuple[str, dict[str, Any]]]
    tokenizer: str | None = None
    texts: list[str] = TEXTS


MEMBERS = {
    "electra": Made(
        "Electra",
        ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"),
        {**SIZES, "hidden_size": 6, "embedding_size": 5},
        {
            "backbone": ("Model", {"attention_probs_dropout_prob": 0.2}),
            "discriminator": ("ForPreTraining", {"hidden_act": "relu"}),
            "classifier": (
                "ForSequenceClassification", {"id2label": LABELS, "hidden_act": "silu", "classifier_dropout": 0.35},
            ),
            "regression": (
                "ForSequenceClassification", {"num_labels": 1, "problem_type": "regression", "embedding_size": 6},
            ),
            "tagger": ("ForTokenClassification", {"id2label": TAGS, "hidden_dropout_prob": 0.0, "embedding_size": 7}),
            "span_qa": ("ForQuestionAnswering", {"num_attention_heads": 3}),
            "masked_lm": ("ForMaskedLM", {"hidden_act": "gelu_new", "num_hidden_layers": 1}),
            "choice": ("ForMultipleChoice", {"summary_last_dropout": 0.25}),
        },
    ),
    "mpnet": Made(
        "MPNet",
        ("<s>", "<pad>", "</s>", "[UNK]", "<mask>"),
        {**SIZES, "hidden_size": 6},
        {
            "backbone": ("Model", {"attention_probs_dropout_prob": 0.2}),
            "classifier": ("ForSequenceClassification", {"id2label": LABELS, "hidden_act": "silu"}),
            "regression": ("ForSequenceClassification", {"num_labels": 1, "problem_type": "regression"}),
            "tagger": ("ForTokenClassification", {"id2label": TAGS, "hidden_dropout_prob": 0.0}),
            "span_qa": ("ForQuestionAnswering", {"num_attention_heads": 3, "layer_norm_eps": 1e-5}),
            "masked_lm": ("ForMaskedLM", {"hidden_act": "relu", "num_hidden_layers": 1}),
            "choice": ("ForMultipleChoice", {}),
        },
    ),
    # Two tokens to each side: a text of 40 tokens is ten blocks of queries.
    "modernbert": Made(
        "ModernBert",
        ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"),
        {
            **SIZES, "hidden_size": 4, "num_attention_heads": 1, "max_position_embeddings": 64, "pad_token_id": 0,
            "cls_token_id": 2, "sep_token_id": 3, "bos_token_id": None, "eos_token_id": None, "local_attention": 4,
            "global_attn_every_n_layers": 2, "attn_implementation": "eager",
        },
        {
            "backbone": ("Model", {"attention_dropout": 0.2, "mlp_dropout": 0.3}),
            "classifier": (
                "ForSequenceClassification",
                {"id2label": LABELS, "classifier_pooling": "mean", "hidden_activation": "silu", "norm_bias": True,
                 "classifier_dropout": 0.35, "hidden_size": 8, "num_attention_heads": 2, "num_hidden_layers": 3},
            ),
            "regression": (
                "ForSequenceClassification",
                {"num_labels": 1, "problem_type": "regression", "attention_bias": True, "local_attention": 7},
            ),
            "tagger": (
                "ForTokenClassification",
                {"id2label": TAGS, "mlp_bias": True, "classifier_bias": True, "classifier_activation": "silu"},
            ),
            "span_qa": (
                "ForQuestionAnswering",
                {"num_attention_heads": 2, "norm_eps": 1e-3, "global_attn_every_n_layers": 1},
            ),
            "masked_lm": (
                "ForMaskedLM",
                {"hidden_size": 8, "num_attention_heads": 2, "rope_parameters": {
                    "full_attention": {"rope_type": "default", "rope_theta": 100.0},
                    "sliding_attention": {"rope_type": "default", "rope_theta": 7.0},
                }},
            ),
            "choice": ("ForMultipleChoice", {"decoder_bias": False, "num_hidden_layers": 3, "hidden_size": 6}),
        },
        tokenizer="BertTokenizer",
        texts=LONG,
    ),
}  # fmt: skip


def main(name: str, out: Path) -> None:
    made = MEMBERS[name]
    with tempfile.TemporaryDirectory() as scratch:
        work = Path(scratch)
        for i, (folder, (end, keys)) in enumerate(made.folders.items()):
            write(work / folder, made, end, keys, seed=i)
        write_vectors(work / "backbone", work / "vectors", made.sizes["hidden_size"])
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(path for path in work.rglob("*") if path.is_file()):
                entry = zipfile.ZipInfo(str(path.relative_to(work)), (2026, 1, 1, 0, 0, 0))
                archive.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED)
    print(f"{out}: {out.stat().st_size:,} bytes")


def write(folder: Path, made: Made, end: str, keys: dict[str, Any], *, seed: int) -> None:
    """A model, its tokenizer and its truth."""
    torch.manual_seed(seed)
    vocabulary = [*made.special, *WORDS]
    shape = {"vocab_size": len(vocabulary), **made.sizes, **keys}
    model = getattr(transformers, f"{made.prefix}{end}")(getattr(transformers, f"{made.prefix}Config")(**shape)).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    model.save_pretrained(folder)
    longest = shape["max_position_embeddings"] - (2 if made.prefix == "MPNet" else 0)
    words = {token: i for i, token in enumerate(vocabulary)}
    tokenizer_class = getattr(transformers, made.tokenizer or f"{made.prefix}Tokenizer")
    tokenizer = tokenizer_class(vocab=words, model_max_length=longest)
    if made.tokenizer:
        tokenizer.model_input_names = ["input_ids", "attention_mask"]
    tokenizer.save_pretrained(folder)
    inputs = dict(tokenizer(made.texts, PAIRS, padding=True, return_tensors="pt"))
    given = {name: tensor[None] for name, tensor in inputs.items()} if end == "ForMultipleChoice" else inputs
    labels = labels_for(end, inputs, shape["vocab_size"])
    if shape.get("problem_type") == "regression":
        labels = {"labels": labels["labels"].float()}
    outputs = dict(model(**given, **labels, output_hidden_states=True))
    hidden = torch.stack(outputs.pop("hidden_states")) * inputs["attention_mask"][..., None]  # [L + 1, B, T, D]
    if "last_hidden_state" in outputs:
        outputs["last_hidden_state"] = outputs["last_hidden_state"] * inputs["attention_mask"][..., None]
    found = {**inputs, **outputs, **labels, "hidden_states": hidden}
    if "loss" in outputs:
        outputs["loss"].backward()
        found |= {f"grad/{name}": parameter.grad for name, parameter in model.named_parameters()}
    np.savez_compressed(
        folder / "truth.npz", **{name: x.detach().numpy() for name, x in found.items() if x is not None}
    )


def labels_for(end: str, inputs: dict[str, Any], vocabulary: int) -> dict[str, Any]:
    """Labels of the three texts, by the names that the class takes."""
    mask = inputs["attention_mask"]
    some = torch.arange(mask.numel()).reshape(mask.shape)
    if end == "ForQuestionAnswering":
        return {"start_positions": torch.tensor([1, 2, 3]), "end_positions": torch.tensor([2, 2, 5])}
    if end in ("ForTokenClassification", "ForMaskedLM"):
        classes = 3 if end == "ForTokenClassification" else vocabulary
        return {"labels": torch.where((mask == 1) & (some % 3 == 0), some % classes, -100)}
    return {
        "ForPreTraining": {"labels": (some % 4 == 1).to(torch.int64)},
        "ForMultipleChoice": {"labels": torch.tensor([1])},
        "ForSequenceClassification": {"labels": torch.tensor([2, 0, 1])},
    }.get(end, {})


def write_vectors(backbone: Path, folder: Path, width: int) -> None:
    """A model of sentence-transformers on it, that gives the mean of its tokens, and its vectors."""
    import sentence_transformers
    from sentence_transformers import models

    modules = [models.Transformer(str(backbone), max_seq_length=20), models.Pooling(width, pooling_mode="mean")]
    model = sentence_transformers.SentenceTransformer(modules=[*modules, models.Normalize()], device="cpu")
    model.save(str(folder), create_model_card=False)
    np.savez_compressed(folder / "truth.npz", vectors=model.encode(TEXTS))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]) if len(sys.argv) > 2 else GOLDEN / f"{sys.argv[1]}.zip")
