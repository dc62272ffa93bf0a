"""Small random models of a member of the family as Transformers writes them, and what it gives with them.

    python benchmarks/make_golden_members.py MEMBER [OUT]       (one of MEMBERS below)

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
import safetensors.torch
import torch
import transformers

GOLDEN = Path(__file__).resolve().parent.parent / "tests" / "golden"
WORDS = ["good", "bad", "film", "anna", "who", "is", "?", *"abcdefgh", *(f"##{letter}" for letter in "abcdefgh")]
LETTERS = "abcdefghiklmnorswA?"
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
        vocabulary: arguments of its tokenizer.
        sizes: of its models, by their keys.
        folders: folder -> end of the model's class, and keys of its config.
        tokenizer: its class of WordPiece; None: its own.
        texts: the first texts of its pairs.
        counted_from: the first row of its table of positions that stands for a place in a text.
        segments: whether its tokenizer tells the texts of a pair apart.
        padding_differs: whether what it makes of padding is not what others make; a loss of places then leaves it out.
        alone: folders whose truth also has alone/logits, of each text in a row of its own without padding, one behind
            the other: what is computed there may see padding.
    """

    prefix: str
    vocabulary: dict[str, Any]
    sizes: dict[str, Any]
    folders: dict[str, tuple[str, dict[str, Any]]]
    tokenizer: str | None = None
    texts: list[str] = TEXTS
    counted_from: int = 0
    segments: bool = False
    padding_differs: bool = False
    alone: tuple[str, ...] = ()


def pieces(*special: str) -> dict[str, Any]:
    """WordPiece: special tokens, words, and letters that end words."""
    return {"vocab": {token: i for i, token in enumerate((*special, *WORDS))}}


def merges() -> dict[str, Any]:
    """Byte-level BPE: letters, a space before a word as Ġ, and a few merges."""
    found = [("a", "d"), ("Ġ", "b"), ("Ġb", "ad"), ("f", "i"), ("l", "m"), ("fi", "lm"), ("Ġ", "film"), ("n", "n")]
    found += [("w", "h"), ("wh", "o"), ("Ġ", "i"), ("Ġi", "s"), ("A", "nn"), ("Ann", "a")]
    tokens = ["<s>", "<pad>", "</s>", "<unk>", *LETTERS, "Ġ", *map("".join, found), "<mask>"]
    return {"vocab": {token: i for i, token in enumerate(tokens)}, "merges": found}


def scores(*special: str) -> dict[str, Any]:
    """Unigram: special tokens, and pieces with their logarithms."""
    found = ["▁", "▁good", "▁bad", "▁film", "▁who", "▁is", "▁Anna", "▁anna", "an", "▁a", "oo", *LETTERS]
    return {"vocab": [*((token, 0.0) for token in special), *((token, -1.5 - i / 8) for i, token in enumerate(found))]}


