"""Reading and writing the tokenizer's files."""

from __future__ import annotations

import json
import pickle
import re

import pytest
from tokenizers import Tokenizer, normalizers

from bert_tf.errors import UserError
from bert_tf.text import BertTokenizer
from tests.text.reference import SPECIAL, reference

VOCABULARY = (*SPECIAL, "a", "##b", "É", "\u2028", "##\u2028", "中")


def same(one: BertTokenizer, other: BertTokenizer) -> bool:
    names = ("vocabulary", "lowercase", "strip_accents", "split_cjk", "special_tokens", "extra_special_tokens")
    return all(getattr(one, name) == getattr(other, name) for name in names)


def write(folder, **files):
    for name, content in files.items():
        text = content if isinstance(content, str) else json.dumps(content)
        (folder / f"{name}.{'txt' if name == 'vocab' else 'json'}").write_bytes(text.encode())


@pytest.mark.parametrize(
    "options",
    [{}, {"lowercase": False}, {"strip_accents": False, "split_cjk": False},
     {"lowercase": False, "strip_accents": True}, {"extra_special_tokens": ("a",)}, {"mask_token": "a"}],
    ids=str,
)  # fmt: skip
def test_saved_and_read_again_it_is_the_same(tmp_path, options):
    tokenizer = BertTokenizer(VOCABULARY, **options)
    tokenizer.save_pretrained(tmp_path / "folder")
    names = sorted(path.name for path in (tmp_path / "folder").iterdir())
    assert names == ["special_tokens_map.json", "tokenizer.json", "tokenizer_config.json", "vocab.txt"]
    assert same(BertTokenizer.from_pretrained(tmp_path / "folder"), tokenizer)


def test_a_copy_is_the_same():
    tokenizer = BertTokenizer(VOCABULARY, lowercase=False, split_cjk=False, mask_token="中")
    copy = pickle.loads(pickle.dumps(tokenizer))
    assert same(copy, tokenizer)
    assert copy.tokenize("ab É").to_list() == [[5, 6, 7]]


def test_overrides_win_over_the_files(tmp_path):
    BertTokenizer(VOCABULARY).save_pretrained(tmp_path)
    assert BertTokenizer.from_pretrained(tmp_path, lowercase=False).lowercase is False


@pytest.mark.parametrize("options", [{}, {"lowercase": False, "strip_accents": True, "split_cjk": False}], ids=str)
def test_a_tokenizer_json_alone_is_enough(tmp_path, options):
    reference(VOCABULARY, **options).save(str(tmp_path / "tokenizer.json"))
    assert same(BertTokenizer.from_pretrained(tmp_path), BertTokenizer(VOCABULARY, **options))


@pytest.mark.parametrize("lowercase", [True, False])
@pytest.mark.parametrize("strip_accents", [None, True, False])
def test_lower_case_before_berts_own_step_is_one_step(tmp_path, lowercase, strip_accents):
    """As sentence-transformers writes a tokenizer whose texts it lower-cases first."""
    words = (*SPECIAL, "a", "e", "é", "É", "E", "i", "ß", "##e", "##é", "##\u0307", "中")
    tokenizer: Tokenizer = reference(words, lowercase=lowercase, strip_accents=strip_accents)
    tokenizer.normalizer = normalizers.Sequence([normalizers.Lowercase(), tokenizer.normalizer])
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    texts = ["É é Ée E", "aÉ\u0301 İ i\u0307 ẞ", "中É中", "[MASK] É"]
    expected = [tokenizer.encode(text, add_special_tokens=False).ids for text in texts]
    assert BertTokenizer.from_pretrained(tmp_path).tokenize(texts).to_list() == expected
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), reference(words).normalizer])
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    with pytest.raises(UserError, match=r"`normalizer.type` must be a single step, BERT's. Received: .*NFKC"):
        BertTokenizer.from_pretrained(tmp_path)


def test_special_tokens_added_behind_the_vocabulary(tmp_path):
    tokenizer: Tokenizer = reference(VOCABULARY)
    tokenizer.add_special_tokens(["<e1>", "<e2>"])
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    expected = BertTokenizer((*VOCABULARY, "<e1>", "<e2>"), extra_special_tokens=["<e1>", "<e2>"])
    assert same(BertTokenizer.from_pretrained(tmp_path), expected)
    (tmp_path / "tokenizer.json").unlink()
    write(
        tmp_path,
        vocab="\n".join(VOCABULARY),
        added_tokens={"<e1>": 11, "<e2>": 12},
        tokenizer_config={"do_lower_case": True, "additional_special_tokens": ["<e1>", "<e2>"]},
    )
    assert same(BertTokenizer.from_pretrained(tmp_path), expected)
    assert expected.tokenize("a<e2>b").to_list() == [tokenizer.encode("a<e2>b", add_special_tokens=False).ids]


