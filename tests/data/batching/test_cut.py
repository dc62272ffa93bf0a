"""What is cut off a data set, counted as the `tokenizers` library counts tokens."""

from __future__ import annotations

import numpy as np
import pytest

from bert_tf.data.batching.cut import Cut
from bert_tf.data.batching.features import encode
from bert_tf.text import BertTokenizer
from bert_tf.training.reports.history import described
from tests.conftest import VOCABULARY
from tests.text.reference import reference

WORDS = ("a", "bc", "abcd", "É,", "good", "film")


def random_texts(seed: int) -> list[str]:
    rng = np.random.default_rng(seed)
    return [" ".join(rng.choice(WORDS, size=rng.integers(9))) for _ in range(60)]


TEXTS = ["", "a b c d", "a b c d e", *random_texts(11)]
PAIRS = ["a b c d", "", "good film", *random_texts(12)]


@pytest.mark.parametrize("lowercase", [True, False])
@pytest.mark.parametrize("pairs", [None, PAIRS])
def test_tokens_that_have_no_room_are_counted_as_the_tokenizers_library_counts_them(pairs, lowercase):
    library = reference(VOCABULARY, lowercase=lowercase)
    whole = [len(library.encode(*row).ids) for row in (zip(TEXTS, pairs, strict=True) if pairs else zip(TEXTS))]
    library.enable_truncation(6)
    kept = [len(library.encode(*row).ids) for row in (zip(TEXTS, pairs, strict=True) if pairs else zip(TEXTS))]
    cut = encode(BertTokenizer(VOCABULARY, lowercase=lowercase), TEXTS, pairs, max_length=6, chunk=10).cut
    assert cut is not None
    assert cut.tokens.tolist() == whole
    assert cut.lost.tolist() == (np.array(whole) - kept).tolist()
    assert 0 < cut.texts < len(TEXTS)
    if pairs is None:
        assert cut.lost[:3].tolist() == [0, 0, 1]


def test_a_summary_of_them():
    cut = Cut(np.array([4, 9, 8, 19]), np.array([0, 2, 0, 12]))
    assert cut.as_json() == {"texts": 2, "of": 4, "tokens": 14, "share_of_tokens": 0.35, "longest": 19}
    assert cut.share_of_texts == 0.5
    assert cut == Cut(np.array([4, 9, 8, 19]), np.array([0, 2, 0, 12]))
    assert cut != Cut(np.array([4, 9, 8, 19]), np.array([0, 2, 1, 12]))
    nothing = {"texts": 0, "of": 0, "tokens": 0, "share_of_tokens": 0.0, "longest": 0}
    assert Cut(np.array([], int), np.array([], int)).as_json() == nothing


def test_a_run_that_began_before_cuts_were_counted_has_the_same_examples():
    import dataclasses

    features = encode(BertTokenizer(VOCABULARY), TEXTS, max_length=6)
    assert features.cut is not None
    assert described(features) == described(dataclasses.replace(features, cut=None))
