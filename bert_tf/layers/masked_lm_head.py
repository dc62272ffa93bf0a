"""The head that guesses tokens: BERT's masked language model, and what a BERT writes with."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from bert_tf.layers.dense import dense, truncated_normal
from bert_tf.layers.dropout import check_positive
from bert_tf.layers.feed_forward import ACTIVATIONS, activate
from bert_tf.layers.functions.log_sum_exp import CHUNK_ELEMENTS, KEPT_ELEMENTS, log_sum_exp
from bert_tf.layers.functions.sampling import sample
from bert_tf.layers.norms.layer_norm import LayerNorm
from bert_tf.layers.trainable import Composite
from bert_tf.sentinels import IGNORED_LABEL


@keras.saving.register_keras_serializable(package="bert_tf")
class MaskedLMHead(Composite):
    """A dense layer, an activation and a norm; then the product with the table of token vectors, which the caller
    hands over (the weights are tied), and a bias for each token.

    Args:
        hidden_dim: width D.
        vocabulary_size: number V of tokens.
        activation: see `FeedForward`.
        layer_norm_epsilon: added to the variance before the root.
        initializer_range: deviation of the truncated normal the kernel starts from.
        embedding_dim: width E of the token vectors, to which the dense layer goes; None: D.
        use_bias: whether there is a bias for each token.
        dense_bias: whether the dense layer has a bias.
        norm_bias: whether the norm has a shift.
        own_dim: how many more numbers than its token vector a token is told by, which are the head's own: the dense
            layer goes to E and so many more.
    Call arguments:
        x: float [..., D].
        table: float [V, E].
    Returns: logits, float32 [..., V].
    Raises: ValueError for a bad argument.
    Reference: Devlin et al., 2019, section 3.1, https://arxiv.org/abs/1810.04805

    >>> head, table = MaskedLMHead(hidden_dim=8, vocabulary_size=9), keras.random.normal((9, 8))
    >>> head(keras.random.normal((2, 5, 8)), table).shape
    TensorShape([2, 5, 9])
    """

    def __init__(
        self,
        hidden_dim: int,
        vocabulary_size: int,
        *,
        activation: str = "gelu",
        layer_norm_epsilon: float = 1e-12,
        initializer_range: float = 0.02,
        embedding_dim: int | None = None,
        use_bias: bool = True,
        dense_bias: bool = True,
        norm_bias: bool = True,
        own_dim: int = 0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.hidden_dim = check_positive("hidden_dim", hidden_dim)
        self.vocabulary_size = check_positive("vocabulary_size", vocabulary_size)
        if activation not in ACTIVATIONS:
            raise ValueError(
                f"`activation` must be one of {', '.join(ACTIVATIONS)}. Received: activation={activation!r}"
            )
        self.activation = activation
        self.layer_norm_epsilon = layer_norm_epsilon
        self.initializer_range = initializer_range
        self.embedding_dim = None if embedding_dim is None else check_positive("embedding_dim", embedding_dim)
        self.own_dim = check_positive("own_dim", own_dim) if own_dim != 0 else 0
        self.table_dim = (hidden_dim if embedding_dim is None else embedding_dim) + own_dim
        self.use_bias, self.dense_bias, self.norm_bias = use_bias, dense_bias, norm_bias
        shared = {"dtype": self.dtype_policy}
        self.dense = dense(self.table_dim, initializer_range, name="dense", use_bias=dense_bias, **shared)
        self.norm = LayerNorm(self.table_dim, epsilon=layer_norm_epsilon, use_bias=norm_bias, name="norm", **shared)
        self.parts_are_made()

    def build(self, input_shape=None):
        self.dense.build((None, self.hidden_dim))
        self.norm.build((None, self.table_dim))
        self.own: Any = None
        if self.own_dim:
            start = truncated_normal(self.initializer_range)
            self.own = self.add_weight(
                shape=(self.vocabulary_size, self.own_dim), initializer=start, name="own", autocast=False
            )
        self.bias: Any = None
        if self.use_bias:
            self.bias = self.add_weight(shape=(self.vocabulary_size,), initializer="zeros", name="bias", autocast=False)

    def call(self, x, table, training=None):
        x = self.transform(x, training=training)
        logits = self.logits(ops.reshape(x, (-1, self.table_dim)), self.columns(table))  # [P, V]
        return ops.reshape(logits, (*_leading(x), self.vocabulary_size))

    def columns(self, table):
        """float [V, E] -> [E, V] in the compute dtype, what `logits` takes, with the head's own numbers behind. Where
        logits are asked for again and again, it is worked out once: with few rows the product of a table that is turned
        around takes half as long."""
        return ops.transpose(ops.cast(self._whole(table), self.compute_dtype))

    def _whole(self, table):
        """float [V, E] -> [V, E] with the head's own numbers behind."""
        table = ops.convert_to_tensor(table)
        return table if self.own is None else ops.concatenate([table, ops.cast(self.own, table.dtype)], axis=-1)

    def logits(self, x, columns):
        """float [P, E] of `transform` and [E, V] of `columns` -> float32 [P, V]"""
        logits = ops.cast(ops.matmul(x, columns), "float32")
        return logits if self.bias is None else logits + ops.cast(self.bias, "float32")

    def transform(self, x, training=None):
        """float [..., D] -> [..., E] in the compute dtype, what the token vectors are compared with."""
        return self.norm(activate(self.activation, self.dense(x), training=training), training=training)

    def losses(self, x, table, target_ids, training=None, of_all=True):
        """How badly the targets are guessed. Logits are worked out only where there is a target.

        Args:
            x: float [B, T, D].
            table: float [V, E].
            target_ids: int [B, T], in [0, V), or `IGNORED_LABEL`.
            training: whether it is called in training.
            of_all: whether the second number is wanted, whose gradient goes to every row of the table.
        Returns: float32 [B, T, 2]: the cross entropy of the target, and that of all tokens alike, which label
            smoothing mixes in; 0 without a target. [B, T, 1] without the second.
        """
        wanted = ops.reshape(ops.not_equal(target_ids, IGNORED_LABEL), (-1,))  # [P]
        # Places with a target first; there are `count` of them. Everything after is left out of the costly part.
        order = ops.argsort(ops.cast(ops.logical_not(wanted), "int32"))  # [P]
        count = ops.sum(ops.cast(wanted, "int32"))
        x = self.transform(ops.take(ops.reshape(x, (-1, self.hidden_dim)), order, axis=0), training=training)  # [P, E]
        ids = ops.take(ops.reshape(target_ids, (-1,)), order, axis=0)
        ids = ops.where(ops.equal(ids, IGNORED_LABEL), ops.zeros_like(ids), ids)
        table = ops.cast(self._whole(table), "float32")
        bias = ops.zeros((self.vocabulary_size,)) if self.bias is None else ops.cast(self.bias, "float32")
        total = log_sum_exp(x, table, bias, count)  # [P]
        precise = ops.cast(x, "float32")
        rows = ops.take(table, ids, axis=0)  # [P, E]
        target = ops.sum(precise * rows, axis=-1) + ops.take(bias, ids, axis=0)
        found = [total - target]
        if of_all:
            mean_row = ops.mean(table, axis=0)  # [E]
            found.append(total - ops.matmul(precise, mean_row[:, None])[:, 0] - ops.mean(bias))
        losses = ops.stack(found, axis=-1)  # [P, 1 or 2]
        losses = ops.take(losses, ops.argsort(order), axis=0)  # where they stood
        losses = ops.where(wanted[:, None], losses, ops.zeros_like(losses))
        return ops.reshape(losses, (*_leading(target_ids, 0), len(found)))

    def guesses(self, x, table, draws, training=None):
        """Tokens drawn as likely as the head takes them to be, without a gradient. Of many places, the logits are
        worked out for some at a time.

        Args:
            x: float [..., D].
            table: float [V, E].
            draws: float32 [...], in [0, 1), which say what is drawn: see `sample`.
            training: whether it is called in training.
        Returns: int32 [...], in [0, V).
        """
        x = ops.reshape(ops.stop_gradient(self.transform(x, training=training)), (-1, self.table_dim))  # [P, E]
        columns, flat = ops.stop_gradient(self.columns(table)), ops.reshape(draws, (-1,))
        if x.shape[0] is not None and x.shape[0] * self.vocabulary_size <= KEPT_ELEMENTS:
            found = sample(self.logits(x, columns), flat)
        else:
            chunk = max(32, CHUNK_ELEMENTS // self.vocabulary_size)
            rows = ops.shape(x)[0]
            padding = -rows % chunk
            x = ops.reshape(ops.pad(x, [[0, padding], [0, 0]]), (-1, chunk, self.table_dim))
            flat = ops.reshape(ops.pad(flat, [[0, padding]]), (-1, chunk))
            parts = ops.map(lambda part: sample(self.logits(part[0], columns), part[1]), (x, flat))  # [P / C, C]
            found = ops.reshape(parts, (-1,))[:rows]
        return ops.reshape(found, ops.shape(draws))

    def compute_output_spec(self, x, table, training=None):
        return keras.KerasTensor((*x.shape[:-1], self.vocabulary_size), dtype="float32")

    def get_config(self):
        names = ("hidden_dim", "vocabulary_size", "activation", "layer_norm_epsilon", "initializer_range")
        names += ("embedding_dim", "use_bias", "dense_bias", "norm_bias", "own_dim")
        return super().get_config() | {name: getattr(self, name) for name in names}


def _leading(x, last: int = 1) -> tuple:
    """The axes of `x` but the last ones, as `reshape` wants them."""
    shape = ops.shape(x)
    known = [shape[i] if size is None else size for i, size in enumerate(x.shape)]
    return tuple(known[: len(known) - last])
