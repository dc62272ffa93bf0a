"""What the blocks of an encoder are told of a batch besides its tokens: who sees whom, and where each token stands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keras import ops

from bert_tf.layers.functions.distances import Distances
from bert_tf.layers.functions.masks import attention_bias, sequence_to_sequence_bias, sight_of, take_positions
from bert_tf.layers.functions.rotary import turns_of
from bert_tf.layers.relative.bias import RelativeBias
from bert_tf.layers.relative.vectors import RelativeVectors
from bert_tf.models.backbones.config import BertConfig

Told = dict[str, Any]
"""Arguments of a block's call; what there is nothing to say of is left out."""


def tell(
    config: BertConfig,
    inputs: Mapping[str, Any],
    *,
    masked: float,
    relative_bias: RelativeBias | None = None,
    relative_vectors: RelativeVectors | None = None,
    training: bool | None = None,
    sequence_to_sequence: bool = False,
) -> list[Told]:
    """What each block is told, worked out once a batch.

    Args:
        config: of the encoder.
        inputs: of its call.
        masked: what is added to a score that must not count.
        relative_bias: what attention adds for distances.
        relative_vectors: what it compares distances by.
        training: of the encoder's call.
        sequence_to_sequence: as the encoder's call has it.
    """
    token_ids, padding_mask, example_ids = inputs["token_ids"], inputs.get("padding_mask"), inputs.get("example_ids")
    shared: Told = {}
    if config.is_long:
        shared["sight"] = sight_of(token_ids, padding_mask, example_ids, masked=masked)
    else:
        shared["bias"] = attention_bias(padding_mask, example_ids, masked=masked)  # [B, 1, T or 1, S]
    if sequence_to_sequence:
        shared["bias"] = sequence_to_sequence_bias(inputs["segment_ids"], shared.get("bias"), masked=masked)
    if relative_bias is not None:
        shared["relative"] = relative_bias(token_ids)  # [1, N, T, S]
    if relative_vectors is not None:
        shared["distances"] = Distances(*relative_vectors(token_ids, training=training))
    shared = {name: value for name, value in shared.items() if value is not None}
    turns = turns_at(config, places_of(token_ids, inputs.get("position_ids")))
    told = [{**shared, **({"rotary": turns[config.base(i)]} if turns else {})} for i in config.block_order]
    if config.kernel_size:
        told[0]["near"] = shared.get("sight") or sight_of(token_ids, padding_mask, example_ids, masked=masked)
    return told


def tell_of_first(
    told: Told,
    inputs: Mapping[str, Any],
    *,
    masked: float,
    relative_bias: RelativeBias | None = None,
) -> Told:
    """What a block is told that works out first tokens alone, of what it is told for all.

    Args: as of `tell`; with first_positions among the inputs, there are several in a row.
    """
    token_ids, example_ids, positions = inputs["token_ids"], inputs.get("example_ids"), inputs.get("first_positions")
    told = dict(told)
    for name in told.keys() & {"sight", "near"}:
        told[name] = told[name].at(ops.zeros_like(token_ids[:, :1]) if positions is None else positions)
    if "sight" not in told and example_ids is not None:
        queries = example_ids[:, :1] if positions is None else take_positions(example_ids, positions)  # [B, M]
        told["bias"] = attention_bias(inputs.get("padding_mask"), example_ids, query_ids=queries, masked=masked)
    if "distances" in told:
        told["distances"] = told["distances"].at(positions)
    if relative_bias is not None:
        told["relative"] = told["relative"][:, :, :1] if positions is None else relative_bias(token_ids, positions)
    return told


def places_of(token_ids, position_ids=None):
    """int [B, T]: `position_ids`, or 0, 1, 2, ... in every row, of a graph whose T is not known either."""
    return ops.cumsum(ops.ones_like(token_ids), axis=1) - 1 if position_ids is None else position_ids


def turns_at(config: BertConfig, places) -> dict[float, Any]:
    """The angles of tokens at `places`, int [B, T], by the bases that the blocks have; none of learned positions."""
    if config.position_kind != "rotary":
        return {}
    bases = {config.base(i) for i in config.block_order}
    return {base: turns_of(places, config.head_dim, base) for base in bases}
