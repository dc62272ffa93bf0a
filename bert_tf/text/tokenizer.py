"""BertTokenizer: the tokenizer BERT was trained with, as a TensorFlow graph with character offsets."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import tensorflow as tf

from bert_tf.text import files
from bert_tf.text.decode import Decoder
from bert_tf.text.tables import load_table
from bert_tf.text.vocabulary import find_problem, find_special_problem, read_vocabulary
from bert_tf.text.windows import Layout, build_rows, check_layout
from bert_tf.text.wordpiece import WordPieceGraph

TEXTS = tf.TensorSpec([None], tf.string)


class BertTokenizer:
    """Text to token ids and back, id for id as the `tokenizers` library does it for BERT.

    Everything but the reading of files is TensorFlow and tensorflow_text ops: it works in a `tf.function` and in a
    `tf.data` pipeline, and is saved with a SavedModel. Texts are string tensors [B], or a str, list or NumPy array
    (a single text counts as B = 1), in UTF-8; bytes that are not are U+FFFD. Offsets count the Unicode code points of
    the text as given.

    Args:
        vocabulary: a vocab.txt, or the tokens in the order of their ids.
        lowercase: lower-case the text.
        strip_accents: take accents off; None does so if `lowercase`.
        split_cjk: make every Chinese character a word.
        unk_token, sep_token, pad_token, cls_token, mask_token: tokens of the vocabulary. A text that names one, letter
            for letter, gets that token.
        extra_special_tokens: further tokens of the vocabulary that a text can name.
    Raises: ValueError if the tokens are no vocabulary or a special token is not among them; UserError if the file
        cannot be read.
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
    ):
        if isinstance(vocabulary, (str, os.PathLike)):
            vocabulary = read_vocabulary(vocabulary)
        elif problem := find_problem(vocabulary):
            raise ValueError(f"`vocabulary`: {problem}")
        self.vocabulary = tuple(vocabulary)
        self.lowercase, self.strip_accents, self.split_cjk = lowercase, strip_accents, split_cjk
        self.special_tokens = {
            "unk_token": unk_token, "sep_token": sep_token, "pad_token": pad_token,
            "cls_token": cls_token, "mask_token": mask_token,
        }  # fmt: skip
        self.extra_special_tokens = tuple(extra_special_tokens)
        extra = {f"extra_special_tokens[{i}]": token for i, token in enumerate(self.extra_special_tokens)}
        if problem := find_special_problem(self.vocabulary, self.special_tokens | extra):
            raise ValueError(problem)
        self.token_to_id = {token: number for number, token in enumerate(self.vocabulary)}
        self.unk_id, self.sep_id, self.pad_id, self.cls_id, self.mask_id = (
            self.token_to_id[token] for token in self.special_tokens.values()
        )
        named = tuple(dict.fromkeys([*self.special_tokens.values(), *self.extra_special_tokens]))
        strip = lowercase if strip_accents is None else strip_accents
        with tf.init_scope(), tf.device("CPU"):  # Constants of no graph, so that every graph shares them.
            self._pieces = WordPieceGraph(
                self.vocabulary, load_table(lowercase, strip, split_cjk),
                lowercase=lowercase, unk_token=unk_token, special_tokens=named,
            )  # fmt: skip
            self._decoder = Decoder(self.vocabulary, {self.token_to_id[token] for token in named})
        # Traced once for any number of texts; what comes after them differs from call to call.
        self._ids = tf.function(partial(self._pieces, with_offsets=False), input_signature=[TEXTS])
        self._places = tf.function(partial(self._pieces, with_offsets=True), input_signature=[TEXTS])
        self._encode = tf.function(self._encode_graph, reduce_retracing=True)

    @classmethod
    def from_pretrained(cls, where: str | os.PathLike[str], **overrides: Any) -> BertTokenizer:
        """Reads a checkpoint's tokenizer: vocab.txt and tokenizer_config.json, tokenizer.json, or a KerasHub preset.

        Args:
            where: a folder or another place that weights come from (`bert_tf.weights.places`).
            overrides: arguments of BertTokenizer that win over the files'.
        Raises: UserError if there is no tokenizer, or one that is not BERT's.
        """
        arguments, source = files.read(where)
        try:
            return cls(**(arguments | overrides))
        except ValueError as error:
            raise files.UserError(f"{source}: {error}") from error

    def save_pretrained(self, folder: str | os.PathLike[str]) -> None:
        """Writes vocab.txt, tokenizer_config.json and special_tokens_map.json, as Transformers reads them."""
        files.write(
            folder, self.vocabulary, special_tokens=self.special_tokens, extra=self.extra_special_tokens,
            lowercase=self.lowercase, strip_accents=self.strip_accents, split_cjk=self.split_cjk,
        )  # fmt: skip

    def __reduce__(self) -> tuple[Any, ...]:
        """Copies and pickles are made anew from the arguments: graphs cannot be copied."""
        arguments = {
            "vocabulary": self.vocabulary, "lowercase": self.lowercase, "strip_accents": self.strip_accents,
            "split_cjk": self.split_cjk, "extra_special_tokens": self.extra_special_tokens, **self.special_tokens,
        }  # fmt: skip
        return partial(type(self), **arguments), ()

    @property
    def vocabulary_size(self) -> int:
        return len(self.vocabulary)

    def tokenize(self, texts: Any) -> Any:
        """Returns ragged int32 [B, (T)]: token ids without special tokens around the text."""
        values, splits = self._ids(as_texts(texts, "texts"))
        return tf.RaggedTensor.from_row_splits(values, splits, validate=False)

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
        max_length: int = 512,
        truncation: str = "longest_first",
        padding: str = "longest",
        stride: int | None = None,
        return_offsets: bool = False,
    ) -> dict[str, Any]:
        """The input of a model: [CLS] text [SEP], or [CLS] text [SEP] pair [SEP].

        Args:
            texts: B texts.
            pairs: B second texts.
            max_length: tokens a row at most, special ones included.
            truncation: how too long inputs are cut: longest_first, only_first, only_second or none.
            padding: longest (of the batch) or max_length.
            stride: cut into windows that overlap by so many tokens, and give all of them: W rows, W >= B.
            return_offsets: also give starts and ends, each token's place in its own text; 0 and 0 at special tokens.
        Returns: dict of int32 tensors [B, T] or [W, T]: token_ids, segment_ids (1 in the pair and its [SEP]),
            padding_mask, and starts and ends; with a stride also example [W], the input that each window is of.
        Raises: ValueError for arguments that do not fit together, or if the sequence to be cut has nothing left (in a
            graph that is tf.errors.InvalidArgumentError).
        """
        layout = Layout(max_length, truncation, padding, stride, return_offsets)
        rows = self._rows(texts, pairs, layout)
        del rows["lengths"]
        return rows

    def encode_ragged(
        self, texts: Any, pairs: Any = None, *, max_length: int = 512, truncation: str = "longest_first"
    ) -> dict[str, Any]:
        """As a call, without padding: token_ids and segment_ids, ragged int32 [B, (T)], special tokens included."""
        rows = self._rows(texts, pairs, Layout(max_length, truncation))
        names = ("token_ids", "segment_ids")
        return {name: tf.RaggedTensor.from_tensor(rows[name], lengths=rows["lengths"]) for name in names}

    def decode(self, ids: Any, *, skip_special_tokens: bool = True) -> list[str]:
        """Texts of ids [B, T], dense or ragged, or of one list: pieces joined, spaces before punctuation gone."""
        texts = self.detokenize(ids, skip_special_tokens=skip_special_tokens)
        return [text.decode("utf-8") for text in texts.numpy()]

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

    def _rows(self, texts, pairs, layout: Layout):
        check_layout(layout, pair=pairs is not None)
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


def as_texts(texts: Any, name: str) -> Any:
    """Returns a string tensor [B]."""
    if isinstance(texts, (list, tuple)) and not texts:
        return tf.constant([], tf.string)
    try:
        tensor = tf.convert_to_tensor(np.asarray(texts) if hasattr(texts, "to_numpy") else texts)
    except (TypeError, ValueError) as error:
        raise ValueError(f"`{name}` must be strings, [B]. Received: {type(texts).__name__}: {error}") from error
    if tensor.dtype != tf.string or tensor.shape.rank not in (None, 0, 1):
        raise ValueError(f"`{name}` must be strings, [B]. Received: {tensor.dtype.name} {tensor.shape}")
    return tensor if tensor.shape.rank == 1 else tf.reshape(tensor, [-1])
