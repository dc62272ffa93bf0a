"""BERT in Keras 3 and TensorFlow: any checkpoint in, one command to fine-tune, a model that takes text out.

>>> import bert_tf
>>> tokenizer = bert_tf.BertTokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "good", "film"])
>>> config = bert_tf.BertConfig(vocabulary_size=8, hidden_dim=8, num_layers=1, num_heads=2, intermediate_dim=8)
>>> model = bert_tf.BertClassifier(config, num_classes=2)
>>> model.compute(tokenizer(["a good film", "a film"]), labels=[1, 0])["logits"].shape
TensorShape([2, 2])

Trained weights: `bert_tf.BertClassifier.from_pretrained("minilm", num_classes=2)`. The classes are imported when they
are first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from bert_tf.registered import register_with_keras

if TYPE_CHECKING:
    from bert_tf.errors import UserError
    from bert_tf.inference.pipeline import Pipeline
    from bert_tf.inference.trained import Run
    from bert_tf.kinds.definitions import load_task
    from bert_tf.models import (
        BertBackbone,
        BertClassifier,
        BertConfig,
        BertDiscriminator,
        BertEmbedder,
        BertExtractiveSummarizer,
        BertMaskedLM,
        BertMultipleChoice,
        BertPretrainer,
        BertReplacedTokens,
        BertSeq2Seq,
        BertSpanQA,
        BertTagger,
    )
    from bert_tf.preprocessing import BertPreprocessor
    from bert_tf.text import BertTokenizer, BytePairTokenizer, SentencePieceTokenizer, Tokenizer
    from bert_tf.train import CallableModule

    train: CallableModule

__version__ = "0.1.0"

__all__ = [
    "BertBackbone",
    "BertClassifier",
    "BertConfig",
    "BertDiscriminator",
    "BertEmbedder",
    "BertExtractiveSummarizer",
    "BertMaskedLM",
    "BertMultipleChoice",
    "BertPreprocessor",
    "BertPretrainer",
    "BertReplacedTokens",
    "BertSeq2Seq",
    "BertSpanQA",
    "BertTagger",
    "BertTokenizer",
    "BytePairTokenizer",
    "Pipeline",
    "Run",
    "SentencePieceTokenizer",
    "Tokenizer",
    "UserError",
    "__version__",
    "load_task",
    "train",
]

# Name -> where it lives. Imported on first use, so that `import bert_tf` and --help need no TensorFlow.
_HOMES = {
    "BertBackbone": "bert_tf.models",
    "BertClassifier": "bert_tf.models",
    "BertConfig": "bert_tf.models",
    "BertDiscriminator": "bert_tf.models",
    "BertEmbedder": "bert_tf.models",
    "BertExtractiveSummarizer": "bert_tf.models",
    "BertMaskedLM": "bert_tf.models",
    "BertMultipleChoice": "bert_tf.models",
    "BertPreprocessor": "bert_tf.preprocessing",
    "BertPretrainer": "bert_tf.models",
    "BertReplacedTokens": "bert_tf.models",
    "BertSeq2Seq": "bert_tf.models",
    "BertSpanQA": "bert_tf.models",
    "BertTagger": "bert_tf.models",
    "BertTokenizer": "bert_tf.text",
    "BytePairTokenizer": "bert_tf.text",
    "Pipeline": "bert_tf.inference.pipeline",
    "Run": "bert_tf.inference.trained",
    "SentencePieceTokenizer": "bert_tf.text",
    "Tokenizer": "bert_tf.text",
    "UserError": "bert_tf.errors",
    "load_task": "bert_tf.kinds.definitions",
}


register_with_keras()


def __getattr__(name: str) -> Any:
    if name == "train":  # a module that is called like a function: see there
        return importlib.import_module("bert_tf.train")
    if name not in _HOMES:
        raise AttributeError(f"module 'bert_tf' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
