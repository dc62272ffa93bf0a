"""Writes what sentence-transformers reads beside a model's weights, in a form that its old and new versions know."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from bert_tf.weights.files import write_json
from bert_tf.weights.sentence_transformers.tables import MODULES, POOLINGS, PROMPTS, TORCH

PROMPT_NAME = "default"


def write_modules(
    folder: Path,
    *,
    hidden_dim: int,
    pooling: str | tuple[str, ...],
    normalize: bool,
    max_length: int,
    prompt: str = "",
    truncate_dim: int | None = None,
    dense: dict[str, np.ndarray] | None = None,
    dense_activation: str = "tanh",
) -> None:
    """Writes `modules.json` and what it names.

    Args:
        folder: there already, with the weights or to get them.
        hidden_dim: width of the tokens' vectors.
        pooling, normalize, max_length, prompt, truncate_dim, dense_activation: as BertEmbedder's.
        dense: `kernel` and perhaps `bias` of a dense layer after the pooling, [in, out] and [out]; None: there is none.
    """
    poolings = (pooling,) if isinstance(pooling, str) else pooling
    kinds = ["Transformer", "Pooling", *(["Dense"] if dense else []), *(["Normalize"] if normalize else [])]
    paths = ["" if i == 0 else f"{i}_{kind}" for i, kind in enumerate(kinds)]
    modules = [
        {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for i, (kind, path) in enumerate(zip(kinds, paths, strict=True))
    ]
    write_json(folder / MODULES, modules)
    write_json(folder / "sentence_bert_config.json", {"max_seq_length": max_length, "do_lower_case": False})
    keys: dict[str, Any] = {key: name in poolings for name, key in POOLINGS.items()}
    if list(poolings) != [name for name in POOLINGS if name in poolings]:
        keys["pooling_mode"] = list(poolings)  # in the order of the keys otherwise; versions before 6 know no other
    contents: dict[str, dict[str, Any]] = {"Pooling": {"word_embedding_dimension": hidden_dim, **keys}, "Normalize": {}}
    if dense:
        inputs, outputs = dense["kernel"].shape
        contents["Dense"] = {
            "in_features": inputs,
            "out_features": outputs,
            "bias": "bias" in dense,
            "activation_function": TORCH[dense_activation],
        }
    for kind, path in zip(kinds[1:], paths[1:], strict=True):
        (folder / path).mkdir(exist_ok=True)  # some versions want Normalize's too, and git keeps none that is empty
        write_json(folder / path / "config.json", contents[kind])
        if kind == "Dense" and dense:
            _write_dense(folder / path / "model.safetensors", dense)
    config: dict[str, Any] = {"prompts": {}, "default_prompt_name": None, "similarity_fn_name": "cosine"}
    if prompt:
        config |= {"prompts": {PROMPT_NAME: prompt}, "default_prompt_name": PROMPT_NAME}
    write_json(folder / PROMPTS, config | ({} if truncate_dim is None else {"truncate_dim": truncate_dim}))


def _write_dense(path: Path, dense: dict[str, np.ndarray]) -> None:
    from safetensors.numpy import save_file

    tensors = {"linear.weight": np.ascontiguousarray(dense["kernel"].T)}
    tensors |= {"linear.bias": dense["bias"]} if "bias" in dense else {}
    save_file(tensors, path, metadata={"format": "pt"})
