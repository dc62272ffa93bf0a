"""Folders of Transformers' DistilBERT classes, in the forms that people have, with what Transformers answers from them.

PEER -m benchmarks.random_folders.distilbert_side OUT --seed=1 --count=40        (needs torch and transformers)
"""

# pyright: reportMissingImports=false
from __future__ import annotations

import argparse
import json
import warnings
from pathlib import Path
from typing import Any

from benchmarks.random_folders.draw import PAIRS, VOCABULARY, Draw, patch_json, rounded, some_texts, write_truth
from benchmarks.random_folders.transformers_side import (
    ACTIVATIONS,
    OLD_KEYS,
    PREFIXES,
    WRAPPERS,
    head_output,
    unwrap,
    write_tokenizer,
)

HEADS = ("Model", "ForSequenceClassification", "ForTokenClassification", "ForQuestionAnswering", "ForMaskedLM")
OTHER_NAMES = {"dim": "hidden_size", "n_layers": "num_hidden_layers", "n_heads": "num_attention_heads"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=40)
    flags = parser.parse_args()
    warnings.simplefilter("ignore")
    for number in range(flags.count):
        name = f"distilbert_{flags.seed}_{number:03d}"
        make(flags.out / name, Draw(name), number)
        print(name, (flags.out / name / "truth.json").read_text(encoding="utf-8")[:150], flush=True)


def make(folder: Path, draw: Draw, number: int) -> None:
    """One folder with its truth.json."""
    import torch
    import transformers

    torch.manual_seed(number)
    folder.mkdir(parents=True)
    end = HEADS[number % len(HEADS)]
    config = draw_config(draw, end)
    model = getattr(transformers, f"DistilBert{end}")(config).eval()
    fixed = model.get_position_embeddings().weight if config.sinusoidal_pos_embds else None
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter is not fixed or draw.happens("sinusoidal_pos_embds", 0.3):
                parameter.add_(0.2 * torch.randn_like(parameter))
    length = write_tokenizer(folder, draw, config)
    if (folder / "tokenizer_config.json").is_file():
        own = {"tokenizer_class": draw.choice(("DistilBertTokenizer", "DistilBertTokenizerFast"))}
        own |= draw.choice(({}, {"model_input_names": ["input_ids", "attention_mask"]}))
        patch_json(folder / "tokenizer_config.json", **own)
    write_weights(folder, draw, model)
    patch_json(
        folder / "config.json",
        remove=draw.sample(["architectures", "transformers_version", "dtype"], draw.choice([0, 0, 1, 2])),
        **{key: OLD_KEYS[key] for key in draw.sample(sorted(OLD_KEYS), draw.choice([0, 0, 2, 4]))},
        **draw.choice(({}, {}, {"tie_weights_": True})),
    )
    if draw.random() < 0.15:
        raw = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        renamed = {OTHER_NAMES.get(key, key): value for key, value in raw.items()}
        (folder / "config.json").write_text(json.dumps(renamed), encoding="utf-8")
    truth = answers(folder, draw, f"DistilBert{end}", length)
    if draw.random() < 0.1:  # as the first versions wrote it, which Transformers' AutoTokenizer cannot place any more
        patch_json(folder / "config.json", remove=["model_type", "architectures"])
    write_truth(folder, draw, writer=f"transformers {transformers.__version__}", head=f"DistilBert{end}", **truth)


