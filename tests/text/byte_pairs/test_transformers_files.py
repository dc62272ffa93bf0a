"""Folders of byte-level tokenizers that Transformers writes and reads give the ids that it gives."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import bert_tf
from tests.rest_slow import rest_slow

# Made with Transformers by benchmarks/make_golden_byte_pairs.py.
CASES = json.loads((Path(__file__).parents[2] / "golden" / "byte_pairs.json").read_text(encoding="utf-8"))["cases"]


@pytest.mark.parametrize("case", rest_slow(CASES, "modern", "older"))
def test_ids_and_places_are_those_of_transformers(case, tmp_path):
    for name, content in CASES[case]["files"].items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    tokenizer = bert_tf.Tokenizer.from_pretrained(tmp_path)
    assert isinstance(tokenizer, bert_tf.BytePairTokenizer)
    for has_pair in (False, True):
        rows = [row for row in CASES[case]["rows"] if (row[1] is not None) == has_pair]
        texts, pairs = [row[0] for row in rows], [row[1] for row in rows] if has_pair else None
        found = {name: np.asarray(x) for name, x in tokenizer(texts, pairs, return_offsets=True).items()}
        for i, (_, _, ids, places) in enumerate(rows):
            count = found["padding_mask"][i].sum()
            assert found["token_ids"][i, :count].tolist() == ids, rows[i]
            inner = np.isin(ids, [tokenizer.cls_id, tokenizer.sep_id], invert=True)  # theirs around texts are at 0
            ours = np.stack([found["starts"][i, :count], found["ends"][i, :count]], axis=1)
            np.testing.assert_array_equal(ours[inner], np.array(places).reshape(-1, 2)[inner], err_msg=str(rows[i]))
    assert (
        tokenizer.decode([row[2] for row in CASES[case]["rows"]], skip_special_tokens=False) == CASES[case]["decoded"]
    )


def test_what_was_read_from_older_files_and_saved_is_read_again_without_a_word(tmp_path, caplog):
    for name, content in CASES["older"]["files"].items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    read = bert_tf.Tokenizer.from_pretrained(tmp_path)
    read.save_pretrained(tmp_path / "again")
    (tmp_path / "again" / "config.json").write_text('{"model_type": "roberta"}')
    again = bert_tf.Tokenizer.from_pretrained(tmp_path / "again")
    assert again.get_config() == read.get_config()
    assert not caplog.records, caplog.text
