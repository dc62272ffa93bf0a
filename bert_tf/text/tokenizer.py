"""BertTokenizer: the tokenizer BERT was trained with, as a TensorFlow graph with character offsets."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Collection, Sequence
from functools import partial
from typing import Any

import tensorflow as tf

from bert_tf.text import files
from bert_tf.text import vocabulary as words
from bert_tf.text.added_tokens import AddedToken, number, resolve
from bert_tf.text.added_tokens import find_problem as find_added_problem
from bert_tf.text.decode import Decoder
from bert_tf.text.tables import load_table
from bert_tf.text.texts import as_texts
from bert_tf.text.tokens.names import TokenIds, TokenNames
from bert_tf.text.tokens.one_text import one_row
from bert_tf.text.windows import Layout, build_rows, check_layout
from bert_tf.text.wordpiece import WordPieceGraph
from bert_tf.weights.vocabulary_check import Sizes

TEXTS = tf.TensorSpec([None], tf.string)
DEFAULT_LENGTH = 512
LOG = logging.getLogger(__name__)


class BertTokenizer(TokenNames):
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
        self._own = tuple(vocabulary)  # tokens of WordPiece
        self.lowercase, self.strip_accents, self.split_cjk = lowercase, strip_accents, split_cjk
        self.max_word_characters, self.split_special_tokens = max_word_characters, split_special_tokens
        self.pairs, self.pair_separators, self.model_max_length = pairs, pair_separators, model_max_length
        self.special_tokens = {
            "unk_token": unk_token, "sep_token": sep_token, "pad_token": pad_token,
            "cls_token": cls_token, "mask_token": mask_token,
        }  # fmt: skip
        extra = {f"extra_special_tokens[{i}]": token for i, token in enumerate(extra_special_tokens)}
        known = (*self._own, *(token.content for token in added_tokens))
        if problem := words.find_special_problem(known, self.special_tokens | extra):
            raise ValueError(problem)
        ids = {token: i for i, token in enumerate(self._own)}
        if unk_token not in ids:
            raise ValueError(
                f"`unk_token` must be a token of the vocabulary, not an added one. Received: {unk_token!r}"
            )
        tokens = resolve([*self.special_tokens.values(), *extra_special_tokens], added_tokens)
        by_number = sorted(zip(number(tokens, ids, len(self._own)), tokens, strict=True))
        numbers, self.added_tokens = zip(*by_number, strict=True)
        behind = {i: token.content for i, token in zip(numbers, self.added_tokens, strict=True) if i >= len(self._own)}
        self.vocabulary = (*self._own, *behind.values())
        self.token_to_id = TokenIds(ids | {token: i for i, token in behind.items()})
        special = [token.content for token in self.added_tokens if token.special]
        self.extra_special_tokens = tuple(token for token in special if token not in self.special_tokens.values())
        self.unk_id, self.sep_id, self.pad_id, self.cls_id, self.mask_id = (
            self.token_to_id[token] for token in self.special_tokens.values()
        )
        strip = lowercase if strip_accents is None else strip_accents
        with tf.init_scope(), tf.device("CPU"):  # Constants of no graph, so that every graph shares them.
            self._pieces = WordPieceGraph(
                words.distinct(self._own, ids), load_table(lowercase, strip, split_cjk),
                lowercase=lowercase, unk_token=unk_token, tokens=self.added_tokens, ids=numbers,
                max_word_characters=max_word_characters, split_special_tokens=split_special_tokens,
            )  # fmt: skip
            shown = [self._pieces.as_found.get(number, token) for number, token in enumerate(self.vocabulary)]
            stands = [self.token_to_id[token] == number for number, token in enumerate(self.vocabulary)]
            self._decoder = Decoder(shown, stands, special)
        # Traced once for any number of texts; what comes after them differs from call to call.
        self._ids = tf.function(partial(self._pieces, with_offsets=False), input_signature=[TEXTS], autograph=False)
        self._places = tf.function(partial(self._pieces, with_offsets=True), input_signature=[TEXTS], autograph=False)
        self._encode = tf.function(self._encode_graph, reduce_retracing=True, autograph=False)

    @classmethod
    def from_pretrained(
        cls, where: str | os.PathLike[str], *, ignore: Collection[str] = (), **overrides: Any
    ) -> BertTokenizer:
        """Reads a checkpoint's tokenizer: vocab.txt and tokenizer_config.json, tokenizer.json, or a KerasHub preset.

        Where no file says whether text is lower-cased, the place's name and then the vocabulary decide, with a warning.

        Args:
            where: a folder or another place that weights come from (`bert_tf.weights.places`).
            ignore: names of settings to ignore that would be refused otherwise.
            overrides: arguments of BertTokenizer that win over the files'.
        Raises: UserError if there is no tokenizer, or one that is not BERT's.
        """
        arguments, source = files.read(where, lowercase=overrides.get("lowercase"), ignore=ignore)
        try:
            return cls(**(arguments | overrides))
        except ValueError as error:
            raise files.UserError(f"{source}: {error}") from error

    def save_pretrained(self, folder: str | os.PathLike[str], *, model_max_length: int | None = None) -> None:
        """Writes vocab.txt, tokenizer_config.json and special_tokens_map.json, as Transformers reads them.

        A tokenizer.json that another tokenizer has left in the folder is removed: it would count for more.

        `model_max_length` is the most tokens that the model takes; None: as this tokenizer knows it.
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
    def sizes(self) -> Sizes:
        """Rows that a model's token table needs: for the vocabulary, and for added tokens too."""
        last = max(number for token, number in self.token_to_id.items() if token and number < len(self._own))
        return Sizes(last + 1, self.vocabulary_size)

    @property
    def wordpieces(self) -> list[str]:
        """Tokens that words are split into, all different: those that no text gives have other names."""
        return words.distinct(self._own, {token: i for i, token in enumerate(self._own)})

    @property
    def odd_rules(self) -> tuple[str, ...]:
        """What decides about ids beyond vocabulary, case, accents, Chinese and plain special tokens, in words."""
        ids, own = self.token_to_id, len(self._own)
        rules = [f"added token {t.to_json()}" for t in self.added_tokens if t.is_odd or ids[t.content] >= own]
        if self.max_word_characters != words.MAX_WORD_CHARACTERS:
            rules.append(f"words of up to {self.max_word_characters} characters")
        return (*rules, *["special tokens in texts are split"] * self.split_special_tokens)

    def tokenize(self, texts: Any) -> Any:
        """Returns ragged int32 [B, (T)]: token ids without special tokens around the text."""
        return tf.RaggedTensor.from_row_splits(*self._ids(as_texts(texts, "texts")), validate=False)

    def tokenize_with_offsets(self, texts: Any) -> tuple[Any, Any, Any]:
        """Returns ids, starts and ends, ragged int32 [B, (T)] each: token t is of `text[starts[t]:ends[t]]`."""
        values, splits = self._places(as_texts(texts, "texts"))
        ids, starts, ends = (
            tf.RaggedTensor.from_row_splits(column, splits, validate=False) for column in tf.unstack(values, axis=1)
        )
        return ids, starts, ends

    def __call__(
        self,
        texts: Any,
        pairs: Any = None,
        *,
        max_length: int | None = None,
        truncation: str = "longest_first",
        padding: str = "longest",
        stride: int | None = None,
        return_offsets: bool = False,
        return_cut: bool = False,
    ) -> dict[str, Any]:
        """The input of a model: [CLS] text [SEP], or [CLS] text [SEP] pair [SEP].

        Args:
            texts: B texts.
            pairs: B second texts.
            max_length: tokens a row at most, special ones included; None: `model_max_length`, or 512.
            truncation: how too long inputs are cut: longest_first, only_first, only_second or none.
            padding: longest (of the batch) or max_length.
            stride: cut into windows that overlap by this many tokens, and give all of them: W rows, W >= B.
            return_offsets: also give starts and ends, each token's place in its own text; 0 and 0 at special tokens.
            return_cut: also give cut, int32 [B]: tokens that each input has lost. Not with a stride, which loses none.
        Returns: dict of int32 tensors [B, T] or [W, T]: token_ids, segment_ids (1 in the pair and its [SEP]),
            padding_mask, and starts and ends; with a stride also example [W], the input that each window is of.
        Raises: ValueError for arguments that do not fit together, or if the sequence to be cut has nothing left (in a
            graph that is tf.errors.InvalidArgumentError).
        """
        layout = Layout(self._length(max_length), truncation, padding, stride, return_offsets, self.pair_separators)
        rows = self._rows(texts, pairs, layout)
        left_out = ("lengths",) if return_cut else ("lengths", "cut")
        return {name: tensor for name, tensor in rows.items() if name not in left_out}

    def encode_ragged(
        self, texts: Any, pairs: Any = None, *, max_length: int | None = None, truncation: str = "longest_first"
    ) -> dict[str, Any]:
        """As a call, without padding: token_ids and segment_ids, ragged int32 [B, (T)], special tokens included; and
        cut, int32 [B], how many tokens each input has lost."""
        layout = Layout(self._length(max_length), truncation, separators=self.pair_separators)
        rows = self._rows(texts, pairs, layout)
        names = ("token_ids", "segment_ids")
        ragged = {name: tf.RaggedTensor.from_tensor(rows[name], lengths=rows["lengths"]) for name in names}
        return ragged | {"cut": rows["cut"]}

    def decode(self, ids: Any, *, skip_special_tokens: bool = True) -> list[str]:
        """Texts of ids [B, T], dense or ragged, or of one list: pieces joined, spaces before punctuation gone."""
        return [text.decode("utf-8") for text in self.detokenize(ids, skip_special_tokens=skip_special_tokens).numpy()]

    def detokenize(self, ids: Any, *, skip_special_tokens: bool = True) -> Any:
        """As `decode`, in the graph. Returns string [B]."""
        if isinstance(ids, (list, tuple)):
            ids = tf.ragged.constant(ids, tf.int32)
        elif not isinstance(ids, tf.RaggedTensor):
            ids = tf.convert_to_tensor(ids)
        if not ids.dtype.is_integer or ids.shape.rank not in (1, 2):
            raise ValueError(f"`ids` must be integers of rank 1 or 2. Received: {ids.dtype.name} {ids.shape}")
        ids = ids if ids.shape.rank == 2 else ids[None]
        ids = ids if isinstance(ids, tf.RaggedTensor) else tf.RaggedTensor.from_tensor(ids)
        with tf.device("CPU"):
            return self._decoder(tf.cast(ids, tf.int32), skip_special_tokens=skip_special_tokens)

    def _length(self, max_length: int | None) -> int:
        return (self.model_max_length or DEFAULT_LENGTH) if max_length is None else max_length

    def _rows(self, texts, pairs, layout: Layout):
        if pairs is not None and not self.pairs:
            raise files.UserError(
                "this tokenizer is for single texts: its `model_input_names` has no token_type_ids, so its model has "
                "learned pairs without segments, which this library does not make. pairs=True makes it take them"
            )
        check_layout(layout, pair=pairs is not None)
        one = self._pieces.of_one(texts) if pairs is None and layout.stride is None else None
        if one is not None:
            return one_row(one, layout, cls_id=self.cls_id, sep_id=self.sep_id, pad_id=self.pad_id)
        sequences = [as_texts(texts, "texts")]
        if pairs is not None:
            sequences.append(as_texts(pairs, "pairs"))
            first, second = sequences[0].shape[0], sequences[1].shape[0]
            if None not in (first, second) and first != second:
                raise ValueError(f"`pairs` must be as many as `texts`. Received: {first} texts, {second} pairs")
        try:
            return self._encode(sequences, layout)
        except tf.errors.InvalidArgumentError as error:
            if not tf.executing_eagerly():
                raise
            problem = re.search(r"assertion failed: \[(.*?)\]([^\n]*)", error.message)
            raise ValueError(problem[1] + problem[2] if problem else error.message) from error

    def _encode_graph(self, sequences, layout: Layout):
        with tf.device("CPU"):
            sequences = [(self._places if layout.return_offsets else self._ids)(texts) for texts in sequences]
            return build_rows(sequences, layout, cls_id=self.cls_id, sep_id=self.sep_id, pad_id=self.pad_id)
