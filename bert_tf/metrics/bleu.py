"""BLEU of translations, by the package sacrebleu."""

from __future__ import annotations

from collections.abc import Sequence

from bert_tf.metrics.rouge import check_texts


def bleu(predictions: Sequence[str], references: Sequence[Sequence[str]]) -> float:
    """sacreBLEU of the whole corpus in points, 0 to 100, with its default tokenisation (13a), case kept.

    Args:
        predictions: E texts.
        references: the same number of references, one or more, for each of them.
    Raises: ValueError where the numbers do not go together.
    Reference: Post, 2018, https://aclanthology.org/W18-6319
    """
    from sacrebleu import corpus_bleu

    check_texts(predictions, references)
    counts = {len(texts) for texts in references}
    if len(counts) > 1:
        raise ValueError(
            f"`references` must be equally many for each text. Received: from {min(counts)} to {max(counts)}"
        )
    return float(corpus_bleu(list(predictions), [list(texts) for texts in zip(*references, strict=True)]).score)
