"""Kinds whose model gives a tensor for each of the features, from which the metrics are worked out."""

from __future__ import annotations

import abc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bert_tf.kinds.base import Kind, ToWatch, Watched
from bert_tf.kinds.examples import Examples
from bert_tf.kinds.serving import Contract, Serving

if TYPE_CHECKING:
    from bert_tf.data import Features
    from bert_tf.text import Tokenizer


@dataclass(frozen=True, kw_only=True)
class Measured(Kind):
    """A kind that is scored, in training, by what its model gives for tokenised examples. Most kinds are one.

    >>> import numpy as np
    >>> from bert_tf.data import InMemory
    >>> from bert_tf.kinds import Classification, Examples
    >>> kind = Classification(
    ...     source=InMemory({}), text=("text",), label="label", classes=("no", "yes"), sequence_length=32
    ... )
    >>> logits = [np.array([2.0, -1.0]), np.array([0.5, 0.0])]
    >>> kind.measure(logits, None, Examples(texts=["a", "b"], labels=np.array([0, 1])))
    {'accuracy': 0.5}
    """

    @property
    def outputs_per_token(self) -> bool:
        """Whether the model gives something a token, rather than something an example."""
        return False

    @abc.abstractmethod
    def measure(self, outputs: Sequence[np.ndarray], features: Features, examples: Examples) -> dict[str, float]:
        """The task's metrics by name, from what the model gave for each of the features (see `Outputs`).

        Shares are between 0 and 1.
        """

    def scorer(
        self, model: Any, tokenizer: Tokenizer, features: Features, examples: Examples, *, batch_examples: int
    ) -> Callable[[], dict[str, float]]:
        """A function that scores the model as it stands then, called again and again in training.

        Args:
            model: its token numbers are those of `features`, which need not be the tokenizer's.
        """
        from bert_tf.kinds.outputs import Outputs

        outputs = Outputs(model, features, batch_examples=batch_examples, per_token=self.outputs_per_token)

        def score() -> dict[str, float]:
            found = self.of_examples(model, outputs(), features)
            self.note(model, found)
            return self.measure(found, features, examples)

        return score

    def of_examples(self, model: Any, outputs: Sequence[np.ndarray], features: Features) -> Sequence[np.ndarray]:
        """What `measure` takes, of what the model gave for each of the features; the same by default."""
        return outputs

    def note(self, model: Any, outputs: Sequence[np.ndarray]) -> None:
        """What the model is to remember of its outputs for the validation set; nothing by default."""

    def scorer_of_splits(self, watched: ToWatch) -> Callable[[], dict[str, float]]:
        """A function that scores the model, as it stands then, on all `scored_splits`."""
        splits, parts, size = self.scored_splits, (watched.model, watched.tokenizer), watched.batch_examples
        scorers = {
            split: self.scorer(*parts, watched.features[split], watched.examples[split], batch_examples=size)
            for split in splits
        }

        def score() -> dict[str, float]:
            found = {split: scorers[split]() for split in reversed(splits)}  # what "validation" sets on the model stays
            return {name + end: value for split, end in splits.items() for name, value in found[split].items()}

        return score

    @property
    def _is_scored_by_outputs(self) -> bool:
        """Whether the scores are of one output for each of the features, so that nothing else need be run for more."""
        return type(self).scorer is Measured.scorer and type(self).scorer_of_splits is Measured.scorer_of_splits

    def training_sample(self, examples: Examples, count: int) -> Examples | None:
        return examples.spread(count) if self._is_scored_by_outputs else None

    def watcher(
        self, watched: ToWatch, *, train_batch_examples: int, loss: Callable[[Any, Mapping[str, Any]], Any]
    ) -> Callable[[], Watched]:
        """As every kind's; the loss is that of the outputs that the metrics are of."""
        from bert_tf.kinds.outputs import Outputs, compiled

        if not self._is_scored_by_outputs:
            return super().watcher(watched, train_batch_examples=train_batch_examples, loss=loss)
        model, features, examples = watched.model, watched.features, watched.examples
        forward = compiled(model, loss)
        splits = self.scored_splits
        runs = {
            split: Outputs(
                model,
                features[split],
                batch_examples=watched.batch_examples,
                per_token=self.outputs_per_token,
                forward=forward,
            )
            for split in (*splits, self.sample_split)
            if split in features
        }

        def watch() -> Watched:
            outputs = {split: self.of_examples(model, run(), features[split]) for split, run in runs.items()}
            self.note(model, outputs["validation"])
            found = {split: self.measure(outputs[split], features[split], examples[split]) for split in runs}
            return Watched(
                scores={name + end: value for split, end in splits.items() for name, value in found[split].items()},
                loss=runs["validation"].loss,
                of_training=found.get(self.sample_split, {}),
            )

        return watch

    @property
    def serving(self) -> Serving:
        return Serving(contract=Contract(per_token=self.outputs_per_token))
