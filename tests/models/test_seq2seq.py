"""BertSeq2Seq: the mask, the losses, packed rows, files, and writing with and without kept keys and values."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from bert_tf.data import Epochs, Features, choose_layout, replica_batches
from bert_tf.kinds.text_to_text.features import with_targets
from bert_tf.models import BertBackbone, BertConfig, BertSeq2Seq, Generation, weights_by_path
from bert_tf.models.base import inputs_of
from bert_tf.sentinels import IGNORED_LABEL
from tests.checks import check_keras_file
from tests.rest_slow import rest_slow

GOLDEN = Path(__file__).parents[1] / "golden" / "seq2seq.npz"
CONFIG = BertConfig(
    vocabulary_size=30,
    hidden_dim=8,
    num_layers=2,
    num_heads=2,
    intermediate_dim=16,
    max_positions=32,
    hidden_dropout=0.0,
    attention_dropout=0.0,
    initializer_range=0.5,
)
END = 3
WRITTEN = [Generation(max_length=9), Generation(max_length=9, beams=3)]


def make(config: BertConfig = CONFIG, **options) -> BertSeq2Seq:
    keras.utils.set_random_seed(5)
    model = BertSeq2Seq(config, **options)
    model.masked_lm.bias.assign(np.linspace(-1, 1, config.vocabulary_size))
    return model


def features(count: int = 12, seed: int = 1) -> Features:
    """[CLS] source [SEP] target [SEP] of random tokens."""
    rng = np.random.default_rng(seed)

    def side(low, high):
        lengths = rng.integers(low, high, size=count)
        splits = np.concatenate([[0], np.cumsum(lengths + 2)])
        ids = rng.integers(5, 30, size=splits[-1]).astype(np.int32)
        ids[splits[:-1]], ids[splits[1:] - 1] = 2, END
        return Features(token_ids=ids, segment_ids=np.zeros(len(ids), np.int8), splits=splits)

    return with_targets(side(1, 6), side(1, 5))


def row(rows: Features, e: int) -> dict[str, np.ndarray]:
    part = slice(*rows.splits[e : e + 2])
    arrays = {"token_ids": rows.token_ids, "segment_ids": rows.segment_ids, **rows.token_fields}
    return {name: array[part][None].astype(np.int32) for name, array in arrays.items()}


def test_the_source_does_not_see_the_target_nor_the_target_its_future():
    model, inputs = make(), row(features(), 0)
    del inputs["target_ids"]
    logits, source = model(inputs), int((inputs["segment_ids"] == 0).sum())
    for place in range(source, inputs["token_ids"].shape[1]):
        changed = inputs["token_ids"].copy()
        changed[:, place] = 4
        other = model(inputs | {"token_ids": changed})
        np.testing.assert_allclose(other[:, :place], logits[:, :place], atol=1e-6)
        assert np.abs(other[:, place:] - logits[:, place:]).max() > 1e-3


def test_the_losses_are_those_of_the_logits():
    model, inputs = make(), row(features(), 1)
    targets = inputs.pop("target_ids")
    log_p = tf.nn.log_softmax(model(inputs)).numpy()
    losses = model(inputs | {"target_ids": targets}).numpy()
    places = np.flatnonzero(targets[0] != IGNORED_LABEL)
    assert len(places) == (inputs["segment_ids"] == 1).sum()
    np.testing.assert_allclose(losses[0, places, 0], -log_p[0, places, targets[0, places]], atol=1e-5)
    np.testing.assert_allclose(losses[0, places, 1], -log_p[0, places].mean(-1), atol=1e-5)
    found = model.compute(inputs, labels=targets, label_smoothing=0.1)
    expected = 0.9 * losses[0, places, 0].mean() + 0.1 * losses[0, places, 1].mean()
    np.testing.assert_allclose(found["loss"], expected, rtol=1e-5)


@pytest.mark.parametrize("xla", rest_slow([False, True], True))
def test_packed_rows_have_the_losses_of_the_single_ones(xla):
    model, rows = make(), features()
    layout = choose_layout(rows.lengths, 6, batching="packed", pack_length=24)
    epochs = Epochs.of(rows.lengths, layout, seed=1)
    run = tf.function(lambda inputs: model(inputs, training=True, seed=tf.constant([1, 2])), jit_compile=xla)
    seen = 0
    for block in replica_batches(rows, epochs, stop=epochs.number_of_batches(1)):
        losses = run({name: tf.constant(value) for name, value in inputs_of(block).items()}).numpy()
        for r, slot in zip(*np.nonzero(block["example_index"] >= 0), strict=True):
            alone = model(row(rows, int(block["example_index"][r, slot]))).numpy()[0]
            mine = losses[r][block["example_ids"][r] == slot + 1]
            np.testing.assert_allclose(mine, alone, atol=1e-5)
            seen += 1
        assert (losses[block["example_ids"] == 0] == 0).all()
    assert seen == len(rows)


def sources() -> dict[str, tf.Tensor]:
    ids = np.random.default_rng(3).integers(5, 30, size=(4, 7)).astype(np.int32)
    mask = (np.arange(7) < np.array([[7], [3], [5], [2]])).astype(np.int32)
    return {"token_ids": tf.constant(ids * mask), "padding_mask": tf.constant(mask)}


def all_at_once(model: BertSeq2Seq, inputs, written: np.ndarray, beams: int) -> np.ndarray:
    """Logits [B * K, L, V] that predict each token of `written` [B * K, L], from one pass over whole rows."""
    ids, mask = inputs["token_ids"].numpy(), inputs["padding_mask"].numpy()
    found = []
    for r, text in enumerate(written):
        source = ids[r // beams][mask[r // beams] == 1]
        tokens = np.concatenate([source, text])[None].astype(np.int32)
        segments = (np.arange(tokens.shape[1]) >= len(source)).astype(np.int32)[None]
        logits = model({"token_ids": tokens, "segment_ids": segments}).numpy()[0]
        found.append(logits[len(source) - 1 : -1])
    return np.stack(found)


@pytest.mark.parametrize("beams", [1, 3])
def test_kept_keys_and_values_give_the_logits_of_whole_rows(beams):
    model, inputs, length = make(), sources(), 6
    written = np.random.default_rng(4).integers(5, 30, size=(4 * beams, length)).astype(np.int32)
    settings = Generation(max_length=length, beams=beams)
    logits, source = model.read(inputs)
    found, past = [np.repeat(logits, beams, axis=0)], model.empty_past(logits, settings)
    for place in range(length - 1):
        tokens = tf.constant(written[:, place].reshape(4, beams))
        logits, past = model.next_logits(tokens, tf.constant(place), source, past)
        found.append(np.array(logits))
    np.testing.assert_allclose(np.stack(found, axis=1), all_at_once(model, inputs, written, beams), atol=1e-5)


@pytest.mark.parametrize("settings", rest_slow(WRITTEN, WRITTEN[0]))
def test_scores_are_those_of_what_is_written_in_one_graph_for_all_sizes(settings):
    model = make()
    spec = {name: tf.TensorSpec([None, None], tf.int32) for name in sources()}
    write = tf.function(lambda inputs: model.generate(inputs, settings, end_id=END), input_signature=[spec])
    for count, width in ((4, 7), (2, 7), (1, 7)):
        inputs = {name: value[:count, :width] for name, value in sources().items()}
        found = write(inputs)
        written = found["token_ids"].numpy()
        assert written.shape == (count, 9)
        log_p = tf.nn.log_softmax(all_at_once(model, inputs, written, 1)).numpy()
        for b, text in enumerate(written):
            length = list(text).index(END) + 1 if END in text else 9
            expected = np.mean([log_p[b, j, text[j]] for j in range(length)])
            np.testing.assert_allclose(found["score"][b], expected, atol=1e-5)
            assert (text[length:] == 0).all()


@pytest.mark.slow  # XLA's CPU compiler takes minutes over it
def test_writing_compiles_with_xla():
    model = make(CONFIG.replace(hidden_dim=16, intermediate_dim=32))
    settings = Generation(max_length=5, beams=2, no_repeat_ngram=2)
    write = tf.function(lambda inputs: model.generate(inputs, settings, end_id=END), jit_compile=True)
    expected = model.generate(sources(), settings, end_id=END)
    np.testing.assert_array_equal(write(sources())["token_ids"], expected["token_ids"])


def test_files_of_transformers_masked_lm(tmp_path):
    import json

    from safetensors.numpy import load_file

    model = make()
    model.save_pretrained(tmp_path)
    assert json.loads((tmp_path / "config.json").read_text())["architectures"] == ["BertForMaskedLM"]
    names = set(load_file(tmp_path / "model.safetensors"))
    assert "cls.predictions.transform.dense.weight" in names
    assert {name.split(".")[0] for name in names} == {"bert", "cls"}
    assert not any("pooler" in name for name in names)
    again = BertSeq2Seq.from_pretrained(tmp_path)
    for path, weight in weights_by_path(model).items():
        if not path.startswith("pooler/"):
            np.testing.assert_array_equal(weights_by_path(again)[path], weight, err_msg=path)


def test_a_bare_backbone_gets_a_new_head(tmp_path):
    BertBackbone(CONFIG).save_pretrained(tmp_path)
    model = BertSeq2Seq.from_pretrained(tmp_path)
    assert np.asarray(model.masked_lm.bias).tolist() == [0.0] * 30


def test_keras_file(tmp_path):
    inputs = row(features(), 2)
    del inputs["target_ids"]
    check_keras_file(make(), inputs, tmp_path, np.asarray)


def test_the_logits_of_transformers():
    """BertForMaskedLM with the same weights, given our mask; see benchmarks/make_golden_seq2seq.py."""
    golden = dict(np.load(GOLDEN))
    model = make()
    inputs = {name: golden[name] for name in ("token_ids", "segment_ids", "padding_mask")}
    for path, weight in weights_by_path(model).items():
        if not path.startswith("pooler/"):
            weight.assign(golden[f"weights/{path}"])
    real = golden["padding_mask"].astype(bool)
    np.testing.assert_allclose(np.asarray(model(inputs))[real], golden["logits"][real], atol=1e-5)


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match=r"`backbone` must be a BertBackbone or a BertConfig\. Received: backbone=3"):
        BertSeq2Seq(3)  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match="Received: num_segments=1"):
        BertSeq2Seq(CONFIG.replace(num_segments=1))
    with pytest.raises(ValueError, match=r"`inputs` must have segment_ids.*Received: \['token_ids'\]"):
        make()({"token_ids": np.ones((1, 3), "int32")})