MEMBERS = {
    "electra": Made(
        "Electra",
        pieces("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"),
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
        segments=True,
    ),
    "mpnet": Made(
        "MPNet",
        pieces("<s>", "<pad>", "</s>", "[UNK]", "<mask>"),
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
        counted_from=2,
    ),
    "roberta": Made(
        "Roberta",
        merges(),
        {**SIZES, "hidden_size": 6, "type_vocab_size": 1},
        {
            "backbone": ("Model", {"attention_probs_dropout_prob": 0.2}),
            "classifier": (
                "ForSequenceClassification", {"id2label": LABELS, "hidden_act": "silu", "classifier_dropout": 0.35},
            ),
            # Positions begin after another token's row, which is then the one that is not counted.
            "regression": (
                "ForSequenceClassification", {"num_labels": 1, "problem_type": "regression", "pad_token_id": 3,
                                                  "max_position_embeddings": 28},
            ),
            "tagger": (
                "ForTokenClassification", {"id2label": TAGS, "hidden_dropout_prob": 0.0, "type_vocab_size": 2},
            ),
            "span_qa": ("ForQuestionAnswering", {"num_attention_heads": 3, "layer_norm_eps": 1e-5}),
            "masked_lm": ("ForMaskedLM", {"hidden_act": "relu", "num_hidden_layers": 1}),
            "choice": ("ForMultipleChoice", {}),
        },
        counted_from=2,
    ),
    "xlm-roberta": Made(
        "XLMRoberta",
        scores("<s>", "<pad>", "</s>", "<unk>", "<mask>"),
        {**SIZES, "hidden_size": 6, "type_vocab_size": 1},
        {
            "backbone": ("Model", {}),
            "classifier": ("ForSequenceClassification", {"id2label": LABELS}),
            "tagger": ("ForTokenClassification", {"id2label": TAGS, "classifier_dropout": 0.35}),
            "span_qa": ("ForQuestionAnswering", {"layer_norm_eps": 1e-5}),
            "masked_lm": ("ForMaskedLM", {"num_hidden_layers": 1}),
            "choice": ("ForMultipleChoice", {}),
        },
        counted_from=2,
    ),
    "camembert": Made(
        "Camembert",
        scores("<s>NOTUSED", "<pad>", "</s>NOTUSED", "<unk>", "<unk>NOTUSED", "<s>", "</s>", "<mask>"),
        {**SIZES, "hidden_size": 6, "type_vocab_size": 1, "bos_token_id": 5, "eos_token_id": 6},
        {
            "backbone": ("Model", {}),
            "classifier": ("ForSequenceClassification", {"id2label": LABELS}),
            "tagger": ("ForTokenClassification", {"id2label": TAGS, "classifier_dropout": 0.35}),
            "span_qa": ("ForQuestionAnswering", {"layer_norm_eps": 1e-5}),
            "masked_lm": ("ForMaskedLM", {"num_hidden_layers": 1}),
            "choice": ("ForMultipleChoice", {}),
        },
        counted_from=2,
    ),
    "albert": Made(
        "Albert",
        scores("<pad>", "<unk>", "[CLS]", "[SEP]", "[MASK]"),
        {**SIZES, "hidden_size": 6, "embedding_size": 5, "intermediate_size": 7},
        {
            "backbone": ("Model", {"num_hidden_layers": 3, "num_hidden_groups": 2, "hidden_dropout_prob": 0.2}),
            "pretrainer": ("ForPreTraining", {"attention_probs_dropout_prob": 0.2}),
            "classifier": (
                "ForSequenceClassification",
                {"id2label": LABELS, "hidden_act": "silu", "classifier_dropout_prob": 0.35},
            ),
            "tagger": (
                "ForTokenClassification",
                {"id2label": TAGS, "inner_group_num": 2, "num_hidden_groups": 2, "intermediate_size": 2,
                 "embedding_size": 2},
            ),
            "span_qa": ("ForQuestionAnswering", {"num_attention_heads": 3, "hidden_act": "relu"}),
            "masked_lm": ("ForMaskedLM", {"num_hidden_layers": 3}),
            "choice": ("ForMultipleChoice", {"classifier_dropout_prob": 0.25, "embedding_size": 6}),
        },
        segments=True,
    ),
    # Two tokens to each side: a text of 40 tokens is ten blocks of queries.
    "modernbert": Made(
        "ModernBert",
        pieces("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"),
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
    # So few buckets that texts of some words have distances that share one.
    "deberta-v2": Made(
        "DebertaV2",
        scores("[PAD]", "[CLS]", "[SEP]", "[UNK]", "[MASK]"),
        {
            **SIZES, "hidden_size": 6, "relative_attention": True, "pos_att_type": ["c2p", "p2c"],
            "max_relative_positions": 26, "position_biased_input": False, "share_att_key": False,
            "norm_rel_ebd": "none", "conv_kernel_size": 0, "conv_act": "tanh",
        },
        {
            "backbone": (
                "Model",
                {"share_att_key": True, "norm_rel_ebd": "layer_norm", "attention_probs_dropout_prob": 0.2,
                 "position_buckets": 4},
            ),
            "classifier": (
                "ForSequenceClassification",
                {"id2label": LABELS, "hidden_act": "silu", "cls_dropout": 0.35, "pos_att_type": ["c2p"],
                 "conv_kernel_size": 3, "position_buckets": 6},
            ),
            # Each distance up to 3 has a vector, and there are learned positions and segments.
            "regression": (
                "ForSequenceClassification",
                {"num_labels": 1, "problem_type": "regression", "pos_att_type": ["p2c"],
                 "max_relative_positions": 3, "position_biased_input": True, "type_vocab_size": 2},
            ),
            "tagger": (
                "ForTokenClassification",
                {"id2label": TAGS, "hidden_dropout_prob": 0.0, "embedding_size": 5, "share_att_key": True,
                 "position_buckets": 4},
            ),
            "span_qa": (
                "ForQuestionAnswering",
                {"num_attention_heads": 3, "layer_norm_eps": 1e-5, "position_buckets": 5,
                 "position_biased_input": True, "conv_kernel_size": 5, "conv_act": "gelu"},
            ),
            "masked_lm": (
                "ForMaskedLM",
                {"hidden_act": "gelu_new", "num_hidden_layers": 1, "embedding_size": 7, "norm_rel_ebd": "layer_norm",
                 "position_buckets": 2},
            ),
            "lm_predictions": (
                "ForMaskedLM",
                {"legacy": False, "share_att_key": True, "num_hidden_layers": 1, "conv_kernel_size": 3,
                 "max_relative_positions": -1, "position_buckets": 4},
            ),
            "choice": ("ForMultipleChoice", {"cls_dropout": 0.25, "norm_rel_ebd": "layer_norm", "position_buckets": 8}),
        },
        segments=True,
        padding_differs=True,
    ),
    "mobilebert": Made(
        "MobileBert",
        pieces("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"),
        {
            **SIZES, "hidden_size": 6, "embedding_size": 3, "intra_bottleneck_size": 4, "num_feedforward_networks": 2,
            "initializer_range": 0.2,  # without norms, sums of larger ones would leave few digits of a hundredth
        },
        {
            "backbone": ("Model", {"attention_probs_dropout_prob": 0.2, "num_feedforward_networks": 3}),
            "classifier": (
                "ForSequenceClassification",
                {"id2label": LABELS, "hidden_act": "silu", "classifier_dropout": 0.35},
            ),
            "regression": (
                "ForSequenceClassification",
                {"num_labels": 1, "problem_type": "regression", "use_bottleneck_attention": True,
                 "key_query_shared_bottleneck": False, "classifier_activation": False},
            ),
            "tagger": (
                "ForTokenClassification",
                {"id2label": TAGS, "normalization_type": "layer_norm", "num_feedforward_networks": 1},
            ),
            "span_qa": ("ForQuestionAnswering", {"trigram_input": False, "embedding_size": 5, "hidden_act": "gelu"}),
            "masked_lm": (
                "ForMaskedLM", {"use_bottleneck": False, "normalization_type": "layer_norm", "num_attention_heads": 3},
            ),
            "pair_pretrainer": ("ForPreTraining", {"embedding_size": 2, "num_hidden_layers": 1}),
            "next_sentence": ("ForNextSentencePrediction", {"num_hidden_layers": 1}),
            "choice": (
                "ForMultipleChoice", {"intra_bottleneck_size": 6, "key_query_shared_bottleneck": False},
            ),
        },
        segments=True,
        alone=("classifier", "tagger"),
    ),
}  # fmt: skip


def main(name: str, out: Path) -> None:
    made = MEMBERS[name]
    with tempfile.TemporaryDirectory() as scratch:
        work = Path(scratch)
        for i, (folder, (end, keys)) in enumerate(made.folders.items()):
            write(work / folder, made, end, keys, seed=i, alone=folder in made.alone)
        write_vectors(work / "backbone", work / "vectors", made.sizes["hidden_size"])
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(path for path in work.rglob("*") if path.is_file()):
                entry = zipfile.ZipInfo(str(path.relative_to(work)), (2026, 1, 1, 0, 0, 0))
                archive.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED)
    print(f"{out}: {out.stat().st_size:,} bytes")


