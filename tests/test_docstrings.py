"""The examples in docstrings run, and every public class and metric has one."""

from __future__ import annotations

import ast
import doctest
import importlib
import inspect
import os
import pydoc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import bert_tf

REPOSITORY = Path(__file__).resolve().parent.parent
PUBLIC_CLASSES = ("BertBackbone", "BertClassifier", "BertConfig", "BertTokenizer", "Pipeline", "UserError")
# What people import, and where from.
PUBLIC = ("bert_tf", "bert_tf.layers", "bert_tf.kinds", "bert_tf.data", "bert_tf.exporting")
# Of these every public function has an example too, but what is for other parts of the library alone.
METRICS = ("answer_rules", "bleu", "classification", "curves", "entities", "ranking", "rouge", "span_answers")
INNER = {"check_reference", "check_retrieval_metric", "check_texts", "ranked_for", "rouge_tokenizer", "without"}
ARTEFACTS = ("exporting.models:HuggingFace", "exporting.models:Keras", "exporting.saved_model.artefact:SavedModel",
             "exporting.tflite.artefact:TFLite")  # fmt: skip
LONG = {  # examples of what other tests do with the same sizes, each 10 to 30 seconds of a core
    "bert_tf.train:train",
    "bert_tf.text.byte_pairs.tokenizer:BytePairTokenizer",
    "bert_tf.text.sentence_pieces.tokenizer:SentencePieceTokenizer",
}


def examples() -> Iterator[str]:
    """Every class, function and method with an example, as "module:name", found without importing anything."""
    for path in sorted((REPOSITORY / "bert_tf").rglob("*.py")):
        source = path.read_text(encoding="utf-8")
        if ">>>" not in source:
            continue
        parts = path.relative_to(REPOSITORY).with_suffix("").parts
        module = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

        def walk(node: Any, prefix: str, module: str = module) -> Iterator[str]:
            if ">>>" in (ast.get_docstring(node) or ""):
                yield f"{module}:{prefix}".rstrip(".")
            for child in node.body:
                if isinstance(child, ast.ClassDef | ast.FunctionDef):
                    yield from walk(child, f"{prefix}{child.name}.")

        yield from walk(ast.parse(source), "")


def resolve(place: str) -> Any:
    module, _, path = place.partition(":")
    found: Any = importlib.import_module(module)
    for name in filter(None, path.split(".")):
        found = getattr(found, name)
    return found


def public() -> dict[str, Any]:
    """Every public class, and every public function of metrics, by the name that it is imported by."""
    found = {}
    for package in PUBLIC:
        module = importlib.import_module(package)
        for name in module.__all__:
            value = getattr(module, name)
            if inspect.isclass(value) or (package == "bert_tf" and inspect.isfunction(value)):
                found[f"{package}.{name}"] = value
    for place in ARTEFACTS:
        found[place] = resolve(f"bert_tf.{place}")
    for name in METRICS:
        module = importlib.import_module(f"bert_tf.metrics.{name}")
        for function, value in vars(module).items():
            if inspect.isfunction(value) and value.__module__ == module.__name__ and function[0] != "_":
                found[f"metrics.{name}.{function}"] = value
    return {name: value for name, value in found.items() if name.rpartition(".")[2] not in INNER}


@pytest.mark.parametrize("place", [pytest.param(x, marks=pytest.mark.slow) if x in LONG else x for x in examples()])
def test_an_example_runs(place, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    module = importlib.import_module(place.partition(":")[0])
    finder = doctest.DocTestFinder(recurse=False)
    tests = finder.find(resolve(place), place, module=module, globs=dict(vars(module)))
    assert sum(len(test.examples) for test in tests) > 0
    said: list[str] = []
    runner = doctest.DocTestRunner(verbose=False, optionflags=doctest.ELLIPSIS)
    for test in tests:
        runner.run(test, out=said.append)
    assert not said, "".join(said)
    assert os.listdir(tmp_path) == []  # noqa: PTH208


def test_the_long_examples_are_there():
    assert set(examples()) >= LONG


def test_every_public_class_has_an_example():
    missing = [name for name, value in public().items() if ">>>" not in (value.__doc__ or "")]
    assert missing == []


def test_help_and_completion_show_the_public_names():
    assert {name for name in dir(bert_tf) if not name.startswith("__")} == set(bert_tf.__all__) - {"__version__"}
    text = pydoc.plain(pydoc.render_doc(bert_tf))
    for name in PUBLIC_CLASSES:
        assert f"class {name}(" in text, name


def test_a_class_without_an_example_would_be_seen():
    assert {"bert_tf.BertTokenizer", "bert_tf.load_task", "bert_tf.data.Csv", "metrics.rouge.rouge"} <= set(public())
    assert "bert_tf.text.wordpiece.tokenizer:BertTokenizer" in set(examples())
