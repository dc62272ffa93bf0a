"""What sentence-transformers' CrossEncoder keeps in a folder: what is made of a classifier's logits."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bert_tf.errors import UserError
from bert_tf.guard import short
from bert_tf.weights.json_file import read_json
from bert_tf.weights.leave import Leave, how_to_ignore
from bert_tf.weights.refused import Refused
from bert_tf.weights.sentence_transformers.modules import kinds_of_modules
from bert_tf.weights.sentence_transformers.tables import ACTIVATIONS, CROSS_ENCODER, MODULES, PROMPTS, SCORES

OLD_KEYS = ("sbert_ce_default_activation_function", "sbert_ce_default_activation_fn")
# What several outputs may go through: a choice among them, or each by itself.
OF_SEVERAL = ("linear", "softmax", "sigmoid")


def read_scores(folder: Path, raw: Mapping[str, Any], leave: Leave, num_classes: int) -> dict[str, Any]:
    """`score_activation`, and `problem` where it follows from that; empty for a folder that is no CrossEncoder's.

    Args:
        folder: with config.json and perhaps config_sentence_transformers.json, where versions from 5 on write it.
        raw: config.json, where versions 4 and 3 wrote it.
        leave: keys to leave out although they change scores.
        num_classes: outputs of the model.
    Returns: as arguments of BertClassifier; a `Refused` stands for what cannot be followed.
    """
    new = read_json(folder / PROMPTS) if (folder / PROMPTS).is_file() else {}
    new = new if new.get("model_type") == CROSS_ENCODER else {}
    four = raw.get("sentence_transformers")
    if four is not None and not isinstance(four, dict):
        raise UserError(f"{folder / 'config.json'}: `sentence_transformers` must be an object. Received: {short(four)}")
    places = [(PROMPTS, "activation_fn", new), ("config.json", "activation_fn", four or {})]
    places += [("config.json", key, raw) for key in OLD_KEYS]
    if not new and four is None and not any(raw.get(key) for key in OLD_KEYS):
        return {}
    found = next(((name, key, values[key]) for name, key, values in places if values.get(key) is not None), None)
    if found is None:
        return {"score_activation": "sigmoid" if num_classes == 1 else "linear"}  # its own default
    name, key, came = found
    activation = SCORES.get(str(came).rpartition(".")[2]) if str(came).startswith("torch.nn.") else None
    refused = _refused_modules(folder, new, leave)
    if activation is None or activation not in (OF_SEVERAL if num_classes > 1 else ACTIVATIONS.values()):
        known = [f"torch.nn.{their}" for their, ours in SCORES.items() if num_classes == 1 or ours in OF_SEVERAL]
        if key in leave:
            activation = "linear"
        else:
            reason = f"`{key}` must be one of {', '.join(known)}. Received: {came}"
            refused = refused or f"{folder / name}: {reason}; {how_to_ignore(key)}"
    if refused:
        return {"score_activation": Refused(f"{refused}, or give `score_activation`")}
    return {"score_activation": activation} | (
        {"problem": "multi_label"} if num_classes > 1 and activation == "sigmoid" else {}
    )


def _refused_modules(folder: Path, new: Mapping[str, Any], leave: Leave) -> str | None:
    """Why a folder of a newer version scores differently from its classifier, if it does."""
    name, prompts = new.get("default_prompt_name"), new.get("prompts") or {}
    if name is not None and prompts.get(name) and "default_prompt_name" not in leave:
        return (
            f"{folder / PROMPTS}: `default_prompt_name` must be null where pairs are scored. Received: {short(name)}; "
            f"{how_to_ignore('default_prompt_name')}"
        )
    kinds = kinds_of_modules(folder) if new else []
    strange = [kind for kind in kinds if kind != "Transformer" and kind not in leave]
    if strange:
        reason = f"the module {strange[0][:80]} is not supported in a model that scores pairs"
        return f"{folder / MODULES}: {reason}; {how_to_ignore(strange[0])}"
    return None
