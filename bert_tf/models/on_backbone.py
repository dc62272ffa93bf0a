"""What models that stand on a backbone share: taking it in, its config, going to and from a Keras config."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
from keras import ops

from bert_tf.layers.dropout import dropout, site_seed
from bert_tf.layers.pooler import Pooler
from bert_tf.models.backbones.bert import BertBackbone
from bert_tf.models.backbones.config import BertConfig
from bert_tf.models.base import BertModel, graph_inputs
from bert_tf.models.heads import head_of
from bert_tf.models.pooling import pool


class OnBackbone(BertModel):
    """A model with a `backbone`. Where `uses_pooler` is false, the backbone's pooler is not trained.

    A subclass takes the backbone in with `take`, makes its layers, and then calls this `__init__`, which makes the
    graph.

    Args:
        name: the model's name.
        dtype: a dtype policy for this model; None: the backbone's.
        trainable: False freezes all of its weights.
    """

    dropout: float = 0.0
    """Share of the values before the head that is dropped in training."""
    own_arguments: tuple[str, ...] = ()
    """The class's further arguments, each kept under its name."""

    def __init__(self, *, name: str | None = None, dtype: Any = None, trainable: bool = True):
        # graph
        inputs = graph_inputs()
        policy = self.policy(dtype)
        super().__init__(inputs, self.call(inputs), name=name, dtype=policy, trainable=trainable)

    def take(
        self,
        backbone: BertBackbone | BertConfig,
        *,
        dtype: Any = None,
        tells_segments: str = "",
        pools: bool = False,
        of_tokens: bool = False,
    ) -> None:
        """Sets `backbone`, and the head's own `pooler` where one is needed.

        Args:
            backbone: a `BertBackbone`, or a `BertConfig` to make one of.
            dtype: a dtype policy for a backbone made here; None: Keras's global one.
            tells_segments: what the head needs different `segment_ids` for, if it does.
            pools: whether the head works on `pooled`.
            of_tokens: whether it works on `tokens`.
        Raises: ValueError for another `backbone`, or one whose files know one segment alone.
        """
        if isinstance(backbone, BertConfig):
            backbone = BertBackbone(backbone, dtype=dtype)
        if not isinstance(backbone, BertBackbone):
            raise ValueError(f"`backbone` must be a BertBackbone or a BertConfig. Received: backbone={backbone!r}")
        if tells_segments and backbone.config.member.tells_segments and backbone.config.num_segments == 1:
            raise ValueError(
                f"`backbone` must have 2 segments or more, {tells_segments}. "
                f"Received: num_segments={backbone.config.num_segments}"
            )
        self.backbone, self.pooler = backbone, None
        head = head_of(type(self))
        self.drops_before = head is not None and head.end in backbone.config.member.pooler.dropout_before
        row, config = backbone.config.member.pooler, backbone.config
        if config.has_pooler and ((pools and backbone.pooler is None) or (of_tokens and row.of_tokens)):
            self.pooler = Pooler(
                config.hidden_dim,
                activation=config.head_activation or row.activation,
                initializer_range=config.initializer_range,
                use_bias=config.head_bias,
                norm_epsilon=config.layer_norm_epsilon if row.has_norm else None,
                norm_bias=config.norm_bias,
                name="pooler",
                dtype=self.policy(dtype),
            )
            self.pooler.build((None, config.hidden_dim))
            self.uses_pooler = True
        if not self.uses_pooler and backbone.pooler is not None:
            backbone.pooler.trainable = False

    def pooled(self, outputs: Mapping[str, Any], training: Any = None, seed: Any = None):
        """One vector for each example, float [B, D] or [B, M, D], of what the backbone gave.

        Args:
            outputs: of the backbone.
            training, seed: of the model's call: some heads drop values before the pooler too.
        """
        x, pooler = outputs["pooled_output"], self.pooler
        if training and self.drops_before:
            x = dropout(x, self.dropout, site_seed(seed, self.backbone.num_seeds + 1))
            pooler = pooler or self.backbone.pooler  # which `pooled_of` has left out
        return x if pooler is None else pooler(x)

    def pooled_of(self, inputs, training: Any = None, seed: Any = None, **options: Any):
        """`pooled` of these inputs. Args: as in the backbone's call."""
        if training and self.drops_before:
            options["pool"] = False
        if self.config.head_pooling == "mean":
            outputs = self.backbone(inputs, training=training, seed=seed, **options)
            x = outputs["sequence_output"]  # [B, T, D]
            outputs = {"pooled_output": ops.cast(pool(ops.cast(x, "float32"), inputs, "mean"), x.dtype)}  # [B, (M), D]
        else:
            outputs = self.backbone(inputs, training=training, seed=seed, only_pooled=True, **options)
        return self.pooled(outputs, training=training, seed=seed)

    def tokens(self, inputs, training: Any = None, seed: Any = None, **options: Any):
        """What a head over tokens works on, float [B, T, D]: the backbone's, through the layer that heads of some
        members have before their last one. Args: as in the backbone's call.
        """
        x = self.backbone(inputs, training=training, seed=seed, **options)["sequence_output"]
        return x if self.pooler is None else self.pooler(x, training=training)

    def policy(self, dtype: Any) -> Any:
        """The dtype policy of a head: the one asked for, or the backbone's."""
        return self.backbone.dtype_policy if dtype is None else keras.dtype_policies.get(dtype)

    @property
    def config(self) -> BertConfig:
        """The backbone's config."""
        return self.backbone.config

    def get_config(self):
        own = {name: getattr(self, name) for name in self.own_arguments}
        return {
            "backbone": keras.saving.serialize_keras_object(self.backbone),
            **{name: list(value) if isinstance(value, tuple) else value for name, value in own.items()},
            **super().get_config(),
        }

    @classmethod
    def _arguments_from(cls, config, custom_objects):
        backbone = keras.saving.deserialize_keras_object(config["backbone"], custom_objects=custom_objects)
        return {**config, "backbone": backbone}


def names_of_classes(num_classes: int, labels: tuple[str, ...] | None) -> tuple[str, ...]:
    """`labels`, or "LABEL_0", "LABEL_1", ... Raises: ValueError if they are not `num_classes` different names."""
    if labels is None:
        return tuple(f"LABEL_{i}" for i in range(num_classes))
    labels = tuple(labels)
    if len(labels) != num_classes or len(set(labels)) != num_classes:
        raise ValueError(
            f"`labels` must be `num_classes` different names. Received: labels={labels!r}, num_classes={num_classes}"
        )
    return labels
