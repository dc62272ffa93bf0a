"""Every kind is trained on the loss that its model's `compute` gives, because both call one function."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from bert_tf.kinds.base import Kind
from bert_tf.models import weights_by_path
from bert_tf.models.base import inputs_of
from bert_tf.models.losses import choices, classification, spans, tokens, vectors
from bert_tf.training.optimizers.adamw import AdamW
from bert_tf.training.optimizers.schedule import Schedule
from bert_tf.training.step import TrainStep
from tests.kinds.tiny_kinds import PAIRS, REPLACED, TINY, Tiny, pretraining

FUNCTIONS = {
    "classification": classification.cross_entropy,
    "multi_label": classification.multi_label_cross_entropy,
    "regression": classification.squared_error,
    "tagging": classification.cross_entropy,
    "span_qa": spans.span_cross_entropy,
    "multiple_choice": choices.choice_cross_entropy,
    "extractive": classification.binary_cross_entropy,
    "text_to_text": tokens.token_cross_entropy,
    **dict.fromkeys(PAIRS, tokens.pretraining_losses),
    REPLACED: tokens.replaced_pretraining_losses,
    **dict.fromkeys(
        ("cosine", "contrastive", "scored_contrastive", "hard_contrastive", "triplet"), vectors.vector_losses
    ),
}


def tiny(name: str, folder: Any) -> Tiny:
    return pretraining(name, folder) if name in (*PAIRS, REPLACED) else TINY[name]()


def of_training(case: Tiny, model: Any, batch: Mapping[str, tf.Tensor]) -> float:
    """What a training step reports for the batch, in two halves; the weights stay, but for rounding."""
    variables = {path: weight.value for path, weight in weights_by_path(model).items() if weight.trainable}
    optimizer = AdamW(variables, Schedule(peak=1e-30, total_steps=9, shape="constant"), weight_decay=0.0)
    step = TrainStep(model, case.kind.per_example_loss, optimizer, at_once=2, parts=case.kind.loss_parts)
    return float(step(dict(batch))["loss"])


def of_compute(case: Tiny, model: Any, batch: Mapping[str, tf.Tensor]) -> float:
    """The loss that `compute` gives for what is in the batch."""
    if "text_ids" in batch:
        return float(model.compute(**_texts(case, batch), loss=case.kind.loss)["loss"])
    if "draws" in batch:
        return float(model.compute(inputs_of(batch))["loss"])
    inputs = {name: value for name, value in inputs_of(batch).items() if name != "target_ids"}
    weight = batch["example_weight"]
    if case.kind.loss_parts:
        pairs = tf.where(weight > 0, batch["labels"], -100) if len(case.kind.loss_parts) == 2 else None
        return float(model.compute(inputs, labels=batch["target_ids"], pair_labels=pairs)["loss"])
    if "first_token" in batch:
        labels = tf.stack([batch["first_token"], batch["last_token"]], axis=-1)
    else:
        (name,) = {"labels", "token_labels", "sentence_labels", "target_ids"} & set(batch)
        labels = batch[name]
    return float(model.compute(inputs, labels=labels, example_weight=weight)["loss"])


def _texts(case: Tiny, batch: Mapping[str, tf.Tensor]) -> dict[str, Any]:
    """The examples of the batch, the first texts as one batch, the second ones as another, and so on."""
    features, index = case.features, batch["example_index"].numpy()
    index = np.sort(index[index >= 0])
    sides = []
    for members in features.members[index].T:
        lengths = np.diff(features.splits)[members]
        mask = (np.arange(lengths.max()) < lengths[:, None]).astype(np.int32)
        ids = np.zeros_like(mask)
        for row, text in zip(ids, members, strict=True):
            own = features.token_ids[features.splits[text] : features.splits[text + 1]]
            row[: len(own)] = own
        sides.append({"token_ids": ids, "padding_mask": mask})
    return {
        **dict(zip(("inputs", "pairs", "negatives"), sides, strict=False)),
        "texts": features.members[index],
        "labels": None if features.labels is None else features.labels[index],
        "example_weight": None if features.weights is None else features.weights[index],
    }


def replace_everywhere(monkeypatch: pytest.MonkeyPatch, function: Callable[..., Any], other: Any) -> None:
    """Wherever a module of the library holds the function, under a name or in a table, it holds `other`."""
    for module in [module for name, module in sys.modules.items() if name.split(".")[0] == "bert_tf"]:
        for name, value in list(vars(module).items()):
            if value is function:
                monkeypatch.setattr(module, name, other)
            for key, entry in list(value.items()) if isinstance(value, dict) and name.isupper() else ():
                if entry is function:
                    monkeypatch.setitem(value, key, other)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_training_and_compute_have_the_same_loss(name, tmp_path, monkeypatch):
    case = tiny(name, tmp_path)
    model, batch = case.model(), next(case.batches("packed"))
    before = of_training(case, model, batch), of_compute(case, model, batch)
    assert before[0] == pytest.approx(before[1], rel=1e-5)
    function = FUNCTIONS[name]

    def three_times(*args, **options):
        found = function(*args, **options)
        if isinstance(found, list):
            return [(3 * losses, counted) for losses, counted in found]
        return 3 * found[0], found[1]

    replace_everywhere(monkeypatch, function, three_times)
    after = of_training(case, model, batch), of_compute(case, model, batch)
    np.testing.assert_allclose(after, 3 * np.array(before), rtol=1e-5)


def test_every_kind_is_here():
    def leaves(cls: type) -> set[type]:
        below = [leaf for sub in cls.__subclasses__() for leaf in leaves(sub)]
        return set(below) or {cls}

    ours = {leaf.__name__ for leaf in leaves(Kind) if leaf.__module__.startswith("bert_tf.")}
    here = {type(make().kind).__name__ for make in TINY.values()}
    assert ours - here - {"ReplacedTokens", "Retrieval"} == set()  # Retrieval is trained as "contrastive" is
    assert set(FUNCTIONS) == {*TINY, *PAIRS, REPLACED}
