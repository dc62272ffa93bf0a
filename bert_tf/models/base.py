"""What every model shares: a graph built from shapes, its own loss for `fit`, weights by path, to and from files."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import keras
from keras import ops

from bert_tf.layers.trainable import DIFFERS, differing, set_trainable
from bert_tf.models.backbones.row_ends import SEES_PADDING, seeing_no_padding, sees_padding
from bert_tf.models.backbones.sizes import PRESETS, is_size
from bert_tf.models.fitting.compiled import Compiled
from bert_tf.models.heads import Architecture
from bert_tf.weights.places import place_of_preset

INPUT_KEYS = ("token_ids", "segment_ids", "padding_mask", "example_ids", "position_ids", "first_positions")
TARGET_KEYS = ("target_ids", "masked_positions", "draws")  # what a head over the vocabulary needs besides
PREPROCESSOR = "preprocessor"
GRAPH_KEYS = INPUT_KEYS[:3]


class BertModel(Compiled):
    """A Keras model whose weights exist at once and can be read and written in the known formats.

    It is built from shapes, as a functional model is: `summary()`, `input`, `output`, `export()`, and new models from
    `input` and a layer's `output` work. A call may give more than the graph's inputs, and options: it runs the same
    code as the graph was made with.

    Args:
        inputs: of `graph_inputs`.
        outputs: what the model's `call` gives for them.
        name: the model's name.
        dtype: a dtype policy; None: Keras's global one.
        trainable: False freezes all of it; True leaves layers as they are.
    """

    architecture = Architecture()
    """The class of Transformers that reads the model's files."""
    presets = PRESETS
    """Names that `from_pretrained` takes, each with what it is; KerasHub's presets have the same form."""
    uses_pooler = True
    """Whether the backbone's pooler has a part in the outputs, and so in the files."""

    def __init__(
        self, inputs: Any, outputs: Any, *, name: str | None = None, dtype: Any = None, trainable: bool = True
    ):
        super().__init__(inputs=inputs, outputs=outputs, name=name)
        self.dtype_policy = keras.dtype_policies.get(dtype)
        self.input_spec = None  # `check_inputs` says what may come, in plainer words
        if not trainable:
            self.trainable = False

    def __setattr__(self, name, value):
        # A module of PyTorch takes no layer before it is set up, which is after the graph is made of the layers. They
        # become the model's as the graph's are.
        if keras.backend.backend() == "torch" and not hasattr(self, "_modules"):
            object.__setattr__(self, name, value)
        else:
            super().__setattr__(name, value)

    def __call__(self, inputs, *args, **kwargs):
        if isinstance(inputs, Mapping):  # None stands for an input that is not there; Keras would ask for each
            inputs = {name: value for name, value in inputs.items() if value is not None}
        return super().__call__(inputs, *args, **kwargs)

    def compute_output_spec(self, *args, **kwargs):
        # The graph's own spec knows nothing of further inputs and options.
        return keras.Operation.compute_output_spec(self, *args, **kwargs)

    @property
    def saved_settings(self) -> dict[str, Any]:
        """Arguments of the class that its files keep and Transformers has no name for."""
        return {}

    @property
    def parts_beside(self) -> Mapping[str, Any]:
        """Models within this one, by their names, each with a folder of that name in the files of this one. Paths of
        their weights begin with the name."""
        return {}

    not_loaded: tuple[str, ...] | None = None
    """Paths of the weights that no file gave, and that are random; None: all of them."""

    def as_saved(self, arrays: Mapping[str, Any]) -> Mapping[str, Any]:
        """The model's weights, path -> array, as its files have them."""
        return arrays

    def as_trained(self, arrays: Mapping[str, Any]) -> Mapping[str, Any]:
        """The way back: what the model works with, for weights as files have them."""
        return arrays

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """The loss of `fit` and `evaluate`: that of `compile`, or where it was given none, the head's own.

        Args:
            x: inputs of the model.
            y: `labels` of the model's `compute`, or a dict of the arguments that it has besides `inputs`.
            y_pred: the model's outputs for `x`.
            sample_weight: `example_weight` of `compute`.
            training: whether dropout is active.
        Returns: float [].
        Raises: ValueError where there is nothing to learn from.
        """
        if self.loss is not None:
            return super().compute_loss(x, y, y_pred, sample_weight, training)
        given = dict(y) if isinstance(y, Mapping) else {} if y is None else {"labels": y}
        if isinstance(sample_weight, Mapping):  # Keras hands it out to every part of y
            sample_weight = keras.tree.flatten(sample_weight)[0]
        if sample_weight is not None:
            given["example_weight"] = sample_weight
        loss = self.head_loss(y_pred, x, training=training, **given)
        for extra in self.losses:
            loss = loss + ops.sum(extra)
        # Keras divides a mean by the number of replicas, whose gradients it adds up.
        return _AsItIs(name="head_loss")(loss[None], loss[None])

    def head_loss(self, outputs, inputs, **given: Any):
        """The head's own loss, which `compute` gives and `fit` takes. Raises: ValueError: the model has none."""
        raise ValueError(f"{type(self).__name__} has no loss of its own: give `compile` a `loss`. Received: loss=None")

    def get_config(self):
        return {
            "name": self.name,
            "dtype": keras.dtype_policies.serialize(self.dtype_policy),
            "trainable": self.trainable,
            DIFFERS: differing(self),
            **({} if sees_padding(self) else {SEES_PADDING: False}),
            **(
                {}
                if self.preprocessor is None
                else {PREPROCESSOR: keras.saving.serialize_keras_object(self.preprocessor)}
            ),
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        config = dict(config)
        differs, preprocessor = config.pop(DIFFERS, None), config.pop(PREPROCESSOR, None)
        sees_its_padding = config.pop(SEES_PADDING, True)
        model = cls(**cls._arguments_from(config, custom_objects))
        model = model if sees_its_padding else seeing_no_padding(model)
        model.preprocessor = keras.saving.deserialize_keras_object(preprocessor, custom_objects=custom_objects)
        if differs is not None:  # files of earlier versions do not say
            set_trainable(model, model.trainable, differs)
        return model

    @classmethod
    def _arguments_from(cls, config: dict[str, Any], custom_objects: Any) -> dict[str, Any]:
        return config

    def __init_subclass__(cls, **options: Any) -> None:
        """Gives each model a `from_pretrained` whose arguments are named and explained."""
        super().__init_subclass__(**options)
        from bert_tf.models.pretrained.arguments import meanings_of, signature_of

        def from_pretrained(cls, where, **overrides: Any):
            from bert_tf.models.pretrained import load_model

            return load_model(cls, where, **overrides)

        signature = signature_of(cls)
        first = inspect.Parameter("cls", inspect.Parameter.POSITIONAL_OR_KEYWORD)
        from_pretrained.__signature__ = signature.replace(parameters=[first, *signature.parameters.values()])
        from_pretrained.__doc__ = meanings_of(cls)
        from_pretrained.__qualname__ = f"{cls.__name__}.from_pretrained"
        type.__setattr__(cls, "from_pretrained", classmethod(from_pretrained))

    @classmethod
    def from_pretrained(cls, where, **overrides: Any):
        """A model with the weights found at `where`: "minilm", a folder, "hf://org/name", "kaggle://...", a size.

        Args:
            where: a name or path, see `bert_tf.weights.places`; of a file with weights that file itself is read.
            overrides: the model's own arguments, or fields of its `BertConfig`, instead of the checkpoint's; and of
                `bert_tf.models.pretrained.loading.load_model`: `new_weights` and `extra_weights`, "warn" or "forbid",
                about a head that the file lacks and tensors that the model has no place for; `ignore`, facts of the
                files to ignore although answers may change.
        """
        from bert_tf.models.pretrained import load_model

        return load_model(cls, where, **overrides)

    @classmethod
    def from_preset(cls, preset, **overrides: Any):
        """`from_pretrained` under KerasHub's name. A bare name that is no place here is one of KerasHub's own presets.

        Args:
            preset: what `from_pretrained` takes; "bert_tiny_en_uncased" stands for "keras_hub://bert_tiny_en_uncased",
                which is fetched from Kaggle.
            overrides: as `from_pretrained` takes them.
        """
        return cls.from_pretrained(preset if is_size(preset) else place_of_preset(preset), **overrides)

    def save_pretrained(self, folder, tokenizer=None, **options: Any) -> None:
        """Writes a Hugging Face folder that `from_pretrained` and Transformers read.

        Args:
            folder: where.
            tokenizer: a BertTokenizer to write beside the weights; None: that of the `preprocessor`, if there is one.
            options: of `bert_tf.models.pretrained.save_model`.
        """
        from bert_tf.models.pretrained import save_model

        save_model(self, folder, tokenizer or getattr(self.preprocessor, "tokenizer", None), **options)


class _AsItIs(keras.losses.Loss):
    """A loss that is worked out already; what is left to Keras is its share among replicas."""

    def call(self, y_true, y_pred):
        return y_pred


def graph_inputs() -> dict[str, Any]:
    """Inputs that a model's graph is made with: int32 [B, T] each, of any B and T."""
    return {name: keras.Input((None,), dtype="int32", name=name) for name in GRAPH_KEYS}


def inputs_of(batch: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a batch that is a model's input; labels and what else it carries are left out."""
    return {key: batch[key] for key in (*INPUT_KEYS, *TARGET_KEYS) if key in batch}


def checked_inputs(inputs: Any) -> dict[str, Any]:
    """Inputs as tensors, without those that are None.

    Raises: ValueError if `inputs` is not a dict with "token_ids" and only known keys, or if shapes differ.
    """
    if not isinstance(inputs, Mapping):
        raise ValueError(f"`inputs` must be a dict with the key token_ids. Received: {type(inputs).__name__}")
    unknown = sorted(set(inputs) - set(INPUT_KEYS))
    if unknown or "token_ids" not in inputs:
        problem = f"knows no {', '.join(unknown)}" if unknown else "needs token_ids"
        raise ValueError(
            f"`inputs` {problem}. Known: {', '.join(INPUT_KEYS)}. Received: {', '.join(map(str, inputs)) or 'nothing'}"
        )
    inputs = {name: _integers(value) for name, value in inputs.items() if value is not None}
    shape = tuple(inputs["token_ids"].shape)
    if len(shape) != 2:
        raise ValueError(f"`token_ids` must have the shape [B, T]. Received: token_ids of shape {shape}")
    for key in ("segment_ids", "padding_mask", "example_ids", "position_ids"):
        other = tuple(inputs[key].shape) if key in inputs else shape
        if len(other) != 2 or any(a != b for a, b in zip(other, shape, strict=True) if None not in (a, b)):
            raise ValueError(
                f"`{key}` must have the shape of `token_ids`. "
                f"Received: {key} of shape {other}, token_ids of shape {shape}"
            )
    return inputs


def _integers(value: Any) -> Any:
    """`value` as a tensor of integers, whatever the inputs' dtype, as Keras's own models take it.

    Under a distribution strategy `fit` tries a model on floats before it hands it the data.
    """
    if isinstance(value, keras.KerasTensor):
        return value
    value = ops.convert_to_tensor(value)
    return value if keras.backend.is_int_dtype(value.dtype) else ops.cast(value, "int32")
