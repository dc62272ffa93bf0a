"""Models of SentencePiece's byte pairs give the ids and offsets of the `tokenizers` library."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import sentencepiece
from tokenizers import Tokenizer as Theirs
from tokenizers import decoders, normalizers, pre_tokenizers
from tokenizers.models import BPE

from bert_tf import Tokenizer, UserError
from bert_tf.text import SentencePieceTokenizer
from tests.text.reference import code_point_texts
from tests.text.sentence_pieces.byte_pairs import NAMES, merges_of, named, reference, trained, written
from tests.text.sentence_pieces.reference import Reference, find_mismatch, texts_for
from tests.text.sentence_pieces.test_one_text import differing

IDENTITY = {"normalization_rule_name": "identity"}
SETTINGS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {}),
    ({"byte_fallback": True, "vocab_size": 700}, {}),
    ({"add_dummy_prefix": False, "vocab_size": 900, **IDENTITY}, {}),
    ({"remove_extra_whitespaces": False, "byte_fallback": True, "vocab_size": 1500, **IDENTITY}, {"legacy": False}),
    ({"split_by_whitespace": False, "vocab_size": 600, "normalization_rule_name": "nmt_nfkc_cf"}, {}),
    ({"vocab_size": 250, "character_coverage": 0.98}, {}),
]


def both(folder: Path, options: dict[str, Any], config: dict[str, Any]) -> tuple[Any, Reference, list[str]]:
    """The tokenizer of a model's file, the library's, and 200 texts."""
    model = written(folder, trained(**options), config)
    texts = texts_for(model, 200, seed=5)
    return Tokenizer.from_pretrained(folder), reference(model, legacy=config.get("legacy", True)), texts


def llama(model: Any) -> Any:
    """A tokenizer.json without words: all of a text is merged together."""
    kind: Any = BPE
    x: Any = Theirs(kind(
        vocab={p.text: i for i, p in enumerate(model.pieces)}, merges=merges_of(model), unk_token="<unk>",
        fuse_unk=True, byte_fallback=True,
    ))  # fmt: skip
    x.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    x.decoder = decoders.Sequence([
        decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)
    ])  # fmt: skip
    return named(x).tokenizer


@pytest.mark.slow
@pytest.mark.parametrize("setting", SETTINGS, ids=str)
def test_fuzzed_texts_are_as_in_the_library(tmp_path, setting):
    tokenizer, expected, texts = both(tmp_path, *setting)
    assert type(tokenizer) is SentencePieceTokenizer
    assert find_mismatch(tokenizer, expected, [*texts, *code_point_texts(per_text=64)[:60]]) is None
    alone, wrong = differing(tokenizer, texts)
    assert alone > 40
    assert not wrong
    tokenizer.save_pretrained(tmp_path / "saved")
    assert Tokenizer.from_pretrained(tmp_path / "saved").get_config() == tokenizer.get_config()
    saved = Theirs.from_file(str(tmp_path / "saved" / "tokenizer.json"))
    rows = [e.ids for e in saved.encode_batch(texts)]
    assert rows == [tokenizer.encode(text) for text in texts]
    for skip in (True, False):
        assert tokenizer.decode(rows, skip_special_tokens=skip) == saved.decode_batch(rows, skip_special_tokens=skip)


@pytest.mark.slow
@pytest.mark.parametrize("setting", SETTINGS, ids=str)
def test_every_code_point_and_200000_fuzzed_texts(tmp_path, setting):
    tokenizer, expected, _ = both(tmp_path, *setting)
    assert find_mismatch(tokenizer, expected, code_point_texts(per_text=1)) is None
    model = written(tmp_path, trained(**setting[0]), setting[1])
    assert find_mismatch(tokenizer, expected, texts_for(model, 200_000, seed=6)) is None


@pytest.mark.slow
def test_a_text_without_words_is_merged_as_in_the_library(tmp_path):
    model = written(tmp_path, trained(byte_fallback=True, vocab_size=700, **IDENTITY), {})
    theirs = llama(model)
    theirs.save(str(tmp_path / "tokenizer.json"))
    tokenizer = Tokenizer.from_pretrained(tmp_path)
    texts = [*texts_for(model, 200, seed=9), "a long text of many words, " * 40, "aaaa" * 60]
    assert find_mismatch(tokenizer, Reference(theirs, frozenset()), texts) is None
    assert not differing(tokenizer, texts)[1]
    rows = [e.ids for e in theirs.encode_batch(texts)]
    rows += [
        [tokenizer.token_to_id[f"<0x{byte:02X}>"] for byte in data] for data in (b"\xe4\xb8\xad\xff", b"\xe4\xb8\xad")
    ]
    for skip in (True, False):
        assert tokenizer.decode(rows, skip_special_tokens=skip) == theirs.decode_batch(rows, skip_special_tokens=skip)
    # Words are cut where no merge goes over, so that one that comes again is split once.
    pieces: Any = tokenizer._pieces
    assert pieces.model.meeting is not None


@pytest.mark.slow
def test_the_ids_are_those_of_sentencepiece(tmp_path):
    blob = trained(byte_fallback=True, vocab_size=700, **IDENTITY)
    written(tmp_path, blob, {})
    tokenizer, theirs = Tokenizer.from_pretrained(tmp_path), sentencepiece.SentencePieceProcessor(model_proto=blob)
    texts = ["", "The runner's unbreakable bridge", "  two  spaces ", "naïve 😀 日本 q", "aaaaaaabbbbababab", "▁a"]
    assert tokenizer.tokenize(texts).to_list() == theirs.encode(texts)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"user_defined_symbols": "<br>"}, "expected no pieces of its user's own, .* Received: '<br>'"),
        ({"treat_whitespace_as_suffix": True}, "expected white space before pieces"),
    ],
)
def test_what_cannot_be_followed_is_refused(tmp_path, options, said):
    written(tmp_path, trained(**options), {})
    with pytest.raises(UserError, match=said):
        Tokenizer.from_pretrained(tmp_path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"ignore_merges": True}, "`model.ignore_merges` must be False"),
        ({"end_of_word_suffix": "</w>"}, "`model.end_of_word_suffix` must be left out"),
        ({"dropout": 0.1}, "`model.dropout` must be left out"),
        ({"unk_token": None}, "`model.unk_token` must be a token of the vocabulary"),
        ({"merges": [["T", "zzz"]]}, "what it becomes, must be in the vocabulary. Received: 'zzz'"),
        ({"byte_fallback": True}, "`byte_fallback` needs a piece for each byte"),
    ],
)
def test_what_is_not_followed_in_a_tokenizer_json_is_refused(tmp_path, change, said):
    written(tmp_path, trained(), {})
    Tokenizer.from_pretrained(tmp_path).save_pretrained(tmp_path / "saved")
    path = tmp_path / "saved" / "tokenizer.json"
    raw = json.loads(path.read_text(encoding="utf-8"))
    raw["model"] |= change
    path.write_text(json.dumps(raw), encoding="utf-8")
    with pytest.raises(UserError, match=said):
        Tokenizer.from_pretrained(tmp_path / "saved")


def test_merges_of_pieces_that_there_are_not_are_named():
    pieces = [(token, 0.0) for token in ("<s>", "</s>", *NAMES.values(), "a", "b")]
    with pytest.raises(ValueError, match=r"`merges`: .* Received: 'ab' of the pair \('a', 'b'\) of rank 0"):
        SentencePieceTokenizer(pieces, merges=[("a", "b")])
    with pytest.raises(ValueError, match=r"with merges every piece must have one id. Received: 'a' again"):
        SentencePieceTokenizer([*pieces, ("a", 0.0)], merges=[])


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["always", "first", "never"])
@pytest.mark.parametrize("split", [True, False])
def test_signs_of_words_are_as_in_the_library(tmp_path, scheme, split):
    model = written(tmp_path, trained(byte_fallback=True, vocab_size=700, **IDENTITY), {})
    theirs = llama(model)
    theirs.normalizer = normalizers.Sequence([])
    theirs.pre_tokenizer = pre_tokenizers.Metaspace("▁", scheme, split)
    theirs.save(str(tmp_path / "tokenizer.json"))
    tokenizer, texts = Tokenizer.from_pretrained(tmp_path), texts_for(model, 60, seed=10)
    assert find_mismatch(tokenizer, Reference(theirs, frozenset()), texts) is None
    assert not differing(tokenizer, texts)[1]
