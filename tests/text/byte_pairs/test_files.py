"""Files of byte pairs: read as Transformers and `tokenizers` read them, written for both, refused by name."""

from __future__ import annotations

import copy
import json
import logging
from pathlib import Path
from typing import Any

import pytest
from tokenizers import AddedToken, Tokenizer

import bert_tf
from bert_tf import BytePairTokenizer, UserError
from tests.text.byte_pairs.reference import ours, texts_of, trained

TEXTS = ["The film wasn't  bad.", " <mask> good", "über die Brücke 😀", "don't <mask>\n\nwe'll <b> x", "", "\x01中"]


@pytest.fixture(scope="module")
def theirs() -> Any:
    return trained(size=400)


@pytest.fixture(scope="module")
def raw(theirs) -> dict[str, Any]:
    return json.loads(theirs.to_str())


@pytest.fixture(scope="module")
def known(theirs, tmp_path_factory) -> bert_tf.Tokenizer:
    return ours(theirs, tmp_path_factory.mktemp("known"))


def folder_with(folder: Path, **files: Any) -> Path:
    for name, content in files.items():
        path = folder / {"config": "tokenizer_config.json", "model": "config.json", "merges": "merges.txt",
                         "vocab": "vocab.json", "map": "special_tokens_map.json"}.get(name, f"{name}.json")  # fmt: skip
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return folder


def vocabulary_files(raw: dict[str, Any]) -> dict[str, Any]:
    lines = "".join(f"{' '.join(pair)}\n" for pair in raw["model"]["merges"])
    return {"vocab": raw["model"]["vocab"], "merges": f"#version: 0.2\n{lines}"}


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"add_prefix_space": True, "added": (AddedToken("<b>", special=True), AddedToken("  "))},
        {"separators": 1, "compose": True},
        {"use_regex": False, "ignore_merges": True, "trim_offsets": False},
        {"all_bytes": False, "unknown": True, "fuse_unknown": True},
    ],
    ids=str,
)
def test_what_is_written_is_read_by_both(options, tmp_path):
    theirs = trained(size=350, **options)
    tokenizer = ours(theirs, tmp_path / "theirs")
    tokenizer.save_pretrained(tmp_path / "ours", model_max_length=77)
    again = bert_tf.Tokenizer.from_pretrained(tmp_path / "ours")
    assert again.get_config() == tokenizer.get_config() | {"model_max_length": 77}
    assert isinstance(again, BytePairTokenizer)
    library = Tokenizer.from_file(str(tmp_path / "ours" / "tokenizer.json"))
    for text in TEXTS:
        for pair in (None, "a film"):
            expected, found = theirs.encode(text, pair), library.encode(text, pair)
            assert (found.ids, found.offsets) == (expected.ids, expected.offsets)
    config = json.loads((tmp_path / "ours" / "tokenizer_config.json").read_text())
    is_robertas = options.keys() <= {"add_prefix_space", "added"}
    assert config["tokenizer_class"] == ("RobertaTokenizer" if is_robertas else "PreTrainedTokenizerFast")
    assert config["add_prefix_space"] is options.get("add_prefix_space", False)


def test_vocabulary_and_merges_alone_are_robertas(theirs, raw, tmp_path):
    tokenizer = bert_tf.Tokenizer.from_pretrained(folder_with(tmp_path, **vocabulary_files(raw)))
    assert isinstance(tokenizer, BytePairTokenizer)
    assert (tokenizer.pair_separators, tokenizer.add_prefix_space, tokenizer.trim_offsets) == (2, False, True)
    assert [tokenizer.special_tokens[n] for n in ("cls_token", "mask_token")] == ["<s>", "<mask>"]
    texts = [text for text in texts_of(theirs, 200, seed=1) if "<mask>" not in text]  # there it takes no space
    found = tokenizer.tokenize([*texts, "a <mask>", "a "]).to_list()
    assert found[:-2] == [theirs.encode(text, add_special_tokens=False).ids for text in texts]
    assert found[-2] == [*found[-1], tokenizer.mask_id]
    by_hand = BytePairTokenizer(tmp_path / "vocab.json", tmp_path / "merges.txt")
    assert by_hand.get_config() == tokenizer.get_config()
    pairs = [tuple(pair) for pair in raw["model"]["merges"]]
    assert BytePairTokenizer(raw["model"]["vocab"], pairs).get_config() == by_hand.get_config()


