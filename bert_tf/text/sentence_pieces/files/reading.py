"""A SentencePiece tokenizer's folder: tokenizer.json, or a model's file, and what stands beside them.

A tokenizer.json says every step, and is followed as it is. A model's file alone does not: the family that it is of
does, which tokenizer_config.json or config.json names.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Collection, Container, Mapping
from pathlib import Path
from typing import Any

from bert_tf.errors import UserError
from bert_tf.guard import held
from bert_tf.text.added_tokens import AddedToken
from bert_tf.text.files import keys
from bert_tf.text.files.added import Added, collect
from bert_tf.text.files.choice import JSON, folder_of
from bert_tf.text.files.json_file import read_if_there
from bert_tf.text.files.transformers import length_of
from bert_tf.text.sentence_pieces.files.byte_pairs_model import of_byte_pairs
from bert_tf.text.sentence_pieces.files.families import FAMILIES, MODEL_FILES, Family, controls
from bert_tf.text.sentence_pieces.files.model_file import BPE, KINDS, UNIGRAM, ModelFile, read_model
from bert_tf.text.sentence_pieces.files.pieces_json import PiecesJson, read_pieces_json
from bert_tf.weights.leave import Leave

LOG = logging.getLogger(__name__)
GENERAL = ("PreTrainedTokenizerFast", "TokenizersBackend", "PreTrainedTokenizer")
OPTIONS = ("do_lower_case", "keep_accents", "split_by_punct", "add_prefix_space")
CONFIG = keys.Table(
    used=keys.TOKENIZER_CONFIG.used - {"strip_accents", "tokenize_chinese_chars", "max_input_chars_per_word"}
    | frozenset((*OPTIONS, "legacy")),
    harmless=keys.TOKENIZER_CONFIG.harmless - {"add_prefix_space", "legacy"}
    | {"remove_space", "vocab_type", "trim_offsets", "unk_id", "spm_file", "sp_model_kwargs_file"},
    fixed={
        "add_bos_token": (None, False), "add_eos_token": (None, False), "add_special_tokens": (None, True),
        "sp_model_kwargs": keys.NONE, "truncation_side": (None, "right"),
    },
    unheeded={"padding_side": keys.TOKENIZER_CONFIG.unheeded["padding_side"]},
    whose="",
)  # fmt: skip


def read(where: str | os.PathLike[str], ignore: Collection[str] = ()) -> tuple[dict[str, Any], Path]:
    """The arguments of a SentencePieceTokenizer, and the file that they are from.

    Args:
        where: a folder or another place that weights come from, or a model's file.
        ignore: names of settings to ignore that would be refused otherwise.
    Raises: UserError if there is no such tokenizer.
    """
    leave = Leave(ignore)
    with held(where, "a tokenizer of SentencePiece"):
        folder = folder_of(where)
        arguments, source = read_folder(folder, leave)
    if leave.unmet:
        raise UserError(f"`ignore` names {', '.join(leave.unmet)}, and the tokenizer in {folder} has no such setting")
    return arguments, source


def read_folder(folder: Path, ignore: Container[str]) -> tuple[dict[str, Any], Path]:
    """The same, of a folder."""
    path = folder / "tokenizer_config.json"
    config, names = read_if_there(path), read_if_there(folder / "special_tokens_map.json")
    keys.check(CONFIG, config, path, ignore, also="_token")
    keys.check(keys.SPECIAL_TOKENS_MAP, names, folder / "special_tokens_map.json", ignore, also="_token")
    code = config.get("auto_map")
    code = code.get("AutoTokenizer") if isinstance(code, Mapping) else code
    if code and "auto_map" not in ignore:
        raise keys.refusal(path, "auto_map", code, "names a tokenizer that is code of its own", "")
    family = family_of(path, config, read_if_there(folder / "config.json"), ignore)
    for name in OPTIONS:
        keys.need(isinstance(config.get(name, False), bool), path, name, config.get(name), "true or false")
    if (folder / JSON).is_file() and JSON not in ignore:
        raw = read_pieces_json(folder / JSON, ignore)
        arguments = of_json(raw, family, path, config)
        return arguments | named(folder, path, config, names, family, arguments, raw, ignore), raw.path
    source = next((folder / name for name in MODEL_FILES if (folder / name).is_file()), None)
    if source is None:
        raise UserError(f"{folder}: no tokenizer here: expected {JSON} or {', '.join(MODEL_FILES)}")
    model = read_model(source)
    if family is None and model.model_type == BPE:
        arguments = of_byte_pairs(model, config, source)
        return arguments | named(folder, path, config, names, None, arguments, None, ignore), source
    if family is None:
        known = ", ".join(f"{family.prefix}Tokenizer" for family in FAMILIES)
        raise UserError(
            f"{path}: a model of SentencePiece does not say how its ids and its special tokens are used: expected "
            f"`tokenizer_class`, one of {known}. Received: none"
        )
    arguments = of_model(model, family, config, source)
    return arguments | named(folder, path, config, names, family, arguments, None, ignore), source


def family_of(path: Path, config: Mapping[str, Any], model: Mapping[str, Any], ignore: Container[str]) -> Family | None:
    """The family that a folder names, None for one that tokenizer.json alone speaks of.

    Raises: UserError for a class that is not known here.
    """
    name = config.get("tokenizer_class") or model.get("tokenizer_class")
    if name is not None and name not in GENERAL and "tokenizer_class" not in ignore:
        stem = str(name).removesuffix("Fast").removesuffix("Tokenizer")
        found = next((family for family in FAMILIES if family.prefix == stem), None)
        if found is None:
            known = ", ".join(f"{family.prefix}Tokenizer" for family in FAMILIES)
            raise keys.refusal(path, "tokenizer_class", name, f"must be one of {known}", "")
        return found
    return next((family for family in FAMILIES if family.model_type == model.get("model_type")), None)


def of_json(raw: PiecesJson, family: Family | None, path: Path, config: Mapping[str, Any]) -> dict[str, Any]:
    kinds = [step.get("type") for step in raw.normalizer]
    for key, is_done in (
        ("do_lower_case", "Lowercase" in kinds), ("keep_accents", "StripAccents" not in kinds),
    ):  # fmt: skip
        if config.get(key) is not None and config[key] != is_done:
            LOG.warning("%s: `%s` is %s, but %s says %s, which counts", path, key, config[key], raw.path.name, is_done)
    return {
        "vocabulary": raw.pieces,
        "normalizer": raw.normalizer,
        "pre_tokenizer": raw.pre_tokenizer,
        "merges": raw.merges,
        "fuse_unknown": raw.fuse_unknown,
        "unk_token": raw.unk_token,
        "byte_fallback": raw.byte_fallback,
        "pair_separators": raw.pair_separators,
    }


def of_model(model: ModelFile, family: Family, config: Mapping[str, Any], source: Path) -> dict[str, Any]:
    """The arguments that a model's file gives its family.

    Raises: UserError for a model that no family has.
    """
    for what, came, fine in (
        ("a unigram model", KINDS.get(model.model_type, model.model_type), model.model_type == UNIGRAM),
        ("white space before pieces", "treat_whitespace_as_suffix", not model.whitespace_suffix),
        ("pieces for unknown characters", "byte_fallback", not model.byte_fallback),
    ):
        if not fine:
            raise UserError(f"{source}: expected {what}, as {family.prefix} has it. Received: {came}")
    tokens = {**family.tokens, **{name: text for name in family.tokens if (text := _content(config.get(name)))}}
    return {
        "vocabulary": family.pieces(model, tokens),
        "normalizer": family.normalizer(model, config),
        "pre_tokenizer": family.pre_tokenizer(config),
        "pair_separators": family.pair_separators,
        "unk_token": tokens["unk_token"],
        "added_tokens": tuple(controls(model)),
    }


def named(
    folder: Path,
    path: Path,
    config: Mapping[str, Any],
    names: Mapping[str, Any],
    family: Family | None,
    arguments: Mapping[str, Any],
    raw: PiecesJson | None,
    ignore: Container[str],
) -> dict[str, Any]:
    """The arguments that name tokens and count them."""
    pieces = [piece for piece, _ in arguments["vocabulary"]]
    added: Added = collect(
        path, folder, config, names, None if raw is None else raw.added, pieces, raw is not None, len(set(pieces))
    )
    found = {**({} if family is None else family.tokens), **added.named, "unk_token": arguments["unk_token"]}
    if raw is not None and raw.around is not None:
        found |= {"cls_token": raw.around[0], "sep_token": raw.around[1]}
    missing = [name for name in keys.SPECIAL if name not in found]
    if missing:
        raise UserError(f"{path}: expected the token that is `{missing[0]}`. Received: none")
    listed = {token.content: token for token in (*added.tokens, *arguments.get("added_tokens", ()))}
    if raw is None and family is not None:
        for token in family.added:
            if token.content in pieces:
                listed.setdefault(token.content, token)
    for name in (*(found[name] for name in keys.SPECIAL), *added.extra):
        listed.setdefault(name, AddedToken(name, special=True))
    split = config.get("split_special_tokens") or False
    keys.need(isinstance(split, bool), path, "split_special_tokens", split, "true or false")
    return {
        **{name: found[name] for name in keys.SPECIAL},
        "added_tokens": tuple(listed.values()),
        "extra_special_tokens": tuple(added.extra),
        "split_special_tokens": split,
        "model_max_length": length_of(config.get("model_max_length"), path),
    }


def _content(token: Any) -> Any:
    return token.get("content") if isinstance(token, Mapping) else token
