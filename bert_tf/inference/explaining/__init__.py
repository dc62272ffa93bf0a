"""Which words an answer hangs on: integrated gradients, from the vectors of [MASK] to those of the text.

An output of the model (a class's logit, a label's, a number, the logits of an entity's words or of an answer's start
and end) is followed along the straight line from a baseline to the text, in the space of what the encoder starts from:
the sum of token, position and segment vectors, normalised. In the baseline every token but the special ones is [MASK],
at the same place; it is what BERT has learned to see where a word is not known (Enguehard, 2023, finds it better than
[PAD] or zeros). What a token's vector adds along the line is its attribution, so that all of them together are the
output's difference between the text and the baseline. Of a text that is read in windows all of them go along the line
at once, and a word that stands in two of them has the sum of both.

The integral is a sum of Gauss-Legendre rules over parts of the line. How far a part's sum is off is known exactly, from
the output at its two ends, so parts are halved where it is most until the whole is right to `TOLERANCE`.

Reference: Sundararajan et al., 2017, https://arxiv.org/abs/1703.01365; Enguehard, 2023,
https://aclanthology.org/2023.findings-acl.477
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from bert_tf.errors import UserError
from bert_tf.inference.explaining.explanation import Explanation, Word

if TYPE_CHECKING:
    from bert_tf.inference.explaining.gradients import Gradients
    from bert_tf.kinds.base import Answer, Kind
    from bert_tf.kinds.explained import Explained

TOLERANCE = 1e-3
"""Most that attributions may miss of the difference that they add up to."""
EXPLAINED = "classes, labels, numbers, entities or answers within a text"


class Explaining:
    """What `Pipeline` has for explanations."""

    def explain(self: Any, texts: Any, pairs: Any = None) -> Any:
        """Which words the answers hang on, for tasks whose answers are classes, labels, numbers, entities or spans.

        Args:
            texts, pairs: as when it is called.
        Returns: for one text an `Explanation`, for several a list: of the class that is answered, the likeliest label,
            the number (the first, where there are several), or the answer to a question. Of a tagger for each text a
            list, with one for each of its entities, or labelled words.
        Raises: UserError for another kind of task, or an exported model.
        """
        if isinstance(texts, str | Mapping):
            return self.explain([texts], None if pairs is None else [pairs])[0]
        found = explain(self, *self._columns(texts, pairs))
        return found if self.kind.explains_parts else [one for (one,) in found]


def can_explain(kind: Kind) -> bool:
    """Whether answers of such a task can be explained."""
    return kind.explained is not None


def explain(pipeline: Any, *columns: Sequence[str], answers: Sequence[Answer] | None = None) -> list[list[Explanation]]:
    """What `Pipeline.explain` gives, of the texts of each column: for each answer a list.

    Args:
        answers: which answers are explained, as `Pipeline.rows` gives them; None: those that it gives.
    """
    return list(explain_in_turn(pipeline, *columns, answers=answers))


def explain_in_turn(
    pipeline: Any, *columns: Sequence[str], answers: Sequence[Answer] | None = None
) -> Iterator[list[Explanation]]:
    """The same, one after the other, for who may not wait for all of them."""
    kind = pipeline.kind
    if kind.explained is None:
        raise UserError(f"explanations are for tasks whose answers are {EXPLAINED}. Received: {type(kind).__name__}")
    if not hasattr(pipeline.model, "logits"):
        raise UserError(
            "explanations need the model itself, in a run or a folder of weights. Received: an exported one"
        )
    from bert_tf.inference.explaining.gradients import Gradients

    names = kind.of_columns(len(columns)).text_columns
    gradients = Gradients(pipeline.model)
    rows = pipeline.rows(*columns) if answers is None else answers
    for texts, answer in zip(zip(*columns, strict=True), rows, strict=True):
        named = dict(zip(names, texts, strict=True))
        parts = kind.explained(answer, pipeline.model, pipeline.tokenizer, texts, pipeline.sequence_length)
        yield [_explain_one(pipeline, gradients, asked, named) for asked in parts]


def _explain_one(pipeline: Any, gradients: Gradients, asked: Explained, texts: dict[str, str]) -> Explanation:
    import tensorflow as tf

    from bert_tf.inference.explaining.integral import integrate

    tokenizer, embeddings, rows = pipeline.tokenizer, pipeline.model.backbone.embeddings, asked.rows
    ids = rows["token_ids"]
    marks = np.isin(ids, [tokenizer.cls_id, tokenizer.sep_id, tokenizer.pad_id]) & (rows["starts"] == rows["ends"])
    special = marks | (rows["padding_mask"] == 0)
    first, last = (
        embeddings(tf.constant(numbers), segment_ids=tf.constant(rows["segment_ids"]), training=False)
        .numpy()
        .astype(np.float64)
        for numbers in (np.where(special, ids, tokenizer.mask_id).astype(ids.dtype), ids)
    )
    found = integrate(gradients.along(asked, first, last), tolerance=TOLERANCE / 2, where=" ".join(texts.values())[:60])
    words = _words(tokenizer, rows, found.attributions.reshape(ids.shape), special, texts)
    return Explanation(
        texts=texts,
        output=asked.name,
        value=found.value,
        baseline=found.baseline,
        remainder=found.value - found.baseline - float(found.attributions.sum()),
        points=found.points,
        words=words,
        start=asked.start,
        end=asked.end,
    )


def _words(
    tokenizer: Any, rows: Mapping[str, np.ndarray], attributions: np.ndarray, special: np.ndarray, texts: dict[str, str]
) -> tuple[Word, ...]:
    """The words of which the rows' tokens are pieces; a piece that several rows have counts in all of them."""
    columns = rows["segment_ids"] if len(texts) > 1 else np.zeros_like(special, int)
    added: dict[tuple[int, int, int, int], float] = {}
    for place in zip(*np.nonzero(~special), strict=True):
        column, start, end = (int(values[place]) for values in (columns, rows["starts"], rows["ends"]))
        piece = column, start, end, int(rows["token_ids"][place])
        added[piece] = added.get(piece, 0.0) + float(attributions[place])
    keys, words = list(texts), []
    for (column, start, end, token), attribution in sorted(added.items(), key=lambda item: item[0][:2]):
        last = words[-1] if words else None
        if last is not None and last.column == keys[column] and tokenizer.continues_word(tokenizer.vocabulary[token]):
            start, attribution, end = last.start, last.attribution + attribution, max(end, last.end)
            words.pop()
        end = max(start, end)
        text = texts[keys[column]][start:end]
        words.append(Word(column=keys[column], text=text, start=start, end=end, attribution=attribution))
    return tuple(words)
