"""What models that stand on a backbone share: taking it in, its config, going to and from a Keras config."""

from __future__ import annotations

from typing import Any

import keras

from bert_tf.models.backbones.bert import BertBackbone
from bert_tf.models.backbones.config import BertConfig
from bert_tf.models.base import BertModel, graph_inputs


class OnBackbone(BertModel):
    """A model with a `backbone`. Where `uses_pooler` is false, the backbone's pooler is not trained.

    A subclass takes the backbone in with `take`, makes its layers, and then calls this `__init__`, which makes the
    graph.

    Args:
        name: the model's name.
        dtype: a dtype policy for this model; None: the backbone's.
        trainable: False freezes all of its weights.
    """

    own_arguments: tuple[str, ...] = ()
    """The class's arguments beside these, each kept under its name."""

    def __init__(self, *, name: str | None = None, dtype: Any = None, trainable: bool = True):
        # graph
        inputs = graph_inputs()
        policy = self.policy(dtype)
        super().__init__(inputs, self.call(inputs), name=name, dtype=policy, trainable=trainable)

    def take(
        self, backbone: BertBackbone | BertConfig, *, dtype: Any = None, needs_segments: tuple[int, str] = (1, "")
    ) -> None:
        """Sets `backbone`.

        Args:
            backbone: a `BertBackbone`, or a `BertConfig` to make one of.
            dtype: a dtype policy for a backbone made here; None: Keras's global one.
            needs_segments: least number of segments that the backbone must have, and what for.
        Raises: ValueError for another `backbone`, or one with too few segments.
        """
        if isinstance(backbone, BertConfig):
            backbone = BertBackbone(backbone, dtype=dtype)
        if not isinstance(backbone, BertBackbone):
            raise ValueError(f"`backbone` must be a BertBackbone or a BertConfig. Received: backbone={backbone!r}")
        least, purpose = needs_segments
        if backbone.config.num_segments < least:
            raise ValueError(
                f"`backbone` must have {least} segments or more, {purpose}. "
                f"Received: num_segments={backbone.config.num_segments}"
            )
        self.backbone = backbone
        if not self.uses_pooler:
            backbone.pooler.trainable = False

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
