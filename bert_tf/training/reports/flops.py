"""Model FLOPs of a training step, and the share of the machine's peak that they are."""

from __future__ import annotations

import time
from functools import lru_cache

import numpy as np
import tensorflow as tf

from bert_tf.models.backbones.config import BertConfig

# Dense peak in FLOP/s of one device by the name TensorFlow gives it (vendors' data sheets, without sparsity).
GPU_PEAKS = {
    "float32": {"H200": 67e12, "H100": 67e12, "A100": 19.5e12, "V100": 15.7e12, "T4": 8.1e12, "L4": 30.3e12},
    "mixed_bfloat16": {"H200": 989e12, "H100": 989e12, "A100": 312e12, "L4": 121e12},
    "mixed_float16": {"H200": 989e12, "H100": 989e12, "A100": 312e12, "V100": 125e12, "T4": 65e12, "L4": 121e12},
}


def training_flops(lengths: np.ndarray, config: BertConfig, *, only_pooled: bool) -> float:
    """Forward and backward FLOPs for examples of these lengths, padding not counted.

    6 a weight and token (2 forward, 4 backward), and 12 times the width for each pair of tokens in a layer
    (Chowdhery et al., 2022, appendix B, https://arxiv.org/abs/2204.02311), and 6 for each of the vectors of distances
    that it is compared with. With `only_pooled` the last block makes keys
    and values of every token, and all else of an example's first token alone.
    """
    tokens, pairs, examples = float(lengths.sum()), float(np.square(lengths.astype(np.float64)).sum()), len(lengths)
    width, of_all, of_queries = config.block_dim, *_weights_of_block(config)
    pair = 12.0 * width + 6.0 * width * len(config.distance_terms.split("|")) * bool(config.distance_terms)
    block = 6.0 * (of_all + of_queries) * tokens + pair * pairs
    blocks = len(config.block_order)
    if not only_pooled:
        return blocks * block
    last = 6.0 * (of_all * tokens + of_queries * examples) + pair * tokens
    return (blocks - 1) * block + last


def _weights_of_block(config: BertConfig) -> tuple[int, int]:
    """Weights of a block that a token goes through to be seen, and those that it goes through to look and be worked
    out. What is used for both counts to the first."""
    width, feed_forward = config.block_dim, (2 + config.gated) * config.block_dim * config.intermediate_dim
    seen, worked_out = 2 * width * width, 2 * width * width + config.num_feed_forwards * feed_forward
    if config.bottleneck_dim:
        around = config.hidden_dim * width  # of a dense layer on the way in or out
        seen += 0 if config.bottleneck_attention else around - width * width  # values are of the whole input
        seen += around if config.bottleneck_attention or config.shared_bottleneck else 0
        worked_out += around if config.bottleneck_attention else 2 * around
    return seen, worked_out


@lru_cache
def peak_flops(precision: str) -> float:
    """Of one device: the data sheet's for a known GPU, otherwise measured once with a large matrix product."""
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        name = tf.config.experimental.get_device_details(gpus[0]).get("device_name", "")
        for known, peak in GPU_PEAKS.get(precision, {}).items():
            if known in name:
                return peak
    dtype = {"mixed_bfloat16": tf.bfloat16, "mixed_float16": tf.float16}.get(precision, tf.float32)
    return _measured(dtype)


def _measured(dtype: tf.DType, width: int = 1536, seconds: float = 1.0) -> float:
    matrix = tf.cast(tf.random.stateless_uniform([width, width], seed=[0, 0]), dtype)
    product = tf.function(lambda x: tf.matmul(x, matrix))
    product(matrix)
    fastest, began = float("inf"), time.perf_counter()
    while time.perf_counter() - began < seconds:
        start = time.perf_counter()
        product(matrix).numpy()
        fastest = min(fastest, time.perf_counter() - start)
    return 2.0 * width**3 / fastest
