"""Trains a tiny model on a tiny set, as a process of its own: python tiny_run.py '{"folder": ..., "runs": {...}}'

Tests start it because a strategy's devices, workers and determinism can be set once a process. FOLDER has data, corpus
and backbone; each run, one after another, goes to FOLDER/<name> and can be compared with others'.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np

WORDS = ["the", "film", "was", "not", "a", "good", "bad", "fine", "dull", "bright", "long", "short", "plot", "so"]
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def make_data(folder: Path) -> None:
    """45 and 17 sentences: odd numbers, so that last batches are partial."""
    rng = np.random.default_rng(7)
    folder.mkdir(parents=True, exist_ok=True)
    for name, count in (("train.tsv", 45), ("dev.tsv", 17)):
        rows = ["sentence\tlabel"]
        for _ in range(count):
            words = rng.choice(WORDS, size=rng.integers(1, 12))
            rows.append(f"{' '.join(words)}\t{int('good' in words or 'fine' in words)}")
        (folder / name).write_text("\n".join(rows) + "\n")


def make_corpus(folder: Path) -> None:
    """Text for pre-training: 24 and 4 documents of sentences, one a line."""
    rng = np.random.default_rng(8)
    for split, count in (("train", 24), ("validation", 4)):
        (folder / split).mkdir(parents=True, exist_ok=True)
        documents = [
            "".join(f"{' '.join(rng.choice(WORDS, size=rng.integers(2, 9)))}\n" for _ in range(rng.integers(4, 12)))
            for _ in range(count)
        ]
        (folder / split / "text.txt").write_text("\n".join(documents))


def make_backbone(folder: Path, *, unused: int = 8, **more: Any) -> None:
    """Two blocks, 8 wide, and a vocabulary of 19 tokens and some that never occur. `more` are fields of its config."""
    import keras

    from bert_tf.models import BertBackbone, BertConfig
    from bert_tf.models.pretrained import save_model
    from bert_tf.text import BertTokenizer

    keras.utils.set_random_seed(3)
    vocabulary = [*SPECIAL, *WORDS, *(f"[unused{i}]" for i in range(unused))]
    config = BertConfig(
        vocabulary_size=len(vocabulary),
        hidden_dim=8,
        num_layers=2,
        num_heads=2,
        intermediate_dim=16,
        max_positions=64,
        initializer_range=0.5,
        **more,
    )
    save_model(BertBackbone(config), folder, BertTokenizer(vocabulary))


def main(folder: Path, runs: dict[str, dict[str, object]], devices: int) -> None:
    import tensorflow as tf

    if devices > 1:
        cpu = tf.config.list_physical_devices("CPU")[0]
        tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * devices)
    for name, settings in runs.items():
        run(folder, name, settings)


def run(folder: Path, name: str, settings: dict[str, object]) -> None:
    from bert_tf.config import Layer, override_layer, resolve
    from bert_tf.kinds.definitions import load_task
    from bert_tf.training import setup
    from bert_tf.training.loop import train

    settings = dict(settings)
    parts = settings.pop("parts_at_once", None)  # no setting: by itself one part, for a model as narrow as this
    if parts is not None:
        setup.parts_at_once = lambda hidden_dim: parts

    task = str(settings.get("task", "sst2"))
    data = folder / ("corpus" if task == "pretrain" else "data")
    layers = [
        Layer(origin="test", values={"task": task, "backbone": str(folder / "backbone")}),
        override_layer([f"{key}={json.dumps(value)}" for key, value in settings.items()]),
    ]
    (folder / name).mkdir(exist_ok=True)
    config = resolve(layers)
    train(config, load_task(task).meant_by(config), folder / name, data=str(data))


if __name__ == "__main__":
    arguments = json.loads(sys.argv[1])
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    main(Path(arguments["folder"]), arguments["runs"], arguments.get("devices", 1))
