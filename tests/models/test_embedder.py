from __future__ import annotations

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from bert_tf.models import BertBackbone, BertConfig, BertEmbedder
from tests.rest_slow import rest_slow

CONFIG = BertConfig(
    vocabulary_size=20,
    hidden_dim=6,
    num_layers=1,
    num_heads=2,
    intermediate_dim=8,
    max_positions=16,
    initializer_range=0.5,
)
LENGTHS = (5, 3, 7)


@pytest.fixture(scope="module")
def rows() -> list[np.ndarray]:
    rng = np.random.default_rng(1)
    return [rng.integers(1, 20, size=length).astype(np.int32) for length in LENGTHS]


def padded(rows: list[np.ndarray], fill: int = 0) -> dict[str, np.ndarray]:
    length = max(map(len, rows))
    ids = np.stack([np.pad(row, (0, length - len(row)), constant_values=fill) for row in rows])
    mask = np.stack([np.arange(length) < len(row) for row in rows]).astype(np.int32)
    return {"token_ids": ids.astype(np.int32), "padding_mask": mask}


def packed(rows: list[np.ndarray], slots: int = 4) -> dict[str, np.ndarray]:
    """All in one row, with three places of padding and an empty slot, and a second row that is empty."""
    size = sum(LENGTHS) + 3
    arrays = {
        name: np.zeros((2, size), np.int32) for name in ("token_ids", "padding_mask", "example_ids", "position_ids")
    }
    first = np.zeros((2, slots), np.int32)
    at = 0
    for number, row in enumerate(rows, start=1):
        part = slice(at, at + len(row))
        arrays["token_ids"][0, part], arrays["padding_mask"][0, part] = row, 1
        arrays["example_ids"][0, part], arrays["position_ids"][0, part] = number, np.arange(len(row))
        first[0, number - 1] = at
        at += len(row)
    return {**arrays, "first_positions": first}


def make(seed: int = 3, **arguments) -> BertEmbedder:
    keras.utils.set_random_seed(seed)
    return BertEmbedder(CONFIG, **arguments)


def reference(model: BertEmbedder, row: np.ndarray) -> np.ndarray:
    """One text alone, without padding, in NumPy."""
    x = np.asarray(model.backbone({"token_ids": row[None]})["sequence_output"])[0]
    places = np.arange(1, len(x) + 1)[:, None]
    ways = {
        "mean": x.mean(axis=0),
        "cls": x[0],
        "max": x.max(axis=0),
        "mean_sqrt_len_tokens": x.sum(axis=0) / np.sqrt(len(x)),
        "weightedmean": (x * places).sum(axis=0) / places.sum(),
        "lasttoken": x[-1],
    }
    poolings = (model.pooling,) if isinstance(model.pooling, str) else model.pooling
    vector = np.concatenate([ways[pooling] for pooling in poolings])
    if model.dense is not None:
        vector = np.tanh(vector @ np.asarray(model.dense.kernel) + np.asarray(model.dense.bias))
    return (vector / np.linalg.norm(vector) if model.normalize else vector)[: model.truncate_dim]


@pytest.mark.parametrize("normalize", [True, False])
@pytest.mark.parametrize("pooling", ["mean", "cls", "max"])
def test_padded_and_packed_vectors_are_those_of_each_text_alone(rows, pooling, normalize):
    model = make(pooling=pooling, normalize=normalize)
    wanted = np.stack([reference(model, row) for row in rows])
    found = model(padded(rows, fill=9))
    assert (found.dtype, found.shape) == (tf.float32, (3, 6))
    np.testing.assert_allclose(found, wanted, atol=1e-6)
    in_rows = model(packed(rows))
    assert in_rows.shape == (2, 4, 6)
    np.testing.assert_allclose(in_rows[0, :3], wanted, atol=1e-6)
    assert np.isfinite(in_rows).all()
    if pooling != "cls":
        assert not np.any(in_rows[0, 3]), "an empty slot has the vector 0"
        assert not np.any(in_rows[1])


