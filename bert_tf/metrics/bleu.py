"""BLEU, chrF and TER of translations, by the package sacrebleu."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bert_tf.errors import UserError
from bert_tf.metrics.languages import UNSPACED, check_fit, language_code
from bert_tf.metrics.rouge import check_texts

NAMES = ("bleu", "chrf", "ter")
LESS_IS_BETTER = ("ter",)
TOKENIZED = ("zh", "ja", "ko")
"""Languages with a tokenisation of their own in sacreBLEU; those written with spaces have 13a."""


def bleu(predictions: Sequence[str], references: Sequence[Sequence[str]], *, language: str = "en") -> float:
    """sacreBLEU of the whole corpus in points, 0 to 100, with its tokenisation for the language (13a but for Chinese,
    Japanese and Korean), case kept.

    Args:
        predictions: E texts.
        references: one or more for each of them; some may have more than others.
        language: of the texts, a code of ISO 639-1.
    Raises: ValueError if predictions and references are not equally many, for a language that sacreBLEU has no
        tokenisation for, or for references that it does not fit; UserError where that needs a package that is
        not installed.
    Reference: Post, 2018, https://aclanthology.org/W18-6319

    >>> round(bleu(["Ein Hund rennt schnell."], [["Ein Hund rennt schnell."]], language="de"), 6)
    100.0
    """
    return _corpus_score("bleu", predictions, references, language)


def chrf(predictions: Sequence[str], references: Sequence[Sequence[str]], *, language: str = "en") -> float:
    """chrF2 of the whole corpus in points, 0 to 100: of characters, so the same for every language.

    Reference: Popović, 2015, https://aclanthology.org/W15-3049

    >>> round(chrf(["a good film"], [["a good film"]]), 6)
    100.0
    """
    return _corpus_score("chrf", predictions, references, language)


def ter(predictions: Sequence[str], references: Sequence[Sequence[str]], *, language: str = "en") -> float:
    """Translation edit rate in points, 0 or more, the lower the better; Chinese and Japanese by characters.

    Reference: Snover et al., 2006, https://aclanthology.org/2006.amta-papers.25

    >>> round(ter(["a good film"], [["a bad film"]]), 2)  # one word of three
    33.33
    """
    return _corpus_score("ter", predictions, references, language)


def translation_metric(name: str, language: str) -> Any:
    """sacreBLEU's metric for a language. Raises: as `bleu`.

    >>> type(translation_metric("bleu", "de")).__name__
    'BLEU'
    """
    from sacrebleu import BLEU, CHRF, TER

    code = language_code(language)
    if name == "chrf":
        return CHRF()
    if code in UNSPACED and code not in TOKENIZED:
        raise ValueError(
            f"`{name}` must be of a language written with spaces, or of {', '.join(TOKENIZED)}: sacreBLEU has no "
            f"tokenisation for others; chrf needs none. Received: language={language!r}"
        )
    if name == "ter":
        is_asian = code in UNSPACED
        return TER(normalized=is_asian, asian_support=is_asian)
    try:
        return BLEU(trg_lang=code)
    except (ImportError, RuntimeError) as error:
        raise UserError(
            f"BLEU of language={language!r} needs an optional package: pip install 'sacrebleu[{code}]'; chrf needs "
            f"none. Received: {str(error).strip().splitlines()[0]}"
        ) from None


def _corpus_score(name: str, predictions: Sequence[str], references: Sequence[Sequence[str]], language: str) -> float:
    check_texts(predictions, references)
    metric = translation_metric(name, language)
    if name != "chrf":
        check_fit((text for texts in references for text in texts), language, "references")
    most = max(map(len, references))
    columns = [[texts[k] if k < len(texts) else None for texts in references] for k in range(most)]
    return float(metric.corpus_score(list(predictions), columns).score)
