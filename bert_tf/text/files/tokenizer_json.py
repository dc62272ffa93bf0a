"""tokenizer.json, the file of the `tokenizers` library: what of it is BERT's."""

from __future__ import annotations

import logging
from collections.abc import Container, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bert_tf.errors import UserError
from bert_tf.text.added_tokens import FLAGS, AddedToken
from bert_tf.text.files import keys
from bert_tf.text.files.json_file import read_json

LOG = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class TokenizerJson:
    """What a tokenizer.json says.

    Args:
        vocabulary: tokens by id; an id that no token has is "".
        added: ids -> added tokens.
        post_processor: what puts special tokens around a text, as in the file.
    """

    path: Path
    vocabulary: tuple[str, ...]
    unk_token: str | None
    max_word_characters: int
    lowercase: bool
    strip_accents: bool | None
    split_cjk: bool
    added: Mapping[int, AddedToken]
    post_processor: Any

    @property
    def distinct(self) -> int:
        """How many tokens the vocabulary has."""
        return sum(token != "" for token in self.vocabulary)


def read_tokenizer_json(path: Path, ignore: Container[str]) -> TokenizerJson:
    """Raises: UserError naming what is not BERT's."""
    raw = read_json(path)
    keys.check(keys.TOKENIZER_JSON, raw, path, ignore)
    normalizer = part(raw, "normalizer", "normalizers", path, ignore)
    keys.check(keys.TOKENIZER_JSON_NORMALIZER, {"type": None, **normalizer}, path, ignore, within="normalizer.")
    splitter = part(raw, "pre_tokenizer", "pretokenizers", path, ignore).get("type")
    if splitter != "BertPreTokenizer":
        if "pre_tokenizer" not in ignore and "pre_tokenizer.type" not in ignore:
            raise keys.refusal(path, "pre_tokenizer.type", splitter, "must be 'BertPreTokenizer'")
        LOG.warning("%s: `pre_tokenizer.type` is ignored, as asked for: %r", path, splitter)
    model = raw.get("model") or {}
    keys.need(isinstance(model, Mapping), path, "model", model, "an object")
    model = {"type": None, "continuing_subword_prefix": None, **model}
    if "merges" in model:
        model["type"] = model.get("type") or "BPE"
    keys.check(keys.TOKENIZER_JSON_MODEL, model, path, ignore, within="model.")
    longest = model.get("max_input_chars_per_word", 100)
    is_count = isinstance(longest, int) and not isinstance(longest, bool) and longest > 0
    keys.need(is_count, path, "model.max_input_chars_per_word", longest, "an int of 1 or more")
    for name in ("truncation", "padding"):
        direction = (raw.get(name) or {}).get("direction", "Right")
        if direction == "Right" or name in ignore or f"{name}.direction" in ignore:
            continue
        if name == "truncation":
            raise keys.refusal(path, "truncation.direction", direction, "must be 'Right'")
        LOG.warning("%s: `padding.direction` is %r; here the padding is always on the right", path, direction)
    decoder = raw.get("decoder") or {"type": "WordPiece"}
    if decoder.get("type") != "WordPiece" or decoder.get("prefix", "##") != "##" or not decoder.get("cleanup", True):
        LOG.warning("%s: `decoder` is not followed: `decode` works as BERT's. Received: %r", path, decoder)
    for flag, usual in (("lowercase", True), ("handle_chinese_chars", True), ("strip_accents", None)):
        value = normalizer.get(flag, usual)
        fine = isinstance(value, bool) or (flag == "strip_accents" and value is None)
        keys.need(fine, path, f"normalizer.{flag}", value, "true or false")
    return TokenizerJson(
        path=path,
        vocabulary=vocabulary_of(model.get("vocab"), path),
        unk_token=model.get("unk_token"),
        max_word_characters=longest,
        lowercase=normalizer.get("lowercase", True),
        strip_accents=normalizer.get("strip_accents"),
        split_cjk=normalizer.get("handle_chinese_chars", True),
        added={entry["id"]: added_token(entry, path) for entry in raw.get("added_tokens") or ()},
        post_processor=raw.get("post_processor"),
    )


def part(raw: Mapping[str, Any], name: str, members: str, path: Path, ignore: Container[str]) -> Mapping[str, Any]:
    """A step of the file; a sequence of one step is that step, and one to be ignored is BERT's among its steps."""
    value = raw.get(name) or {}
    keys.need(isinstance(value, Mapping), path, name, value, "an object")
    while value.get("type") == "Sequence" and len(value.get(members) or ()) == 1:
        value = value[members][0]
    if name == "normalizer" and value.get("type") == "Sequence":
        value = lowered(value.get(members) or ()) or value
    if value.get("type") == "Sequence":
        steps = value.get(members) or ()
        came = f"Sequence of {', '.join(str(step.get('type')) for step in steps) or 'nothing'}"
        if name not in ignore and f"{name}.type" not in ignore:
            raise keys.refusal(path, f"{name}.type", came, "must be a single step, BERT's")
        value = {**next((step for step in steps if str(step.get("type")).startswith("Bert")), {}), "type": came}
    return value


def lowered(steps: Any) -> dict[str, Any] | None:
    """Lowercase and then BERT's own normalisation, as sentence-transformers writes it, as that alone; None for others.

    What is lower-cased twice is lower-cased; only accents are as the second step has them.
    """
    first, second = steps if len(steps) == 2 else ({}, {})
    if first.get("type") != "Lowercase" or second.get("type") != "BertNormalizer":
        return None
    strip = second.get("strip_accents")
    return {**second, "lowercase": True, "strip_accents": second.get("lowercase", True) if strip is None else strip}


def vocabulary_of(ids: Any, path: Path, name: str = "model.vocab") -> tuple[str, ...]:
    """Tokens by id, from token -> id; "" where there is none."""
    is_map = isinstance(ids, Mapping) and len(ids) > 0
    keys.need(is_map, path, name, f"{type(ids).__name__} of {len(ids or ())}", "tokens with their numbers")
    numbers = set(ids.values())
    last = max(numbers)
    if min(numbers) < 0 or len(numbers) < len(ids) or last > 2 * len(ids) + 1000:
        raise UserError(
            f"{path}: `{name}` must give each token a number of its own, from 0 on. Received: {len(ids)} tokens "
            f"with {len(numbers)} numbers from {min(numbers)} to {last}"
        )
    if last + 1 > len(ids):
        missing = next(number for number in range(last) if number not in numbers)
        LOG.warning("%s: `%s` has no token for %d ids, such as %d", path, name, last + 1 - len(ids), missing)
    tokens = [""] * (last + 1)
    for token, number in ids.items():
        tokens[number] = token
    return tuple(tokens)


def added_token(entry: Any, path: Path, *, special: bool = True) -> AddedToken:
    """An added token from a string or an object with flags."""
    if isinstance(entry, str):
        return AddedToken(entry, special=special, normalized=not special)
    content: Any = entry.get("content") if isinstance(entry, Mapping) else None
    keys.need(isinstance(content, str) and content != "", path, "content", content, "an added token's text")
    flags: dict[str, Any] = {name: entry.get(name) for name in FLAGS}
    for name, value in flags.items():
        keys.need(value is None or isinstance(value, bool), path, f"{content}: {name}", value, "true or false")
    normalized = flags.pop("normalized")
    return AddedToken(content, normalized=normalized, **{name: bool(value) for name, value in flags.items()})
