"""Pairs of segments, and the masks on them."""

from __future__ import annotations

import numpy as np
import pytest

from bert_tf.data.corpora.examples import PretrainingStream
from bert_tf.data.corpora.masking import Masker, MaskSettings
from bert_tf.data.corpora.pairs import PAIRS, PairSettings, Segments, cut_pieces, make_segments
from bert_tf.data.corpora.portions import StorePortions
from bert_tf.data.corpora.randomness import Draws, keys, uniform
from bert_tf.data.corpora.store import Reading, TokenStore, open_store
from bert_tf.sentinels import IGNORED_LABEL
from bert_tf.text import BertTokenizer
from tests.conftest import shared_data
from tests.data.corpora import pretraining_sets as sets


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> TokenStore:
    return sets.store(tmp_path_factory.mktemp("corpus"), documents=12, sentences=30)


def cut(store: TokenStore, settings: PairSettings, *key: int, piece_tokens: int = 10_000) -> Segments:
    pieces = cut_pieces(store, np.arange(store.documents), piece_tokens=piece_tokens)
    return make_segments(store, pieces, np.arange(len(pieces.tokens)), settings, *(key or (1,)))


def document_of(store: TokenStore, places: np.ndarray) -> np.ndarray:
    bounds = store.sentence_starts[store.document_starts]
    return np.searchsorted(bounds, places, side="right") - 1


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("length", [8, 32, 200])
def test_segments_keep_within_documents_and_lengths(corpus, pair, length):
    found = cut(corpus, PairSettings(pair, length))
    assert found.lengths.max() <= length
    for segment in (found.first, found.second):
        there = segment[:, 1] > segment[:, 0]
        assert (segment[:, 1] >= segment[:, 0]).all()
        first, last = (document_of(corpus, segment[there, i] - i) for i in (0, 1))
        np.testing.assert_array_equal(first, last)
    assert (found.first[:, 1] > found.first[:, 0]).all()
    assert (found.second[:, 1] > found.second[:, 0]).any() == (pair != "none")


def test_a_random_segment_is_of_another_document_and_any_other_one_follows(corpus):
    found = cut(corpus, PairSettings("next_sentence", 32))
    first, second = (document_of(corpus, segment[:, 0]) for segment in (found.first, found.second))
    is_random = found.labels == 1
    assert (first[is_random] != second[is_random]).all()
    assert (first[~is_random] == second[~is_random]).all()
    follows = found.second[~is_random, 0] - found.first[~is_random, 1]
    assert (follows >= 0).all()
    assert (follows < 32).all()
    assert (follows == 0).any()  # where the pair did not have to be cut
    assert 0.4 < is_random.mean() < 0.75  # a chunk of one sentence has nothing to follow it


def test_swapped_segments_follow_the_other_way_round(corpus):
    found = cut(corpus, PairSettings("sentence_order", 32, short_share=0.0))
    swapped = found.labels == 1
    assert 0.35 < swapped.mean() < 0.65
    assert (found.second[~swapped, 0] >= found.first[~swapped, 1]).all()
    assert (found.first[swapped, 0] >= found.second[swapped, 1]).all()


def test_single_segments_use_every_token_once(corpus):
    found = cut(corpus, PairSettings("none", 16))
    used = np.zeros(len(corpus.token_ids), int)
    for start, end in found.first:
        used[start:end] += 1
    assert used.max() == 1
    assert used.mean() > 0.9  # but for where the first cut of a document falls


def test_documents_are_cut_into_pieces_between_sentences(corpus):
    pieces = cut_pieces(corpus, np.array([2, 5, 7]), piece_tokens=100)
    assert len(pieces.tokens) > 6
    assert pieces.tokens.max() < 200
    bounds = corpus.document_starts
    covered = np.concatenate([np.arange(a, b) for a, b in pieces.sentences])
    wanted = np.concatenate([np.arange(bounds[d], bounds[d + 1]) for d in (2, 5, 7)])
    np.testing.assert_array_equal(np.sort(covered), wanted)
    for (first, last), document in zip(pieces.sentences, np.array([2, 5, 7])[pieces.document], strict=True):
        assert bounds[document] <= first < last <= bounds[document + 1]


def test_pieces_of_the_only_document_stand_in_for_others(corpus):
    pieces = cut_pieces(corpus, np.array([3]))
    assert len(pieces.documents) == 2
    found = make_segments(corpus, pieces, np.arange(2), PairSettings("next_sentence", 32), 1)
    edge = corpus.sentence_starts[pieces.sentences[1, 0]]
    is_random = found.labels == 1
    assert is_random.any()
    assert ((found.first[is_random, 0] < edge) != (found.second[is_random, 0] < edge)).all()


