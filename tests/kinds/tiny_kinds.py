"""One task of every kind, and of every loss that a kind has, with tiny data and a tiny model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from bert_tf.config import Layer, resolve
from bert_tf.data import InMemory, choose_layout, plan_batches, plan_epoch, replica_batches
from bert_tf.data.batching.plan import Batching
from bert_tf.kinds import (
    Classification,
    Embedding,
    ExtractiveSummarization,
    MultiLabel,
    MultipleChoice,
    Regression,
    SpanQA,
    Tagging,
    TextToText,
)
from bert_tf.kinds.definitions import load_task
from bert_tf.models import (
    BertClassifier,
    BertConfig,
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
from bert_tf.text import BertTokenizer
from tests.conftest import VOCABULARY
from tests.data.corpora import pretraining_sets

TOKENIZER = BertTokenizer(VOCABULARY)
TEXTS = ("good film", "bad", "a b c d. e f g", "film! good, bad film", "h i? j", "x y z", "good good", "bad. a film")
EXAMPLES = 8


@dataclass(frozen=True)
class Tiny:
    """A task, ready to be trained.

    Args:
        kind: the task.
        model: makes its model, with the same weights each time.
        features: its training data.
        options: of its loss, such as label smoothing, to be tried besides the default.
    """

    kind: Any
    model: Callable[[], Any]
    features: Any
    options: Mapping[str, Any] = field(default_factory=dict)

    def batches(self, batching: Batching) -> Iterator[dict[str, tf.Tensor]]:
        """The batches of one epoch."""
        if hasattr(self.features, "epochs"):
            plans = plan_batches(self.features, EXAMPLES, batching=batching, seed=1)
            found = replica_batches(self.features, plans, stop=plans.number_of_batches(1))
        else:
            lengths = self.features.lengths
            pack_length = 2 * int(lengths.max()) if batching == "packed" else None
            layout = choose_layout(lengths, EXAMPLES, batching=batching, pack_length=pack_length)
            found = replica_batches(self.features, plan_epoch(lengths, layout, seed=1, epoch=0))
        for block in found:
            yield {name: tf.constant(value) for name, value in block.items()}


def classification() -> Tiny:
    rows = [{"text": text, "label": i % 3} for i, text in enumerate(TEXTS)]
    kind = Classification(text=("text",), label="label", classes=("a", "b", "c"), **_of(rows))
    options = {"label_smoothing": 0.1, "class_weights": (0.5, 2.0, 1.5)}
    return _tiny(kind, lambda config: BertClassifier(config, 3), options)


def multi_label() -> Tiny:
    rows = [{"text": text, "labels": "ab"[: i % 3]} for i, text in enumerate(TEXTS)]
    rows = [row | {"labels": ",".join(row["labels"])} for row in rows]
    kind = MultiLabel(text=("text",), label="labels", classes=("a", "b", "c"), **_of(rows))
    options = {"label_smoothing": 0.2, "class_weights": (0.5, 2.0, 1.5)}
    return _tiny(kind, lambda config: BertClassifier(config, 3, problem="multi_label"), options)


def regression() -> Tiny:
    rows = [{"text": text, "x": i / 3, "y": -i} for i, text in enumerate(TEXTS)]
    kind = Regression(text=("text",), label=("x", "y"), **_of(rows))
    return _tiny(kind, lambda config: BertClassifier(config, 2, problem="regression"))


def tagging() -> Tiny:
    tags = ("O", "B-per", "I-per", "B-loc")
    rows = [
        {"words": text.split(), "tags": [tags[(i + n) % 2] for n in range(len(text.split()))]}
        for i, text in enumerate(TEXTS)
    ]
    kind = Tagging(types=("per", "loc"), **_of(rows))
    return _tiny(kind, lambda config: BertTagger(config, 5), {"label_smoothing": 0.1})


def span_qa() -> Tiny:
    rows = []
    for i, text in enumerate(TEXTS):
        start = text.index(text.split()[-1])
        answers = [] if i % 4 == 3 else [{"text": text[start:], "answer_start": start}]
        rows.append({"id": str(i), "question": TEXTS[-i], "context": text, "answers": answers})
    kind = SpanQA(no_answer=True, stride=2, **_of(rows))
    return _tiny(kind, BertSpanQA, {"label_smoothing": 0.1})


def multiple_choice() -> Tiny:
    rows = [
        {"text": text, "a": TEXTS[-i], "b": TEXTS[i - 3], "c": "bad", "label": i % 3} for i, text in enumerate(TEXTS)
    ]
    kind = MultipleChoice(text="text", choices=("a", "b", "c"), label="label", **_of(rows, 24))
    return _tiny(kind, BertMultipleChoice, {"label_smoothing": 0.1})


def extractive() -> Tiny:
    rows = [{"text": f"{text}\n{TEXTS[-i]}. {TEXTS[i - 3]}", "short": text} for i, text in enumerate(TEXTS)]
    kind = ExtractiveSummarization(text="text", summary="short", num_sentences=1, **_of(rows, 24))
    return _tiny(kind, BertExtractiveSummarizer, {"label_smoothing": 0.1})


def text_to_text() -> Tiny:
    rows = [{"text": text, "short": TEXTS[-i]} for i, text in enumerate(TEXTS)]
    kind = TextToText(text="text", target="short", target_length=8, metrics=("rouge1",), **_of(rows, 20))
    return _tiny(kind, BertSeq2Seq, {"label_smoothing": 0.1})


def cosine() -> Tiny:
    return _embedding(texts=2, score="score", loss="cosine")


def contrastive() -> Tiny:
    return _embedding({"label_smoothing": 0.1}, texts=2, loss="contrastive", metrics=("mrr",))


def scored_contrastive() -> Tiny:
    return _embedding(texts=2, score="score", loss="contrastive", positive_from=0.4)


def hard_contrastive() -> Tiny:
    return _embedding({"label_smoothing": 0.1}, texts=3, loss="contrastive", metrics=("mrr",))


def triplet() -> Tiny:
    return _embedding(texts=3, loss="triplet", metrics=("triplet_accuracy",))


TINY: dict[str, Callable[[], Tiny]] = {
    make.__name__: cache(make)
    for make in (
        classification,
        multi_label,
        regression,
        tagging,
        span_qa,
        multiple_choice,
        extractive,
        text_to_text,
        cosine,
        contrastive,
        scored_contrastive,
        hard_contrastive,
        triplet,
    )
}
PAIRS = ("next_sentence", "sentence_order", "none")
REPLACED = "replaced_tokens"


def pretraining(name: str, folder: Path) -> Tiny:
    """Of one of PAIRS, or REPLACED; `folder` is for its corpus."""
    asked = {"objective": REPLACED} if name == REPLACED else {"pair": name}
    values = {
        "task": "pretrain",
        "data": {"sequence_length": 24},
        "pretraining": {**asked, "cache": str(folder / "cache")},
    }
    config = resolve([Layer(origin="test", values=values)])
    kind = load_task("pretrain").meant_by(config).configured(config)
    text = pretraining_sets.write_corpus(folder / "text.txt", documents=8)
    tokenizer = pretraining_sets.tokenizer()
    features = kind.features(tokenizer, kind.read(str(text), "train"))
    size = len(pretraining_sets.VOCABULARY)
    if name == REPLACED:
        return Tiny(kind, lambda: _model(BertReplacedTokens, size, model_type="electra"), features)
    cls = BertMaskedLM if name == "none" else BertPretrainer
    return Tiny(kind, lambda: _model(cls, size), features)


def _embedding(options: Mapping[str, Any] | None = None, *, texts: int, **settings: Any) -> Tiny:
    names = ("a", "b", "c")[:texts]
    rows: list[dict[str, Any]] = [
        {"a": text, "b": TEXTS[(i * 3) % 8], "c": TEXTS[i - 2], "score": (i % 5) / 4} for i, text in enumerate(TEXTS)
    ]
    return _tiny(Embedding(text=names, **settings, **_of(rows)), BertEmbedder, options)


def _of(rows: list[dict[str, Any]], sequence_length: int = 16) -> dict[str, Any]:
    return {"source": InMemory({"train": rows}), "sequence_length": sequence_length}


def _tiny(kind: Any, make: Callable[[BertConfig], Any], options: Mapping[str, Any] | None = None) -> Tiny:
    features = kind.features(TOKENIZER, kind.read("own", "train"))
    return Tiny(kind, lambda: _model(make, len(VOCABULARY)), features, options or {})


def _model(make: Callable[[BertConfig], Any], vocabulary_size: int, **more: Any) -> Any:
    keras.utils.set_random_seed(2)
    config = BertConfig(
        vocabulary_size=vocabulary_size,
        hidden_dim=8,
        num_layers=1,
        num_heads=2,
        intermediate_dim=8,
        max_positions=64,
        initializer_range=0.5,
        hidden_dropout=0.0,
        attention_dropout=0.0,
        **more,
    )
    model = make(config)
    rng = np.random.default_rng(3)
    model.set_weights(
        [weight + rng.normal(scale=0.1, size=weight.shape).astype("float32") for weight in model.get_weights()]
    )
    return model
