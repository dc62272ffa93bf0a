"""What each family makes of a model of SentencePiece: its ids, its steps, its special tokens.

The steps are those of the tokenizer.json that its published checkpoints have, or that Transformers 4 made of their
model's file. Where a folder has a tokenizer.json, that says all there is, and nothing of here is asked.

Reference: `convert_slow_tokenizer.py` and the families' tokenizers of Transformers 4 and 5.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from bert_tf.text.added_tokens import AddedToken
from bert_tf.text.sentence_pieces.files.model_file import CONTROL, ModelFile

Scored = tuple[str, float]
PENALTY = 100.0  # what Transformers takes off the score of a piece that must not be used
META = "▁"
ANGLE = {"cls_token": "<s>", "sep_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>", "mask_token": "<mask>"}
SQUARE = {"cls_token": "[CLS]", "sep_token": "[SEP]", "mask_token": "[MASK]"}


class Family(NamedTuple):
    """A family of models with such a tokenizer.

    Args:
        prefix: what the name of its tokenizers' classes begins with.
        model_type: as config.json has it.
        files: names that its model's file has.
        tokens: argument's name -> special token, where no file says it.
        pieces: the vocabulary, in the order of its ids, of a model's file and the special tokens.
        normalizer, pre_tokenizer: the steps, of a model's file and tokenizer_config.json.
        pair_separators: how many stand between the texts of a pair.
        added: tokens that texts can name by rules of their own.
    """

    prefix: str
    model_type: str
    files: tuple[str, ...]
    tokens: Mapping[str, str]
    pieces: Callable[[ModelFile, Mapping[str, str]], list[Scored]]
    normalizer: Callable[[ModelFile, Mapping[str, Any]], list[dict[str, Any]]]
    pre_tokenizer: Callable[[Mapping[str, Any]], list[dict[str, Any]]]
    pair_separators: int = 1
    added: tuple[AddedToken, ...] = ()


def metaspace(config: Mapping[str, Any]) -> dict[str, Any]:
    scheme = "always" if config.get("add_prefix_space", True) else "never"
    return {"type": "Metaspace", "replacement": META, "prepend_scheme": scheme, "split": True}


def at_white_space(config: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"type": "WhitespaceSplit"}, metaspace(config)]


def maybe_at_punctuation(config: Mapping[str, Any]) -> list[dict[str, Any]]:
    first = [{"type": "Punctuation", "behavior": "Isolated"}] if config.get("split_by_punct") else []
    return [*first, metaspace(config)]


def own_map(model: ModelFile, config: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The map of characters that the model has."""
    text = base64.b64encode(model.charsmap).decode("ascii")
    return [{"type": "Precompiled", "precompiled_charsmap": text}] if text else []


def alberts(model: ModelFile, config: Mapping[str, Any]) -> list[dict[str, Any]]:
    quotes = [{"type": "Replace", "pattern": {"String": mark * 2}, "content": '"'} for mark in "`'"]
    accents = [] if config.get("keep_accents") else [{"type": "NFKD"}, {"type": "StripAccents"}]
    lower = [{"type": "Lowercase"}] if config.get("do_lower_case", True) else []
    return [*quotes, *accents, *lower, *own_map(model, config)]


def debertas(model: ModelFile, config: Mapping[str, Any]) -> list[dict[str, Any]]:
    lower = [{"type": "Lowercase"}] if config.get("do_lower_case") else []
    one_space = {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "}
    return [*lower, {"type": "Strip", "strip_left": True, "strip_right": True}, *own_map(model, config), one_space]


def as_in_model(model: ModelFile, tokens: Mapping[str, str]) -> list[Scored]:
    return [(piece.text, piece.score) for piece in model.pieces]


def without_numbers(model: ModelFile, tokens: Mapping[str, str]) -> list[Scored]:
    """As in the model; a number with the comma behind it is no piece: ALBERT was trained with both apart."""
    return [
        (text, score - PENALTY if len(text) > 1 and text[-1] == "," and text[-2].isdigit() else score)
        for text, score in as_in_model(model, tokens)
    ]


def fairseqs(model: ModelFile, tokens: Mapping[str, str]) -> list[Scored]:
    """fairseq's dictionary puts four tokens before the model's pieces, of which the first three are not used."""
    first = [(tokens[name], 0.0) for name in ("cls_token", "pad_token", "sep_token", "unk_token")]
    return [*first, *as_in_model(model, tokens)[3:], (tokens["mask_token"], 0.0)]


def camemberts(model: ModelFile, tokens: Mapping[str, str]) -> list[Scored]:
    first = [("<s>NOTUSED", 0.0), (tokens["pad_token"], 0.0), ("</s>NOTUSED", 0.0), (tokens["unk_token"], 0.0)]
    return [*first, ("<unk>NOTUSED", -PENALTY), *as_in_model(model, tokens)[1:], (tokens["mask_token"], 0.0)]


FAMILIES = (
    Family(
        prefix="XLMRoberta", model_type="xlm-roberta", files=("sentencepiece.bpe.model",), tokens=ANGLE,
        pieces=fairseqs, normalizer=own_map, pre_tokenizer=at_white_space, pair_separators=2,
        added=(AddedToken("<mask>", special=True, lstrip=True),),
    ),
    Family(
        prefix="Camembert", model_type="camembert", files=("sentencepiece.bpe.model",), tokens=ANGLE,
        pieces=camemberts, normalizer=own_map, pre_tokenizer=at_white_space, pair_separators=2,
        added=(AddedToken("<mask>", special=True, lstrip=True),
               *(AddedToken(name, special=True) for name in ("<s>NOTUSED", "</s>NOTUSED", "<unk>NOTUSED"))),
    ),
    Family(
        prefix="Albert", model_type="albert", files=("spiece.model",),
        tokens=SQUARE | {"unk_token": "<unk>", "pad_token": "<pad>"},
        pieces=without_numbers, normalizer=alberts, pre_tokenizer=at_white_space,
    ),
    Family(
        prefix="DebertaV2", model_type="deberta-v2", files=("spm.model", "spiece.model"),
        tokens=SQUARE | {"unk_token": "[UNK]", "pad_token": "[PAD]"},
        pieces=as_in_model, normalizer=debertas, pre_tokenizer=maybe_at_punctuation,
    ),
)  # fmt: skip
MODEL_FILES = tuple(dict.fromkeys([*(name for family in FAMILIES for name in family.files), "tokenizer.model"]))


def controls(model: ModelFile) -> Sequence[AddedToken]:
    """Tokens that a model's file keeps for itself: texts can name them, as in Transformers."""
    return [AddedToken(piece.text, special=True) for piece in model.pieces if piece.kind == CONTROL]
