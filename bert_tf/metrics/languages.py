"""Languages as tasks name them, and what the rules of metrics must know of their scripts."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import islice

from bert_tf.errors import did_you_mean

# ISO 639-1.
_CODES = """
aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee el en eo es
et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it iu ja jv ka kg ki kj
kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn no nr nv
ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st su sv sw ta te tg th ti
tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu
"""
CODES = frozenset(_CODES.split())
UNSPACED = ("zh", "ja", "th", "lo", "km", "my", "bo", "dz")
"""Languages written without spaces between words."""
UNSPACED_SCRIPTS = frozenset(
    ("CJK", "IDEOGRAPHIC", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "THAI", "LAO", "KHMER", "MYANMAR", "TIBETAN")
)
# What people write for a code, and what a script is mostly written for: only for hints in errors.
_ALSO_CALLED = """
en english eng  de german deu ger  fr french fra  es spanish spa  ru russian rus  ar arabic ara  hi hindi hin
zh chinese mandarin cn zho cmn yue  ja japanese jp jpn  ko korean kor
"""
_MOSTLY = """
zh CJK  ja HIRAGANA KATAKANA  ko HANGUL  ru CYRILLIC  ar ARABIC  hi DEVANAGARI  th THAI  lo LAO  km KHMER  my MYANMAR
bo TIBETAN  el GREEK  he HEBREW  bn BENGALI  ta TAMIL  ka GEORGIAN  hy ARMENIAN
"""
_FREQUENT = "the of and to in a is that for it was on as with be by at from are this have or an not he i you we they"
FREQUENT = frozenset(_FREQUENT.split())
"""About a third of the words of English texts, and under a twelfth of those in related languages."""

LOOKED_AT = 1000  # texts, and characters of each
FOREIGN = 0.2  # share of the letters from which on a rule does not fit a text
FREQUENT_SHARE, WORDS_NEEDED = 0.08, 200


def _by_name(table: str) -> dict[str, str]:
    """Groups "code name name", with two spaces between, or a line break."""
    groups = [group.split() for group in re.split("  |\n", table.strip())]
    return {name: code for code, *names in groups for name in names}


ALSO_CALLED, MOSTLY = _by_name(_ALSO_CALLED), _by_name(_MOSTLY)


def language_code(language: object) -> str:
    """The code of ISO 639-1 in "zh", "zh-Hans", "pt_BR" or "DE".

    Raises: ValueError for anything else.
    """
    code = re.split("[-_]", language.lower())[0] if isinstance(language, str) else ""
    if code in CODES:
        return code
    meant = ALSO_CALLED.get(str(language).lower())
    hint = f" Did you mean {meant!r}?" if meant else did_you_mean(str(language), CODES) if len(code) == 2 else ""
    raise ValueError(
        f"`language` must be a code of ISO 639-1, such as en, de, ru, zh or ja. Received: language={language!r}.{hint}"
    )


@lru_cache(maxsize=100_000)
def script(character: str) -> str:
    """What a letter's name in Unicode begins with, such as LATIN, CYRILLIC or CJK; "" of what is no letter."""
    return unicodedata.name(character, "").split(" ")[0] if character.isalpha() else ""


def stands_alone(character: str) -> bool:
    """Whether a letter is of a script without spaces, where rules count characters in the place of words."""
    return script(character) in UNSPACED_SCRIPTS


def is_mark(character: str) -> bool:
    """Whether a character belongs to the letter before it, such as a vowel sign of Hindi or Thai."""
    return unicodedata.category(character)[0] == "M"


def words(text: str) -> list[str]:
    """Runs of letters, their marks and digits in any script, in lower case; letters of scripts without spaces are a
    word each. Compatibility forms (such as full-width digits) are taken for what they stand for.
    """
    found: list[str] = []
    before = ""  # what the last character was: "in" a word, a word "alone", or ""
    for character in unicodedata.normalize("NFKC", text).lower():
        if is_mark(character):
            if before:
                found[-1] += character
        elif stands_alone(character):
            found.append(character)
            before = "alone"
        elif not character.isalnum():
            before = ""
        elif before == "in":
            found[-1] += character
        else:
            found.append(character)
            before = "in"
    return found


def fit(
    texts: Iterable[str], language: str, *, latin_only: bool = False, foreign: float = FOREIGN
) -> tuple[str | None, str | None]:
    """Whether texts look as if a rule of this language fitted them, from the first thousand.

    Args:
        latin_only: whether the rule knows no letters but a to z, as English ROUGE does.
        foreign: share of the letters above which letters that the rule cannot tell apart are too many.
    Returns: why it cannot, and else why it may not; None: nothing to say.
    """
    language = language_code(language)
    some = [text[:LOOKED_AT] for text in islice(texts, LOOKED_AT)]
    characters = Counter("".join(some))
    scripts: Counter[str] = Counter()
    for character, count in characters.items():
        scripts[script(character)] += count
    del scripts[""]
    total = scripts.total()
    unspaced = sum(count for name, count in scripts.items() if name in UNSPACED_SCRIPTS)
    if not total:
        return None, None
    if unspaced > foreign * total and language not in UNSPACED:
        return f"{_share(unspaced, total)} of the letters are of a script without spaces. {hint(some)}", None
    if latin_only:
        other = sum(
            count for character, count in characters.items() for letter in _letters([character])
            if not "a" <= letter <= "z"
        )  # fmt: skip
        if other > foreign * total:
            return f"{_share(other, total)} of the letters are other ones than a to z. {hint(some)}", None
    if language in UNSPACED and unspaced < FOREIGN * total:
        return None, f"only {_share(unspaced, total)} of the letters are of a script without spaces"
    if language == "en":
        found = [word for text in some for word in text.lower().split()]
        frequent = sum(word in FREQUENT for word in found)
        if len(found) >= WORDS_NEEDED and frequent < FREQUENT_SHARE * len(found):
            share = _share(frequent, len(found))
            return None, f"only {share} of the words are the, of, and and the like. {hint(some)}"
    return None, None


def hint(texts: Sequence[str]) -> str:
    """How to name the language of such texts."""
    scripts = Counter(script(letter) for letter in _letters(texts))
    kana = scripts["HIRAGANA"] + scripts["KATAKANA"]
    most = "HIRAGANA" if kana > 0.05 * scripts.total() else max(scripts, key=lambda name: scripts[name], default="")
    code = MOSTLY.get(most)
    if code is None:
        return (
            "Name the language by its code of ISO 639-1, such as language='de' in the task, or --set data.language=de"
        )
    return f"Name the language: language={code!r} in the task, or --set data.language={code} (a code of ISO 639-1)"


def check_fit(texts: Iterable[str], language: str, what: str) -> None:
    """Raises: ValueError where a metric that tells words at white space would take such texts for a word each."""
    refused, _ = fit(texts, language, foreign=0.5)
    if refused:
        raise ValueError(
            f"`{what}` must be in a language that the rule fits. Received: language={language!r}; {refused}"
        )


def _letters(texts: Iterable[str]) -> Iterator[str]:
    return (character for text in texts for character in text.lower() if character.isalpha())


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} %"
