"""The `tokenizers` library set up as Transformers sets it up for each family, and where a comparison with it fails."""

from __future__ import annotations

import functools
import json
import re
import tarfile
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import tensorflow as tf
from tokenizers import AddedToken, Regex, Tokenizer, normalizers, pre_tokenizers
from tokenizers.models import Unigram

from bert_tf.text.sentence_pieces.files.model_file import ModelFile, read_model
from tests.text.reference import POINTS, all_equal, fuzzed_texts

GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "sentence_pieces.tar.xz"
FILES = {"xlm-roberta": "sentencepiece.bpe.model", "camembert": "sentencepiece.bpe.model", "albert": "spiece.model",
         "deberta": "spm.model"}  # fmt: skip
SPECIAL = ("[CLS]", "[SEP]", "[MASK]", "<s>", "</s>", "<mask>", "<pad>", "<unk>", "[UNK]", "[PAD]")
ODD = (
    "  ''quoted'' ``x``` ````", "a\n\n b\r\nc\td", "Ünï e\u0301\u0323 x", " lead", "trail  ", "", " ", "1,234, 5,",
    "(hello) (world).", "ÀÉ İstanbul ﬁ ½", "a  [MASK]  b <mask>", "[CLS][SEP]x", "▁▁a ▁b", "a▁", "\u3000x\u3000\u3000y",
    "ﬁ\u0301x \u0600a", "\x01abc\x02d", "aaaaaaaaaaaaaaa !!!!!!!!! hahahahaha",
)  # fmt: skip


class Reference(NamedTuple):
    """The library's tokenizer; and the characters that its map of characters removes."""

    tokenizer: Any
    removed: frozenset[str]


@functools.cache
def golden(folder: str) -> Path:
    """Everything of the archive, in a folder that is made once."""
    with tarfile.open(GOLDEN) as packed:
        packed.extractall(folder, filter="data")
    return Path(folder)


def truths(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "truths.json").read_text(encoding="utf-8"))


def model_of(folder: Path, family: str) -> ModelFile:
    return read_model(folder / f"{family}_model" / FILES[family])


def made(vocabulary: Sequence[tuple[str, float]], unk_id: int, steps: Sequence[Any], words: Sequence[Any], *,
         special: Sequence[Any], charsmap: bytes = b"", byte_fallback: bool = False) -> Reference:  # fmt: skip
    """A tokenizer of the library.

    Args:
        special: added tokens, or contents of those that are special.
        charsmap: the map that is among the steps, if any.
    """
    model: Any = Unigram
    x: Any = Tokenizer(model(list(vocabulary), unk_id, byte_fallback))
    x.normalizer = normalizers.Sequence(list(steps))
    x.pre_tokenizer = pre_tokenizers.Sequence(list(words))
    tokens = [AddedToken(t, special=True, normalized=False) if isinstance(t, str) else t for t in special]
    for token in tokens:
        (x.add_special_tokens if token.special else x.add_tokens)([token])
    return Reference(x, removed_by(charsmap))


@functools.cache
def removed_by(charsmap: bytes) -> frozenset[str]:
    if not charsmap:
        return frozenset()
    normalize = precompiled(charsmap).normalize_str
    return frozenset(chr(point) for point in POINTS if normalize(chr(point)) == "")


def precompiled(charsmap: bytes) -> Any:
    kind: Any = normalizers.Precompiled
    return kind(charsmap)


def at_white_space() -> list[Any]:
    return [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()]


def xlm_roberta(model: ModelFile, config: Mapping[str, Any]) -> Reference:
    pieces = [(piece.text, piece.score) for piece in model.pieces[3:]]
    first = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
    special = ["<s>", "<pad>", "</s>", "<unk>", AddedToken("<mask>", special=True, lstrip=True, normalized=False)]
    return made([*first, *pieces, ("<mask>", 0.0)], 3, [precompiled(model.charsmap)], at_white_space(),
                special=special, charsmap=model.charsmap)  # fmt: skip


def camembert(model: ModelFile, config: Mapping[str, Any]) -> Reference:
    pieces = [(piece.text, piece.score) for piece in model.pieces[1:]]
    first = [("<s>NOTUSED", 0.0), ("<pad>", 0.0), ("</s>NOTUSED", 0.0), ("<unk>", 0.0), ("<unk>NOTUSED", -100.0)]
    special = ["<s>", "<pad>", "</s>", "<unk>", "<s>NOTUSED", "</s>NOTUSED", "<unk>NOTUSED",
               AddedToken("<mask>", special=True, lstrip=True, normalized=False)]  # fmt: skip
    return made([*first, *pieces, ("<mask>", 0.0)], 3, [], at_white_space(), special=special)


