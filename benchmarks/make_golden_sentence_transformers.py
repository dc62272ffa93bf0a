"""Makes tests/golden/sentence_transformers.zip: folders that sentence-transformers wrote, and what it answers.

    python benchmarks/make_golden_sentence_transformers.py      (needs sentence-transformers, PyTorch, Transformers 5)

Each folder has a truth.json: texts (and pairs), and the vectors or scores of them. Weights are random; the forms that
older versions wrote are made of the newer ones by hand.
"""

# pyright: reportMissingImports=false
from __future__ import annotations

import json
import shutil
import sys
import tempfile
import warnings
import zipfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "tests" / "golden" / "sentence_transformers.zip"
LETTERS = "abcdehiloqrstuy:.é"
VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "query", "É", *LETTERS, *(f"##{c}" for c in LETTERS)]
TEXTS = ["a bc.", "", "hello sir", "Query: BE É é", "the day the code ".replace("n", "a") * 6]
PAIRS = ["the", "a day", "", "hello", "query: a"]
OLD_KEYS = {
    "cls": "pooling_mode_cls_token",
    "max": "pooling_mode_max_tokens",
    "mean": "pooling_mode_mean_tokens",
    "mean_sqrt_len_tokens": "pooling_mode_mean_sqrt_len_tokens",
    "weightedmean": "pooling_mode_weightedmean_tokens",
    "lasttoken": "pooling_mode_lasttoken",
}


def main() -> None:
    """Writes the file."""
    import torch

    torch.manual_seed(1)
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work)
        for name in OLD_KEYS:
            embedder(folder / name, name, normalize=name == "lasttoken")
        embedder(folder / "two_poolings", ("lasttoken", "cls", "weightedmean"))
        embedder(folder / "old_two_poolings", ("cls", "max"), old=True)
        embedder(folder / "dense", "cls", dense=torch.nn.Tanh(), normalize=True)
        embedder(folder / "dense_of_two", ("mean", "max"), dense=torch.nn.GELU(), bias=False, old=True)
        embedder(folder / "prompt", "mean", prompts={"query": "query: ", "passage": "a "}, default="query")
        embedder(folder / "named_prompts", "mean", prompts={"query": "query: ", "passage": "a "})
        embedder(folder / "without_prompt", "mean", prompts={"query": "query: "}, default="query", include=False)
        embedder(folder / "truncated", "mean", normalize=True, truncate_dim=3)
        embedder(folder / "lowered", "mean", old=True, lowered=True)
        embedder(folder / "apart", "max", old=True, apart=True, normalize=True)
        embedder(folder / "norm_after", "mean", norm=True)
        for name, activation in (("sigmoid", torch.nn.Sigmoid()), ("identity", torch.nn.Identity()), ("none", None)):
            cross_encoder(folder / f"cross_{name}", activation, form="new")
        cross_encoder(folder / "cross_tanh", torch.nn.Tanh(), form="new")
        cross_encoder(folder / "cross_4", torch.nn.Identity(), form="4")
        cross_encoder(folder / "cross_3", torch.nn.Sigmoid(), form="3")
        cross_encoder(folder / "cross_three_labels", None, form="new", labels=3)
        cross_encoder(folder / "cross_softmax", torch.nn.Softmax(), form="new", labels=3)
        with zipfile.ZipFile(OUT, "w", zipfile.ZIP_DEFLATED) as file:
            for path in sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix != ".md"):
                entry = zipfile.ZipInfo(str(path.relative_to(folder)), (2026, 1, 1, 0, 0, 0))
                file.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED)


