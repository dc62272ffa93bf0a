"""What of a short answer counts, by its language: the rules of the official scripts of SQuAD, MLQA and KorQuAD.

English: SQuAD's (ASCII punctuation and articles are dropped). Other languages: MLQA's, which drops all of Unicode's
punctuation and the language's articles where it lists some, and takes a Chinese character for a word. What MLQA does
not list follows from the same rules: no articles, white space between words, and in scripts without spaces a character
is a word. Korean F1 is of characters, as KorQuAD's. (CMRC's own script differs: its F1 is of the longest run of
characters in common.)

Reference: Rajpurkar et al., 2016, https://arxiv.org/abs/1606.05250; Lewis et al., 2020,
https://aclanthology.org/2020.acl-main.653; Lim et al., 2019, https://arxiv.org/abs/1909.07005
"""

from __future__ import annotations

import re
import string
import unicodedata
from functools import lru_cache

from bert_tf.metrics.languages import UNSPACED, language_code, stands_alone

ASCII_PUNCTUATION = str.maketrans("", "", string.punctuation)
ARTICLES = {
    "en": r"\b(a|an|the)\b",
    "es": r"\b(un|una|unos|unas|el|la|los|las)\b",
    "vi": r"\b(của|là|cái|chiếc|những)\b",
    "de": r"\b(ein|eine|einen|einem|eines|einer|der|die|das|den|dem|des)\b",
    "ar": r"\sال^|ال",
}
HAN = ("\u4e00", "\u9fa5")  # MLQA's range


def normalize_answer(text: str, language: str = "en") -> str:
    """Lower case, without punctuation, articles and superfluous white space, words separated by one space each: what
    an exact match compares.

    >>> normalize_answer("The  U.S. Army!")
    'us army'
    >>> normalize_answer("北京。", "zh")
    '北 京'
    """
    return " ".join(_words(text, language_code(language)))


def answer_words(text: str, language: str = "en") -> list[str]:
    """What F1 counts.

    >>> answer_words("The U.S. Army!")
    ['us', 'army']
    """
    code = language_code(language)
    found = _words(text, code)
    return [character for word in found for character in word] if code == "ko" else found


def _words(text: str, code: str) -> list[str]:
    text = text.lower()
    if code == "en":
        text = text.translate(ASCII_PUNCTUATION)
    else:
        text = "".join(character for character in text if not _is_punctuation(character))
    if code in ARTICLES:
        text = re.sub(ARTICLES[code], " ", text)
    return _apart(text, code) if code in UNSPACED else text.split()


def _apart(text: str, code: str) -> list[str]:
    """Letters of a script without spaces each alone, what is between them at white space."""
    spaced: list[str] = []
    for character in text:
        alone = HAN[0] <= character <= HAN[1] if code == "zh" else stands_alone(character)
        spaced.append(f" {character} " if alone else character)
    return "".join(spaced).split()


@lru_cache(maxsize=100_000)
def _is_punctuation(character: str) -> bool:
    return unicodedata.category(character)[0] == "P" or character in string.punctuation
