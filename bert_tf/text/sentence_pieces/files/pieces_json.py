"""tokenizer.json, the file of the `tokenizers` library, with a model of SentencePiece: read step by step."""

from __future__ import annotations

import logging
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bert_tf.guard import short
from bert_tf.text.added_tokens import AddedToken
from bert_tf.text.files import keys
from bert_tf.text.files.byte_pairs_json import pair_of
from bert_tf.text.files.choice import steps, type_of
from bert_tf.text.files.json_file import read_json
from bert_tf.text.files.tokenizer_json import added_token, vocabulary_of

LOG = logging.getLogger(__name__)
MODEL = keys.Table(
    used=frozenset({"type", "vocab", "unk_id", "byte_fallback"}), harmless=frozenset(), fixed={}, whose=""
)
BYTE_PAIRS = keys.Table(
    used=frozenset({"type", "vocab", "merges", "unk_token", "fuse_unk", "byte_fallback"}),
    harmless=frozenset(),
    fixed={
        "dropout": (None,), "continuing_subword_prefix": (None, ""), "end_of_word_suffix": (None, ""),
        "ignore_merges": (None, False),
    },
    whose="",
)  # fmt: skip
DECODERS = (["Metaspace"], ["Replace", "Fuse", "Strip"], ["Replace", "ByteFallback", "Fuse", "Strip"])
"""Steps of decoders that `decode` works as."""


@dataclass(frozen=True, kw_only=True)
class PiecesJson:
    """What a tokenizer.json says.

    Args:
        pieces: pieces and scores by id; of merges all scores are 0.
        merges: pairs of pieces by rank; None where scores decide.
        fuse_unknown: as of SentencePieceTokenizer.
        added: ids -> added tokens.
        pair_separators: how many separators stand between the texts of a pair.
        around: the tokens before and behind a text, None where no template says them.
    """

    path: Path
    pieces: tuple[tuple[str, float], ...]
    merges: tuple[tuple[str, str], ...] | None
    unk_token: str
    fuse_unknown: bool
    byte_fallback: bool
    normalizer: tuple[Mapping[str, Any], ...]
    pre_tokenizer: tuple[Mapping[str, Any], ...]
    added: Mapping[int, AddedToken]
    pair_separators: int
    around: tuple[str, str] | None


def read_pieces_json(path: Path, ignore: Container[str]) -> PiecesJson:
    """Raises: UserError naming what is not known here."""
    raw = read_json(path)
    keys.check(keys.TOKENIZER_JSON, raw, path, ignore)
    model = raw["model"]
    fallback = model.get("byte_fallback") or False
    keys.need(isinstance(fallback, bool), path, "model.byte_fallback", fallback, "true or false")
    split = byte_pairs_of(model, path, ignore) if type_of(model) == "BPE" else unigram_of(model, path, ignore)
    for name in ("truncation", "padding"):
        if (raw.get(name) or {}).get("direction", "Right") != "Right" and name not in ignore:
            raise keys.refusal(path, f"{name}.direction", raw[name]["direction"], "must be 'Right'", "")
    decoder = raw.get("decoder") or {"type": "Metaspace"}
    if [step.get("type") for step in steps(decoder, "decoders")] not in DECODERS:
        LOG.warning("%s: `decoder` is not followed: `decode` works as Metaspace's. Received: %s", path, short(decoder))
    separators, around = template_of(raw.get("post_processor"), path, ignore)
    return PiecesJson(
        path=path,
        **split,
        byte_fallback=fallback,
        normalizer=steps_of(raw.get("normalizer"), "normalizers", path, "normalizer"),
        pre_tokenizer=steps_of(raw.get("pre_tokenizer"), "pretokenizers", path, "pre_tokenizer"),
        added={entry["id"]: added_token(entry, path) for entry in raw.get("added_tokens") or ()},
        pair_separators=separators,
        around=around,
    )


def unigram_of(model: Mapping[str, Any], path: Path, ignore: Container[str]) -> dict[str, Any]:
    """What a unigram model says."""
    keys.check(MODEL, model, path, ignore, within="model.")
    vocab, unk_id = model.get("vocab"), model.get("unk_id")
    is_list = isinstance(vocab, list) and bool(vocab)
    keys.need(is_list, path, "model.vocab", f"{type(vocab).__name__}", "a list of pieces with their scores")
    for number, entry in enumerate(vocab or ()):
        fine = isinstance(entry, list) and len(entry) == 2 and isinstance(entry[0], str)
        fine = fine and isinstance(entry[1], (int, float)) and not isinstance(entry[1], bool)
        keys.need(fine, path, f"model.vocab[{number}]", entry, "a piece and its score")
    is_id = isinstance(unk_id, int) and not isinstance(unk_id, bool) and 0 <= unk_id < len(vocab or ())
    keys.need(is_id, path, "model.unk_id", unk_id, "the id of a piece")
    pieces = tuple((piece, float(score)) for piece, score in vocab or ())
    return {"pieces": pieces, "merges": None, "unk_token": pieces[unk_id or 0][0], "fuse_unknown": True}


def byte_pairs_of(model: Mapping[str, Any], path: Path, ignore: Container[str]) -> dict[str, Any]:
    """What a model of pairs says."""
    keys.check(BYTE_PAIRS, model, path, ignore, within="model.")
    tokens, unk_token = vocabulary_of(model.get("vocab"), path), model.get("unk_token")
    is_piece = isinstance(unk_token, str) and unk_token != "" and unk_token in tokens
    keys.need(is_piece, path, "model.unk_token", unk_token, "a token of the vocabulary")
    fuses = model.get("fuse_unk") or False
    keys.need(isinstance(fuses, bool), path, "model.fuse_unk", fuses, "true or false")
    return {
        "pieces": tuple((token, 0.0) for token in tokens),
        "merges": tuple(pair_of(merge, path) for merge in model.get("merges") or ()),
        "unk_token": unk_token,
        "fuse_unknown": fuses,
    }


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
