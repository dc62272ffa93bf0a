"""Folders of SentencePiece tokenizers are read and written as Transformers does."""

from __future__ import annotations

import contextlib
import json
import shutil

import pytest

from bert_tf import Tokenizer, UserError
from bert_tf.text import SentencePieceTokenizer
from bert_tf.text.sentence_pieces.files.model_file import read_model
from tests.text.sentence_pieces.reference import FILES, model_of, truths

FOLDERS = [f"{family}_{kind}" for family in FILES for kind in ("model", "json")]
# Transformers 5 leaves out the map of characters that such a model has; see `bert_tf.text.sentence_pieces`.
LEAVES_OUT_MAP = "deberta_model"


@pytest.mark.parametrize("family", FILES)
def test_pieces_are_read_as_sentencepiece_reads_them(folders, family):
    model, expected = model_of(folders, family), truths(folders)["pieces"][f"{family}_model"]
    assert [[p.text, p.score, p.kind] for p in model.pieces] == expected
    assert (len(model.charsmap) > 0) == (family != "camembert")


@pytest.mark.slow
@pytest.mark.parametrize("name", FOLDERS)
def test_texts_have_the_ids_and_offsets_of_transformers(tmp_path, folders, name):
    tokenizer, all_truths = Tokenizer.from_pretrained(folders / name), truths(folders)
    expected = all_truths["folders"][name]
    assert type(tokenizer) is SentencePieceTokenizer
    assert (len(tokenizer), tokenizer.model_max_length) == (expected["size"], 64)
    left_out = {2, 3, 5, 7} if name == LEAVES_OUT_MAP else set()
    texts = [text for i, text in enumerate(all_truths["texts"]) if i not in left_out]
    rows = tokenizer(texts, return_offsets=True)
    lengths = rows["padding_mask"].numpy().sum(axis=1)
    columns = (rows[key].numpy().tolist() for key in ("token_ids", "starts", "ends"))
    found = [list(zip(*(c[:n] for c in row), strict=True)) for *row, n in zip(*columns, lengths, strict=True)]
    theirs = [
        [(number, *place) for number, place in zip(ids, places, strict=True)]
        for i, (ids, places) in enumerate(zip(expected["ids"], expected["offsets"], strict=True))
        if i not in left_out
    ]
    assert found == theirs
    assert tokenizer.encode("first text", "second one") == expected["pair"]
    assert tokenizer.decode(expected["ids"], skip_special_tokens=False) == expected["decoded"]
    assert tokenizer.decode(expected["ids"]) == expected["skipped"]
    tokenizer.save_pretrained(tmp_path)
    assert Tokenizer.from_pretrained(tmp_path).get_config() == tokenizer.get_config()


def test_a_saved_folder_says_all_there_is(tmp_path, folders):
    (tmp_path / "vocab.txt").write_text("another tokenizer's")
    Tokenizer.from_pretrained(folders / "albert_model").save_pretrained(tmp_path, model_max_length=20)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["special_tokens_map.json", "tokenizer.json", "tokenizer_config.json"]
    config = json.loads((tmp_path / "tokenizer_config.json").read_text(encoding="utf-8"))
    assert (config["tokenizer_class"], config["model_max_length"]) == ("PreTrainedTokenizerFast", 20)
    assert config["model_input_names"] == ["input_ids", "token_type_ids", "attention_mask"]


def changed_json(folder, to, change):
    raw = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    change(raw)
    shutil.copy(folder / "tokenizer_config.json", to)
    (to / "tokenizer.json").write_text(json.dumps(raw), encoding="utf-8")
    return to


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda raw: raw.update(normalizer={"type": "Nmt"}), "`normalizer` has a step that is not known here"),
        (lambda raw: raw.update(pre_tokenizer={"type": "Digits"}), "`pre_tokenizer` has a step that is not known"),
        (lambda raw: raw["pre_tokenizer"]["pretokenizers"].reverse(), "must have no step behind Metaspace"),
        (lambda raw: raw["model"].update(unk_id=99999), "`model.unk_id` must be the id of a piece"),
        (lambda raw: raw["model"].update(byte_fallback=True), "no piece <0x00>"),
        (lambda raw: raw["model"]["vocab"].__setitem__(9, ["a"]), "`model.vocab\\[9\\]` must be a piece and its score"),
        (lambda raw: raw.update(post_processor=None), "`post_processor` must put one token before a text"),
    ],
)
def test_what_is_not_known_in_a_tokenizer_json_is_refused(tmp_path, folders, change, said):
    with pytest.raises(UserError, match=said):
        Tokenizer.from_pretrained(changed_json(folders / "camembert_json", tmp_path, change))


def test_another_decoder_is_named(tmp_path, folders, caplog):
    folder = changed_json(folders / "camembert_json", tmp_path, lambda raw: raw.update(decoder={"type": "Fuse"}))
    Tokenizer.from_pretrained(folder)
    assert "`decoder` is not followed: `decode` works as Metaspace's. Received: {'type': 'Fuse'}" in caplog.text


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "expected a model of SentencePiece. Received: no pieces"),
        (b"\x0a\xff", "does not end"),
        (b"not a model", "expected a model of SentencePiece"),
        (b"\x0a\x03\x0a\x01\xff", "expected a model of SentencePiece"),
        (b"\x0a\x03\x0a\x01a\x12\x02\x18\x02", "expected a unigram model, as XLMRoberta has it. Received: bpe"),
        (b"\x0a\x03\x0a\x01a\x1a\x06\x12\x04\xff\xff\xff\xff", "must be a map of characters as SentencePiece writes"),
    ],
)
def test_a_file_that_is_no_model_is_refused(tmp_path, content, said):
    (tmp_path / "sentencepiece.bpe.model").write_bytes(content)
    (tmp_path / "tokenizer_config.json").write_text('{"tokenizer_class": "XLMRobertaTokenizer"}')
    with pytest.raises(UserError, match=said):
        Tokenizer.from_pretrained(tmp_path)


def test_a_model_alone_does_not_say_whose_it_is(tmp_path, folders):
    shutil.copy(folders / "albert_model" / "spiece.model", tmp_path)
    with pytest.raises(UserError, match="expected `tokenizer_class`, one of XLMRobertaTokenizer, Camembert"):
        Tokenizer.from_pretrained(tmp_path)
    (tmp_path / "config.json").write_text('{"model_type": "albert"}')
    assert Tokenizer.from_pretrained(tmp_path).cls_token == "[CLS]"


def test_a_damaged_model_is_refused_or_read_and_never_anything_else(tmp_path, folders):
    """Every 40th byte of the first 2,000 and the last 400 changed: no other error than one of the file."""
    content = (folders / "camembert_model" / "sentencepiece.bpe.model").read_bytes()
    read = 0
    for place in (*range(0, 2000, 40), *range(len(content) - 400, len(content), 10)):
        path = tmp_path / "x.model"
        path.write_bytes(content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :])
        with contextlib.suppress(UserError):
            read_model(path)
            read += 1
    assert read > 0
