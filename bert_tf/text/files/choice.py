"""Which tokenizer a folder has: one row an algorithm, and its files say which row it is."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from bert_tf.errors import UserError
from bert_tf.guard import held, short
from bert_tf.text.files.json_file import read_if_there, read_json

JSON = "tokenizer.json"
SUFFIXES = ("TokenizerFast", "Tokenizer")


class Row(NamedTuple):
    """An algorithm, and how its files are known.

    Args:
        name: its class.
        home: the module of that class.
        words: for people.
        is_in: whether it is the one of a tokenizer.json, given its `model` and all of the file.
        files: each a set of files that is enough without a tokenizer.json, paths from the folder on.
        classes: of tokenizers in Transformers, without "Tokenizer"; they tell where a folder has files of several.
    """

    name: str
    home: str
    words: str
    is_in: Callable[[Mapping[str, Any], Mapping[str, Any]], bool]
    files: tuple[tuple[str, ...], ...]
    classes: tuple[str, ...] = ()

    @property
    def tokenizer(self) -> Any:
        """The class."""
        return getattr(importlib.import_module(self.home), self.name)


def type_of(model: Mapping[str, Any]) -> str:
    """The `type` of a tokenizer.json's model; files from before it was written show it by what they have."""
    found = model.get("type")
    usual = "BPE" if "merges" in model else "Unigram" if isinstance(model.get("vocab"), list) else "WordPiece"
    return usual if found is None else str(found)


def steps(found: Any, members: str) -> list[Mapping[str, Any]]:
    """The steps of a part of a tokenizer.json: those of a sequence, or the one that it is.

    Args:
        members: the key of a sequence's steps.
    """
    if not isinstance(found, Mapping):
        return []
    if found.get("type") != "Sequence":
        return [found]
    return [inner for step in found.get(members) or () for inner in steps(step, members)]


def is_byte_level(raw: Mapping[str, Any]) -> bool:
    """Whether a tokenizer.json is of bytes: texts are split, or tokens joined, as such."""
    parts = [*steps(raw.get("pre_tokenizer"), "pretokenizers"), *steps(raw.get("decoder"), "decoders")]
    return any(step.get("type") == "ByteLevel" for step in parts)


WORDPIECE = Row(
    name="BertTokenizer",
    home="bert_tf.text.wordpiece.tokenizer",
    words="WordPiece",
    is_in=lambda model, raw: type_of(model) == "WordPiece",
    files=(("vocab.txt",), ("assets/tokenizer/vocabulary.txt",)),
    classes=("Bert", "DistilBert", "Electra", "MPNet", "MobileBert", "ConvBert", "SqueezeBert", "LayoutLM", "Lxmert",
             "DPRContextEncoder", "DPRQuestionEncoder", "Realm", "Retribert"),
)  # fmt: skip
BYTE_PAIRS = Row(
    name="BytePairTokenizer",
    home="bert_tf.text.byte_pairs.tokenizer",
    words="byte-level byte pairs",
    is_in=lambda model, raw: type_of(model) == "BPE" and is_byte_level(raw),
    files=(("vocab.json", "merges.txt"),),
    classes=("Roberta", "Longformer"),
)
SENTENCE_PIECE = Row(
    name="SentencePieceTokenizer",
    home="bert_tf.text.sentence_pieces.tokenizer",
    words="SentencePiece",
    is_in=lambda model, raw: type_of(model) == "Unigram" or (type_of(model) == "BPE" and not is_byte_level(raw)),
    files=(("sentencepiece.bpe.model",), ("spiece.model",), ("spm.model",), ("tokenizer.model",)),
    classes=("XLMRoberta", "Camembert", "Albert", "DebertaV2"),
)
ROWS = (WORDPIECE, BYTE_PAIRS, SENTENCE_PIECE)


