"""Metrics of what is predicted for each example: a class, several labels, or numbers."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from bert_tf.errors import did_you_mean
from bert_tf.metrics.undefined import Undefined

ZERO: Any = 0.0  # of a class that neither labels nor predictions have, as scikit-learn; Any: it says str
MEASURES = ("f1", "precision", "recall")
AVERAGES = ("macro", "micro", "weighted")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Given:
    """What a metric is of.

    Args:
        predictions, labels: as `Metric.of` says.
        scores: float [E, C], the probability of each class or label; None where there are none.
        classes: how many classes or labels there are, C.
        positive: the class whose F1, precision, recall and the like those of two classes are.
    """

    predictions: np.ndarray
    labels: np.ndarray
    scores: np.ndarray | None
    classes: int
    positive: int

    def held(self, side: np.ndarray) -> np.ndarray:
        """bool [E, C]: which classes or labels an example has."""
        return side != 0 if side.ndim == 2 else side[:, None] == np.arange(self.classes)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Metric:
    """A number for how well predictions go with labels.

    Args:
        name: as the field names it.
        function: takes what is `Given`, gives a float, which is `Undefined` where the quotient is 0 / 0.
        of: what it is of: "classes", indices [E]; "labels", 0 or 1 for each label [E, C]; "numbers", [E] or [E, C], of
            which it is the mean over C.
        binary: whether it is of two classes, one of them the positive one.
        needs_scores: whether it is of probabilities.
        greater_is_better: which of two values is the better one.

    >>> import numpy as np
    >>> accuracy = get_metric("accuracy")
    >>> accuracy(np.array([0, 1, 1]), np.array([0, 1, 0]))
    0.6666666666666666
    """

    name: str
    function: Callable[[Given], float]
    of: tuple[str, ...] = ("classes",)
    binary: bool = False
    needs_scores: bool = False
    greater_is_better: bool = True

    @property
    def of_numbers(self) -> bool:
        """Whether predictions are numbers rather than classes or labels."""
        return "numbers" in self.of

    def check(self, measured: str, classes: int) -> None:
        """Raises: ValueError, naming the choices, if it is not of `measured`, or of two classes and there are more."""
        if measured not in self.of:
            known = ", ".join(name for name, metric in METRICS.items() if measured in metric.of)
            raise ValueError(f"`metrics` must be of {measured}: {known}. Received: {self.name!r}")
        if self.binary and classes != 2:
            choices = [name for name in METRICS if name.startswith(f"{self.name}_")]
            raise ValueError(
                f"{self.name!r} is of two classes, one of them the positive one. Name the average over {classes} "
                f"classes: {', '.join(choices)}. Received: {self.name!r}"
            )

    def __call__(
        self,
        predictions: np.ndarray,
        labels: np.ndarray,
        *,
        scores: np.ndarray | None = None,
        classes: int | None = None,
        positive: int | None = None,
    ) -> float:
        """Args: see `Given`; without `classes` they are those up to the greatest that occurs, two at least, and without
        `positive` the last one is.

        Raises: ValueError if there are not as many predictions as labels, or none, or they have too many axes; if there
            are more than two classes where there must be two; or no scores where they are needed.
        """
        predictions, labels = np.asarray(predictions), np.asarray(labels)
        axes = (1,) if self.of == ("classes",) else (1, 2)
        if predictions.shape != labels.shape or predictions.ndim not in axes or not labels.size:
            wanted = "[E]" if axes == (1,) else "[E] or [E, C]"
            raise ValueError(
                f"`predictions` and `labels` must have one shape {wanted}, with E at least 1. "
                f"Received: {predictions.shape} and {labels.shape}"
            )
        if self.of_numbers:
            columns = [(predictions, labels)] if labels.ndim == 1 else zip(predictions.T, labels.T, strict=True)
            numbers = {"scores": None, "classes": 1, "positive": 0}
            return _mean([self.function(Given(predictions=ours, labels=right, **numbers)) for ours, right in columns])
        count = classes or (
            labels.shape[1] if labels.ndim == 2 else 1 + max(int(predictions.max()), int(labels.max()), 1)
        )
        self.check("labels" if labels.ndim == 2 else "classes", count)
        shape = None if scores is None else np.shape(scores)
        if self.needs_scores and shape != (len(labels), count):
            raise ValueError(
                f"`scores` must be probabilities [{len(labels)}, {count}], for {self.name}. Received: {shape}"
            )
        given = Given(
            predictions=predictions,
            labels=labels,
            scores=scores,
            classes=count,
            positive=count - 1 if positive is None else positive,
        )
        found = self.function(given)
        return found if isinstance(found, Undefined) else float(found)


def get_metric(name: str) -> Metric:
    """The metric of that name. Raises: ValueError that lists the metrics.

    >>> get_metric("f1")(np.array([0, 1, 1, 0]), np.array([0, 1, 0, 0]))
    0.6666666666666666
    """
    if name not in METRICS:
        raise ValueError(f"`metrics` must be of {', '.join(METRICS)}. Received: {name!r}.{did_you_mean(name, METRICS)}")
    return METRICS[name]


def per_class(predictions: np.ndarray, labels: np.ndarray, names: Sequence[str]) -> dict[str, dict[str, float | None]]:
    """Precision, recall, F1 and support (examples that have it) of each class or label; None where it is 0 / 0.

    Args:
        predictions, labels: indices [E], or 0 or 1 [E, C].
        names: of the C classes.

    >>> report = per_class(np.array([0, 1, 1]), np.array([0, 1, 0]), ["bad", "good"])
    >>> report["good"]["precision"], report["good"]["support"]
    (0.5, 1)
    """
    from sklearn.metrics import precision_recall_fscore_support

    given = Given(predictions=predictions, labels=labels, scores=None, classes=len(names), positive=0)
    ours, right = given.held(predictions), given.held(labels)
    report: dict[str, dict[str, float | None]] = {}
    for k, name in enumerate(names):
        has = {"precision": ours[:, k].any(), "recall": right[:, k].any(), "f1": (ours | right)[:, k].any()}
        found: Any = precision_recall_fscore_support(right[:, k], ours[:, k], average="binary", zero_division=ZERO)
        numbers = zip(has, found[:3], strict=True)
        report[name] = {measure: float(value) if has[measure] else None for measure, value in numbers}
        report[name]["support"] = int(right[:, k].sum())
    return report


def _mean(values: Sequence[float]) -> float:
    """The mean of a score over several numbers; undefined where one of them is."""
    for k, value in enumerate(values):
        if isinstance(value, Undefined):
            return Undefined(f"number {k}: {value.reason}") if len(values) > 1 else value
    return float(np.mean(values))


def _accuracy(given: Given) -> float:
    """Share of the examples with the right class, or with all labels right."""
    same = given.predictions == given.labels
    return float(np.mean(same if same.ndim == 1 else same.all(axis=1)))


NONE_HAS = {
    "f1": "no example has {}, and none is given it",
    "precision": "no example is given {}",
    "recall": "no example has {}",
}


def _measure(measure: str, average: str | None) -> Callable[[Given], float]:
    """scikit-learn's F1, precision or recall: of the positive class, or an average over all classes of the task."""

    def score(given: Given) -> float:
        from sklearn import metrics

        ours, right = given.held(given.predictions), given.held(given.labels)
        if average is None:
            ours, right = ours[:, given.positive], right[:, given.positive]
        counted = {"f1": ours | right, "precision": ours, "recall": right}[measure]
        if not counted.any() or (average == "weighted" and not right.any()):
            what = "the positive class" if average is None else "any label"
            return Undefined(NONE_HAS["recall" if counted.any() else measure].format(what))
        function = getattr(metrics, f"{measure}_score")
        if average is None or given.classes == 1:
            return function(right.ravel(), ours.ravel(), zero_division=ZERO)
        return function(right.astype(int), ours.astype(int), average=average, zero_division=ZERO)

    return score


