"""What an encoder of BERT's family is: its sizes, its dropout, its positions. Needs no TensorFlow."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from bert_tf.models.backbones.config_checks import DISTANCE_TERMS, check_fields, check_model_type, is_int
from bert_tf.weights.members import BERT, MEMBERS, Member
from bert_tf.weights.tables import blocks_of

LONG = 1024
"""Positions from which on an encoder is one for long texts, whose attention is not worked out all at once."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class BertConfig:
    """The shape of a BERT encoder.

    Args:
        vocabulary_size: number V of token vectors.
        hidden_dim: width D.
        num_layers: number of encoder blocks that run, one after the other; see `blocks_per_layer`.
        num_heads: attention heads a block; must divide `hidden_dim`.
        intermediate_dim: width F between the feed-forward's two dense layers.
        max_positions: positions a row, or a packed example, may have.
        num_segments: number of segment vectors; with 0 or 1 `segment_ids` are ignored, and in RoBERTa always: every
            token has the first vector.
        hidden_dropout: share dropped of embeddings and of what a block adds, in [0, 1).
        attention_dropout: share of attention weights dropped, in [0, 1).
        layer_norm_epsilon: added to the variance before the root, above 0.
        activation: "gelu" (exact), "gelu_tanh", "quick_gelu", "relu", "silu", "mish", "tanh" or "linear".
        initializer_range: deviation of the truncated normal that kernels and tables start from.
        position_kind: "learned", the fixed "sinusoidal" of Vaswani et al., or "rotary", which attention turns what it
            compares by; of DeBERTa "learned" or "none".
        position_initializer: what learned positions start from: "random", as other tables, or the "sinusoidal" ones.
        embedding_dim: width E of the token, segment and position vectors, which a dense layer brings to `hidden_dim`;
            None: they have that width. Of a member of the family whose files state it, the width itself.
        first_position: row of the position table that stands for position 0: it has as many rows more than
            `max_positions`. Where it is above 0, tokens of the number `first_position - 1` are not counted. Of
            RoBERTa always the row after the padding token's number.
        relative_buckets: buckets of distances between tokens for which attention has a bias, shared by all blocks; 0:
            it has none.
        distance_terms: what attention compares with vectors of distances, which all blocks share: "c2p", each query
            (content to position), "p2c", each key, or "c2p|p2c", both; "": there are none. Of DeBERTa "" means both.
        distance_buckets: buckets of distances that have a vector each, of each sign, at least 2; 0: each distance has.
        farthest_distance: the distance before which the buckets end, or from which on all have one vector. Of DeBERTa
            0 means `max_positions`.
        shares_distances: whether those vectors become keys and queries by the dense layers of tokens.
        distance_norm: whether they are normalised first.
        kernel_size, kernel_activation: tokens that a convolution beside the first block looks at, an odd number, or 0
            where there is none; and its activation.
        rotary_base, local_rotary_base: the base of the rotary angles in blocks that look everywhere, and in others;
            above 0.
        local_attention: in local blocks a token looks at those of which it is the middle, this number and itself: half
            of them, rounded down, to each side; 0: all blocks look everywhere.
        global_every: every so many blocks, from the first one on, one looks everywhere; the others are local.
        norm_first: whether norms stand before attention and feed-forward instead of after, and one more at the end.
        gated: whether the feed-forward's activation is multiplied with as many further values (GeGLU).
        attention_bias, feed_forward_bias, norm_bias: whether these have biases.
        feed_forward_dropout: share dropped between the feed-forward's two dense layers, in [0, 1).
        head_activation: of the dense layer that heads have before their last one; None: what the member has.
        head_bias: whether that layer has a bias.
        decoder_bias: whether the head that guesses tokens has a bias for each.
        head_pooling: what classifiers of texts look at, "cls", the first token, or "mean", of all tokens.
        layer_groups: the layers are so many groups, in order and as equal in size as can be, and those of a group share
            the weights of their blocks; 0: each layer has its own. Of ALBERT, whose files state it, 0 means 1.
        blocks_per_layer: encoder blocks that a layer runs, one after the other, each with weights of its own.
        bottleneck_dim: the width W that blocks work in: their input is brought to it and back; 0: in `hidden_dim`.
        bottleneck_attention: whether queries, keys and values are all of what is narrow already; without it, values are
            of the block's whole input.
        shared_bottleneck: whether queries and keys are of a bottleneck of their own.
        num_feed_forwards: how many feed-forwards with their norms a block has, one after the other.
        norm_kind: "layer_norm", or "no_norm", a scale and a shift alone.
        trigram: whether a token's vector stands between those of its neighbours before it is brought to `hidden_dim`.
        has_pooler: whether there is a dense layer over the first token, of a member that has one in its backbone.
        pad_token_id: the number of the padding token, in [0, V).
        model_type: which member of the family it is, "bert" or another of `bert_tf.weights.members`. Its files are
            written as that member's; some fields can only be what that member has.
        recompute: keep only the blocks' inputs for the gradient and run the blocks again (less memory, more time).
    Raises: ValueError that names the field, the rule and what came.
    Reference: Devlin et al., 2019, https://arxiv.org/abs/1810.04805

    >>> config = BertConfig(vocabulary_size=9, hidden_dim=8, num_layers=1, num_heads=2, intermediate_dim=8)
    >>> config.replace(num_layers=2).num_layers
    2
    >>> config.replace(num_heads=3)
    Traceback (most recent call last):
    ValueError: `num_heads` must divide `hidden_dim`. Received: num_heads=3, hidden_dim=8
    """

    vocabulary_size: int
    hidden_dim: int
    num_layers: int
    num_heads: int
    intermediate_dim: int
    max_positions: int = 512
    num_segments: int = 2
    hidden_dropout: float = 0.1
    attention_dropout: float = 0.1
    layer_norm_epsilon: float = 1e-12
    activation: str = "gelu"
    initializer_range: float = 0.02
    position_kind: str = "learned"
    position_initializer: str = "random"
    embedding_dim: int | None = None
    first_position: int = 0
    relative_buckets: int = 0
    distance_terms: str = ""
    distance_buckets: int = 0
    farthest_distance: int = 0
    shares_distances: bool = False
    distance_norm: bool = False
    kernel_size: int = 0
    kernel_activation: str = "tanh"
    rotary_base: float = 10000.0
    local_rotary_base: float = 10000.0
    local_attention: int = 0
    global_every: int = 1
    norm_first: bool = False
    gated: bool = False
    attention_bias: bool = True
    feed_forward_bias: bool = True
    norm_bias: bool = True
    feed_forward_dropout: float = 0.0
    head_activation: str | None = None
    head_bias: bool = True
    decoder_bias: bool = True
    head_pooling: str = "cls"
    layer_groups: int = 0
    blocks_per_layer: int = 1
    bottleneck_dim: int = 0
    bottleneck_attention: bool = False
    shared_bottleneck: bool = False
    num_feed_forwards: int = 1
    norm_kind: str = "layer_norm"
    trigram: bool = False
    has_pooler: bool = True
    pad_token_id: int = 0
    recompute: bool = False
    model_type: str = BERT.model_type

    def __post_init__(self):
        check_model_type(self)
        for name, absent, usual in (
            ("embedding_dim", None, self.hidden_dim),
            ("layer_groups", 0, 1),
            ("first_position", 0, is_int(self.pad_token_id) and self.pad_token_id + 1),
            ("distance_terms", "", DISTANCE_TERMS[-1]),
            ("farthest_distance", 0, self.max_positions),
        ):
            if getattr(self, name) == absent and name in self.member.used:
                object.__setattr__(self, name, usual)
        check_fields(self)

    @property
    def member(self) -> Member:
        """The row of its member of the family."""
        return MEMBERS[self.model_type]

    @property
    def num_blocks(self) -> int:
        """How many encoder blocks have weights of their own."""
        return blocks_of(self.to_dict())["num_blocks"]

    @property
    def block_order(self) -> tuple[int, ...]:
        """The blocks' numbers as they run: of those that several layers share, a number stands there several times."""
        groups = self.layer_groups or self.num_layers
        # Of layers that no number divides, as Transformers' own division rounds.
        layers = [int(i / (self.num_layers / groups)) for i in range(self.num_layers)]
        return tuple(layer * self.blocks_per_layer + j for layer in layers for j in range(self.blocks_per_layer))

    @property
    def table_dim(self) -> int:
        """Width of the tables of segment and position vectors, and most often of token vectors."""
        alone = self.embedding_dim is None or self.member.projects_tokens
        return self.hidden_dim if alone else self.embedding_dim  # pyright: ignore[reportReturnType]

    @property
    def block_dim(self) -> int:
        """The width that blocks work in."""
        return self.bottleneck_dim or self.hidden_dim

    @property
    def own_head_dim(self) -> int:
        """How many numbers of its own the head that guesses tokens has for each, see `MaskedLMHead`."""
        return self.hidden_dim - (self.embedding_dim or self.hidden_dim) if self.member.projects_tokens else 0

    @property
    def head_dim(self) -> int:
        """Width of a head of attention."""
        return self.block_dim // self.num_heads

    @property
    def masked_lm_activation(self) -> str:
        """Activation of the head that guesses tokens."""
        return self.head_activation or self.member.masked_lm_activation or self.activation

    @property
    def is_long(self) -> bool:
        """Whether attention is worked out as long texts need it."""
        return self.local_attention > 0 or self.max_positions > LONG

    def base(self, block: int) -> float:
        """The base of the rotary angles in a block, by its number."""
        return self.local_rotary_base if self.reach(block) else self.rotary_base

    def reach(self, block: int) -> int:
        """How far a token looks to each side in a block, by its number; 0: everywhere."""
        return self.local_attention // 2 if block % self.global_every else 0

    def replace(self, **changes: Any) -> BertConfig:
        """A copy with some fields changed, checked again. Raises: ValueError for an unknown field."""
        return BertConfig.from_dict(self.to_dict() | changes)

    def to_dict(self) -> dict[str, Any]:
        """The fields by name, ready for JSON."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> BertConfig:
        """A config from `to_dict`'s form. Raises: ValueError for an unknown or missing field, listing them."""
        known = {field.name: field for field in dataclasses.fields(cls)}
        unknown = sorted(set(fields) - set(known))
        if unknown:
            raise ValueError(f"`BertConfig` knows no {', '.join(unknown)}. Known: {', '.join(known)}")
        needed = [name for name, field in known.items() if field.default is dataclasses.MISSING]
        missing = [name for name in needed if name not in fields]
        if missing:
            raise ValueError(f"`BertConfig` needs {', '.join(missing)}. Received: {', '.join(sorted(fields))}")
        return cls(**fields)
