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
from bert_tf.models.losses.tokens import replaced_pretraining_losses
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
        *tokens, pair_loss, pair_right, pairs = self._totals()
        scores = _of_tokens(*tokens)
        if self.pair:
            scores |= {
                f"{self.pair}_loss": pair_loss / max(pairs, 1),
                f"{self.pair}_accuracy": pair_right / max(pairs, 1),
            }
        return scores | self.baselines

    def _totals(self) -> list[float]:
        """The sums of all batches."""
        found = [self.forward({name: tf.constant(value) for name, value in batch.items()}) for batch in self._walk()]
        return np.stack([sums.numpy() for sums in found]).astype(np.float64).sum(axis=0).tolist()

    def _walk(self):
        return replica_batches(self.stream, self.plans, stop=self.batches)  # pyright: ignore[reportArgumentType]

    def _guess(self, counts: TokenCounts) -> dict[str, float]:
        special = np.array([self.stream.cls_id, self.stream.sep_id])
        frequent, bigram, targets = np.sum([counts.right(batch, special) for batch in self._walk()], axis=0)
        return {"most_frequent_accuracy": float(frequent / targets), "bigram_accuracy": float(bigram / targets)}

    def _sums(self, model: Any, batch: dict[str, Any]) -> Any:
        """float32 [6]: of tokens the loss, the right ones and all; the same of pairs."""
        outputs = model(_asked(batch), training=False)
        found = _sums_of_guesses(outputs, batch)
        if not self.pair:
            return tf.concat([found, tf.zeros([3])], axis=0)
        counted = batch["pair_weight"] > 0
        return tf.concat([found, _sums_of(outputs["pair_logits"], batch["labels"], counted)], axis=0)


class ReplacedScorer(Scorer):
    """Scores a generator and the discriminator that tells its guesses from what stood there. Args: as of `Scorer`.

    Args:
        model: a BertReplacedTokens.
        weight: of the discriminator's loss in the sum of both.
    """

    def __init__(self, model: Any, stream: PretrainingStream, *, weight: float, **options: Any) -> None:
        self.weight = weight
        super().__init__(model, stream, pair="", **options)

    def __call__(self) -> dict[str, float]:
        """`pretraining_loss`, the sum that is trained; the generator's scores, as of `Scorer`; and the discriminator's:
        `replaced_token_loss` and `replaced_token_accuracy`, over all tokens, precision, recall and f1 at the replaced
        ones, and their share, `replaced_token_share`.
        """
        *tokens, loss, right, count, replaced, said, found = self._totals()
        guessed = _of_tokens(*tokens)
        loss, precision, recall = loss / max(count, 1), found / max(said, 1), found / max(replaced, 1)
        return {
            "pretraining_loss": guessed["masked_lm_loss"] + self.weight * loss,
            **guessed,
            "replaced_token_loss": loss,
            "replaced_token_accuracy": right / max(count, 1),
            "replaced_token_precision": precision,
            "replaced_token_recall": recall,
            "replaced_token_f1": 2 * found / max(said + replaced, 1),
            "replaced_token_share": replaced / max(count, 1),
            **self.baselines,
        }

    def _sums(self, model: Any, batch: dict[str, Any]) -> Any:
        """float32 [9]: of the generator's tokens the loss, the right ones and all; the same of the discriminator's; and
        how many were replaced, were said to be, and both.
        """
        inputs = inputs_of(batch)
        outputs = model(inputs, training=False)
        losses, counted = replaced_pretraining_losses(outputs, inputs)[1]
        is_said, is_replaced = outputs["replaced_logits"] > 0, outputs["is_replaced"] > 0
        parts = (losses, is_said == is_replaced, tf.ones_like(losses), is_replaced, is_said, is_said & is_replaced)
        found = tf.stack([tf.reduce_sum(tf.cast(part, tf.float32) * counted) for part in parts])
        guesses = model.generator(_asked(batch), training=False)
        return tf.concat([_sums_of_guesses(guesses, batch), found], axis=0)


def _of_tokens(loss: float, right: float, targets: float) -> dict[str, float]:
    """What sums say of guesses for hidden tokens."""
    return {
        "masked_lm_loss": loss / max(targets, 1),
        "masked_lm_accuracy": right / max(targets, 1),
        "perplexity": math.exp(min(loss / max(targets, 1), LARGEST_LOSS)),
    }


def _asked(batch: dict[str, Any]) -> dict[str, Any]:
    """The inputs of a batch for a model that is to give logits."""
    return {name: value for name, value in inputs_of(batch).items() if name not in ("target_ids", "draws")}


def _sums_of_guesses(outputs: Any, batch: dict[str, Any]) -> Any:
    return _sums_of(outputs["masked_lm_logits"], batch["target_ids"], batch["target_ids"] != IGNORED_LABEL)


def _sums_of(logits: Any, labels: Any, counted: Any) -> Any:
    """float32 [3]: the loss, the right ones and all of those that count."""
    labels = tf.where(counted, labels, 0)
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, tf.cast(logits, tf.float32))
    right = tf.argmax(logits, axis=-1, output_type=tf.int32) == labels
    weight = tf.cast(counted, tf.float32)
    return tf.stack([tf.reduce_sum(part * weight) for part in (losses, tf.cast(right, tf.float32), weight)])
