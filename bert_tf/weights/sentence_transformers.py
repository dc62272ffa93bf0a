"""What sentence-transformers keeps beside a model's weights: how token vectors become a text's vector.

A folder of theirs has `modules.json`, which lists the modules and the folder of each: the transformer (in the folder
itself, with `sentence_bert_config.json`), a pooling, and perhaps a scaling to the length 1.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bert_tf.errors import UserError
from bert_tf.weights.files import write_json

MODULES = "modules.json"
POOLING, NORMALIZE = "1_Pooling", "2_Normalize"
# Their way of pooling -> ours; what is not here we do not have.
POOLINGS = {"mean": "mean", "cls": "cls", "max": "max"}
NO_LENGTH = 10**9
OLD_KEY = "pooling_mode_{}_token{}"  # a bool for each way, where newer files have `pooling_mode`


def read_modules(folder: Path) -> dict[str, Any]:
    """`pooling`, `normalize` and `max_length` of a BertEmbedder as a folder says; empty where it says nothing.

    What we do not have is given by its name there, which BertEmbedder then refuses.

    Raises: UserError naming the file if it cannot be read.
    """
    path = folder / MODULES
    if not path.is_file():
        return {}
    modules = _read(path)
    if not isinstance(modules, list) or not all(isinstance(module, dict) for module in modules):
        raise UserError(f"{path}: expected a list of modules. Received: {str(modules)[:80]}")
    settings: dict[str, Any] = {"pooling": "none", "normalize": False}
    for module in modules:
        kind = str(module.get("type", "")).rpartition(".")[2]
        if kind == "Pooling":
            settings["pooling"] = _pooling(folder / str(module.get("path", "")) / "config.json")
        elif kind == "Normalize":
            settings["normalize"] = True
        elif kind != "Transformer":
            settings["pooling"] = f"{settings['pooling']}, then {kind or 'a module without a type'}"
    # The second is where newer versions keep it; a number of 30 digits stands for none there.
    for name, key in (("sentence_bert_config.json", "max_seq_length"), ("tokenizer_config.json", "model_max_length")):
        length = _read(folder / name).get(key) if (folder / name).is_file() else None
        if isinstance(length, int) and 0 < length < NO_LENGTH:
            return settings | {"max_length": length}
    return settings


def write_modules(folder: Path, *, hidden_dim: int, pooling: str, normalize: bool, max_length: int) -> None:
    """Writes `modules.json` and what it names, in the form that all-MiniLM-L6-v2 has, which newer versions read too.

    Args:
        folder: there already, with the weights or to get them.
        hidden_dim: width of the vectors.
        pooling, normalize, max_length: as BertEmbedder's.
    """
    names = [("Transformer", ""), ("Pooling", POOLING), ("Normalize", NORMALIZE)]
    modules = [
        {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for i, (kind, path) in enumerate(names[: 3 if normalize else 2])
    ]
    write_json(folder / MODULES, modules)
    write_json(folder / "sentence_bert_config.json", {"max_seq_length": max_length, "do_lower_case": False})
    (folder / POOLING).mkdir(exist_ok=True)
    chosen = {name: name == pooling for name in POOLINGS}
    keys = {_old_key(name): value for name, value in chosen.items()}
    write_json(folder / POOLING / "config.json", {"word_embedding_dimension": hidden_dim, **keys})
    if normalize:  # some versions want the folder to be there, and git keeps none that is empty
        (folder / NORMALIZE).mkdir(exist_ok=True)
        write_json(folder / NORMALIZE / "config.json", {})


def _pooling(path: Path) -> str:
    config = _read(path)
    modes = config.get("pooling_mode") or [
        key.removeprefix("pooling_mode_").removesuffix("s").removesuffix("_token")
        for key, value in config.items()
        if key.startswith("pooling_mode_") and value is True
    ]
    names = [modes] if isinstance(modes, str) else [str(mode) for mode in modes] or ["mean"]
    return POOLINGS.get(names[0], names[0]) if len(names) == 1 else " and ".join(names)


def _old_key(name: str) -> str:
    return OLD_KEY.format(name, "" if name == "cls" else "s")


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{path}: expected a file that can be read. Received: {error.strerror or error}") from None
    except ValueError as error:
        raise UserError(f"{path}: expected JSON. Received: {error}") from None