def draw_config(draw: Draw, end: str) -> Any:
    """Sizes that are odd but right, and now and then a setting that changes the outputs."""
    import transformers

    heads = draw.choice((1, 2, 4))
    settings: dict[str, Any] = {
        "vocab_size": len(VOCABULARY) if draw.random() < 0.7 else -(-(len(VOCABULARY) + 5) // 8) * 8,
        "dim": heads * draw.choice((2, 4)),
        "n_heads": heads,
        "n_layers": draw.choice((1, 1, 2, 3)),
        "hidden_dim": draw.choice((5, 8, 11)),
        "max_position_embeddings": draw.choice((24, 31, 40)),
        "activation": draw.setting("activation", "gelu", ACTIVATIONS, 0.4),
        "sinusoidal_pos_embds": draw.random() < 0.25,
        "pad_token_id": draw.setting("pad_token_id", 0, (None, 1, 4)),
        "initializer_range": 0.3,
        "tie_word_embeddings": not draw.happens("tie_word_embeddings", 0.2),
        "chunk_size_feed_forward": draw.choice((0, 0, 0, 1)),
        **{key: draw.choice((0.0, 0.1, 0.3)) for key in ("dropout", "attention_dropout", "qa_dropout")},
        "seq_classif_dropout": draw.choice((0.0, 0.2)),
    }
    if end in ("ForSequenceClassification", "ForTokenClassification"):
        names = draw.sample(("O", "B-PER", "I-PER", "yes", "so so", "LABEL_7"), draw.choice((1, 2, 3, 5)))
        settings["id2label"] = dict(enumerate(names))
    return transformers.DistilBertConfig(**settings)


def write_weights(folder: Path, draw: Draw, model: Any) -> None:
    """config.json, and the weights in one of the forms that people have."""
    import torch

    dtype = {"float16": torch.float16, "bfloat16": torch.bfloat16}.get(
        draw.setting("dtype", "", ("float16", "bfloat16"))
    )
    model = model.to(dtype) if dtype is not None else model
    form = draw.choice(("safetensors", "safetensors", "sharded", "bin", "bin", "old zip"))
    model.save_pretrained(folder, max_shard_size="1KB" if form == "sharded" else "1GB")
    if form not in ("bin", "old zip"):
        return
    (folder / "model.safetensors").unlink()
    state: Any = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    if draw.happens("extra tensors", 0.3):
        state["crf.transitions"] = torch.zeros(3, 3)
        state["distilbert.embeddings.position_ids"] = torch.arange(model.config.max_position_embeddings)[None]
        if not any(name.startswith("distilbert.") for name in model.state_dict()):
            state["embeddings.position_ids"] = state.pop("distilbert.embeddings.position_ids")
    prefix = draw.setting("prefix", "", PREFIXES, 0.25)
    state = {prefix + name: tensor for name, tensor in state.items()}
    for key in reversed(draw.setting("wrapper", (), WRAPPERS, 0.2)):
        state = {key: state, "epoch": 3}
    torch.save(state, folder / "pytorch_model.bin", _use_new_zipfile_serialization=form == "bin")


def answers(folder: Path, draw: Draw, head: str, length: int) -> dict[str, Any]:
    """What Transformers makes of the files: ids, hidden states and the head's outputs of a few texts."""
    import torch
    import transformers

    texts = some_texts(draw)
    pairs = [draw.choice(PAIRS) for _ in texts] if draw.random() < 0.4 else None
    truth: dict[str, Any] = {"texts": texts, "pairs": pairs, "max_length": length}
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
        rows = tokenizer(texts, pairs, truncation=True, max_length=length)
    except Exception as error:  # its own way to refuse
        return {**truth, "tokenizer_error": f"{type(error).__name__}: {error}"[:300]}
    truth |= {"ids": rows["input_ids"]}
    if {"prefix", "wrapper"} & set(draw.surprises):  # Transformers does not undo these: put them right for it
        unwrap(folder, draw)
    if max(max(row) for row in rows["input_ids"]) >= json.loads((folder / "config.json").read_text())["vocab_size"]:
        return {**truth, "model_error": "a token that the table has no row for"}
    try:
        model = getattr(transformers, head).from_pretrained(folder, dtype=torch.float32).eval()
        outputs: dict[str, list] = {"hidden": [], "pooled": [], "logits": []}
        with torch.inference_mode():
            for ids in rows["input_ids"]:
                given = {"input_ids": torch.tensor([ids])}
                base = getattr(model, "distilbert", model)(**given, return_dict=True)
                outputs["hidden"].append(rounded(base.last_hidden_state[0]))
                outputs["pooled"].append(None)
                outputs["logits"].append(head_output(model, head.removeprefix("Distil"), given))
    except Exception as error:
        truth["model_error"] = f"{type(error).__name__}: {error}"[:300]
        return truth
    finally:
        if (folder / "as_found.bin").is_file():
            (folder / "as_found.bin").replace(folder / "pytorch_model.bin")
    return truth | outputs


if __name__ == "__main__":
    main()
