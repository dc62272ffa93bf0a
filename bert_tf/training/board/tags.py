"""Under which tag TensorBoard draws a value, and what it says about it."""

from __future__ import annotations

from typing import NamedTuple

OF_TRAINING = "In the run `train`: of a fixed sample of the training examples. "
OF_VALIDATION = "In the run `validation`: of the validation set. In `kept`: of the weights that the run kept. "


class Tag(NamedTuple):
    """A chart's name, its group in front, and what is drawn, as Markdown."""

    name: str
    description: str


TAGS = {
    "loss": Tag(
        "quality/loss",
        "Mean loss of an example. In the run `train`: of the updates since the point before, dropout included. "
        f"{OF_VALIDATION}The lines part where a model learns its training examples by heart.",
    ),
    "gradient_norm": Tag(
        "optimizer/gradient_norm",
        "Norm of the gradient of all weights together, before it is clipped to `training.clip_norm`.",
    ),
    "learning_rate": Tag("optimizer/learning_rate", "The schedule's learning rate, before any decay by layer."),
    "loss_scale": Tag(
        "optimizer/loss_scale",
        "What the loss is multiplied with in float16: halved where a gradient overflows, doubled after 2,000 updates.",
    ),
    "examples_per_second": Tag(
        "speed/examples_per_second", "Training examples a second; evaluations and saving are not counted."
    ),
    "tokens_per_second": Tag("speed/tokens_per_second", "Real tokens a second, padding not counted."),
    "padding_share": Tag("speed/padding_share", "Share of the positions in the batches that hold no token."),
    "model_flops_utilization": Tag(
        "speed/model_flops_utilization",
        "Floating-point operations that the model needs, as a share of what the devices could do at most.",
    ),
    "peak_memory_bytes": Tag(
        "speed/peak_memory_gib",
        "The most memory in use so far, in GiB: of the GPU if there is one, else of the process.",
    ),
}
"""Of the values that every run has, by their names in metrics.jsonl."""
UNITS = {"peak_memory_bytes": 1 / 2**30}
"""What a value is multiplied with where it is drawn."""
UNDRAWN = frozenset({"seconds"})
"""What stands in metrics.jsonl alone."""


def tag_of(name: str) -> Tag:
    """The tag of a value in metrics.jsonl; one that is not in the table is a metric, or a part of the loss.

    >>> tag_of("f1").name
    'quality/f1'
    """
    known = TAGS.get(name)
    return known or Tag(f"quality/{name}", f"The task's {name}. {OF_TRAINING}{OF_VALIDATION}".strip())