def albert(model: ModelFile, config: Mapping[str, Any]) -> Reference:
    pieces = [
        (p.text, p.score - 100.0 if len(p.text) > 1 and p.text[-1] == "," and p.text[-2].isdigit() else p.score)
        for p in model.pieces
    ]
    steps: list[Any] = [normalizers.Replace("``", '"'), normalizers.Replace("''", '"')]
    steps += [] if config.get("keep_accents") else [normalizers.NFKD(), normalizers.StripAccents()]
    steps += [normalizers.Lowercase()] if config.get("do_lower_case", True) else []
    special = ["<pad>", "<unk>", "[CLS]", "[SEP]", "[MASK]"]
    return made(pieces, 1, [*steps, precompiled(model.charsmap)], at_white_space(), special=special,
                charsmap=model.charsmap)  # fmt: skip


def deberta(model: ModelFile, config: Mapping[str, Any]) -> Reference:
    """As Transformers 4 makes it of the model's file."""
    pieces = [(piece.text, piece.score) for piece in model.pieces]
    steps: list[Any] = [normalizers.Lowercase()] if config.get("do_lower_case") else []
    steps += [normalizers.Strip(), precompiled(model.charsmap), normalizers.Replace(Regex(" {2,}"), " ")]
    words: list[Any] = [pre_tokenizers.Punctuation(behavior="isolated")] if config.get("split_by_punct") else []
    return made(pieces, 3, steps, [*words, pre_tokenizers.Metaspace()], charsmap=model.charsmap,
                special=["[PAD]", "[CLS]", "[SEP]", "[UNK]", "[MASK]"])  # fmt: skip


REFERENCES = {"xlm-roberta": xlm_roberta, "camembert": camembert, "albert": albert, "deberta": deberta}


def texts_for(model: ModelFile, count: int, *, seed: int) -> list[str]:
    vocabulary = [piece.text.replace("▁", " ") for piece in model.pieces if piece.text]
    return [*ODD, *fuzzed_texts(count, seed=seed, vocabulary=[*vocabulary, *SPECIAL])]


def find_mismatch(tokenizer: Any, expected: Reference, texts: Sequence[str], batch: int = 4096) -> str | None:
    """The first text whose ids or offsets differ, with both sides; None if there is none.

    Where the library's map of characters removes what a text begins with, the places of all that follows are wrong:
    each is as many characters before its own. Places of such texts are compared with those that it gives for the text
    without what is removed.
    """
    for start in range(0, len(texts), batch):
        chunk = list(texts[start : start + batch])
        encodings = expected.tokenizer.encode_batch(chunk, add_special_tokens=False)
        found = tokenizer.tokenize_with_offsets(tf.constant(chunk))
        if all_equal(encodings, found):
            continue
        columns = [ragged.to_list() for ragged in found]
        for text, encoding, ids, starts, ends in zip(chunk, encodings, *columns, strict=True):
            places = places_of(text, encoding, expected)
            found = list(zip(starts, ends, strict=True))
            if ids != encoding.ids or (places is not None and places != found):
                return f"{text!a}\nexpected {encoding.ids} {places}\nfound    {ids} {found}"
    return None


def places_of(text: str, encoding: Any, expected: Reference) -> list[tuple[int, int]] | None:
    """Where each token is; None where the library does not tell."""
    removed: Collection[str] = expected.removed
    if not any(c in removed for c in text):
        return encoding.offsets
    if re.search("|".join(rf"{re.escape(c)}\s|\s{re.escape(c)}" for c in removed if c in text), text):
        return None  # Without it, white space is another one's neighbour.
    if any(c in removed and unicodedata.category(after)[0] in "MCS" for c, after in pairwise(text)):
        return None  # Without it, a mark may belong to another character.
    kept = [place for place, c in enumerate(text) if c not in removed]
    other = expected.tokenizer.encode("".join(text[place] for place in kept), add_special_tokens=False)
    if other.ids != encoding.ids:
        return None
    return [(kept[start], kept[end - 1] + 1) for start, end in other.offsets]
