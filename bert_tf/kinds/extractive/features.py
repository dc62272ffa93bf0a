"""A data set of texts as rows of sentences: what extractive summarisation trains on."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf

from bert_tf.data.batching.counted import say_count
from bert_tf.data.batching.cut import Cut
from bert_tf.data.batching.features import Features
from bert_tf.kinds.extractive.selection import select
from bert_tf.metrics.oracle import Oracle
from bert_tf.sentinels import IGNORED_LABEL
from bert_tf.text.sentences import sentence_rows

CHUNK = 1024
logger = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, eq=False, kw_only=True)
class SentenceFeatures(Features):
    """E texts whose tokens are rows of sentences, N of them in all.

    The token field `sentence_labels`, where there is one, is 1 where a sentence starts that the oracle takes, 0 where
    another does, and -100 elsewhere.

    Args:
        sentence_splits: int64 [E + 1]; text e has the sentences sentence_splits[e] to sentence_splits[e + 1].
        sentence_tokens: int64 [N], where each one's first token stands.
        sentence_starts, sentence_ends: int32 [N], in characters of its text.
    """

    sentence_splits: np.ndarray
    sentence_tokens: np.ndarray
    sentence_starts: np.ndarray
    sentence_ends: np.ndarray

    from_zero: ClassVar[tuple[str, ...]] = (*Features.from_zero, "sentence_splits")

    @property
    def raises(self) -> dict[str, int]:
        counts = {"sentence_splits": int(self.sentence_splits[-1]), "sentence_tokens": len(self.token_ids)}
        return {**super().raises, **counts}


def sentence_features(
    tokenizer: Any,
    texts: Sequence[str],
    references: Sequence[Sequence[str]] | None,
    *,
    max_length: int,
    limit: int,
    language: str = "en",
    progress: Callable[[int, int], None] | None = None,
) -> SentenceFeatures:
    """Tokenises texts, with the graph that also serves, and labels their sentences.

    Args:
        references: the right summaries of each text; None: no labels.
        max_length: tokens of a text at most: see `sentence_rows`.
        limit: most sentences of a summary.
        language: by which the oracle counts words.
        progress: called with (texts done, E) after each chunk.
    """
    rows = tf.function(lambda texts: sentence_rows(tokenizer, texts, max_length=max_length), autograph=False)
    oracle = Oracle(limit, language)
    without = unread = 0
    columns: dict[str, list[Any]] = {}
    labels: list[np.ndarray] = []
    token_count = sentence_count = 0
    for start in range(0, len(texts), CHUNK):
        part = texts[start : start + CHUNK]
        found = rows(tf.constant(part, tf.string))
        sentences = found.sentences
        splits, token_splits = sentences.row_splits.numpy().astype(np.int64), found.token_ids.row_splits.numpy()
        tokens = np.repeat(token_splits[:-1], np.diff(splits)) + found.firsts.numpy()
        chunk = {
            "token_ids": found.token_ids.values.numpy(),
            "segment_ids": found.segment_ids.values.numpy().astype(np.int8),
            "splits": token_splits[1:] + token_count,
            "sentence_splits": splits[1:] + sentence_count,
            "sentence_tokens": tokens + token_count,
            "sentence_starts": sentences.starts.numpy(),
            "sentence_ends": sentences.ends.numpy(),
            "tokens": found.tokens.numpy(),
        }
        for name, values in chunk.items():
            columns.setdefault(name, []).append(values)
        if references is not None:
            own = np.full(token_splits[-1], IGNORED_LABEL, np.int32)
            own[tokens] = 0
            words = [sentence.decode("utf-8") for sentence in sentences.texts.numpy()]
            for e, summaries in enumerate(references[start : start + CHUNK]):
                chosen = oracle(words[splits[e] : splits[e + 1]], summaries)
                own[tokens[splits[e] + np.array(chosen, np.int64)]] = 1
                without += not chosen
            labels.append(own)
        unread += int((found.counts.numpy() > np.diff(splits)).sum())
        token_count, sentence_count = token_count + int(token_splits[-1]), sentence_count + int(splits[-1])
        if progress is not None:
            progress(min(start + CHUNK, len(texts)), len(texts))
    said = "%d of %d texts do not fit in %d tokens: their last sentences go unread"
    say_count(logger, said, unread, len(texts), max_length)
    said = "%d of %d texts have no sentence with a word of their summary: they teach to take none"
    say_count(logger, said, without, len(texts))
    arrays = {name: np.concatenate(parts) for name, parts in columns.items()}
    sentence_splits = np.append(np.int64(0), arrays["sentence_splits"])
    return SentenceFeatures(
        token_ids=arrays["token_ids"],
        segment_ids=arrays["segment_ids"],
        splits=np.append(np.int64(0), arrays["splits"]),
        loss_terms=np.diff(sentence_splits),
        token_fields={"sentence_labels": np.concatenate(labels)} if labels else {},
        fills={"sentence_labels": IGNORED_LABEL},
        sentence_splits=sentence_splits,
        sentence_tokens=arrays["sentence_tokens"],
        sentence_starts=arrays["sentence_starts"],
        sentence_ends=arrays["sentence_ends"],
        cut=Cut(arrays["tokens"], arrays["tokens"] - np.diff(arrays["splits"], prepend=0)),
    )


def summaries(
    outputs: Sequence[np.ndarray],
    features: SentenceFeatures,
    texts: Sequence[str],
    *,
    limit: int,
    block_trigrams: bool,
    separator: str = " ",
) -> list[str]:
    """The chosen sentences of each text, joined by the separator, from the model's logits, [T_e] for each text."""
    scores = np.concatenate(outputs)[features.sentence_tokens].astype(np.float32)
    choose, splits, found = _select_function(limit, block_trigrams), features.sentence_splits, []
    for start in range(0, len(texts), CHUNK):
        part = splits[start : start + CHUNK + 1]
        sentences = [
            texts[start + e][features.sentence_starts[k] : features.sentence_ends[k]]
            for e in range(len(part) - 1)
            for k in range(part[e], part[e + 1])
        ]
        own_splits = (part - part[0]).astype(np.int32)
        chosen = choose(tf.constant(sentences), scores[part[0] : part[-1]], own_splits).numpy()
        for e in range(len(part) - 1):
            own = range(own_splits[e], own_splits[e + 1])
            found.append(separator.join(sentences[k] for k in own if chosen[k] and sentences[k]))
    return found


@lru_cache(maxsize=8)
def _select_function(limit: int, block_trigrams: bool) -> Callable[..., Any]:
    """`select`, traced once for all evaluations of a training."""
    return tf.function(
        lambda sentences, scores, splits: select(sentences, scores, splits, limit=limit, block_trigrams=block_trigrams),
        input_signature=[tf.TensorSpec([None], dtype) for dtype in (tf.string, tf.float32, tf.int32)],
        autograph=False,
    )
