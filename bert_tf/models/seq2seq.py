"""BERT that writes: one encoder reads the source and, token by token, writes the target."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
from keras import ops

from bert_tf.layers.functions.masks import MASKED, attention_bias, hidden
from bert_tf.models.backbones.bert import BertBackbone
from bert_tf.models.backbones.config import BertConfig
from bert_tf.models.backbones.told import Told, tell_of_first, turns_at
from bert_tf.models.generation.beam_search import beam_search
from bert_tf.models.generation.decoding import decode
from bert_tf.models.generation.settings import Generation
from bert_tf.models.generation.texts import default_settings, never_written, sources_of
from bert_tf.models.losses.means import weighted_mean
from bert_tf.models.losses.tokens import token_cross_entropy
from bert_tf.models.on_backbone import OnBackbone
from bert_tf.models.pretraining.masked_lm import masked_lm_head


@keras.saving.register_keras_serializable(package="bert_tf")
class BertSeq2Seq(OnBackbone):
    """A backbone under a sequence-to-sequence mask, and the masked-LM head over every token, as in UniLM.

    A row is [CLS] source [SEP] target [SEP]; segment 0 is the source, 1 the target. The source sees all of the source;
    a target's token sees the source, itself and what stands before it. The source's [SEP] predicts the target's first
    token, each token of the target the next one, and its last one [SEP], the end. The weights are those of
    Transformers' BertForMaskedLM; the backbone's pooler has no part in it.

    Args:
        backbone: a `BertBackbone`, or a `BertConfig` to make one of.
        name: the model's name.
        dtype: a dtype policy for a backbone made here and for the head; None: the backbone's.
    Call arguments: those of `BertBackbone`, segment_ids among them; and target_ids int [B, T], where there is something
        to learn: the token that each token is to predict, `IGNORED_LABEL` (-100) where none.
    Returns: logits, float32 [B, T, V]; with target_ids float32 [B, T, 2], the losses of `MaskedLMHead.losses`, for
        which logits are only worked out where there is a target.
    Raises: ValueError for a bad argument, or a backbone with a convolution, by which a token would see the next one.
    Reference: Dong et al., 2019, https://arxiv.org/abs/1905.03197

    >>> from bert_tf.text import BertTokenizer
    >>> tokenizer = BertTokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "good", "bad", "film"])
    >>> config = BertConfig(vocabulary_size=9, hidden_dim=8, num_layers=1, num_heads=2, intermediate_dim=8)
    >>> model = BertSeq2Seq(config)
    >>> written = model.generate(["a good film", "a bad film"], tokenizer=tokenizer, max_length=4)
    >>> len(written), type(written[0])
    (2, <class 'str'>)
    """

    uses_pooler = False

    @property
    def saved_settings(self) -> dict[str, Any]:
        """Which of our models the weights are for: Transformers' class of them fills in masks."""
        return {"model": type(self).__name__}

    def __init__(
        self,
        backbone: BertBackbone | BertConfig,
        *,
        name: str | None = None,
        dtype: Any = None,
        trainable: bool = True,
    ):
        self.take(backbone, dtype=dtype, tells_segments="for the source and the target")
        if self.config.trigram:
            raise ValueError(
                "`backbone` must not look at the token after each (`trigram`): it would be seen before it is written. "
                f"Received: a {self.config.member.name} with trigram=True"
            )

        config = self.config
        if config.kernel_size:
            raise ValueError(f"`backbone` must have no convolution. Received: kernel_size={config.kernel_size}")

        # layers
        self.masked_lm = masked_lm_head(config, self.policy(dtype))
        super().__init__(name=name, dtype=dtype, trainable=trainable)

    def call(self, inputs, training=None, seed=None):
        targets = inputs.get("target_ids")
        inputs = {name: value for name, value in inputs.items() if name != "target_ids"}
        if inputs.get("segment_ids") is None:
            raise ValueError(f"`inputs` must have segment_ids, which tell source and target. Received: {list(inputs)}")
        outputs = self.backbone(inputs, training=training, seed=seed, sequence_to_sequence=True)
        x = outputs["sequence_output"]  # [B, T, D]
        table = self.backbone.embeddings.token.table
        if targets is None:
            return self.masked_lm(x, table, training=training)  # [B, T, V]
        return self.masked_lm.losses(x, table, targets, training=training)  # [B, T, 2]

    def compute(
        self, inputs, labels=None, label_smoothing=0.0, example_weight=None, training=None, seed=None
    ) -> dict[str, Any]:
        """Logits, and the mean loss where labels are given.

        Args:
            inputs: as in the call, without target_ids.
            labels: int [B, T], target_ids of the call.
            label_smoothing: share of the target spread evenly over all tokens.
            example_weight: float [B], or [B, M] of packed rows; None: 1 for every text.
            training: whether dropout is active.
            seed: as in the call.
        Returns: dict of "logits" float32 [B, T, V] and, with labels, "loss", a float32 scalar: the mean cross entropy
            over the tokens that have a target; 0 where none has.
        """
        found = {"logits": self(inputs, training=training, seed=seed)}
        if labels is not None:
            found["loss"] = self.head_loss(
                found["logits"], inputs, labels, example_weight, label_smoothing=label_smoothing
            )
        return found

    def head_loss(self, outputs, inputs, labels=None, example_weight=None, training=None, label_smoothing=0.0):
        """The loss of `compute`, of what the call gave. With target_ids among the inputs `labels` are not needed."""
        found = {"logits": outputs}
        if inputs.get("target_ids") is not None:
            labels, found = inputs["target_ids"], {"of_target": outputs[..., 0], "of_all": outputs[..., 1]}
        if labels is None:
            raise ValueError("`labels` are needed for a loss. Received: labels=None")
        losses, counted = token_cross_entropy(labels, **found, label_smoothing=label_smoothing)
        return weighted_mean(losses, counted, example_weight, inputs.get("example_ids"))

    def generate(
        self,
        inputs,
        settings: Generation | None = None,
        *,
        tokenizer: Any = None,
        end_id: int | None = None,
        never=None,
        seed=None,
        **changes: Any,
    ) -> Any:
        """Writes a text for each text. Keys and values are kept, so each new token costs one token's work.

        All texts are one batch, and no graph is kept between calls: `bert_tf.Pipeline` is faster for many.

        Args:
            inputs: one text or several, which takes a `tokenizer`; or dict of token_ids int [B, S], [CLS] source [SEP]
                and padding, and padding_mask.
            settings: how; None: greedily, at most 128 tokens, or half of the model's positions if that is less.
            tokenizer: the model's BertTokenizer.
            end_id: the token of [SEP]; None: the tokenizer's.
            never: tokens that are not to be written; None: the tokenizer's special ones, without a tokenizer none.
            seed: int [2], for sampling; None: the same draw each time.
            changes: fields of `Generation`, such as max_length=20 or beams=4, that win over `settings`.
        Returns: for one text a str, for several a list of str, in their order; for a dict a dict of token_ids int32
            [B, L], L = `max_length`, padded after the end, and score float32 [B].
        Raises: ValueError if the texts have no tokenizer or the token ids no `end_id`, or if `max_length` leaves no
            room for a text.
        """
        limit = getattr(tokenizer, "model_max_length", None)
        length = min(limit or self.config.max_positions, self.config.max_positions)
        settings = default_settings(length, **changes) if settings is None else settings.replace(**changes)
        if tokenizer is not None:
            end_id = tokenizer.sep_id if end_id is None else end_id
            never = never_written(tokenizer) if never is None else never
        if not isinstance(inputs, Mapping):
            sources = sources_of(inputs, tokenizer, settings, length)
            assert tokenizer is not None
            written = self.generate(sources, settings, end_id=end_id, never=never, seed=seed)
            texts = tokenizer.batch_decode(written["token_ids"])
            return texts[0] if isinstance(inputs, str) else texts
        if end_id is None:
            raise ValueError("`end_id` or `tokenizer` is needed where `inputs` are token ids. Received neither")
        never = () if never is None else never
        logits, source = self.read(inputs)
        past = self.empty_past(logits, settings)

        def step(tokens, place, past):
            return self.next_logits(tokens, place, source, past)

        options = {"end_id": end_id, "pad_id": self.config.pad_token_id, "never": never}
        if settings.beams > 1:
            return beam_search(step, logits, past, settings, **options)
        return decode(step, logits, past, settings, **options, seed=seed)

    def read(self, inputs) -> tuple[Any, Any]:
        """Works the source through.

        Returns: logits of the target's first token, float32 [B, V]; and what `next_logits` needs of the source: each
            block's keys and values, and those of distances where it has any, the attention's bias, float32
            [B, 1, 1, S], the lengths, int32 [B], and the token vectors as columns, [D, V], which are the same for every
            token.
        """
        token_ids = inputs["token_ids"]
        mask = inputs.get("padding_mask")
        mask = ops.ones_like(token_ids) if mask is None else mask
        lengths = ops.cast(ops.sum(mask, axis=1), "int32")
        bias = attention_bias(mask, masked=self.backbone.mask_value)
        x = self.backbone.embeddings(token_ids, training=False)  # [B, S, D]
        told = self.backbone.tell({"token_ids": token_ids, "padding_mask": mask})
        kept = []
        vectors = None if self.backbone.relative_vectors is None else self.backbone.relative_vectors.all()
        for i, block in enumerate(self.backbone.blocks):
            seen = block.keys_and_values(x, told[i].get("rotary"))
            kept.append(seen if vectors is None else (*seen, *block.attention.of_distances(vectors)))
            if i + 1 < len(self.backbone.blocks):
                x = block(x, training=False, **told[i])
        last = ops.take_along_axis(x, (lengths - 1)[:, None, None], axis=1)  # [B, 1, D]
        own = tell_of_first(
            told[-1],
            {"token_ids": token_ids, "first_positions": (lengths - 1)[:, None]},
            masked=self.backbone.mask_value,
            relative_bias=self.backbone.relative_bias,
        )
        last = self.backbone.normal(self.backbone.blocks[-1](x, queries=last, training=False, **own), False)
        columns = self.masked_lm.columns(self.backbone.embeddings.token.table)  # [D, V]
        return self._logits(last, columns), (tuple(kept), bias, lengths, columns)

    def empty_past(self, logits, settings: Generation):
        """Room for the keys and values of what is to be written, a block: both [B * K, N, L, H]."""
        config = self.config
        heads, width, length = config.num_heads, config.head_dim, settings.max_length
        rows = ops.repeat(ops.cast(logits[:, :1] * 0.0, self.compute_dtype), settings.beams, axis=0)  # [B * K, 1]
        flat = rows + ops.zeros((1, heads * width * length), self.compute_dtype)
        room = ops.reshape(flat, (-1, heads, length, width))
        return tuple((room, room) for _ in self.backbone.blocks)

    def next_logits(self, tokens, place, source, past) -> tuple[Any, Any]:
        """One more token of each text.

        Args:
            tokens: int32 [B, K], of K texts for each source.
            place: int32 [], where in the target they stand, from 0.
            source: as `read` gives it.
            past: as `empty_past` or the last call gave it.
        Returns: logits of the tokens after, float32 [B * K, V], and the new `past`.
        """
        kept, bias, lengths, columns = source
        positions = ops.zeros_like(tokens) + lengths[:, None] + place  # [B, K]
        x = self.backbone.embeddings(tokens, segment_ids=ops.ones_like(tokens), position_ids=positions, training=False)
        told = self._told(lengths, place, kept[0][1].shape[2] or ops.shape(kept[0][1])[2], past[0][0].shape[2])
        turns = turns_at(self.config, positions)
        new = []
        for i, block in enumerate(self.backbone.blocks):
            rotary = turns[self.config.base(i)] if turns else None
            rows = told[i].pop("rows", None)
            far = None if rows is None else (*kept[i][2:], rows)
            x, own = block.decode(
                x, kept[i], past[i], place, bias, rotary=rotary, distances=far, **told[i]
            )  # [B, K, D]
            new.append(own)
        return self._logits(self.backbone.normal(x, False), columns), tuple(new)

    def _told(self, lengths, place, source: Any, own: int) -> list[Told]:
        """What each block is told of how far a new token stands from its own text's and the source's: what attention
        adds, float32 [B, N or 1, 1, P + S], or whose vector each distance has, int32 [B, P + S], or nothing.
        """
        reaches = [self.config.reach(i) for i in self.config.block_order]
        bias, vectors = self.backbone.relative_bias, self.backbone.relative_vectors
        if bias is None and vectors is None and not any(reaches):
            return [{} for _ in reaches]
        stands = lengths[:, None] + place  # [B, 1]
        keys = ops.concatenate(
            [lengths[:, None] + ops.arange(own)[None], ops.zeros_like(stands) + ops.arange(source)], 1
        )
        distances = keys[:, None] - stands[:, :, None]  # [B, 1, P + S]
        if vectors is not None:
            return [{"rows": vectors.rows_of(-distances[:, 0])} for _ in reaches]
        if bias is not None:
            return [{"relative": bias.of(distances)}] * len(reaches)
        near = {reach: hidden(ops.abs(distances) <= reach, MASKED)[:, None] for reach in set(reaches) if reach}
        return [{"relative": near[reach]} if reach else {} for reach in reaches]

    def _logits(self, x, columns):
        """float [B, K, D] -> float32 [B * K, V]"""
        x = ops.reshape(x, (-1, self.config.hidden_dim))
        return self.masked_lm.logits(self.masked_lm.transform(x, training=False), columns)
