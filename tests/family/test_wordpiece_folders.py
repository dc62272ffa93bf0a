"""WordPiece under every member, whatever its own tokenizer is: Transformers reads what is written as it was meant."""

from __future__ import annotations

import json

import numpy as np
import pytest

from benchmarks.random_run import make_backbone
from bert_tf import Tokenizer
from bert_tf.weights.members import MEMBERS
from tests.family.going_through import ODD
from tests.models.members import SHAPES, WORDS, of_member

TEXTS = [*ODD, "a good [MASK] film", "the film was not bad", "中国 a\u0301 Ä \u200b\ufffd"]


@pytest.mark.real
@pytest.mark.parametrize("member", ["bert", *SHAPES])
def test_transformers_reads_a_text_and_a_pair_as_the_folder_does(there, member, tmp_path):
    make_backbone(tmp_path, **{**of_member(member), "words": WORDS.get(member, {}), "tokenizer": None})
    tokenizer = Tokenizer.from_pretrained(tmp_path)
    raw = json.loads((tmp_path / "config.json").read_text(encoding="utf-8"))
    ids = {tokenizer.special_tokens[name]: raw[key] for key, name in MEMBERS[member].token_ids.items()}
    assert ids == {token: tokenizer.token_to_id[token] for token in ids}
    for columns in ([TEXTS], [TEXTS, TEXTS[::-1]]):
        found = there.ask(tmp_path, "Model", texts=columns, most_tokens=40)
        np.testing.assert_array_equal(tokenizer(*columns, max_length=40)["token_ids"], found.arrays["input_ids"])
