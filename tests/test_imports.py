"""Imports point one way: this file holds the table, CONTRIBUTING.md quotes it."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
PACKAGE = REPOSITORY / "bert_tf"

# What each part of bert_tf may import from the others. `types:` marks what it may only name in annotations, under
# `if TYPE_CHECKING:`. A part that is not here fails: give it a row.
TABLE = {
    "errors": "",
    "registered": "",
    "config": "errors",
    "text": "errors weights.leave weights.places weights.vocabulary weights.vocabulary_file",
    "layers": "errors",
    "weights": "errors",
    "metrics": "config errors",
    "data": "config errors text",
    "models": "config errors layers weights text",
    "kinds": "config errors data metrics models text weights",
    "training": "config data errors models types:kinds",
    "commands": "*",
}
# Files of bert_tf/ that are not a part of their own.
PART_OF = {
    "__init__": "commands",
    "command_line": "commands",
    "config_errors": "config",
    "config_resume": "config",
    "config_sections": "config",
    "evaluate": "commands",
    "export": "commands",
    "exporting": "commands",
    "input_lines": "commands",
    "lookup": "commands",
    "pipeline": "commands",
    "predict": "commands",
    "prepare": "commands",
    "runs": "commands",
    "search": "commands",
    "train": "commands",
    "vector_index": "commands",
    "vocabulary": "commands",
}
# Packages from elsewhere that a part must not import, not even inside a function.
BARRED = {
    "layers": {"tensorflow", "tensorflow_text", "keras_hub", "torch", "jax"},
    "metrics": {"tensorflow", "tensorflow_text", "keras", "keras_hub", "torch", "jax"},
    "models": {"tensorflow", "tensorflow_text", "keras_hub", "torch", "jax"},
    "weights": {"tensorflow_text", "keras", "keras_hub", "torch", "jax"},
}
# Importing these must be quick: `--help` answers in under a second.
LIGHT = (
    "bert_tf",
    "bert_tf.errors",
    "bert_tf.registered",
    "bert_tf.config",
    "bert_tf.lookup",
    "bert_tf.train",
    "bert_tf.evaluate",
    "bert_tf.export",
    "bert_tf.predict",
    "bert_tf.prepare",
    "bert_tf.runs",
    "bert_tf.search",
    "bert_tf.vocabulary",
)
HEAVY = {"tensorflow", "tensorflow_text", "keras", "keras_hub", "sklearn", "scipy", "torch", "transformers", "jax"}


@dataclass(frozen=True)
class Import:
    """One imported module, or a name that may be one: `from bert_tf.text import vocabulary`."""

    module: str
    line: int
    at_import: bool
    """Whether it happens as soon as the file is imported."""
    for_types: bool
    """Whether it stands under `if TYPE_CHECKING:`."""


def imports(source: str, package: str) -> Iterator[Import]:
    """The imports of one file, relative ones resolved against `package`, the dotted name of its folder."""

    def walk(node: ast.AST, at_import: bool, for_types: bool) -> Iterator[Import]:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, node.lineno, at_import, for_types)
        elif isinstance(node, ast.ImportFrom):
            folder = package.rsplit(".", node.level - 1)[0] if node.level > 1 else package
            base = ".".join(filter(None, (folder if node.level else "", node.module)))
            for alias in node.names:
                yield Import(f"{base}.{alias.name}", node.lineno, at_import, for_types)
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            for child in node.body:
                yield from walk(child, False, True)
            for child in node.orelse:
                yield from walk(child, at_import, for_types)
        else:
            function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            for child in ast.iter_child_nodes(node):
                yield from walk(child, at_import and not function, for_types)

    return walk(ast.parse(source), True, False)


def part_of(module: str) -> str:
    """The row of TABLE that an imported `bert_tf...` name belongs to; a public name is the whole library's."""
    name = [*module.split("."), "__init__"][1]
    if name in TABLE or name in PART_OF:
        return PART_OF.get(name, name)
    return name if (PACKAGE / f"{name}.py").is_file() or (PACKAGE / name).is_dir() else "commands"


