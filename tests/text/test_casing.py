"""Whether text is lower-cased: by files, then a published name, then the vocabulary; a guess is always said."""

from __future__ import annotations

import json

import pytest

from bert_tf.errors import UserError
from bert_tf.text.files import read
from bert_tf.text.files.casing import of_name, share_of_capitals
from tests.conftest import shared_data
from tests.text.reference import SPECIAL

WORDS = [f"w{'abcdefghij'[i % 10]}{'klmnopqrst'[i // 10 % 10]}{'uvwxyz'[i // 100 % 6]}" for i in range(600)]
WORDS += [f"##{word}" for word in WORDS]


def lowercase(folder, **options):
    return read(folder, **options)[0]["lowercase"]


def with_words(folder, *more):
    (folder / "vocab.txt").write_text("\n".join((*SPECIAL, *WORDS, *more)))
    return folder


def say(folder, name, **values):
    (folder / name).write_text(json.dumps(values))


def test_a_few_names_with_capitals_do_not_make_a_vocabulary_cased(tmp_path, caplog):
    with_words(tmp_path, *(f"Gene{i}" for i in range(27)), "[UNUSED]", "<S>", "Ⅱ")
    assert lowercase(tmp_path) is True
    assert "no file says whether it lower-cases; lower-cased, since 2.3 % of its 1,228 tokens" in caplog.text
    for way in ("lowercase=True or False", "--set model.lowercase=", "do_lower_case"):
        assert way in caplog.text


def test_a_share_like_that_of_cased_models_makes_it_cased(tmp_path, caplog):
    with_words(tmp_path, *(word.capitalize() for word in WORDS[:500]))
    assert lowercase(tmp_path) is False
    assert "vocab.txt: no file says whether it lower-cases; cased, since 29.4 % of its 1,700 tokens" in caplog.text


@pytest.mark.parametrize("more", [[word.capitalize() for word in WORDS[:200]], None])
def test_what_does_not_tell_is_refused_and_can_be_said(tmp_path, more, caplog):
    if more is None:  # As many as in a cased vocabulary, but too few tokens to mean it.
        (tmp_path / "vocab.txt").write_text("\n".join((*SPECIAL, "a", "b", "The", "Film")))
    else:
        with_words(tmp_path, *more)
    with pytest.raises(
        UserError, match=r"`do_lower_case`.* tokens do not tell: .* --set model.lowercase=true or false"
    ):
        read(tmp_path)
    for said in (True, False):
        assert lowercase(tmp_path, lowercase=said) is said
    say(tmp_path, "bert_config.json", do_lower_case=False)
    assert lowercase(tmp_path) is False
    assert caplog.text == ""


def test_a_published_name_is_taken_with_a_warning(tmp_path, caplog):
    for name, expected in (("cased_L-12_H-768_A-12", False), ("my-bert-base-uncased", True)):
        (tmp_path / name).mkdir()
        with_words(tmp_path / name, "The", "Film")
        assert lowercase(tmp_path / name) is expected
        assert f"by the name {name}" in caplog.text


@pytest.mark.parametrize(
    ("name", "expected"),
    [("uncased_L-2_H-128_A-2", True), ("wwm_cased_L-24_H-1024_A-16", False), ("multi_cased_L-12_H-768_A-12", False),
     ("multilingual_L-12_H-768_A-12", True), ("chinese_L-12_H-768_A-12", True), ("biobert-base-cased-v1.2", False),
     ("bert_base_en_uncased", True), ("MiniLM-L12-H384-uncased", True), ("my_cased_files", None), ("lowercased", None),
     ("bert-base-chinese", None), ("run7", None)],
)  # fmt: skip
def test_names(name, expected):
    assert of_name(name) is expected


def test_what_files_say_counts_in_their_order(tmp_path, caplog):
    cased = {"type": "BertNormalizer", "clean_text": True, "lowercase": False}
    model = {"type": "WordPiece", "continuing_subword_prefix": "##", "unk_token": "[UNK]",
             "vocab": {token: i for i, token in enumerate((*SPECIAL, *WORDS))}}  # fmt: skip
    with_words(tmp_path)
    say(tmp_path, "config.json", do_lower_case=True)
    assert lowercase(tmp_path) is True
    say(tmp_path, "tokenizer.json", normalizer=cased, pre_tokenizer={"type": "BertPreTokenizer"}, model=model)
    assert lowercase(tmp_path) is False
    assert "config.json: do_lower_case is True, but tokenizer.json says normalizer's lowercase=False" in caplog.text
    say(tmp_path, "tokenizer_config.json", do_lower_case=True)
    caplog.clear()
    assert lowercase(tmp_path) is True
    assert "tokenizer.json: normalizer's lowercase is False, but tokenizer_config.json says" in caplog.text
    say(tmp_path, "tokenizer_config.json", do_lower_case="yes")
    with pytest.raises(UserError, match=r"`do_lower_case` must be true or false. Received: 'yes'"):
        read(tmp_path)


@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "cased"), [("uncased", False), ("cased", True), ("chinese", False), ("multilingual-cased", True)]
)
def test_real_vocabularies_tell_their_case(tmp_path, name, cased):
    path = shared_data(f"vocab/bert-base-{name}-vocab.txt")
    (tmp_path / "words.txt").write_bytes(path.read_bytes())
    assert lowercase(tmp_path / "words.txt") is not cased
    assert (share_of_capitals((tmp_path / "words.txt").read_text().split("\n"))[0] > 0.2) is cased
