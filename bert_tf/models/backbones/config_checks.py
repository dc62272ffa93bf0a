"""Which values the fields of a `BertConfig` may have. Needs no TensorFlow."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from bert_tf.weights.members import MEMBERS

DISTANCE_TERMS = ("c2p", "p2c", "c2p|p2c")
ACTIVATIONS = ("gelu", "gelu_tanh", "quick_gelu", "relu", "silu", "mish", "tanh", "linear")
SWITCHES = (
    "recompute", "norm_first", "gated", "attention_bias", "feed_forward_bias", "norm_bias", "head_bias", "decoder_bias",
    "shares_distances", "distance_norm",
    "bottleneck_attention", "shared_bottleneck", "trigram", "has_pooler",
)  # fmt: skip
CHOICES: dict[str, tuple[str | None, ...]] = {
    "activation": ACTIVATIONS,
    "position_initializer": ("random", "sinusoidal"),
    "head_activation": (None, *ACTIVATIONS),
    "head_pooling": ("cls", "mean"),
    "norm_kind": ("layer_norm", "no_norm"),
}


def is_int(value: Any) -> bool:
    """Whether a value is an integer, which true and false are not."""
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _at_least(least: int) -> tuple[Callable[[Any], bool], str]:
    return lambda value: is_int(value) and value >= least, f"an integer of at least {least}"


# Fields that are right or wrong by themselves: their names, the test and the rule in words.
ALONE: Sequence[tuple[tuple[str, ...], Callable[[Any], bool], str]] = (
    (
        ("vocabulary_size", "hidden_dim", "num_layers", "num_heads", "intermediate_dim", "max_positions",
         "blocks_per_layer", "global_every", "num_feed_forwards"),
        *_at_least(1),
    ),
    (("first_position", "bottleneck_dim"), *_at_least(0)),
    (
        ("embedding_dim",),
        lambda value: value is None or (is_int(value) and value >= 1),
        "an integer of at least 1, or None",
    ),
    (
        ("relative_buckets",),
        lambda value: is_int(value) and (value == 0 or (value >= 4 and value % 2 == 0)),
        "0, or an even number of at least 4",
    ),
    (
        ("local_attention",),
        lambda value: is_int(value) and (value == 0 or value >= 2),
        "0, or an integer of at least 2",
    ),
    (
        ("hidden_dropout", "attention_dropout", "feed_forward_dropout"),
        lambda value: _is_number(value) and 0 <= value < 1,
        "a number in [0, 1)",
    ),
    (
        ("layer_norm_epsilon", "initializer_range", "rotary_base", "local_rotary_base"),
        lambda value: _is_number(value) and value > 0,
        "a number above 0",
    ),
    (SWITCHES, lambda value: isinstance(value, bool), "true or false"),
)  # fmt: skip


def check_model_type(config: Any) -> None:
    """Raises: ValueError if a `BertConfig` is of no member of the family."""
    _check(config, "model_type", config.model_type in MEMBERS, f"one of {', '.join(MEMBERS)}")


def check_fields(config: Any) -> None:
    """Raises: ValueError for the first field of a `BertConfig` that breaks a rule: its name, the rule and what came."""
    for names, holds, rule in ALONE:
        for name in names:
            _check(config, name, holds(getattr(config, name)), rule)
    for name, choices in CHOICES.items():
        rule = f"one of {', '.join(choice for choice in choices if choice is not None)}"
        _check(config, name, getattr(config, name) in choices, f"None, or {rule}" if None in choices else rule)
    is_count = is_int(config.layer_groups) and 0 <= config.layer_groups <= config.num_layers
    _check(config, "layer_groups", is_count, f"an integer in [0, {config.num_layers}]")
    in_range = is_int(config.pad_token_id) and 0 <= config.pad_token_id < config.vocabulary_size
    _check(config, "pad_token_id", in_range, f"an integer in [0, {config.vocabulary_size})")
    _check_member(config)
    _check_distances(config)
    _check_widths(config)


def _check_member(config: Any) -> None:
    """What the member of the family alone can be."""
    member = config.member
    if "first_position" in member.used:
        is_next = config.first_position == config.pad_token_id + 1
        _check(config, "first_position", is_next, f"`pad_token_id` + 1 of a {member.name}")
    if "num_segments" in member.used:
        rule = member.used["num_segments"].rule
        _check(config, "num_segments", rule.holds(config.num_segments), rule.text)
    told = member.used.get("position_kind")
    if told is None or told.values is None:
        # Angles are of the members that have nothing else.
        kinds = ("learned", "sinusoidal", *(("rotary",) if member.fixed.get("position_kind") == "rotary" else ()))
    else:
        kinds = tuple(told.values.values())
    _check(config, "position_kind", config.position_kind in kinds, f"one of {', '.join(kinds)}")
    for name, value in member.values.items():
        _check(config, name, getattr(config, name) == value, f"{value!r} of a {member.name}")


def _check_distances(config: Any) -> None:
    if "distance_terms" not in config.member.used:
        return
    buckets, farthest, size = config.distance_buckets, config.farthest_distance, config.kernel_size
    terms, activations = ", ".join(DISTANCE_TERMS), ", ".join(ACTIVATIONS)
    _check(config, "distance_terms", config.distance_terms in DISTANCE_TERMS, f"one of {terms}")
    is_odd = is_int(size) and (size == 0 or (size > 0 and size % 2 == 1))
    _check(config, "kernel_size", is_odd, "0, or an odd number")
    _check(config, "kernel_activation", config.kernel_activation in ACTIVATIONS, f"one of {activations}")
    _check(config, "distance_buckets", is_int(buckets) and (buckets == 0 or buckets >= 2), "0, or at least 2")
    _check(config, "farthest_distance", is_int(farthest) and farthest >= 1, "an integer of at least 1")
    alone = buckets // 2  # distances of a bucket each; where there are no others, none has to be found
    holds = not buckets or alone < farthest - 1 or config.max_positions - 1 <= alone
    _check(config, "farthest_distance", holds, f"above {alone + 1} with {buckets} `distance_buckets`")


def _check_widths(config: Any) -> None:
    for name in ("bottleneck_attention", "shared_bottleneck"):
        _check(config, name, config.bottleneck_dim > 0 or not getattr(config, name), "False without `bottleneck_dim`")
    is_one = not (config.bottleneck_attention and config.shared_bottleneck)
    _check(config, "shared_bottleneck", is_one, "False with `bottleneck_attention`")
    if config.bottleneck_dim not in (0, config.hidden_dim):
        is_narrow = config.bottleneck_attention or config.shared_bottleneck
        _check(config, "shared_bottleneck", is_narrow, "True, or else `bottleneck_attention`, in another width")
    width = "bottleneck_dim" if config.bottleneck_dim else "hidden_dim"
    if config.block_dim % config.num_heads:
        raise ValueError(
            f"`num_heads` must divide `{width}`. Received: num_heads={config.num_heads}, {width}={config.block_dim}"
        )
    if config.position_kind == "rotary" and config.head_dim % 2:
        raise ValueError(
            "`hidden_dim` must be an even multiple of `num_heads` where positions are rotary. "
            f"Received: num_heads={config.num_heads}, hidden_dim={config.hidden_dim}"
        )


def _check(config: Any, name: str, good: bool, rule: str) -> None:
    if not good:
        raise ValueError(f"`{name}` must be {rule}. Received: {name}={getattr(config, name)!r:.200}")
