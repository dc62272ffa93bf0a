"""Folders of Transformers' BERT classes, and older forms of them, with what Transformers answers from the files.

PEER -m benchmarks.random_folders.transformers_side OUT --seed=1 --count=40        (needs torch and transformers)
"""

# pyright: reportMissingImports=false
from __future__ import annotations

import argparse
import json
import warnings
from pathlib import Path
from typing import Any

from benchmarks.random_folders.draw import (
    NAMED,
    ORDINARY,
    PAIRS,
    SPECIAL,
    VOCABULARY,
    Draw,
    patch_json,
    rounded,
    some_texts,
    write_truth,
)

HEADS = (
    "BertModel", "BertForSequenceClassification", "BertForTokenClassification", "BertForQuestionAnswering",
    "BertForMaskedLM", "BertForPreTraining", "BertForNextSentencePrediction", "BertForMultipleChoice",
    "BertLMHeadModel",
)  # fmt: skip
ACTIVATIONS = (
    "gelu_new", "gelu_fast", "gelu_python", "gelu_accurate", "gelu_pytorch_tanh", "gelu_python_tanh", "quick_gelu",
    "relu", "silu", "swish", "mish", "tanh", "linear", "gelu_10", "relu6", "sigmoid", "leaky_relu", "hardswish",
)  # fmt: skip
FLAGS = ("single_word", "lstrip", "rstrip", "normalized")
PREFIXES = ("module.", "model.", "_orig_mod.", "model.module.", "net.encoder.")
WRAPPERS = (("state_dict",), ("model_state_dict",), ("model",), ("checkpoint", "state_dict"))
OLD_KEYS = {
    "pooler_type": "first_token_transform", "pooler_fc_size": 8, "directionality": "bidi", "_name_or_path": "old/name",
    "gradient_checkpointing": False, "position_embedding_type": "absolute", "torch_dtype": "float32",
    "output_past": True, "finetuning_task": "mnli", "output_hidden_states": True, "return_dict": False,
    "language": "en", "attn_implementation": "eager", "xla_device": True, "my_own_note": [1, 2],
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=40)
    flags = parser.parse_args()
    warnings.simplefilter("ignore")
    for number in range(flags.count):
        name = f"transformers_{flags.seed}_{number:03d}"
        make(flags.out / name, Draw(name), number)
        print(name, (flags.out / name / "truth.json").read_text(encoding="utf-8")[:150], flush=True)


