"""BytePairTokenizer: the byte-level tokenizer of RoBERTa and ModernBERT, as a TensorFlow graph with offsets."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import tensorflow as tf

from bert_tf.errors import UserError
from bert_tf.text.added_tokens import AddedToken
from bert_tf.text.added_tokens import find_problem as find_added_problem
from bert_tf.text.byte_pairs.alphabet import SPACE, bytes_of
from bert_tf.text.byte_pairs.decode import ByteDecoder
from bert_tf.text.byte_pairs.graph import BytePairGraph, Rules
from bert_tf.text.files import byte_pairs as files
from bert_tf.text.tokenizer import Tokenizer
from bert_tf.text.tokens.names import USUAL

NORMALIZATIONS = (None, "nfc")
NAMES = {
    "unk_token": "<unk>", "sep_token": "</s>", "pad_token": "<pad>", "cls_token": "<s>", "mask_token": "<mask>",
}  # fmt: skip


class BytePairTokenizer(Tokenizer):
    """Text to token ids and back, id for id as the `tokenizers` library does it for byte-level byte pairs.

    A text is split into words by GPT-2's pattern, a space belongs to the word after it, and the bytes of each word are
    merged pair by pair. No text is unknown where the vocabulary has all bytes. What else holds for it is what
    `Tokenizer` says.

    Args:
        vocabulary: a vocab.json, the tokens in the order of their ids, or token -> id. Bytes are written as GPT-2 does,
            a space as "Ġ". An id that no token has is "".
        merges: a merges.txt, or pairs of tokens in the order of their ranks.
        add_prefix_space: put a space before a text, and before what follows an added token, that has none.
        trim_offsets: the space that a word begins with is not of its token's place. In windows (`stride`) too.
        keep_first_space: but a single one at the beginning of a text is. None: as `add_prefix_space`.
        split_words: split texts into words; False: each is one.
        ignore_merges: a word that is a token is that token, even where no merges make it.
        unknown_bytes: the token for bytes that the vocabulary does not have. None: they are left out.
        fuse_unknown: several of them in a row are one token.
        normalization: "nfc" puts texts into Unicode's composed form first, as ModernBERT's does; None: they stay.
        unk_token, sep_token, pad_token, cls_token, mask_token: tokens of the vocabulary, or added ones. A text that
            names one, letter for letter, gets that token.
        extra_special_tokens, added_tokens, split_special_tokens, pairs, model_max_length: as of `BertTokenizer`.
        pair_separators: how many `sep_token` stand between the texts of a pair: 2 as for RoBERTa, or 1.
    Raises: ValueError if the tokens are no vocabulary, a merge is not of its tokens, or a special token is not among
        them; UserError if a file cannot be read.
    Reference: Radford et al., 2019, section 2.2,
        https://cdn.openai.com/better-language-models/language_models_are_unsupervised_multitask_learners.pdf

    >>> tokens = ["<s>", "<pad>", "</s>", "<unk>", "<mask>", *"abdglmo", "Ġ", "go", "goo", "good", "Ġb", "Ġba", "Ġbad"]
    >>> merges = [("g", "o"), ("go", "o"), ("goo", "d"), ("Ġ", "b"), ("Ġb", "a"), ("Ġba", "d")]
    >>> tokenizer = BytePairTokenizer(tokens, merges)
    >>> tokenizer(["good bad", "bad"])["token_ids"].numpy().tolist()
    [[0, 15, 18, 2, 1], [0, 6, 5, 7, 2]]
    >>> tokenizer.decode([[0, 15, 18, 2]])
    ['good bad']
    >>> tokenizer.tokenize_with_offsets(["good bad"])[1]  # where each token begins
    <tf.RaggedTensor [[0, 5]]>
    """

    def __init__(
        self,
        vocabulary: str | os.PathLike[str] | Sequence[str] | Mapping[str, int],
        merges: str | os.PathLike[str] | Sequence[tuple[str, str]],
        *,
        add_prefix_space: bool = False,
        trim_offsets: bool = True,
        keep_first_space: bool | None = None,
        split_words: bool = True,
        ignore_merges: bool = False,
        unknown_bytes: str | None = None,
        fuse_unknown: bool = False,
        normalization: str | None = None,
        unk_token: str = NAMES["unk_token"],
        sep_token: str = NAMES["sep_token"],
        pad_token: str = NAMES["pad_token"],
        cls_token: str = NAMES["cls_token"],
        mask_token: str = NAMES["mask_token"],
        extra_special_tokens: Sequence[str] = (),
        added_tokens: Sequence[AddedToken] = (),
        split_special_tokens: bool = False,
        pairs: bool = True,
        pair_separators: int = 2,
        model_max_length: int | None = None,
    ):
        if isinstance(vocabulary, (str, os.PathLike)):
            vocabulary = files.read_vocabulary(vocabulary)
        elif isinstance(vocabulary, Mapping):
            vocabulary = files.by_number(vocabulary)
        if isinstance(merges, (str, os.PathLike)):
            merges = files.read_merges(merges)
        merges = [(left, right) for left, right in merges]
        if problem := files.find_problem(vocabulary, merges, unknown_bytes) or find_added_problem(added_tokens):
            raise ValueError(problem)
        if normalization not in NORMALIZATIONS:
            raise ValueError(f"`normalization` must be None or 'nfc'. Received: {normalization!r}")
        super().__init__(
            vocabulary,
            special_tokens={
                "unk_token": unk_token, "sep_token": sep_token, "pad_token": pad_token,
                "cls_token": cls_token, "mask_token": mask_token,
            },
            extra_special_tokens=extra_special_tokens, added_tokens=added_tokens,
            split_special_tokens=split_special_tokens, pairs=pairs, pair_separators=pair_separators,
            model_max_length=model_max_length,
        )  # fmt: skip
        self.merges = tuple(merges)
        self.add_prefix_space, self.trim_offsets, self.split_words = add_prefix_space, trim_offsets, split_words
        self.keep_first_space = add_prefix_space if keep_first_space is None else keep_first_space
        self.normalization = normalization
        self.ignore_merges, self.unknown_bytes, self.fuse_unknown = ignore_merges, unknown_bytes, fuse_unknown
        ids = {token: number for number, token in enumerate(self._own) if token}
        rules = Rules(
            add_prefix_space=add_prefix_space, trim_offsets=trim_offsets, keep_first_space=self.keep_first_space,
            split_words=split_words, ignore_merges=ignore_merges, fuse_unknown=fuse_unknown,
            normalization=normalization,
            unknown=None if unknown_bytes is None else ids[unknown_bytes],
        )  # fmt: skip
        with tf.init_scope(), tf.device("CPU"):  # Constants of no graph, so that every graph shares them.
            pieces = BytePairGraph(
                ids, self.merges, tokens=self.added_tokens, numbers=self._numbers, rules=rules,
                split_special_tokens=split_special_tokens,
            )  # fmt: skip
            shown = [pieces.naming.as_found.get(number, token) for number, token in enumerate(self.vocabulary)]
            special = frozenset(self._special)
            self._ready(pieces, ByteDecoder(shown, [token in special for token in self.vocabulary]))

    @classmethod
    def _read(
        cls, where: str | os.PathLike[str], ignore: Collection[str], overrides: dict[str, Any]
    ) -> tuple[dict[str, Any], Any]:
        """tokenizer.json, or vocab.json and merges.txt, and what stands beside them."""
        arguments, source = files.read(where, ignore=ignore)
        for name in ("lowercase", "strip_accents"):
            if overrides.pop(name, None):
                raise UserError(f"{source}: byte pairs are of texts as they are. Received: {name}=True")
        return arguments, source

    def save_pretrained(self, folder: str | os.PathLike[str], *, model_max_length: int | None = None) -> None:
        """Writes tokenizer.json, vocab.json, merges.txt, tokenizer_config.json and special_tokens_map.json, as
        Transformers and the `tokenizers` library read them. What another tokenizer has left in the folder is removed.

        Args:
            model_max_length: the most tokens that the model takes; None: as this tokenizer knows it.
        """
        config = self.get_config() | {"model_max_length": model_max_length or self.model_max_length}
        added = {self.token_to_id[token.content]: token for token in self.added_tokens}
        files.write(folder, config, special_tokens=self.special_tokens, added_tokens=added, ids=self.token_to_id)

    @property
    def odd_rules(self) -> tuple[str, ...]:
        """What decides about ids beyond the vocabulary and plain special tokens, in words."""
        digest = hashlib.sha256(repr(self.merges).encode("utf-8", "surrogatepass")).hexdigest()[:12]
        tokens, split = self._odd_tokens
        own = [f"{len(self.merges):,} merges of bytes ({digest})"]
        own += [f"{name}={value!r}" for name, value in self._rules().items() if value != USUAL_RULES[name]]
        return (*own, *tokens, *split)

    def continues_word(self, token: str) -> bool:
        return not token.startswith(SPACE) and token not in self._added

    def shown(self, token: str) -> str:
        return token if token in self._added else bytes_of(token).decode("utf-8", "replace")

    @property
    def _added(self) -> frozenset[str]:
        return frozenset(token.content for token in self.added_tokens)

    def _rules(self) -> dict[str, Any]:
        found = {name: getattr(self, name) for name in USUAL_RULES}
        return found | {"keep_first_space": self.keep_first_space}

    def get_config(self) -> dict[str, Any]:
        own = {"vocabulary": list(self._own), "merges": [list(pair) for pair in self.merges], **self._rules()}
        return own | super().get_config()

    @property
    def _usual(self) -> dict[str, Any]:
        return {**USUAL_RULES, **NAMES, **USUAL, "pair_separators": 2}


USUAL_RULES: dict[str, Any] = {
    "add_prefix_space": False, "trim_offsets": True, "keep_first_space": False, "split_words": True,
    "ignore_merges": False, "unknown_bytes": None, "fuse_unknown": False, "normalization": None,
}  # fmt: skip
