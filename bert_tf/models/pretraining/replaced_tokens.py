"""ELECTRA while it is pre-trained: a small generator replaces tokens, and the discriminator tells which."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
from keras import ops

from bert_tf.layers.dropout import GivenSeed, site_seed
from bert_tf.layers.functions.masks import take_positions
from bert_tf.models.backbones.bert import BertBackbone
from bert_tf.models.backbones.config import BertConfig
from bert_tf.models.base import checked_inputs
from bert_tf.models.losses.means import weighted_mean
from bert_tf.models.losses.tokens import replaced_pretraining_losses
from bert_tf.models.pretraining.discriminator import BertDiscriminator
from bert_tf.models.pretraining.masked_lm import BertMaskedLM
from bert_tf.sentinels import IGNORED_LABEL

TARGETS = ("masked_positions", "target_ids", "draws")
GENERATOR = "generator"


@keras.saving.register_keras_serializable(package="bert_tf")
class BertReplacedTokens(BertDiscriminator):
    """A `BertDiscriminator`, and the `generator` that replaces tokens for it while both are trained.

    The generator is a narrow `BertMaskedLM`, which has the discriminator's token, segment and position vectors and
    their norm. It guesses the hidden tokens; guesses that are drawn by its probabilities take their place, and the
    discriminator tells of every token whether it was replaced. A guess that happens to be right is not. No gradient
    goes through what is drawn, so the discriminator's loss reaches the generator by the shared vectors alone.

    A folder of `save_pretrained` is the discriminator's, with the generator's in its `generator/`: each is read by
    Transformers, and by `from_pretrained` of its class.

    Args:
        backbone: the discriminator's, a `BertBackbone`, or a `BertConfig` to make one of: of an ELECTRA.
        generator_width: share of its attention heads, and so of its width and feed-forward, that the generator has, in
            (0, 1]; one head at least.
        generator_layers: share of its layers, in (0, 1]; one at least.
        replaced_weight: what the discriminator's mean loss is multiplied with before the generator's is added.
        name: the model's name.
        dtype: a dtype policy for a backbone made here and for the heads; None: the backbone's.
    Call arguments: those of `BertBackbone`, for what a `BertDiscriminator` gives; or with tokens hidden, as in
        pre-training, also masked_positions int [B, P], target_ids int [B, P], what stood there, `IGNORED_LABEL` (-100)
        where nothing is hidden, and draws float [B, P] in [0, 1), which say what is drawn; absent: by the call's seed.
    Returns: logits, float32 [B, T]; with target_ids a dict of "masked_lm_losses" float32 [B, P], the generator's cross
        entropy of each target, 0 where there is none; "guesses" int32 [B, P]; "is_replaced" int32 [B, T]; and
        "replaced_logits" float32 [B, T].
    Raises: ValueError for a bad argument, or target_ids without masked_positions.
    Reference: Clark et al., 2020, https://arxiv.org/abs/2003.10555

    >>> import numpy as np
    >>> shape = {"hidden_dim": 8, "num_layers": 1, "num_heads": 2, "intermediate_dim": 8}
    >>> model = BertReplacedTokens(BertConfig(model_type="electra", vocabulary_size=9, **shape), generator_width=0.5)
    >>> inputs = {"token_ids": np.array([[2, 5, 4, 3]]), "masked_positions": np.array([[2]])}
    >>> inputs |= {"target_ids": np.array([[6]]), "draws": np.array([[0.5]])}
    >>> outputs = model.compute(inputs)
    >>> outputs["replaced_logits"].shape, model.generator.config.hidden_dim, bool(outputs["loss"] > 0)
    (TensorShape([1, 4]), 4, True)
    """

    own_arguments = ("generator_width", "generator_layers", "replaced_weight")

    def __init__(
        self,
        backbone: BertBackbone | BertConfig,
        *,
        generator_width: float = 0.25,
        generator_layers: float = 1.0,
        replaced_weight: float = 50.0,
        name: str | None = None,
        dtype: Any = None,
        trainable: bool = True,
    ):
        for argument, value in (("generator_width", generator_width), ("generator_layers", generator_layers)):
            if not 0 < value <= 1:
                raise ValueError(f"`{argument}` must be in (0, 1]. Received: {argument}={value!r}")
        if not replaced_weight > 0:
            raise ValueError(f"`replaced_weight` must be above 0. Received: replaced_weight={replaced_weight!r}")
        self.generator_width, self.generator_layers = float(generator_width), float(generator_layers)
        self.replaced_weight = float(replaced_weight)
        super().__init__(backbone, name=name, dtype=dtype, trainable=trainable)

        # The generator has no part in the graph, which is the discriminator's.
        config = generator_config(self.config, generator_width, generator_layers)
        policy = self.backbone.dtype_policy
        encoder = BertBackbone(config, dtype=policy, tables=self.backbone.embeddings, name="generator_backbone")
        self.generator = BertMaskedLM(encoder, dtype=self.policy(dtype), trainable=trainable, name=GENERATOR)

    @property
    def parts_beside(self) -> Mapping[str, Any]:
        """Models within this one that have folders of their own in its files."""
        return {GENERATOR: self.generator}

    @property
    def saved_settings(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.own_arguments}

    def call(self, inputs, training=None, seed=None):
        positions, targets, draws = (inputs.get(name) for name in TARGETS)
        if targets is None:
            return super().call(_without(inputs, TARGETS), training=training, seed=seed)
        if positions is None:
            raise ValueError(
                f"`inputs` must have masked_positions where it has target_ids. Received: {', '.join(inputs)}"
            )
        inputs, positions = checked_inputs(_without(inputs, TARGETS)), ops.cast(positions, "int32")
        # The encoders' places that draw dropout masks are numbered one after the other.
        mine = site_seed(seed, self.backbone.num_seeds + 2)
        x = self.generator.backbone(inputs, training=training, seed=mine)["sequence_output"]
        x = take_positions(x, positions)  # [B, P, D]
        head, table = self.generator.masked_lm, self.backbone.embeddings.token.table
        targets = ops.cast(targets, "int32")
        losses = head.losses(x, table, targets, training=training, of_all=False)[..., 0]  # [B, P]
        if draws is None:
            last = None if seed is None else GivenSeed(site_seed(mine, self.generator.backbone.num_seeds + 2))
            draws = keras.random.uniform(ops.shape(targets), dtype="float32", seed=last)
        guesses = head.guesses(x, table, draws, training=training)  # [B, P]
        replaced, is_replaced = put(guesses, inputs["token_ids"], positions, targets)
        logits = super().call({**inputs, "token_ids": replaced}, training=training, seed=seed)
        return {
            "masked_lm_losses": losses,
            "guesses": guesses,
            "is_replaced": is_replaced,
            "replaced_logits": logits,
        }

    def compute(self, inputs, labels=None, example_weight=None, training=None, seed=None) -> dict[str, Any]:
        """What the call gives, and the loss.

        Args:
            inputs: as in the call.
            labels: of inputs without target_ids, as of `BertDiscriminator`.
            example_weight: float [B], or [B, M] of packed rows without target_ids; None: 1 for every text.
            training: whether dropout is active.
            seed: as in the call.
        Returns: with target_ids among the inputs a dict of what the call gives and "loss", a float32 scalar: the mean
            cross entropy of the generator's targets, and `replaced_weight` times the mean binary cross entropy of the
            discriminator's tokens. Else what `BertDiscriminator` gives.
        Raises: ValueError if a shape does not fit.
        """
        if inputs.get("target_ids") is None:
            return super().compute(inputs, labels, example_weight, training=training, seed=seed)
        outputs = dict(self(inputs, training=training, seed=seed))
        return outputs | {"loss": self.head_loss(outputs, inputs, labels, example_weight)}

    def head_loss(self, outputs, inputs, labels=None, example_weight=None, training=None):
        """The loss of `compute`, of what the call gave."""
        if not isinstance(outputs, Mapping):
            return super().head_loss(outputs, inputs, labels, example_weight)
        tokens, replaced = replaced_pretraining_losses(outputs, inputs)
        generator = weighted_mean(*tokens, example_weight)
        return generator + self.replaced_weight * weighted_mean(*replaced, example_weight)


def generator_config(config: BertConfig, width: float, layers: float) -> BertConfig:
    """The generator's shape, of the discriminator's: fewer heads of the same width, the feed-forward in proportion.

    Raises: ValueError for an encoder whose tables cannot be wider than itself, as an ELECTRA's can.

    >>> shape = {"hidden_dim": 256, "num_layers": 12, "num_heads": 4, "intermediate_dim": 1024, "embedding_dim": 128}
    >>> made = generator_config(BertConfig(model_type="electra", vocabulary_size=9, **shape), width=0.25, layers=1.0)
    >>> made.hidden_dim, made.num_heads, made.intermediate_dim, made.num_layers, made.embedding_dim
    (64, 1, 256, 12, 128)
    """
    if config.embedding_dim is None:
        raise ValueError(
            "`backbone` must be of an ELECTRA, whose tables may have a width of their own. Received: "
            f"model_type={config.model_type!r}"
        )
    heads = max(1, round(config.num_heads * width))
    return config.replace(
        num_heads=heads,
        hidden_dim=heads * config.head_dim,
        intermediate_dim=max(1, round(config.intermediate_dim * heads / config.num_heads)),
        num_layers=max(1, round(config.num_layers * layers)),
    )


def put(guesses, token_ids, positions, targets) -> tuple[Any, Any]:
    """A text with guesses in place of what was hidden, and which tokens are not those that stood there.

    Args:
        guesses, positions, targets: int32 [B, P]; nothing is put where the target is `IGNORED_LABEL`.
        token_ids: int32 [B, T].
    Returns: int32 [B, T] each.

    >>> import numpy as np
    >>> four = [np.array([values], "int32") for values in ([7, 8, 0], [2, 4, 4, 3], [1, 2, 0], [6, 8, -100])]
    >>> [np.asarray(found).tolist() for found in put(*four)]
    [[[2, 7, 8, 3]], [[0, 1, 0, 0]]]
    """
    token_ids, length = ops.cast(token_ids, "int32"), ops.shape(token_ids)[1]
    is_target = ops.not_equal(targets, IGNORED_LABEL)
    start = ops.arange(ops.shape(token_ids)[0], dtype="int32")[:, None] * length  # [B, 1]
    places = ops.reshape(positions + start, (-1, 1))

    def added(values):
        """int32 [B, P] -> [B, T]: 0 where nothing is put."""
        values = ops.reshape(ops.where(is_target, values, ops.zeros_like(values)), (-1,))
        size = ops.shape(token_ids)[0] * length
        return ops.reshape(ops.scatter(places, values, (size,)), ops.shape(token_ids))

    before = take_positions(token_ids, positions)
    is_wrong = ops.cast(ops.not_equal(guesses, targets), "int32")
    return token_ids + added(guesses - before), added(is_wrong)


def _without(inputs: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: value for name, value in inputs.items() if name not in names}
