import keras
import numpy as np
import pytest
import tensorflow as tf

from bert_tf.models import BertBackbone, BertClassifier, weights_by_path
from tests.checks import check_keras_file
from tests.models.backbones.test_bert import CONFIG, SEED, batch, packed


def test_logits_are_float32_under_every_policy():
    for dtype in ("float32", "mixed_bfloat16", "mixed_float16"):
        model = BertClassifier(CONFIG, 3, dtype=dtype)
        assert (tuple(model(batch()).shape), model(batch()).dtype.name) == ((2, 3), "float32")
        assert (tuple(model(packed()[0]).shape)) == (2, 4, 3)


def test_packed_rows_give_each_example_the_logits_it_has_alone():
    model = BertClassifier(CONFIG, 3)
    rows, alone = packed()
    logits = model(rows)
    for row, slot, _, one in alone:
        np.testing.assert_allclose(logits[row, slot], model(one)[0], atol=1e-5)


def test_the_backbones_paths_are_the_same_under_a_head():
    backbone = BertBackbone(CONFIG, name="encoder")
    model = BertClassifier(backbone, 3, name="head")
    paths = weights_by_path(model)
    assert set(paths) == {*weights_by_path(backbone), "classifier/kernel", "classifier/bias"}
    assert backbone.pooler is not None
    assert paths["pooler/dense/kernel"] is backbone.pooler.dense.kernel
    assert tuple(paths["classifier/kernel"].shape) == (8, 3)
    assert model.config is backbone.config


LOGITS = np.array([[2.0, -1.0, 0.5], [0.0, 1.0, -2.0], [1.0, 1.0, 3.0]])


def with_logits(problem, num_classes=3):
    """A classifier whose logits are LOGITS, whatever comes in: its loss is all there is to see."""
    model = BertClassifier(CONFIG, num_classes, problem=problem)
    model.call = lambda inputs, training=None, seed=None: tf.constant(LOGITS[:, :num_classes], tf.float32)
    return model


INPUTS = {"token_ids": np.ones((3, 4), "int32")}


def log_softmax(x):
    return x - np.log(np.exp(x).sum(-1, keepdims=True))


def test_single_label_loss_is_the_mean_cross_entropy():
    each = -log_softmax(LOGITS)[[0, 1, 2], [0, 2, 1]]
    model = with_logits("single_label")
    out = model.compute(INPUTS, labels=np.array([0, 2, 1], "int32"))
    assert float(out["loss"]) == pytest.approx(each.mean(), rel=1e-5)
    np.testing.assert_allclose(out["logits"], LOGITS)
    weighted = model.compute(INPUTS, labels=np.array([0, 2, 1], "int32"), example_weight=np.array([1.0, 0.0, 3.0]))
    assert float(weighted["loss"]) == pytest.approx((each[0] + 3 * each[2]) / 4, rel=1e-5)
    left_out = model.compute(INPUTS, labels=np.array([0, -100, 1], "int32"))
    assert float(left_out["loss"]) == pytest.approx(each[[0, 2]].mean(), rel=1e-5)
    assert list(model.compute(INPUTS)) == ["logits"]


def test_multi_label_loss_is_the_mean_binary_cross_entropy():
    labels = np.array([[1, 0, 1], [0, 0, 0], [1, 1, 1]], "int32")
    each = np.log1p(np.exp(LOGITS)) - labels * LOGITS
    loss = with_logits("multi_label").compute(INPUTS, labels=labels)["loss"]
    assert float(loss) == pytest.approx(each.mean(), rel=1e-5)


def test_regression_loss_is_the_mean_squared_error():
    labels = np.array([1.5, 0.0, -1.0], "float32")
    expected = np.mean((LOGITS[:, 0] - labels) ** 2)
    for shaped in (labels, labels[:, None]):
        assert float(with_logits("regression", 1).compute(INPUTS, labels=shaped)["loss"]) == pytest.approx(expected)
    several = with_logits("regression").compute(INPUTS, labels=np.zeros((3, 3), "float32"))["loss"]
    assert float(several) == pytest.approx(np.mean(LOGITS**2))


def test_losses_agree_with_huggingface_rules_on_the_problem():
    assert BertClassifier(CONFIG, 1).problem == "regression"
    assert BertClassifier(CONFIG, 3).problem == "single_label"
    assert BertClassifier(CONFIG, 1, problem="multi_label").problem == "multi_label"


def test_a_packed_loss_leaves_empty_slots_out():
    model = BertClassifier(CONFIG, 3)
    rows, alone = packed()
    rows = {key: np.concatenate([x, np.zeros_like(x[:1])]) for key, x in rows.items()}  # and a row with nothing in it
    labels = np.full((3, 4), 2, "int32")
    expected = [float(model.compute(one, labels=np.array([2], "int32"))["loss"]) for *_, one in alone]
    assert float(model.compute(rows, labels=labels)["loss"]) == pytest.approx(np.mean(expected), rel=1e-5)
    weight = np.zeros((3, 4), "float32")
    weight[0, 1] = 1.0
    assert float(model.compute(rows, labels=labels, example_weight=weight)["loss"]) == pytest.approx(
        expected[1], rel=1e-5
    )
    assert float(model.compute(rows, labels=labels, example_weight=np.zeros((3, 4)))["loss"]) == 0.0


