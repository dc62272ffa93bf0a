"""The tokenizer's files: vocab.txt and tokenizer_config.json, tokenizer.json, KerasHub's assets."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bert_tf.errors import UserError
from bert_tf.text.vocabulary import read_vocabulary

SPECIAL = ("unk_token", "sep_token", "pad_token", "cls_token", "mask_token")
BRACKETS = (("[", "]"), ("<", ">"))
FLAGS = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
# Transformers' tokenizers that do what BERT's does; anything else that says what it is gets refused.
CLASSES = {
    name + suffix
    for name in ("Bert", "DistilBert", "Electra", "MobileBert", "ConvBert", "SqueezeBert")
    for suffix in ("Tokenizer", "TokenizerFast")
} | {"LayoutLMTokenizer", "LayoutLMTokenizerFast", "PreTrainedTokenizerFast", "TokenizersBackend"}
REFERENCE = {
    "normalizer": {"type": "BertNormalizer", "clean_text": True},
    "pre_tokenizer": {"type": "BertPreTokenizer"},
    "model": {"type": "WordPiece", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100},
}


def read(where: str | os.PathLike[str]) -> tuple[dict[str, Any], Path]:
    """Returns the arguments of a BertTokenizer, and the file that they are from.

    A .txt file of another name than vocab.txt is a vocabulary by itself, whatever lies beside it.
    """
    from bert_tf.weights.places import folder_of, inner_folder, resolve

    path = Path(where).expanduser()
    if path.suffix == ".txt" and path.name != "vocab.txt" and not path.is_dir():
        tokens = read_vocabulary(path)
        return {"vocabulary": tokens, "lowercase": looks_lower(tokens)}, path
    folder = inner_folder(folder_of(resolve(where)))
    vocabulary, tokenizer, preset = folder / "vocab.txt", folder / "tokenizer.json", folder / "assets" / "tokenizer"
    if vocabulary.is_file():
        return read_vocabulary_folder(folder), vocabulary
    if (preset / "vocabulary.txt").is_file():
        config = read_json(tokenizer).get("config", {}) if tokenizer.is_file() else {}
        tokens = read_vocabulary(preset / "vocabulary.txt")
        return {"vocabulary": tokens, "lowercase": config.get("lowercase", looks_lower(tokens))}, preset
    if tokenizer.is_file():
        return read_tokenizer_json(tokenizer), tokenizer
    raise UserError(f"{folder}: no tokenizer here: expected vocab.txt, tokenizer.json or {preset.name}/vocabulary.txt")


def read_vocabulary_folder(folder: Path) -> dict[str, Any]:
    path = folder / "tokenizer_config.json"
    config = read_json(path) if path.is_file() else {}
    if config.get("tokenizer_class", "BertTokenizer") not in CLASSES:
        raise UserError(f"{path}: `tokenizer_class` must be BertTokenizer. Received: {config['tokenizer_class']!r}")
    if config.get("do_basic_tokenize", True) is not True:
        raise UserError(f"{path}: `do_basic_tokenize` must be true. Received: {config['do_basic_tokenize']!r}")
    tokens = list(read_vocabulary(folder / "vocab.txt"))
    arguments: dict[str, Any] = {
        "lowercase": config.get("do_lower_case", looks_lower(tokens)),
        "strip_accents": config.get("strip_accents"),
        "split_cjk": config.get("tokenize_chinese_chars", True),
    }
    names = read_json(folder / "special_tokens_map.json") if (folder / "special_tokens_map.json").is_file() else {}
    names |= config
    arguments |= {name: content(names[name]) for name in SPECIAL if names.get(name) is not None}
    added = {int(number): entry for number, entry in config.get("added_tokens_decoder", {}).items()}
    if (folder / "added_tokens.json").is_file():
        added = {number: token for token, number in read_json(folder / "added_tokens.json").items()} | added
    listed = [*(names.get("additional_special_tokens") or []), *(names.get("extra_special_tokens") or [])]
    arguments["extra_special_tokens"] = add_tokens(tokens, added, path, arguments, [content(t) for t in listed])
    return {"vocabulary": tokens, **arguments}


def read_tokenizer_json(path: Path) -> dict[str, Any]:
    """Reads the file of the `tokenizers` library, with the special tokens' names from the files beside it."""
    raw = read_json(path)
    for part, expected in REFERENCE.items():
        found = raw.get(part) or {}
        for key, value in expected.items():
            if found.get(key) != value:
                raise UserError(f"{path}: not BERT's: `{part}.{key}` must be {value!r}. Received: {found.get(key)!r}")
    ids = raw["model"].get("vocab", {})
    if sorted(ids.values()) != list(range(len(ids))):
        raise UserError(
            f"{path}: `model.vocab` must number its tokens from 0 without gaps. Received: {len(ids)} tokens"
        )
    tokens = sorted(ids, key=ids.__getitem__)
    arguments: dict[str, Any] = {
        "lowercase": raw["normalizer"].get("lowercase", True),
        "strip_accents": raw["normalizer"].get("strip_accents"),
        "split_cjk": raw["normalizer"].get("handle_chinese_chars", True),
        "unk_token": raw["model"].get("unk_token", "[UNK]"),
    }
    for name in ("special_tokens_map.json", "tokenizer_config.json"):
        if (path.parent / name).is_file():
            names = read_json(path.parent / name)
            arguments |= {key: content(names[key]) for key in SPECIAL if names.get(key) is not None}
    added = {entry["id"]: entry for entry in raw.get("added_tokens", ())}
    arguments["extra_special_tokens"] = add_tokens(tokens, added, path, arguments, [])
    return {"vocabulary": tokens, **arguments}


