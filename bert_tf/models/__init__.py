"""The models. Importing this package is free of TensorFlow; the names load it when they are first used."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from bert_tf.models.heads import MODELS

if TYPE_CHECKING:
    from bert_tf.models.backbones.bert import BertBackbone
    from bert_tf.models.backbones.config import BertConfig
    from bert_tf.models.backbones.sizes import SIZES, size_config
    from bert_tf.models.classifier import BertClassifier
    from bert_tf.models.embedder import BertEmbedder
    from bert_tf.models.extractive import BertExtractiveSummarizer
    from bert_tf.models.generation.settings import Generation
    from bert_tf.models.multiple_choice import BertMultipleChoice
    from bert_tf.models.pretrained.paths import weights_by_path
    from bert_tf.models.pretraining.discriminator import BertDiscriminator
    from bert_tf.models.pretraining.masked_lm import BertMaskedLM, BertPretrainer
    from bert_tf.models.pretraining.replaced_tokens import BertReplacedTokens
    from bert_tf.models.seq2seq import BertSeq2Seq
    from bert_tf.models.span_qa import BertSpanQA
    from bert_tf.models.tagger import BertTagger

_WHERE = {
    **{name: head.module for name, head in MODELS.items()},
    "BertConfig": "backbones.config",
    "BertReplacedTokens": "pretraining.replaced_tokens",  # a discriminator by its files
    "Generation": "generation.settings",
    "SIZES": "backbones.sizes",
    "size_config": "backbones.sizes",
    "weights_by_path": "pretrained.paths",
}

__all__ = [
    "SIZES",
    "BertBackbone",
    "BertClassifier",
    "BertConfig",
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
    "Generation",
    "size_config",
    "weights_by_path",
]


def __getattr__(name: str):
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_WHERE[name]}"), name)


def __dir__():
    return sorted(__all__)
