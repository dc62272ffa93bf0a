"""What a command's work needs where it is called from somebody's own program."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator

from bert_tf.errors import UserError, in_python


@contextlib.contextmanager
def arguments_named() -> Iterator[None]:
    """Errors call flags as Python knows them: `run` for --run."""
    try:
        yield
    except UserError as error:
        error.args = (in_python(str(error)),)
        raise


@contextlib.contextmanager
def own_randomness() -> Iterator[None]:
    """Training seeds Python's and NumPy's global generators; who draws folds from them draws what they would have."""
    import numpy as np

    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002 (which is what Keras seeds)
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002


def check_backend() -> None:
    """Raises: UserError if Keras works with another backend in this process."""
    import keras

    if keras.backend.backend() != "tensorflow":
        raise UserError(
            f"training needs Keras's backend tensorflow: KERAS_BACKEND=tensorflow. Received: {keras.backend.backend()}"
        )
