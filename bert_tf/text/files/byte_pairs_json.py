"""tokenizer.json of byte-level byte pairs, read and written."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from bert_tf.guard import short
from bert_tf.text.added_tokens import AddedToken
from bert_tf.text.files import keys
from bert_tf.text.files.choice import JSON, steps
from bert_tf.text.files.json_file import read_json
from bert_tf.text.files.tokenizer_json import added_token, vocabulary_of
from bert_tf.text.files.transformers import GENERAL
from bert_tf.text.files.writing import write_folder

LOG = logging.getLogger(__name__)
BYTE_LEVEL = "ByteLevel"


@dataclass(frozen=True, kw_only=True)
class BytePairsJson:
    """What a tokenizer.json says.

    Args:
        vocabulary: tokens by id; an id that no token has is "".
        added: ids -> added tokens.
        rules: arguments of BytePairTokenizer that say how texts are read.
        cls_token, sep_token: what the post-processor puts around texts.
        separators: how many `sep_token` it puts between the texts of a pair.
    """

    path: Path
    vocabulary: tuple[str, ...]
    merges: Sequence[tuple[str, str]]
    added: Mapping[int, AddedToken]
    rules: Mapping[str, Any]
    cls_token: str
    sep_token: str
    separators: int


class Around(NamedTuple):
    """What a post-processor says: the tokens around texts, how many stand between two, and what it does to places."""

    cls_token: str
    sep_token: str
    separators: int
    trim_offsets: bool = False
    keep_first_space: bool = False


def read_json_file(path: Path, ignore: Container[str]) -> BytePairsJson:
    """Raises: UserError naming what is not followed."""
    raw = read_json(path)
    keys.check(keys.TOKENIZER_JSON, raw, path, ignore)
    model = raw.get("model") or {}
    keys.check(keys.BYTE_PAIRS_MODEL, model, path, ignore, within="model.")
    forms = [step.get("type") for step in steps(raw.get("normalizer"), "normalizers")]
    if set(forms) - {"NFC"} and "normalizer" not in ignore:
        raise keys.refusal(path, "normalizer", ", ".join(map(str, forms)), "must be NFC, or left out", whose="")
    splitters = steps(raw.get("pre_tokenizer"), "pretokenizers")
    if [step.get("type") for step in splitters] != [BYTE_LEVEL]:
        came = ", ".join(str(step.get("type")) for step in splitters) or None
        raise keys.refusal(path, "pre_tokenizer", came, f"must be {BYTE_LEVEL} alone", whose="")
    (splitter,) = splitters
    keys.check(keys.BYTE_LEVEL, splitter, path, ignore, within="pre_tokenizer.")
    for name in ("truncation", "padding"):
        direction = (raw.get(name) or {}).get("direction", "Right")
        if direction == "Right" or name in ignore or f"{name}.direction" in ignore:
            continue
        if name == "truncation":
            raise keys.refusal(path, "truncation.direction", direction, "must be 'Right'", whose="")
        LOG.warning("%s: `padding.direction` is %r; here the padding is always on the right", path, direction)
    decoders = [step.get("type") for step in steps(raw.get("decoder"), "decoders")]
    if decoders != [BYTE_LEVEL]:
        LOG.warning("%s: `decoder` is not followed: `decode` joins bytes. Received: %s", path, decoders or None)
    around = around_of(raw.get("post_processor"), path)
    flags = {
        "add_prefix_space": splitter.get("add_prefix_space", True),
        "split_words": splitter.get("use_regex", True),
        "ignore_merges": model.get("ignore_merges") or False,
        "fuse_unknown": model.get("fuse_unk") or False,
        "trim_offsets": around.trim_offsets,
        "keep_first_space": around.keep_first_space,
    }
    for name, value in flags.items():
        keys.need(isinstance(value, bool), path, name, value, "true or false")
    unknown = model.get("unk_token")
    keys.need(unknown is None or isinstance(unknown, str), path, "model.unk_token", unknown, "a token")
    return BytePairsJson(
        path=path,
        vocabulary=vocabulary_of(model.get("vocab"), path),
        merges=[pair_of(merge, path) for merge in model.get("merges") or ()],
        added={entry["id"]: added_token(entry, path) for entry in raw.get("added_tokens") or ()},
        rules=flags | {"unknown_bytes": unknown, "normalization": "nfc" if "NFC" in forms else None},
        cls_token=around.cls_token,
        sep_token=around.sep_token,
        separators=around.separators,
    )


def pair_of(merge: Any, path: Path) -> tuple[str, str]:
    """A merge, which newer files have as two tokens and older ones as a text with a space between them."""
    parts = merge.split(" ") if isinstance(merge, str) else merge
    fine = isinstance(parts, list) and len(parts) == 2 and all(isinstance(part, str) and part for part in parts)
    keys.need(fine, path, "model.merges", merge, "pairs of tokens")
    return parts[0], parts[1]


def around_of(found: Any, path: Path) -> Around:
    """What a post-processor says. Raises: UserError for one that does not put [CLS] and [SEP] around texts."""
    trim, keep, around = False, False, None
    for step in steps(found, "processors"):
        kind = step.get("type")
        if kind == BYTE_LEVEL:
            trim, keep = step.get("trim_offsets", True), step.get("add_prefix_space", True)
        elif kind in ("RobertaProcessing", "BertProcessing"):
            around = Around(step["cls"][0], step["sep"][0], 2 if kind == "RobertaProcessing" else 1)
            if kind == "RobertaProcessing":
                trim, keep = step.get("trim_offsets", True), step.get("add_prefix_space", True)
        elif kind == "TemplateProcessing":
            around = _of_template(step)
        else:
            around = None
            break
    if around is None:
        raise keys.refusal(path, "post_processor", short(found), "must put [CLS] and [SEP] around texts", whose="")
    return around._replace(trim_offsets=trim, keep_first_space=bool(trim and keep))


def _of_template(step: Mapping[str, Any]) -> Around | None:
    """That of a template of [CLS] A [SEP], and [CLS] A [SEP] B [SEP] or [CLS] A [SEP] [SEP] B [SEP]."""
    one, two = ([next(iter(part.items())) for part in step.get(side) or ()] for side in ("single", "pair"))
    one, two = ([(kind, part.get("id")) for kind, part in side] for side in (one, two))
    if len(one) != 3:
        return None
    cls, first, sep = one
    second = ("Sequence", "B")
    is_special = cls[0] == sep[0] == "SpecialToken" and first == ("Sequence", "A")
    separators = {1: [*one, second, sep], 2: [*one, sep, second, sep]}
    found = next((count for count, parts in separators.items() if two == parts), None)
    return None if found is None or not is_special else Around(str(cls[1]), str(sep[1]), found)


def write(
    folder: str | os.PathLike[str],
    config: Mapping[str, Any],
    *,
    special_tokens: Mapping[str, str],
    added_tokens: Mapping[int, AddedToken],
    ids: Mapping[str, int],
) -> None:
    """Writes tokenizer.json, vocab.json, merges.txt, tokenizer_config.json and special_tokens_map.json.

    Args:
        config: as `BytePairTokenizer.get_config` gives it.
        special_tokens: argument's name -> token, of the usual five.
        added_tokens: all tokens that a text can name, by id.
        ids: of all tokens.
    Raises: UserError if the folder cannot be written.
    """
    own = {token: number for number, token in enumerate(config["vocabulary"]) if token}
    lines = ["#version: 0.2", *(" ".join(pair) for pair in config["merges"])]
    words = {
        "vocab.json": json.dumps(own, ensure_ascii=False),
        "merges.txt": "".join(f"{line}\n" for line in lines),
        JSON: json.dumps(_as_json(config, own, added_tokens, ids), ensure_ascii=False, indent=2) + "\n",
    }
    settings = {
        "tokenizer_class": "RobertaTokenizer" if follows_roberta(config) else GENERAL[0],
        "add_prefix_space": config["add_prefix_space"],
        "trim_offsets": config["trim_offsets"],
        "clean_up_tokenization_spaces": False,
    }
    write_folder(
        folder, words, settings, special_tokens=special_tokens, added_tokens=added_tokens,
        size=len(config["vocabulary"]), split_special_tokens=config["split_special_tokens"], pairs=config["pairs"],
        model_max_length=config["model_max_length"],
    )  # fmt: skip


def follows_roberta(config: Mapping[str, Any]) -> bool:
    """Whether RoBERTa's own class of Transformers reads texts so."""
    return (
        config["pair_separators"] == 2
        and config["split_words"]
        and not config["ignore_merges"]
        and config["unknown_bytes"] is None
        and config["normalization"] is None
        and config["keep_first_space"] == config["add_prefix_space"]
    )


