"""The tokenizer's files: vocab.txt and tokenizer_config.json, tokenizer.json, KerasHub's assets."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from bert_tf.errors import UserError
from bert_tf.guard import held
from bert_tf.text.added_tokens import AddedToken
from bert_tf.text.files.casing import guess
from bert_tf.text.files.choice import JSON, WORDPIECE, folder_of, is_vocabulary
from bert_tf.text.files.json_file import read_json
from bert_tf.text.files.keras_hub import VOCABULARY, read_preset
from bert_tf.text.files.transformers import read_folder
from bert_tf.text.files.wordpiece_json import can_say, wordpiece_json
from bert_tf.text.files.writing import as_json, write_folder
from bert_tf.weights.leave import Leave
from bert_tf.weights.members import MEMBERS
from bert_tf.weights.vocabulary_file import read_vocabulary

__all__ = ["UserError", "read", "read_json", "write"]

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
    arguments: dict[str, Any]
    path = Path(where).expanduser()
    if is_vocabulary(path):
        arguments, source, folder = {}, path, path.parent
        arguments["vocabulary"] = read_vocabulary(path)
        names = [path.stem, path.resolve().parent.name]
    else:
        folder = folder_of(where)
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
    """Writes vocab.txt, tokenizer.json, tokenizer_config.json and special_tokens_map.json.

    A vocabulary that has a token twice, or an empty one, gets no tokenizer.json, which cannot say it; then there may be
    an added_tokens.json.

    Args:
        vocabulary: tokens of WordPiece; those that were added behind it are not among them.
        special_tokens: argument's name -> token, of the usual five.
        pair_separators: as a BertTokenizer has it; the class that is written makes such pairs.
        added_tokens: all tokens that a text can name, by id; None: the five.
        model_max_length: most tokens of a text; None: no limit is written.
    Raises: UserError if the folder cannot be written.
    """
    if added_tokens is None:
        ids = {token: i for i, token in enumerate(vocabulary)}
        added_tokens = {ids[token]: AddedToken(token, special=True) for token in special_tokens.values()}
    ours = [member for member in MEMBERS.values() if member.prefix in WORDPIECE.classes]
    makes_such_pairs = next(member for member in ours if member.pair_separators == pair_separators)
    settings = {
        "tokenizer_class": f"{makes_such_pairs.prefix}Tokenizer",
        "do_lower_case": lowercase,
        "strip_accents": strip_accents,
        "tokenize_chinese_chars": split_cjk,
        **({} if max_word_characters == WORD_LENGTH else {"max_input_chars_per_word": max_word_characters}),
    }
    files = {"vocab.txt": "".join(f"{token}\n" for token in vocabulary)}
    if can_say(vocabulary):
        files[JSON] = as_json(
            wordpiece_json(
                vocabulary, special_tokens=special_tokens, added_tokens=added_tokens, lowercase=lowercase,
                strip_accents=strip_accents, split_cjk=split_cjk, max_word_characters=max_word_characters,
                pair_separators=pair_separators,
            )
        )  # fmt: skip
    write_folder(
        folder, files, settings,
        special_tokens=special_tokens, added_tokens=added_tokens, size=len(vocabulary),
        split_special_tokens=split_special_tokens, pairs=pairs, model_max_length=model_max_length,
    )  # fmt: skip