def write(folder: Path, made: Made, end: str, keys: dict[str, Any], *, seed: int, alone: bool) -> None:
    """A model, its tokenizer and its truth."""
    torch.manual_seed(seed)
    vocabulary = made.vocabulary
    shape = {"vocab_size": len(vocabulary["vocab"]), **made.sizes, **keys}
    model = getattr(transformers, f"{made.prefix}{end}")(getattr(transformers, f"{made.prefix}Config")(**shape)).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    model.save_pretrained(folder)
    names = safetensors.torch.load_file(folder / "model.safetensors")
    longest = shape["max_position_embeddings"] - made.counted_from
    tokenizer_class = getattr(transformers, made.tokenizer or f"{made.prefix}Tokenizer")
    tokenizer = tokenizer_class(**vocabulary, model_max_length=longest)
    if made.tokenizer:
        tokenizer.model_input_names = ["input_ids", "attention_mask"]
    tokenizer.save_pretrained(folder)
    # Of ALBERT, whose models have learnt segments, they have to be asked for.
    options = {"padding": True, "return_token_type_ids": made.segments, "return_tensors": "pt"}
    inputs = dict(tokenizer(made.texts, PAIRS, **options))
    given = {name: tensor[None] for name, tensor in inputs.items()} if end == "ForMultipleChoice" else inputs
    labels = labels_for(f"{made.prefix}{end}", inputs, shape["vocab_size"])
    if shape.get("problem_type") == "regression":
        labels = {"labels": labels["labels"].float()}
    outputs = dict(model(**given, **labels, output_hidden_states=True))
    if made.padding_differs and end == "ForQuestionAnswering":
        outputs["loss"] = loss_of_real_places(outputs, labels, inputs["attention_mask"])
    hidden = torch.stack(outputs.pop("hidden_states")) * inputs["attention_mask"][..., None]  # [L + 1, B, T, D]
    if "last_hidden_state" in outputs:
        outputs["last_hidden_state"] = outputs["last_hidden_state"] * inputs["attention_mask"][..., None]
    found = {**inputs, **outputs, **labels, "hidden_states": hidden}
    if alone:
        rows = [dict(tokenizer([text], [pair], **options)) for text, pair in zip(made.texts, PAIRS, strict=True)]
        found["alone/logits"] = torch.cat(
            [model(**row).logits.reshape(-1, outputs["logits"].shape[-1]) for row in rows]
        )
    if "loss" in outputs:
        outputs["loss"].backward()
        named = model.named_parameters(remove_duplicate=False)  # of tied ones the name that the file has
        found |= {f"grad/{name}": parameter.grad for name, parameter in named if name in names}
    np.savez_compressed(
        folder / "truth.npz", **{name: x.detach().numpy() for name, x in found.items() if x is not None}
    )


