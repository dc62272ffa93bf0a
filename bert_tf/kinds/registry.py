"""Which kind of task answers for a model's folder that says no task: a table by the architecture in its config.json."""

from __future__ import annotations

import dataclasses
import json
import logging
import os
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, NamedTuple

from bert_tf.errors import UserError, did_you_mean
from bert_tf.kinds.base import Kind
from bert_tf.kinds.classification.multi_label import MultiLabel
from bert_tf.kinds.classification.regression import Regression
from bert_tf.kinds.classification.single_label import Classification
from bert_tf.kinds.extractive.spec import ExtractiveSummarization
from bert_tf.kinds.pretraining.spec import Pretraining
from bert_tf.kinds.span_qa.spec import SpanQA
from bert_tf.kinds.tagging.spec import Tagging
from bert_tf.kinds.text_to_text.spec import TextToText
from bert_tf.kinds.vectors.retrieval import Retrieval
from bert_tf.weights.leave import Leave
from bert_tf.weights.members import BERT, MEMBERS, end_of

LONGEST = 512
NEXT_SENTENCE = ("is_next", "not_next")
TASK = "give `task`, such as Classification(...) of bert_tf.kinds, with a model that has its head"

logger = logging.getLogger(__name__)


class Folder(NamedTuple):
    """A model's place.

    Args:
        where: as it was given.
        place: the local folder, or file prefix.
        checkpoint: names and shapes of its tensors.
        ignore: facts of its files to leave out although answers may change.
    """

    where: str | os.PathLike[str]
    place: Path
    checkpoint: Any
    ignore: Collection[str] = ()

    @property
    def whole(self) -> dict[str, Any]:
        """How its model is read: as answers need it."""
        return {"dtype": "float32", "new_weights": "forbid", "ignore": self.ignore}


Answering = tuple[Kind, Any]


class Row(NamedTuple):
    """An architecture.

    Args:
        heads: of our names of weights, those of which its files must have one at least; "" stands for none.
        answer: gives the kind and the model; None: there is none, and `why` says why.
        why: what to say instead of answering.
    """

    heads: tuple[str, ...] = ()
    answer: Callable[[Folder], Answering] | None = None
    why: str = ""


def kind_of(where: str | os.PathLike[str], *, ignore: Collection[str] = ()) -> Answering:
    """The kind of task that a folder's architecture is for, and its model.

    Args:
        where: a place as `bert_tf.weights.resolve` takes it, with a model's weights.
        ignore: facts of its files to leave out, as every model's `from_pretrained` takes them.
    Raises: UserError naming an architecture that is not known, or answers nothing, and what to do.
    """
    from bert_tf import weights
    from bert_tf.weights.places import folder_of, inner_folder
    from bert_tf.weights.sentence_transformers import has_vectors

    place = folder_of(weights.resolve(where))
    raw = _config(inner_folder(place))
    if has_vectors(place):
        return _embedding(Folder(where, place, None, ignore))
    name = "" if "architectures" in Leave(ignore) else _architecture(raw)
    row = _row_of(name)
    if row is not None and row.answer is None:
        raise UserError(f"{place}: {name} {row.why}")
    if name and row is None:
        answered = [known for known, row in ARCHITECTURES.items() if row.answer is not None]
        raise UserError(
            f"{place / 'config.json'}: the architecture {name} is not known.{did_you_mean(name, answered)} "
            f"Known are {', '.join(answered)}; for what another one answers, {TASK}, or let its tensors decide: "
            'ignore=["architectures"]'
        )
    folder = Folder(where, place, weights.load(where, ignore=ignore), ignore)
    if "pooling" in folder.checkpoint.settings:  # an embedder of KerasHub
        return _embedding(folder)
    if not name:
        name = _by_tensors(folder)
        row = ARCHITECTURES[name]
        name = MEMBERS[folder.checkpoint.config.get("model_type", BERT.model_type)].architecture(end_of(name) or "")
        logger.warning("%s names no architecture that counts: by its tensors it is taken for %s", place, name)
    assert row is not None
    if row.answer is None:
        raise UserError(f"{place}: {name} {row.why}")
    if not any(path.split("/")[0] in row.heads for path in folder.checkpoint.arrays):
        raise UserError(
            f"{place}: config.json names {name}, but the file has no weights of its head, which would be random; {TASK}"
        )
    return row.answer(folder)


