"""A tagger's head, solved for on the tokens' vectors of a backbone that stays as it is.

The head is that of `BertForTokenClassification`, one dense layer, so that what is solved for, a multinomial logistic
regression on the tokens that speak for words, is saved, served and read by Transformers as any tagger.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bert_tf.errors import UserError
from bert_tf.kinds.solved.linear import Fit, solve

if TYPE_CHECKING:
    from bert_tf.config import RunConfig
    from bert_tf.data.batching.features import Features

USUAL = 0.03  # where there are too few sentences to choose
FOLDS = 5
MANY = 2000  # words; of more, a fifth of the sentences is held out once, as folds would take minutes


def solve_tags(
    vectors: np.ndarray, labels: np.ndarray, sentences: np.ndarray, *, outputs: int, seed: int = 1
) -> tuple[np.ndarray, np.ndarray, float, float | None]:
    """The layer that fits.

    Args:
        vectors: float32 [W, D], of the tokens that have a label.
        labels: int [W], these, in [0, C).
        sentences: int [W], rising, the sentence of each: what is held out are whole ones.
        outputs: number C of labels.
        seed: of the sentences that are held out.
    Returns: kernel float32 [D, C], bias float32 [C], the strength that was chosen, and the mean loss of held-out words
        with it; None where there are too few sentences to choose.

    >>> x = np.array([[0.0], [1.0], [0.1], [0.9]], np.float32)
    >>> kernel, bias, _, _ = solve_tags(x, np.array([0, 2, 0, 2]), np.array([0, 0, 1, 1]), outputs=3)
    >>> (x @ kernel + bias).argmax(axis=1).tolist()
    [0, 2, 0, 2]
    """
    center, deviation = vectors.mean(axis=0), vectors.std(axis=0)
    standard = np.where(deviation > 1e-3 * deviation.max(), 1.0 / np.maximum(deviation, 1e-12), 0.0)
    x = (vectors - center) * standard
    fit = Fit("single_label", outputs, None)
    layer = solve(fit, x, labels, _held_out(sentences, seed), usual=USUAL)
    kernel = standard[:, None] * layer.weights
    bias = layer.offsets - center @ kernel
    return kernel.astype(np.float32), bias.astype(np.float32), layer.strength, layer.held_out


def solved_tags(
    kind: Any, model: Any, features: Features, config: RunConfig
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """What `Kind.solved_head` gives for taggers.

    Raises: UserError for label smoothing where nothing is trained, as the solver does not have it, and for a member of
        the family whose taggers have a layer before the last one.
    """
    from bert_tf.kinds.outputs import Outputs

    if config.training.label_smoothing and config.training.mode == "frozen":
        raise UserError(
            f"'training.label_smoothing' is for fine-tuning. Received: {config.training.label_smoothing} with "
            f"training.mode={config.training.mode}"
        )
    if model.pooler is not None:
        raise UserError(
            f"training.mode={config.training.mode} solves one layer, and taggers of a {model.config.member.name} have "
            f"another one before it: fine-tune it. Received: training.mode={config.training.mode}"
        )
    of_tokens = Outputs(
        lambda inputs, training: model.tokens(inputs, training=training),
        features,
        batch_examples=config.evaluation.batch_examples,
        per_token=True,
    )()
    token_labels = features.token_fields["token_labels"]
    labels = np.split(token_labels, features.splits[1:-1])  # of each window
    kernel, bias, strength, held_out = solve_tags(
        np.concatenate([vectors[own >= 0] for vectors, own in zip(of_tokens, labels, strict=True)]),
        token_labels[token_labels >= 0],
        np.repeat(np.arange(len(labels)), [int((own >= 0).sum()) for own in labels]),
        outputs=len(kind.tag_names),
        seed=config.seed,
    )
    return {"classifier/kernel": kernel, "classifier/bias": bias}, {"strength": strength, "held_out_loss": held_out}


def _held_out(sentences: np.ndarray, seed: int) -> list[np.ndarray]:
    """Masks [W], True at the words of sentences that are held out."""
    count = int(sentences[-1]) + 1
    if count < FOLDS:
        return []
    order = np.random.Philox(np.random.SeedSequence([seed, count])).random_raw(count).argsort(kind="stable")
    fold = np.empty(count, np.int64)
    fold[order] = np.arange(count) % FOLDS
    of_word = fold[sentences]
    parts = [of_word == k for k in range(1 if len(sentences) > MANY else FOLDS)]
    return [part for part in parts if part.any() and not part.all()]
