"""Added tokens with all their flags are found as in the `tokenizers` library, also in normalised texts."""

from __future__ import annotations

import itertools
import pickle
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import tokenizers
from tokenizers import normalizers

from bert_tf.text import AddedToken, SentencePieceTokenizer
from tests.text.sentence_pieces.reference import at_white_space, find_mismatch, made

PIECES = [("<pad>", 0.0), ("<unk>", 0.0), ("<s>", 0.0), ("</s>", 0.0), ("<mask>", 0.0), ("▁", -2.0)]
PIECES += [(c, -3.0 - i / 7) for i, c in enumerate("abcdefgh123<>[]_-#.中国é한")] + [("▁a", -1.5), ("ab", -2.5)]
CONTENTS = ("covid19", "E1", "e1", "[E1]", "é", "É2", "中", "国a", "a 中", "<a", "<a>", "a b", "ab", "b_", "_", "-",
            "12", "<mask>", "</s>", "한국", "\n", "  ", "a\u0301", "x" * 100, "[A]", "MASK")  # fmt: skip
JOINS = ("", "", " ", "  ", "\n", "\t", "\u3000", "\u200d", "\x01", "_", "\u0301", "-", "▁")
LOWER: list[dict[str, Any]] = [{"type": "Lowercase"}]


def both(tokens: Sequence[AddedToken], **options: Any) -> tuple[Any, Any]:
    """The tokenizer with these added tokens, and the library's."""
    special = [
        tokenizers.AddedToken(
            t.content, special=t.special, normalized=t.is_normalized, single_word=t.single_word, lstrip=t.lstrip,
            rstrip=t.rstrip,
        )
        for t in tokens
    ]  # fmt: skip
    named = [name for name, _ in PIECES[:5] if name not in {t.content for t in tokens}]
    expected = made(PIECES, 1, [normalizers.Lowercase()], at_white_space(), special=[*named, *special])
    return SentencePieceTokenizer(PIECES, normalizer=LOWER, added_tokens=tokens, **options), expected


def random_tokens(rng: random.Random) -> list[AddedToken]:
    found: dict[tuple[str, bool], AddedToken] = {}
    for content in rng.sample(CONTENTS, rng.randint(1, 8)):
        special, normalized, single_word, lstrip, rstrip = (rng.random() < 0.4 for _ in range(5))
        special |= content in dict(PIECES[:5])
        rstrip &= not content[0].isspace()
        token = AddedToken(content, special, normalized, single_word, lstrip, rstrip)
        found.setdefault((content.lower() if normalized else content, normalized), token)
    tokens = list(found.values())
    strips = not any(token.content[0].isspace() for token in tokens)
    return [token._replace(rstrip=token.rstrip and strips) for token in tokens]


def check_random(seed: int, count: int) -> None:
    rng = random.Random(seed)
    tokens = random_tokens(rng)
    tokenizer, expected = both(tokens)
    words = [token.content for token in tokens] * 3
    words += [w.upper() for w in words] + [*"abc12é中国.", "covid", "<mask>", "E1", "\u0301", "</s>", "<s>"]
    texts = [
        rng.choice(JOINS)
        + "".join(
            itertools.chain.from_iterable(
                (rng.choice(words), rng.choice(JOINS)) for _ in range(rng.choice((1, 2, 3, 5, 9)))
            )
        )
        for _ in range(count)
    ]
    mismatch = find_mismatch(tokenizer, expected, texts)
    assert mismatch is None, f"{tokens}\n{mismatch}"


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 120))
def test_random_added_tokens_are_as_in_the_library(seed):
    check_random(seed, count=3000)


def test_they_are_saved_copied_and_counted(tmp_path: Path):
    tokens = [AddedToken("E1"), AddedToken("<|x|>", special=True), AddedToken("<mask>", special=True, lstrip=True)]
    tokenizer = SentencePieceTokenizer(PIECES, normalizer=LOWER, added_tokens=tokens, pair_separators=2)
    assert tokenizer.vocabulary[len(PIECES) :] == ("E1", "<|x|>")
    assert tokenizer.extra_special_tokens == ("<|x|>",)
    assert tokenizer.sizes == (len(PIECES), len(PIECES) + 2)
    tokenizer.save_pretrained(tmp_path)
    for again in (SentencePieceTokenizer.from_pretrained(tmp_path), pickle.loads(pickle.dumps(tokenizer))):
        assert again.get_config() == tokenizer.get_config()
    assert "SentencePiece" in tokenizer.odd_rules[0]
    assert [tokenizer.continues_word(token) for token in ("▁a", "ab")] == [False, True]
    assert [tokenizer.shown(token) for token in ("▁a", "▁")] == ["a", "▁"]


@pytest.mark.parametrize(
    ("vocabulary", "said"),
    [
        ([*PIECES, "a"], "expected a piece and its score. Received: 'a'"),
        ([*PIECES, ("z", float("nan"))], "the score of 'z' must be a finite number. Received: nan"),
        ([*PIECES, ("z", True)], "the score of 'z' must be a finite number. Received: True"),
        (PIECES[2:], "`unk_token` must be a piece of the vocabulary, not an added token. Received: '<unk>'"),
        (PIECES[:2], "`sep_token` must be a token of the vocabulary. Received: '</s>'"),
    ],
)
def test_what_is_no_vocabulary_is_named(vocabulary, said):
    with pytest.raises(ValueError, match=said):
        SentencePieceTokenizer(vocabulary)
