"""Tokenizer folders with settings drawn at random: read as Transformers does, or refused by the setting's name."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from typing import Any

import pytest

from bert_tf.errors import UserError
from bert_tf.text import BertTokenizer

GOLDEN = json.loads(gzip.decompress((Path(__file__).parent.parent / "golden" / "tokenizers.json.gz").read_bytes()))
TEXTS, CASES = GOLDEN["texts"], GOLDEN["cases"]
# What may keep a folder from being read, as the error names it; nothing else may.
MAY_BE_REFUSED = re.compile(
    r"`(truncation_side|do_basic_tokenize|word_tokenizer_type|do_lower_case|post_processor)`|"
    "need a vocabulary with each token once"
)
FEW = range(0, len(CASES), 40)


def check(case: dict[str, Any], folder: Path) -> str:
    for name, content in case["files"].items():
        (folder / name).write_bytes(content.encode())
    try:
        tokenizer = BertTokenizer.from_pretrained(folder)
    except UserError as error:
        if not MAY_BE_REFUSED.search(str(error)):
            raise
        return "refused"
    truth = case["truth"]
    assert "error" not in truth, truth
    ids = tokenizer.tokenize(TEXTS).to_list()
    for text, ours, theirs in zip(TEXTS, ids, truth["ids"], strict=True):
        assert ours == theirs, f"{text!r}: {[tokenizer.vocabulary[number] for number in ours]}"
    assert tokenizer.decode(ids) == truth["decoded"]
    tokenizer.save_pretrained(folder / "saved")
    again = BertTokenizer.from_pretrained(folder / "saved")
    for name in ("vocabulary", "added_tokens", "special_tokens", "lowercase", "strip_accents", "split_cjk", "pairs",
                 "max_word_characters", "split_special_tokens", "model_max_length", "sizes"):  # fmt: skip
        assert getattr(again, name) == getattr(tokenizer, name), name
    if not tokenizer.pairs:
        with pytest.raises(UserError, match="`model_input_names` has no token_type_ids"):
            tokenizer(["a"], ["b"])
        return "same, without pairs"
    assert tokenizer(["a"], ["b"])["token_ids"].numpy().tolist() == [truth["around"]]
    return "same"


@pytest.mark.parametrize("number", FEW)
def test_a_folder_is_read_as_transformers_reads_it_or_refused(tmp_path, number):
    check(CASES[number], tmp_path)


@pytest.mark.slow
def test_all_folders_are_read_as_transformers_reads_them_or_refused(tmp_path):
    found = []
    for number, case in enumerate(CASES):
        (tmp_path / str(number)).mkdir()
        found.append(check(case, tmp_path / str(number)))
    assert found.count("refused") < 0.3 * len(found)
    assert len({"same", "same, without pairs"} & set(found)) == 2
