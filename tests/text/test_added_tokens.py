"""Added tokens of both kinds, with all their flags, are found and written as in the `tokenizers` library."""

from __future__ import annotations

import itertools
import random

import pytest
import tokenizers

from bert_tf.text import AddedToken, BertTokenizer

from .reference import SPECIAL, find_mismatch, fuzzed_texts, reference

VOCABULARY = (
    *SPECIAL, *"abcdefghi", *(f"##{c}" for c in "abcdefghi123"), *"123<>[]_-#.中国ab", "é", "##é", "covid", "##19",
    "E1", "e1", "한", "\u302e", "##\u302e", "##\u0327",
)  # fmt: skip
VOCABULARY = tuple(dict.fromkeys(VOCABULARY))
CONTENTS = (
    "covid19", "E1", "e1", "[E1]", "é", "É2", "中", "国a", "a 中", "<a", "<a>", "a b", "ab", "##a", "b_", "_", "-",
    "12", "[MASK]", "[SEP]", "한국", "\n", "\t", "  ", "a\u0301", "\u0301", "\u302e\u0327", "\u200b", "a\u200b", "İ",
    "ß",    "x" * 100, "[A]", "MASK", "\ufb01", "\u0300b",
)  # fmt: skip
JOINS = ("", "", " ", "  ", "\n", "\t", "\u3000", "\u200d", "\x01", "\x02", "\x03", "_", "\u0301", "\u0661", "-")


def both(tokens, **options):
    """The tokenizer with these added tokens, and the library's."""
    expected = reference(VOCABULARY, **options)
    for token in tokens:
        entry = tokenizers.AddedToken(
            token.content,
            special=token.special,
            normalized=token.is_normalized,
            single_word=token.single_word,
            lstrip=token.lstrip,
            rstrip=token.rstrip,
        )
        (expected.add_special_tokens if token.special else expected.add_tokens)([entry])
    return BertTokenizer(VOCABULARY, added_tokens=tokens, **options), expected


def random_tokens(rng: random.Random, normalize) -> list[AddedToken]:
    """Some tokens that the reference can tell apart: where two are the same when normalised it takes any, and where
    nothing is left of one it breaks."""
    found: dict[tuple[str, bool], AddedToken] = {}
    for content in rng.sample(CONTENTS, rng.randint(1, 8)):
        special, normalized, single_word, lstrip, rstrip = (rng.random() < 0.4 for _ in range(5))
        special |= content in SPECIAL
        rstrip &= not content[0].isspace()
        token = AddedToken(content, special, normalized, single_word, lstrip, rstrip)
        key = normalize(content) if normalized else content
        if key:
            found.setdefault((key, normalized), token)
    tokens = list(found.values())
    if any(token.content[0].isspace() for token in tokens):
        tokens = [token._replace(rstrip=False) for token in tokens]
    return tokens


def random_texts(rng: random.Random, tokens, count: int) -> list[str]:
    words = [token.content for token in tokens] * 3
    words += [w.upper() for w in words] + [*"abc12é中国.", "covid", "[mask]", "E1", "e\u0301", "\u302e", *SPECIAL]
    texts = []
    for _ in range(count):
        parts = itertools.chain.from_iterable(
            (rng.choice(words), rng.choice(JOINS)) for _ in range(rng.choice((1, 2, 3, 5, 9)))
        )
        texts.append(rng.choice(JOINS) + "".join(parts))
    return texts


def check_random(seed: int, count: int) -> None:
    rng = random.Random(seed)
    options = {"lowercase": rng.random() < 0.6, "strip_accents": rng.choice((None, None, True, False)),
               "split_cjk": rng.random() < 0.8}  # fmt: skip
    tokens = random_tokens(rng, reference(VOCABULARY, **options).normalizer.normalize_str)
    tokenizer, expected = both(tokens, **options)
    texts = random_texts(rng, tokens, count) + fuzzed_texts(count // 4, seed=seed, vocabulary=VOCABULARY)
    mismatch = find_mismatch(tokenizer, expected, texts)
    assert mismatch is None, f"{tokens} {options}\n{mismatch}"
    ids = [[rng.randrange(tokenizer.vocabulary_size) for _ in range(6)] for _ in range(60)]
    for skip in (True, False):
        assert tokenizer.decode(ids, skip_special_tokens=skip) == expected.decode_batch(ids, skip_special_tokens=skip)


@pytest.mark.parametrize("seed", range(6))
def test_random_added_tokens_are_as_in_the_reference(seed):
    check_random(seed, count=300)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 160))
def test_many_random_added_tokens_are_as_in_the_reference(seed):
    check_random(seed, count=3000)
