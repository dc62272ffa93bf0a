"""What was answered rightly and what was not, example by example, and what tables and figures are made of."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from bert_tf.kinds.examples import Examples
from bert_tf.metrics.bleu import LESS_IS_BETTER
from bert_tf.metrics.classification import per_class
from bert_tf.metrics.curves import Calibration, PrecisionRecall, calibration, confusion_matrix, precision_recall

if TYPE_CHECKING:
    from bert_tf.text import Tokenizer

TableRows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Answered:
    """An example, what was expected and what the model answered, as texts.

    Args:
        number: of the example in its split, from 0.
        inputs: the texts of the task's columns, by name.
        expected, answered: what is right, and what was answered; "" for nothing.
        is_right: whether that is the same; None where an answer is more or less good, rather than right or wrong.
        confidence: in [0, 1], how sure the model was of its answer; None where it does not say.
        scores: numbers of this answer alone by name, such as "f1".
        shortfall: how bad the answer is where `is_right` is None; the greater the worse.
    """

    number: int
    inputs: Mapping[str, str]
    expected: str
    answered: str
    is_right: bool | None = None
    confidence: float | None = None
    scores: Mapping[str, float] = field(default_factory=dict)
    shortfall: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """The same as one row of a table: `number`, the inputs, `expected`, `answered`, `confidence` and the scores. An
        input that has one of these names is called `input.NAME`.
        """
        own = {"number": self.number, "expected": self.expected, "answered": self.answered}
        own |= {"confidence": self.confidence, **self.scores}
        inputs = {f"input.{name}" if name in own else name: text for name, text in self.inputs.items()}
        return {"number": self.number, **inputs, **own}


@dataclass(frozen=True, kw_only=True)
class Diagnosis:
    """What `Kind.diagnose` finds. A part that the kind has nothing for is None or empty.

    Args:
        rows: the examples in their order.
        summary: what came of it, as a sentence or two.
        classes: names of the C classes or labels.
        targets: what is right: int [N], a class for each of N answers (which need not be the examples: words, say); or
            0 or 1 [N, C], labels.
        predictions: what was answered, shaped as the targets.
        probabilities: float [N, C].
        numbers: name -> expected and answered, float [E] each, where numbers are answered.
        tables: name -> rows of equal keys, such as entities by type.

    >>> found = {"expected": "bad", "answered": "good", "is_right": False, "confidence": 0.9}
    >>> row = Answered(number=0, inputs={"text": "meh"}, **found)
    >>> found = Diagnosis(
    ...     rows=[row], classes=("bad", "good"), targets=np.array([0]), predictions=np.array([1]),
    ...     probabilities=np.array([[0.1, 0.9]]))
    >>> found.confusion().tolist(), found.mistakes()[0].answered, round(found.calibration().expected_error, 4)
    ([[0, 1], [0, 0]], 'good', 0.9)
    """

    rows: Sequence[Answered] = ()
    summary: str = ""
    classes: tuple[str, ...] = ()
    targets: np.ndarray | None = None
    predictions: np.ndarray | None = None
    probabilities: np.ndarray | None = None
    numbers: Mapping[str, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)
    tables: Mapping[str, TableRows] = field(default_factory=dict)

    def mistakes(self, count: int | None = None) -> list[Answered]:
        """The wrong answers, the most confident first; where answers are not right or wrong, all, the worst first."""
        wrong = [row for row in self.rows if row.is_right is False]
        if wrong or any(row.is_right for row in self.rows):
            wrong.sort(key=lambda row: -1.0 if row.confidence is None else row.confidence, reverse=True)
        else:
            wrong = [row for row in self.rows if row.shortfall is not None]
            wrong.sort(key=lambda row: row.shortfall or 0.0, reverse=True)
        return wrong[:count]

    def per_class(self) -> dict[str, dict[str, float | None]]:
        """Precision, recall, F1 and support of each class; empty where there are no classes."""
        if self.targets is None or self.predictions is None:
            return {}
        return per_class(self.predictions, self.targets, self.classes)

    def confusion(self) -> np.ndarray | None:
        """int64 [C, C], the right class by the answered one; None where an answer is not one class."""
        if self.targets is None or self.predictions is None or self.targets.ndim != 1:
            return None
        return confusion_matrix(self.predictions, self.targets, len(self.classes))

    def precision_recall(self) -> dict[str, PrecisionRecall]:
        """The curve of each class that occurs, against the others; empty without probabilities."""
        if self.targets is None or self.probabilities is None:
            return {}
        targets = self.targets
        held = targets != 0 if targets.ndim == 2 else targets[:, None] == np.arange(len(self.classes))
        curves = {name: precision_recall(self.probabilities[:, k], held[:, k]) for k, name in enumerate(self.classes)}
        return {name: curve for name, curve in curves.items() if curve is not None}

    def calibration(self, *, bins: int = 10) -> Calibration | None:
        """How sure the answers were, and how often they were right; of several labels, each by itself.

        None where answers say nothing of the sort.
        """
        if self.targets is not None and self.probabilities is not None and self.targets.ndim == 2:
            sure, right = self.probabilities.ravel(), self.targets.ravel() != 0
        else:
            known = [(row.confidence, row.is_right) for row in self.rows]
            known = [(sure, right) for sure, right in known if sure is not None and right is not None]
            if not known:
                return None
            sure, right = (np.array(side) for side in zip(*known, strict=True))
        # The sum of a float32 softmax may be 1 and a bit.
        return calibration(np.clip(sure.astype(np.float64), 0.0, 1.0), right, bins=bins)


class Lengths(NamedTuple):
    """How many tokens examples have.

    Args:
        tokens: int64 [E], special ones included, before anything is cut.
        limit: the most that the model reads at once.
        says: what happens to longer ones, "cut" or "read in windows".
    """

    tokens: np.ndarray
    limit: int
    says: str = "cut"


def lengths_of(
    tokenizer: Tokenizer, columns: Sequence[Sequence[str]], limit: int, *, says: str = "cut", chunk: int = 4096
) -> Lengths:
    """The lengths of examples whose texts share a row, [CLS] text [SEP] text [SEP] ...

    Args:
        columns: of each column its texts, [E].
        limit, says: as `Lengths` has them.
        chunk: texts that are tokenised at a time.
    """
    total = np.full(len(columns[0]), 1 + len(columns), np.int64)
    for column in columns:
        for start in range(0, len(column), chunk):
            part = tokenizer.tokenize(list(column[start : start + chunk]))
            total[start : start + chunk] += part.row_lengths().numpy()
    return Lengths(total, limit, says)


def inputs_of(columns: Sequence[str], texts: Sequence[Sequence[str]]) -> Iterator[dict[str, str]]:
    """The texts of each example by the names of its columns.

    Args:
        columns: their names.
        texts: of each column its texts, [E].

    >>> list(inputs_of(("question", "context"), (["Who?"], ["Ann left."])))
    [{'question': 'Who?', 'context': 'Ann left.'}]
    """
    for row in zip(*texts, strict=True):
        yield dict(zip(columns, row, strict=True))


def share(part: float, whole: float) -> str:
    """A share in percent, for sentences: "1 of 3 (33.3 %)".

    >>> share(1, 3)
    '1 of 3 (33.3 %)'
    """
    return f"{part:,} of {whole:,} ({100 * part / whole:.1f} %)"


def diagnose_texts(
    columns: Sequence[str],
    examples: Examples,
    texts: Sequence[str],
    references: Sequence[Sequence[str]],
    *,
    metrics: Callable[[Sequence[str], Any], Mapping[str, float]],
) -> Diagnosis:
    """Of answers that are texts, neither right nor wrong: the less an answer scores by itself, the worse it is.

    Args:
        texts: what was answered.
        references: right answers, one or more for each.
        metrics: the task's, of answers and their examples; the first of them says which answer is worse.
    """
    rows = []
    for i, (inputs, text, right) in enumerate(
        zip(inputs_of(columns, examples.columns), texts, references, strict=True)
    ):
        scores = dict(metrics([text], dataclasses.replace(examples.first(1), references=[tuple(right)])))
        name, first = next(iter(scores.items()))
        rows.append(
            Answered(
                number=i,
                inputs=inputs,
                expected=" | ".join(right),
                answered=text,
                scores=scores,
                shortfall=first if name in LESS_IS_BETTER else -first,
            )
        )
    empty = sum(not row.answered.strip() for row in rows)
    words = [np.mean([len(text.split()) for text in side]) for side in (texts, [right[0] for right in references])]
    summary = f"The answers have {words[0]:.1f} words on average, the right ones {words[1]:.1f}"
    return Diagnosis(rows=rows, summary=summary + (f"; {share(empty, len(rows))} are empty." if empty else "."))