def _config(place: Path) -> dict[str, Any]:
    try:
        config = json.loads((place / "config.json").read_text(encoding="utf-8-sig"))
    except (OSError, ValueError):
        return {}
    return config if isinstance(config, dict) else {}


def _architecture(config: dict[str, Any]) -> str:
    """What config.json says that the folder is; empty where it says nothing."""
    ours = config.get("bert_tf")
    if isinstance(ours, dict) and isinstance(ours.get("model"), str):
        return ours["model"]
    names = config.get("architectures")
    return str(names[0]) if isinstance(names, list) and names else ""


def _row_of(name: str) -> Row | None:
    """The row of an architecture, of whichever member of the family; None of one that is not known."""
    end = end_of(name)
    return ARCHITECTURES.get(name if end is None else BERT.architecture(end))


def _by_tensors(folder: Folder) -> str:
    """The architecture that has these tensors. Taggers and classifiers have the same head; a tagger has no pooler, or
    labels that read as those of entities."""
    from bert_tf.data.tagged.label_sets import read_labels

    roots = {path.split("/")[0] for path in folder.checkpoint.arrays}
    if "classifier" in roots:
        labels = folder.checkpoint.labels
        begins = labels is not None and "B" in read_labels(labels).letters and read_labels(labels).is_entities
        return "BertForTokenClassification" if begins or "pooler" not in roots else "BertForSequenceClassification"
    if "masked_lm" in roots:
        return "BertForPreTraining" if "next_sentence" in roots else "BertForMaskedLM"
    by_head = {
        "span": "BertForQuestionAnswering",
        "sentence_score": "BertForExtractiveSummarization",
        "next_sentence": "BertForNextSentencePrediction",
    }
    return next((name for head, name in by_head.items() if head in roots), "BertModel")


def _source() -> Any:
    from bert_tf.data import InMemory

    return InMemory({})


def _length(model: Any) -> int:
    return min(model.config.max_positions, LONGEST)


def _classification(folder: Folder) -> Answering:
    from bert_tf.models import BertClassifier

    model = BertClassifier.from_pretrained(folder.where, output_activation="linear", **folder.whole)
    shared: dict[str, Any] = {"source": _source(), "text": ("text",), "sequence_length": _length(model)}
    if model.problem == "multi_label":
        return MultiLabel(classes=model.labels, **shared), model
    if model.problem == "regression":
        return Regression(label=model.labels, **shared), model
    return Classification(label="label", classes=model.labels, **shared), model


def _next_sentence(folder: Folder) -> Answering:
    """Its head is a classifier's of two classes, under another name."""
    from bert_tf.models import BertClassifier
    from bert_tf.models.pretrained import config_of, load_into
    from bert_tf.weights.checkpoint import Arrays, Tensor

    arrays = folder.checkpoint.arrays

    def tensor(path: str) -> Tensor:
        return Tensor(arrays.name(path), arrays.shape(path), lambda: arrays[path])

    renamed = Arrays({path.replace("next_sentence/", "classifier/"): tensor(path) for path in arrays})
    model = BertClassifier(config_of(folder.where, ignore=folder.ignore), len(NEXT_SENTENCE), labels=NEXT_SENTENCE)
    load_into(model, dataclasses.replace(folder.checkpoint, arrays=renamed), new_weights="forbid")
    length = _length(model)
    text = ("text", "pair")
    kind = Classification(source=_source(), text=text, label="label", classes=NEXT_SENTENCE, sequence_length=length)
    return kind, model


