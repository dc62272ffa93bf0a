"""Texts that are none, or that UTF-8 cannot hold, are named by their place."""

from __future__ import annotations

import numpy as np
import pytest

from bert_tf.text import BertTokenizer
from tests.text.reference import SPECIAL

TOKENIZER = BertTokenizer([*SPECIAL, "a"])


class Column:
    """As much of a column of a table as is needed."""

    def __init__(self, values):
        self.values = values

    def to_numpy(self):
        return np.array(self.values, object)

    def __array__(self, dtype=None, copy=None):
        return self.to_numpy()


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (
            ["a", "b", "c", "x\ud83dy"],
            r"`texts\[3\]` must be text that UTF-8 .*: half a surrogate pair, '\\ud83d', as c",
        ),
        (("a", "\udc80"), r"`texts\[1\]` .* as character 0: '\\udc80'"),
        ("a\udfff", r"`texts` must be text that UTF-8 can hold"),
        (["a", None], r"`texts\[1\]` must be a string. Received: None \(NoneType\)"),
        ([None, "a"], r"`texts\[0\]` must be a string. Received: None"),
        (["a", float("nan"), "b"], r"`texts\[1\]` must be a string. Received: nan \(float\)"),
        (["a", b"b", 7], r"`texts\[2\]` must be a string. Received: 7 \(int\)"),
        (np.array(["a", None], object), r"`texts\[1\]` must be a string. Received: None"),
        (np.array(["a", "\ud800"], object), r"`texts\[1\]` must be text that UTF-8 can hold"),
        (Column(["a", "b", None]), r"`texts\[2\]` must be a string. Received: None"),
        (None, "`texts` must be strings"),
        ([None, None], "`texts` must be strings"),
    ],
)
def test_the_place_is_named(texts, message):
    for call in (TOKENIZER, TOKENIZER.tokenize, TOKENIZER.tokenize_with_offsets, TOKENIZER.encode_ragged):
        with pytest.raises(ValueError, match=message):
            call(texts)


def test_a_pair_is_named_as_one():
    with pytest.raises(ValueError, match=r"`pairs\[1\]` must be a string. Received: None"):
        TOKENIZER(["a", "a"], ["a", None])