def test_the_same_key_gives_the_same_examples_and_another_one_others(corpus):
    settings = PairSettings("next_sentence", 32)
    one, same, other = cut(corpus, settings, 1, 0), cut(corpus, settings, 1, 0), cut(corpus, settings, 1, 1)
    np.testing.assert_array_equal(one.first, same.first)
    np.testing.assert_array_equal(one.second, same.second)
    assert len(one) != len(other) or (one.second != other.second).any()


def test_a_share_of_examples_is_short(corpus):
    lengths = cut(corpus, PairSettings("none", 64, short_share=1.0)).lengths
    assert lengths.std() > 12
    assert (cut(corpus, PairSettings("none", 64, short_share=0.0)).lengths == 64).mean() > 0.6


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"pair": "order"}, "`pair` must be one of next_sentence, sentence_order, none. Received: pair='order'"),
        ({"sequence_length": 4}, "`sequence_length` must be 5 or more. Received: sequence_length=4"),
    ],
)
def test_wrong_pair_settings(arguments, match):
    with pytest.raises(ValueError, match=match):
        PairSettings(**arguments)


def masker(masking: str, *, share: float = 0.15) -> Masker:
    words = sets.tokenizer()
    continues = np.array([token.startswith("##") for token in words.vocabulary])
    return Masker(MaskSettings(masking, share), words.vocabulary_size, words.mask_id, continues)