def make(folder: Path, draw: Draw, number: int) -> None:
    """One folder with its truth.json."""
    import torch
    import transformers

    torch.manual_seed(number)
    folder.mkdir(parents=True)
    head = HEADS[number % 5] if number % 3 else draw.choice(HEADS)  # the usual ones mostly
    config = draw_config(draw, head)
    model = getattr(transformers, head)(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    length = write_tokenizer(folder, draw, config)
    write_weights(folder, draw, model)
    patch_json(
        folder / "config.json",
        remove=draw.sample(["architectures", "transformers_version", "dtype", "use_cache"], draw.choice([0, 0, 1, 2])),
        **{key: OLD_KEYS[key] for key in draw.sample(sorted(OLD_KEYS), draw.choice([0, 0, 2, 4]))},
    )
    write_truth(
        folder,
        draw,
        writer=f"transformers {transformers.__version__}",
        head=head,
        **answers(folder, draw, head, length),
    )


def draw_config(draw: Draw, head: str) -> Any:
    """Sizes that are odd but right, and now and then a setting that changes the outputs."""
    import transformers

    heads = draw.choice((1, 2, 4))
    settings: dict[str, Any] = {
        "vocab_size": len(VOCABULARY) if draw.random() < 0.7 else -(-(len(VOCABULARY) + 5) // 8) * 8,
        "hidden_size": heads * draw.choice((2, 3)),
        "num_attention_heads": heads,
        "num_hidden_layers": draw.choice((1, 1, 2, 3)),
        "intermediate_size": draw.choice((5, 8, 11)),
        "max_position_embeddings": draw.choice((24, 31, 40)),
        "type_vocab_size": draw.setting("type_vocab_size", 2, (1, 3)),
        "hidden_act": draw.setting("hidden_act", "gelu", ACTIVATIONS, 0.4),
        "layer_norm_eps": draw.setting("layer_norm_eps", 1e-12, (1e-5, 1e-7, 0.1)),
        "pad_token_id": draw.setting("pad_token_id", 0, (None, 1, 4)),
        "is_decoder": draw.happens("is_decoder", 0.8 if head == "BertLMHeadModel" else 0.06),
        "initializer_range": 0.3,
        "classifier_dropout": draw.choice((None, 0.0, 0.25)),
        "tie_word_embeddings": not draw.happens("tie_word_embeddings", 0.2),
        "chunk_size_feed_forward": draw.choice((0, 0, 0, 1)),
    }
    if head in ("BertForSequenceClassification", "BertForTokenClassification"):
        count = draw.choice((1, 2, 3, 5))
        names = draw.sample(("O", "B-PER", "I-PER", "B-LOC", "I-LOC", "yes", "no", "so so", "LABEL_7"), count)
        settings["id2label"] = dict(enumerate(names))
        if head == "BertForSequenceClassification":
            usual = "regression" if count == 1 else "single_label_classification"
            settings["problem_type"] = draw.choice((None, usual, usual, "multi_label_classification"))
    if settings["is_decoder"] and draw.random() < 0.3:
        settings["add_cross_attention"] = draw.surprises["add_cross_attention"] = True
    return transformers.BertConfig(**settings)


def write_tokenizer(folder: Path, draw: Draw, config: Any) -> int:
    """Files of a tokenizer in one of three forms. Returns the most tokens of a text that the model can take."""
    from tokenizers import AddedToken
    from transformers import BertTokenizer

    vocabulary = list(VOCABULARY)
    renamed = draw.setting(
        "special names", {}, ({"unk_token": "<unk>"}, {"sep_token": "</s>", "cls_token": "<s>"}), 0.1
    )
    for argument, token in renamed.items():
        vocabulary[vocabulary.index(f"[{argument[:3].upper()}]")] = token
    lower = draw.random() < 0.6
    arguments = {
        "do_lower_case": lower,
        "strip_accents": draw.choice((None, None, True, False)),
        "tokenize_chinese_chars": draw.random() < 0.85,
        "model_max_length": draw.choice((16, 20, 512, int(1e30))),
        **renamed,
    }
    tokenizer = BertTokenizer(vocab={token: number for number, token in enumerate(vocabulary)}, **arguments)
    room = config.vocab_size - len(vocabulary)
    for token in draw.sample(ORDINARY, min(room, 3)) if draw.happens("added ordinary tokens", 0.25) and room else ():
        flags = {flag: draw.random() < 0.3 for flag in FLAGS[:3]}
        tokenizer.add_tokens([AddedToken(token, normalized=draw.random() < 0.6, **flags)])
    for token in draw.sample(NAMED, min(room, 2)) if draw.happens("added special tokens", 0.25) and room else ():
        tokenizer.add_special_tokens(
            {"extra_special_tokens": [AddedToken(token, special=True)]}, replace_extra_special_tokens=False
        )
    tokenizer.save_pretrained(folder)
    form = draw.choice(("new", "both", "old"))
    if form != "new":
        end = draw.choice(("\n", "\n", "\r\n")) if form == "old" else "\n"
        (folder / "vocab.txt").write_bytes("".join(f"{token}{end}" for token in vocabulary).encode())
        if end != "\n":
            draw.surprises["vocab.txt"] = "CRLF"
    if form == "old":
        write_old_tokenizer(folder, draw, tokenizer, arguments, renamed)
    return min(config.max_position_embeddings, arguments["model_max_length"])


def write_old_tokenizer(folder: Path, draw: Draw, tokenizer: Any, arguments: dict[str, Any], renamed: dict) -> None:
    """tokenizer_config.json and special_tokens_map.json as version 4 wrote them, in place of tokenizer.json."""
    (folder / "tokenizer.json").unlink()
    names = {f"{token[1:-1].lower()}_token": token for token in SPECIAL} | renamed
    config = {**arguments, **names, "tokenizer_class": "BertTokenizer", "clean_up_tokenization_spaces": True}
    added = {
        str(number): {
            "content": token.content, "lstrip": token.lstrip, "normalized": token.normalized, "rstrip": token.rstrip,
            "single_word": token.single_word, "special": token.special,
        }
        for number, token in tokenizer.added_tokens_decoder.items()
    }  # fmt: skip
    config["added_tokens_decoder"] = added
    config["additional_special_tokens"] = [t["content"] for t in added.values() if t["content"] in NAMED]
    for key, value in (("do_basic_tokenize", True), ("never_split", None), ("name_or_path", "x/y")):
        if draw.random() < 0.4:
            config[key] = value
    for key in ("do_lower_case", "strip_accents", "tokenize_chinese_chars", "tokenizer_class", "model_max_length"):
        if draw.happens(f"no {key}", 0.08):
            del config[key]
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=1), encoding="utf-8")
    (folder / "special_tokens_map.json").write_text(json.dumps(names), encoding="utf-8")


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
        state["bert.embeddings.position_ids"] = torch.arange(model.config.max_position_embeddings)[None]
    if draw.happens("gamma and beta", 0.2):
        state = {
            name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"): tensor
            for name, tensor in state.items()
        }
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
    pairs = (
        [draw.choice(PAIRS) for _ in texts] if draw.random() < 0.4 and "type_vocab_size" not in draw.surprises else None
    )
    truth: dict[str, Any] = {"texts": texts, "pairs": pairs, "max_length": length}
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
        rows = tokenizer(texts, pairs, truncation=True, max_length=length)
    except Exception as error:  # its own way to refuse
        return {**truth, "tokenizer_error": f"{type(error).__name__}: {error}"[:300]}
    truth |= {"ids": rows["input_ids"], "segments": rows["token_type_ids"]}
    if {"prefix", "wrapper"} & set(draw.surprises):  # Transformers does not undo these: put them right for it
        unwrap(folder, draw)
    if max(max(row) for row in rows["input_ids"]) >= json.loads((folder / "config.json").read_text())["vocab_size"]:
        return {**truth, "model_error": "a token that the table has no row for"}
    try:
        model = getattr(transformers, head).from_pretrained(folder, dtype=torch.float32).eval()
        outputs: dict[str, list] = {"hidden": [], "pooled": [], "logits": []}
        with torch.inference_mode():
            for ids, segments in zip(rows["input_ids"], rows["token_type_ids"], strict=True):
                given = {"input_ids": torch.tensor([ids]), "token_type_ids": torch.tensor([segments])}
                base = getattr(model, "bert", model)(**given, return_dict=True)
                outputs["hidden"].append(rounded(base.last_hidden_state[0]))
                outputs["pooled"].append(None if base.pooler_output is None else rounded(base.pooler_output[0]))
                outputs["logits"].append(head_output(model, head, given))
    except Exception as error:
        truth["model_error"] = f"{type(error).__name__}: {error}"[:300]
        return truth
    finally:
        if (folder / "as_found.bin").is_file():
            (folder / "as_found.bin").replace(folder / "pytorch_model.bin")
    return truth | outputs


def head_output(model: Any, head: str, given: dict[str, Any]) -> Any:
    if head in ("BertModel", "BertForMultipleChoice"):
        return None
    found = model(**given, return_dict=True)
    if head == "BertForQuestionAnswering":
        return [rounded(found.start_logits[0]), rounded(found.end_logits[0])]
    if head == "BertForPreTraining":
        return [rounded(found.prediction_logits[0]), rounded(found.seq_relationship_logits[0])]
    return rounded(found.logits[0])


def unwrap(folder: Path, draw: Draw) -> None:
    import torch

    path = folder / "pytorch_model.bin"
    state = torch.load(path, weights_only=True)
    path.rename(folder / "as_found.bin")
    for key in draw.surprises.get("wrapper", ()):
        state = state[key]
    prefix = draw.surprises.get("prefix", "")
    torch.save({name.removeprefix(prefix): tensor for name, tensor in state.items()}, path)


if __name__ == "__main__":
    main()
