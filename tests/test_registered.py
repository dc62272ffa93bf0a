"""A file of Keras opens after `import bert_tf` alone, in a process that knows nothing else."""

from __future__ import annotations

import importlib
import subprocess
import sys
import textwrap
from pathlib import Path

import keras
import numpy as np
import pytest

from bert_tf.layers import EncoderBlock
from bert_tf.models import BertConfig, BertTagger
from bert_tf.registered import CLASSES, PACKAGE

ROOT = Path(__file__).parents[1]
X = {"token_ids": np.array([[2, 5, 3]], "int32")}


def test_every_class_that_keras_knows_by_name_is_listed():
    modules = [path for part in ("layers", "models") for path in sorted((ROOT / "bert_tf" / part).glob("*.py"))]
    for path in modules:
        importlib.import_module(f"bert_tf.{path.parent.name}.{path.stem}")
    known = {name for name in keras.saving.get_custom_objects() if name.startswith(f"{PACKAGE}>")}
    assert known == {f"{PACKAGE}>{name}" for names in CLASSES.values() for name in names}
    for module, names in CLASSES.items():
        for name in names:
            cls = getattr(importlib.import_module(module), name)
            assert keras.saving.get_registered_object(f"{PACKAGE}>{name}") is cls


@pytest.fixture(name="files", scope="module")
def files_fixture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of the library, a model of Keras with one of its layers, and what both give."""
    folder = tmp_path_factory.mktemp("files")
    config = BertConfig(
        vocabulary_size=11, hidden_dim=8, num_layers=1, num_heads=2, intermediate_dim=16, max_positions=12
    )
    tagger = BertTagger(config, 3)
    tagger.save(folder / "tagger.keras")
    plain = keras.Sequential([keras.Input((4, 8)), EncoderBlock(8, 2, 16), keras.layers.Dense(2)])
    plain.save(folder / "plain.keras")
    np.savez(folder / "wanted.npz", tagger=tagger(X), plain=plain(np.ones((1, 4, 8))))
    return folder


@pytest.mark.parametrize(
    "first", ["import bert_tf, keras", pytest.param("import keras, bert_tf", marks=pytest.mark.slow)]
)
def test_a_fresh_process_opens_the_files(files: Path, first: str):
    script = f"""
        import sys, numpy as np
        {first}
        assert not any(name.startswith("bert_tf.models") for name in sys.modules)
        wanted = np.load("wanted.npz")
        tagger = keras.saving.load_model("tagger.keras")
        np.testing.assert_array_equal(tagger({{"token_ids": np.array([[2, 5, 3]], "int32")}}), wanted["tagger"])
        assert type(tagger) is bert_tf.BertTagger
        plain = keras.saving.load_model("plain.keras")
        np.testing.assert_array_equal(plain(np.ones((1, 4, 8))), wanted["plain"])
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        cwd=files, env={"PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "", "PATH": ""},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]


def test_a_process_without_keras_stays_light():
    script = "import sys, bert_tf; assert not {'keras', 'tensorflow', 'numpy'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True)
