import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from bert_tf.models import BertBackbone, BertConfig, weights_by_path
from tests.checks import check_keras_file

CONFIG = BertConfig(
    vocabulary_size=11,
    hidden_dim=8,
    num_layers=2,
    num_heads=2,
    intermediate_dim=16,
    max_positions=12,
    initializer_range=0.3,
)
RANDOM = np.random.default_rng(0)
SEED = np.array([1, 2], "int32")
LENGTHS = [[5, 3, 2], [4, 7]]


def batch(rows=2, length=6):
    ids = RANDOM.integers(1, 11, (rows, length)).astype("int32")
    mask = (np.arange(length)[None] < np.array([[length - 2], [length]])).astype("int32")
    return {
        "token_ids": ids * mask,
        "segment_ids": RANDOM.integers(0, 2, ids.shape).astype("int32"),
        "padding_mask": mask,
    }


def packed(lengths=LENGTHS, length=12, slots=4):
    """Packed rows, and each example alone: [(row, slot, start, inputs)]."""
    keys = ("token_ids", "segment_ids", "padding_mask", "example_ids", "position_ids")
    rows = {key: np.zeros((len(lengths), length), "int32") for key in keys}
    rows["first_positions"] = np.zeros((len(lengths), slots), "int32")
    alone = []
    for row, row_lengths in enumerate(lengths):
        at = 0
        for slot, n in enumerate(row_lengths):
            one = {"token_ids": RANDOM.integers(1, 11, n), "segment_ids": RANDOM.integers(0, 2, n)}
            alone.append((row, slot, at, {key: x[None].astype("int32") for key, x in one.items()}))
            values = one | {"padding_mask": 1, "example_ids": slot + 1, "position_ids": np.arange(n)}
            for key, value in values.items():
                rows[key][row, at : at + n] = value
            rows["first_positions"][row, slot] = at
            at += n
    return rows, alone


def test_shapes_and_dtypes():
    out = BertBackbone(CONFIG)(batch())
    assert {name: (tuple(x.shape), x.dtype.name) for name, x in out.items()} == {
        "sequence_output": ((2, 6, 8), "float32"),
        "pooled_output": ((2, 8), "float32"),
    }


def test_weights_exist_at_once_and_are_float32_under_a_mixed_policy():
    model = BertBackbone(CONFIG, dtype="mixed_bfloat16")
    assert len(model.weights) == 5 + 2 * 16 + 2
    assert {weight.dtype for weight in model.weights} == {"float32"}
    assert {x.dtype.name for x in model(batch()).values()} == {"bfloat16"}


def test_biases_start_at_zero_norms_at_one_and_kernels_truncated_and_apart():
    paths = weights_by_path(BertBackbone(CONFIG.replace(initializer_range=0.02, hidden_dim=64)))
    for path, weight in paths.items():
        x = np.array(weight)
        if path.endswith(("bias", "beta")):
            assert not x.any(), path
        elif path.endswith("gamma"):
            assert (x == 1).all(), path
        else:
            assert np.abs(x).max() <= 0.04, path
            assert x.std() == pytest.approx(0.0176, rel=0.15), path  # what is left of 0.02 within two deviations
    assert np.any(np.array(paths["block_0/attention/query/kernel"]) != np.array(paths["block_0/attention/key/kernel"]))


def test_padding_content_never_reaches_a_real_token():
    model, inputs = BertBackbone(CONFIG), batch()
    real = inputs["padding_mask"].astype(bool)
    other = inputs | {"token_ids": np.where(real, inputs["token_ids"], 7).astype("int32")}
    a, b = model(inputs), model(other)
    np.testing.assert_array_equal(np.array(a["sequence_output"])[real], np.array(b["sequence_output"])[real])
    np.testing.assert_array_equal(a["pooled_output"], b["pooled_output"])
    alone = model({key: inputs[key][:1, :4] for key in ("token_ids", "segment_ids")})
    np.testing.assert_allclose(a["sequence_output"][:1, :4], alone["sequence_output"], atol=1e-5)


@pytest.mark.parametrize("position_kind", ["learned", "sinusoidal"])
def test_packed_rows_give_each_example_what_it_has_alone(position_kind):
    model = BertBackbone(CONFIG.replace(position_kind=position_kind))
    rows, alone = packed()
    out = model(rows)
    assert tuple(out["pooled_output"].shape) == (2, 4, 8)
    for row, slot, start, one in alone:
        expected = model(one)
        end = start + one["token_ids"].shape[1]
        got = out["sequence_output"][row, start:end]
        np.testing.assert_allclose(got, expected["sequence_output"][0], atol=1e-5)
        np.testing.assert_allclose(out["pooled_output"][row, slot], expected["pooled_output"][0], atol=1e-5)


def test_a_packed_row_may_be_longer_than_the_positions_of_one_example():
    model = BertBackbone(CONFIG.replace(max_positions=7))
    rows, _ = packed()
    model(rows)
    del rows["position_ids"]
    with pytest.raises(ValueError, match=r"`max_positions`.*\(2, 12\), max_positions=7"):
        model(rows)


@pytest.mark.parametrize("inputs", [batch(), packed()[0], {"token_ids": batch()["token_ids"]}])
@pytest.mark.parametrize("num_layers", [1, 2])
def test_only_the_pooled_output_is_the_same_pooled_output(inputs, num_layers):
    model = BertBackbone(CONFIG.replace(num_layers=num_layers))
    out = model(inputs, only_pooled=True)
    assert list(out) == ["pooled_output"]
    np.testing.assert_allclose(out["pooled_output"], model(inputs)["pooled_output"], atol=1e-6)


