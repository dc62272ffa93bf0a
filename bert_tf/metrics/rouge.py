"""ROUGE of written texts, by the package rouge-score."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from bert_tf.metrics.languages import hint, language_code, words

NAMES = ("rouge1", "rouge2", "rougeL", "rougeLsum")


class UnicodeWords:
    """What rouge-score takes for `tokenizer`: `bert_tf.metrics.languages.words`, for every language but English."""

    def tokenize(self, text: str) -> list[str]:
        return words(text)


def rouge_tokenizer(language: str) -> Any:
    """What ROUGE counts in a language, an object with `tokenize`.

    English: rouge-score's own rule, runs of a-z and 0-9 with the Porter stemmer, by which figures are published. Other
    languages: `UnicodeWords`, without a stemmer.
    """
    if language_code(language) != "en":
        return UnicodeWords()
    from rouge_score.tokenizers import DefaultTokenizer

    return DefaultTokenizer(use_stemmer=True)


def check_reference(text: str, language: str) -> str:
    """The same text. Raises: ValueError where ROUGE counts no word in it, so that every score would be 0."""
    code = language_code(language)
    if code == "en":
        counted = any("a" <= letter <= "z" or "0" <= letter <= "9" for letter in text.lower())
    else:
        counted = bool(words(text))
    if counted:
        return text
    rule = "a to z and 0 to 9, as ROUGE of language='en' counts" if code == "en" else "letters or digits"
    more = f" {hint([text])}" if any(letter.isalpha() for letter in text) else ""
    raise ValueError(f"expected a word of {rule}. Received: none in {text[:60]!r}.{more}")


def rouge(
    predictions: Sequence[str],
    references: Sequence[Collection[str]],
    names: Sequence[str] = NAMES[:3],
    *,
    best: bool = False,
    language: str = "en",
) -> dict[str, float]:
    """F1 in points, 0 to 100: the mean over the references of a text, then over the texts.

    Args:
        predictions: E texts.
        references: one text or more for each of them.
        names: of NAMES. rougeL takes a text as one sequence; rougeLsum takes its sentences, which end at newlines and
            where sentencex finds an end in the language.
        best: of a text's references each of `names` takes the one that it is highest for, instead of the mean.
        language: of the texts, a code of ISO 639-1: see `rouge_tokenizer`.
    Raises: ValueError for an unknown name or language, where predictions and references are not equally many, or for a
        reference in which no word counts.
    Reference: Lin, 2004, https://aclanthology.org/W04-1013

    >>> rouge(["the cat sat"], [["the cat sat down"]], ["rouge2"])
    {'rouge2': 80.0}
    >>> rouge(["кошка спит"], [["Кошка спит."]], ["rouge2"], language="ru")
    {'rouge2': 100.0}
    """
    from rouge_score.rouge_scorer import RougeScorer

    unknown = [name for name in names if name not in NAMES]
    if unknown or not names:
        raise ValueError(f"`names` must be of {', '.join(NAMES)}. Received: names={tuple(names)!r}")
    code = language_code(language)
    check_texts(predictions, references)
    for i, texts in enumerate(references):
        for text in texts:
            try:
                check_reference(text, code)
            except ValueError as error:
                raise ValueError(f"`references` of text {i}: {error}") from None
    scorer = RougeScorer(list(names), tokenizer=rouge_tokenizer(code))
    totals = dict.fromkeys(names, 0.0)
    for prediction, texts in zip(predictions, references, strict=True):
        if "rougeLsum" in names:
            prediction, *texts = (_a_sentence_a_line(text, code) for text in (prediction, *texts))
        scores = [scorer.score(text, prediction) for text in texts]
        for name in names:
            found = [score[name].fmeasure for score in scores]
            totals[name] += max(found) if best else sum(found) / len(found)
    return {name: 100.0 * total / len(predictions) for name, total in totals.items()}


def _a_sentence_a_line(text: str, language: str) -> str:
    """What rouge-score takes for rougeLsum; for the others white space is white space."""
    import sentencex

    return "\n".join(sentence for line in text.splitlines() for sentence in sentencex.segment(language, line))


def check_texts(predictions: Sequence[str], references: Sequence[Collection[str]]) -> None:
    """Raises: ValueError unless there are texts, and one reference at least for each."""
    if not len(predictions) or len(predictions) != len(references) or not all(references):
        raise ValueError(
            "`references` must hold one text at least for each of the `predictions`. "
            f"Received: {len(predictions)} predictions, {len(references)} lists of references"
        )
