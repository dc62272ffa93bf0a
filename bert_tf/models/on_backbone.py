"""What models that stand on a backbone share: taking it in, its config, going to and from a Keras config."""

from __future__ import annotations

from typing import Any

import keras

from bert_tf.models.backbone import BertBackbone
from bert_tf.models.base import BertModel
from bert_tf.models.config import BertConfig


class OnBackbone(BertModel):
    """A model with a `backbone`. Where `uses_pooler` is false, the backbone's pooler is not trained.

    Args:
        backbone: a `BertBackbone`, or a `BertConfig` to make one of.
        name: the model's name.
        dtype: a dtype policy for a backbone made here and for this model; None: the backbone's.
        trainable: whether any of its weights are.
        needs_segments: least number of segments that the backbone must have, and what for.
    Raises: ValueError for another `backbone`, or one with too few segments.
    """

    own_arguments: tuple[str, ...] = ()
    """The class's arguments beside these, each kept under its name."""

    def __init__(
        self,
        backbone: BertBackbone | BertConfig,
        *,
        name: str | None = None,
        dtype: Any = None,
        trainable: bool = True,
        needs_segments: tuple[int, str] = (1, ""),
    ):
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
        super().__init__(name=name, dtype=backbone.dtype_policy if dtype is None else dtype)
        self.trainable = trainable
        self.backbone = backbone
        if not self.uses_pooler:
            backbone.pooler.trainable = False

    @property
    def config(self) -> BertConfig:
        """The backbone's config."""
        return self.backbone.config

    def get_config(self):
        own = {name: getattr(self, name) for name in self.own_arguments}
        return {
            "backbone": keras.saving.serialize_keras_object(self.backbone),
            **{name: list(value) if isinstance(value, tuple) else value for name, value in own.items()},
            "name": self.name,
            "dtype": keras.dtype_policies.serialize(self.dtype_policy),
            "trainable": self.trainable,
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        backbone = keras.saving.deserialize_keras_object(config["backbone"], custom_objects=custom_objects)
        return cls(**{**config, "backbone": backbone})


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


def check_shape(name: str, shape, wanted) -> None:
    """Raises: ValueError if an argument's shape is not the wanted one; None fits anything."""
    shape, wanted = tuple(shape), tuple(wanted)
    if len(shape) != len(wanted) or any(a != b for a, b in zip(shape, wanted, strict=True) if None not in (a, b)):
        raise ValueError(f"`{name}` must have the shape {list(wanted)}. Received: {name} of shape {list(shape)}")
