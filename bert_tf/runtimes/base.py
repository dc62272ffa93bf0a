"""What stands where a kind expects a Keras model: rows of tokens go to another runtime, and what the model gives for
them comes back."""

from __future__ import annotations

import abc
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from bert_tf.kinds.serving import Contract

INPUTS = {"token_ids": "ids", "padding_mask": "mask", "segment_ids": "segment_ids"}
"""What a kind calls the inputs -> what an exported file calls them."""


class RowsModel(abc.ABC):
    """A model of another runtime, called as a Keras model is. A subclass says how rows are worked out: `outputs`.

    Args:
        contract: what the file's outputs mean.
        reject_below: the Keras model's, where it has one.
        labels: the Keras model's, where it has some.
    Call arguments:
        inputs: dict of int32 tensors [B, T]: token_ids, padding_mask and segment_ids; or [B, ..., T], where examples
            are of several rows.
    Returns: what the Keras model gives, in float32: [B, ...], or [B, T, ...] where the contract is `per_token`; with
        the inputs' further axes, where examples are of several rows.

    A subclass, complete:
        >>> from bert_tf.kinds.serving import Contract
        >>> class Lengths(RowsModel):
        ...     def outputs(self, ids, mask, segment_ids):
        ...         return {"logits": mask.sum(axis=1, keepdims=True).astype(np.float32)}
        >>> rows = {name: np.array([[2, 5, 3], [2, 3, 0]]) for name in ("token_ids", "segment_ids")}
        >>> Lengths(Contract())(rows | {"padding_mask": np.array([[1, 1, 1], [1, 1, 0]])}).numpy().tolist()
        [[3.0], [2.0]]
    """

    prompt = ""  # a model that puts one before texts is refused when it is exported

    def __init__(self, contract: Contract, *, reject_below: float = 0.0, labels: Sequence[str] = ()) -> None:
        self.contract, self.reject_below, self.labels = contract, reject_below, tuple(labels)
        sample = self.sample()
        # Of what there is to an example or a token: of each output, and of what they are decoded to.
        axes = 2 if contract.per_token else 1
        self.shapes = {note.name: sample[note.name].shape[axes:] for note in contract.outputs}
        self.shape = tuple(contract.decode(sample).shape[axes:])

    @abc.abstractmethod
    def outputs(self, ids: np.ndarray, mask: np.ndarray, segment_ids: np.ndarray) -> Mapping[str, np.ndarray]:
        """What the file gives, by the names of the contract's outputs: float32 [B, ...], or [B, T, ...] where that is
        `per_token`. Called from several threads at once.

        Args:
            ids, mask, segment_ids: int32 [B, T] each; B may be 0.
        """

    def sample(self) -> Mapping[str, np.ndarray]:
        """What the file gives for one short row, from which the shapes are learnt."""
        token = np.zeros((1, 1), np.int32)
        return self.outputs(token, token + 1, token)

    def __call__(self, inputs: Mapping[str, Any], training: bool = False) -> Any:
        import tensorflow as tf

        arrays = [tf.cast(inputs[name], tf.int32) for name in INPUTS]
        leading = arrays[0].shape[:-1]
        rows = [tf.reshape(array, [-1, tf.shape(array)[-1]]) for array in arrays]  # [R, T]
        found = self.decoded(rows)
        found = tf.ensure_shape(found, [None, *([None] if self.contract.per_token else []), *self.shape])
        if leading.rank != 1:
            found = tf.reshape(found, tf.concat([tf.shape(arrays[0])[:-1], tf.shape(found)[1:]], axis=0))
            found = tf.ensure_shape(found, [*leading, *([None] if self.contract.per_token else []), *self.shape])
        return self.contract.given(found, inputs)

    def decoded(self, rows: list[Any]) -> Any:
        """What the Keras model gives, float32 [R, ...] or [R, T, ...], for ids, mask and segment_ids, int32 [R, T]."""
        import tensorflow as tf

        def run(*arrays: np.ndarray) -> list[np.ndarray]:
            found = self.outputs(*arrays)
            return [np.ascontiguousarray(found[name], np.float32) for name in self.shapes]

        given = tf.numpy_function(run, rows, [tf.float32] * len(self.shapes))
        given = given if isinstance(given, (list, tuple)) else [given]  # one tensor comes alone, outside of graphs
        named = dict(zip(self.shapes, given, strict=True))
        leading = [None, None] if self.contract.per_token else [None]
        return self.contract.decode(
            {name: tf.ensure_shape(value, [*leading, *self.shapes[name]]) for name, value in named.items()}
        )

    @property
    def vector_dim(self) -> int:
        """Number of components of a vector, of a model that gives one."""
        return int(self.shape[-1])

    def scores(self, logits: Any) -> Any:
        """What the file gives where the Keras model's `scores` are asked for: it has worked them out already."""
        return logits