def test_settings_of_robertas_class_count_more_than_tokenizer_json(raw, tmp_path, caplog):
    config = {"tokenizer_class": "RobertaTokenizer", "add_prefix_space": True, "trim_offsets": False,
              "model_max_length": 64, "mask_token": {"content": "<mask>", "lstrip": True, "special": True}}  # fmt: skip
    with caplog.at_level(logging.WARNING):
        tokenizer = bert_tf.Tokenizer.from_pretrained(folder_with(tmp_path, tokenizer=raw, config=config))
    assert isinstance(tokenizer, BytePairTokenizer)
    assert (tokenizer.add_prefix_space, tokenizer.trim_offsets, tokenizer.model_max_length) == (True, False, 64)
    assert "add_prefix_space is False" in caplog.text
    assert "trim_offsets is True" in caplog.text
    (mask,) = (token for token in tokenizer.added_tokens if token.content == "<mask>")
    assert mask.lstrip


@pytest.mark.parametrize("kind", ["strings", "no type", "fast class", "no class", "sequences"])
def test_files_of_other_versions_say_the_same(kind, known, raw, tmp_path):
    found = copy.deepcopy(raw)
    config: dict[str, Any] = {}
    if kind == "strings":
        found["model"]["merges"] = [" ".join(pair) for pair in found["model"]["merges"]]
    elif kind == "no type":
        del found["model"]["type"]
    elif kind == "fast class":
        config = {"tokenizer_class": "PreTrainedTokenizerFast", "cls_token": "<s>", "bos_token": "<s>"}
    elif kind == "sequences":
        found["pre_tokenizer"] = {"type": "Sequence", "pretokenizers": [found["pre_tokenizer"]]}
        found["decoder"] = {"type": "Sequence", "decoders": [found["decoder"]]}
    model = {"model_type": "roberta"} if kind == "no class" else {}
    tokenizer = bert_tf.Tokenizer.from_pretrained(folder_with(tmp_path, tokenizer=found, config=config, model=model))
    assert tokenizer.get_config() == known.get_config()


def test_an_id_that_only_an_added_token_has_is_its_own(known, raw, tmp_path):
    found = copy.deepcopy(raw)
    del found["model"]["vocab"]["<pad>"]
    tokenizer = bert_tf.Tokenizer.from_pretrained(folder_with(tmp_path, tokenizer=found))
    assert tokenizer.pad_id == raw["model"]["vocab"]["<pad>"] == 1
    assert tokenizer.get_config() == known.get_config()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"model.dropout": 0.1}, "`model.dropout` must be left out. Received: 0.1"),
        ({"model.byte_fallback": True}, "`model.byte_fallback` must be False"),
        ({"model.continuing_subword_prefix": "##"}, "`model.continuing_subword_prefix` must be left out"),
        ({"model.end_of_word_suffix": "</w>"}, "`model.end_of_word_suffix` must be left out"),
        ({"model.merges": ["a b c"]}, "`model.merges` must be pairs of tokens. Received: 'a b c'"),
        ({"model.merges": [["a", "nowhere"]]}, "`merges`: the tokens of each pair"),
        ({"model.vocab": {"a": 0, "b": 0}}, "must give each token a number of its own"),
        ({"model.unk_token": "<none>"}, "`unknown_bytes` must be a token of the vocabulary"),
        ({"normalizer": {"type": "Lowercase"}}, "`normalizer` must be NFC, or left out. Received: 'Lowercase'"),
        ({"pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "Digits"}, {"type": "ByteLevel"}]}},
         "`pre_tokenizer` must be ByteLevel alone. Received: 'Digits, ByteLevel'"),
        ({"post_processor": None}, "`post_processor` must put [CLS] and [SEP] around texts"),
        ({"post_processor": {"type": "ByteLevel"}}, "`post_processor` must put [CLS] and [SEP] around texts"),
        ({"truncation": {"direction": "Left"}}, "`truncation.direction` must be 'Right'"),
        ({"model.type": "WordLevel"}, "expected a tokenizer of WordPiece, byte-level byte pairs"),
    ],
    ids=str,
)  # fmt: skip
def test_what_is_not_followed_is_refused_by_its_name(changes, said, raw, tmp_path):
    found = copy.deepcopy(raw)
    for name, value in changes.items():
        *within, last = name.split(".")
        part = found
        for key in within:
            part = part[key]
        part[last] = value
    with pytest.raises(UserError) as caught:
        bert_tf.Tokenizer.from_pretrained(folder_with(tmp_path, tokenizer=found))
    assert said in str(caught.value)
    assert "tokenizer.json" in str(caught.value)


