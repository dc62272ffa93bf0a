"""ROUGE of written texts, by the package rouge-score."""

from __future__ import annotations

from collections.abc import Collection, Sequence

NAMES = ("rouge1", "rouge2", "rougeL", "rougeLsum")


def rouge(
    predictions: Sequence[str],
    references: Sequence[Collection[str]],
    names: Sequence[str] = NAMES[:3],
    *,
    best: bool = False,
) -> dict[str, float]:
    """F1 in points, 0 to 100, with the Porter stemmer: the mean over the references of a text, then over the texts.

    Args:
        predictions: E texts.
        references: one text or more for each of them.
        names: of NAMES. rougeL takes a text as one sequence; rougeLsum takes its sentences, which end at newlines and
            where sentencex finds an end in English, the language of the stemmer.
        best: of a text's references each of `names` takes the one that it is highest for, instead of the mean.
    Raises: ValueError for an unknown name, or where predictions and references are not equally many.
    Reference: Lin, 2004, https://aclanthology.org/W04-1013
    """
    from rouge_score.rouge_scorer import RougeScorer

    unknown = [name for name in names if name not in NAMES]
    if unknown or not names:
        raise ValueError(f"`names` must be of {', '.join(NAMES)}. Received: names={tuple(names)!r}")
    check_texts(predictions, references)
    scorer = RougeScorer(list(names), use_stemmer=True)
    totals = dict.fromkeys(names, 0.0)
    for prediction, texts in zip(predictions, references, strict=True):
        if "rougeLsum" in names:
            prediction, *texts = (_a_sentence_a_line(text) for text in (prediction, *texts))
        scores = [scorer.score(text, prediction) for text in texts]
        for name in names:
            found = [score[name].fmeasure for score in scores]
            totals[name] += max(found) if best else sum(found) / len(found)
    return {name: 100.0 * total / len(predictions) for name, total in totals.items()}


def _a_sentence_a_line(text: str) -> str:
    """What rouge-score takes for rougeLsum; for the others white space is white space."""
    import sentencex

    return "\n".join(sentence for line in text.splitlines() for sentence in sentencex.segment("en", line))


def check_texts(predictions: Sequence[str], references: Sequence[Collection[str]]) -> None:
    """Raises: ValueError unless there are texts, and one reference at least for each."""
    if not len(predictions) or len(predictions) != len(references) or not all(references):
        raise ValueError(
            "`references` must hold one text at least for each of the `predictions`. "
            f"Received: {len(predictions)} predictions, {len(references)} lists of references"
        )