def loss_of_real_places(outputs: dict[str, Any], labels: dict[str, Any], mask: torch.Tensor) -> torch.Tensor:
    """The model's own loss, of the places that are no padding."""
    losses = [
        torch.nn.functional.cross_entropy(outputs[f"{side}_logits"] - 1e9 * (1 - mask), labels[f"{side}_positions"])
        for side in ("start", "end")
    ]
    return (losses[0] + losses[1]) / 2


def labels_for(name: str, inputs: dict[str, Any], vocabulary: int) -> dict[str, Any]:
    """Labels of the three texts, by the names that the class takes."""
    mask = inputs["attention_mask"]
    some = torch.arange(mask.numel()).reshape(mask.shape)
    end = name[name.index("For") :] if "For" in name else ""
    if end == "ForQuestionAnswering":
        return {"start_positions": torch.tensor([1, 2, 3]), "end_positions": torch.tensor([2, 2, 5])}
    pairs = {"AlbertForPreTraining": "sentence_order_label", "MobileBertForPreTraining": "next_sentence_label"}
    if end in ("ForTokenClassification", "ForMaskedLM") or name in pairs:
        classes = 3 if end == "ForTokenClassification" else vocabulary
        labels = {"labels": torch.where((mask == 1) & (some % 3 == 0), some % classes, -100)}
        return labels | ({pairs[name]: torch.tensor([1, 0, 1])} if name in pairs else {})
    return {
        "ForPreTraining": {"labels": (some % 4 == 1).to(torch.int64)},
        "ForMultipleChoice": {"labels": torch.tensor([1])},
        "ForNextSentencePrediction": {"labels": torch.tensor([1, 0, 1])},
        "ForSequenceClassification": {"labels": torch.tensor([2, 0, 1])},
    }.get(end, {})


def write_vectors(backbone: Path, folder: Path, width: int) -> None:
    """A model of sentence-transformers on it, that gives the mean of its tokens, and its vectors."""
    import sentence_transformers
    from sentence_transformers import models

    modules = [models.Transformer(str(backbone), max_seq_length=20), models.Pooling(width, pooling_mode="mean")]
    model = sentence_transformers.SentenceTransformer(modules=[*modules, models.Normalize()], device="cpu")
    model.save(str(folder), create_model_card=False)
    vectors = [model.encode([text])[0] for text in TEXTS]  # each alone: of a MobileBERT padding would be seen
    np.savez_compressed(folder / "truth.npz", vectors=np.array(vectors))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]) if len(sys.argv) > 2 else GOLDEN / f"{sys.argv[1]}.zip")
