"""Added tokens of both kinds, with all their flags, are found and written as in the `tokenizers` library."""

from __future__ import annotations

import itertools
import pickle
import random

import pytest
import tensorflow as tf
import tokenizers

from bert_tf.text import AddedToken, BertTokenizer
from tests.rest_slow import rest_slow
from tests.text.reference import SPECIAL, find_mismatch, fuzzed_texts, reference

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


@pytest.mark.parametrize("seed", rest_slow(range(6), 0, 3))
def test_random_added_tokens_are_as_in_the_reference(seed):
    check_random(seed, count=300)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 160))
def test_many_random_added_tokens_are_as_in_the_reference(seed):
    check_random(seed, count=3000)


E1, COVID = AddedToken("E1"), AddedToken("<|covid|>", special=True)


def test_they_follow_the_vocabulary_and_are_saved_and_copied(tmp_path):
    tokens = [E1, AddedToken("[MASK]", lstrip=True), COVID, AddedToken("film-club", single_word=True)]
    tokenizer = BertTokenizer(VOCABULARY, added_tokens=tokens, max_word_characters=7, model_max_length=33)
    assert tokenizer.vocabulary[len(VOCABULARY) :] == ("<|covid|>", "film-club")
    assert tokenizer.extra_special_tokens == ("<|covid|>",)
    assert tokenizer.sizes == (len(VOCABULARY), len(VOCABULARY) + 2)
    text = "a  [MASK] e1b<|covid|>film-club film-clubs abcdefgh abcdefg"
    tokenizer.save_pretrained(tmp_path)
    again = BertTokenizer.from_pretrained(tmp_path)
    for copy in (again, pickle.loads(pickle.dumps(tokenizer))):
        assert copy.tokenize(text).to_list() == tokenizer.tokenize(text).to_list()
        assert (copy.added_tokens, copy.vocabulary) == (tokenizer.added_tokens, tokenizer.vocabulary)
        assert (copy.max_word_characters, copy.model_max_length) == (7, 33)
    assert copy.token_to_id["[MASK]"] in copy.tokenize("a  [MASK]").to_list()[0]
    BertTokenizer(VOCABULARY).save_pretrained(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "special_tokens_map.json",
        "tokenizer.json",
        "tokenizer_config.json",
        "vocab.txt",
    ]


def test_ordinary_ones_are_written_and_special_ones_left_out():
    tokenizer = BertTokenizer(VOCABULARY, added_tokens=[E1, COVID])
    ids = [tokenizer.token_to_id[token] for token in ("[CLS]", "a", "E1", "<|covid|>", "b", "[SEP]")]
    assert tokenizer.decode([ids]) == ["a e1 b"]
    assert tokenizer.decode([ids], skip_special_tokens=False) == ["[CLS] a e1 <|covid|> b [SEP]"]


def test_they_are_found_in_a_graph_and_in_texts_of_plain_ascii():
    tokenizer, expected = both([E1, COVID, AddedToken("good film")])
    texts = ["abc", "a e1 b", "aE1b", "<|covid|> good  film GOOD FILM", "é e1", ""] * 2
    assert find_mismatch(tokenizer, expected, texts) is None
    graph = tf.function(tokenizer.tokenize, input_signature=[tf.TensorSpec([None], tf.string)])
    assert graph(tf.constant(texts)).to_list() == tokenizer.tokenize(texts).to_list()


def test_of_two_that_are_the_same_when_normalised_the_first_is_found(caplog):
    tokenizer = BertTokenizer([*SPECIAL, "a"], added_tokens=[AddedToken("Éa"), AddedToken("ea")])
    assert "added tokens 'Éa' and 'ea' are the same when normalised: the first is found" in caplog.text
    assert tokenizer.tokenize("EA").to_list() == [[6]]


@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        (["E1"], "`added_tokens` must be AddedTokens. Received: 'E1'"),
        ([AddedToken("")], "1 to 100 characters. Received: ''"),
        ([AddedToken("x" * 101)], "1 to 100 characters"),
        ([AddedToken("a\x01")], r"must not have the control characters 1, 2 and 3. Received: 'a\\x01'"),
        ([AddedToken("a\ud800")], "text that UTF-8 can hold"),
        ([AddedToken(" b"), AddedToken("a", rstrip=True)], "Received: 'a' with rstrip=True, and ' b'"),
    ],
)
def test_what_cannot_be_one_is_named(tokens, message):
    with pytest.raises(ValueError, match=message):
        BertTokenizer(VOCABULARY, added_tokens=tokens)
