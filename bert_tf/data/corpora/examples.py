"""Batches for pre-training: portions of examples, packed, masked again in every epoch."""

from __future__ import annotations

import math

import numpy as np

from bert_tf.data.batching.plan import Batching, BatchLayout
from bert_tf.data.batching.stream import Stream
from bert_tf.data.corpora.masking import Masker
from bert_tf.data.corpora.pairs import Segments
from bert_tf.data.corpora.plans import EpochPlan, PretrainingPlans
from bert_tf.data.corpora.portions import Portions
from bert_tf.data.corpora.randomness import GAMMA, keys, mixed
from bert_tf.errors import UserError
from bert_tf.sentinels import IGNORED_LABEL

MASKS, GUESSES = 2, 3  # set what is drawn here apart from `portions` and `plans`


class PretrainingStream(Stream):
    """What a run is pre-trained or scored on.

    Args:
        portions: the examples.
        masker: hides their tokens.
        cls_id, sep_id: the special tokens around segments.
        never_masked: ids that are not to be guessed, wherever they stand.
        mask_seed: of the masks; None: that of the plans. Where the same masks are wanted at any time, give one.
        draws: whether batches have `draws`, for a model that draws tokens in place of the hidden ones.
    """

    def __init__(
        self,
        portions: Portions,
        masker: Masker,
        *,
        cls_id: int,
        sep_id: int,
        never_masked: tuple[int, ...],
        mask_seed: int | None = None,
        draws: bool = False,
    ) -> None:
        self.portions, self.masker, self.mask_seed, self.draws = portions, masker, mask_seed, draws
        self.cls_id, self.sep_id = cls_id, sep_id
        self.never_masked = np.array(sorted({*never_masked, cls_id, sep_id}))
        self.bad_rows = portions.bad_rows

    def __len__(self) -> int:
        first, tokens = self.portions.segments(0, 0), self.portions.source_tokens(0)
        return round(len(first) * float(tokens.sum()) / max(first.source_tokens, 1))

    def share_of(self, token_id: int) -> float:
        return float(np.mean(self.portions.text()[0] == token_id))

    def epochs(
        self, batch_examples: int, *, batching: Batching, divisor: int, pack_length: int | None, seed: int
    ) -> PretrainingPlans:
        longest = self.portions.settings.sequence_length
        if batching == "bucketed":
            raise UserError("data.batching must be packed or padded for pre-training. Received: bucketed")
        if pack_length is not None and pack_length < longest:
            raise UserError(
                f"data.pack_length must be at least data.sequence_length, {longest}. Received: {pack_length}"
            )
        return PretrainingPlans(
            self.portions, batch_examples, batching=batching, divisor=divisor, length=pack_length or longest, seed=seed
        )

    def lengths_in(self, plan: EpochPlan, k: int) -> np.ndarray:
        _, portion, at = plan.find(k)
        start, stop = portion.placement.splits[at : at + 2]
        return portion.lengths[portion.placement.index[start:stop]]

    def batch(self, plan: EpochPlan, k: int) -> dict[str, np.ndarray]:
        """As `batch_arrays`, masked; and with P places a row, enough for any row of that length:

        masked_positions int32 [R, P], 0 where there is none; target_ids int32 [R, P], -100 where there is none;
        pair_weight float32 [R, M], the weight of a pair's loss compared with those of tokens, 0 where there is no pair:
        so both are means; with `draws` also token_weight float32 [R, M], the same of a loss of every token, and draws
        float32 [R, P] in [0, 1), by seed, epoch and place in the example alone, as the masks are; and loss_divisor
        float32 [], the number of targets.
        """
        number, portion, at = plan.find(k)
        start, stop = portion.placement.splits[at : at + 2]
        index, row, column, slot = (values[start:stop] for values in portion.placement[:4])
        layout, lengths = plan.layout, portion.lengths[index]
        splits = np.concatenate([[0], np.cumsum(lengths)])
        token_ids, segment_ids = self._tokens(portion.segments, index, lengths, splits)
        candidates = ~np.isin(token_ids, self.never_masked)
        seed = plan.plans.seed if self.mask_seed is None else self.mask_seed
        numbers = index + portion.rounds[start:stop] * len(portion.lengths)
        example_keys = keys(numbers, seed, plan.epoch, MASKS, number)
        chosen, instead = self.masker(token_ids, candidates, splits, example_keys)

        rows, length = layout.rows, layout.length
        example = np.repeat(np.arange(len(index)), lengths)
        position = np.arange(splits[-1]) - np.repeat(splits[:-1], lengths)
        target = row[example].astype(np.int64) * length + column[example] + position
        hidden = token_ids.copy()
        hidden[chosen] = instead

        def scatter(values: np.ndarray) -> np.ndarray:
            out = np.zeros(rows * length, np.int32)
            out[target] = values
            return out.reshape(rows, length)

        def place(values: np.ndarray, fill: float, dtype: type) -> np.ndarray:
            out = np.full((rows, layout.slots), fill, dtype)
            out[row, slot] = values
            return out

        order = np.argsort(target[chosen], kind="stable")
        places, wanted = target[chosen][order], token_ids[chosen][order]
        of_row = places // length
        number_in_row = np.arange(len(places)) - np.searchsorted(of_row, of_row)
        masked_positions = np.zeros((rows, self.targets_per_row(layout)), np.int32)
        target_ids = np.full(masked_positions.shape, IGNORED_LABEL, np.int32)
        masked_positions[of_row, number_in_row] = places % length
        target_ids[of_row, number_in_row] = wanted
        more: dict[str, np.ndarray] = {}
        if self.draws:
            base = keys(numbers, seed, plan.epoch, GUESSES, number)[example[chosen]]
            bits = mixed(base + position[chosen].astype(np.uint64) * GAMMA)[order]
            draws = np.zeros(masked_positions.shape, np.float32)
            draws[of_row, number_in_row] = (bits >> np.uint64(40)) * 2.0**-24  # float32 would round 53 bits up to 1
            share = len(places) / max(len(target), 1)
            more = {"draws": draws, "token_weight": place(np.full(len(index), share), 0, np.float32)}
        return {
            "token_ids": scatter(hidden),
            "segment_ids": scatter(segment_ids),
            "padding_mask": scatter(np.ones(len(target), np.int32)),
            "example_ids": scatter(slot[example] + 1),
            "position_ids": scatter(position),
            "first_positions": place(column, 0, np.int32),
            "labels": place(portion.segments.labels[index], 0, np.int32),
            "example_weight": place(np.ones(len(index)), 0, np.float32),
            "example_index": place(index, -1, np.int32),
            "masked_positions": masked_positions,
            "target_ids": target_ids,
            "pair_weight": place(np.full(len(index), len(places) / len(index)), 0, np.float32),
            "loss_divisor": np.array(max(len(places), 1), np.float32),
            **more,
        }

    def targets_per_row(self, layout: BatchLayout) -> int:
        """Most tokens to be guessed in a row: its share, and half a token more for every example's rounding."""
        share = self.masker.settings.mask_share
        return math.ceil(layout.length * share + layout.slots * max(0.5, 1.0 - 3 * share))

    def _tokens(
        self, segments: Segments, index: np.ndarray, lengths: np.ndarray, splits: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """int32 [S] each: the ids of some examples, special tokens included, and their segments."""
        first, second = segments.first[index], segments.second[index]
        sizes = first[:, 1] - first[:, 0]
        more = second[:, 1] - second[:, 0]
        example = np.repeat(np.arange(len(index)), lengths)
        position = np.arange(splits[-1]) - np.repeat(splits[:-1], lengths)
        in_second = position >= sizes[example] + 2
        source = np.where(in_second, second[example, 0] - sizes[example] - 2, first[example, 0] - 1) + position
        is_end = (position == sizes[example] + 1) | (position == lengths[example] - 1)
        special = (position == 0) | is_end
        token_ids = np.empty(len(position), np.int32)
        token_ids[special] = np.where(position[special] == 0, self.cls_id, self.sep_id)
        token_ids[~special] = segments.token_ids[source[~special]]
        return token_ids, (in_second & (more[example] > 0)).astype(np.int32)
