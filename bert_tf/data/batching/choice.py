"""Which way of making batches takes the least time, from the examples' lengths."""

from __future__ import annotations

import numpy as np

from bert_tf.data.batching.plan import TRIAL_EXAMPLES, Batching, Plan, choose_layout, permutation, plan_epoch

ATTENTION_TOKENS = 420
"""The row's length at which a token's attention takes as long as the rest of its step: with MiniLM on one CPU core a
token took 0.36 ms, and 0.86 microseconds more for every token of its row.
"""
WORTH_IT = 1.15  # how much costlier packed rows must be
STEPS_PER_SHAPE = 20  # every shape is traced once, which takes about as long as one to six steps


def choose_batching(
    lengths: np.ndarray, batch_examples: int, *, divisor: int = 1, pack_length: int | None = None, steps: float
) -> Batching:
    """ "packed" or "bucketed", by what a real token costs where nothing is compiled for one shape.

    A packed row has next to no padding, but each of its tokens pays for attention to the whole row; so long examples,
    which leave little padding in buckets, are better off there.

    Args:
        steps: of the whole training.
        Others: as of `choose_layout`.
    """
    lengths = np.asarray(lengths)
    packed = choose_layout(lengths, batch_examples, batching="packed", divisor=divisor, pack_length=pack_length)
    bucketed = choose_layout(lengths, batch_examples, batching="bucketed", divisor=divisor)
    sample = lengths[permutation(len(lengths), 0)[: max(TRIAL_EXAMPLES, 32 * batch_examples)]]
    plan = plan_epoch(sample, bucketed, seed=0, epoch=0)
    if steps < STEPS_PER_SHAPE * len(np.unique(plan.lengths)):
        return "packed"
    costlier = _token_cost(plan_epoch(sample, packed, seed=0, epoch=0)) > WORTH_IT * _token_cost(plan)
    return "bucketed" if costlier else "packed"


def _token_cost(plan: Plan) -> float:
    """What a real token costs, in what one costs without attention."""
    lengths = plan.lengths.astype(np.float64)
    return plan.layout.rows * float((lengths * (1 + lengths / ATTENTION_TOKENS)).sum()) / float(plan.tokens.sum())
