"""Which tokens were added to a vocabulary, and which are special, from the files that Transformers has written."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from bert_tf.errors import UserError
from bert_tf.guard import short
from bert_tf.text.added_tokens import AddedToken
from bert_tf.text.files import keys
from bert_tf.text.files.json_file import read_if_there
from bert_tf.text.files.tokenizer_json import added_token

LOG = logging.getLogger(__name__)
LISTS = ("additional_special_tokens", "extra_special_tokens")


class Added(NamedTuple):
    """tokens: the added ones, in the order of their ids; named: the five special tokens' arguments, where a file says
    them; extra: contents of further special tokens, which may be no tokens yet."""

    tokens: tuple[AddedToken, ...]
    named: dict[str, str]
    extra: tuple[str, ...]


def collect(
    path: Path,
    folder: Path,
    config: Mapping[str, Any],
    names: Mapping[str, Any],
    in_json: Mapping[int, AddedToken] | None,
    vocabulary: Sequence[str],
    general: bool,
    distinct: int,
) -> Added:
    """All added tokens of a folder.

    `added_tokens_decoder` of tokenizer_config.json says all there is; where it is missing, special_tokens_map.json,
    added_tokens.json and tokenizer.json do, later ones winning.

    Args:
        path, config: tokenizer_config.json.
        names: special_tokens_map.json.
        in_json: of tokenizer.json, ids -> tokens; None without that file.
        general: whether tokenizer.json's are there whatever else is said.
        distinct: how many different tokens the vocabulary has.
    Raises: UserError for ids that do not go with the vocabulary.
    """
    decoder = config.get("added_tokens_decoder")
    map_path = folder / "special_tokens_map.json"
    if decoder is None:
        merged, origin = {**config, **names}, map_path
        for key in config.keys() & names.keys():
            if content(config[key]) != content(names[key]):
                LOG.warning("%s: `%s` counts, not the one of tokenizer_config.json", map_path, key)
    else:
        keys.need(isinstance(decoder, Mapping), path, "added_tokens_decoder", decoder, "an object")
        merged, origin = dict(config), path
        for key in sorted(names.keys() - {"additional_special_tokens"}):
            if key in config and content(config[key]) != content(names[key]):
                LOG.warning("%s: `%s` is ignored, since tokenizer_config.json says otherwise", map_path, key)
    named, extra, flagged = special(merged, origin)

    numbered: dict[int, tuple[AddedToken, Path]] = {}
    if decoder is None:
        special_contents = {*named.values(), *extra}
        for token, number in read_if_there(folder / "added_tokens.json").items():
            entry = added_token(token, folder, special=token in special_contents)
            numbered[as_id(number, folder / "added_tokens.json")] = entry, folder / "added_tokens.json"
    json_path = folder / "tokenizer.json"
    if decoder is None or general:
        numbered |= {number: (token, json_path) for number, token in (in_json or {}).items()}
    else:
        unheeded = [t.content for n, t in (in_json or {}).items() if n >= len(vocabulary) and str(n) not in decoder]
        if unheeded:
            what = (json_path, ", ".join(map(repr, unheeded[:5])))
            LOG.warning("%s: added tokens that `added_tokens_decoder` lacks are ignored: %s", *what)
    for number, entry in (decoder or {}).items():
        numbered[as_id(number, path)] = added_token(entry, path), path
    added = [*(token for _, (token, _) in sorted(numbered.items())), *flagged]
    behind = [t for t in (*(token.content for token in added), *named.values(), *extra) if t not in vocabulary]
    if behind and distinct < len(vocabulary):
        raise UserError(
            f"{folder}: added tokens need a vocabulary with each token once and no number left out: Transformers "
            f"counts {distinct:,} of {len(vocabulary):,}, and gives {behind[0]!r} a number that another token has"
        )
    check_numbers(numbered, vocabulary)
    by_content: dict[str, AddedToken] = {}
    for token in added:
        by_content.setdefault(token.content, token)
    return Added(tuple(by_content.values()), named, extra)


def special(values: Mapping[str, Any], path: Path) -> tuple[dict[str, str], tuple[str, ...], list[AddedToken]]:
    """The five by argument, further ones, and those of either that have flags."""
    named: dict[str, str] = {}
    extra: list[str] = []
    flagged: list[AddedToken] = []

    def take(entry: Any) -> str:
        if isinstance(entry, Mapping):
            flagged.append(added_token({**entry, "special": True}, path))
        return content(entry)

    for key, value in values.items():
        if key in keys.SPECIAL:
            if value is None:
                raise keys.refusal(path, key, value, "must be a token")
            keys.need(isinstance(content(value), str), path, key, value, "a token")
            named[key] = take(value)
        elif key in LISTS:
            if key == "additional_special_tokens" and values.get("extra_special_tokens"):
                continue  # It is the older name of the other.
            entries = list(value.values()) if isinstance(value, Mapping) else list(value or ())
            keys.need(all(isinstance(content(e), str) for e in entries), path, key, value, "tokens")
            extra += [take(entry) for entry in entries]
        elif key.endswith("_token") and isinstance(content(value), str):
            extra.append(take(value))
    five = set(named.values())
    return named, tuple(dict.fromkeys(token for token in extra if token not in five)), flagged


def check_numbers(numbered: Mapping[int, tuple[AddedToken, Path]], vocabulary: Sequence[str]) -> None:
    """Raises: UserError unless the tokens have their ids there, or follow the vocabulary without a gap."""
    ids = {token: number for number, token in enumerate(vocabulary)}
    size = len(vocabulary)
    for number, (token, path) in sorted(numbered.items()):
        expected = ids.get(token.content, size)
        if number != expected:
            where = "its id there" if token.content in ids else "the next one behind the vocabulary"
            raise UserError(
                f"{path}: an added token must have the id that the vocabulary gives it. Received: "
                f"{short(token.content)} with id {number}, where {where} is {expected}"
            )
        size += token.content not in ids


def as_id(number: Any, path: Path) -> int:
    try:
        return int(number)
    except (TypeError, ValueError):
        raise UserError(f"{path}: expected the id of an added token. Received: {short(number)}") from None


def content(token: Any) -> Any:
    return token.get("content") if isinstance(token, Mapping) else token
