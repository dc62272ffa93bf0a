"""The layers and the models on Keras's other backends: the same numbers as on TensorFlow, without TensorFlow."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from bert_tf.models import BertBackbone
from tests.checks import GRADIENTS
from tests.models.every import EVERY
from tests.models.test_functional import INPUTS, make

ROOT = Path(__file__).parents[1]
PACKED = {
    "token_ids": np.array([[2, 5, 3, 2, 9, 7, 3, 0]], "int32"),
    "example_ids": np.array([[1, 1, 1, 2, 2, 2, 2, 0]], "int32"),
    "position_ids": np.array([[0, 1, 2, 0, 1, 2, 3, 0]], "int32"),
    "first_positions": np.array([[0, 3]], "int32"),
}
# Runs in a process of the other backend: reads weights and inputs, writes outputs, and trains a little.
SCRIPT = """
import sys
import keras
import numpy as np
import bert_tf.layers
from bert_tf.models import BertBackbone, BertClassifier, BertConfig

assert keras.backend.backend() == sys.argv[1]
given = np.load("given.npz")
config = BertConfig.from_dict(eval(str(given["config"])))
backbone = BertBackbone(config)
backbone.set_weights([given[f"weight_{i}"] for i in range(len(backbone.weights))])
found = {}
for name in ("plain", "packed"):
    inputs = {key.split("/")[1]: given[key] for key in given.files if key.startswith(name + "/")}
    outputs = backbone(inputs)
    found |= {f"{name}/{key}": keras.ops.convert_to_numpy(x) for key, x in outputs.items()}
np.savez("found.npz", **found)
model = BertClassifier(backbone, 3)
if sys.argv[1] == "torch":  # a module whose parameters are all there, as its optimizers and savers want it
    assert len(list(model.parameters())) == len(model.weights)
model.compile("adam")
history = model.fit({key: given[f"plain/{key}"] for key in ("token_ids", "padding_mask")}, np.array([0, 2]), verbose=0)
assert np.isfinite(history.history["loss"][0])
assert "tensorflow" not in sys.modules, "TensorFlow was imported"
"""
PACKAGES = {"jax": "jax", "torch": "torch"}
other_backends = pytest.mark.parametrize(
    "backend",
    [
        pytest.param(name, marks=pytest.mark.skipif(find_spec(package) is None, reason=f"{package} is not installed"))
        for name, package in PACKAGES.items()
    ],
)


def run(backend: str, *arguments: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": str(ROOT), "JAX_PLATFORMS": "cpu"}
    return subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.slow
@other_backends
def test_hidden_states_are_those_of_tensorflow(backend, tmp_path):
    backbone = make(BertBackbone)
    weights = {f"weight_{i}": weight for i, weight in enumerate(backbone.get_weights())}
    inputs = {f"plain/{key}": x for key, x in INPUTS.items()} | {f"packed/{key}": x for key, x in PACKED.items()}
    given: dict[str, Any] = {**weights, **inputs, "config": np.array(repr(backbone.config.to_dict()))}
    np.savez(tmp_path / "given.npz", **given)
    done = run(backend, "-c", SCRIPT, backend, folder=tmp_path)
    assert done.returncode == 0, done.stderr[-3000:]
    found = np.load(tmp_path / "found.npz")
    for name, x in (("plain", INPUTS), ("packed", PACKED)):
        for key, wanted in backbone(x).items():
            np.testing.assert_allclose(found[f"{name}/{key}"], wanted, atol=1e-5)


@pytest.mark.slow
@other_backends
def test_every_layer_passes_its_check(backend):
    chosen = "is_a_layer and not relu and not silu and not tanh"  # of the activations, one is enough
    done = run(backend, "-m", "pytest", "tests/layers", "-k", chosen, "-q", "-p", "no:cacheprovider")
    assert done.returncode == 0, done.stdout[-3000:]
    assert "19 passed" in done.stdout, done.stdout[-300:]


def test_there_is_a_way_to_gradients_on_each_backend():
    assert set(GRADIENTS) == {"tensorflow", *PACKAGES}
    assert keras.backend.backend() == "tensorflow"
    assert len(EVERY) == 11
