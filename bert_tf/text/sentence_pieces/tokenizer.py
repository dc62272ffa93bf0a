"""SentencePieceTokenizer: the tokenizer of XLM-RoBERTa, CamemBERT, ALBERT and DeBERTa v2 and v3, as a graph."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import tensorflow as tf

from bert_tf.text.added_tokens import AddedToken
from bert_tf.text.sentence_pieces.decode import META, Decoder, JoiningDecoder
from bert_tf.text.sentence_pieces.files.reading import read
from bert_tf.text.sentence_pieces.files.writing import write
from bert_tf.text.sentence_pieces.graph import SentencePieceGraph
from bert_tf.text.sentence_pieces.models.merged import find_merges_problem
from bert_tf.text.sentence_pieces.models.model import BytePairModel, UnigramModel
from bert_tf.text.sentence_pieces.models.unigram import BYTES, find_problem
from bert_tf.text.sentence_pieces.words import scheme_of
from bert_tf.text.tokenizer import Tokenizer
from bert_tf.text.tokens.names import USUAL

WORDS = (
    {"type": "WhitespaceSplit"},
    {"type": "Metaspace", "replacement": META, "prepend_scheme": "always", "split": True},
)
"""How texts become words where nothing else is said: at white space, each with a sign of its beginning."""


class SentencePieceTokenizer(Tokenizer):
    """Text to token ids and back by a model of SentencePiece, id for id as the `tokenizers` library does it.

    Args:
        vocabulary: pieces and their scores, in the order of their ids. Of unigram models, if a piece occurs again, its
            last id counts.
        merges: pairs of pieces, by rank: words are merged by them, whatever the scores. None: a unigram model.
        normalizer, pre_tokenizer: the steps from a text to its words, each as a tokenizer.json has it, such as
            `{"type": "Lowercase"}`.
        unk_token, sep_token, pad_token, cls_token, mask_token: tokens of the vocabulary, or added ones. A text that
            names one, letter for letter, gets that token.
        byte_fallback: give the bytes of unknown characters, by the pieces that are called <0x00> to <0xFF>.
        fuse_unknown: several unknown characters in a row are one token; of unigram models always.
        extra_special_tokens, added_tokens, split_special_tokens, pairs, pair_separators, model_max_length: as
            `BertTokenizer` takes them.
    Raises: ValueError if the pieces are no vocabulary or a special token is not among them; UserError for a step that
        is not known here.

    >>> pieces = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁un", -2.0), ("able", -3.0)]
    >>> pieces += [("▁", -3.5), ("aff", -4.0), ("!", -4.5), ("<mask>", 0.0)]
    >>> tokenizer = SentencePieceTokenizer(pieces)
    >>> tokenizer(["unaffable!", "!"])["token_ids"].numpy().tolist()
    [[0, 4, 7, 5, 8, 2], [0, 6, 8, 2, 1, 1]]
    >>> tokenizer.decode([[0, 4, 7, 5, 8, 2]])
    ['unaffable!']
    >>> tokenizer.tokenize_with_offsets(["unaffable!"])[1]  # where each token begins
    <tf.RaggedTensor [[0, 2, 5, 9]]>
    """

    def __init__(
        self,
        vocabulary: Sequence[tuple[str, float]],
        *,
        merges: Sequence[tuple[str, str]] | None = None,
        normalizer: Sequence[Mapping[str, Any]] = (),
        pre_tokenizer: Sequence[Mapping[str, Any]] = WORDS,
        unk_token: str = "<unk>",
        sep_token: str = "</s>",
        pad_token: str = "<pad>",
        cls_token: str = "<s>",
        mask_token: str = "<mask>",
        byte_fallback: bool = False,
        fuse_unknown: bool = True,
        extra_special_tokens: Sequence[str] = (),
        added_tokens: Sequence[AddedToken] = (),
        split_special_tokens: bool = False,
        pairs: bool = True,
        pair_separators: int = 1,
        model_max_length: int | None = None,
    ):
        merges = None if merges is None else tuple((left, right) for left, right in merges)
        problem = find_problem(vocabulary, unk_token, byte_fallback)
        if problem := problem or (None if merges is None else find_merges_problem([p for p, _ in vocabulary], merges)):
            raise ValueError(problem)
        self.scores = tuple(float(score) for _, score in vocabulary)
        super().__init__(
            [piece for piece, _ in vocabulary],
            special_tokens={
                "unk_token": unk_token, "sep_token": sep_token, "pad_token": pad_token,
                "cls_token": cls_token, "mask_token": mask_token,
            },
            extra_special_tokens=extra_special_tokens, added_tokens=added_tokens,
            split_special_tokens=split_special_tokens, pairs=pairs, pair_separators=pair_separators,
            model_max_length=model_max_length,
        )  # fmt: skip
        self.normalizer, self.pre_tokenizer = tuple(map(dict, normalizer)), tuple(map(dict, pre_tokenizer))
        self.merges, self.byte_fallback, self.fuse_unknown = merges, byte_fallback, fuse_unknown
        schemes = [scheme_of(step) for step in self.pre_tokenizer if step.get("type") == "Metaspace"]
        self.gives_sign = (bool(schemes) and schemes[-1] != "never") or any(
            step.get("type") == "Prepend" for step in self.normalizer
        )
        self.joins_bytes = merges is not None or byte_fallback
        model = (
            UnigramModel(tuple(zip(self._own, self.scores, strict=True)), self.unk_id, byte_fallback)
            if merges is None
            else BytePairModel(self._own, merges, self.unk_id, fuse_unknown, byte_fallback)
        )
        with tf.init_scope(), tf.device("CPU"):  # Constants of no graph, so that every graph shares them.
            pieces = SentencePieceGraph(
                model, normalizer=self.normalizer,
                pre_tokenizer=self.pre_tokenizer, tokens=self.added_tokens, ids=self._numbers,
                split_special_tokens=split_special_tokens, where="this tokenizer",
            )  # fmt: skip
            shown = [pieces.as_found.get(number, token) for number, token in enumerate(self.vocabulary)]
            joins = {"bytes": BYTES if byte_fallback else ()} if self.joins_bytes else {}
            decoder = JoiningDecoder if self.joins_bytes else Decoder
            self._ready(pieces, decoder(shown, self._special, prefixed=self.gives_sign, **joins))

    @classmethod
    def _read(
        cls, where: str | os.PathLike[str], ignore: Collection[str], overrides: dict[str, Any]
    ) -> tuple[dict[str, Any], Any]:
        """tokenizer.json, or a model of SentencePiece with tokenizer_config.json."""
        return read(where, ignore)

    def save_pretrained(self, folder: str | os.PathLike[str], *, model_max_length: int | None = None) -> None:
        """Writes tokenizer.json, tokenizer_config.json and special_tokens_map.json, as Transformers reads them.

        What another tokenizer has left in the folder, such as a vocab.txt, is removed.

        Args:
            model_max_length: the most tokens that the model takes; None: as this tokenizer knows it.
        """
        write(folder, self, model_max_length=model_max_length or self.model_max_length)

    @property
    def pieces(self) -> tuple[str, ...]:
        """The pieces of the model; tokens that were added behind them are not among them."""
        return self._own

    @property
    def odd_rules(self) -> tuple[str, ...]:
        """What decides about ids beyond vocabulary, case, accents, Chinese and plain special tokens, in words."""
        tokens, split = self._odd_tokens
        return ("a model of SentencePiece", *tokens, *split)

    def continues_word(self, token: str) -> bool:
        return not token.startswith(META)

    def shown(self, token: str) -> str:
        return token.replace(META, " ").strip() or token

    def get_config(self) -> dict[str, Any]:
        return {
            "vocabulary": [list(piece) for piece in zip(self._own, self.scores, strict=True)],
            "normalizer": [dict(step) for step in self.normalizer],
            "pre_tokenizer": [dict(step) for step in self.pre_tokenizer],
            "merges": None if self.merges is None else [list(pair) for pair in self.merges],
            "byte_fallback": self.byte_fallback, "fuse_unknown": self.fuse_unknown, **super().get_config(),
        }  # fmt: skip

    @property
    def _usual(self) -> dict[str, Any]:
        return {"byte_fallback": False, "fuse_unknown": True} | USUAL