def bert(folder: Path, head: str, *, lower: bool = True, **settings: Any) -> None:
    """A small BERT and its tokenizer, as Transformers writes them."""
    import torch
    import transformers

    config = transformers.BertConfig(
        vocab_size=len(VOCABULARY), hidden_size=4, num_attention_heads=2, num_hidden_layers=1, intermediate_size=6,
        max_position_embeddings=24, initializer_range=0.5, **settings,
    )  # fmt: skip
    model = getattr(transformers, head)(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    model.save_pretrained(folder)
    words = {token: i for i, token in enumerate(VOCABULARY)}
    transformers.BertTokenizer(vocab=words, do_lower_case=lower, model_max_length=24).save_pretrained(folder)


def embedder(
    folder: Path, modes: Any, *, dense: Any = None, bias: bool = True, normalize: bool = False, norm: bool = False,
    prompts: Any = None, default: str | None = None, include: bool = True, truncate_dim: int | None = None,
    old: bool = False, lowered: bool = False, apart: bool = False,
) -> None:  # fmt: skip
    """One model that makes vectors, as the newest version writes it or as an `old` one did."""
    import sentence_transformers
    from sentence_transformers import models

    plain = folder.with_name(f".{folder.name}")
    bert(plain, "BertModel", lower=not lowered)
    pooling = models.Pooling(4, pooling_mode=modes, include_prompt=include)
    modules: list[Any] = [models.Transformer(str(plain), max_seq_length=20), pooling]
    if dense is not None:
        modules.append(models.Dense(pooling.pooling_output_dimension, 5, bias=bias, activation_function=dense))
    modules += [models.LayerNorm(4)] if norm else []
    modules += [models.Normalize()] if normalize else []
    sentence_transformers.SentenceTransformer(
        modules=modules, prompts=prompts, default_prompt_name=default, truncate_dim=truncate_dim, device="cpu"
    ).save(str(folder), create_model_card=False)
    shutil.rmtree(plain)
    if old:
        write_old_form(folder, modes, lowered=lowered, apart=apart)
    model = sentence_transformers.SentenceTransformer(str(folder), device="cpu")
    write_truth(folder, texts=TEXTS, vectors=model.encode(TEXTS).tolist())


def write_old_form(folder: Path, modes: Any, *, lowered: bool, apart: bool) -> None:
    """As version 2 and, with a folder for the transformer, version 1 wrote it."""
    modules = json.loads((folder / "modules.json").read_text())
    for module in modules:
        module["type"] = "sentence_transformers.models." + module["type"].rpartition(".")[2]
    chosen = (modes,) if isinstance(modes, str) else modes
    pooling = {"word_embedding_dimension": 4, **{key: mode in chosen for mode, key in OLD_KEYS.items()}}
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(pooling))
    (folder / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": 20, "do_lower_case": lowered}))
    (folder / "config_sentence_transformers.json").unlink()
    if apart:
        modules[0]["path"] = "0_BERT"
        (folder / "0_BERT").mkdir()
        for path in [path for path in folder.iterdir() if path.is_file() and path.name != "modules.json"]:
            path.rename(folder / "0_BERT" / path.name)
    (folder / "modules.json").write_text(json.dumps(modules))


def cross_encoder(folder: Path, activation: Any, *, form: str, labels: int = 1) -> None:
    """One model that scores pairs, as a version wrote it."""
    import sentence_transformers

    plain = folder.with_name(f".{folder.name}")
    bert(plain, "BertForSequenceClassification", num_labels=labels)
    model = sentence_transformers.CrossEncoder(str(plain), activation_fn=activation, device="cpu")
    model.save_pretrained(str(folder))
    if form != "new":
        for name in ("modules.json", "config_sentence_transformers.json", "sentence_bert_config.json"):
            (folder / name).unlink()
        path = f"torch.nn.modules.{'linear' if form == '4' else 'activation'}.{type(activation).__name__}"
        raw = json.loads((folder / "config.json").read_text())
        raw |= {"sentence_transformers": {"activation_fn": path, "version": "4.1.0"}} if form == "4" else {}
        raw |= {"sbert_ce_default_activation_function": path} if form == "3" else {}
        (folder / "config.json").write_text(json.dumps(raw))
    shutil.rmtree(plain)
    model = sentence_transformers.CrossEncoder(str(folder), device="cpu")
    scores = model.predict(list(zip(TEXTS, PAIRS, strict=True)))
    write_truth(folder, texts=TEXTS, pairs=PAIRS, scores=scores.tolist())


def write_truth(folder: Path, **truth: Any) -> None:
    (folder / "truth.json").write_text(json.dumps(truth, ensure_ascii=False))


if __name__ == "__main__":
    sys.exit(main())