def _tagging(folder: Folder) -> Answering:
    from bert_tf.data.tagged.label_sets import of_types
    from bert_tf.models import BertTagger

    model = BertTagger.from_pretrained(folder.where, **folder.whole)
    kind = Tagging(source=_source(), labels=model.labels, sequence_length=_length(model))
    labels = kind.label_set
    if labels.labels != of_types(labels.types).labels:
        logger.warning("%s: the labels are read as %s", folder.place, labels.description)
    return kind, model


def _span_qa(folder: Folder) -> Answering:
    kind = SpanQA(source=_source())
    return kind, kind.load_model(str(folder.where), ignore=folder.ignore)


def _extractive(folder: Folder) -> Answering:
    kind = ExtractiveSummarization(source=_source(), text="text", summary="summary")
    return kind, kind.load_model(str(folder.where), ignore=folder.ignore)


def _embedding(folder: Folder) -> Answering:
    kind = Retrieval(source=_source(), sequence_length=LONGEST)
    model = kind.load_model(str(folder.where), ignore=folder.ignore)
    longest = min(model.max_length or model.config.max_positions, model.config.max_positions)
    return dataclasses.replace(kind, sequence_length=longest), model


def _fill_mask(folder: Folder) -> Answering:
    """Guesses for each [MASK]; a second head has no part in them."""
    from bert_tf.models import BertMaskedLM

    model = BertMaskedLM.from_pretrained(folder.where, **folder.whole)
    return Pretraining(source=_source(), sequence_length=_length(model)), model


def _text_to_text(folder: Folder) -> Answering:
    from bert_tf.models import BertSeq2Seq
    from bert_tf.models.generation.texts import default_settings

    model = BertSeq2Seq.from_pretrained(folder.where, **folder.whole)
    length = _length(model)
    target = default_settings(length).max_length
    logger.warning("%s: at most %d tokens are written, greedily; `task` says otherwise", folder.place, target)
    kind = TextToText(
        source=_source(),
        text="text",
        target="target",
        metrics=("rouge1",),
        sequence_length=length,
        target_length=target,
    )
    return kind, model


_DECODER = (
    "writes text from left to right, which BERT's encoder does not; bert_tf has no causal models. A text is written by "
    "BertSeq2Seq, trained with a TextToText task"
)
ARCHITECTURES: dict[str, Row] = {
    "BertForSequenceClassification": Row(("classifier",), _classification),
    "BertForTokenClassification": Row(("classifier",), _tagging),
    "BertForQuestionAnswering": Row(("span",), _span_qa),
    "BertForMaskedLM": Row(("masked_lm",), _fill_mask),
    "BertForPreTraining": Row(("masked_lm",), _fill_mask),
    "BertForNextSentencePrediction": Row(("next_sentence",), _next_sentence),
    "BertForExtractiveSummarization": Row(("sentence_score",), _extractive),
    "BertSeq2Seq": Row(("masked_lm",), _text_to_text),
    "BertModel": Row(
        why="is a backbone without a head, which answers nothing by itself: train one with bert_tf.train --backbone, "
        "or give `task`, such as Retrieval(source=InMemory({}), sequence_length=128) for vectors of texts"
    ),
    "BertForMultipleChoice": Row(
        why="chooses among several texts for a question, of which bert_tf has no kind; its backbone can be trained as "
        "any other's with bert_tf.train --backbone"
    ),
    "BertLMHeadModel": Row(why=_DECODER),
    "BertForCausalLM": Row(why=_DECODER),
    "BertGenerationDecoder": Row(why=_DECODER),
    "BertGenerationEncoder": Row(why=_DECODER),
    "EncoderDecoderModel": Row(why="joins an encoder and a decoder. " + _DECODER[0].upper() + _DECODER[1:]),
}
"""Row by the class of Transformers, or by our own where Transformers has none of the name."""