def add_tokens(
    tokens: list[str], added: Mapping[int, Any], path: Path, arguments: Mapping[str, Any], listed: Sequence[str]
) -> tuple[str, ...]:
    """Appends to `tokens` what was added behind the vocabulary. Returns the special tokens beyond the usual five."""
    extra = list(listed)
    for number, entry in sorted(added.items()):
        token = content(entry)
        if isinstance(entry, Mapping):
            odd = {k: entry[k] for k, v in FLAGS.items() if entry.get(k, v) != v}
            if odd or not entry.get("special", True):
                what = ", ".join(f"{k}={v}" for k, v in odd.items()) or "special=False"
                raise UserError(
                    f"{path}: an added token must be special and matched as it is. Received: {token!r}, {what}"
                )
        if number == len(tokens):
            tokens.append(token)
        elif number > len(tokens) or tokens[number] != token:
            raise UserError(f"{path}: added tokens must follow the vocabulary. Received: {token!r} with id {number}")
        extra.append(token)
    usual = {arguments.get(name, f"[{name[: -len('_token')].upper()}]") for name in SPECIAL}
    return tuple(dict.fromkeys(token for token in extra if token not in usual))


def looks_lower(tokens: Sequence[str]) -> bool:
    """Where no file says so: a vocabulary with capitals, apart from [SPECIAL] and <S>, is of text with capitals."""
    return not any(token != token.lower() for token in tokens if (token[:1], token[-1:]) not in BRACKETS)


def content(token: Any) -> Any:
    return token["content"] if isinstance(token, Mapping) else token


def read_json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: expected JSON: {error}") from error
    if not isinstance(value, dict):
        raise UserError(f"{path}: expected a JSON object. Received: {type(value).__name__}")
    return value


def write(
    folder: str | os.PathLike[str],
    vocabulary: Sequence[str],
    *,
    special_tokens: Mapping[str, str],
    extra: Sequence[str],
    lowercase: bool,
    strip_accents: bool | None,
    split_cjk: bool,
) -> None:
    folder = Path(folder)
    named = dict.fromkeys([*special_tokens.values(), *extra])
    ids = {token: number for number, token in enumerate(vocabulary) if token in named}
    config = {
        "tokenizer_class": "BertTokenizer",
        "do_lower_case": lowercase,
        "strip_accents": strip_accents,
        "tokenize_chinese_chars": split_cjk,
        "model_max_length": 512,
        **special_tokens,
        "added_tokens_decoder": {
            str(ids[token]): {"content": token, **FLAGS, "special": True}
            for token in sorted(named, key=ids.__getitem__)
        },
    }
    names: dict[str, Any] = dict(special_tokens)
    if extra:
        config["additional_special_tokens"] = names["additional_special_tokens"] = list(extra)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_text(folder / "vocab.txt", "".join(f"{token}\n" for token in vocabulary))
        write_text(folder / "special_tokens_map.json", json.dumps(names, indent=2, ensure_ascii=False) + "\n")
        write_text(folder / "tokenizer_config.json", json.dumps(config, indent=2, ensure_ascii=False) + "\n")
    except OSError as error:
        raise UserError(f"{folder}: cannot write the tokenizer: {error.strerror}") from error


def write_text(path: Path, text: str) -> None:
    """Writes under another name first, so that `path` is never half a file."""
    unfinished = path.with_name(f".{path.name}.unfinished")
    unfinished.write_bytes(text.encode("utf-8"))
    unfinished.replace(path)
