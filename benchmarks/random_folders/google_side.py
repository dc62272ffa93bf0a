"""Folders of google-research/bert, with what Transformers' PyTorch BERT gives with the same arrays.

    PEER   -m benchmarks.random_folders.google_side OUT --seed=1 --count=12     (torch: arrays and truth)
    python -m benchmarks.random_folders.google_side OUT --write                 (TensorFlow: the checkpoints)

The names and transposes are written out here once more, so that they share nothing with what they check.
"""

# pyright: reportMissingImports=false
from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any

from benchmarks.random_folders.draw import VOCABULARY, Draw, rounded, some_texts, write_truth

ARRAYS = "arrays.npz"
HEADS = ("BertForPreTraining", "BertForSequenceClassification", "BertForQuestionAnswering", "BertModel")
HEAD_NAMES = {
    "cls.predictions.transform.dense.weight": "cls/predictions/transform/dense/kernel",
    "cls.predictions.transform.dense.bias": "cls/predictions/transform/dense/bias",
    "cls.predictions.transform.LayerNorm.weight": "cls/predictions/transform/LayerNorm/gamma",
    "cls.predictions.transform.LayerNorm.bias": "cls/predictions/transform/LayerNorm/beta",
    "cls.predictions.bias": "cls/predictions/output_bias",
    "cls.seq_relationship.weight": "cls/seq_relationship/output_weights",
    "cls.seq_relationship.bias": "cls/seq_relationship/output_bias",
    "classifier.weight": "output_weights",
    "classifier.bias": "output_bias",
    "qa_outputs.weight": "cls/squad/output_weights",
    "qa_outputs.bias": "cls/squad/output_bias",
}
SLOTS = (
    ("adam_m", "adam_v"), ("AdamWeightDecayOptimizer", "AdamWeightDecayOptimizer_1"), ("BERTAdam", "BERTAdam_1"),
    ("Adam", "Adam_1"), ("lamb_m", "lamb_v"), ("Adafactor/vr", "Adafactor/vc"), ("ExponentialMovingAverage",),
    ("Momentum",), ("LAMBOptimizer_m", "LAMBOptimizer_v"),
)  # fmt: skip
SCALARS = ("global_step", "beta1_power", "beta2_power", "loss_scale", "good_steps", "signal_early_stopping/STOP")


def main() -> None:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=12)
    parser.add_argument("--write", action="store_true", help="make checkpoints of the arrays that are there")
    flags = parser.parse_args()
    if flags.write:
        for path in sorted(flags.out.rglob(ARRAYS)):
            write_checkpoint(path)
            print(path.parent)
        return
    for number in range(flags.count):
        name = f"google_{flags.seed}_{number:03d}"
        draw = Draw(name)
        make(flags.out / name, draw, number, HEADS[number % len(HEADS)])
        print(name, draw.surprises, flush=True)


