"""A choice among classes, labels that hold or not, and numbers: of texts or tokens, whatever the axes before are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keras import ops

from bert_tf.models.losses.means import check_shape
from bert_tf.sentinels import IGNORED_LABEL


def cross_entropy(
    logits,
    labels,
    *,
    label_smoothing: float = 0.0,
    class_weights: Sequence[float] | None = None,
    name: str = "labels",
) -> tuple[Any, Any]:
    """The cross entropy of a choice among C classes, times the weight of the right one.

    Args:
        logits: float [..., C]; the work is done in float32.
        labels: int [...], in [0, C), or `IGNORED_LABEL`.
        label_smoothing: share s of the target spread evenly over the classes: 1 - s + s / C at the label, s / C
            elsewhere.
        class_weights: C weights; None: 1 each.
        name: of the labels, for the error.
    Returns: losses and counted, float32 [...]; a label that is ignored does not count.
    Raises: ValueError if the shapes do not fit.
    Reference: Szegedy et al., 2016, section 7, https://arxiv.org/abs/1512.00567

    Example:
        >>> import numpy as np
        >>> from bert_tf.models.losses.classification import cross_entropy
        >>> logits = np.log([[0.5, 0.25, 0.25], [0.1, 0.8, 0.1]])
        >>> losses, counted = cross_entropy(logits, np.array([0, -100]))
        >>> print(np.asarray(losses).round(4), np.asarray(counted))
        [0.6931 0.    ] [1. 0.]
    """
    logits, labels = ops.cast(logits, "float32"), ops.convert_to_tensor(labels)
    check_shape(name, labels.shape, logits.shape[:-1])
    is_counted = ops.not_equal(labels, IGNORED_LABEL)
    labels, counted = ops.where(is_counted, labels, ops.zeros_like(labels)), ops.cast(is_counted, "float32")
    losses = ops.sparse_categorical_crossentropy(labels, logits, from_logits=True)
    if label_smoothing:
        losses = smoothed(losses, -ops.mean(ops.log_softmax(logits), axis=-1), label_smoothing)
    if class_weights is not None:
        of_class = ops.one_hot(labels, logits.shape[-1], dtype="float32")
        losses = losses * ops.sum(of_class * ops.convert_to_tensor(class_weights, "float32"), axis=-1)
    return ops.where(is_counted, losses, ops.zeros_like(losses)), counted


def smoothed(of_label, of_all, label_smoothing: float):
    """The cross entropy of a smoothed target.

    Args:
        of_label: float32 [...], the cross entropy of the label.
        of_all: float32 [...], the mean of those of all classes.
        label_smoothing: share of the target spread evenly over the classes.
    Returns: float32 [...].
    Reference: Szegedy et al., 2016, section 7, https://arxiv.org/abs/1512.00567

    Example:
        >>> from bert_tf.models.losses.classification import smoothed
        >>> smoothed(1.0, 3.0, label_smoothing=0.25)
        1.5
    """
    return (1.0 - label_smoothing) * of_label + label_smoothing * of_all


def binary_cross_entropy(
    logits, labels, *, label_smoothing: float = 0.0, class_weights: Sequence[float] | None = None, name: str = "labels"
) -> tuple[Any, Any]:
    """The cross entropy of yes or no at each place.

    Args:
        logits: float [...], of yes; the work is done in float32.
        labels: int or float [...], 1 for yes, 0 for no, what lies between for a share, or `IGNORED_LABEL`.
        label_smoothing: with s the target is 1 - s / 2 for yes and s / 2 for no.
        class_weights: as many as the last axis is long: the weight of the part of the loss that says yes; None: 1 each.
        name: of the labels, for the error.
    Returns: losses and counted, float32 [...]; a label that is ignored does not count.
    Raises: ValueError if the shapes do not fit.
    Reference: Bishop, 2006, Pattern Recognition and Machine Learning, equation 4.90

    Example:
        >>> import numpy as np
        >>> from bert_tf.models.losses.classification import binary_cross_entropy
        >>> losses, counted = binary_cross_entropy(np.array([0.0, 30.0, 5.0]), np.array([1, 0, -100]))
        >>> print(np.asarray(losses).round(4), np.asarray(counted))
        [ 0.6931 30.      0.    ] [1. 1. 0.]
    """
    logits, labels = ops.cast(logits, "float32"), ops.convert_to_tensor(labels)
    check_shape(name, labels.shape, logits.shape)
    counted = ops.cast(ops.not_equal(labels, IGNORED_LABEL), "float32")
    target = (1.0 - label_smoothing) * ops.cast(labels, "float32") + label_smoothing / 2
    if class_weights is None:
        losses = ops.softplus(logits) - target * logits
    else:
        weights = ops.convert_to_tensor(class_weights, "float32")
        losses = weights * target * ops.softplus(-logits) + (1.0 - target) * ops.softplus(logits)
    return ops.where(counted > 0, losses, ops.zeros_like(losses)), counted


def multi_label_cross_entropy(
    logits, labels, *, label_smoothing: float = 0.0, class_weights: Sequence[float] | None = None, name: str = "labels"
) -> tuple[Any, Any]:
    """The mean over C labels of the cross entropy of each, which holds or not.

    Args:
        logits: float [..., C].
        labels: int or float [..., C], 1 where a label holds, 0 where not, `IGNORED_LABEL` to leave it out.
        label_smoothing, class_weights, name: as of `binary_cross_entropy`.
    Returns: losses and counted, float32 [...]; all count.
    Raises: ValueError if the shapes do not fit.
    Reference: BertForSequenceClassification of Transformers, https://github.com/huggingface/transformers

    Example:
        >>> import numpy as np
        >>> from bert_tf.models.losses.classification import multi_label_cross_entropy
        >>> losses, _ = multi_label_cross_entropy(np.array([[0.0, 30.0]]), np.array([[1, 0]]))
        >>> print(np.asarray(losses).round(4))
        [15.3466]
    """
    options = {"label_smoothing": label_smoothing, "class_weights": class_weights, "name": name}
    losses = ops.mean(binary_cross_entropy(logits, labels, **options)[0], axis=-1)
    return losses, ops.ones_like(losses)


def squared_error(outputs, labels, *, name: str = "labels") -> tuple[Any, Any]:
    """The mean over C numbers of the squared error.

    Args:
        outputs: float [..., C].
        labels: int or float [..., C].
        name: of the labels, for the error.
    Returns: losses and counted, float32 [...]; all count.
    Raises: ValueError if the shapes do not fit.
    Reference: BertForSequenceClassification of Transformers, https://github.com/huggingface/transformers

    Example:
        >>> import numpy as np
        >>> from bert_tf.models.losses.classification import squared_error
        >>> losses, _ = squared_error(np.array([[1.0, 2.0]]), np.array([[0.0, 4.0]]))
        >>> print(np.asarray(losses))
        [2.5]
    """
    outputs, labels = ops.cast(outputs, "float32"), ops.cast(ops.convert_to_tensor(labels), "float32")
    check_shape(name, labels.shape, outputs.shape)
    losses = ops.mean(ops.square(outputs - labels), axis=-1)
    return losses, ops.ones_like(losses)
