"""What sentence vectors are trained with: cosine regression, contrast with the rest of the batch, triplets.

Each loss takes vectors [N, P, D] of N examples of P texts, and gives float32 [N]. Empty slots of packed rows are
examples too, so every shape is static; their result is finite, and is not counted.
"""

from __future__ import annotations

import tensorflow as tf

HIDDEN = -1e9  # the logit of what must not be chosen
SMALLEST = 1e-24  # of the square of a norm: an empty slot has the vector 0


def cosine_loss(vectors: tf.Tensor, scores: tf.Tensor) -> tf.Tensor:
    """Squared error of the cosine of two vectors [N, 2, D] against how alike the texts are, float32 [N].

    Reference: Reimers and Gurevych, 2019, section 3, https://arxiv.org/abs/1908.10084
    """
    return tf.square(_cosine(vectors[:, 0], vectors[:, 1]) - scores)


def contrastive_loss(vectors: tf.Tensor, texts: tf.Tensor, *, scale: float, label_smoothing: float = 0.0) -> tf.Tensor:
    """Cross entropy of choosing an anchor's own positive among all positives and negatives of the batch.

    Args:
        vectors: [N, P, D]: anchor, positive and, where P is 3, a negative of its own.
        texts: int32 [N, P], the same number for the same text; below 0: no text. A candidate that is the anchor, or its
            positive, or the positive of the same anchor elsewhere is no negative.
        scale: what cosines are multiplied with: one over the temperature.
        label_smoothing: share of the target spread evenly over the candidates.
    Reference: Henderson et al., 2017, section 4.4, https://arxiv.org/abs/1705.00652
    """
    units = _unit(vectors)
    number = vectors.shape[1] - 1
    candidates = tf.concat([units[:, i] for i in range(1, number + 1)], axis=0)  # [C * N, D], C = P - 1
    logits = scale * tf.matmul(units[:, 0], candidates, transpose_b=True)  # [N, C * N]
    anchors, positives = texts[:, :1], texts[:, 1:2]  # [N, 1]
    of_candidates = tf.concat([texts[:, i] for i in range(1, number + 1)], axis=0)[None]  # [1, C * N]
    same_anchor = tf.equal(anchors, tf.transpose(anchors))  # [N, N]
    same_anchor = tf.concat([same_anchor] + [tf.zeros_like(same_anchor)] * (number - 1), axis=1)  # only positives
    not_negative = same_anchor | tf.equal(of_candidates, anchors) | tf.equal(of_candidates, positives)
    own = tf.eye(tf.shape(texts)[0], tf.shape(of_candidates)[1], dtype=tf.float32)
    allowed = (~not_negative & (of_candidates >= 0)) | (own > 0)
    log_p = tf.nn.log_softmax(tf.where(allowed, logits, HIDDEN))
    count = tf.reduce_sum(tf.cast(allowed, tf.float32), axis=-1)
    spread = tf.reduce_sum(tf.where(allowed, log_p, 0.0), axis=-1) / count
    chosen = tf.reduce_sum(own * log_p, axis=-1)
    return -(1.0 - label_smoothing) * chosen - label_smoothing * spread


def triplet_loss(vectors: tf.Tensor, *, margin: float) -> tf.Tensor:
    """How far the negative is from being `margin` less alike, in cosine, than the positive; 0 where it is.

    Args:
        vectors: [N, 3, D]: anchor, positive, negative.
        margin: above 0.
    Reference: Schroff et al., 2015, section 3.1, https://arxiv.org/abs/1503.03832
    """
    anchors = vectors[:, 0]
    return tf.nn.relu(_cosine(anchors, vectors[:, 2]) - _cosine(anchors, vectors[:, 1]) + margin)


def _cosine(first: tf.Tensor, second: tf.Tensor) -> tf.Tensor:
    return tf.reduce_sum(_unit(first) * _unit(second), axis=-1)


def _unit(vectors: tf.Tensor) -> tf.Tensor:
    squares = tf.reduce_sum(tf.square(vectors), axis=-1, keepdims=True)
    return vectors * tf.math.rsqrt(tf.maximum(squares, SMALLEST))
