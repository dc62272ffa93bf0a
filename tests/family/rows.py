"""The table: every member of the family, every kind of task, and what becomes of a run of them. Needs no TensorFlow."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from bert_tf.weights.members import MEMBERS as FAMILY
from tests.exporting.runs import KINDS
from tests.models.members import SHAPES

MEMBERS = ("bert", *SHAPES)
COLUMNS: dict[str, str] = {
    "train": "`train` makes a run of a backbone's folder, whose `model/` is the member's",
    "evaluate": "`evaluate` has the metrics that training had",
    "predict": "`predict` answers a file of texts",
    "saved_model": "`export --format=saved_model`: a program with TensorFlow's C API alone gives `predict`'s answers "
    "to raw text, and what the model gives to tensors",
    "tflite": "`export --format=tflite`: LiteRT's answers are the run's",
    "transformers": "Transformers loads `model/`: its tokenizer gives the same ids, its model the same numbers",
}
"""What a run goes through, in this order, and what the page says of it."""


class Reason(NamedTuple):
    """Why a cell is not there, or what it is of.

    Args:
        says: for the page.
        column: of the table.
        kinds, members: of the cells; none: all.
        instead: whether the cell is there, and of something else than its column says.
    """

    says: str
    column: str
    kinds: Collection[str] = ()
    members: Collection[str] = ()
    instead: bool = False

    def is_for(self, member: str, kind: str, column: str) -> bool:
        """Whether it is about a cell."""
        return (
            column == self.column
            and (not self.kinds or kind in self.kinds)
            and (not self.members or member in self.members)
        )


ONE_NAME = ("modernbert",)
WITHOUT_PAIRS = tuple(
    member for member in MEMBERS if "ForPreTraining" not in FAMILY[member].classes and member not in ONE_NAME
)
REASONS = (
    Reason(
        "While it trains, a run writes texts greedily, and `evaluate` writes them with beams: both have the metrics, "
        "whose values may differ.",
        "evaluate",
        kinds=("text_to_text",),
        instead=True,
    ),
    Reason(
        "A text is written a token at a time, by a loop around the model: there is no TFLite file of it, and `export` "
        "says so.",
        "tflite",
        kinds=("text_to_text",),
    ),
    Reason(
        "Transformers has no class that writes with these weights. It loads them as the member's class for masked "
        "words, which gives the same numbers where every token sees every other one.",
        "transformers",
        kinds=("text_to_text",),
        instead=True,
    ),
    Reason(
        "Transformers has no head that scores sentences: it loads the encoder.",
        "transformers",
        kinds=("extractive",),
        instead=True,
    ),
    Reason(
        "Transformers has no class with both heads, for masked words and pairs of sentences: it loads the first as the "
        "member's class for masked words.",
        "transformers",
        kinds=("pretraining",),
        members=WITHOUT_PAIRS,
        instead=True,
    ),
    Reason(
        "The same, but the layers before both heads have one name in such files, so a model with both heads gives one "
        "of them a name of ours: Transformers loads the encoder.",
        "transformers",
        kinds=("pretraining",),
        members=ONE_NAME,
        instead=True,
    ),
    Reason(
        "A MobileBERT looks at the next token, and would see what it is to write: it is refused. This one does not "
        "(`trigram_input` is false).",
        "train",
        kinds=("text_to_text",),
        members=("mobilebert",),
        instead=True,
    ),
)


def reason_for(member: str, kind: str, column: str) -> Reason | None:
    """What there is to say of a cell; None of one that is as its column says."""
    return next((reason for reason in REASONS if reason.is_for(member, kind, column)), None)


def is_there(member: str, kind: str, column: str) -> bool:
    """Whether a run goes through a column."""
    reason = reason_for(member, kind, column)
    return reason is None or reason.instead


CELLS = [(member, kind, column) for member in MEMBERS for kind in KINDS for column in COLUMNS]
