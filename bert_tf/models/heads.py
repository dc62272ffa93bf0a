"""The models: a row each, which says where its class is and how its files are known. It needs no Keras.

A class of Transformers is named after the member of the family and the head: `Bert` and `ForMaskedLM`.
"""

from __future__ import annotations

from typing import NamedTuple

from bert_tf.weights.members import BERT, MEMBERS
from bert_tf.weights.members.member import HEADS


class Head(NamedTuple):
    """A model.

    Args:
        module: where in `bert_tf.models` its class is.
        end: what the name of its class in Transformers ends in, where a member does not say otherwise.
        names_classes: whether its files give each class of its outputs a name.
    """

    module: str
    end: str
    names_classes: bool = False

    @property
    def parts(self) -> tuple[str, ...]:
        """Where in our paths of weights those of the head lie."""
        return HEADS[self.end]


MODELS: dict[str, Head] = {
    "BertBackbone": Head("backbones.bert", "Model"),
    "BertClassifier": Head("classifier", "ForSequenceClassification", names_classes=True),
    "BertDiscriminator": Head("pretraining.discriminator", "ForReplacedTokens"),
    "BertEmbedder": Head("embedder", "Model"),
    "BertExtractiveSummarizer": Head("extractive", "ForExtractiveSummarization"),
    "BertMaskedLM": Head("pretraining.masked_lm", "ForMaskedLM"),
    "BertMultipleChoice": Head("multiple_choice", "ForMultipleChoice"),
    "BertPretrainer": Head("pretraining.masked_lm", "ForPreTraining"),
    "BertSeq2Seq": Head("seq2seq", "ForMaskedLM"),
    "BertSpanQA": Head("span_qa", "ForQuestionAnswering"),
    "BertTagger": Head("tagger", "ForTokenClassification", names_classes=True),
}


def head_of(model: type) -> Head | None:
    """The row of a model's class, or of the nearest class that it is made from; None of another model's."""
    return next((MODELS[cls.__name__] for cls in model.__mro__ if cls.__name__ in MODELS), None)


class Architecture:
    """The class of Transformers that reads a model's files: of a model as its member has it, of a class BERT's."""

    def __get__(self, model, cls: type) -> str | None:
        head = head_of(cls)
        member = BERT if model is None else MEMBERS[model.config.model_type]
        return None if head is None else member.architecture(head.end)
