"""Pairs with two separators between their texts, as MPNet's tokenizer makes them, against the `tokenizers` library."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tokenizers import AddedToken, Tokenizer, normalizers, pre_tokenizers, processors
from tokenizers.models import WordPiece

import bert_tf
from bert_tf.kinds.long_texts.reading import Reading
from bert_tf.kinds.long_texts.windows import window_rows
from bert_tf.kinds.spans import question_windows

SPECIAL = ["<s>", "<pad>", "</s>", "[UNK]", "<mask>"]
VOCABULARY = [*SPECIAL, *"abcdefghijklmnopqrstuvwxyz0123456789!?.,<>/é中", "the", "good", "film", "##s", "##ed", "un"]
VOCABULARY += [f"##{letter}" for letter in "abcdefgilmnoprt"]
NAMES: dict[str, Any] = {"cls_token": "<s>", "sep_token": "</s>", "pad_token": "<pad>", "mask_token": "<mask>"}
ALPHABET = [
    *"abcdefgh THE good film unites 0!.",
    "é",
    "É",
    "中",
    "\u0301",
    "\n",
    "  ",
    "<mask>",
    " <mask>",
    "</s>",
    "<s>",
    "<pad>",
]


def theirs() -> Tokenizer:
    """As Transformers makes MPNetTokenizer: BERT's steps, the mask with the space before it, RoBERTa's pairs."""
    found = Tokenizer(WordPiece({token: i for i, token in enumerate(VOCABULARY)}, unk_token="[UNK]"))
    found.normalizer = normalizers.BertNormalizer(lowercase=True)
    found.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    found.add_special_tokens([*(AddedToken(t, special=True, normalized=False) for t in SPECIAL[:4]),
                              AddedToken("<mask>", lstrip=True, special=True, normalized=False)])  # fmt: skip
    found.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), True, False)
    return found


def ours(**options: Any) -> bert_tf.BertTokenizer:
    added = [bert_tf.text.AddedToken("<mask>", special=True, lstrip=True)]
    return bert_tf.BertTokenizer(VOCABULARY, **NAMES, added_tokens=added, pair_separators=2, **options)


def drawn(rng: np.random.Generator, most: int) -> str:
    return "".join(rng.choice(ALPHABET, size=int(rng.integers(0, most))))


def test_ids_and_offsets_of_texts_and_pairs_are_those_of_tokenizers():
    rng, reference, tokenizer = np.random.default_rng(7), theirs(), ours()
    texts, pairs = ([drawn(rng, 24) for _ in range(600)] for _ in range(2))
    for second in (None, pairs):
        for length in (None, 12):
            reference.no_truncation()
            if length is not None:
                reference.enable_truncation(length)
            rows = tokenizer(texts, second, max_length=length or 500, return_offsets=True)
            mask, offsets = np.asarray(rows["padding_mask"]), np.stack([rows["starts"], rows["ends"]], axis=-1)
            given = texts if second is None else list(zip(texts, second, strict=True))
            for i, found in enumerate(reference.encode_batch(given)):
                count = int(mask[i].sum())
                assert rows["token_ids"][i, :count].numpy().tolist() == found.ids, given[i]
                real = [(0, 0) if special else place for place, special in
                        zip(found.offsets, found.special_tokens_mask, strict=True)]  # fmt: skip
                named = np.isin(found.ids, range(5)) & (np.array(found.special_tokens_mask) == 0)
                np.testing.assert_array_equal(offsets[i, :count][~named], np.array(real)[~named], err_msg=str(given[i]))


def test_segments_begin_with_the_second_text_and_encode_leaves_both_separators_out():
    tokenizer = ours()
    rows = tokenizer(["good film"], ["the film"])
    assert rows["token_ids"].numpy().tolist() == [[0, 51, 52, 2, 2, 50, 52, 2]]
    assert rows["segment_ids"].numpy().tolist() == [[0, 0, 0, 0, 0, 1, 1, 1]]
    assert tokenizer.encode("good film", "the film", add_special_tokens=False) == [51, 52, 50, 52]
    assert tokenizer.encode("good film", "the film", max_length=6) == [0, 51, 2, 2, 50, 2]
    assert "pair_separators=2" in repr(tokenizer)
    again = type(tokenizer).from_config(json.loads(json.dumps(tokenizer.get_config())))
    assert again.encode("good film", "the") == tokenizer.encode("good film", "the")
    with pytest.raises(ValueError, match="`max_length` must be an int of at least 4"):
        tokenizer(["a"], ["b"], max_length=3)
    with pytest.raises(ValueError, match=r"`pair_separators` must be 1 or 2. Received: 3"):
        bert_tf.BertTokenizer(VOCABULARY, **NAMES, pair_separators=3)


def test_windows_of_contexts_and_of_long_pairs_fill_their_rows():
    tokenizer = ours()
    context = " ".join("abcdefgh" * 2)
    rows = question_windows(tokenizer, ["good film"], [context], max_length=10, stride=1, question_tokens=8)
    ids, inside = np.asarray(rows["token_ids"]), np.asarray(rows["in_context"])
    assert np.asarray(rows["lengths"]).max() == 10
    assert [row[:5].tolist() for row in ids] == [[0, 51, 52, 2, 2]] * len(ids)
    assert set(ids[inside].tolist()) == {VOCABULARY.index(letter) for letter in "abcdefgh"}
    assert rows["text_tokens"].numpy().tolist() == [2 + 16 + 4]
    found = window_rows(tokenizer, ["good film"], [context], reading=Reading(10, 0.25, 9))
    assert np.asarray(found.lengths).max() == 10
    covered = [int(i) for row, n in zip(found.rows["token_ids"].numpy(), found.windows.new_tokens.numpy(), strict=True)
               for i in [x for x in row if x >= 5][-int(n):]]  # fmt: skip
    assert covered == [VOCABULARY.index(letter) for letter in "abcdefgh" * 2]
    assert found.text_tokens.numpy().tolist() == [2 + 16 + 4]


@pytest.mark.parametrize("kind", ["class", "json", "template"])
def test_files_say_how_pairs_are_made(tmp_path: Path, kind: str):
    config: dict[str, Any] = {"tokenizer_class": "MPNetTokenizer", "do_lower_case": True}
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "mpnet"}))
    if kind in ("json", "template"):
        reference = theirs()
        if kind == "template":
            reference.post_processor = processors.TemplateProcessing(
                single="<s>:0 $A:0 </s>:0", pair="<s>:0 $A:0 </s>:0 </s>:0 $B:1 </s>:1",
                special_tokens=[("<s>", 0), ("</s>", 2)],
            )  # fmt: skip
        reference.save(str(tmp_path / "tokenizer.json"))
        config = {"tokenizer_class": "PreTrainedTokenizerFast", **NAMES}
    else:
        (tmp_path / "vocab.txt").write_text("".join(f"{token}\n" for token in VOCABULARY))
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config))
    tokenizer = bert_tf.BertTokenizer.from_pretrained(tmp_path)
    text = "good <mask> film"
    assert tokenizer.encode(text, "the film") == theirs().encode(text, "the film").ids
    assert (tokenizer.cls_id, tokenizer.sep_id, tokenizer.pad_id, tokenizer.mask_id) == (0, 2, 1, 4)


def test_a_tokenizer_is_written_as_one_that_makes_such_pairs_and_only_for_such_a_model(tmp_path: Path):
    ours(model_max_length=20).save_pretrained(tmp_path / "words")
    again = bert_tf.BertTokenizer.from_pretrained(tmp_path / "words")
    assert again.get_config() == ours(model_max_length=20).get_config()
    config = bert_tf.BertConfig(
        vocabulary_size=len(VOCABULARY), hidden_dim=4, num_layers=1, num_heads=2, intermediate_dim=4, pad_token_id=1
    )
    with pytest.raises(
        ValueError, match=r"`tokenizer` must put 1 separators between the texts of a pair for a BERT.*=2"
    ):
        bert_tf.BertBackbone(config).save_pretrained(tmp_path / "x", ours())
    assert not (tmp_path / "x").exists()