def test_the_loss_reaches_every_weight():
    model = BertClassifier(CONFIG, 3)
    variables = [weight.value for weight in model.trainable_variables]
    with tf.GradientTape() as tape:
        loss = model.compute(packed()[0], labels=np.zeros((2, 4), "int32"), training=True, seed=SEED)["loss"]
    gradients = tape.gradient(loss, variables)
    assert [w.path for w, g in zip(model.trainable_variables, gradients, strict=True) if g is None] == []


def test_compile_and_fit_work():
    keras.utils.set_random_seed(0)
    random = np.random.default_rng(0)
    ids = random.integers(1, 11, (64, 6)).astype("int32")
    labels = (ids[:, 1] > 5).astype("int32")
    model = BertClassifier(CONFIG.replace(num_layers=1, hidden_dropout=0.0), 2)
    model.compile(
        optimizer=keras.optimizers.Adam(0.01),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    inputs = {"token_ids": ids, "padding_mask": np.ones_like(ids)}
    history = model.fit(inputs, labels, batch_size=16, epochs=12, verbose="none").history
    assert history["loss"][-1] < 0.7 * history["loss"][0]
    predicted = model.predict(inputs, verbose="none").argmax(-1)
    assert (predicted == labels).mean() > 0.8


def test_a_keras_file_gives_the_model_back(tmp_path):
    model = BertClassifier(
        CONFIG, 3, labels=("a", "b", "c"), problem="multi_label", dropout=0.3, dtype="mixed_bfloat16"
    )
    again = check_keras_file(model, batch(), tmp_path, np.array)
    assert (again.labels, again.problem, again.dropout) == (("a", "b", "c"), "multi_label", 0.3)
    assert again.backbone.dtype_policy.name == "mixed_bfloat16"


def test_dropout_of_the_head_is_active_only_in_training():
    quiet = CONFIG.replace(hidden_dropout=0.0, attention_dropout=0.0)
    model = BertClassifier(quiet, 3, dropout=0.5)
    inputs = batch()
    np.testing.assert_array_equal(model(inputs), model(inputs, training=False))
    a, b = model(inputs, training=True, seed=SEED), model(inputs, training=True, seed=SEED)
    np.testing.assert_array_equal(a, b)
    assert np.abs(a - model(inputs)).max() > 1e-3
    assert BertClassifier(CONFIG.replace(hidden_dropout=0.2), 3).dropout == 0.2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_classes": 0}, "`num_classes` must be an integer of at least 1.*num_classes=0"),
        (
            {"num_classes": 2, "labels": ("a",)},
            r"`labels` must be `num_classes` different names.*\('a',\), num_classes=2",
        ),
        ({"num_classes": 2, "labels": ("a", "a")}, r"`labels`.*\('a', 'a'\)"),
        ({"num_classes": 2, "problem": "ranking"}, "`problem` must be one of single_label, .*regression.*'ranking'"),
        ({"num_classes": 2, "dropout": 1.5}, r"`dropout` must be a number in \[0, 1\).*dropout=1.5"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        BertClassifier(CONFIG, **arguments)
    with pytest.raises(ValueError, match=r"`backbone` must be a BertBackbone or a BertConfig.*backbone='minilm'"):
        BertClassifier("minilm", 2)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"labels": np.zeros(2, "int32")}, r"`labels` must have the shape \[3\]. Received: labels of shape \[2\]"),
        ({"labels": np.zeros(3, "int32"), "example_weight": np.ones((3, 1))}, r"`example_weight`.*\[3\].*\[3, 1\]"),
    ],
)
def test_labels_that_do_not_fit_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        BertClassifier(CONFIG, 3).compute(INPUTS, **arguments)


def test_answers_in_units_of_their_own_are_saved_within_the_layer(tmp_path):
    """What the layer gives, x, is answered as center + deviation * x, by the model and by what is saved of it alike."""
    model = BertClassifier(CONFIG, 2, problem="regression")
    inputs = {"token_ids": np.array([[2, 5, 6, 3], [2, 7, 8, 3]])}
    model.classifier.kernel.assign(np.random.default_rng(0).normal(size=model.classifier.kernel.shape))
    plain = np.array(model(inputs))
    model.answer_in([1000.0, -0.5], [250.0, 0.01])
    moved = np.array(model(inputs))
    np.testing.assert_allclose(moved, [1000.0, -0.5] + np.array([250.0, 0.01]) * plain, rtol=1e-6)
    model.save_pretrained(tmp_path)
    saved = BertClassifier.from_pretrained(tmp_path)
    assert saved.deviation is None
    np.testing.assert_allclose(saved(inputs), moved, rtol=1e-5)
    arrays = {path: np.array(variable) for path, variable in weights_by_path(model).items()}
    back = model.as_trained(model.as_saved(arrays))
    for path, array in arrays.items():
        np.testing.assert_allclose(back[path], array, rtol=1e-4, atol=1e-5, err_msg=path)
