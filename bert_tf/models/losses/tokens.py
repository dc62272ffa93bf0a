"""What it costs to guess tokens: those that are hidden, or those that are to be written."""

from __future__ import annotations

from typing import Any

from keras import ops

from bert_tf.models.losses.classification import binary_cross_entropy, cross_entropy, smoothed
from bert_tf.sentinels import IGNORED_LABEL


def token_cross_entropy(
    targets, *, logits=None, of_target=None, of_all=None, label_smoothing: float = 0.0
) -> tuple[Any, Any]:
    """The cross entropy of each target among all V tokens, from logits, or where a head gave no logits but that.

    Args:
        targets: int [...], in [0, V), or `IGNORED_LABEL` where nothing is to be guessed.
        logits: float [..., V]; or None, and
        of_target: float32 [...], the first of the two that `MaskedLMHead.losses` gives for these targets, 0 where
            nothing is to be guessed;
        of_all: float32 [...], the second one, the mean over all tokens. Only label smoothing needs it.
        label_smoothing: share of the target spread evenly over all tokens.
    Returns: losses and counted, float32 [...]; what is not to be guessed does not count.
    Raises: ValueError if the shape of `targets` does not fit.
    Reference: Devlin et al., 2019, section 3.1, https://arxiv.org/abs/1810.04805

    Example:
        >>> import numpy as np
        >>> from bert_tf.models.losses.tokens import token_cross_entropy
        >>> losses, counted = token_cross_entropy(np.array([[3, -100]]), logits=np.zeros((1, 2, 8)))
        >>> print(np.asarray(losses).round(4), np.asarray(counted))
        [[2.0794 0.    ]] [[1. 0.]]
    """
    if logits is not None:
        return cross_entropy(logits, targets, label_smoothing=label_smoothing)
    counted = ops.cast(ops.not_equal(targets, IGNORED_LABEL), "float32")
    return smoothed(of_target, of_all, label_smoothing) if label_smoothing else of_target, counted


def pretraining_losses(outputs, targets=None, pair_labels=None) -> list[tuple[Any, Any]]:
    """The parts of the loss of pre-training: tokens guessed and, beside them, pairs of segments told apart.

    Args:
        outputs: of a `BertMaskedLM` or `BertPretrainer`: a dict of "masked_lm_logits" float [B, T or P, V], or
            "masked_lm_losses" float32 [B, P] for the same targets; and "pair_logits" float [B, (M), 2].
        targets: int [B, T or P], in [0, V), or `IGNORED_LABEL`; None: no such part.
        pair_labels: int [B, (M)], 0 or 1, or `IGNORED_LABEL`; None: no such part.
    Returns: losses and counted, float32, of each part: [B, T or P] and [B, (M)]. The loss is the sum of their means.
    Raises: ValueError if the shape of `targets` or `pair_labels` does not fit.
    Reference: Devlin et al., 2019, section 3.1, https://arxiv.org/abs/1810.04805

    Example:
        >>> import numpy as np
        >>> from bert_tf.models.losses.tokens import pretraining_losses
        >>> outputs = {"masked_lm_losses": np.array([[2.0, 0.0]]), "pair_logits": np.zeros((1, 2))}
        >>> (tokens, _), (pairs, _) = pretraining_losses(outputs, np.array([[7, -100]]), np.array([1]))
        >>> print(np.asarray(tokens), np.asarray(pairs).round(4))
        [[2. 0.]] [0.6931]
    """
    parts = []
    if targets is not None:
        found = {"of_target": outputs.get("masked_lm_losses"), "logits": outputs.get("masked_lm_logits")}
        parts.append(token_cross_entropy(targets, **found))
    if pair_labels is not None:
        parts.append(cross_entropy(outputs["pair_logits"], pair_labels, name="pair_labels"))
    return parts


def replaced_token_losses(logits, labels, inputs) -> tuple[Any, Any]:
    """The cross entropy of telling, of each real token, whether it was replaced.

    Args:
        logits: float [B, T], of yes; the work is done in float32.
        labels: int [B, T], 1 at tokens that were replaced, 0 at others, or `IGNORED_LABEL`.
        inputs: of the model: what has "padding_mask" or "example_ids", int [B, T], has padding where these are 0.
    Returns: losses and counted, float32 [B, T]; padding and labels that are ignored do not count.
    Raises: ValueError if the shape of `labels` does not fit.
    Reference: Clark et al., 2020, section 3, https://arxiv.org/abs/2003.10555

    Example:
        >>> import numpy as np
        >>> from bert_tf.models.losses.tokens import replaced_token_losses
        >>> inputs = {"padding_mask": np.array([[1, 1, 0]])}
        >>> losses, counted = replaced_token_losses(np.array([[0.0, 30.0, 30.0]]), np.array([[1, 0, 0]]), inputs)
        >>> print(np.asarray(losses).round(4), np.asarray(counted))
        [[ 0.6931 30.      0.    ]] [[1. 1. 0.]]
    """
    losses, counted = binary_cross_entropy(logits, labels)
    for name in ("padding_mask", "example_ids"):
        if inputs.get(name) is not None:
            counted = counted * ops.cast(ops.not_equal(inputs[name], 0), "float32")
    return losses * counted, counted


def replaced_pretraining_losses(outputs, inputs) -> list[tuple[Any, Any]]:
    """The parts of the loss of ELECTRA's pre-training: the generator's guesses, and tokens told apart.

    Args:
        outputs: of a `BertReplacedTokens`, with "masked_lm_losses", "replaced_logits" and "is_replaced".
        inputs: what it was given, with "target_ids".
    Returns: losses and counted, float32, of each part: [B, P] of the targets, and [B, T] of the tokens. The loss is the
        mean of the first and a weight times that of the second.
    Reference: Clark et al., 2020, section 2, https://arxiv.org/abs/2003.10555

    Example:
        >>> import numpy as np
        >>> from bert_tf.models.losses.tokens import replaced_pretraining_losses
        >>> outputs = {"replaced_logits": np.zeros((1, 3)), "is_replaced": np.array([[0, 1, 0]])}
        >>> outputs |= {"masked_lm_losses": np.array([[2.0, 0.0]])}
        >>> (tokens, _), (told, _) = replaced_pretraining_losses(outputs, {"target_ids": np.array([[7, -100]])})
        >>> print(np.asarray(tokens), np.asarray(told).round(4))
        [[2. 0.]] [[0.6931 0.6931 0.6931]]
    """
    tokens = token_cross_entropy(inputs["target_ids"], of_target=outputs["masked_lm_losses"])
    return [tokens, replaced_token_losses(outputs["replaced_logits"], outputs["is_replaced"], inputs)]
