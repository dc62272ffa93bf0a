"""A tokenizer's folder as Transformers reads it: the words' files, tokenizer_config.json, special_tokens_map.json."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bert_tf.errors import UserError
from bert_tf.text.added_tokens import AddedToken
from bert_tf.text.files.choice import JSON, ROWS

ADDED = "added_tokens.json"


def write_folder(
    folder: str | os.PathLike[str],
    words: Mapping[str, str | bytes],
    settings: Mapping[str, Any],
    *,
    special_tokens: Mapping[str, str],
    added_tokens: Mapping[int, AddedToken],
    size: int,
    split_special_tokens: bool = False,
    pairs: bool = True,
    model_max_length: int | None = None,
) -> None:
    """Writes what every tokenizer's folder has. Files that another tokenizer has left there are removed.

    Args:
        words: names of files -> what is in them.
        settings: of tokenizer_config.json, the algorithm's own, `tokenizer_class` among them.
        special_tokens: argument's name -> token, of the usual five.
        added_tokens: all tokens that a text can name, by id.
        size: how many tokens the algorithm itself has: those behind them are named in added_tokens.json, unless a
            tokenizer.json among `words` says it.
        model_max_length: most tokens of a text; None: no limit is written.
    Raises: UserError if the folder cannot be written.
    """
    folder = Path(folder)
    usual = set(special_tokens.values())
    extra = [t.content for _, t in sorted(added_tokens.items()) if t.special and t.content not in usual]
    config: dict[str, Any] = {
        **settings,
        **({} if model_max_length is None else {"model_max_length": model_max_length}),
        **({"split_special_tokens": True} if split_special_tokens else {}),
        **({} if pairs else {"model_input_names": ["input_ids", "attention_mask"]}),
        **special_tokens,
        "added_tokens_decoder": {str(i): token.to_json() for i, token in sorted(added_tokens.items())},
    }
    names: dict[str, Any] = dict(special_tokens)
    if extra:
        config["additional_special_tokens"] = names["additional_special_tokens"] = extra
    behind = {token.content: i for i, token in sorted(added_tokens.items()) if i >= size}
    files = dict(words)
    if behind and JSON not in words:
        files[ADDED] = as_json(behind)
    files |= {"special_tokens_map.json": as_json(names), "tokenizer_config.json": as_json(config)}
    others = {JSON, ADDED, *(name for row in ROWS for group in row.files for name in group if "/" not in name)}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            write_whole(folder / name, content)
        for stale in others - files.keys():  # What another tokenizer left would count for more.
            (folder / stale).unlink(missing_ok=True)
    except OSError as error:
        raise UserError(f"{folder}: cannot write the tokenizer: {error.strerror}") from error


def as_json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def write_whole(path: Path, content: str | bytes) -> None:
    """Writes under another name first, so that `path` is never half a file."""
    unfinished = path.with_name(f".{path.name}.unfinished")
    unfinished.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    unfinished.replace(path)
