"""How well a model does on held-out text: each objective's loss and accuracy, and simple guesses beside them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from bert_tf.data import replica_batches
from bert_tf.data.corpora.baselines import TokenCounts
from bert_tf.data.corpora.examples import PretrainingStream
from bert_tf.models.base import inputs_of
from bert_tf.sentinels import IGNORED_LABEL

if TYPE_CHECKING:
    from bert_tf.data import BatchPlans

LARGEST_LOSS = 80.0  # whose exponential is still a float32


class Scorer:
    """Scores a model as it stands when it is called.

    Args:
        model: a BertMaskedLM or BertPretrainer.
        stream: the held-out text.
        pair: name of the second objective; "": none.
        batch_examples: examples in a batch.
        examples: about how many are looked at: the first of the first epoch, which is always the same.
        baselines: what the training text says about tokens.
    """

    def __init__(
        self,
        model: Any,
        stream: PretrainingStream,
        *,
        pair: str,
        batch_examples: int,
        examples: int,
        baselines: TokenCounts,
    ) -> None:
        self.stream, self.pair = stream, pair
        self.plans: BatchPlans = stream.epochs(batch_examples, batching="packed", divisor=1, pack_length=None, seed=0)
        self.batches = min(self.plans.number_of_batches(1), max(1, round(examples / batch_examples)))
        self.forward = tf.function(lambda batch: self._sums(model, batch), autograph=False)
        self.baselines = self._guess(baselines)

    def __call__(self) -> dict[str, float]:
        """`masked_lm_loss`, `masked_lm_accuracy`, `perplexity`; those of pairs; and `most_frequent_accuracy` and
        `bigram_accuracy`, which masked_lm_accuracy is to be compared with. Losses and accuracies are means.
        """
        total = np.zeros(6)
        for batch in self._walk():
            total += self.forward({name: tf.constant(value) for name, value in batch.items()}).numpy()
        loss, right, targets, pair_loss, pair_right, pairs = total.tolist()
        scores = {
            "masked_lm_loss": loss / max(targets, 1),
            "masked_lm_accuracy": right / max(targets, 1),
            "perplexity": math.exp(min(loss / max(targets, 1), LARGEST_LOSS)),
        }
        if self.pair:
            scores |= {
                f"{self.pair}_loss": pair_loss / max(pairs, 1),
                f"{self.pair}_accuracy": pair_right / max(pairs, 1),
            }
        return scores | self.baselines

    def _walk(self):
        return replica_batches(self.stream, self.plans, stop=self.batches)  # pyright: ignore[reportArgumentType]

    def _guess(self, counts: TokenCounts) -> dict[str, float]:
        special = np.array([self.stream.cls_id, self.stream.sep_id])
        frequent, bigram, targets = np.sum([counts.right(batch, special) for batch in self._walk()], axis=0)
        return {"most_frequent_accuracy": float(frequent / targets), "bigram_accuracy": float(bigram / targets)}

    def _sums(self, model: Any, batch: dict[str, Any]) -> Any:
        """float32 [6]: of tokens the loss, the right ones and all; the same of pairs."""
        targets = batch["target_ids"]
        inputs = {name: value for name, value in inputs_of(batch).items() if name != "target_ids"}
        outputs = model(inputs, training=False)
        found = _sums_of(outputs["masked_lm_logits"], targets, targets != IGNORED_LABEL)
        if not self.pair:
            return tf.concat([found, tf.zeros([3])], axis=0)
        counted = batch["pair_weight"] > 0
        return tf.concat([found, _sums_of(outputs["pair_logits"], batch["labels"], counted)], axis=0)


def _sums_of(logits: Any, labels: Any, counted: Any) -> Any:
    """float32 [3]: the loss, the right ones and all of those that count."""
    labels = tf.where(counted, labels, 0)
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, tf.cast(logits, tf.float32))
    right = tf.argmax(logits, axis=-1, output_type=tf.int32) == labels
    weight = tf.cast(counted, tf.float32)
    return tf.stack([tf.reduce_sum(part * weight) for part in (losses, tf.cast(right, tf.float32), weight)])