def test_windows_line_ends(tmp_path):
    write(tmp_path, vocab="\r\n".join((*SPECIAL, "a", "")))
    assert BertTokenizer.from_pretrained(tmp_path).vocabulary == (*SPECIAL, "a")


def test_a_keras_hub_preset(tmp_path):
    (tmp_path / "assets" / "tokenizer").mkdir(parents=True)
    (tmp_path / "assets" / "tokenizer" / "vocabulary.txt").write_text("\n".join((*SPECIAL, "a")))
    write(tmp_path, tokenizer={"class_name": "BertTokenizer", "config": {"lowercase": False}})
    expected = BertTokenizer((*SPECIAL, "a"), lowercase=False, strip_accents=False)
    assert same(BertTokenizer.from_pretrained(tmp_path), expected)


VOCAB = "\n".join(SPECIAL)
WORDPIECE = {
    "type": "WordPiece",
    "continuing_subword_prefix": "##",
    "max_input_chars_per_word": 100,
    "unk_token": "[UNK]",
}
PARTS = {"normalizer": {"type": "BertNormalizer", "clean_text": True}, "pre_tokenizer": {"type": "BertPreTokenizer"}}


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "no tokenizer here: expected vocab.txt, tokenizer.json"),
        ({"vocab": "a\nb"}, r"`unk_token` must be a token of the vocabulary itself: .*Received: '\[UNK\]'"),
        ({"vocab": VOCAB, "tokenizer_config": "{"}, "tokenizer_config.json: expected JSON. Received: "),
        ({"vocab": VOCAB, "tokenizer_config": [1]}, "tokenizer_config.json: expected a JSON object. Received: list"),
        ({"vocab": VOCAB, "tokenizer_config": {"tokenizer_class": "T5Tokenizer"}}, "Received: 'T5Tokenizer'"),
        (
            {"vocab": VOCAB, "tokenizer_config": {"do_basic_tokenize": False}},
            "`do_basic_tokenize` must be True. Received: False",
        ),
        ({"vocab": VOCAB, "tokenizer_config": {"mask_token": None}}, "`mask_token` must be a token. Received: None"),
        ({"vocab": VOCAB, "added_tokens": {"x": 7}}, "Received: 'x' with id 7, where the next one .* is 5"),
        (
            {"vocab": VOCAB, "tokenizer_config": {"added_tokens_decoder": {"1": {"content": "[CLS]"}}}},
            r"tokenizer_config.json: .* Received: '\[CLS\]' with id 1, where its id there is 2",
        ),
        ({"tokenizer": {"model": {"type": "BPE"}}}, "`normalizer.type` must be 'BertNormalizer'. Received: None"),
        ({"tokenizer": PARTS | {"model": {"type": "BPE"}}}, "`model.type` must be 'WordPiece'. Received: 'BPE'"),
        (
            {"tokenizer": PARTS | {"model": WORDPIECE | {"vocab": {"a": 1, "b": 1}}}},
            "from 0 on. Received: 2 tokens with 1 numbers from 1 to 1",
        ),
    ],
)  # fmt: skip
def test_wrong_files_are_named(tmp_path, files, message):
    write(tmp_path, **files)
    with pytest.raises(UserError, match=message):
        BertTokenizer.from_pretrained(tmp_path)


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="file: cannot write the tokenizer: File exists"):
        BertTokenizer(VOCABULARY).save_pretrained(tmp_path / "file")


SEQUENCE = {"type": "Sequence", "normalizers": [{"type": "NFC"}, {"type": "BertNormalizer", "lowercase": False}]}


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"pre_tokenizer": {"type": "Whitespace"}}, "pre_tokenizer.type"),
        (
            {"pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "A"}, {"type": "B"}]}},
            "pre_tokenizer.type",
        ),
        ({"normalizer": SEQUENCE}, "normalizer.type"),
        ({"normalizer": {"type": "BertNormalizer", "clean_text": False}}, "normalizer.clean_text"),
        ({"truncation": {"direction": "Left"}}, "truncation.direction"),
    ],
)
def test_what_an_error_says_to_ignore_can_be_ignored(tmp_path, changes, name, caplog):
    model = {"type": "WordPiece", "vocab": {t: i for i, t in enumerate((*SPECIAL, "a", "A"))}, "unk_token": "[UNK]"}
    raw = {**PARTS, "model": {**model, "continuing_subword_prefix": "##"}, **changes}
    (tmp_path / "tokenizer.json").write_text(json.dumps(raw))
    with pytest.raises(UserError, match=re.escape(f"`{name}` must be") + f'.*ignore=\\["{re.escape(name)}"\\]'):
        BertTokenizer.from_pretrained(tmp_path)
    found = BertTokenizer.from_pretrained(tmp_path, ignore=[name])
    assert found.lowercase is ("normalizers" not in changes.get("normalizer", {}))  # as BERT's step among them says
    assert name == "truncation.direction" or f"`{name}` is ignored, as asked for" in caplog.text
