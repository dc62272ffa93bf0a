"""The real sets beside the repository, and the figures that the README may quote."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bert_tf.data import Csv, Tsv, choose_layout, class_index, encode, number, plan_epoch, text
from bert_tf.text import BertTokenizer
from tests.data.batching.sets import padding_share

pytestmark = pytest.mark.real

SENTIMENT = ("negative", "positive")


def test_published_files_read_without_a_bad_row(shared_data):
    sst2 = Tsv(files={"train": "train.tsv", "validation": "dev.tsv"})
    parsers = {"sentence": text, "label": class_index(SENTIMENT)}
    train, dev = (sst2.open(shared_data("sst2"), split, parsers) for split in ("train", "validation"))
    assert (len(train), len(dev)) == (67_349, 872)
    assert dev.columns["label"][:2] == [1, 0]
    chinese = Tsv(files={"train": "train.tsv", "test": "test.tsv"}, columns=("text", "label"), header=False)
    assert (
        len(chinese.open(shared_data("chnsenticorp"), "train", {"text": text, "label": class_index(SENTIMENT)})) == 9600
    )
    pairs = Csv(files={"train": "train.csv"}, columns=("sentence1", "sentence2", "score"), header=False)
    scores = pairs.open(shared_data("stsb_en"), "train", {"sentence1": text, "sentence2": text, "score": number(0, 5)})
    assert len(scores) == 5749
    intents = Csv(files={"train": "train.csv"}).open(
        shared_data("banking77"), "train", {"text": text, "category": text}
    )
    assert len(intents) == 10_003


def test_sst2_packs_tightly(shared_data):
    folder: Path = shared_data("sst2")
    table = Tsv(files={"train": "train.tsv"}).open(folder, "train", {"sentence": text, "label": class_index(SENTIMENT)})
    tokenizer = BertTokenizer(shared_data("vocab") / "bert-base-uncased-vocab.txt")
    features = encode(tokenizer, table.columns["sentence"], labels=table.columns["label"], max_length=64)
    assert features.lengths.mean() == pytest.approx(13.3, abs=0.1)
    assert features.lengths.max() == 64
    layout = choose_layout(features.lengths, 32)
    plan = plan_epoch(features.lengths, layout, seed=1, epoch=0)
    assert (layout.rows, layout.length) == (6, 72)
    assert padding_share(plan) < 0.012
    assert plan.examples[:-1].mean() == pytest.approx(32, rel=0.02)
    assert np.array_equal(np.sort(plan.placement.index), np.arange(67_349))
