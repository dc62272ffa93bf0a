"""A prepared corpus: the same examples, and what is said of shards that are not whole."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from bert_tf.data import plan_batches, replica_batches
from bert_tf.data.corpora.examples import PretrainingStream
from bert_tf.data.corpora.pairs import PairSettings
from bert_tf.data.corpora.shards import ShardPortions, collect_manifest, is_prepared, write_shard
from bert_tf.data.corpora.store import vocabulary_hash
from bert_tf.errors import UserError
from tests.data.corpora import pretraining_sets as sets

EPOCHS = 2


def prepare(folder: Path, stream: PretrainingStream) -> Path:
    folder.mkdir()
    words = sets.tokenizer()
    numbers = [(e, b) for e in range(EPOCHS) for b in range(len(stream.portions.source_tokens(e)))]
    for epoch, portion in numbers:
        write_shard(folder, "train", stream.portions, epoch, portion, (words.cls_id, words.sep_id))
    settings = stream.portions.settings
    described = {"pair": settings.pair, "sequence_length": settings.sequence_length, "short_share": 0.1}
    collect_manifest(folder, {"train": numbers}, settings=described, vocabulary=vocabulary_hash(words), seed=1)
    return folder


def reading(folder: Path, like: PretrainingStream, **options) -> PretrainingStream:
    words = sets.tokenizer()
    found = ShardPortions(folder, "train", like.portions.settings, words, **options)
    special = (words.pad_id, words.unk_id, words.mask_id)
    return PretrainingStream(found, like.masker, cls_id=words.cls_id, sep_id=words.sep_id, never_masked=special)


@pytest.fixture(params=["next_sentence", "none"])
def streamed(request, tmp_path) -> PretrainingStream:
    corpus = sets.store(tmp_path, documents=20, sentences=60)
    return sets.stream(corpus, pair=request.param, portion_tokens=3000)


def test_batches_are_those_of_the_text_itself(streamed, tmp_path):
    prepared = reading(prepare(tmp_path / "shards", streamed), streamed)
    assert is_prepared(str(tmp_path / "shards"))
    both = [plan_batches(stream, 16, seed=1) for stream in (streamed, prepared)]
    count = both[0].number_of_batches(EPOCHS)
    assert both[1].number_of_batches(EPOCHS) == count > 20
    for one, other in zip(
        replica_batches(streamed, both[0], stop=count), replica_batches(prepared, both[1], stop=count), strict=True
    ):
        assert one.keys() == other.keys()
        for name, value in one.items():
            np.testing.assert_array_equal(value, other[name], err_msg=name)


def test_after_the_last_epoch_the_first_comes_again_with_other_masks(streamed, tmp_path):
    prepared = reading(prepare(tmp_path / "shards", streamed), streamed)
    epochs = plan_batches(prepared, 16, seed=1)
    first, again = (prepared.batch(epochs.plan(epoch), 0) for epoch in (0, EPOCHS))
    assert not np.array_equal(first["token_ids"], again["token_ids"])
    np.testing.assert_array_equal(prepared.portions.segments(0, 0).first, prepared.portions.segments(EPOCHS, 0).first)


@pytest.mark.parametrize("damage", ["truncated", "changed", "gone"])
def test_a_bad_shard_is_named_or_left_out_and_counted(streamed, tmp_path, damage, caplog):
    folder = prepare(tmp_path / "shards", streamed)
    entry = json.loads((folder / "manifest.json").read_text())["splits"]["train"][1]
    path = folder / entry["file"]
    content = bytearray(path.read_bytes())
    if damage == "truncated":
        path.write_bytes(content[:-7])
    elif damage == "changed":
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
    else:
        path.unlink()
    said = {
        "truncated": rf"expected {entry['bytes']} bytes. Received: {entry['bytes'] - 7}",
        "changed": "expected the content that was written. Received: another checksum",
        "gone": "expected a shard that can be read. Received: No such file",
    }[damage]
    with pytest.raises(UserError, match=rf"{entry['file']}: {said}.*--skip-bad-rows"):
        reading(folder, streamed)
    prepared = reading(folder, streamed, skip_bad_shards=True)
    assert entry["file"] in caplog.text
    assert prepared.bad_rows == entry["examples"]
    epochs = plan_batches(prepared, 16, seed=1)
    assert epochs.number_of_batches(1) > 5
    assert sum(1 for _ in replica_batches(prepared, epochs, stop=epochs.number_of_batches(2))) > 10


def test_shards_of_other_settings_or_words_are_refused(streamed, tmp_path):
    folder = prepare(tmp_path / "shards", streamed)
    pair = streamed.portions.settings.pair
    with pytest.raises(UserError, match=r"was prepared otherwise \(sequence_length: there 32, asked 64\)"):
        ShardPortions(folder, "train", PairSettings(pair, 64), sets.tokenizer())
    other = sets.BertTokenizer([*sets.VOCABULARY, "!"])
    with pytest.raises(UserError, match=r"was prepared otherwise \(vocabulary: there"):
        ShardPortions(folder, "train", streamed.portions.settings, other)
    with pytest.raises(UserError, match=r"manifest.json: expected the manifest .* the split validation"):
        ShardPortions(folder, "validation", streamed.portions.settings, sets.tokenizer())
    (folder / "manifest.json").write_text("{")
    with pytest.raises(UserError, match=r"manifest.json: expected the manifest of a prepared corpus"):
        ShardPortions(folder, "train", streamed.portions.settings, sets.tokenizer())


def test_a_manifest_needs_every_shard(streamed, tmp_path):
    folder = tmp_path / "shards"
    folder.mkdir()
    write_shard(folder, "train", streamed.portions, 0, 0, (2, 3))
    with pytest.raises(UserError, match=r"train-000-00001.tfrecord was not written"):
        collect_manifest(folder, {"train": [(0, 0), (0, 1)]}, settings={}, vocabulary="", seed=1)
    assert not is_prepared(str(folder))


def test_what_the_text_is_for_baselines(streamed, tmp_path):
    prepared = reading(prepare(tmp_path / "shards", streamed), streamed)
    ids, begins = prepared.portions.text()
    assert len(ids) == len(begins)
    assert begins[0]
    assert prepared.share_of(sets.tokenizer().unk_id) == 0.0
    assert set(ids.tolist()) <= set(range(5, len(sets.VOCABULARY)))