def test_dropout_only_in_training_and_by_its_seed():
    model, inputs = BertBackbone(CONFIG), batch()

    def pooled(**arguments):
        return np.array(model(inputs, **arguments)["pooled_output"])

    np.testing.assert_array_equal(pooled(), pooled(training=False, seed=SEED))
    np.testing.assert_array_equal(pooled(training=True, seed=SEED), pooled(training=True, seed=SEED))
    assert np.any(pooled(training=True, seed=SEED) != pooled(training=True, seed=SEED + 1))
    assert np.any(pooled(training=True) != pooled(training=True))
    assert np.any(pooled(training=True, seed=SEED) != pooled())
    still = BertBackbone(CONFIG.replace(hidden_dropout=0.0, attention_dropout=0.0))
    assert not still.non_trainable_variables
    out = still(inputs, training=True)["pooled_output"]
    np.testing.assert_allclose(out, still(inputs)["pooled_output"], atol=1e-5)


def losses_and_gradients(model, inputs, **options):
    variables = [weight.value for weight in model.trainable_variables]

    @tf.function(**options)
    def run(inputs):
        with tf.GradientTape() as tape:
            out = model(inputs, training=True, seed=SEED)
            loss = sum(tf.reduce_sum(tf.sin(tf.cast(x, tf.float32))) for x in out.values())
        return loss, [tf.convert_to_tensor(g) for g in tape.gradient(loss, variables)]

    return run({key: tf.constant(x) for key, x in inputs.items()})


@pytest.mark.parametrize(
    ("dtype", "inputs"),
    [("float32", packed()[0]), ("mixed_bfloat16", batch())],
    ids=["float32-packed", "bfloat16-padded"],
)
def test_recomputing_gives_the_same_gradients_with_dropout(dtype, inputs):
    plain = BertBackbone(CONFIG, dtype=dtype)
    again = BertBackbone(CONFIG.replace(recompute=True), dtype=dtype)
    again.set_weights(plain.get_weights())
    loss, gradients = losses_and_gradients(plain, inputs)
    loss_again, gradients_again = losses_and_gradients(again, inputs)
    assert float(loss) == pytest.approx(float(loss_again), rel=1e-5)
    for weight, a, b in zip(plain.trainable_variables, gradients, gradients_again, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5, err_msg=weight.path)


@pytest.mark.parametrize("recompute", [False, True])
def test_xla_compiles_forward_and_gradient(recompute):
    still = {"num_layers": 1, "hidden_dropout": 0.0, "attention_dropout": 0.0}
    model, (inputs, _) = BertBackbone(CONFIG.replace(recompute=recompute, **still)), packed()
    loss, gradients = losses_and_gradients(model, inputs)
    loss_xla, gradients_xla = losses_and_gradients(model, inputs, jit_compile=True)
    assert float(loss) == pytest.approx(float(loss_xla), rel=1e-5)
    for weight, a, b in zip(model.trainable_variables, gradients, gradients_xla, strict=True):
        np.testing.assert_allclose(a, b, atol=2e-4, err_msg=weight.path)


def test_xla_compiles_dropout():
    loss, gradients = losses_and_gradients(BertBackbone(CONFIG.replace(num_layers=1)), packed()[0], jit_compile=True)
    assert np.isfinite(loss)
    assert all(np.isfinite(g).all() for g in gradients)


@pytest.mark.parametrize("dtype", ["mixed_bfloat16", "mixed_float16"])
def test_low_precision_is_near_float32(dtype):
    model, low, (rows, _) = BertBackbone(CONFIG), BertBackbone(CONFIG, dtype=dtype), packed()
    low.set_weights(model.get_weights())
    for name, x in low(rows).items():
        np.testing.assert_allclose(ops.cast(x, "float32"), model(rows)[name], atol=0.1)


def test_unknown_lengths_inside_a_graph():
    model, inputs = BertBackbone(CONFIG), batch()
    signature = {key: tf.TensorSpec([None, None], tf.int32) for key in inputs}
    run = tf.function(lambda x: model(x), input_signature=[signature])
    out = run({key: tf.constant(x) for key, x in inputs.items()})
    np.testing.assert_allclose(out["sequence_output"], model(inputs)["sequence_output"], atol=1e-6)


def test_a_keras_file_gives_the_model_back(tmp_path):
    model = BertBackbone(CONFIG.replace(hidden_dropout=0.2), dtype="mixed_bfloat16", name="mine")
    again = check_keras_file(model, batch(), tmp_path, lambda out: np.array(ops.cast(out["pooled_output"], "float32")))
    assert again.config == model.config
    assert again.dtype_policy.name == "mixed_bfloat16"


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        (np.ones((2, 3), "int32"), "`inputs` must be a dict with the key token_ids. Received"),
        ({"padding_mask": np.ones((2, 3), "int32")}, "`inputs` needs token_ids.*Received: padding_mask"),
        (batch() | {"segments": np.ones((2, 6))}, "`inputs` knows no segments. Known: token_ids, segment_ids"),
        ({"token_ids": np.ones(3, "int32")}, r"`token_ids` must have the shape \[B, T\].*\(3,\)"),
        (
            batch() | {"padding_mask": np.ones((2, 5), "int32")},
            r"`padding_mask`.*\(2, 5\), token_ids of shape \(2, 6\)",
        ),
        ({"token_ids": np.ones((1, 13), "int32")}, r"`max_positions`.*\(1, 13\), max_positions=12"),
    ],
)
def test_bad_inputs_are_named(inputs, message):
    with pytest.raises(ValueError, match=message):
        BertBackbone(CONFIG)(inputs)


def test_a_bad_config_is_named():
    with pytest.raises(ValueError, match=r"`config` must be a BertConfig. Received: config=\{\}"):
        BertBackbone({})  # pyright: ignore[reportArgumentType]
