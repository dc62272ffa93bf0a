"""Tokenizer: what every tokenizer does around its own algorithm, as a TensorFlow graph with character offsets."""

from __future__ import annotations

import abc
import os
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any, Protocol, TypeVar

import tensorflow as tf

from bert_tf.errors import UserError
from bert_tf.text import vocabulary as words
from bert_tf.text.added_tokens import AddedToken, number, resolve
from bert_tf.text.added_tokens import find_problem as find_added_problem
from bert_tf.text.files.choice import choose, explained
from bert_tf.text.texts import as_texts
from bert_tf.text.tokens.names import TokenIds, TokenNames
from bert_tf.text.tokens.one_row import Piece, one_row
from bert_tf.text.windows import Layout, build_rows, check_layout
from bert_tf.weights.vocabulary_check import Sizes

Self = TypeVar("Self", bound="Tokenizer")  # typing.Self is there from Python 3.11 on

TEXTS = tf.TensorSpec([None], tf.string)
DEFAULT_LENGTH = 512


class Pieces(Protocol):
    """The graph of an algorithm: texts to ids, without special tokens around them."""

    def __call__(self, texts: Any, *, with_offsets: bool) -> tuple[Any, Any]:
        """texts string [B] -> int32 [P], or [P, 3] with offsets: id, start, end; and row splits int64 [B + 1]."""
        ...

    def of_one(self, texts: Any) -> list[Piece] | None:
        """The pieces of a single text without a graph; None where the graph is needed."""
        ...


