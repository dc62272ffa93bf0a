"""The BERT encoder."""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import ops

from bert_tf.layers.dropout import site_seed
from bert_tf.layers.embeddings import Embeddings
from bert_tf.layers.encoder_block import EncoderBlock
from bert_tf.layers.functions.distances import Distances
from bert_tf.layers.functions.masks import MASKED, take_positions
from bert_tf.layers.norms.layer_norm import LayerNorm
from bert_tf.layers.pooler import Pooler
from bert_tf.layers.relative.bias import RelativeBias
from bert_tf.layers.relative.vectors import RelativeVectors
from bert_tf.models.backbones.config import BertConfig
from bert_tf.models.backbones.told import Told, tell, tell_of_first
from bert_tf.models.base import BertModel, checked_inputs, graph_inputs


@keras.saving.register_keras_serializable(package="bert_tf")
class BertBackbone(BertModel):
    """BERT without a head: embeddings, encoder blocks and pooler. Its weights exist as soon as it does.

    Other members of the family are this class too, with the options that their `config.model_type` has. Where the
    pooler is a part of the heads, as in DistilBERT, "pooled_output" is the vector of the first token itself.

    Args:
        config: the shape of the encoder.
        name: the model's name.
        dtype: a dtype policy, such as "mixed_bfloat16"; None: Keras's global one.
        tables: the `embeddings` of another encoder, whose tables of vectors and norm are this one's, too; None: it has
            its own. A Keras config does not keep this.
    Call arguments:
        inputs: dict of int32 tensors. token_ids [B, T]; and where wanted segment_ids [B, T] (absent: 0),
            padding_mask [B, T] (absent: every token is real), position_ids [B, T] (absent: 0, 1, 2, ...).
            Packed rows also have example_ids [B, T] (0 = padding; tokens see only their own example) and
            first_positions [B, M] (where each example's first token stands).
        training: whether dropout is active.
        seed: int [2], all the randomness of this call's dropout: the same seed, the same masks. Its second number
            may count steps. None: the model's own generator.
        only_pooled: leave "sequence_output" out; the last block then works on first tokens alone, which gives the
            same pooled output with less work.
        embedded: float [B, T, D], what the encoder starts from instead of the embeddings of `token_ids`, so that it can
            be asked at points between texts.
        sequence_to_sequence: segment 1 is a target that is written token by token: it sees segment 0, the source, and
            its own past alone, and the source does not see it. Needs segment_ids; not with `only_pooled`.
        pool: False leaves the pooler out of "pooled_output".
    Returns: dict of "sequence_output", float [B, T, D] in the compute dtype, and "pooled_output", [B, D], or [B, M, D]
        where first_positions is given.
    Raises: ValueError for unknown keys, shapes that differ, or more positions than `config.max_positions`.
    Reference: Devlin et al., 2019, https://arxiv.org/abs/1810.04805

    >>> import numpy as np
    >>> config = BertConfig(vocabulary_size=9, hidden_dim=8, num_layers=1, num_heads=2, intermediate_dim=8)
    >>> outputs = BertBackbone(config)({"token_ids": np.array([[2, 5, 6, 3]])})
    >>> outputs["sequence_output"].shape, outputs["pooled_output"].shape
    (TensorShape([1, 4, 8]), TensorShape([1, 8]))
    """

    def __init__(
        self,
        config: BertConfig,
        *,
        name: str | None = None,
        dtype: Any = None,
        trainable: bool = True,
        tables: Embeddings | None = None,
    ):
        if not isinstance(config, BertConfig):
            raise ValueError(f"`config` must be a BertConfig. Received: config={config!r}")
        self.config = config
        # A static int8 converter may set a smaller number, so that the mask does not eat the scores' range.
        self.mask_value = MASKED
        has_dropout = config.hidden_dropout or config.attention_dropout or config.feed_forward_dropout
        self.seed_generator = keras.random.SeedGenerator() if has_dropout else None

        # layers
        policy = keras.dtype_policies.get(dtype)
        shared = {"initializer_range": config.initializer_range, "dtype": policy}
        self.embeddings = Embeddings(
            config.vocabulary_size,
            config.hidden_dim,
            max_positions=config.max_positions,
            num_segments=config.num_segments,
            dropout=config.hidden_dropout,
            layer_norm_epsilon=config.member.unset_epsilon or config.layer_norm_epsilon,
            position_kind=config.position_kind,
            position_initializer=config.position_initializer,
            embedding_dim=config.embedding_dim,
            projects=config.member.projects,
            norm_last=config.member.norm_last,
            first_position=config.first_position,
            norm_bias=config.norm_bias,
            tells_segments=config.member.tells_segments,
            projects_tokens=config.member.projects_tokens,
            trigram=config.trigram,
            norm_kind=config.norm_kind,
            tables=tables,
            name="embeddings",
            **shared,
        )
        self.relative_bias = None
        if config.relative_buckets:
            self.relative_bias = RelativeBias(config.num_heads, config.relative_buckets, name="relative_bias", **shared)
        self.relative_vectors = None
        if config.distance_terms:
            self.relative_vectors = RelativeVectors(
                config.hidden_dim,
                config.farthest_distance,
                num_buckets=config.distance_buckets,
                longest=config.max_positions,
                norm_epsilon=config.layer_norm_epsilon if config.distance_norm else None,
                name="relative_vectors",
                **shared,
            )
        made = [
            EncoderBlock(
                config.hidden_dim,
                config.num_heads,
                config.intermediate_dim,
                hidden_dropout=config.hidden_dropout,
                attention_dropout=config.attention_dropout,
                activation=config.activation,
                layer_norm_epsilon=config.layer_norm_epsilon,
                norm_first=config.norm_first,
                normalizes_input=i > 0 or not config.norm_first,
                attention_bias=config.attention_bias,
                feed_forward_bias=config.feed_forward_bias,
                norm_bias=config.norm_bias,
                gated=config.gated,
                feed_forward_dropout=config.feed_forward_dropout,
                reach=config.reach(i),
                distance_terms=config.distance_terms,
                shares_distances=config.shares_distances,
                kernel_size=0 if i else config.kernel_size,
                kernel_activation=config.kernel_activation,
                norm_kind=config.norm_kind,
                bottleneck_dim=config.bottleneck_dim,
                bottleneck_attention=config.bottleneck_attention,
                shared_bottleneck=config.shared_bottleneck,
                num_feed_forwards=config.num_feed_forwards,
                last_epsilon=config.member.unset_epsilon,
                name=f"block_{i}",
                **shared,
            )
            for i in range(config.num_blocks)
        ]
        # As they run: a block whose weights several layers share stands there as often.
        self.blocks = [made[i] for i in config.block_order]
        self.final_norm = None
        if config.norm_first:
            self.final_norm = LayerNorm(
                config.hidden_dim,
                epsilon=config.layer_norm_epsilon,
                use_bias=config.norm_bias,
                name="final_norm",
                dtype=policy,
            )
        pooler = config.member.pooler
        self.pooler = None
        if config.has_pooler and not pooler.in_head:
            self.pooler = Pooler(config.hidden_dim, activation=pooler.activation, name="pooler", **shared)
        for layer in (
            self.embeddings, self.relative_bias, self.relative_vectors, *made, self.final_norm, self.pooler,
        ):  # fmt: skip
            if layer is not None:
                layer.build((None, None, config.hidden_dim))

        # graph
        inputs = graph_inputs()
        super().__init__(inputs, self.call(inputs), name=name, dtype=policy, trainable=trainable)

    def call(
        self,
        inputs,
        training=None,
        seed=None,
        only_pooled=False,
        sequence_to_sequence=False,
        embedded=None,
        pool=True,
    ):
        inputs = checked_inputs(inputs)
        first_positions = inputs.get("first_positions")
        if training and seed is None and self.seed_generator is not None:
            seed = self.seed_generator.next()

        x = embedded
        if x is None:
            x = self.embeddings(
                inputs["token_ids"],
                segment_ids=inputs.get("segment_ids"),
                position_ids=inputs.get("position_ids"),
                seed=seed,
                training=training,
                example_ids=inputs.get("example_ids"),
                padding_mask=inputs.get("padding_mask"),
            )  # [B, T, D]
        told = self.tell(inputs, sequence_to_sequence, training)
        for i, block in enumerate(self.blocks[:-1] if only_pooled else self.blocks):
            x = self._run_block(block, x, told[i], site_seed(seed, 1 + EncoderBlock.SEEDS * i), training)

        if only_pooled:
            first = x[:, :1] if first_positions is None else take_positions(x, first_positions)  # [B, 1 or M, D]
            last = tell_of_first(told[-1], inputs, masked=self.mask_value, relative_bias=self.relative_bias)
            last_seed = site_seed(seed, self.num_seeds - EncoderBlock.SEEDS)
            first = self.normal(self.blocks[-1](x, queries=first, seed=last_seed, training=training, **last), training)
        else:
            x = self.normal(x, training)
            first = x[:, :1] if first_positions is None else take_positions(x, first_positions)
        pooled = first if self.pooler is None or not pool else self.pooler(first)  # [B, 1 or M, D]
        outputs = {"pooled_output": pooled[:, 0] if first_positions is None else pooled}
        return outputs if only_pooled else {"sequence_output": x} | outputs

    def tell(self, inputs, sequence_to_sequence: bool = False, training: bool | None = None) -> list[Told]:
        """What each block is told of a batch besides `x`: arguments of its call, see `EncoderBlock`."""
        return tell(
            self.config,
            inputs,
            masked=self.mask_value,
            relative_bias=self.relative_bias,
            relative_vectors=self.relative_vectors,
            training=training,
            sequence_to_sequence=sequence_to_sequence,
        )

    def normal(self, x, training=None):
        """What the last block gives, as the encoder hands it out."""
        return x if self.final_norm is None else self.final_norm(x, training=training)

    def _run_block(self, block, x, told: Told, seed, training):
        if not (self.config.recompute and training):
            return block(x, seed=seed, training=training, **told)
        # What a gradient goes to is an argument.
        far: Distances | None = told.get("distances")
        given = {"relative": told.get("relative"), "distances": None if far is None else far.vectors}
        given = {name: value for name, value in given.items() if value is not None}

        def run(x, *values):
            # The seed is made to hang on `x`, or the first run's masks would be kept for the second.
            fresh = None if seed is None else seed + ops.cast(x[0, 0, 0] == math.inf, seed.dtype)
            own = dict(zip(given, values, strict=True))
            if far is not None:
                own["distances"] = far._replace(vectors=own["distances"])
            return block(x, seed=fresh, training=True, **{**told, **own})

        return keras.remat(run)(x, *given.values())

    def compute_output_spec(
        self, inputs, training=None, seed=None, only_pooled=False, sequence_to_sequence=False, pool=True
    ):
        inputs = checked_inputs(inputs)
        rows, length = inputs["token_ids"].shape
        first = inputs.get("first_positions")
        pooled = (rows, self.config.hidden_dim) if first is None else (*first.shape, self.config.hidden_dim)
        shapes = {"sequence_output": (rows, length, self.config.hidden_dim), "pooled_output": pooled}
        return {
            name: keras.KerasTensor(shape, dtype=self.compute_dtype)
            for name, shape in shapes.items()
            if not (only_pooled and name == "sequence_output")
        }

    @property
    def token_embedding(self):
        """The table of token vectors, a `Table`, under KerasHub's name."""
        return self.embeddings.token

    @property
    def num_seeds(self) -> int:
        """How many places of the encoder draw dropout masks; a head's own places are numbered from here."""
        return 1 + EncoderBlock.SEEDS * len(self.blocks)

    # config
    def get_config(self):
        return {"config": self.config.to_dict(), **super().get_config()}

    @classmethod
    def _arguments_from(cls, config, custom_objects):
        return {**config, "config": BertConfig.from_dict(config["config"])}
