"""The sentences of a text that a summary made of its own sentences should have had."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from bert_tf.metrics.languages import language_code
from bert_tf.metrics.rouge import check_reference, rouge_tokenizer

Grams = tuple[Counter, Counter]


class Oracle:
    """Chooses sentences one by one, each time the one that the summary gains most by, until none gains anything.

    What counts is the sum of ROUGE-1 and ROUGE-2, F1, against the best reference, of the words that
    `bert_tf.metrics.rouge` counts.

    Args:
        limit: most sentences of a summary.
        language: of the texts, a code of ISO 639-1.
    Reference: Nallapati et al., 2017, section 3.3, https://arxiv.org/abs/1611.04230; the sum: Liu, 2019,
        https://arxiv.org/abs/1903.10318
    """

    def __init__(self, limit: int, language: str = "en") -> None:
        self.limit = limit
        self.language = language_code(language)
        self.tokenizer = rouge_tokenizer(language)
        self.stems: dict[str, list[str]] = {}  # so that each word is stemmed once

    def words(self, text: str) -> list[str]:
        """The words of a text as ROUGE counts them."""
        if self.language != "en":
            return self.tokenizer.tokenize(text)
        from rouge_score.tokenize import tokenize

        found: list[str] = []
        for word in tokenize(text, None):
            if word not in self.stems:
                self.stems[word] = self.tokenizer.tokenize(word)
            found += self.stems[word]
        return found

    def __call__(self, sentences: Sequence[str], references: Sequence[str]) -> list[int]:
        """Indices of the sentences, rising; none where no sentence has a word in common with a reference.

        Raises: ValueError for a reference in which no word counts.
        """
        for reference in references:
            check_reference(reference, self.language)
        words = [self.words(sentence) for sentence in sentences]
        wanted = [_grams(self.words(reference)) for reference in references]
        chosen: list[int] = []
        best = 0.0
        while len(chosen) < self.limit:
            scores = {}
            for k in range(len(sentences)):
                if k not in chosen:
                    grams = _grams([word for i in sorted([*chosen, k]) for word in words[i]])
                    scores[k] = max((_score(grams, reference) for reference in wanted), default=0.0)
            k = max(scores, key=lambda k: scores[k], default=None)  # the first of equal ones
            if k is None or scores[k] <= best:
                break
            best = scores[k]
            chosen.append(k)
        return sorted(chosen)


def _grams(words: Sequence[str]) -> Grams:
    return Counter(words), Counter(pairwise(words))


def _score(grams: Grams, reference: Grams) -> float:
    return sum(_f1(ours, theirs) for ours, theirs in zip(grams, reference, strict=True))


def _f1(ours: Counter, theirs: Counter) -> float:
    same = sum((ours & theirs).values())
    return 2 * same / (sum(ours.values()) + sum(theirs.values())) if same else 0.0