def make(folder: Path, draw: Draw, number: int, head: str) -> None:
    """bert_config.json, vocab.txt, arrays with their names, and truth.json."""
    import numpy as np
    import torch
    import transformers

    torch.manual_seed(number)
    heads = draw.choice((1, 2))
    config = transformers.BertConfig(
        vocab_size=len(VOCABULARY), hidden_size=heads * draw.choice((2, 3, 4)), num_attention_heads=heads,
        num_hidden_layers=draw.choice((1, 2)), intermediate_size=draw.choice((5, 8)), initializer_range=0.3,
        max_position_embeddings=draw.choice((24, 40)), type_vocab_size=draw.choice((2, 2, 16)),
        hidden_act=draw.setting("hidden_act", "gelu", ["relu", "tanh", "linear"], 0.2),
        num_labels=2 if head == "BertForQuestionAnswering" else 3,
    )  # fmt: skip
    model = getattr(transformers, head)(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    lower = draw.random() < 0.5
    place = folder / f"{'uncased' if lower else 'cased'}_L-{config.num_hidden_layers}_H-{config.hidden_size}_A-{heads}"
    place.mkdir(parents=True)
    raw = {key: value for key, value in config.to_dict().items() if key in KEYS}
    raw |= {"directionality": "bidi", "pooler_type": "first_token_transform"} if draw.random() < 0.5 else {}
    (place / draw.setting("config's name", "bert_config.json", ["config.json"])).write_text(
        json.dumps(raw), encoding="utf-8"
    )
    (place / "vocab.txt").write_text("".join(f"{token}\n" for token in VOCABULARY), encoding="utf-8")
    arrays = {google_name(name): google_array(name, tensor.numpy()) for name, tensor in model.state_dict().items()}
    arrays.pop("", None)
    if draw.happens("layer_normalization", 0.2):
        arrays = numbered_norms(arrays, config.num_hidden_layers)
    slots = draw.setting("slots", (), SLOTS, 0.6)
    arrays |= {f"{name}/{slot}": np.zeros_like(array) for name, array in arrays.items() for slot in slots}
    for scalar in draw.sample(SCALARS, draw.choice((0, 1, 3))):
        arrays[scalar] = np.zeros([], np.int64 if "step" in scalar else np.float32)
    np.savez(place / ARRAYS, **{name.replace("/", "|"): array for name, array in arrays.items()})
    prefix = draw.setting("prefix", "bert_model.ckpt", ["model.ckpt-1200"], 0.4)
    (place / "prefix.txt").write_text(prefix, encoding="utf-8")

    texts = some_texts(draw)
    tokens = {token: i for i, token in enumerate(VOCABULARY)}
    tokenizer = transformers.BertTokenizer(vocab=tokens, do_lower_case=lower)
    rows = tokenizer(texts, truncation=True, max_length=24)
    found: dict[str, list] = {"hidden": [], "pooled": [], "logits": []}
    with torch.inference_mode():
        for ids in rows["input_ids"]:
            base = getattr(model, "bert", model)(torch.tensor([ids]))
            found["hidden"].append(rounded(base.last_hidden_state[0]))
            found["pooled"].append(None if base.pooler_output is None else rounded(base.pooler_output[0]))
            found["logits"].append(head_output(model, head, torch.tensor([ids])))
    write_truth(
        folder, draw, writer=f"transformers {transformers.__version__}", where=place.name, head=head, texts=texts,
        pairs=None, max_length=24, ids=rows["input_ids"], segments=rows["token_type_ids"], **found,
    )  # fmt: skip


KEYS = (
    "attention_probs_dropout_prob", "hidden_act", "hidden_dropout_prob", "hidden_size", "initializer_range",
    "intermediate_size", "max_position_embeddings", "num_attention_heads", "num_hidden_layers", "type_vocab_size",
    "vocab_size",
)  # fmt: skip


def google_name(name: str) -> str:
    """Their variable of a PyTorch parameter; empty for copies and buffers."""
    if name in HEAD_NAMES:
        return HEAD_NAMES[name]
    if name.startswith("cls.predictions.decoder") or name.endswith("position_ids"):
        return ""
    name = name if name.startswith("bert.") else f"bert.{name}"
    for ours, theirs in (
        ("LayerNorm.weight", "LayerNorm.gamma"), ("LayerNorm.bias", "LayerNorm.beta"),
        ("embeddings.weight", "embeddings"), ("layer.", "layer_"), ("weight", "kernel"),
    ):  # fmt: skip
        name = name.replace(ours, theirs)
    return name.replace(".", "/")


def google_array(name: str, array: Any) -> Any:
    """TensorFlow's dense kernels are [in, out]; the heads' `output_weights` are [out, in], as PyTorch's."""
    is_dense = name.endswith(".weight") and array.ndim == 2 and "embeddings" not in name
    is_head = name.startswith(("classifier", "qa_outputs", "cls.seq_relationship"))
    return array.T if is_dense and not is_head else array


def numbered_norms(arrays: dict[str, Any], layers: int) -> dict[str, Any]:
    """The names that tf.keras gives to norms made without one, in the order in which the encoder makes them."""
    order = ["bert/embeddings/LayerNorm/"]
    for i in range(layers):
        order += [f"bert/encoder/layer_{i}/{part}/LayerNorm/" for part in ("attention/output", "output")]
    names = {}
    for number, old in enumerate(order):
        names[old] = old.replace("LayerNorm", "layer_normalization" + (f"_{number}" if number else ""))

    def renamed(name: str) -> str:
        return next((name.replace(old, new) for old, new in names.items() if name.startswith(old)), name)

    return {renamed(name): array for name, array in arrays.items()}


def head_output(model: Any, head: str, ids: Any) -> Any:
    if head == "BertModel":
        return None
    found = model(ids)
    if head == "BertForQuestionAnswering":
        return [rounded(found.start_logits[0]), rounded(found.end_logits[0])]
    if head == "BertForPreTraining":
        return [rounded(found.prediction_logits[0]), rounded(found.seq_relationship_logits[0])]
    return rounded(found.logits[0])


def write_checkpoint(path: Path) -> None:
    """Replaces the arrays of a folder by a TF 1 checkpoint."""
    import numpy as np
    import tensorflow as tf

    with np.load(path) as file:
        arrays = {name.replace("|", "/"): file[name] for name in file.files}
    prefix = path.with_name("prefix.txt")
    names = sorted(arrays)
    tf.raw_ops.SaveV2(
        prefix=str(path.with_name(prefix.read_text(encoding="utf-8"))), tensor_names=names,
        shape_and_slices=[""] * len(names), tensors=[tf.constant(arrays[name]) for name in names],
    )  # fmt: skip
    path.unlink()
    prefix.unlink()


if __name__ == "__main__":
    main()
