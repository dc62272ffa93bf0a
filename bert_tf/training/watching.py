"""What is looked at while a model is trained, besides the scores that decide which weights are kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from bert_tf.config import RunConfig
from bert_tf.training.trained_model import TrainedModel

if TYPE_CHECKING:
    from bert_tf.kinds.base import Kind, Watched
    from bert_tf.kinds.examples import Examples
    from bert_tf.text import Tokenizer

Loss = Callable[[Any, Mapping[str, Any]], Any]

MOST_POINTS, FEWEST_POINTS, USUAL_STEPS = 1000, 20, 50
SHARE = 0.06  # of the examples that are learnt from meanwhile: forward alone is a third, so a fiftieth of the time
FEWEST, MOST = 32, 256


def report_steps(total_steps: int) -> int:
    """Updates between two reports: about 50, fewer in a short run and more in a long one, for 20 to 1,000 points.

    >>> [report_steps(total) for total in (3, 500, 6_000, 1_000_000)]
    [1, 25, 50, 1000]
    """
    most = max(1, min(USUAL_STEPS, total_steps // FEWEST_POINTS))
    return max(most, -(-total_steps // MOST_POINTS))


def watcher_of(
    kind: Kind,
    config: RunConfig,
    trained: TrainedModel,
    tokenizer: Tokenizer,
    examples: Mapping[str, Examples],
    loss: Loss,
) -> Callable[[], Watched]:
    """A function that scores `trained.precise` as it stands then.

    Args:
        examples: of the training set and all splits that are scored.
        loss: outputs and batch -> the loss of each example.
    """
    features = trained.features
    sample = sample_of_training(kind, config, examples)
    if sample is not None:
        found = kind.features(tokenizer, sample, sequence_length=config.data.sequence_length)
        features = {**features, kind.sample_split: trained.vocabulary.features(found)}
        examples = {**examples, kind.sample_split: sample}
    watched = kind.to_watch(
        model=trained.precise,
        tokenizer=tokenizer,
        features=features,
        examples=examples,
        batch_examples=config.evaluation.batch_examples,
    )
    return kind.watcher(watched, train_batch_examples=config.training.batch_examples, loss=loss)


def sample_of_training(kind: Kind, config: RunConfig, examples: Mapping[str, Examples]) -> Examples | None:
    """The training examples that evaluations score too; None: none."""
    asked, train = config.evaluation.train_examples, examples["train"]
    options = config.training
    between = options.evaluate_every_steps * options.batch_examples if options.evaluate_every_steps else len(train)
    count = min(max(int(between * SHARE), FEWEST), MOST) if asked is None else asked
    return kind.training_sample(train, count) if count else None
