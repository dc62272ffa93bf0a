"""Which words an answer hangs on: integrated gradients, from the vectors of [MASK] to those of the text.

An output of the model (a class's logit, a label's, a number) is followed along the straight line from a baseline to the
text, in the space of what the encoder starts from: the sum of token, position and segment vectors, normalised. In the
baseline every token but the special ones is [MASK], at the same place; it is what BERT has learned to see where a word
is not known (Enguehard, 2023, finds it better than [PAD] or zeros). What a token's vector adds along the line is its
attribution, so that all of them together are the output's difference between the text and the baseline.

The integral is a sum of Gauss-Legendre rules over parts of the line. How far a part's sum is off is known exactly, from
the output at its two ends, so parts are halved where it is most until the whole is right to `TOLERANCE`.

Reference: Sundararajan et al., 2017, https://arxiv.org/abs/1703.01365; Enguehard, 2023,
https://aclanthology.org/2023.findings-acl.477
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bert_tf.errors import UserError

if TYPE_CHECKING:
    from bert_tf.kinds.base import Kind

logger = logging.getLogger(__name__)

TOLERANCE = 1e-3
"""Most that attributions may miss of the difference that they add up to."""
NODES = 6
"""Points in a part of the line: exact for polynomials up to degree 11."""
PARTS = 4
"""Parts of the line to begin with."""
ROUNDS = 10
"""How often parts are halved at most."""
POINTS = 32
"""Points that go through the model at a time."""


@dataclass(frozen=True, kw_only=True)
class Word:
    """A word of a text, and what it adds to the output.

    Args:
        column: of the text.
        text: the word.
        start, end: where it is, in characters of its text.
        attribution: what it adds, in the unit of the output; below 0: what it takes away.
    """

    column: str
    text: str
    start: int
    end: int
    attribution: float


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """Of one output of the model for one text, or pair.

    Args:
        texts: by the names of their columns.
        output: the class, label or number.
        value: the model's output for the text: a logit, or the number itself.
        baseline: the same where every word is [MASK].
        remainder: by how much the attributions miss `value - baseline`.
        points: how many points of the line were looked at.
        words: in their order.
    """

    texts: Mapping[str, str]
    output: str
    value: float
    baseline: float
    remainder: float
    points: int
    words: tuple[Word, ...]

    def as_json(self) -> dict[str, Any]:
        """As predict prints it."""
        words = [dict(vars(word)) for word in self.words]
        named = {name: getattr(self, name) for name in ("output", "value", "baseline", "remainder")}
        if len(self.texts) > 1:
            return {**named, "columns": list(self.texts), "words": words}
        for word in words:
            del word["column"]
        return {**named, "words": words}


class Explaining:
    """What `Pipeline` has for explanations."""

    def explain(self: Any, texts: Any, pairs: Any = None) -> Any:
        """Which words the answers hang on, for tasks whose answers are classes, labels or numbers.

        Args:
            texts, pairs: as when it is called.
        Returns: for one text an `Explanation`, for several a list: of the class that is answered, the likeliest label,
            or the number (the first, where there are several).
        Raises: UserError for another kind of task, or an exported model.
        """
        if isinstance(texts, str | Mapping):
            return self.explain([texts], None if pairs is None else [pairs])[0]
        return explain(self, *self._columns(texts, pairs))


def can_explain(kind: Kind) -> bool:
    """Whether answers of such a task can be explained."""
    return kind.explained is not None


def explain(pipeline: Any, *columns: Sequence[str]) -> list[Explanation]:
    """What `Pipeline.explain` gives, of the texts of each column."""
    kind = pipeline.kind
    if kind.explained is None:
        raise UserError(
            "explanations are for tasks whose answers are classes, labels or numbers of a text. Received: "
            f"{type(kind).__name__}"
        )
    if not hasattr(pipeline.model, "logits"):
        raise UserError(
            "explanations need the model itself, in a run or a folder of weights. Received: an exported one"
        )
    names = kind.of_columns(len(columns)).text_columns
    gradients = _gradients(pipeline.model)
    found = []
    for texts, answer in zip(zip(*columns, strict=True), pipeline.rows(*columns), strict=True):
        number, name = kind.explained(answer)
        found.append(_explain_one(pipeline, gradients, dict(zip(names, texts, strict=True)), number, name))
    return found


Gradients = Callable[[Any, Mapping[str, Any], int], tuple[np.ndarray, np.ndarray]]


def _gradients(model: Any) -> Gradients:
    """A function of points float32 [P, T, D], the inputs of their text [1, T] and the number of an output: that output
    at the points, float64 [P], and its gradient there, float64 [P, T, D]."""
    import tensorflow as tf

    @tf.function(reduce_retracing=True, autograph=False)
    def ask(points: Any, inputs: Any, number: Any) -> Any:
        inputs = {name: tf.repeat(value, tf.shape(points)[0], axis=0) for name, value in inputs.items()}
        with tf.GradientTape() as tape:
            tape.watch(points)
            outputs = tf.cast(model.logits(inputs, training=False, embedded=points), tf.float32)
            outputs = tf.gather(outputs, number, axis=1)  # [P]
        return outputs, tape.gradient(outputs, points)

    def call(points: Any, inputs: Mapping[str, Any], number: int) -> tuple[np.ndarray, np.ndarray]:
        parts = [
            ask(tf.constant(points[k : k + POINTS], tf.float32), inputs, tf.constant(number))
            for k in range(0, len(points), POINTS)
        ]
        values, slopes = ([part[i].numpy().astype(np.float64) for part in parts] for i in (0, 1))
        return np.concatenate(values), np.concatenate(slopes)

    return call


def _explain_one(pipeline: Any, gradients: Gradients, texts: dict[str, str], number: int, name: str) -> Explanation:
    import tensorflow as tf

    tokenizer, embeddings = pipeline.tokenizer, pipeline.model.backbone.embeddings
    columns = [tf.constant([text], tf.string) for text in texts.values()]
    inputs = tokenizer(*columns, max_length=pipeline.sequence_length, padding="longest", return_offsets=True)
    starts, ends = (inputs.pop(place).numpy()[0] for place in ("starts", "ends"))
    ids = inputs["token_ids"].numpy()[0]
    special = np.isin(ids, [tokenizer.cls_id, tokenizer.sep_id, tokenizer.pad_id]) & (starts == ends)
    masked = tf.constant(np.where(special, ids, tokenizer.mask_id)[None], inputs["token_ids"].dtype)
    ends_of_line = [
        embeddings(token_ids, segment_ids=inputs.get("segment_ids"), training=False).numpy().astype(np.float64)[0]
        for token_ids in (masked, inputs["token_ids"])
    ]
    found = integrate(
        lambda points: gradients(points, inputs, number), *ends_of_line, tolerance=TOLERANCE / 2, where=str(texts)[:60]
    )
    segments = inputs["segment_ids"].numpy()[0] if len(texts) > 1 else np.zeros_like(ids)
    keys, pieces = list(texts), tokenizer.vocabulary
    words: list[Word] = []
    for place in np.flatnonzero(~special).tolist():
        column = keys[int(segments[place])]
        start, end, added = int(starts[place]), int(ends[place]), float(found.attributions[place])
        last = words[-1] if words else None
        if last is not None and last.column == column and tokenizer.continues_word(pieces[ids[place]]):
            start, added = last.start, last.attribution + added
            words.pop()
        end = max(start, end)
        words.append(Word(column=column, text=texts[column][start:end], start=start, end=end, attribution=added))
    return Explanation(
        texts=texts,
        output=name,
        value=found.value,
        baseline=found.baseline,
        remainder=found.value - found.baseline - float(found.attributions.sum()),
        points=found.points,
        words=tuple(words),
    )


@dataclass(frozen=True)
class Integral:
    """What `integrate` finds: of each token its attribution float64 [T], the outputs at both ends, and its work."""

    attributions: np.ndarray
    baseline: float
    value: float
    points: int


def integrate(
    gradients: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]],
    first: np.ndarray,
    last: np.ndarray,
    *,
    tolerance: float,
    where: str = "",
) -> Integral:
    """Integrated gradients along the line between two points.

    Args:
        gradients: points [P, T, D] to outputs [P] and their gradients [P, T, D].
        first, last: float64 [T, D], the ends of the line.
        tolerance: most that the sum of the parts' errors may be; if `ROUNDS` do not reach it, a warning says so.
        where: of the text, for that warning.

    >>> import numpy as np
    >>> square = lambda x: (np.sum(x**2, axis=(1, 2)), 2 * x)
    >>> found = integrate(square, np.zeros((2, 1)), np.array([[1.0], [3.0]]), tolerance=1e-9)
    >>> found.attributions.round(6).tolist(), found.value - found.baseline
    ([1.0, 9.0], 10.0)
    """
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    nodes, weights = (nodes + 1) / 2, weights / 2  # on [0, 1]
    step = last - first
    outputs: dict[float, float] = {}
    done: dict[tuple[float, float], tuple[np.ndarray, float]] = {}  # a part -> attributions, and its error
    waiting = [(k / PARTS, (k + 1) / PARTS) for k in range(PARTS)]
    points, missed = 0, 0.0
    for rounds_left in range(ROUNDS, -1, -1):
        edges = sorted({edge for part in waiting for edge in part} - outputs.keys())
        at = np.concatenate([edges, *(low + (high - low) * nodes for low, high in waiting)])
        values, slopes = gradients(first + at[:, None, None] * step)
        points += len(at)
        outputs |= dict(zip(edges, values[: len(edges)].tolist(), strict=True))
        for k, (low, high) in enumerate(waiting):
            own = slopes[len(edges) + k * NODES : len(edges) + (k + 1) * NODES]
            added = (high - low) * np.einsum("p,ptd,td->t", weights, own, step)
            done[low, high] = added, abs(float(added.sum()) - (outputs[high] - outputs[low]))
        errors = {part: error for part, (_, error) in done.items()}
        missed = sum(errors.values())
        if missed <= tolerance or not rounds_left:
            break
        waiting = [part for part, error in errors.items() if error > tolerance / (2 * len(errors))]
        for part in waiting:
            del done[part]
        waiting = [half for low, high in waiting for half in ((low, (low + high) / 2), ((low + high) / 2, high))]
    if missed > tolerance:
        logger.warning("%s: attributions are right to %.1e only", where, missed)
    attributions = np.sum([added for added, _ in done.values()], axis=0)
    return Integral(attributions, outputs[0.0], outputs[1.0], points)
