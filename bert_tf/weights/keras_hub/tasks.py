"""What a KerasHub preset says beyond its backbone: the task's head, its number formats, how long its rows are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from bert_tf.errors import UserError
from bert_tf.weights.json_file import read_json
from bert_tf.weights.keys import Keys
from bert_tf.weights.leave import Leave, how_to_ignore
from bert_tf.weights.refused import Refused

HARMLESS = ("name", "trainable", "backbone", "preprocessor", "dtype")
# Class in task.json, newer and older names -> the head that its task.weights.h5 holds ("" for none), and its keys
TASKS = {
    "BertTextClassifier": ("classifier", Keys(used=("num_classes", "activation", "dropout"), harmless=HARMLESS)),
    "BertClassifier": ("classifier", Keys(used=("num_classes", "activation", "dropout"), harmless=HARMLESS)),
    "BertMaskedLM": ("masked_lm", Keys(used=(), harmless=HARMLESS)),
    "BertTextEmbedder": ("", Keys(used=("pooling_mode", "normalize"), harmless=HARMLESS)),
}
# What their masked-LM head has whatever the backbone has: the exact GELU, and another epsilon.
MASKED_LM = {"head_activation": "gelu", "head_layer_norm_epsilon": 1e-5}
ACTIVATIONS = ("linear", "softmax", "sigmoid")
PLAIN = "float32"


class Task(NamedTuple):
    """What task.json and the files beside it say.

    Args:
        head: of our names of heads, that which task.weights.h5 holds; "": none.
        settings: arguments of our models; a `Refused` for what cannot be followed.
        problem, dropout: a classifier's.
        warnings: what is not used and may matter.
    """

    head: str = ""
    settings: Mapping[str, Any] = {}
    problem: str | None = None
    dropout: float | None = None
    warnings: tuple[str, ...] = ()


def read_task(folder: Path, leave: Leave) -> Task:
    """Reads task.json and preprocessor.json. Raises: UserError naming the file if one is broken."""
    path = folder / "task.json"
    if not path.is_file():
        return Task()
    raw = read_json(path)
    name, config = raw.get("class_name"), raw.get("config")
    if name not in TASKS or not isinstance(config, dict):
        known = ", ".join(TASKS)
        return Task(warnings=(f"{path}: the task {name} is not known, and its head is not read; known are {known}",))
    head, keys = TASKS[name]
    warnings = [f"{path}: not known, and not used: {', '.join(unknown)}"] if (unknown := keys.unknown(config)) else []
    length = _sequence_length(folder)
    if head == "classifier":
        settings, problem = _activation(path, config.get("activation"), leave)
        if length is not None:
            warnings.append(f"{folder}: its preprocessor cuts texts after {length} tokens; here a task says where")
        return Task(head, settings, problem, config.get("dropout"), tuple(warnings))
    if head == "masked_lm":
        return Task(head, MASKED_LM, warnings=tuple(warnings))
    settings = {"pooling": config.get("pooling_mode", "mean"), "normalize": config.get("normalize", True) is not False}
    return Task(head, settings | ({"max_length": length} if length else {}), warnings=tuple(warnings))


def _activation(path: Path, raw: Any, leave: Leave) -> tuple[dict[str, Any], str | None]:
    """`output_activation`, and the problem where outputs are each by itself."""
    raw = raw.get("config", raw.get("class_name")) if isinstance(raw, dict) else raw
    name = "linear" if raw is None else raw
    if name in ACTIVATIONS:
        settings = {} if name == "linear" else {"output_activation": name}
        return settings, "multi_label" if name == "sigmoid" else None
    if "activation" in leave:
        return {}, None
    reason = f"{path}: `activation` must be one of {', '.join(ACTIVATIONS)}. Received: {name!s:.80}"
    return {"output_activation": Refused(f"{reason}; {how_to_ignore('activation')}")}, None


def _sequence_length(folder: Path) -> int | None:
    path = folder / "preprocessor.json"
    config = read_json(path).get("config") if path.is_file() else None
    length = config.get("sequence_length") if isinstance(config, dict) else None
    return length if isinstance(length, int) and length > 0 else None


def check_dtype(path: Path, dtype: Any) -> tuple[str, ...]:
    """A remark where the backbone computes in other numbers there. Raises: UserError if its weights are quantised."""
    names = sorted(set(_dtypes(dtype)))
    quantised = [name for name in names if name.startswith(("int", "float8", "uint", "gptq", "awq"))]
    if quantised:
        raise UserError(
            f"{path}: `dtype` must be of floats: {', '.join(quantised)} stands for quantised weights, which are not "
            "read. Save the preset from before its quantisation"
        )
    others = [name for name in names if name != PLAIN]
    return (f"{path}: `dtype` is {', '.join(others)} there; here a model computes in its own",) if others else ()


def _dtypes(dtype: Any) -> list[str]:
    """The names in a dtype's config: of a policy, or of a map of policies."""
    if isinstance(dtype, str):
        return [dtype]
    if not isinstance(dtype, dict):
        return []
    config = dtype.get("config")
    config = config if isinstance(config, dict) else {}
    if "Quantized" in str(dtype.get("class_name")):
        return [str(config.get("mode") or config.get("name") or "int8")]
    found = [config["name"]] if isinstance(config.get("name"), str) else []
    policies = [config.get("default_policy"), *(config.get("policy_map") or {}).values()]
    return found + [name for policy in policies for name in _dtypes(policy)]