def test_folders_of_two_tokenizers_need_a_name(raw, tmp_path):
    folder_with(tmp_path, **vocabulary_files(raw))
    (tmp_path / "vocab.txt").write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\n")
    with pytest.raises(UserError, match="Received: files of WordPiece and byte-level byte pairs"):
        bert_tf.Tokenizer.from_pretrained(tmp_path)
    for name, kind in (("RobertaTokenizerFast", BytePairTokenizer), ("DistilBertTokenizer", bert_tf.BertTokenizer)):
        folder_with(tmp_path, config={"tokenizer_class": name, "do_lower_case": name[0] == "D"})
        assert type(bert_tf.Tokenizer.from_pretrained(tmp_path)) is kind


def test_each_class_says_which_one_reads_another_tokenizers_folder(raw, tmp_path):
    with pytest.raises(UserError, match=r"What is there is byte-level byte pairs: bert_tf\.Tokenizer\.from_pretrained"):
        bert_tf.BertTokenizer.from_pretrained(folder_with(tmp_path, tokenizer=raw))
    (tmp_path / "tokenizer.json").unlink()
    (tmp_path / "vocab.txt").write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\n")
    with pytest.raises(UserError, match=r"no tokenizer of byte pairs here.*What is there is WordPiece"):
        BytePairTokenizer.from_pretrained(tmp_path)


def test_merges_that_are_no_pairs_are_named_by_their_line(raw, tmp_path):
    folder = folder_with(tmp_path, vocab=raw["model"]["vocab"], merges="#version: 0.2\r\na b\r\n\r\na b c\n")
    with pytest.raises(UserError, match=r"merges\.txt:4: expected two tokens.*Received: 'a b c'"):
        bert_tf.Tokenizer.from_pretrained(folder)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"vocabulary": []}, "`vocabulary`: expected tokens"),
        ({"vocabulary": ["a", 1]}, "every token must be a str"),
        ({"vocabulary": ["a", "a"]}, "every token must have one id. Received: 'a' again with id 1"),
        ({"vocabulary": ["a", "\ud800"]}, "text that UTF-8 can hold"),
        ({"vocabulary": ["a"]}, "`unk_token` must be a token of the vocabulary"),
        ({"merges": [("a", "b")]}, "`merges`: the tokens of each pair, and what it becomes"),
        ({"unknown_bytes": "x"}, "`unknown_bytes` must be a token of the vocabulary, or None. Received: 'x'"),
        ({"normalization": "nfd"}, "`normalization` must be None or 'nfc'. Received: 'nfd'"),
        ({"pair_separators": 3}, "`pair_separators` must be 1 or 2"),
    ],
)
def test_bad_arguments_are_named(arguments, said):
    with pytest.raises(ValueError, match=said):
        BytePairTokenizer(
            **{"vocabulary": ["<s>", "<pad>", "</s>", "<unk>", "<mask>", "a", "b"], "merges": [], **arguments}
        )


def test_case_is_not_changed_by_byte_pairs(raw, tmp_path):
    folder_with(tmp_path, tokenizer=raw)
    with pytest.raises(UserError, match=r"byte pairs are of texts as they are\. Received: lowercase=True"):
        bert_tf.Tokenizer.from_pretrained(tmp_path, lowercase=True)
    assert not bert_tf.Tokenizer.from_pretrained(tmp_path, lowercase=False).lowercase
