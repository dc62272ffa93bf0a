"""What sentence vectors are trained with: cosine regression, contrast with the rest of the batch, triplets.

Empty slots of packed rows are examples too, so that every shape is static; what they give is finite.
"""

from __future__ import annotations

from typing import Any

from keras import ops

from bert_tf.models.losses.means import check_shape
from bert_tf.models.pooling import unit
from bert_tf.sentinels import NEVER

LOSSES = ("cosine", "contrastive", "triplet")


def vector_losses(
    vectors,
    texts,
    *,
    loss: str,
    scores=None,
    scale: float = 20.0,
    margin: float = 0.5,
    label_smoothing: float = 0.0,
) -> tuple[Any, Any]:
    """The loss of examples of P texts each, by its name.

    Args:
        vectors: float [B, P, D]; of packed rows [B, M, P, D], or [B, M * P, D], an example's texts together. The work
            is done in float32.
        texts: int [B, P] or [B, M, P], the same number for the same text; below 0: no text.
        loss: "cosine", "contrastive" or "triplet", see the functions of these names.
        scores: of "cosine": float [B] or [B, M].
        scale: of "contrastive".
        margin: of "triplet".
        label_smoothing: of "contrastive".
    Returns: losses and counted, float32 [B] or [B, M]; an example without texts does not count.
    Raises: ValueError for another loss, or scores of another shape.

    Example:
        >>> import numpy as np
        >>> from bert_tf.models.losses.vectors import vector_losses
        >>> vectors, texts = np.array([[[1.0, 0.0], [0.0, 1.0]]]), np.array([[0, 1]])
        >>> losses, _ = vector_losses(vectors, texts, loss="cosine", scores=np.array([0.5]))
        >>> print(np.asarray(losses))
        [0.25]
    """
    if loss not in LOSSES:
        raise ValueError(f"`loss` must be one of {', '.join(LOSSES)}. Received: loss={loss!r}")
    texts = ops.convert_to_tensor(texts)
    flat = ops.reshape(texts, (-1, texts.shape[-1]))  # [N, P]
    x = ops.reshape(ops.cast(vectors, "float32"), (-1, texts.shape[-1], vectors.shape[-1]))  # [N, P, D]
    if loss == "cosine":
        scores = ops.cast(ops.convert_to_tensor(scores), "float32")
        check_shape("labels", scores.shape, texts.shape[:-1])
        losses = cosine_loss(x, ops.reshape(scores, (-1,)))
    elif loss == "contrastive":
        losses = contrastive_loss(x, flat, scale=scale, label_smoothing=label_smoothing)
    else:
        losses = triplet_loss(x, margin=margin)
    shape = ops.shape(texts)[:-1]
    return ops.reshape(losses, shape), ops.cast(texts[..., 0] >= 0, "float32")


def cosine_loss(vectors, scores):
    """The squared error of the cosine of two vectors, compared with how alike the texts are.

    Args:
        vectors: float32 [N, 2, D].
        scores: float32 [N].
    Returns: float32 [N].
    Reference: Reimers and Gurevych, 2019, section 3, https://arxiv.org/abs/1908.10084

    Example:
        >>> import numpy as np
        >>> from bert_tf.models.losses.vectors import cosine_loss
        >>> print(np.asarray(cosine_loss(np.array([[[1.0, 0.0], [2.0, 0.0]]]), np.array([0.5]))))
        [0.25]
    """
    return ops.square(cosine(vectors[:, 0], vectors[:, 1]) - scores)


def contrastive_loss(vectors, texts, *, scale: float, label_smoothing: float = 0.0):
    """The cross entropy of choosing an anchor's own positive among all positives and negatives of the batch.

    Args:
        vectors: float32 [N, P, D]: anchor, positive and, where P is 3, a negative of its own.
        texts: int [N, P], the same number for the same text; below 0: no text. A candidate that is the anchor, or its
            positive, or the positive of the same anchor elsewhere is no negative.
        scale: what cosines are multiplied with: one over the temperature.
        label_smoothing: share of the target spread evenly over the candidates.
    Returns: float32 [N].
    Reference: Henderson et al., 2017, section 4.4, https://arxiv.org/abs/1705.00652

    Example:
        >>> import numpy as np
        >>> from bert_tf.models.losses.vectors import contrastive_loss
        >>> vectors, texts = np.array([[[1.0, 0.0]] * 2, [[0.0, 1.0]] * 2]), np.array([[0, 1], [2, 3]])
        >>> print(np.asarray(contrastive_loss(vectors, texts, scale=1.0)).round(4))
        [0.3133 0.3133]
    """
    units, texts = unit(ops.convert_to_tensor(vectors)), ops.convert_to_tensor(texts)
    number = texts.shape[1] - 1
    candidates = ops.concatenate([units[:, i] for i in range(1, number + 1)], axis=0)  # [C * N, D], C = P - 1
    logits = scale * ops.einsum("nd,cd->nc", units[:, 0], candidates)  # [N, C * N]
    anchors, positives = texts[:, :1], texts[:, 1:2]  # [N, 1]
    of_candidates = ops.concatenate([texts[:, i] for i in range(1, number + 1)], axis=0)[None]  # [1, C * N]
    same_anchor = ops.equal(anchors, ops.transpose(anchors))  # [N, N]
    same_anchor = ops.concatenate([same_anchor] + [ops.zeros_like(same_anchor)] * (number - 1), axis=1)
    same_text = ops.logical_or(ops.equal(of_candidates, anchors), ops.equal(of_candidates, positives))
    negative = ops.logical_not(ops.logical_or(same_anchor, same_text))  # [N, C * N]
    own = ops.equal(ops.arange(ops.shape(texts)[0])[:, None], ops.arange(ops.shape(of_candidates)[1]))
    allowed = ops.logical_or(ops.logical_and(negative, of_candidates >= 0), own)
    log_p = ops.log_softmax(ops.where(allowed, logits, NEVER))
    chosen = ops.sum(ops.where(own, log_p, 0.0), axis=-1)
    if not label_smoothing:
        return -chosen
    count = ops.sum(ops.cast(allowed, "float32"), axis=-1)
    spread = ops.sum(ops.where(allowed, log_p, 0.0), axis=-1) / count
    return -(1.0 - label_smoothing) * chosen - label_smoothing * spread


def triplet_loss(vectors, *, margin):
    """How far the negative is from being `margin` less alike, in cosine, than the positive; 0 where it is.

    Args:
        vectors: float32 [N, 3, D]: anchor, positive, negative.
        margin: above 0; or float [N], one for each.
    Returns: float32 [N].
    Reference: Schroff et al., 2015, section 3.1, https://arxiv.org/abs/1503.03832

    Example:
        >>> import numpy as np
        >>> from bert_tf.models.losses.vectors import triplet_loss
        >>> print(np.asarray(triplet_loss(np.array([[[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]]]), margin=0.5)))
        [1.5]
    """
    anchors = vectors[:, 0]
    return ops.relu(cosine(anchors, vectors[:, 2]) - cosine(anchors, vectors[:, 1]) + margin)


def cosine(first, second):
    """How alike two vectors are.

    Args:
        first, second: float32 [..., D].
    Returns: float32 [...], in [-1, 1]; 0 where a vector is 0.

    Example:
        >>> import numpy as np
        >>> from bert_tf.models.losses.vectors import cosine
        >>> print(np.asarray(cosine(np.array([[3.0, 0.0]]), np.array([[3.0, 4.0]]))).round(4))
        [0.6]
    """
    return ops.sum(unit(first) * unit(second), axis=-1)
