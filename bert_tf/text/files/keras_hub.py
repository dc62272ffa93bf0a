"""The tokenizer of a KerasHub preset: tokenizer.json with its settings, assets/tokenizer/vocabulary.txt."""

from __future__ import annotations

from collections.abc import Container, Mapping
from pathlib import Path
from typing import Any

from bert_tf.text.added_tokens import AddedToken
from bert_tf.text.files import keys
from bert_tf.text.files.json_file import read_json
from bert_tf.weights.vocabulary_file import read_vocabulary

VOCABULARY = Path("assets", "tokenizer", "vocabulary.txt")
CLASSES = ("BertTokenizer", "DistilBertTokenizer", "ElectraTokenizer", "WordPieceTokenizer")
DEFAULTS = {"lowercase": False, "strip_accents": False, "split_on_cjk": True, "special_tokens_in_strings": False}


def settings(tokenizer: Any) -> dict[str, Any]:
    """A BertTokenizer's rules as arguments of KerasHub's."""
    lowercase, strip = tokenizer.lowercase, tokenizer.strip_accents
    return {
        "lowercase": lowercase,
        "strip_accents": lowercase if strip is None else strip,
        "split_on_cjk": tokenizer.split_cjk,
        "oov_token": tokenizer.special_tokens["unk_token"],
        "special_tokens": list(tokenizer.extra_special_tokens) or None,
        "special_tokens_in_strings": not tokenizer.split_special_tokens,
    }


def read_preset(folder: Path, ignore: Container[str]) -> dict[str, Any]:
    """The arguments of a BertTokenizer, without `lowercase` if there is no tokenizer.json.

    Where KerasHub lower-cases it leaves accents, unless it is told to strip them; and a text that names a special
    token gets its pieces, unless `special_tokens_in_strings`. Both are followed.
    """
    vocabulary = folder / VOCABULARY
    tokens = read_vocabulary(vocabulary)
    path = folder / "tokenizer.json"
    if not path.is_file():
        return {"vocabulary": tokens}
    raw = read_json(path)
    name, config = raw.get("class_name"), raw.get("config", {})
    if name not in CLASSES and "class_name" not in ignore:
        raise keys.refusal(path, "class_name", name, f"must be one of {', '.join(CLASSES)}")
    keys.need(isinstance(config, Mapping), path, "config", config, "an object")
    keys.check(keys.KERAS_HUB, config, path, ignore, within="config.")
    flags = {key: config.get(key, default) for key, default in DEFAULTS.items()}
    for key, value in flags.items():
        keys.need(isinstance(value, bool), path, f"config.{key}", value, "true or false")
    special = config.get("special_tokens") or []
    is_list = isinstance(special, list) and all(isinstance(token, str) for token in special)
    keys.need(is_list, path, "config.special_tokens", special, "a list of tokens")
    for token in special:
        keys.need(token in tokens, path, "config.special_tokens", token, "tokens of the vocabulary")
    return {
        "vocabulary": tokens,
        "lowercase": flags["lowercase"],
        "strip_accents": flags["strip_accents"],
        "split_cjk": flags["split_on_cjk"],
        "split_special_tokens": not flags["special_tokens_in_strings"],
        "unk_token": config.get("oov_token", "[UNK]"),
        "added_tokens": tuple(AddedToken(token, special=True) for token in special),
    }