class Tokenizer(TokenNames, abc.ABC):
    """Text to token ids and back: what the tokenizers of all algorithms have.

    `Tokenizer.from_pretrained(where)` reads any of them; each is a class of its own: `BertTokenizer` (WordPiece), for
    example. Everything but the reading of files is TensorFlow and tensorflow_text ops: it works in a `tf.function` and
    in a `tf.data` pipeline, and is saved with a SavedModel. Texts are string tensors [B], or a str, list or NumPy array
    (a single text counts as B = 1), in UTF-8; other bytes become U+FFFD. Offsets count the Unicode code points of the
    text as given.

    A class gives `__init__` its own tokens and what every tokenizer is asked, then `_ready` the graph that makes pieces
    and the one that joins them; it says `_read`, `save_pretrained`, `get_config`, `from_config`, `odd_rules`,
    `continues_word` and `shown` for its algorithm, and has a row in `bert_tf.text.files.choice`.

    Args:
        own: the algorithm's own tokens, in the order of their ids.
        special_tokens: `unk_token`, `sep_token`, `pad_token`, `cls_token` and `mask_token` -> tokens among `own`, or
            added ones.
        extra_special_tokens, added_tokens, split_special_tokens, pairs, pair_separators, model_max_length: as
            `BertTokenizer` takes them.
    Raises: ValueError if a special token is not among the tokens, or for a wrong number.

    >>> import tempfile
    >>> from bert_tf import BertTokenizer
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     BertTokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "un", "##able"]).save_pretrained(folder)
    ...     Tokenizer.from_pretrained(folder).tokenize(["Unable"])
    <tf.RaggedTensor [[5, 6]]>
    """

    lowercase: bool = False
    strip_accents: bool | None = False
    split_cjk: bool = False
    max_word_characters: Any = None
    vocabulary_file: str = "tokenizer.json"
    """The file that `save_pretrained` writes the words to."""
    piece_prefix: str | None = None
    """What tokens begin with that continue a word, where that is how they are known."""

    def __init__(
        self,
        own: Sequence[str],
        *,
        special_tokens: Mapping[str, str],
        extra_special_tokens: Sequence[str] = (),
        added_tokens: Sequence[AddedToken] = (),
        split_special_tokens: bool = False,
        pairs: bool = True,
        pair_separators: int = 1,
        model_max_length: int | None = None,
    ):
        if problem := find_added_problem(added_tokens) or words.find_separators_problem(pair_separators):
            raise ValueError(problem)
        self._own = tuple(own)
        self.split_special_tokens = split_special_tokens
        self.pairs, self.pair_separators, self.model_max_length = pairs, pair_separators, model_max_length
        self.special_tokens = dict(special_tokens)
        extra = {f"extra_special_tokens[{i}]": token for i, token in enumerate(extra_special_tokens)}
        known = (*self._own, *(token.content for token in added_tokens))
        if problem := words.find_special_problem(known, self.special_tokens | extra):
            raise ValueError(problem)
        ids = {token: i for i, token in enumerate(self._own)}
        tokens = resolve([*self.special_tokens.values(), *extra_special_tokens], added_tokens)
        by_number = sorted(zip(number(tokens, ids, len(self._own)), tokens, strict=True))
        self._numbers, self.added_tokens = zip(*by_number, strict=True)
        numbered = zip(self._numbers, self.added_tokens, strict=True)
        behind = {i: token.content for i, token in numbered if i >= len(self._own)}
        self.vocabulary = (*self._own, *behind.values())
        self.token_to_id = TokenIds(ids | {token: i for i, token in behind.items()})
        self._special = [token.content for token in self.added_tokens if token.special]
        self.extra_special_tokens = tuple(t for t in self._special if t not in self.special_tokens.values())
        self.unk_id, self.sep_id, self.pad_id, self.cls_id, self.mask_id = (
            self.token_to_id[self.special_tokens[name]] for name in words.SPECIAL
        )

    def _ready(self, pieces: Pieces, decoder: Callable[..., Any]) -> None:
        """The last thing that a class's `__init__` does.

        Args:
            pieces: the graph of the algorithm.
            decoder: ids, ragged int32 [B, (T)], and `skip_special_tokens` -> string [B].
        """
        self._pieces, self._decoder = pieces, decoder
        # Traced once for any number of texts; what comes after them differs from call to call.
        self._ids = tf.function(partial(pieces, with_offsets=False), input_signature=[TEXTS], autograph=False)
        self._places = tf.function(partial(pieces, with_offsets=True), input_signature=[TEXTS], autograph=False)
        self._encode = tf.function(self._encode_graph, reduce_retracing=True, autograph=False)

    @classmethod
    def from_pretrained(
        cls: type[Self], where: str | os.PathLike[str], *, ignore: Collection[str] = (), **overrides: Any
    ) -> Self:
        """Reads a checkpoint's tokenizer. `Tokenizer` reads any: what the files say picks the class.

        Args:
            where: a folder or another place that weights come from (`bert_tf.weights.places`).
            ignore: names of settings to ignore that would be refused otherwise.
            overrides: arguments of the class that win over the files'.
        Raises: UserError if there is no tokenizer, or one that no class reads.
        """
        if cls is Tokenizer:
            return choose(where, ignore).tokenizer.from_pretrained(where, ignore=ignore, **overrides)
        try:
            arguments, source = cls._read(where, ignore, overrides)
        except UserError as error:
            raise explained(error, where, cls.__name__) from error
        try:
            return cls(**(arguments | overrides))
        except ValueError as error:
            raise UserError(f"{source}: {error}") from error

    @classmethod
    @abc.abstractmethod
    def _read(
        cls, where: str | os.PathLike[str], ignore: Collection[str], overrides: dict[str, Any]
    ) -> tuple[dict[str, Any], Any]:
        """The arguments of `__init__` that a place's files say, and the file that errors are to name.

        Args:
            overrides: what the caller asks besides; what is no argument of `__init__` is taken out.
        """

    @abc.abstractmethod
    def save_pretrained(self, folder: str | os.PathLike[str], *, model_max_length: int | None = None) -> None:
        """Writes the tokenizer's files, as Transformers and `from_pretrained` read them.

        Args:
            model_max_length: the most tokens that the model takes; None: as this tokenizer knows it.
        """

    @property
    @abc.abstractmethod
    def odd_rules(self) -> tuple[str, ...]:
        """What decides about ids beyond vocabulary, case, accents, Chinese and plain special tokens, in words."""

    @property
    def sizes(self) -> Sizes:
        """Rows that a model's token table needs: for the vocabulary, and for added tokens too."""
        last = max(number for token, number in self.token_to_id.items() if token and number < len(self._own))
        return Sizes(last + 1, self.vocabulary_size)

    @property
    def _odd_tokens(self) -> tuple[list[str], list[str]]:
        """The odd rules that added tokens have, and those about special ones in texts, in words."""
        ids, own = self.token_to_id, len(self._own)
        rules = [f"added token {t.to_json()}" for t in self.added_tokens if t.is_odd or ids[t.content] >= own]
        return rules, ["special tokens in texts are split"] * self.split_special_tokens

    @abc.abstractmethod
    def continues_word(self, token: str) -> bool:
        """Whether a token of the vocabulary continues the word before it, rather than begin one."""

    @abc.abstractmethod
    def shown(self, token: str) -> str:
        """A token of the vocabulary as people read it."""

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
        """Texts of ids [B, T], dense or ragged, or of one list: pieces joined as the algorithm splits them."""
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
            raise UserError(
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
