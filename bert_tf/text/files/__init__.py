"""The tokenizer's files: vocab.txt and tokenizer_config.json, tokenizer.json, KerasHub's assets."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from bert_tf.errors import UserError
from bert_tf.guard import held
from bert_tf.text.added_tokens import AddedToken, number, resolve
from bert_tf.text.files.casing import guess
from bert_tf.text.files.json_file import read_json
from bert_tf.text.files.keras_hub import VOCABULARY, read_preset
from bert_tf.text.files.keys import SPECIAL
from bert_tf.text.files.transformers import read_folder
from bert_tf.weights.leave import Leave
from bert_tf.weights.members import MEMBERS
from bert_tf.weights.vocabulary_file import read_vocabulary

__all__ = ["UserError", "count_tokens", "read", "read_json", "write"]

WORD_LENGTH = 100


def read(
    where: str | os.PathLike[str], *, lowercase: bool | None = None, ignore: Collection[str] = ()
) -> tuple[dict[str, Any], Path]:
    """Returns the arguments of a BertTokenizer, and the file that they are from.

    A .txt file of another name than vocab.txt is a vocabulary by itself, whatever lies beside it.

    Args:
        lowercase: counts more than what the files say.
        ignore: names of settings to ignore that would be refused otherwise.
    Raises: UserError if there is no tokenizer, or one that is not BERT's; or if nothing tells whether it lower-cases.
    """
    leave = Leave(ignore)
    with held(where, "a BERT's tokenizer"):
        return _read(where, lowercase, leave)


def _read(where: str | os.PathLike[str], lowercase: bool | None, leave: Leave) -> tuple[dict[str, Any], Path]:
    from bert_tf.weights.places import folder_of, inner_folder
    from bert_tf.weights.places import resolve as place_of

    arguments: dict[str, Any]
    path = Path(where).expanduser()
    if path.suffix == ".txt" and path.name != "vocab.txt" and not path.is_dir():
        arguments, source, folder = {}, path, path.parent
        arguments["vocabulary"] = read_vocabulary(path)
        names = [path.stem, path.resolve().parent.name]
    else:
        folder = inner_folder(folder_of(place_of(where)))
        names = [folder.resolve().name, os.fspath(where).rpartition("/")[2]]
        if (folder / VOCABULARY).is_file() and not (folder / "vocab.txt").is_file():
            arguments, source = read_preset(folder, leave), folder / VOCABULARY
        elif (folder / "vocab.txt").is_file() or (folder / "tokenizer.json").is_file():
            arguments, source = read_folder(folder, leave)
        else:
            raise UserError(f"{folder}: no tokenizer here: expected vocab.txt, tokenizer.json or {VOCABULARY}")
    if leave.unmet:
        raise UserError(f"`ignore` names {', '.join(leave.unmet)}, and the tokenizer in {folder} has no such setting")
    if lowercase is not None:
        arguments["lowercase"] = lowercase
    elif "lowercase" not in arguments:
        arguments["lowercase"] = guess(arguments["vocabulary"], source, names)
    return arguments, source


def count_tokens(arguments: Mapping[str, Any]) -> int:
    """How many tokens a BertTokenizer of these arguments has, added ones included."""
    tokens = arguments["vocabulary"]
    named = [arguments.get(name, f"[{name[: -len('_token')].upper()}]") for name in SPECIAL]
    named += arguments.get("extra_special_tokens", ())
    added = resolve(named, arguments.get("added_tokens", ()))
    ids = {token: i for i, token in enumerate(tokens)}
    return max(len(tokens) - 1, *number(added, ids, len(tokens))) + 1


def write(
    folder: str | os.PathLike[str],
    vocabulary: Sequence[str],
    *,
    special_tokens: Mapping[str, str],
    lowercase: bool,
    added_tokens: Mapping[int, AddedToken] | None = None,
    strip_accents: bool | None = None,
    split_cjk: bool = True,
    max_word_characters: int = WORD_LENGTH,
    split_special_tokens: bool = False,
    pairs: bool = True,
    pair_separators: int = 1,
    model_max_length: int | None = None,
) -> None:
    """Writes vocab.txt, tokenizer_config.json and special_tokens_map.json, and added_tokens.json where there is one.

    Args:
        vocabulary: tokens of WordPiece; those that were added behind it are not among them.
        special_tokens: argument's name -> token, of the usual five.
        pair_separators: as a BertTokenizer has it; the class that is written makes such pairs.
        added_tokens: all tokens that a text can name, by id; None: the five.
        model_max_length: most tokens of a text; None: no limit is written.
    Raises: UserError if the folder cannot be written.
    """
    folder = Path(folder)
    if added_tokens is None:
        ids = {token: i for i, token in enumerate(vocabulary)}
        added_tokens = {ids[token]: AddedToken(token, special=True) for token in special_tokens.values()}
    makes_such_pairs = next(member for member in MEMBERS.values() if member.pair_separators == pair_separators)
    usual = set(special_tokens.values())
    extra = [t.content for _, t in sorted(added_tokens.items()) if t.special and t.content not in usual]
    config: dict[str, Any] = {
        "tokenizer_class": f"{makes_such_pairs.prefix}Tokenizer",
        "do_lower_case": lowercase,
        "strip_accents": strip_accents,
        "tokenize_chinese_chars": split_cjk,
        **({} if model_max_length is None else {"model_max_length": model_max_length}),
        **({} if max_word_characters == WORD_LENGTH else {"max_input_chars_per_word": max_word_characters}),
        **({"split_special_tokens": True} if split_special_tokens else {}),
        **({} if pairs else {"model_input_names": ["input_ids", "attention_mask"]}),
        **special_tokens,
        "added_tokens_decoder": {str(i): token.to_json() for i, token in sorted(added_tokens.items())},
    }
    names: dict[str, Any] = dict(special_tokens)
    if extra:
        config["additional_special_tokens"] = names["additional_special_tokens"] = extra
    behind = {token.content: i for i, token in sorted(added_tokens.items()) if i >= len(vocabulary)}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_text(folder / "vocab.txt", "".join(f"{token}\n" for token in vocabulary))
        write_json(folder / "special_tokens_map.json", names)
        write_json(folder / "tokenizer_config.json", config)
        if behind:
            write_json(folder / "added_tokens.json", behind)
        for stale in ("tokenizer.json", *(() if behind else ("added_tokens.json",))):
            (folder / stale).unlink(missing_ok=True)  # What another tokenizer left would count for more.
    except OSError as error:
        raise UserError(f"{folder}: cannot write the tokenizer: {error.strerror}") from error


def write_json(path: Path, value: Any) -> None:
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def write_text(path: Path, text: str) -> None:
    """Writes under another name first, so that `path` is never half a file."""
    unfinished = path.with_name(f".{path.name}.unfinished")
    unfinished.write_bytes(text.encode("utf-8"))
    unfinished.replace(path)
