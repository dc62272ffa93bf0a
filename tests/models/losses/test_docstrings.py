"""Every public function of `bert_tf/models/losses/` has an example; `tests/test_docstrings.py` runs them."""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path

import pytest

import bert_tf.models.losses

FILES = sorted(path.stem for path in Path(bert_tf.models.losses.__path__[0]).glob("*.py") if path.stem != "__init__")


@pytest.mark.parametrize("file", FILES)
def test_every_function_has_an_example(file):
    module = importlib.import_module(f"bert_tf.models.losses.{file}")
    functions = [
        function
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__ and not name.startswith("_")
    ]
    without = [function.__name__ for function in functions if ">>>" not in (function.__doc__ or "")]
    assert (bool(functions), without) == (True, [])
