"""Lets Keras find this library's classes in a file after `import bert_tf` alone, which imports none of them.

Keras looks a class up by its registered name, and imports no package but its own. So names are registered as soon as
both Keras and this library are imported, each with what imports the class when a file asks for it.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any

PACKAGE = "bert_tf"
CLASSES = {
    "bert_tf.layers": (
        "Bottleneck",
        "Convolution",
        "Embeddings",
        "EncoderBlock",
        "FeedForward",
        "LayerNorm",
        "MaskedLMHead",
        "NoNorm",
        "Pooler",
        "RelativeBias",
        "RelativeVectors",
        "SelfAttention",
        "SentenceScore",
        "Table",
    ),
    "bert_tf.models": (
        "BertBackbone",
        "BertClassifier",
        "BertDiscriminator",
        "BertEmbedder",
        "BertExtractiveSummarizer",
        "BertMaskedLM",
        "BertMultipleChoice",
        "BertPretrainer",
        "BertReplacedTokens",
        "BertSeq2Seq",
        "BertSpanQA",
        "BertTagger",
    ),
    "bert_tf.preprocessing": ("BertPreprocessor",),
}


def register_with_keras() -> None:
    """Registers the names now if Keras is imported, else as soon as it is."""
    keras = sys.modules.get("keras")
    if keras is None:
        sys.meta_path.insert(0, _AfterKeras())
    elif hasattr(keras, "saving"):  # it is there whole
        _register(keras)


class _Later:
    """Stands for a class in Keras's registry until a file asks for it, and the class takes its place."""

    def __init__(self, module: str, name: str) -> None:
        self.module, self.name = module, name

    def from_config(self, config: dict[str, Any]) -> Any:
        return getattr(importlib.import_module(self.module), self.name).from_config(config)


def _register(keras: Any) -> None:
    registry = keras.saving.get_custom_objects()
    for module, names in CLASSES.items():
        for name in names:
            registry.setdefault(f"{PACKAGE}>{name}", _Later(module, name))


class _AfterKeras(importlib.abc.MetaPathFinder):
    """Finds Keras where the other finders do, once, and registers the names when it is imported."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != "keras":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(fullname)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def execute_and_register(module: ModuleType) -> None:
                execute(module)
                _register(module)

            spec.loader.exec_module = execute_and_register
        return spec
