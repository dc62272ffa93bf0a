"""Folders of sentence-transformers, newer and older forms, and the vectors and scores that it gives for raw texts.

PEER -m benchmarks.random_folders.sentence_transformers_side OUT --seed=1 --count=16
"""

# pyright: reportMissingImports=false
from __future__ import annotations

import argparse
import json
import warnings
from pathlib import Path
from typing import Any

from benchmarks.random_folders.draw import PAIRS, VOCABULARY, Draw, patch_json, rounded, some_texts, write_truth

MODES = ("mean", "cls", "max", "mean_sqrt_len_tokens", "weightedmean", "lasttoken")
OLD_NAMES = {
    "cls": "pooling_mode_cls_token", "mean": "pooling_mode_mean_tokens", "max": "pooling_mode_max_tokens",
    "mean_sqrt_len_tokens": "pooling_mode_mean_sqrt_len_tokens", "weightedmean": "pooling_mode_weightedmean_tokens",
    "lasttoken": "pooling_mode_lasttoken",
}  # fmt: skip
ACTIVATIONS = ("torch.nn.modules.linear.Identity", "torch.nn.modules.activation.Sigmoid")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=16)
    flags = parser.parse_args()
    warnings.simplefilter("ignore")
    for number in range(flags.count):
        name = f"sentence_transformers_{flags.seed}_{number:03d}"
        draw = Draw(name)
        (make_cross_encoder if number % 4 == 3 else make_embedder)(flags.out / name, draw, number)
        print(name, draw.surprises, flush=True)


def write_bert(folder: Path, draw: Draw, number: int, head: str, **settings: Any) -> Any:
    """A small BERT with its tokenizer, as Transformers writes them. Returns its config."""
    import torch
    import transformers

    torch.manual_seed(number)
    config = transformers.BertConfig(
        vocab_size=len(VOCABULARY), hidden_size=8, num_attention_heads=2, num_hidden_layers=draw.choice((1, 2)),
        intermediate_size=9, max_position_embeddings=40, initializer_range=0.3, **settings,
    )  # fmt: skip
    model = getattr(transformers, head)(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    model.save_pretrained(folder)
    ids = {token: i for i, token in enumerate(VOCABULARY)}
    tokenizer = transformers.BertTokenizer(vocab=ids, do_lower_case=draw.random() < 0.5, model_max_length=40)
    tokenizer.save_pretrained(folder)
    return config


def make_embedder(folder: Path, draw: Draw, number: int) -> None:
    """A transformer, a pooling, and what may follow; then perhaps the form that older versions wrote."""
    import sentence_transformers
    import torch
    from sentence_transformers import models

    plain = folder.parent / f".{folder.name}"
    write_bert(plain, draw, number, "BertModel")
    lower = draw.happens("do_lower_case", 0.25)
    transformer = models.Transformer(str(plain), max_seq_length=draw.choice((12, 40)), do_lower_case=lower)
    modes = draw.setting("pooling_mode", draw.choice(MODES[:3]), [*MODES[3:], ("mean", "max"), ("cls", "mean")], 0.35)
    pooling = models.Pooling(8, pooling_mode=modes)
    modules: list[Any] = [transformer, pooling]
    width = pooling.get_sentence_embedding_dimension()
    if draw.happens("Dense", 0.25):
        activation = draw.choice((torch.nn.Tanh(), torch.nn.Identity(), torch.nn.ReLU()))
        modules.append(
            models.Dense(width, draw.choice((4, width)), bias=draw.random() < 0.7, activation_function=activation)
        )
    if draw.happens("LayerNorm", 0.08):
        modules.append(models.LayerNorm(modules[-1].get_sentence_embedding_dimension()))
    if draw.random() < 0.5:
        modules.append(models.Normalize())
    prompts = draw.setting("prompts", {}, [{"query": "good: ", "passage": "bad "}], 0.4)
    default = draw.setting("default_prompt_name", None, ["query"], 0.5) if prompts else None
    model = sentence_transformers.SentenceTransformer(
        modules=modules, prompts=prompts, default_prompt_name=default, device="cpu",
        similarity_fn_name=draw.choice((None, "cosine", "dot")),
    )  # fmt: skip
    if default and draw.happens("include_prompt", 0.5):
        model.set_pooling_include_prompt(False)
    model.save(str(folder), create_model_card=False)
    if draw.random() < 0.5:
        write_old_form(folder, draw)
    texts = some_texts(draw)
    loaded = sentence_transformers.SentenceTransformer(str(folder), device="cpu")
    vectors = loaded.encode(texts, convert_to_numpy=True)
    version = f"sentence-transformers {sentence_transformers.__version__}"
    write_truth(
        folder, draw, writer=version, head="SentenceTransformer", texts=texts, pairs=None, answers=rounded(vectors)
    )
    for path in sorted(plain.rglob("*"), reverse=True):
        path.unlink()
    plain.rmdir()


def write_old_form(folder: Path, draw: Draw) -> None:
    """Names of modules and of the pooling's keys before version 5; perhaps the transformer in a folder of its own."""
    modules = json.loads((folder / "modules.json").read_text(encoding="utf-8"))
    for module in modules:
        module["type"] = "sentence_transformers.models." + module["type"].rpartition(".")[2]
    path = folder / "1_Pooling" / "config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    modes = config.pop("pooling_mode")
    modes = [modes] if isinstance(modes, str) else modes
    width = config.pop("embedding_dimension", 8)
    old = {"word_embedding_dimension": width, **{key: mode in modes for mode, key in OLD_NAMES.items()}, **config}
    path.write_text(json.dumps(old), encoding="utf-8")
    if draw.happens("0_Transformer", 0.4):
        inner = folder / "0_Transformer"
        inner.mkdir()
        for file in folder.iterdir():
            if file.is_file() and file.name not in ("modules.json", "config_sentence_transformers.json"):
                file.rename(inner / file.name)
        modules[0]["path"] = "0_Transformer"
    (folder / "modules.json").write_text(json.dumps(modules), encoding="utf-8")


def make_cross_encoder(folder: Path, draw: Draw, number: int) -> None:
    """A model that scores pairs, with the activation that its config names."""
    import sentence_transformers

    write_bert(folder, draw, number, "BertForSequenceClassification", num_labels=1)
    name = draw.choice(ACTIVATIONS)
    draw.surprises["activation"] = name
    if draw.random() < 0.5:
        patch_json(folder / "config.json", sentence_transformers={"activation_fn": name, "version": "4.0.1"})
    else:
        patch_json(folder / "config.json", sbert_ce_default_activation_function=name)
    texts = some_texts(draw)
    pairs = [draw.choice(PAIRS) for _ in texts]
    model = sentence_transformers.CrossEncoder(str(folder), device="cpu")
    scores = model.predict(list(zip(texts, pairs, strict=True)))
    version = f"sentence-transformers {sentence_transformers.__version__}"
    write_truth(folder, draw, writer=version, head="CrossEncoder", texts=texts, pairs=pairs, answers=rounded(scores))


if __name__ == "__main__":
    main()
