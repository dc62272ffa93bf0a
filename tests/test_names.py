"""Every dotted name of bert_tf in a document, a docstring, a comment or a message is there, under that name."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
PACKAGE = REPOSITORY / "bert_tf"
DOCUMENTS = (
    "*.md",
    "docs/**/*.md",
    "docs/*.py",
    "examples/**/*.md",
    "examples/**/*.ipynb",
    "export/**/*",
    "tasks/*.py",
    "configs/*.toml",
    "bert_tf/**/*.py",
    "benchmarks/**/*.py",
    ".github/**/*",
)
NAME = re.compile(r"(?<![\w./-])bert_tf(?:\.[A-Za-z_]\w*)+")
# Names of something else: what a wheel keeps tasks/ in, a logger, a format of files.
OTHERS = ("bert_tf._definitions", "bert_tf.progress", "bert_tf.phone")


def documents() -> list[Path]:
    found = {path for pattern in DOCUMENTS for path in REPOSITORY.glob(pattern) if path.is_file()}
    return sorted(path for path in found if path.suffix != ".pyc" and path.name != "CHANGELOG.md")


def missing(text: str) -> list[str]:
    """The names in `text` that nothing has."""
    return [name for name in NAME.findall(text) if not name.startswith(OTHERS) and not is_there(name)]


def is_there(name: str) -> bool:
    """Whether a module, or a name in it, or in a class of it, is called so; imports nothing."""
    place, parts = PACKAGE, name.split(".")[1:]
    while parts and (place / parts[0]).is_dir():
        place /= parts.pop(0)
    if parts and (place / f"{parts[0]}.py").is_file():
        place /= f"{parts.pop(0)}.py"
    else:
        place /= "__init__.py"
    if not parts:
        return True
    there = place.is_file() and (parts[0],) in names_in(place)
    return there and (len(parts) == 1 or tuple(parts[:2]) in names_in(place) or parts[1] in members())


@cache
def names_in(path: Path) -> frozenset[tuple[str, ...]]:
    """What a module has: (name,), and (class, member); of a package also what it finds when it is asked for it."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found: set[tuple[str, ...]] = {("__version__",)} if path.parent == PACKAGE else set()
    for node in tree.body:
        for name in defined(node):
            found.add((name,))
        if isinstance(node, ast.ClassDef):
            found |= {(node.name, member) for child in ast.walk(node) for member in defined(child)}
        if path.name == "__init__.py" and isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            strings = (child.value for child in ast.walk(node.value) if isinstance(child, ast.Constant))
            found |= {(value,) for value in strings if isinstance(value, str)}
    return frozenset(found)


@cache
def members() -> frozenset[str]:
    """What any class of the library has: a public name does not say where its class is, nor what that inherits."""
    return frozenset(name[1] for path in PACKAGE.rglob("*.py") for name in names_in(path) if len(name) == 2)


def defined(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Assign | ast.AnnAssign):
        for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
            yield from (child.id for child in ast.walk(target) if isinstance(child, ast.Name))
            yield from (child.attr for child in ast.walk(target) if isinstance(child, ast.Attribute))
    elif isinstance(node, ast.Import | ast.ImportFrom):
        yield from (alias.asname or alias.name for alias in node.names)


def test_every_name_is_there():
    found = [
        f"{path.relative_to(REPOSITORY)}: {name}" for path in documents() for name in missing(path.read_text("utf-8"))
    ]
    assert found == []


def test_documents_name_modules_and_members():
    text = "python -m bert_tf.train; bert_tf.kinds.Classification, bert_tf.BertTokenizer and bert_tf.errors.UserError"
    assert len(NAME.findall(text)) == 4
    assert missing(text) == []


@pytest.mark.parametrize("name", ["bert_tf.pipeline", "bert_tf.kinds.Nothing", "bert_tf.errors.UserError.nowhere"])
def test_a_name_that_is_not_there_is_seen(name):
    assert missing(f"see `{name}`.") == [name]
