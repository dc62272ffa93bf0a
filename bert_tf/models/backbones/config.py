"""What an encoder of BERT's family is: its sizes, its dropout, its positions. Needs no TensorFlow."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

from bert_tf.weights.members import BERT, MEMBERS, Member
from bert_tf.weights.tables import blocks_of

SWITCHES = (
    "recompute", "norm_first", "gated", "attention_bias", "feed_forward_bias", "norm_bias", "head_bias", "decoder_bias",
    "shares_distances", "distance_norm",
    "bottleneck_attention", "shared_bottleneck", "trigram", "has_pooler",
)  # fmt: skip
ACTIVATIONS = ("gelu", "gelu_tanh", "quick_gelu", "relu", "silu", "mish", "tanh", "linear")
POSITION_KINDS = ("learned", "sinusoidal", "rotary")
DISTANCE_TERMS = ("c2p", "p2c", "c2p|p2c")
POSITION_INITIALIZERS = ("random", "sinusoidal")
HEAD_POOLINGS = ("cls", "mean")
NORM_KINDS = ("layer_norm", "no_norm")
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
        self._check("model_type", self.model_type in MEMBERS, f"one of {', '.join(MEMBERS)}")
        for name in ("vocabulary_size", "hidden_dim", "num_layers", "num_heads", "intermediate_dim"):
            self._check(name, _is_int(getattr(self, name)) and getattr(self, name) >= 1, "an integer of at least 1")
        self._check(
            "max_positions", _is_int(self.max_positions) and self.max_positions >= 1, "an integer of at least 1"
        )
        for name, absent, usual in (
            ("embedding_dim", None, self.hidden_dim),
            ("layer_groups", 0, 1),
            ("first_position", 0, _is_int(self.pad_token_id) and self.pad_token_id + 1),
            ("distance_terms", "", DISTANCE_TERMS[-1]),
            ("farthest_distance", 0, self.max_positions),
        ):
            if getattr(self, name) == absent and name in self.member.used:
                object.__setattr__(self, name, usual)
        if self.embedding_dim is not None:
            is_width = _is_int(self.embedding_dim) and self.embedding_dim >= 1
            self._check("embedding_dim", is_width, "an integer of at least 1, or None")
        is_place = _is_int(self.first_position) and self.first_position >= 0
        self._check("first_position", is_place, "an integer of at least 0")
        if "first_position" in self.member.used:
            is_next = self.first_position == self.pad_token_id + 1
            self._check("first_position", is_next, f"`pad_token_id` + 1 of a {self.member.name}")
        is_count = _is_int(self.layer_groups) and 0 <= self.layer_groups <= self.num_layers
        self._check("layer_groups", is_count, f"an integer in [0, {self.num_layers}]")
        is_count = _is_int(self.blocks_per_layer) and self.blocks_per_layer >= 1
        self._check("blocks_per_layer", is_count, "an integer of at least 1")
        buckets = self.relative_buckets
        is_even = _is_int(buckets) and (buckets == 0 or (buckets >= 4 and buckets % 2 == 0))
        self._check("relative_buckets", is_even, "0, or an even number of at least 4")
        if "num_segments" in self.member.used:
            rule = self.member.used["num_segments"].rule
            self._check("num_segments", rule.holds(self.num_segments), rule.text)
        self._check_distances()
        for name in ("hidden_dropout", "attention_dropout", "feed_forward_dropout"):
            value = getattr(self, name)
            self._check(name, _is_number(value) and 0 <= value < 1, "a number in [0, 1)")
        for name in ("layer_norm_epsilon", "initializer_range", "rotary_base", "local_rotary_base"):
            value = getattr(self, name)
            self._check(name, _is_number(value) and math.isfinite(value) and value > 0, "a number above 0")
        self._check("activation", self.activation in ACTIVATIONS, f"one of {', '.join(ACTIVATIONS)}")
        # Angles are of the members that have nothing else.
        kinds = POSITION_KINDS if self.member.fixed.get("position_kind") == "rotary" else POSITION_KINDS[:2]
        told = self.member.used.get("position_kind")
        kinds = kinds if told is None or told.values is None else tuple(told.values.values())
        self._check("position_kind", self.position_kind in kinds, f"one of {', '.join(kinds)}")
        names = ", ".join(POSITION_INITIALIZERS)
        self._check("position_initializer", self.position_initializer in POSITION_INITIALIZERS, f"one of {names}")
        in_range = _is_int(self.pad_token_id) and 0 <= self.pad_token_id < self.vocabulary_size
        self._check("pad_token_id", in_range, f"an integer in [0, {self.vocabulary_size})")
        reach = self.local_attention
        self._check("local_attention", _is_int(reach) and (reach == 0 or reach >= 2), "0, or an integer of at least 2")
        self._check("global_every", _is_int(self.global_every) and self.global_every >= 1, "an integer of at least 1")
        known = self.head_activation is None or self.head_activation in ACTIVATIONS
        self._check("head_activation", known, f"None, or one of {', '.join(ACTIVATIONS)}")
        self._check("head_pooling", self.head_pooling in HEAD_POOLINGS, f"one of {', '.join(HEAD_POOLINGS)}")
        is_width = _is_int(self.bottleneck_dim) and self.bottleneck_dim >= 0
        self._check("bottleneck_dim", is_width, "an integer of at least 0")
        is_count = _is_int(self.num_feed_forwards) and self.num_feed_forwards >= 1
        self._check("num_feed_forwards", is_count, "an integer of at least 1")
        self._check("norm_kind", self.norm_kind in NORM_KINDS, f"one of {', '.join(NORM_KINDS)}")
        for name in SWITCHES:
            self._check(name, isinstance(getattr(self, name), bool), "true or false")
        for name, value in self.member.values.items():
            self._check(name, getattr(self, name) == value, f"{value!r} of a {self.member.name}")
        for name in ("bottleneck_attention", "shared_bottleneck"):
            self._check(name, self.bottleneck_dim > 0 or not getattr(self, name), "False without `bottleneck_dim`")
        is_one = not (self.bottleneck_attention and self.shared_bottleneck)
        self._check("shared_bottleneck", is_one, "False with `bottleneck_attention`")
        if self.bottleneck_dim not in (0, self.hidden_dim):
            is_narrow = self.bottleneck_attention or self.shared_bottleneck
            self._check("shared_bottleneck", is_narrow, "True, or else `bottleneck_attention`, in another width")
        width = "bottleneck_dim" if self.bottleneck_dim else "hidden_dim"
        if self.block_dim % self.num_heads:
            raise ValueError(
                f"`num_heads` must divide `{width}`. Received: num_heads={self.num_heads}, {width}={self.block_dim}"
            )
        if self.position_kind == "rotary" and self.head_dim % 2:
            raise ValueError(
                "`hidden_dim` must be an even multiple of `num_heads` where positions are rotary. "
                f"Received: num_heads={self.num_heads}, hidden_dim={self.hidden_dim}"
            )

    def _check_distances(self) -> None:
        if "distance_terms" not in self.member.used:
            return
        buckets, farthest, size = self.distance_buckets, self.farthest_distance, self.kernel_size
        self._check("distance_terms", self.distance_terms in DISTANCE_TERMS, f"one of {', '.join(DISTANCE_TERMS)}")
        is_odd = _is_int(size) and (size == 0 or (size > 0 and size % 2 == 1))
        self._check("kernel_size", is_odd, "0, or an odd number")
        self._check("kernel_activation", self.kernel_activation in ACTIVATIONS, f"one of {', '.join(ACTIVATIONS)}")
        self._check("distance_buckets", _is_int(buckets) and (buckets == 0 or buckets >= 2), "0, or at least 2")
        self._check("farthest_distance", _is_int(farthest) and farthest >= 1, "an integer of at least 1")
        alone = buckets // 2  # distances of a bucket each; where there are no others, none has to be found
        holds = not buckets or alone < farthest - 1 or self.max_positions - 1 <= alone
        self._check("farthest_distance", holds, f"above {alone + 1} with {buckets} `distance_buckets`")

    def _check(self, name: str, good: bool, rule: str) -> None:
        if not good:
            raise ValueError(f"`{name}` must be {rule}. Received: {name}={getattr(self, name)!r:.200}")

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


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
