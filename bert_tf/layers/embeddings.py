"""The sum of token, segment and position vectors that BERT starts from."""

from __future__ import annotations

import math

import keras
import numpy as np
from keras import ops

from bert_tf.layers.dense import dense, on_tokens
from bert_tf.layers.dropout import check_positive, check_rate, dropout
from bert_tf.layers.norms.no_norm import norm_of_kind
from bert_tf.layers.trainable import Composite
from bert_tf.layers.vector_table import Table

POSITION_KINDS = ("learned", "sinusoidal", "rotary", "none")
POSITION_INITIALIZERS = ("random", "sinusoidal")
# What two layers that share their tables must have in common.
SHARED = ("vocabulary_size", "table_dim", "max_positions", "num_segments", "position_kind", "first_position",
          "layer_norm_epsilon", "norm_bias", "norm_last", "norm_kind", "projects_tokens")  # fmt: skip


def sinusoids(positions: int, dim: int) -> np.ndarray:
    """The fixed position vectors: sin at even columns, cos at odd ones, wavelengths from 2 pi to 20000 pi.

    Returns: float32 [positions, dim].
    Reference: Vaswani et al., 2017, section 3.5, https://arxiv.org/abs/1706.03762
    """
    column = np.arange(dim)
    angle = np.arange(positions)[:, None] / np.power(10000.0, (column // 2 * 2) / dim)  # [P, D]
    return np.where(column % 2 == 0, np.sin(angle), np.cos(angle)).astype("float32")


@keras.saving.register_keras_serializable(package="bert_tf")
class Embeddings(Composite):
    """Token, segment and position vectors, summed in float32, normalised, then dropped out.

    Args:
        vocabulary_size: number V of token vectors.
        hidden_dim: width D.
        max_positions: number P of positions a row, or a packed example, may have.
        num_segments: number of segment vectors; with 0 or 1 `segment_ids` are ignored.
        dropout: share of outputs dropped in training, in [0, 1).
        layer_norm_epsilon: added to the variance before the root.
        position_kind: "learned", a table; "sinusoidal", fixed; "rotary": none are added, attention turns what it
            compares; or "none".
        initializer_range: deviation of the truncated normal the tables start from.
        position_initializer: "random", as the other tables, or "sinusoidal": learned positions start from the fixed
            ones, as large as the random ones would be. A step from one position to the next is then the same rotation
            everywhere, so that attention to neighbours is learnt early.
        embedding_dim: width E of the tables and their norm; where it is not D, a dense layer brings what they give to D
            (Lan et al., 2019, section 3.1, https://arxiv.org/abs/1909.11942). None: D.
        projects: whether there is a dense layer where E is D, too.
        norm_last: whether the norm stands after that layer, or where it would, and the layer has no bias.
        first_position: row of the position table that stands for position 0; where it is above 0, the tokens of the
            number `first_position - 1`, padding, are not counted where `position_ids` is None.
        norm_bias: whether the norm has a shift.
        tells_segments: False gives every token the first segment's vector, whatever `segment_ids` say.
        projects_tokens: the token vectors alone have the width E, and are brought to D before the others are added.
        trigram: what is brought there is a token's vector between those of the next token and of the one before, 3 E
            numbers; zeros stand for what lies outside of the row. For this `projects_tokens` is needed.
        norm_kind: "layer_norm" or "no_norm", see `NoNorm`.
        tables: the layer of another encoder, whose tables and norm are this one's, too: then only the dense layer
            behind them is its own. None: it has its own. A Keras config does not keep this.
    Call arguments:
        token_ids: int [B, T], in [0, V).
        segment_ids: int [B, T], in [0, num_segments) where that is 2 or more; None: all 0.
        position_ids: int [B, T], in [0, P); None: 0, 1, 2, ...
        seed: integer [2] for dropout; None: Keras's global generator.
        example_ids: int [B, T], of packed rows: the number of each token's example, 0 at padding. With `trigram` a
            token sees none of another example's, and no padding, as if its example stood in a row of its own.
        padding_mask: int [B, T], 1 at real tokens. Where `sees_padding` is False, the same of rows of one example.
    Returns: float [B, T, D] in the compute dtype.
    Raises: ValueError for a bad argument, or where T is known, above P, and `position_ids` is absent.
    Reference: Devlin et al., 2019, figure 2, https://arxiv.org/abs/1810.04805; `trigram`: Sun et al., 2020, section
        3.1, https://arxiv.org/abs/2004.02984

    >>> import numpy as np
    >>> layer = Embeddings(vocabulary_size=9, hidden_dim=8, max_positions=12)
    >>> layer(np.array([[2, 5, 6, 3]])).shape
    TensorShape([1, 4, 8])
    """

    def __init__(
        self,
        vocabulary_size: int,
        hidden_dim: int,
        *,
        max_positions: int = 512,
        num_segments: int = 2,
        dropout: float = 0.1,
        layer_norm_epsilon: float = 1e-12,
        position_kind: str = "learned",
        initializer_range: float = 0.02,
        position_initializer: str = "random",
        embedding_dim: int | None = None,
        projects: bool = False,
        norm_last: bool = False,
        first_position: int = 0,
        norm_bias: bool = True,
        tells_segments: bool = True,
        projects_tokens: bool = False,
        trigram: bool = False,
        norm_kind: str = "layer_norm",
        **kwargs,
    ):
        tables = kwargs.pop("tables", None)  # which a config cannot hold
        super().__init__(**kwargs)
        if position_initializer not in POSITION_INITIALIZERS:
            raise ValueError(
                f"`position_initializer` must be one of {', '.join(POSITION_INITIALIZERS)}. "
                f"Received: position_initializer={position_initializer!r}"
            )
        if position_kind not in POSITION_KINDS:
            raise ValueError(
                f"`position_kind` must be one of {', '.join(POSITION_KINDS)}. Received: position_kind={position_kind!r}"
            )
        self.vocabulary_size = check_positive("vocabulary_size", vocabulary_size)
        self.hidden_dim = check_positive("hidden_dim", hidden_dim)
        self.max_positions = check_positive("max_positions", max_positions)
        self.num_segments = check_positive("num_segments", num_segments) if num_segments != 0 else 0
        self.dropout = check_rate("dropout", dropout)
        self.layer_norm_epsilon = layer_norm_epsilon
        self.position_kind = position_kind
        self.initializer_range = initializer_range
        self.position_initializer = position_initializer
        self.embedding_dim = None if embedding_dim is None else check_positive("embedding_dim", embedding_dim)
        self.projects, self.norm_last, self.tells_segments = projects, norm_last, tells_segments
        if trigram and not projects_tokens:
            raise ValueError("`projects_tokens` must be True with `trigram`. Received: projects_tokens=False")
        self.projects_tokens, self.trigram = projects_tokens, trigram
        # Transformers sees the vector of padding behind a text. What makes rows of texts itself may say False, so that
        # an answer does not hang on the rows beside.
        self.sees_padding = True
        self.first_position = check_positive("first_position", first_position) if first_position != 0 else 0
        token_dim = hidden_dim if embedding_dim is None else embedding_dim
        self.table_dim = hidden_dim if projects_tokens else token_dim  # of the other tables, and of the sum
        self.norm_bias, self.norm_kind = norm_bias, norm_kind
        if tables is None:
            self._make_tables(token_dim)
        else:
            self._share(tables)
        self.projection = None
        self.projected_dim = 3 * token_dim if trigram else token_dim
        if projects or trigram or token_dim != hidden_dim:
            self.projection = dense(
                hidden_dim, initializer_range, name="projection", dtype=self.dtype_policy, use_bias=not norm_last
            )
        self.parts_are_made()

    def _make_tables(self, token_dim: int) -> None:
        shared = {"initializer_range": self.initializer_range, "dtype": self.dtype_policy}
        positions = self.max_positions + self.first_position
        self.token = Table(self.vocabulary_size, token_dim, name="token", **shared)
        self.segment = Table(self.num_segments, self.table_dim, name="segment", **shared) if self.num_segments else None
        self.position = None
        if self.position_kind == "learned":
            self.position = Table(positions, self.table_dim, name="position", **shared)
        self.norm = self._make_norm()

    def _make_norm(self):
        return norm_of_kind(
            self.norm_kind,
            self.hidden_dim if self.norm_last else self.table_dim,
            epsilon=self.layer_norm_epsilon,
            use_bias=self.norm_bias,
            name="norm",
            dtype=self.dtype_policy,
        )

    def _share(self, other: Embeddings) -> None:
        for name in SHARED:
            if getattr(self, name) != getattr(other, name):
                raise ValueError(
                    f"`tables` must have this layer's `{name}`. Received: {name}={getattr(self, name)!r}, of `tables` "
                    f"{getattr(other, name)!r}"
                )
        self.token, self.segment, self.position = other.token, other.segment, other.position
        self.norm = self._make_norm() if self.norm_last else other.norm  # that of the tables, or of the encoder's width

    def build(self, input_shape=None):
        parts = (self.token, self.segment, self.position, self.norm)
        own = [part for part in parts if part is not None and not part.built]
        for part in own:
            part.build((None, None, self.norm.dim))
        if self.projection is not None:
            self.projection.build((None, None, self.projected_dim))
        if self.position is not None and self.position in own and self.position_initializer == "sinusoidal":
            size = math.sqrt(2) * self.initializer_range  # a sinusoid's root mean square is the root of a half
            self.position.table.assign(size * sinusoids(self.position.size, self.table_dim))

    def call(
        self,
        token_ids,
        segment_ids=None,
        position_ids=None,
        seed=None,
        training=None,
        example_ids=None,
        padding_mask=None,
    ):
        x = self.token(token_ids)  # [B, T, E]
        if self.trigram:
            x = _with_neighbours(x, padding_mask if example_ids is None and not self.sees_padding else example_ids)
        if self.projection is not None and self.projects_tokens:
            x = ops.cast(on_tokens(self.projection, x), "float32")  # [B, T, D]
        positions = self._positions(token_ids, position_ids)
        x = x if positions is None else x + positions
        if self.segment is not None:
            one = segment_ids is None or self.num_segments == 1 or not self.tells_segments
            x = x + (self.segment.table[0] if one else self.segment(segment_ids))
        if self.norm_last and self.projection is not None:
            x = on_tokens(self.projection, x)
        x = self.norm(x, training=training)
        if training:
            x = dropout(x, self.dropout, seed)
        is_done = self.norm_last or self.projects_tokens or self.projection is None
        return x if is_done else on_tokens(self.projection, x)

    def _positions(self, token_ids, position_ids):
        """float [B, T, E] by number, or [T, E] where every row counts from 0; None where none are added."""
        length = token_ids.shape[1]
        if position_ids is None and (length or 0) > self.max_positions:
            raise ValueError(
                f"`token_ids` must be no longer than `max_positions`. "
                f"Received: token_ids of shape {tuple(token_ids.shape)}, max_positions={self.max_positions}"
            )
        if self.position_kind in ("rotary", "none"):
            return None
        if self.first_position and position_ids is None:
            real = ops.cast(ops.not_equal(token_ids, self.first_position - 1), "int32")
            position_ids = ops.cumsum(real, axis=1) * real - 1
        if position_ids is not None and self.position is not None:
            return self.position(position_ids + self.first_position if self.first_position else position_ids)
        table = sinusoids(self.max_positions, self.table_dim) if self.position is None else self.position.table
        if position_ids is not None:
            return ops.take(table, position_ids, axis=0)  # [B, T, E]
        return ops.convert_to_tensor(table)[: ops.shape(token_ids)[1] if length is None else length]  # [T, E]

    def compute_output_spec(
        self,
        token_ids,
        segment_ids=None,
        position_ids=None,
        seed=None,
        training=None,
        example_ids=None,
        padding_mask=None,
    ):
        if position_ids is None and (token_ids.shape[1] or 0) > self.max_positions:
            self._positions(token_ids, None)
        return keras.KerasTensor((*token_ids.shape, self.hidden_dim), dtype=self.compute_dtype)

    def get_config(self):
        names = ("vocabulary_size", "hidden_dim", "max_positions", "num_segments", "dropout")
        names += ("layer_norm_epsilon", "position_kind", "initializer_range", "position_initializer", "embedding_dim")
        names += ("projects", "norm_last", "first_position", "norm_bias", "tells_segments", "projects_tokens")
        names += ("trigram", "norm_kind")
        return super().get_config() | {name: getattr(self, name) for name in names}


def _with_neighbours(x, example_ids=None):
    """Each vector between those of the next token and of the one before, zeros where there is none.

    Args:
        x: float [B, T, E].
        example_ids: int [B, T]: tokens of different numbers are no neighbours; None: all of a row are.
    Returns: float [B, T, 3 E].
    """
    after, before = x[:, 1:], x[:, :-1]  # [B, T - 1, E]
    if example_ids is not None:
        same = ops.cast(ops.expand_dims(ops.equal(example_ids[:, 1:], example_ids[:, :-1]), -1), x.dtype)
        after, before = after * same, before * same
    nothing = ops.zeros_like(x[:, :1])  # [B, 1, E]
    after, before = ops.concatenate([after, nothing], axis=1), ops.concatenate([nothing, before], axis=1)
    return ops.concatenate([after, x, before], axis=-1)