def masked(masking: str, *, examples: int = 400, length: int = 40, seed: int = 0, share: float = 0.15):
    """Random words of one to three pieces. Returns: ids, candidates, splits, and what the masker gave."""
    words, rng = sets.tokenizer(), np.random.default_rng(3)
    ids = rng.integers(5, 31, (examples, length))
    ids[:, 1:] += 26 * (rng.random((examples, length - 1)) < 0.4)  # "##" pieces
    ids[:, 0], ids[:, -1], ids[:, length // 2] = words.cls_id, words.sep_id, words.sep_id
    splits = np.arange(examples + 1) * length
    ids = ids.ravel()
    candidates = ids > 4
    chosen, instead = masker(masking, share=share)(ids, candidates, splits, keys(np.arange(examples), seed))
    return ids, candidates, splits, chosen, instead


@pytest.mark.parametrize("masking", ["tokens", "words", "ngrams"])
def test_the_share_and_the_fates_of_masked_tokens(masking):
    ids, candidates, splits, chosen, instead = masked(masking)
    assert (np.diff(chosen) > 0).all()
    assert candidates[chosen].all()
    counts = np.bincount(np.searchsorted(splits, chosen, side="right") - 1, minlength=400)
    assert counts.max() == round(0.15 * 40) == 6
    assert counts.mean() > 5.9
    is_mask = instead == sets.tokenizer().mask_id
    assert is_mask.mean() == pytest.approx(0.8, abs=0.03)
    is_kept = instead == ids[chosen]
    assert is_kept.mean() == pytest.approx(0.1, abs=0.02)
    random = instead[~is_mask & ~is_kept]
    assert len(np.unique(random)) > 0.9 * len(sets.VOCABULARY)


def test_whole_words_are_hidden_whole():
    ids, candidates, _, chosen, _ = masked("words")
    begins = candidates & ((ids < 31) | ~np.roll(candidates, 1))
    word = np.cumsum(begins)[candidates]
    hidden = np.zeros(len(ids), bool)
    hidden[chosen] = True
    hidden = hidden[candidates]
    for number in np.unique(word[hidden]):
        assert hidden[word == number].all()
    ids, candidates, _, chosen, _ = masked("tokens")
    hidden = np.zeros(len(ids), bool)
    hidden[chosen] = True
    hidden = hidden[candidates]
    assert not all(hidden[word == number].all() for number in np.unique(word[hidden]))


def test_runs_of_words_have_the_lengths_they_are_drawn_with():
    words = sets.tokenizer()
    ids = np.tile(np.array([words.cls_id, *[7] * 100]), 500)
    splits = np.arange(501) * 101
    chosen, _ = masker("ngrams", share=0.03)(ids, ids > 4, splits, keys(np.arange(500), 0))
    starts = np.flatnonzero(np.diff(chosen, prepend=-5) > 1)
    runs = np.diff(np.append(starts, len(chosen)))
    shares = np.bincount(runs, minlength=4)[1:4] / len(runs)
    assert shares[1] > 0.15  # pairs of neighbours are rare where tokens are drawn alone
    assert runs.max() <= 3
    chosen, _ = masker("tokens", share=0.03)(ids, ids > 4, splits, keys(np.arange(500), 0))
    alone = np.diff(np.append(np.flatnonzero(np.diff(chosen, prepend=-5) > 1), len(chosen)))
    assert np.mean(alone > 1) < 0.05


def test_masks_depend_on_the_example_and_not_on_what_stands_beside_it():
    words = sets.tokenizer()
    rng = np.random.default_rng(0)
    rows = [rng.integers(5, 31, size) for size in (12, 30, 7)]
    numbers = np.array([4, 9, 11])
    whole = masker("ngrams")(np.concatenate(rows), np.ones(49, bool), np.array([0, 12, 42, 49]), keys(numbers, 1, 2))
    alone = masker("ngrams")(rows[1], np.ones(30, bool), np.array([0, 30]), keys(numbers[1:2], 1, 2))
    inside = (whole[0] >= 12) & (whole[0] < 42)
    np.testing.assert_array_equal(whole[0][inside] - 12, alone[0])
    np.testing.assert_array_equal(whole[1][inside], alone[1])
    again = masker("ngrams")(rows[1], np.ones(30, bool), np.array([0, 30]), keys(numbers[1:2], 1, 3))
    assert not np.array_equal(again[0], alone[0])
    assert words.mask_id in alone[1]


def test_at_least_one_token_is_hidden():
    chosen, _ = masker("tokens")(
        np.array([2, 9, 3]), np.array([0, 1, 0], bool), np.array([0, 3]), keys(np.arange(1), 0)
    )
    assert chosen.tolist() == [1]


def test_random_numbers_are_even_and_the_same_everywhere():
    drawn = uniform(keys(np.arange(100_000), 5))
    assert np.histogram(drawn, 10, (0, 1))[0] == pytest.approx(np.full(10, 10_000), rel=0.05)
    assert keys(np.arange(2), 5).tolist() == [1115436449555665006, 6255863621463408167]
    draws = Draws(1, 2)
    assert [draws.below(1000) for _ in range(4)] == [299, 73, 735, 122]
    assert np.mean([draws.heads(100) for _ in range(200)]) == pytest.approx(50, abs=1.5)


@pytest.mark.real
def test_the_statistics_of_googles_sample(tmp_path):
    """As google-research/bert's create_pretraining_data.py makes them: 15 %, 80/10/10, half of the pairs random."""
    file = shared_data("google_bert") / "sample_text.txt"
    words = BertTokenizer(shared_data("vocab") / "bert-base-uncased-vocab.txt")
    store = open_store([file], words, Reading("sentences"), cache=tmp_path)
    assert store.documents == 3
    continues = np.array([token.startswith("##") for token in words.vocabulary])
    masks = Masker(MaskSettings(), words.vocabulary_size, words.mask_id, continues)
    examples = PretrainingStream(
        StorePortions(store, np.arange(3), PairSettings("next_sentence", 128), seed=1),
        masks,
        cls_id=words.cls_id,
        sep_id=words.sep_id,
        never_masked=(words.pad_id, words.unk_id, words.mask_id),
    )
    plans = examples.epochs(8, batching="packed", divisor=1, pack_length=None, seed=1)
    special = [words.cls_id, words.sep_id, words.pad_id]
    tokens = targets = masked = kept = random_pairs = pairs = 0
    for number in range(plans.number_of_batches(400)):
        epoch, k = plans.locate(number)
        batch = examples.batch(plans.plan(epoch), k)
        rows, places = np.nonzero(batch["target_ids"] != IGNORED_LABEL)
        wanted, positions = batch["target_ids"][rows, places], batch["masked_positions"][rows, places]
        there = batch["token_ids"][rows, positions]
        assert not np.isin(wanted, special).any()
        tokens, targets = tokens + batch["padding_mask"].sum(), targets + len(rows)
        masked, kept = masked + np.sum(there == words.mask_id), kept + np.sum(there == wanted)
        pairs, random_pairs = pairs + np.sum(batch["pair_weight"] > 0), random_pairs + batch["labels"].sum()
    assert targets / tokens == pytest.approx(0.15, abs=0.005)
    assert masked / targets == pytest.approx(0.8, abs=0.01)
    assert kept / targets == pytest.approx(0.1, abs=0.01)
    assert random_pairs / pairs == pytest.approx(0.5, abs=0.06)  # a chunk of one sentence always gets a random one
    found = examples.portions.segments(0, 0)
    first, second = (document_of(store, segment[:, 0]) for segment in (found.first, found.second))
    np.testing.assert_array_equal(first != second, found.labels == 1)


def test_wrong_mask_settings():
    with pytest.raises(ValueError, match=r"`masking` must be one of tokens, words, ngrams. Received: masking='all'"):
        MaskSettings("all")
    with pytest.raises(ValueError, match=r"`mask_share` must be in \(0, 1\). Received: mask_share=1.0"):
        MaskSettings(mask_share=1.0)
    with pytest.raises(ValueError, match=r"`max_ngram` must be at least 1. Received: max_ngram=0"):
        MaskSettings(max_ngram=0)
