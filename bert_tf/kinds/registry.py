"""Which kind of task answers for a model's folder that says no task: a table by the architecture in its config.json.

Each kind's folder has its rows, in `folders.py`; here they are put together, a line a kind.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Collection
from pathlib import Path
from typing import Any

from bert_tf.errors import UserError, did_you_mean
from bert_tf.guard import read_object
from bert_tf.kinds.classification import folders as classification
from bert_tf.kinds.extractive import folders as extractive
from bert_tf.kinds.folders import Answering, Folder, Row
from bert_tf.kinds.multiple_choice import folders as multiple_choice
from bert_tf.kinds.pretraining import folders as pretraining
from bert_tf.kinds.span_qa import folders as span_qa
from bert_tf.kinds.tagging import folders as tagging
from bert_tf.kinds.text_to_text import folders as text_to_text
from bert_tf.kinds.vectors import folders as vectors
from bert_tf.weights.leave import Leave
from bert_tf.weights.members import BERT, MEMBERS, end_of

TASK = "give `task`, such as Classification(...) of bert_tf.kinds, with a model that has its head"
BACKBONE = "BertModel"

logger = logging.getLogger(__name__)

_DECODER = (
    "writes text from left to right, which BERT's encoder does not; bert_tf has no causal models. A text is written by "
    "BertSeq2Seq, trained with a TextToText task"
)
ARCHITECTURES: dict[str, Row] = {
    **classification.ROWS,
    **tagging.ROWS,
    **span_qa.ROWS,
    **pretraining.ROWS,
    **extractive.ROWS,
    **multiple_choice.ROWS,
    **text_to_text.ROWS,
    # What no kind answers.
    BACKBONE: Row(
        why="is a backbone without a head, which answers nothing by itself: train one with bert_tf.train --backbone, "
        "or give `task`, such as Retrieval(source=InMemory({}), sequence_length=128) for vectors of texts"
    ),
    "BertLMHeadModel": Row(why=_DECODER),
    "BertForCausalLM": Row(why=_DECODER),
    "BertGenerationDecoder": Row(why=_DECODER),
    "BertGenerationEncoder": Row(why=_DECODER),
    "EncoderDecoderModel": Row(why="joins an encoder and a decoder. " + _DECODER[0].upper() + _DECODER[1:]),
}
"""Row by the class of Transformers, or by our own where Transformers has none of the name."""
FORMATS = (*vectors.FORMATS,)
"""Files that say more than an architecture does."""


def kind_of(where: str | os.PathLike[str], *, ignore: Collection[str] = (), dtype: str = "float32") -> Answering:
    """The kind of task that a folder's architecture is for, and its model.

    Args:
        where: a place as `bert_tf.weights.resolve` takes it, with a model's weights.
        ignore: facts of its files to leave out, as every model's `from_pretrained` takes them.
        dtype: the dtype policy of the model.
    Raises: UserError naming an architecture that is not known, or answers nothing, and what to do.
    """
    from bert_tf import weights
    from bert_tf.weights.places import folder_of, inner_folder

    place = folder_of(weights.resolve(where))
    folder = Folder(where, place, ignore, dtype)
    for found in FORMATS:
        if found.is_place(place):
            return found.answer(folder)
    name = "" if "architectures" in Leave(ignore) else _architecture(_config(inner_folder(place)))
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
    for found in FORMATS:
        if found.is_checkpoint(folder.checkpoint):
            return found.answer(folder)
    if not name:
        name = next((known for known, row in ARCHITECTURES.items() if row.is_meant(folder)), BACKBONE)
        row = ARCHITECTURES[name]
        name = MEMBERS[folder.checkpoint.config.get("model_type", BERT.model_type)].architecture(end_of(name) or "")
        logger.warning("%s names no architecture that counts: by its tensors it is taken for %s", place, name)
    assert row is not None
    if row.answer is None:
        raise UserError(f"{place}: {name} {row.why}")
    if not folder.parts & set(row.heads):
        raise UserError(
            f"{place}: config.json names {name}, but the file has no weights of its head, which would be random; {TASK}"
        )
    return row.answer(folder)


def _config(place: Path) -> dict[str, Any]:
    try:
        return read_object(place / "config.json")
    except (OSError, UserError):  # whoever reads the weights says what is wrong with it
        return {}


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