@pytest.mark.parametrize(
    ("width", "arguments"),
    [
        (6, {"pooling": "mean_sqrt_len_tokens", "normalize": False}),
        (6, {"pooling": "weightedmean"}),
        (6, {"pooling": "lasttoken"}),
        (18, {"pooling": ["lasttoken", "max", "weightedmean"], "normalize": False}),
        (5, {"pooling": ["cls", "mean"], "dense_dim": 5}),
        (4, {"pooling": "mean", "truncate_dim": 4}),
        (6, {"pooling": "mean", "truncate_dim": 40}),
    ],
)
def test_other_ways_in_padded_and_packed_rows(rows, width, arguments):
    model = make(**arguments)
    wanted = np.stack([reference(model, row) for row in rows])
    assert wanted.shape[1] == model.vector_dim == width
    np.testing.assert_allclose(model(padded(rows, fill=9)), wanted, atol=1e-6)
    found = model(packed(rows))
    np.testing.assert_allclose(found[0, :3], wanted, atol=1e-6)
    assert np.isfinite(found).all()


def test_one_example_a_row_by_its_number(rows):
    model, inputs = make(), padded(rows)
    numbers = {"token_ids": inputs["token_ids"], "example_ids": inputs["padding_mask"]}
    np.testing.assert_allclose(model(numbers), model(inputs), atol=1e-6)


@pytest.mark.parametrize("pooling", rest_slow(["mean", "cls", "max"], "cls"))
def test_the_gradient_is_finite_with_empty_slots_also_under_xla(rows, pooling):
    model, inputs = make(pooling=pooling), {name: tf.constant(value) for name, value in packed(rows).items()}
    table = model.backbone.embeddings.token.table.value

    def gradient(inputs):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(model(inputs, training=True) * tf.range(6.0))
        return tf.convert_to_tensor(tape.gradient(loss, table))

    model.backbone.seed_generator = None
    found = tf.function(gradient, jit_compile=True)(inputs)
    assert np.isfinite(found).all()
    assert np.abs(found).max() > 1e-4


def test_word_vectors_are_the_encoders(rows):
    model, inputs = make(), padded(rows)
    found = model.vectors(inputs)
    np.testing.assert_array_equal(found["word_vectors"], model.backbone(inputs)["sequence_output"])
    np.testing.assert_array_equal(found["sentence_vectors"], model(inputs))


def test_compute_gives_cosines_and_their_loss(rows):
    model = make(normalize=False)
    first, second = padded(rows), padded(rows[::-1])
    assert set(model.compute(first)) == {"sentence_vectors", "word_vectors"}
    a, b = np.asarray(model(first), np.float64), np.asarray(model(second), np.float64)
    cosines = np.sum(a * b, -1) / np.linalg.norm(a, axis=-1) / np.linalg.norm(b, axis=-1)
    labels = np.array([0.1, 1.0, -0.5])
    found = model.compute(first, second, labels=labels)
    np.testing.assert_allclose(found["logits"], cosines, atol=1e-6)
    np.testing.assert_allclose(float(found["loss"]), np.mean((cosines - labels) ** 2), rtol=1e-5)
    with pytest.raises(ValueError, match=r"`labels` must have the shape \[3\]. Received: labels of shape \[2\]"):
        model.compute(first, second, labels=labels[:2])
    with pytest.raises(ValueError, match="need `pairs`"):
        model.compute(first, labels=labels)


