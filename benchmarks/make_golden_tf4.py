"""Makes tests/golden/transformers4.zip: what Transformers 4 wrote from TensorFlow and Flax, and what its models gave.

    python benchmarks/make_golden_tf4.py      (needs transformers==4.46.*, tf-keras, flax; and not Transformers 5)

A folder for each class: config.json, tf_model.h5 (and one in shards) or flax_model.msgpack (and one in shards, and one
in bfloat16), and outputs.npz, the outputs for the inputs of tests/golden/tiny. Weights are random, biases and norms
too.
"""

# pyright: reportMissingImports=false, reportAttributeAccessIssue=false
from __future__ import annotations

import os
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

os.environ["TF_USE_LEGACY_KERAS"] = "1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
OUT = ROOT / "tests" / "golden" / "transformers4.zip"
HEADS = (
    "Model", "ForSequenceClassification", "ForTokenClassification", "ForQuestionAnswering", "ForMaskedLM",
    "ForPreTraining", "ForNextSentencePrediction",
)  # fmt: skip


def main() -> None:
    """Writes the file."""
    import transformers

    inputs = dict(np.load(ROOT / "tests" / "golden" / "tiny" / "outputs.npz"))
    inputs = {
        "input_ids": inputs["token_ids"],
        "token_type_ids": inputs["segment_ids"],
        "attention_mask": inputs["padding_mask"],
    }
    with tempfile.TemporaryDirectory() as work:
        for seed, head in enumerate(HEADS):
            config = transformers.BertConfig(
                vocab_size=12,
                hidden_size=4,
                num_hidden_layers=2,
                num_attention_heads=2,
                intermediate_size=6,
                max_position_embeddings=8,
                num_labels=2 if head == "ForQuestionAnswering" else 3,
            )
            rng = np.random.default_rng(seed)
            write_tf(Path(work) / f"tf_{head}", getattr(transformers, f"TFBert{head}")(config), inputs, rng)
            write_flax(Path(work) / f"flax_{head}", getattr(transformers, f"FlaxBert{head}")(config), inputs, rng)
        with zipfile.ZipFile(OUT, "w", zipfile.ZIP_DEFLATED) as file:
            for path in sorted(Path(work).rglob("*.*")):
                # A fixed date, so that the same contents are the same file.
                entry = zipfile.ZipInfo(str(path.relative_to(work)), (2026, 1, 1, 0, 0, 0))
                file.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED)


def write_tf(folder: Path, model: Any, inputs: dict[str, np.ndarray], rng: np.random.Generator) -> None:
    """One file and, for the head that has most, shards."""
    model.build_in_name_scope()
    for weight in model.weights:
        weight.assign(rng.normal(scale=0.5, size=weight.shape))
    outputs: dict[str, Any] = {name: np.asarray(value) for name, value in model(inputs).items()}
    folders = [folder] + ([folder.with_name("tf_shards")] if folder.name == "tf_ForPreTraining" else [])
    for place in folders:
        model.save_pretrained(place, max_shard_size="1KB" if place != folder else "1GB")
        np.savez_compressed(place / "outputs.npz", **outputs)


def write_flax(folder: Path, model: Any, inputs: dict[str, np.ndarray], rng: np.random.Generator) -> None:
    """One file and, for the head that has most, shards and bfloat16."""
    import jax

    model.params = jax.tree_util.tree_map(
        lambda array: jax.numpy.asarray(rng.normal(scale=0.5, size=array.shape), "float32"), model.params
    )

    def write(place: Path, shards: str) -> None:
        found = model(**inputs, return_dict=True)
        outputs: dict[str, Any] = {name: np.asarray(value) for name, value in found.items()}
        model.save_pretrained(place, max_shard_size=shards)
        np.savez_compressed(place / "outputs.npz", **outputs)

    write(folder, "1GB")
    if folder.name == "flax_ForPreTraining":
        write(folder.with_name("flax_shards"), "1KB")
        half = model.to_bf16(model.params)
        model.params = model.to_fp32(half)
        write(folder.with_name("flax_bfloat16"), "1GB")
        model.save_pretrained(folder.with_name("flax_bfloat16"), params=half)


if __name__ == "__main__":
    main()
