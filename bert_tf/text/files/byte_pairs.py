"""The files of byte-level byte pairs: tokenizer.json, or vocab.json and merges.txt, and what stands beside them.

As in Transformers 5 RoBERTa's own class counts tokenizer_config.json for how texts are read, and the general class
counts tokenizer.json. Where two files contradict each other, a warning says so.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Collection, Container, Mapping, Sequence
from pathlib import Path
from typing import Any

from bert_tf.errors import UserError
from bert_tf.guard import held, read_text, short
from bert_tf.text.added_tokens import AddedToken
from bert_tf.text.files import keys
from bert_tf.text.files.added import Added, collect
from bert_tf.text.files.byte_pairs_json import BytePairsJson, read_json_file, write
from bert_tf.text.files.choice import BYTE_PAIRS, JSON, SUFFIXES, folder_of
from bert_tf.text.files.json_file import read_if_there, read_json
from bert_tf.text.files.tokenizer_json import vocabulary_of
from bert_tf.text.files.transformers import GENERAL, length_of
from bert_tf.weights.leave import Leave

__all__ = ["by_number", "find_problem", "read", "read_merges", "read_vocabulary", "write"]

LOG = logging.getLogger(__name__)
VOCABULARY, MERGES = "vocab.json", "merges.txt"
ROBERTA = "RobertaTokenizer"
CLASSES = {name + suffix for name in BYTE_PAIRS.classes for suffix in SUFFIXES}
OF_ROBERTA = {
    "unk_token": "<unk>",
    "sep_token": "</s>",
    "pad_token": "<pad>",
    "cls_token": "<s>",
    "mask_token": "<mask>",
}
LARGEST_BYTES = 64 << 20


def read(where: str | os.PathLike[str], *, ignore: Collection[str] = ()) -> tuple[dict[str, Any], Path]:
    """Returns the arguments of a BytePairTokenizer, and the file that they are from.

    Args:
        ignore: names of settings to ignore that would be refused otherwise.
    Raises: UserError if there is no tokenizer, or one of another kind.
    """
    leave = Leave(ignore)
    with held(where, "a tokenizer of byte pairs"):
        folder = folder_of(where)
        found = _read(folder, leave)
    if leave.unmet:
        raise UserError(f"`ignore` names {', '.join(leave.unmet)}, and the tokenizer in {folder} has no such setting")
    return found


def _read(folder: Path, ignore: Container[str]) -> tuple[dict[str, Any], Path]:
    config, names = (read_if_there(folder / name) for name in ("tokenizer_config.json", "special_tokens_map.json"))
    path = folder / "tokenizer_config.json"
    model = read_if_there(folder / "config.json")
    keys.check(keys.BYTE_PAIRS_CONFIG, config, path, ignore, also="_token")
    keys.check(keys.SPECIAL_TOKENS_MAP, names, folder / "special_tokens_map.json", ignore, also="_token")
    has_json = (folder / JSON).is_file() and JSON not in ignore
    is_general = class_of(path, config, folder / "config.json", model, ignore, has_json=has_json) in GENERAL
    raw = read_json_file(folder / JSON, ignore) if has_json else None
    arguments: dict[str, Any]
    if raw is not None:
        source, tokens, merges = folder / JSON, list(raw.vocabulary), raw.merges
        for number, token in raw.added.items():  # An id that only an added token has.
            if number < len(tokens) and tokens[number] == "":
                tokens[number] = token.content
    elif (folder / VOCABULARY).is_file() and (folder / MERGES).is_file():
        source, tokens = folder / VOCABULARY, list(read_vocabulary(folder / VOCABULARY))
        merges = read_merges(folder / MERGES)
    else:
        raise UserError(f"{folder}: no tokenizer of byte pairs here: expected {JSON}, or {VOCABULARY} with {MERGES}")
    distinct = sum(token != "" for token in tokens)
    added = collect(path, folder, config, names, None if raw is None else raw.added, tokens, is_general, distinct)
    arguments = {"vocabulary": tuple(tokens), "merges": merges}
    if is_general and raw is not None:
        arguments |= {**raw.rules, "pair_separators": raw.separators}
    else:
        arguments |= _of_roberta(config, path, raw)
    arguments |= _special_tokens(folder, added, tokens, raw if is_general else None)
    split = config.get("split_special_tokens") or False
    keys.need(isinstance(split, bool), path, "split_special_tokens", split, "true or false")
    longest = length_of(config.get("model_max_length"), path)
    return arguments | {"split_special_tokens": split, "model_max_length": longest}, source


def class_of(
    path: Path, config: Mapping[str, Any], model_path: Path, model: Mapping[str, Any], ignore: Container[str], *,
    has_json: bool,
) -> str:  # fmt: skip
    """The tokenizer's class, as the files name it, or as Transformers picks it for the model.

    Raises: UserError if it is of another kind, or code of the folder's own.
    """
    own = config.get("auto_map") or {}
    code = own.get("AutoTokenizer") if isinstance(own, Mapping) else own
    if code and "auto_map" not in ignore:
        raise keys.refusal(path, "auto_map", code, "names a tokenizer that is code of its own", whose="")
    name = config.get("tokenizer_class")
    if name is None and model.get("tokenizer_class") is not None:
        path, name = model_path, model["tokenizer_class"]
    if name is None or "tokenizer_class" in ignore:
        of_model = str(model.get("model_type", "")).replace("-", "") in map(str.lower, BYTE_PAIRS.classes)
        return GENERAL[0] if has_json and not of_model else ROBERTA
    if name in GENERAL:
        return name if has_json else ROBERTA
    if name not in CLASSES:
        known = ", ".join(sorted({*CLASSES, *GENERAL}))
        raise keys.refusal(path, "tokenizer_class", name, f"must be one of {known}", whose="")
    return name


def _of_roberta(config: Mapping[str, Any], path: Path, raw: BytePairsJson | None) -> dict[str, Any]:
    """How RoBERTa's own class reads texts; what tokenizer.json says otherwise does not count."""
    found: dict[str, Any] = {"pair_separators": 2}
    for name, usual in (("add_prefix_space", False), ("trim_offsets", True)):
        value = config.get(name)
        keys.need(value is None or isinstance(value, bool), path, name, value, "true or false")
        found[name] = usual if value is None else value
    if raw is not None:
        # Where offsets keep all spaces, a file does not say whether they keep the first.
        others = {**RULES, "keep_first_space": found["add_prefix_space"] and found["trim_offsets"]}
        for name, value in {**raw.rules, "pair_separators": raw.separators}.items():
            counts = found.get(name, others.get(name))
            if value != counts:
                what = (raw.path, name, value, path.name, counts)
                LOG.warning(
                    "%s: %s is %s, but with RoBERTa's class %s counts, which means %s, as in Transformers", *what
                )
    return found