def _of_scores(name: str, *, macro: bool) -> Callable[[Given], float]:
    """scikit-learn's score of the positive class's probabilities, or the mean over classes, each against the rest."""

    def score(given: Given) -> float:
        from sklearn import metrics

        assert given.scores is not None
        right = given.held(given.labels)
        found = []
        for k in range(given.classes) if macro else (given.positive,):
            if right[:, k].all() or not right[:, k].any():
                return Undefined(f"{'every' if right[:, k].all() else 'no'} example has class {k}")
            found.append(getattr(metrics, f"{name}_score")(right[:, k], given.scores[:, k]))
        return float(np.mean(found))

    return score


def _matthews_correlation(given: Given) -> float:
    from sklearn.metrics import matthews_corrcoef

    for what, side in (("predictions", given.predictions), ("labels", given.labels)):
        if np.ptp(side) == 0:
            return Undefined(f"all {what} are of class {side[0]}")
    return float(matthews_corrcoef(given.labels, given.predictions))


def _correlation(name: str) -> Callable[[Given], float]:
    def score(given: Given) -> float:
        from scipy import stats

        sides = {"predictions": given.predictions, "labels": given.labels}
        sides = {what: side.astype(np.float64) for what, side in sides.items()}
        for what, side in sides.items():
            if not np.isfinite(side).all():
                return Undefined(f"not all {what} are numbers")
            if np.ptp(side) == 0:
                return Undefined(f"all {what} are {side[0]:g}")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", stats.NearConstantInputWarning)  # SciPy's value is the best there is
            found = float(getattr(stats, name)(*sides.values())[0])
        return found if np.isfinite(found) else Undefined("predictions or labels are too close together")

    return score


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric(name="accuracy", function=_accuracy, of=("classes", "labels")),
        *(Metric(name=name, function=_measure(name, None), binary=True) for name in MEASURES),
        *(
            Metric(name=f"{name}_{average}", function=_measure(name, average), of=("classes", "labels"))
            for name in MEASURES
            for average in AVERAGES
        ),
        *(
            Metric(name=name, function=_of_scores(name, macro=False), binary=True, needs_scores=True)
            for name in ("roc_auc", "average_precision")
        ),
        *(
            Metric(
                name=f"{name}_macro", function=_of_scores(name, macro=True), of=("classes", "labels"), needs_scores=True
            )
            for name in ("roc_auc", "average_precision")
        ),
        Metric(name="matthews_correlation", function=_matthews_correlation),
        Metric(name="pearson", function=_correlation("pearsonr"), of=("numbers",)),
        Metric(name="spearman", function=_correlation("spearmanr"), of=("numbers",)),
    )
}
