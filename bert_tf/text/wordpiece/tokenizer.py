"""BertTokenizer: the tokenizer BERT was trained with, as a TensorFlow graph with character offsets."""

from __future__ import annotations

import logging
import os
from collections.abc import Collection, Sequence
from typing import Any

import tensorflow as tf

from bert_tf.text import files
from bert_tf.text import vocabulary as words
from bert_tf.text.added_tokens import AddedToken
from bert_tf.text.added_tokens import find_problem as find_added_problem
from bert_tf.text.tokenizer import Tokenizer
from bert_tf.text.tokens.names import USUAL
from bert_tf.text.wordpiece.decode import Decoder
from bert_tf.text.wordpiece.graph import WordPieceGraph
from bert_tf.text.wordpiece.lookup import PREFIX
from bert_tf.text.wordpiece.tables import load_table

LOG = logging.getLogger(__name__)


class BertTokenizer(Tokenizer):
    """Text to token ids and back, id for id as the `tokenizers` library does it for BERT.

    Everything but the reading of files is TensorFlow and tensorflow_text ops: it works in a `tf.function` and in a
    `tf.data` pipeline, and is saved with a SavedModel. Texts are string tensors [B], or a str, list or NumPy array
    (a single text counts as B = 1), in UTF-8; other bytes become U+FFFD. Offsets count the Unicode code points of
    the text as given.

    Args:
        vocabulary: a vocab.txt, or the tokens in the order of their ids. If a token occurs again, its last id
            counts; no text gives an empty token.
        lowercase: lower-case the text.
        strip_accents: remove accents; None: if `lowercase`.
        split_cjk: make every Chinese character a word.
        unk_token, sep_token, pad_token, cls_token, mask_token: tokens of the vocabulary, or added ones. A text that
            names one, letter for letter, gets that token.
        extra_special_tokens: further tokens that a text can name, of the vocabulary or added.
        added_tokens: what a text can name by other rules, see `AddedToken`. Those that the vocabulary lacks follow it,
            in this order.
        max_word_characters: a longer word is unknown.
        split_special_tokens: a text that names a special token gets the pieces of its name.
        pairs: False refuses pairs, for a model that has learned them without segments.
        pair_separators: how many `sep_token` stand between the texts of a pair, 1 or 2.
        model_max_length: most tokens that the model takes, special ones included; None: not known.
    Raises: ValueError if the tokens are no vocabulary or a special token is not among them; UserError if the file
        cannot be read.

    >>> tokenizer = BertTokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "un", "##aff", "##able", "!"])
    >>> tokenizer(["Unaffable!", "!"])["token_ids"].numpy().tolist()
    [[2, 5, 6, 7, 8, 3], [2, 8, 3, 0, 0, 0]]
    >>> tokenizer.decode([[2, 5, 6, 7, 8, 3]])
    ['unaffable!']
    >>> tokenizer.tokenize_with_offsets(["Unaffable!"])[1]  # where each token begins
    <tf.RaggedTensor [[0, 2, 5, 9]]>
    """

    vocabulary_file = "vocab.txt"
    piece_prefix = PREFIX

    def __init__(
        self,
        vocabulary: str | os.PathLike[str] | Sequence[str],
        *,
        lowercase: bool = True,
        strip_accents: bool | None = None,
        split_cjk: bool = True,
        unk_token: str = "[UNK]",
        sep_token: str = "[SEP]",
        pad_token: str = "[PAD]",
        cls_token: str = "[CLS]",
        mask_token: str = "[MASK]",
        extra_special_tokens: Sequence[str] = (),
        added_tokens: Sequence[AddedToken] = (),
        max_word_characters: int = words.MAX_WORD_CHARACTERS,
        split_special_tokens: bool = False,
        pairs: bool = True,
        pair_separators: int = 1,
        model_max_length: int | None = None,
    ):
        if isinstance(vocabulary, (str, os.PathLike)):
            vocabulary = words.read_vocabulary(vocabulary)
        counts = words.find_count_problem(max_word_characters, pair_separators)
        if problem := words.find_problem(vocabulary) or find_added_problem(added_tokens) or counts:
            raise ValueError(problem)
        if isinstance(vocabulary, list) and len(set(vocabulary)) < len(vocabulary):  # A file's reader has said so.
            LOG.warning("`vocabulary` has tokens more than once: the last id of each counts")
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
        if unk_token not in self._own:
            raise ValueError(
                f"`unk_token` must be a token of the vocabulary, not an added one. Received: {unk_token!r}"
            )
        self.lowercase, self.strip_accents, self.split_cjk = lowercase, strip_accents, split_cjk
        self.max_word_characters = max_word_characters
        strip = lowercase if strip_accents is None else strip_accents
        with tf.init_scope(), tf.device("CPU"):  # Constants of no graph, so that every graph shares them.
            pieces = WordPieceGraph(
                self.wordpieces, load_table(lowercase, strip, split_cjk),
                lowercase=lowercase, unk_token=unk_token, tokens=self.added_tokens, ids=self._numbers,
                max_word_characters=max_word_characters, split_special_tokens=split_special_tokens,
            )  # fmt: skip
            shown = [pieces.as_found.get(number, token) for number, token in enumerate(self.vocabulary)]
            stands = [self.token_to_id[token] == number for number, token in enumerate(self.vocabulary)]
            self._ready(pieces, Decoder(shown, stands, self._special))

    @classmethod
    def _read(
        cls, where: str | os.PathLike[str], ignore: Collection[str], overrides: dict[str, Any]
    ) -> tuple[dict[str, Any], Any]:
        """vocab.txt and tokenizer_config.json, tokenizer.json, or a KerasHub preset. Where no file says whether text is
        lower-cased, the place's name and then the vocabulary decide, with a warning."""
        return files.read(where, lowercase=overrides.get("lowercase"), ignore=ignore)

    def save_pretrained(self, folder: str | os.PathLike[str], *, model_max_length: int | None = None) -> None:
        """Writes vocab.txt, tokenizer.json, tokenizer_config.json and special_tokens_map.json, as Transformers and the
        `tokenizers` library read them.

        What another tokenizer has left in the folder, such as a merges.txt, is removed: it would count for more. A
        vocabulary that has a token twice, or an empty one, gets no tokenizer.json, which cannot say it.

        Args:
            model_max_length: the most tokens that the model takes; None: as this tokenizer knows it.
        """
        files.write(
            folder, self._own, special_tokens=self.special_tokens,
            added_tokens={self.token_to_id[token.content]: token for token in self.added_tokens},
            lowercase=self.lowercase, strip_accents=self.strip_accents, split_cjk=self.split_cjk,
            max_word_characters=self.max_word_characters, split_special_tokens=self.split_special_tokens,
            pairs=self.pairs, pair_separators=self.pair_separators,
            model_max_length=model_max_length or self.model_max_length,
        )  # fmt: skip

    @property
    def wordpieces(self) -> list[str]:
        """Tokens that words are split into, all different: those that no text gives have other names."""
        return words.distinct(self._own, {token: i for i, token in enumerate(self._own)})

    @property
    def odd_rules(self) -> tuple[str, ...]:
        """What decides about ids beyond vocabulary, case, accents, Chinese and plain special tokens, in words."""
        tokens, split = self._odd_tokens
        longest = self.max_word_characters
        usual = longest == words.MAX_WORD_CHARACTERS
        return (*tokens, *([] if usual else [f"words of up to {longest} characters"]), *split)

    def continues_word(self, token: str) -> bool:
        return token.startswith(PREFIX)

    def shown(self, token: str) -> str:
        return token

    def get_config(self) -> dict[str, Any]:
        return {
            "vocabulary": list(self._own), "lowercase": self.lowercase, "strip_accents": self.strip_accents,
            "split_cjk": self.split_cjk, "max_word_characters": self.max_word_characters, **super().get_config(),
        }  # fmt: skip

    @property
    def _usual(self) -> dict[str, Any]:
        usual = {"lowercase": None, "strip_accents": None, "split_cjk": True}
        usual |= {"max_word_characters": words.MAX_WORD_CHARACTERS}
        return usual | {name: f"[{name[: -len('_token')].upper()}]" for name in self.special_tokens} | USUAL