def test_compute_gives_losses_of_pairs_and_triplets_without_labels(rows):
    model = make()
    first, second, third = padded(rows), padded(rows[::-1]), padded(rows[1:] + rows[:1])
    x, y, z = (np.asarray(model(inputs), np.float64) for inputs in (first, second, third))

    def of_choice(choices, scale):
        logits = scale * x @ choices.T
        return np.mean([np.log(np.exp(row).sum()) - row[i] for i, row in enumerate(logits)])

    found = model.compute(first, second, loss="contrastive", scale=2.0)
    assert float(found["loss"]) == pytest.approx(of_choice(y, 2.0), rel=1e-5)
    found = model.compute(first, second, loss="contrastive", negatives=third)
    assert float(found["loss"]) == pytest.approx(of_choice(np.concatenate([y, z]), 20.0), rel=1e-4)
    wanted = np.mean(np.maximum(np.sum(x * z, -1) - np.sum(x * y, -1) + 0.5, 0))
    found = model.compute(first, second, loss="triplet", negatives=third)
    assert float(found["loss"]) == pytest.approx(wanted, rel=1e-4)
    assert "loss" not in model.compute(first, second, negatives=third)

    # `fit` has them by what y holds.
    model.compile(run_eagerly=True)
    weight = np.array([0.5, 2.0, 1.0])
    wanted = model.compute(first, second, loss="contrastive", negatives=third, example_weight=weight)["loss"]
    y = {"pairs": second, "negatives": third}
    found = model.evaluate(first, y, sample_weight=weight, batch_size=3, verbose=0)
    assert found == pytest.approx(float(wanted), rel=1e-5)
    wanted = model.compute(first, second, loss="triplet", negatives=third, margin=0.3)["loss"]
    found = model.evaluate(first, y | {"margin": np.full(3, 0.3, np.float32)}, batch_size=3, verbose=0)
    assert found == pytest.approx(float(wanted), rel=1e-5)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"loss": "cosine"}, '`loss`="cosine" needs `labels`'),
        ({"loss": "triplet"}, '`loss`="triplet" needs `negatives`'),
        ({"loss": "hinge"}, "`loss` must be one of cosine, contrastive, triplet. Received: loss='hinge'"),
        ({"pairs": None, "loss": "contrastive"}, "need `pairs`"),
    ],
)
def test_a_loss_that_lacks_what_it_needs(rows, arguments, expected):
    with pytest.raises(ValueError, match=expected):
        make().compute(padded(rows), **({"pairs": padded(rows)} | arguments))


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (
            {"pooling": "median"},
            "`pooling` must be one of mean, cls, max, .*, or several of them. Received: .*'median'",
        ),
        ({"pooling": []}, "`pooling` must be one of mean, .*, or several of them. Received: pooling=.."),
        ({"pooling": ["cls", "best"]}, "`pooling` must be one of mean, cls, .* Received: pooling=.'cls', 'best'."),
        ({"max_length": 0}, "max_length"),
        ({"prompt": None}, "`prompt` must be a str. Received: prompt=None"),
        ({"dense_dim": 0}, "dense_dim"),
        ({"truncate_dim": -1}, "truncate_dim"),
        ({"dense_activation": "elu"}, "`dense_activation` must be one of linear, tanh, .* Received: .*'elu'"),
    ],
)
def test_bad_arguments(arguments, expected):
    with pytest.raises(ValueError, match=expected):
        BertEmbedder(CONFIG, **arguments)
    with pytest.raises(ValueError, match=r"`backbone` must be a BertBackbone or a BertConfig. Received: backbone=3"):
        BertEmbedder(3)  # pyright: ignore[reportArgumentType]


def test_config_and_files_there_and_back(rows, tmp_path):
    model, inputs = make(pooling="max", normalize=False, max_length=12), padded(rows)
    again = BertEmbedder.from_config(model.get_config())
    assert (again.pooling, again.normalize, again.max_length) == ("max", False, 12)
    model.save_pretrained(tmp_path / "one")
    loaded = BertEmbedder.from_pretrained(tmp_path / "one")
    assert (loaded.pooling, loaded.normalize, loaded.max_length) == ("max", False, 12)
    np.testing.assert_array_equal(loaded(inputs), model(inputs))
    assert json.loads((tmp_path / "one" / "config.json").read_text())["architectures"] == ["BertModel"]
    # What is asked for wins over what the folder says; a bare backbone says nothing.
    assert BertEmbedder.from_pretrained(tmp_path / "one", pooling="cls").pooling == "cls"
    BertBackbone(CONFIG).save_pretrained(tmp_path / "bare")
    bare = BertEmbedder.from_pretrained(tmp_path / "bare")
    assert (bare.pooling, bare.normalize, bare.max_length) == ("mean", True, None)


def test_the_pooler_is_kept_but_not_trained():
    model = make()
    assert not any("pooler" in weight.path for weight in model.trainable_weights)
    assert any("pooler" in weight.path for weight in model.weights)
