"""Vectors of raw texts, in one graph."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from bert_tf.kinds.long_texts.notes import answer_lengths
from bert_tf.kinds.long_texts.reading import Reading
from bert_tf.kinds.long_texts.windows import WindowRows, Windows, ask, mean_over_windows, where_several, window_rows
from bert_tf.kinds.spans import WINDOWS_AT_ONCE, in_parts
from bert_tf.models.base import inputs_of

if TYPE_CHECKING:
    from bert_tf.models import BertEmbedder
    from bert_tf.text import Tokenizer

Answers = Callable[[Any], dict[str, Any]]


def answers_of_rows(model: BertEmbedder, tokenizer: Tokenizer, *, max_length: int, words: bool) -> Answers:
    """What `SentenceVectors.answer_function` wraps in a `tf.function` where long texts are cut.

    Args:
        words: whether there are also vectors of tokens.
    """
    pieces = tf.constant(tokenizer.vocabulary)

    def answer(texts: tf.Tensor) -> dict[str, tf.Tensor]:
        inputs = tokenizer(
            _prompted(model, texts), max_length=max_length, padding="longest", return_offsets=words, return_cut=True
        )
        lengths = answer_lengths(inputs, inputs.pop("cut"))
        if not words:
            return {"vector": tf.cast(model(inputs, training=False), tf.float32), **lengths}
        places = {name: inputs.pop(f"{name}s") for name in ("start", "end")}
        found = model.vectors(inputs, training=False)
        own = _own_tokens(inputs["padding_mask"], places["end"], len(model.prompt))

        def ragged(values: tf.Tensor) -> Any:
            return tf.ragged.boolean_mask(values[:, 1:], own)

        return {
            "vector": found["sentence_vectors"],
            "token": tf.ragged.map_flat_values(lambda ids: tf.gather(pieces, ids), ragged(inputs["token_ids"])),
            **{name: ragged(_in_text(place, model.prompt)) for name, place in places.items()},
            "token_vector": ragged(found["word_vectors"]),
            **lengths,
        }

    return answer


def answers_of_windows(
    model: BertEmbedder,
    tokenizer: Tokenizer,
    merge: Callable[[Any, Windows, Any], Any],
    *,
    reading: Reading,
    words: bool,
) -> Answers:
    """The same where long texts are read in windows. A prompt stands in the first window of a text alone; a token that
    is in two windows has the vector of the first of them.

    Args:
        merge: vectors [W, D], the windows and the model to vectors [B, D].
    """
    pieces = tf.constant(tokenizer.vocabulary)

    def answer(texts: tf.Tensor) -> dict[str, tf.Tensor]:
        found = window_rows(tokenizer, _prompted(model, texts), reading=reading, return_offsets=words)
        if not words:
            call = partial(model, training=False)
            vectors = ask(call, found.rows, texts=tf.size(texts), width=model.vector_dim)
            return {"vector": merge(vectors, found.windows, model), **found.answer_lengths}
        own = _own_tokens(found.rows["padding_mask"], found.rows["ends"], len(model.prompt))
        own = own & _new_tokens(found, tf.shape(own)[1])
        vectors, token_vectors = _both_vectors(model, found.rows, own, tf.size(texts))
        counts = tf.math.segment_sum(tf.reduce_sum(tf.cast(own, tf.int32), axis=1), found.windows.example)  # [B]

        def ragged(values: tf.Tensor) -> Any:
            return tf.RaggedTensor.from_row_lengths(values, counts, validate=False)

        def tokens(name: str) -> tf.Tensor:
            return tf.boolean_mask(found.rows[name][:, 1:], own)

        return {
            "vector": merge(vectors, found.windows, model),
            "token": ragged(tf.gather(pieces, tokens("token_ids"))),
            "start": ragged(_in_text(tokens("starts"), model.prompt)),
            "end": ragged(_in_text(tokens("ends"), model.prompt)),
            "token_vector": ragged(token_vectors),
            **found.answer_lengths,
        }

    return answer


def mean_vectors(vectors: Any, windows: Windows) -> Any:
    """float32 [W, D] to [B, D]: the direction of the mean of a text's windows, and the mean of their lengths."""
    mean = mean_over_windows(vectors, windows)
    length = mean_over_windows(tf.norm(vectors, axis=-1, keepdims=True), windows)
    mean *= tf.math.divide_no_nan(length, tf.norm(mean, axis=-1, keepdims=True))
    return where_several(mean, vectors, windows)


def _prompted(model: Any, texts: tf.Tensor) -> tf.Tensor:
    return tf.strings.join([model.prompt, texts]) if model.prompt else texts


def _in_text(place: tf.Tensor, prompt: str) -> tf.Tensor:
    """A place in characters, counted from where the text begins behind the prompt."""
    return tf.maximum(place - len(prompt), 0)


def _own_tokens(mask: tf.Tensor, ends: tf.Tensor, prompt: int) -> tf.Tensor:
    """bool [B, T - 1]: which tokens behind [CLS] are the text's own, neither special nor the prompt's."""
    own = tf.sequence_mask(tf.reduce_sum(mask, axis=1) - 2, tf.shape(mask)[1] - 1)
    return tf.logical_and(own, ends[:, 1:] > prompt) if prompt else own


def _new_tokens(found: WindowRows, width: tf.Tensor) -> tf.Tensor:
    """bool [W, `width`]: which tokens behind [CLS] are in no window before."""
    return tf.range(width)[None] >= tf.where(found.windows.is_first, 0, found.overlap)[:, None]


def _both_vectors(model: Any, rows: dict[str, Any], own: tf.Tensor, texts: tf.Tensor) -> tuple[Any, Any]:
    """Vectors of windows, float32 [W, D], and of the tokens that are their `own`, [P, H]."""

    def vectors(part: dict[str, Any]) -> dict[str, Any]:
        found = model.vectors(inputs_of(part), training=False)
        return {
            "window": found["sentence_vectors"],
            "token": tf.boolean_mask(found["word_vectors"][:, 1:], part["own"]),
        }

    widths = {"window": model.vector_dim, "token": model.config.hidden_dim}
    signature = {name: tf.TensorSpec([None, width], tf.float32) for name, width in widths.items()}
    at_once: Any = tf.maximum(texts, WINDOWS_AT_ONCE)
    found = in_parts(vectors, {**rows, "own": own}, signature, rows=at_once)
    window, token = (tf.ensure_shape(found[name], [None, width]) for name, width in widths.items())
    return window, token
