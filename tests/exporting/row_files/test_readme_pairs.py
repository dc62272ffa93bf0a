"""The block of a README that makes a model's inputs, where two separators stand between the texts of a pair."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bert_tf import BertTokenizer
from bert_tf.exporting.readmes import SAMPLES, row_files
from bert_tf.exporting.tflite.task_json import _layout

WORDS = [
    "<s>",
    "<pad>",
    "</s>",
    "[UNK]",
    "<mask>",
    *"abcdefghijklmnopqrstuvwxyz.",
    *(f"##{x}" for x in "abcdefghijklmnopqrstuvwxyz"),
]
NAMES: dict[str, Any] = {"cls_token": "<s>", "sep_token": "</s>", "pad_token": "<pad>", "mask_token": "<mask>"}


@pytest.mark.parametrize("separators", [1, 2])
def test_the_block_gives_the_tokenizers_ids(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, separators: int):
    tokenizer = BertTokenizer(WORDS, **NAMES, pair_separators=separators)
    (tmp_path / "vocab.txt").write_text("".join(f"{word}\n" for word in WORDS))
    monkeypatch.chdir(tmp_path)
    tokens = {
        name: {"token": token, "id": tokenizer.token_to_id[token]} for name, token in tokenizer.special_tokens.items()
    }
    described = {
        "prompt": "",
        "tokenizer": {"lowercase": True, "strip_accents": True, "split_cjk": True, "special_tokens": tokens},
        "sequence": {"max_length": 30, "layout": _layout(("first", "second"), separators)},
    }
    found: dict[str, Any] = {}
    exec(row_files.ROWS.format(imports="", **row_files._settings(described)), found)
    expected = tokenizer([SAMPLES[0]], [SAMPLES[1]], max_length=30)
    for name in ("token_ids", "padding_mask"):
        np.testing.assert_array_equal(found["inputs"][name], expected[name])


def test_rows_of_one_text_or_of_three_have_one_separator_each():
    assert _layout(("a",), 2) == ["[CLS]", "a", "[SEP]"]
    assert _layout(("a", "b"), 2) == ["[CLS]", "a", "[SEP]", "[SEP]", "b", "[SEP]"]
    assert _layout(("a", "b"), 1) == ["[CLS]", "a", "[SEP]", "b", "[SEP]"]
    assert _layout(("a", "b", "c"), 1) == ["[CLS]", "a", "[SEP]", "b", "[SEP]", "c", "[SEP]"]
