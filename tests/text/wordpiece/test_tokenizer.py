"""What the tokenizer takes, where it runs, and what it refuses."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from bert_tf.errors import UserError
from bert_tf.text import BertTokenizer
from tests.text.reference import SPECIAL, find_mismatch, fuzzed_texts, letters_vocabulary, reference

VOCABULARY = (*SPECIAL, *"abcdefgh", *(f"##{c}" for c in "abcd"), "ab", "##cd", ",", ".", "é", "한", "中", "'", "s")
TOKENIZER, CASED = BertTokenizer(VOCABULARY), BertTokenizer(VOCABULARY, lowercase=False)
TEXTS = ["ab cd.", "", "Éa 中中 한[MASK]a", "x" * 101, "[PAD]"]


def test_ids_and_sizes():
    ids = (TOKENIZER.pad_id, TOKENIZER.unk_id, TOKENIZER.cls_id, TOKENIZER.sep_id, TOKENIZER.mask_id)
    assert ids == (0, 1, 2, 3, 4)
    assert TOKENIZER.vocabulary == VOCABULARY
    assert TOKENIZER.vocabulary_size == len(VOCABULARY)
    assert TOKENIZER.lowercase is True


@pytest.mark.parametrize(
    "texts",
    [TEXTS, tuple(TEXTS), np.array(TEXTS), np.array(TEXTS, object), tf.constant(TEXTS), [t.encode() for t in TEXTS]],
    ids=["list", "tuple", "array", "objects", "tensor", "bytes"],
)
def test_every_kind_of_texts_gives_the_same(texts):
    expected = [encoding.ids for encoding in reference(VOCABULARY).encode_batch(TEXTS, add_special_tokens=False)]
    assert TOKENIZER.tokenize(texts).to_list() == expected
    assert TOKENIZER.tokenize(texts).dtype == tf.int32


@pytest.mark.parametrize("text", ["ab, c", np.str_("ab, c"), b"ab, c", tf.constant("ab, c")], ids=repr)
def test_one_text_is_a_batch_of_one(text):
    assert TOKENIZER.tokenize(text).to_list() == [[17, 19, 7]]
    assert TOKENIZER(text)["token_ids"].numpy().tolist() == [[2, 17, 19, 7, 3]]


def test_a_text_does_not_depend_on_the_others_of_its_batch():
    texts = fuzzed_texts(300, seed=12, vocabulary=letters_vocabulary())
    tokenizer, expected = BertTokenizer(letters_vocabulary()), reference(letters_vocabulary())
    assert find_mismatch(tokenizer, expected, texts, batch=1) is None


@pytest.mark.parametrize(
    "text", [
     "a[MASK]b", "[mask]", "[MASK][SEP] [UNK]", "[[MASK]]", "[MASK", "[M\u0301ASK]", "é[CLS]\u0301\u302e\u0327b",
     "[ MASK ]", "\x01[MASK]\x02a\x01", "[MASK]\x00[SEP]", "[MASK]\u302e\u0f71"],
)  # fmt: skip
@pytest.mark.parametrize("lowercase", [True, False])
def test_special_tokens_that_a_text_names_are_kept_whole(text, lowercase):
    tokenizer = TOKENIZER if lowercase else CASED
    assert find_mismatch(tokenizer, reference(VOCABULARY, lowercase=lowercase), [text, "a"]) is None


def test_special_tokens_may_be_called_otherwise():
    vocabulary = ("<pad>", "<unk>", "<s>", "</s>", "<mask>", "a", "##b", "<<a>", "<")
    tokenizer = BertTokenizer(
        vocabulary, pad_token="<pad>", unk_token="<unk>", cls_token="<s>", sep_token="</s>", mask_token="<mask>",
        extra_special_tokens=["<<a>"],
    )  # fmt: skip
    rows = tokenizer(["ab<mask><<a>a", "<pad>[MASK]", "ab < z"])
    assert rows["token_ids"].numpy().tolist() == [
        [2, 5, 6, 4, 7, 5, 3],
        [2, 0, 1, 1, 1, 3, 0],
        [2, 5, 6, 8, 1, 3, 0],
    ]


def test_special_tokens_that_begin_alike_overlap_or_have_accents():
    extra = ("<a", "<a>", "a>b", "{\u302e\u0327\u0301}", "한국")
    vocabulary = (*VOCABULARY, *extra, "<", ">", "한국a", "\u302e")
    tokenizer, expected = BertTokenizer(vocabulary, extra_special_tokens=extra), reference(vocabulary)
    expected.add_special_tokens(list(extra))
    texts = [
        "a<a>b",
        "<a<a>",
        "ba>b<a",
        "<ab",
        "<A>",
        "a{\u302e\u0327\u0301}\u302e\u0327a",
        "한국a",
        "c한국",
        "<a[MASK]>",
    ]
    rng = random.Random(15)
    texts += [
        "".join(rng.choices(("<", "a", ">", "b", " ", "\u302e\u0327", *extra, *SPECIAL), k=8)) for _ in range(300)
    ]
    assert find_mismatch(tokenizer, expected, texts) is None


def test_words_of_up_to_100_characters_are_looked_up():
    vocabulary = (*VOCABULARY, "##é")
    words = [character * count for character in "aé中\U00010428" for count in (99, 100, 101)]
    texts = [text for word in words for text in (word, f"{word}.", f"e\u0301{word}")]
    for lowercase in (True, False):
        tokenizer = BertTokenizer(vocabulary, lowercase=lowercase)
        assert find_mismatch(tokenizer, reference(vocabulary, lowercase=lowercase), texts) is None


def test_bytes_that_are_not_utf8_count_as_replacement_characters():
    texts = [
        b"a\xffb",
        b"\xe4\xb8",
        b"\xe4\xb8a",
        b"c\xed\xa0\x80 d",
        b"\xc0\x80e",
        b"[MASK]\xff",
        b"\xff[MASK]a",
        b"\x80 f",
    ]
    rng = random.Random(0)
    texts += [
        bytes(rng.choice(b"ab \x80\xc3\xa9\xe4\xb8\xad\xf0\x9f\x98\x80\xff") for _ in range(12)) for _ in range(300)
    ]
    decoded = tf.strings.unicode_transcode(texts, "UTF-8", "UTF-8", errors="replace").numpy()
    assert all("\ufffd" in text.decode() for text in decoded[:8])
    expected = reference(VOCABULARY).encode_batch([text.decode() for text in decoded], add_special_tokens=False)
    ids, starts, ends = TOKENIZER.tokenize_with_offsets(tf.constant(texts))
    assert ids.to_list() == [encoding.ids for encoding in expected]
    assert starts.to_list() == [[start for start, _ in encoding.offsets] for encoding in expected]
    assert ends.to_list() == [[end for _, end in encoding.offsets] for encoding in expected]


def test_small_ascii_vocabularies_are_as_in_the_reference():
    rng = random.Random(13)
    for letters in ("ab", "abAB.#", "ab#-", "aAbB'.[]$^"):
        pieces = {rng.choice(("", "##")) + "".join(rng.choices(letters, k=rng.randint(1, 5))) for _ in range(20)}
        vocabulary = (*SPECIAL, *sorted(pieces))
        texts = ["".join(rng.choices(f"{letters}  x\t", k=rng.randrange(30))) for _ in range(200)]
        lowercase = "A" not in letters
        tokenizer = BertTokenizer(vocabulary, lowercase=lowercase)
        assert find_mismatch(tokenizer, reference(vocabulary, lowercase=lowercase), texts) is None


def test_a_vocabulary_of_special_tokens_only_works():
    assert BertTokenizer(SPECIAL).tokenize(["a [MASK]"]).to_list() == [[1, 4]]


def test_in_a_graph_of_unknown_batch_and_in_a_dataset():
    graph = tf.function(TOKENIZER, input_signature=[tf.TensorSpec([None], tf.string)])
    expected = TOKENIZER(TEXTS)
    for name, rows in graph(tf.constant(TEXTS)).items():
        np.testing.assert_array_equal(rows, expected[name])
    rows = next(iter(tf.data.Dataset.from_tensors(TEXTS).map(lambda texts: TOKENIZER(texts, return_offsets=True))))
    np.testing.assert_array_equal(rows["token_ids"], expected["token_ids"])


def test_in_a_saved_model(tmp_path):
    class Module(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None], tf.string)] * 2)
        def __call__(self, texts, pairs):
            windows = TOKENIZER(texts, pairs, max_length=12, truncation="only_second", stride=2, return_offsets=True)
            return windows | {"text": TOKENIZER.detokenize(windows["token_ids"])}

    module: Any = Module()
    pairs = [f"{text} a b c d e f g h" * 2 for text in TEXTS]
    texts = ["a"] * len(pairs)
    tf.saved_model.save(module, str(tmp_path / "saved"))
    loaded = tf.saved_model.load(str(tmp_path / "saved"))
    expected = module(tf.constant(texts), tf.constant(pairs))
    for name, rows in loaded(tf.constant(texts), tf.constant(pairs)).items():
        np.testing.assert_array_equal(rows, expected[name])
    theirs = reference(VOCABULARY)
    theirs.enable_truncation(12, stride=2, strategy="only_second")
    encodings = [
        window for e in theirs.encode_batch(list(zip(texts, pairs, strict=True))) for window in (e, *e.overflowing)
    ]
    found = tf.ragged.boolean_mask(expected["token_ids"], expected["padding_mask"] > 0)
    assert found.to_list() == [encoding.ids for encoding in encodings]
    graph = module.__call__.get_concrete_function().graph.as_graph_def()
    ops = {node.op for nodes in (graph.node, *(f.node_def for f in graph.library.function)) for node in nodes}
    assert {"FastWordpieceTokenizeWithOffsets"} == {op for op in ops if "Tokenize" in op or "Text" in op or "Py" in op}


def test_as_many_pairs_as_texts_in_a_graph_too():
    graph = tf.function(TOKENIZER, input_signature=[tf.TensorSpec([None], tf.string)] * 2)
    with pytest.raises(tf.errors.InvalidArgumentError, match="`pairs` must be as many as `texts`"):
        graph(tf.constant(["a"]), tf.constant(["a", "b"]))


@pytest.mark.parametrize("skip", [True, False])
def test_decoding_is_as_in_the_reference(skip):
    vocabulary = (*SPECIAL, *"ab.,!?'", "##c", "##d.", "n't", "'m", "'s", "'ve", "'re", "do", "not", "é", "##")
    tokenizer, expected = BertTokenizer(vocabulary), reference(vocabulary)
    rng = random.Random(14)
    ids = [[rng.randrange(-1, len(vocabulary) + 2) for _ in range(rng.randrange(12))] for _ in range(300)]
    known = [[i for i in row if 0 <= i < len(vocabulary)] for row in ids]
    texts = expected.decode_batch(known, skip_special_tokens=skip)
    assert tokenizer.decode(ids, skip_special_tokens=skip) == texts
    assert tokenizer.decode(tf.ragged.constant(ids), skip_special_tokens=skip) == texts
    assert tokenizer.decode(ids[5], skip_special_tokens=skip) == texts[5:6]
    dense = np.array([[5, 12, 0], [13, 0, 6]])
    assert tokenizer.decode(dense, skip_special_tokens=skip) == expected.decode_batch(dense, skip_special_tokens=skip)


def test_decoding_refuses_what_are_no_ids():
    with pytest.raises(ValueError, match=r"`ids` must be integers of rank 1 or 2. Received: float32 \(1,\)"):
        TOKENIZER.decode(tf.constant([1.0]))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"vocabulary": []}, "`vocabulary`.* Received: an empty vocabulary"),
        ({"vocabulary": ["", ""]}, "`vocabulary`.* Received: an empty vocabulary"),
        ({"vocabulary": [*SPECIAL, "a\nb"]}, r"no line break. Received: 'a\\nb' with id 5"),
        ({"vocabulary": [*SPECIAL, 7]}, "must be a str. Received: 7 with id 5"),
        (
            {"vocabulary": SPECIAL[:4]},
            r"`mask_token` must be a token of the vocabulary. Received: '\[MASK\]'.* 4 tokens",
        ),
        ({"vocabulary": SPECIAL, "unk_token": "<unk>"}, "`unk_token`.* Received: '<unk>'"),
        ({"vocabulary": SPECIAL, "pad_token": None}, "`pad_token`.* Received: None"),
        ({"vocabulary": SPECIAL, "extra_special_tokens": ["[A]"]}, r"`extra_special_tokens\[0\]`.* Received: '\[A\]'"),
        ({"vocabulary": [*SPECIAL, "x" * 101], "extra_special_tokens": ["x" * 101]}, "at most 100 characters"),
    ],
)
def test_a_wrong_vocabulary_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        BertTokenizer(**arguments)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "vocab.txt: cannot read the vocabulary: No such file"),
        (b"", "vocab.txt: expected one token a line. Received: an empty vocabulary"),
        (b"\xef\xbb\xbf\n\n", "vocab.txt: expected one token a line. Received: an empty vocabulary"),
        (b"a\nb\xff\n", r"vocab.txt:2: expected UTF-8. Received: b'\\xff'"),
    ],
)
def test_a_wrong_vocabulary_file_is_named_with_its_line(tmp_path, content, message):
    path = tmp_path / "vocab.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match=message):
        BertTokenizer(path)
