"""KerasHub's presets: their tokenizers read as KerasHub runs them, and ours written so that it does what they do."""

from __future__ import annotations

import json

import keras_hub
import pytest

from bert_tf.errors import UserError
from bert_tf.text import AddedToken, BertTokenizer
from bert_tf.text.files.keras_hub import settings
from tests.text.reference import SPECIAL

VOCABULARY = (
    *SPECIAL,
    *"abcdeABCE",
    *(f"##{c}" for c in "abcdeAé中"),
    "é",
    "É",
    "[",
    "]",
    "mask",
    "MASK",
    "中",
    ".",
    "<x>",
)
# Of decomposed accents that stay KerasHub composes some, when it lower-cases.
TEXTS = ["abc", "ABC É", "é中a", "a[MASK]b", "[mask]", "b.c!", "<x> a<x>", "AbÉ 中中"]


def preset(folder, **config):
    words = keras_hub.models.BertTokenizer(vocabulary=list(VOCABULARY), **config)
    words.save_to_preset(str(folder))
    return words


@pytest.mark.parametrize(
    "config",
    [{}, {"lowercase": True}, {"lowercase": True, "strip_accents": True}, {"strip_accents": True},
     {"lowercase": True, "special_tokens_in_strings": True},
     {"special_tokens_in_strings": True, "special_tokens": ["<x>"]}, {"oov_token": "[MASK]"}],
    ids=str,
)  # fmt: skip
def test_a_preset_is_read_as_keras_hub_runs_it(tmp_path, config):
    theirs = preset(tmp_path, **config)
    ours = BertTokenizer.from_pretrained(tmp_path)
    assert ours.tokenize(TEXTS).to_list() == [list(map(int, row)) for row in theirs(TEXTS)]


@pytest.mark.parametrize(
    "options",
    [{}, {"lowercase": False}, {"strip_accents": False}, {"split_cjk": False}, {"split_special_tokens": True},
     {"extra_special_tokens": ["<x>"]}, {"unk_token": "[MASK]"}],
    ids=str,
)  # fmt: skip
def test_keras_hub_runs_what_we_write_as_we_do(tmp_path, options):
    ours = BertTokenizer(VOCABULARY, **options)
    theirs = keras_hub.models.BertTokenizer(vocabulary=list(VOCABULARY), **settings(ours))
    assert [list(map(int, row)) for row in theirs(TEXTS)] == ours.tokenize(TEXTS).to_list()


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"split": False}, "tokenizer.json: not BERT's: `config.split` must be True. Received: False"),
        ({"suffix_indicator": "@@"}, "`config.suffix_indicator` must be '##'. Received: '@@'"),
        ({"lowercase": "yes"}, "`config.lowercase` must be true or false. Received: 'yes'"),
        ({"special_tokens": ["<y>"]}, "`config.special_tokens` must be tokens of the vocabulary. Received: '<y>'"),
        ({"oov_token": "<unk>"}, "`unk_token`.* Received: '<unk>'"),
    ],
)
def test_what_we_cannot_follow_is_named(tmp_path, config, message):
    preset(tmp_path)
    path = tmp_path / "tokenizer.json"
    raw = json.loads(path.read_text())
    raw["config"] |= config
    path.write_text(json.dumps(raw))
    with pytest.raises(UserError, match=message):
        BertTokenizer.from_pretrained(tmp_path)


def test_another_tokenizer_is_refused_and_an_unknown_key_is_named(tmp_path, caplog):
    preset(tmp_path)
    path = tmp_path / "tokenizer.json"
    raw = json.loads(path.read_text())
    path.write_text(json.dumps(raw | {"config": raw["config"] | {"byte_fallback": True}}))
    BertTokenizer.from_pretrained(tmp_path)
    assert "tokenizer.json: `config.byte_fallback` is not known here and changes nothing" in caplog.text
    path.write_text(json.dumps(raw | {"class_name": "RobertaTokenizer"}))
    with pytest.raises(UserError, match=r"`class_name` must be one of BertTokenizer, .* Received: 'RobertaTokenizer'"):
        BertTokenizer.from_pretrained(tmp_path)


def test_lines_of_a_preset_are_trimmed_as_keras_hub_does(tmp_path):
    preset(tmp_path)
    path = tmp_path / "assets" / "tokenizer" / "vocabulary.txt"
    path.write_text(path.read_text().replace("\n", " \t\n"))
    assert BertTokenizer.from_pretrained(tmp_path).vocabulary == VOCABULARY


def test_added_tokens_that_keras_hub_cannot_have_are_named():
    assert BertTokenizer(VOCABULARY, split_special_tokens=True).odd_rules == ("special tokens in texts are split",)
    rules = BertTokenizer(VOCABULARY, added_tokens=[AddedToken("covid")]).odd_rules
    assert len(rules) == 1
    assert "'covid'" in rules[0]


def test_tokens_and_ids_are_found_by_keras_hubs_names():
    ours = BertTokenizer(VOCABULARY)
    theirs = keras_hub.models.BertTokenizer(vocabulary=list(VOCABULARY))
    assert ours.get_vocabulary() == theirs.get_vocabulary()
    assert len(ours) == theirs.vocabulary_size()
    for number, token in enumerate(VOCABULARY):
        assert ours.id_to_token(number) == theirs.id_to_token(number) == token
        assert ours.token_to_id(token) == theirs.token_to_id(token) == number
    for name in ("cls_token", "sep_token", "pad_token", "mask_token"):
        assert getattr(ours, name) == getattr(theirs, name)
        assert getattr(ours, f"{name}_id") == getattr(theirs, f"{name}_id")
    for tokenizer in (ours, theirs):
        with pytest.raises(ValueError, match=r"not in|must be"):
            tokenizer.token_to_id("no token")
        with pytest.raises(ValueError, match=r"`id` must be"):
            tokenizer.id_to_token(len(VOCABULARY))
