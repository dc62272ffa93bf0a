"""Which lines of a file ask what kind of task something is."""

from __future__ import annotations

import ast
from collections.abc import Set


def asked_kinds(source: str, package: str, classes: Set[str]) -> list[int]:
    """The lines that ask which class of `bert_tf/kinds/` something is: with isinstance or issubclass, `type(x) is`,
    a name of a class as text, a `match`, a dispatch, or a table by classes.

    Args:
        package: the dotted name of the file's folder.
        classes: the names of those that count.
    """
    tree = ast.parse(source)
    bound: dict[str, str] = {}  # what is imported by each name
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            bound |= {alias.asname: alias.name for alias in node.names if alias.asname}
        elif isinstance(node, ast.ImportFrom):
            folder = package.rsplit(".", node.level - 1)[0] if node.level > 1 else package
            base = ".".join(filter(None, (folder if node.level else "", node.module)))
            bound |= {alias.asname or alias.name: f"{base}.{alias.name}" for alias in node.names}

    def is_class(node: ast.AST) -> bool:
        if isinstance(node, ast.Attribute):
            return node.attr in classes and "kinds" in place(node.value)
        return isinstance(node, ast.Name) and (
            place(node).startswith("bert_tf.kinds") and place(node).rpartition(".")[2] in classes
        )

    def place(node: ast.AST) -> str:
        if isinstance(node, ast.Attribute):
            return f"{place(node.value)}.{node.attr}"
        return bound.get(node.id) or node.id if isinstance(node, ast.Name) else ""

    def names(node: ast.AST | None) -> bool:
        return node is not None and any(is_class(part) for part in ast.walk(node))

    def is_text(node: ast.AST) -> bool:
        return any(isinstance(part, ast.Constant) and part.value in classes for part in ast.walk(node))

    def is_name_of_type(node: ast.AST) -> bool:
        return any(
            isinstance(part, ast.Attribute) and part.attr in ("__name__", "__qualname__") for part in ast.walk(node)
        )

    def asks(node: ast.AST) -> bool:
        if isinstance(node, ast.Call):
            asker = ast.unparse(node.func).rpartition(".")[2]
            return asker in {"isinstance", "issubclass", "register"} and any(map(names, node.args))
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            by_text = any(map(is_text, sides)) and any(map(is_name_of_type, sides))
            return any(map(names, sides)) or by_text
        if isinstance(node, ast.MatchClass):
            return names(node.cls)
        if isinstance(node, ast.Dict):
            return any(map(is_class, filter(None, node.keys)))
        if isinstance(node, ast.Assign | ast.AnnAssign):  # a tuple of classes, for someone else to ask with
            value = node.value
            return isinstance(value, ast.Tuple | ast.List | ast.Set | ast.BinOp) and any(
                map(is_class, value.elts if not isinstance(value, ast.BinOp) else (value.left, value.right))
            )
        return False

    parts = (node for node in ast.walk(tree) if isinstance(node, ast.expr | ast.stmt | ast.pattern))
    return sorted({node.lineno for node in parts if asks(node)})