def choose(where: str | os.PathLike[str], ignore: Collection[str] = ()) -> Row:
    """The row of the tokenizer at a place.

    What tokenizer.json says counts; without one the vocabulary's files do, and where there are those of several, the
    class that tokenizer_config.json or config.json names.

    Args:
        where: a folder or another place that weights come from, or a vocabulary's file.
        ignore: settings to ignore; tokenizer.json may be one.
    Raises: UserError if there is no tokenizer, one of an algorithm that is not known here, or several.
    """
    with held(where, "a tokenizer"):
        path = Path(where).expanduser()
        if is_vocabulary(path):
            return WORDPIECE
        folder = folder_of(where)
        if (folder / JSON).is_file() and JSON not in ignore:
            raw = read_json(folder / JSON)
            if "model" in raw or "class_name" not in raw:  # KerasHub's file of that name says its class.
                return _row_of_json(raw, folder / JSON)
        return _row_of_files(folder)


def is_vocabulary(path: Path) -> bool:
    """Whether a file is one of WordPiece's tokens by itself, whatever lies beside it."""
    return path.suffix == ".txt" and path.name not in ("vocab.txt", "merges.txt") and not path.is_dir()


def folder_of(where: str | os.PathLike[str]) -> Path:
    """The folder with the tokenizer's files at a place that weights come from. Raises: UserError if there is none."""
    from bert_tf.weights.places import folder_of as holding
    from bert_tf.weights.places import inner_folder
    from bert_tf.weights.places import resolve as place_of

    return inner_folder(holding(place_of(where)))


def expected() -> str:
    """The files of all tokenizers, in words."""
    return ", ".join([JSON, *(" with ".join(files) for row in ROWS for files in row.files)])


def explained(error: UserError, where: str | os.PathLike[str], name: str) -> UserError:
    """An error of a class's reader, with the class that reads the place where that is another one."""
    try:
        row = choose(where)
    except UserError:
        return error
    if row.name == name:
        return error
    return UserError(f"{error}. What is there is {row.words}: bert_tf.Tokenizer.from_pretrained reads it")


def class_named(name: str) -> Any:
    """A tokenizer's class by its name. Raises: ValueError for another."""
    for row in ROWS:
        if row.name == name:
            return row.tokenizer
    raise ValueError(f"a tokenizer's class must be one of {', '.join(row.name for row in ROWS)}. Received: {name!r}")


def classes_of(tokenizer: Any) -> tuple[str, ...]:
    """What classes of Transformers do what a tokenizer does, without "Tokenizer"."""
    return next((row.classes for row in ROWS if row.name == type(tokenizer).__name__), ())


def _row_of_json(raw: Mapping[str, Any], path: Path) -> Row:
    model = raw.get("model") or {}
    found = [row for row in ROWS if isinstance(model, Mapping) and row.is_in(model, raw)]
    if found:
        return found[0]
    known = ", ".join(row.words for row in ROWS)
    kind = short(type_of(model)) if isinstance(model, Mapping) else short(model)
    raise UserError(f"{path}: expected a tokenizer of {known}. Received: `model` of the type {kind}")


def _row_of_files(folder: Path) -> Row:
    found = [row for row in ROWS if any(_are_there(folder, files) for files in row.files)]
    if not found:
        raise UserError(f"{folder}: no tokenizer here: expected {expected()}")
    if len(found) > 1:
        name = next((str(name) for name in _named(folder) if name), "")
        for suffix in SUFFIXES:
            name = name.removesuffix(suffix)
        found = [row for row in found if name in row.classes] or found
    if len(found) > 1:
        raise UserError(
            f"{folder}: expected one tokenizer, or the name of its class as `tokenizer_class` of "
            f"tokenizer_config.json. Received: files of {' and '.join(row.words for row in found)}"
        )
    return found[0]


def _are_there(folder: Path, files: Sequence[str]) -> bool:
    return all((folder / name).is_file() for name in files)


def _named(folder: Path) -> list[Any]:
    """The tokenizer's class as the folder names it."""
    return [read_if_there(folder / name).get("tokenizer_class") for name in ("tokenizer_config.json", "config.json")]
