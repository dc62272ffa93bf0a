"""What every layer must pass, in one call."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
from keras import ops

LOW_PRECISION = ("mixed_bfloat16", "mixed_float16")


def check_layer(
    cls: type[keras.layers.Layer],
    arguments: Mapping[str, Any],
    inputs: Mapping[str, np.ndarray],
    output_shape: tuple[int, ...],
    *,
    shorter: Callable[[np.ndarray], np.ndarray] | None = None,
    output_dtype: str | None = None,
    weights: int,
    call_arguments: Mapping[str, Any] | None = None,
) -> keras.layers.Layer:
    """Builds the layer and holds what Keras asks of it, as keras-hub's `run_layer_test` does.

    Args:
        cls: the layer's class.
        arguments: what it is made with.
        inputs: the tensors of a call by argument name; the first is the one that gradients may flow to.
        output_shape: of the call.
        shorter: cuts an input to a smaller T, which the same layer must take; None: not tried.
        output_dtype: of the call; None: the compute dtype of each policy.
        weights: how many there are.
        call_arguments: other arguments of the call in training, such as a seed.
    Returns: the layer in float32, built.
    """
    keras.utils.set_random_seed(1)  # of weights whose least bits low precision may lose, the same in every run
    layer = cls(**arguments)
    _check_config(cls, layer)
    first, *rest = inputs
    symbolic = {name: keras.KerasTensor((None, None, *x.shape[2:]), dtype=x.dtype.name) for name, x in inputs.items()}
    out = layer(symbolic[first], **{name: symbolic[name] for name in rest})
    assert out.shape[-1] == output_shape[-1], f"symbolic shape {out.shape}, wanted {output_shape}"
    assert len(layer.weights) == weights, [weight.path for weight in layer.weights]
    exact = _call(layer, inputs)
    assert tuple(exact.shape) == output_shape
    assert keras.backend.standardize_dtype(exact.dtype) == (output_dtype or "float32") == out.dtype
    if shorter is not None:
        cut = {name: shorter(x) for name, x in inputs.items()}
        assert _call(layer, cut).shape[1] == cut[first].shape[1]

    _check_gradients(layer, inputs, dict(call_arguments or {}))
    for policy in LOW_PRECISION:
        _check_precision(cls, policy, layer, inputs, exact, output_dtype)
    return layer


def _call(layer, inputs, **others):
    first, *rest = inputs
    return layer(
        ops.convert_to_tensor(inputs[first]), **{name: ops.convert_to_tensor(inputs[name]) for name in rest}, **others
    )


def _check_config(cls, layer):
    config = layer.get_config()
    again = cls.from_config(config)
    assert again.get_config() == config
    assert keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer)).get_config() == config
    arguments = set(inspect.signature(cls.__init__).parameters) - {"self", "kwargs"}
    assert arguments <= set(config), f"get_config leaves out {sorted(arguments - set(config))}"


def _check_gradients(layer, inputs, call_arguments):
    """Every trainable weight has a gradient in training, finite and of its own shape."""

    def loss():
        out = _call(layer, inputs, training=True, **call_arguments)
        return ops.sum(ops.square(ops.cast(out, "float32")) * ops.arange(out.shape[-1], dtype="float32"))

    for weight, gradient in zip(
        layer.trainable_variables, GRADIENTS[keras.backend.backend()](layer, loss), strict=True
    ):
        assert gradient is not None, f"no gradient reaches {weight.path}"
        assert tuple(gradient.shape) == tuple(weight.shape)
        assert np.isfinite(gradient).all(), weight.path


def _gradients_of_tensorflow(layer, loss):
    import tensorflow as tf

    variables = [weight.value for weight in layer.trainable_variables]
    there: list[bool] = []

    @tf.function
    def gradients():
        with tf.GradientTape() as tape:
            value = loss()
        found = tape.gradient(value, variables)
        there[:] = [gradient is not None for gradient in found]
        return [tf.convert_to_tensor(gradient) for gradient in found if gradient is not None]

    found = iter(gradients())
    return [next(found).numpy() if is_there else None for is_there in there]


def _gradients_of_jax(layer, loss):
    import jax

    def of_values(values):
        with keras.StatelessScope(state_mapping=list(zip(layer.trainable_variables, values, strict=True))):
            return loss()

    found = jax.jit(jax.grad(of_values))([weight.value for weight in layer.trainable_variables])
    return [np.asarray(gradient) for gradient in found]


def _gradients_of_torch(layer, loss):
    layer.zero_grad()
    loss().backward()
    found = [weight.value.grad for weight in layer.trainable_variables]
    return [None if gradient is None else gradient.detach().cpu().numpy() for gradient in found]


GRADIENTS = {"tensorflow": _gradients_of_tensorflow, "jax": _gradients_of_jax, "torch": _gradients_of_torch}


def _check_precision(cls, policy, layer, inputs, exact, output_dtype):
    low = cls.from_config(layer.get_config() | {"dtype": policy})
    low.build(None)
    low.set_weights(layer.get_weights())
    assert all(weight.dtype == "float32" for weight in low.weights)
    out = _call(low, inputs)
    assert keras.backend.standardize_dtype(out.dtype) == (output_dtype or low.compute_dtype)
    low_out, exact = (ops.convert_to_numpy(ops.cast(x, "float32")) for x in (out, exact))
    np.testing.assert_allclose(low_out, exact, atol=0.05, rtol=0.05)


def check_keras_file(model, inputs, folder, run: Callable[[Any], Any]) -> keras.Model:
    """A `.keras` file gives the model back: the same weights by path, and outputs equal bit by bit."""
    from bert_tf.models import weights_by_path

    path = folder / "model.keras"
    model.save(path)
    again = keras.saving.load_model(path)
    assert type(again) is type(model)
    assert again.get_config() == model.get_config()
    assert list(weights_by_path(again)) == list(weights_by_path(model))
    for name, weight in weights_by_path(model).items():
        np.testing.assert_array_equal(weights_by_path(again)[name], weight, err_msg=name)
    np.testing.assert_array_equal(run(again(inputs)), run(model(inputs)))
    return again
