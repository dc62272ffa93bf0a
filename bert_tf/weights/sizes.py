"""Sizes that a config states, held to the tensors that are there, before a model of these sizes is made."""

from __future__ import annotations

import math

from bert_tf.errors import UserError
from bert_tf.weights.checkpoint import Checkpoint
from bert_tf.weights.tables import blocks_of

FREE = 50_000_000  # numbers that a model may have beyond those of its file: new heads, repeated positions
FREE_LAYERS = 100
TIMES = 4


def check_sizes(checkpoint: Checkpoint) -> None:
    """Raises: UserError for a config of a model that is many times as large as the tensors of its file."""
    config = checkpoint.config
    needed = ("vocabulary_size", "hidden_dim", "num_layers", "intermediate_dim", "max_positions", "num_segments")
    sizes = {name: config.get(name, 0) for name in needed}
    if not all(isinstance(size, int) for size in sizes.values()):
        return  # which is said where the model's own config is made
    dim = sizes["hidden_dim"]
    width, several = config.get("bottleneck_dim") or dim, config.get("num_feed_forwards", 1)
    block = 4 * width * width + several * 2 * width * sizes["intermediate_dim"]
    block += 3 * width * dim if width != dim else 0  # a bottleneck, on the way in and out
    rows = sizes["vocabulary_size"] + sizes["max_positions"] + sizes["num_segments"]
    blocks = blocks_of(config)
    runs = sizes["num_layers"] * blocks["group_size"] * several
    stated = rows * (config.get("embedding_dim") or dim) + blocks["num_blocks"] * block
    shapes = [*(checkpoint.arrays.shape(path) for path in checkpoint.arrays), *checkpoint.extra.values()]
    there = sum(math.prod(shape) for shape in shapes)
    if stated > TIMES * there + FREE or runs > len(shapes) + FREE_LAYERS:
        listed = ", ".join(f"{name}={str(size)[:24]}" for name, size in sizes.items())
        raise UserError(
            f"{checkpoint.where}: its config states sizes that its tensors, {there:,} numbers in {len(shapes):,}, do "
            f"not have. Received: {listed}"
        )
