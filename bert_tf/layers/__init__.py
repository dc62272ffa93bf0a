"""The layers of the family. They use `keras.ops` only, so they run on Keras's TensorFlow, JAX and PyTorch backends."""

from bert_tf.layers.bottleneck import Bottleneck
from bert_tf.layers.convolution import Convolution
from bert_tf.layers.embeddings import Embeddings
from bert_tf.layers.encoder_block import EncoderBlock
from bert_tf.layers.feed_forward import FeedForward
from bert_tf.layers.functions.masks import (
    Sight,
    attention_bias,
    sequence_to_sequence_bias,
    sight_of,
    take_positions,
)
from bert_tf.layers.functions.rotary import turns_of
from bert_tf.layers.masked_lm_head import MaskedLMHead
from bert_tf.layers.norms.layer_norm import LayerNorm
from bert_tf.layers.norms.no_norm import NoNorm
from bert_tf.layers.pooler import Pooler
from bert_tf.layers.relative.bias import RelativeBias
from bert_tf.layers.relative.vectors import RelativeVectors
from bert_tf.layers.self_attention import SelfAttention
from bert_tf.layers.sentence_score import SentenceScore
from bert_tf.layers.vector_table import Table

__all__ = [
    "Bottleneck",
    "Convolution",
    "Embeddings",
    "EncoderBlock",
    "FeedForward",
    "LayerNorm",
    "MaskedLMHead",
    "NoNorm",
    "Pooler",
    "RelativeBias",
    "RelativeVectors",
    "SelfAttention",
    "SentenceScore",
    "Sight",
    "Table",
    "attention_bias",
    "sequence_to_sequence_bias",
    "sight_of",
    "take_positions",
    "turns_of",
]
