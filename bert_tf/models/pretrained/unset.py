"""Models whose weights have no values yet, so that files give them their first, and none is drawn for nothing."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import keras
import numpy as np
from keras import ops

Made = TypeVar("Made")


class Unset:
    """Makes models without values, and gives each weight its value, or how to come by one."""

    def __init__(self) -> None:
        self.problems: list[Exception] = []

    def make(self, cls: Callable[..., Made], *args: Any, **kwargs: Any) -> Made:
        """`cls(*args, **kwargs)`, whose weights get no values yet."""
        if keras.backend.backend() != "tensorflow":  # PyTorch's layers hand their weights on when they have them
            return cls(*args, **kwargs)
        with keras.StatelessScope(initialize_variables=False):
            return cls(*args, **kwargs)

    def give(self, variable: keras.Variable, read: Callable[[], np.ndarray]) -> None:
        """The array that `read` gives becomes the variable's value: at the end, where it has none yet."""
        if variable._value is not None:
            variable.assign(read())
            return

        def start(shape: tuple[int, ...], dtype: str) -> Any:
            if not self.problems:
                try:
                    return ops.cast(ops.convert_to_tensor(_HandedOver(read())), dtype)
                except Exception as error:  # to be raised when Keras is done, which goes through all weights at once
                    self.problems.append(error)
            return ops.zeros(shape, dtype)

        variable._initializer = start


class _HandedOver:
    """An array for Keras to take: once it has a copy, the array is gone.

    An array by itself is held by all who hand it on, until a second copy lies where it belongs; of a table of tokens
    that is the most memory a small model ever takes.
    """

    def __init__(self, array: np.ndarray) -> None:
        self.arrays = [array]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.arrays.pop(), dtype, order="C")


@contextlib.contextmanager
def unset_weights() -> Iterator[Unset]:
    """For making a model and giving it its weights; at the end those that were given none are drawn, as ever.

    Raises: what reading a weight raises.

    >>> with unset_weights() as unset:
    ...     layer = unset.make(keras.layers.Dense, 2)
    ...     unset.make(layer.build, (None, 1))
    ...     unset.give(layer.kernel, lambda: np.array([[3.0, 4.0]]))
    >>> layer(np.array([[1.0]])).numpy().tolist()
    [[3.0, 4.0]]
    """
    unset = Unset()
    try:
        yield unset
    finally:
        with keras.StatelessScope():  # all that have no values get them when it ends
            pass
    if unset.problems:
        raise unset.problems[0]
