"""tokenizer.json, the file of the `tokenizers` library, with a unigram model: read and written step by step."""

from __future__ import annotations

import logging
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bert_tf.guard import short
from bert_tf.text.added_tokens import AddedToken
from bert_tf.text.files import keys
from bert_tf.text.files.json_file import read_json
from bert_tf.text.files.tokenizer_json import added_token

LOG = logging.getLogger(__name__)
MODEL = keys.Table(
    used=frozenset({"type", "vocab", "unk_id", "byte_fallback"}), harmless=frozenset(), fixed={}, whose=""
)


@dataclass(frozen=True, kw_only=True)
class UnigramJson:
    """What a tokenizer.json says.

    Args:
        pieces: pieces and scores by id.
        added: ids -> added tokens.
        pair_separators: how many separators stand between the texts of a pair.
        around: the tokens before and behind a text, None where no template says them.
    """

    path: Path
    pieces: tuple[tuple[str, float], ...]
    unk_id: int
    byte_fallback: bool
    normalizer: tuple[Mapping[str, Any], ...]
    pre_tokenizer: tuple[Mapping[str, Any], ...]
    added: Mapping[int, AddedToken]
    pair_separators: int
    around: tuple[str, str] | None


def read_unigram_json(path: Path, ignore: Container[str]) -> UnigramJson:
    """Raises: UserError naming what is not known here."""
    raw = read_json(path)
    keys.check(keys.TOKENIZER_JSON, raw, path, ignore)
    model = raw["model"]
    keys.check(MODEL, model, path, ignore, within="model.")
    vocab, unk_id, fallback = model.get("vocab"), model.get("unk_id"), model.get("byte_fallback", False)
    is_list = isinstance(vocab, list) and bool(vocab)
    keys.need(is_list, path, "model.vocab", f"{type(vocab).__name__}", "a list of pieces with their scores")
    for number, entry in enumerate(vocab):
        fine = isinstance(entry, list) and len(entry) == 2 and isinstance(entry[0], str)
        fine = fine and isinstance(entry[1], (int, float)) and not isinstance(entry[1], bool)
        keys.need(fine, path, f"model.vocab[{number}]", entry, "a piece and its score")
    is_id = isinstance(unk_id, int) and not isinstance(unk_id, bool) and 0 <= unk_id < len(vocab)
    keys.need(is_id, path, "model.unk_id", unk_id, "the id of a piece")
    keys.need(isinstance(fallback, bool), path, "model.byte_fallback", fallback, "true or false")
    for name in ("truncation", "padding"):
        if (raw.get(name) or {}).get("direction", "Right") != "Right" and name not in ignore:
            raise keys.refusal(path, f"{name}.direction", raw[name]["direction"], "must be 'Right'", "")
    decoder = raw.get("decoder") or {"type": "Metaspace"}
    if decoder.get("type") != "Metaspace":
        LOG.warning("%s: `decoder` is not followed: `decode` works as Metaspace's. Received: %s", path, short(decoder))
    separators, around = template_of(raw.get("post_processor"), path, ignore)
    return UnigramJson(
        path=path,
        pieces=tuple((piece, float(score)) for piece, score in vocab),
        unk_id=unk_id,
        byte_fallback=fallback,
        normalizer=steps_of(raw.get("normalizer"), "normalizers", path, "normalizer"),
        pre_tokenizer=steps_of(raw.get("pre_tokenizer"), "pretokenizers", path, "pre_tokenizer"),
        added={entry["id"]: added_token(entry, path) for entry in raw.get("added_tokens") or ()},
        pair_separators=separators,
        around=around,
    )


def steps_of(value: Any, members: str, path: Path, name: str) -> tuple[Mapping[str, Any], ...]:
    """The steps of a part of the file, those of sequences in sequences in their order."""
    if value is None:
        return ()
    keys.need(isinstance(value, Mapping), path, name, value, "an object")
    if value.get("type") != "Sequence":
        return (value,)
    inner = value.get(members)
    keys.need(isinstance(inner, list), path, f"{name}.{members}", inner, "a list of steps")
    return tuple(step for entry in inner for step in steps_of(entry, members, path, name))


def template_of(found: Any, path: Path, ignore: Container[str]) -> tuple[int, tuple[str, str] | None]:
    """How many separators a post_processor puts between both texts of a pair, and the tokens around a text.

    Raises: UserError for one that puts others than one before a text and one behind it.
    """
    if "post_processor" in ignore:
        return 1, None
    if isinstance(found, Mapping) and found.get("type") in ("BertProcessing", "RobertaProcessing"):
        return (1 if found["type"] == "BertProcessing" else 2), (found["cls"][0], found["sep"][0])
    if isinstance(found, Mapping) and found.get("type") == "TemplateProcessing":
        one, two = (_named(found.get(part) or ()) for part in ("single", "pair"))
        cls, sep = (one[0], one[2]) if len(one) == 3 else ("", "")
        if one == [cls, "$A", sep]:
            for separators in (1, 2):
                if two == [cls, "$A", *[sep] * separators, "$B", sep]:
                    return separators, (cls, sep)
    shown = found.get("type") if isinstance(found, Mapping) else found
    rule = "must put one token before a text, and the same separator behind it and once or twice between two"
    raise keys.refusal(path, "post_processor", shown, rule, "")


def _named(parts: Sequence[Any]) -> list[str]:
    """A template as people write it: the names of tokens, and $A and $B."""
    named = []
    for part in parts:
        ((kind, entry),) = part.items()
        named.append(f"${entry['id']}" if kind == "Sequence" else entry["id"])
    return named


def template(cls: tuple[str, int], sep: tuple[str, int], separators: int) -> dict[str, Any]:
    """A post_processor as the file has it; the second text has segment 1 where one separator stands between both."""
    second = 1 if separators == 1 else 0

    def token(entry, segment):
        return {"SpecialToken": {"id": entry[0], "type_id": segment}}

    def text(name, segment):
        return {"Sequence": {"id": name, "type_id": segment}}

    single = [token(cls, 0), text("A", 0), token(sep, 0)]
    special = {name: {"id": name, "ids": [number], "tokens": [name]} for name, number in (cls, sep)}
    pair = [*single, *[token(sep, 0)] * (separators - 1), text("B", second), token(sep, second)]
    return {"type": "TemplateProcessing", "single": single, "pair": pair, "special_tokens": special}