RULES = {
    "split_words": True, "ignore_merges": False, "unknown_bytes": None, "fuse_unknown": False, "normalization": None,
}  # fmt: skip


def _special_tokens(folder: Path, added: Added, tokens: Sequence[str], raw: BytePairsJson | None) -> dict[str, Any]:
    """The arguments that name tokens, and all that a text can name.

    Args:
        raw: of a general tokenizer, whose post-processor says what stands around texts.
    """
    known = {*tokens, *(token.content for token in added.tokens)}
    found = dict(added.named)
    if raw is not None:
        for name, token in (("cls_token", raw.cls_token), ("sep_token", raw.sep_token)):
            if found.setdefault(name, token) != token:
                LOG.warning("%s: `%s` is %r; the post-processor's %r counts", raw.path, name, found[name], token)
                found[name] = token
        if raw.rules["unknown_bytes"] is not None:
            found.setdefault("unk_token", raw.rules["unknown_bytes"])
    for name, usual in OF_ROBERTA.items():
        others = [t for t in (usual, f"[{name[: -len('_token')].upper()}]") if t in known]
        found.setdefault(name, others[0] if others else usual)
    size, listed = len(tokens) + sum(token.content not in set(tokens) for token in added.tokens), list(added.tokens)
    for token in [*(found[name] for name in keys.SPECIAL), *added.extra]:
        if token not in known:
            LOG.warning("%s: %r is not in the vocabulary: it is token %d, behind it", folder, token, size)
            size += 1
            listed.append(AddedToken(token, special=True))
            known.add(token)
    return found | {"added_tokens": tuple(listed), "extra_special_tokens": added.extra}


def read_vocabulary(path: str | os.PathLike[str]) -> tuple[str, ...]:
    """The tokens of a vocab.json by id. Raises: UserError if it is none."""
    path = Path(path)
    return vocabulary_of(read_json(path), path, "its tokens")


def by_number(ids: Mapping[str, int]) -> tuple[str, ...]:
    """Tokens by id of token -> id; "" where there is none."""
    tokens = [""] * (max(ids.values(), default=-1) + 1)
    for token, number in ids.items():
        tokens[number] = token
    return tuple(tokens)


def read_merges(path: str | os.PathLike[str]) -> list[tuple[str, str]]:
    """The pairs of a merges.txt. A first line that begins with #version, and empty lines, are none.

    Raises: UserError that names the line that is no pair.
    """
    path = Path(path)
    try:
        lines = read_text(path, largest=LARGEST_BYTES).split("\n")
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from error
    pairs = []
    for number, line in enumerate(lines, 1):
        line = line.removesuffix("\r")
        if not line or line.startswith("#version"):
            continue
        parts = line.split(" ")
        if len(parts) != 2 or not all(parts):
            raise UserError(f"{path}:{number}: expected two tokens with a space between them. Received: {short(line)}")
        pairs.append((parts[0], parts[1]))
    return pairs


def find_problem(vocabulary: Sequence[str], merges: Sequence[tuple[str, str]], unknown_bytes: str | None) -> str | None:
    """Says what keeps tokens and merges from being a tokenizer, or None."""
    if not any(vocabulary):
        return "`vocabulary`: expected tokens. Received: none"
    known: set[str] = set()
    for number, token in enumerate(vocabulary):
        if not isinstance(token, str):
            return f"`vocabulary`: every token must be a str. Received: {token!r} with id {number}"
        if any(0xD800 <= ord(c) < 0xE000 for c in token):
            return f"`vocabulary`: a token must be text that UTF-8 can hold. Received: {token!a} with id {number}"
        if token and token in known:
            return f"`vocabulary`: every token must have one id. Received: {token!r} again with id {number}"
        known.add(token)
    for rank, (left, right) in enumerate(merges):
        missing = next((token for token in (left, right, left + right) if token not in known or not token), None)
        if missing is not None:
            return (
                f"`merges`: the tokens of each pair, and what it becomes, must be in the vocabulary. Received: "
                f"{short(missing)} of the pair {short((left, right))} of rank {rank}"
            )
    if unknown_bytes is not None and (not unknown_bytes or unknown_bytes not in known):
        return f"`unknown_bytes` must be a token of the vocabulary, or None. Received: {unknown_bytes!r}"
    return None