def _as_json(
    config: Mapping[str, Any], own: Mapping[str, int], added: Mapping[int, AddedToken], ids: Mapping[str, int]
) -> dict[str, Any]:
    cls, sep = config["cls_token"], config["sep_token"]
    spaces = {"add_prefix_space": config["keep_first_space"], "trim_offsets": config["trim_offsets"]}
    around: dict[str, Any]
    if config["pair_separators"] == 2:
        around = {"type": "RobertaProcessing", "sep": [sep, ids[sep]], "cls": [cls, ids[cls]], **spaces}
    else:
        first, last = ({"SpecialToken": {"id": token, "type_id": 0}} for token in (cls, sep))
        a, b = ({"Sequence": {"id": name, "type_id": 0}} for name in "AB")
        tokens = {token: {"id": token, "ids": [ids[token]], "tokens": [token]} for token in (cls, sep)}
        around = {
            "type": "TemplateProcessing", "single": [first, a, last], "pair": [first, a, last, b, last],
            "special_tokens": tokens,
        }  # fmt: skip
        if config["trim_offsets"]:
            around = {"type": "Sequence", "processors": [{"type": BYTE_LEVEL, **spaces, "use_regex": True}, around]}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [{"id": number, **token.to_json()} for number, token in sorted(added.items())],
        "normalizer": {"type": "NFC"} if config["normalization"] else None,
        "pre_tokenizer": {
            "type": BYTE_LEVEL, "add_prefix_space": config["add_prefix_space"],
            "trim_offsets": config["trim_offsets"], "use_regex": config["split_words"],
        },
        "post_processor": around,
        "decoder": {"type": BYTE_LEVEL, "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
        "model": {
            "type": "BPE", "dropout": None, "unk_token": config["unknown_bytes"], "continuing_subword_prefix": None,
            "end_of_word_suffix": None, "fuse_unk": config["fuse_unknown"], "byte_fallback": False,
            "ignore_merges": config["ignore_merges"], "vocab": own, "merges": [list(pair) for pair in config["merges"]],
        },
    }  # fmt: skip