def violations(source: str, module: str) -> list[str]:
    """What the file of the dotted name `module` imports against the table, one line each."""
    own = module.split(".")[1]
    part = PART_OF.get(own, own)
    if part not in TABLE:
        return [f"{module}: {part!r} has no row in TABLE"]
    allowed = TABLE[part].split()
    found = []
    for item in imports(source, module.rpartition(".")[0]):
        where = f"{module}:{item.line}: {part} must not import {item.module}"
        top = item.module.split(".")[0]
        if top in BARRED.get(part, ()) or top in {"tasks", "configs", "export", "tests", "benchmarks"}:
            found.append(where)
        elif (
            top == "bert_tf"
            and item.module != "bert_tf.__version__"
            and part_of(item.module) != part
            and "*" not in allowed
        ):
            entries = [entry.removeprefix("types:") for entry in allowed if item.for_types or "types:" not in entry]
            inside = f"{'.'.join([part_of(item.module), *item.module.split('.')[2:]])}."
            if not any(inside.startswith(f"{entry}.") for entry in entries):
                found.append(where)
    return found


def modules() -> dict[str, Path]:
    """Every module of bert_tf/: dotted name, `__init__` spelt out, to file."""
    return {
        ".".join(path.relative_to(REPOSITORY).with_suffix("").parts): path for path in sorted(PACKAGE.rglob("*.py"))
    }


def test_every_file_keeps_to_the_table():
    found = [line for name, path in modules().items() for line in violations(path.read_text(encoding="utf-8"), name)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("folder", ["tasks", "export"])
def test_definitions_import_only_bert_tf_and_the_standard_library(folder):
    allowed = {"bert_tf", *sys.stdlib_module_names}
    found = [
        f"{path.relative_to(REPOSITORY)}:{item.line}: {item.module}"
        for path in sorted((REPOSITORY / folder).glob("*.py"))
        for item in imports(path.read_text(encoding="utf-8"), "")
        if item.module.split(".")[0] not in allowed
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("module", "source", "caught"),
    [
        ("bert_tf.layers.pooler", "from bert_tf.models import sizes", True),
        ("bert_tf.layers.pooler", "from ..models.sizes import SIZES", True),
        ("bert_tf.layers.pooler", "from .dropout import Dropout", False),
        ("bert_tf.layers.pooler", "from bert_tf import layers, errors", False),
        ("bert_tf.layers.pooler", "from bert_tf import BertConfig", True),
        ("bert_tf.layers.pooler", "from bert_tf import __version__", False),
        ("bert_tf.layers.pooler", "def call():\n    import tensorflow as tf", True),
        ("bert_tf.layers.pooler", "from keras import ops", False),
        ("bert_tf.weights.read", "import bert_tf.config", True),
        ("bert_tf.weights.read", "import keras.ops", True),
        ("bert_tf.text.tokenizer", "from bert_tf.weights.places import resolve", False),
        ("bert_tf.text.tokenizer", "from bert_tf.weights import places", False),
        ("bert_tf.text.tokenizer", "from bert_tf.weights import read", True),
        ("bert_tf.text.tokenizer", "def f():\n    if 1:\n        import bert_tf.weights.tables", True),
        ("bert_tf.training.loop", "from bert_tf.kinds.base import Kind", True),
        ("bert_tf.training.loop", "if TYPE_CHECKING:\n    from bert_tf.kinds.base import Kind", False),
        (
            "bert_tf.training.loop",
            "if TYPE_CHECKING:\n    from bert_tf.text import x\nelse:\n    import bert_tf.text",
            True,
        ),
        ("bert_tf.training.loop", "import tasks.sst2", True),
        ("bert_tf.train", "from bert_tf.training import loop", False),
        ("bert_tf.train", "from export import tflite", True),
        ("bert_tf.config", "from bert_tf.config_errors import explain", False),
        ("bert_tf.unheard_of", "", True),
    ],
)
def test_the_rule_itself(module, source, caught):
    assert bool(violations(source, module)) == caught


def test_light_modules_import_nothing_heavy():
    code = f"import importlib, sys\nfor name in {LIGHT}: importlib.import_module(name)\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert not HEAVY & set(done.stdout.split())


def test_contributing_quotes_the_table():
    rows = [f"| {part} | {allowed.replace('types:', 'types of ') or 'nothing'} |" for part, allowed in TABLE.items()]
    text = (REPOSITORY / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert [row for row in rows if row not in text] == []
