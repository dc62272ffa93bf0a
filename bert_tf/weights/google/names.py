"""The names of variables in TF 1 checkpoints of BERT: one name for the ways to write it, and what is no weight."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from pathlib import Path

from bert_tf.errors import UserError
from bert_tf.weights.checkpoint import Tensor

NAMED = 4  # most variables that a log line names
WORDS = "embeddings/word_embeddings"
# tf.keras's norms, made without a name, are numbered through the whole model.
NORM = re.compile(r"(^|/)(layer_normalization|LayerNormalization|layer_norm|LayerNorm)(_\d+)?/(gamma|beta)$")
OBJECT = ".ATTRIBUTES/VARIABLE_VALUE"
GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"
# A part of their names -> the model that has them and is no BERT
OTHERS = {"transformer/group_0/": "ALBERT", "electra/": "ELECTRA", "discriminator_predictions/": "ELECTRA"}
LOG = logging.getLogger(__name__)


def plain_names(tensors: Mapping[str, Tensor], prefix: Path) -> dict[str, Tensor]:
    """The variables of a BERT under google-research/bert's names; a log line says what is left aside.

    What is left aside is what training keeps: an optimizer's slots, of any name, lie under the name of their variable,
    and counters have no axis. What else a BERT has not is kept, for the caller to name.

    Raises: UserError if the checkpoint is of TF 2 or of another model, or has a variable under two names.
    """
    _refuse_others(tensors, prefix)
    left = [name for name, tensor in tensors.items() if tensor.shape == () or _is_slot(name, tensors)]
    if left:
        named = ", ".join(left[:NAMED]) + (", ..." if len(left) > NAMED else "")
        LOG.warning("%s: %d variables of its training are not loaded: %s", prefix, len(left), named)
    kept = {name: tensor for name, tensor in tensors.items() if name not in set(left)}
    scope = _scope(kept, prefix)
    plain: dict[str, Tensor] = {}
    for name, tensor in kept.items():
        theirs = NORM.sub(r"\1LayerNorm/\4", _without(scope, name))
        if theirs in plain:
            raise UserError(f"{prefix} holds {theirs} under two names: {plain[theirs].name} and {name}")
        plain[theirs] = tensor
    return plain


def _is_slot(name: str, tensors: Mapping[str, Tensor]) -> bool:
    parts = name.split("/")
    return any("/".join(parts[:end]) in tensors for end in range(1, len(parts)))


def _refuse_others(tensors: Mapping[str, Tensor], prefix: Path) -> None:
    objects = [name for name in tensors if name.endswith(OBJECT) or name == GRAPH]
    if objects:
        raise UserError(
            f"{prefix} is a checkpoint of TF 2, as Model Garden and Keras write them ({objects[0]}); only checkpoints "
            "of TF 1 are read. Take the model's TF 1 files or its Hugging Face folder; of a run of bert_tf, its folder "
            "`model`"
        )
    for part, other in OTHERS.items():
        if any(part in f"{name}/" for name in tensors):
            raise UserError(f"{prefix} is a checkpoint of {other}, not of a BERT: it has variables named {part}...")


def _scope(tensors: Mapping[str, Tensor], prefix: Path) -> str:
    """What stands before the encoder's names, "bert/" in Google's own."""
    scopes = [name.removesuffix(WORDS) for name in tensors if name == WORDS or name.endswith(f"/{WORDS}")]
    if "bert/" in scopes or not scopes:
        return "bert/"
    if len(scopes) > 1:
        raise UserError(f"{prefix} holds several encoders, and one is read: {', '.join(scopes)}")
    LOG.warning("%s: its variables are named %s..., and are read as bert/...", prefix, scopes[0])
    return scopes[0]


def _without(scope: str, name: str) -> str:
    """The name in a checkpoint whose scope is "bert/", as heads lie beside the encoder: "x/bert/" and "x/cls/"."""
    if name.startswith(scope):
        return f"bert/{name.removeprefix(scope)}"
    beside = scope.removesuffix("/").rpartition("/")[0]
    return name.removeprefix(f"{beside}/") if beside else name
