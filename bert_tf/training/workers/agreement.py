"""Before the first update a run's workers make sure that they are about to do the same: all refuse where they are not.

Without it they would train on together: each with a learning rate of its own, or one from a checkpoint and one from the
start, and their weights would not be the same any more.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from bert_tf.training.workers.peers import Peers

PACKAGES = ("tensorflow", "keras")
MAY_DIFFER = frozenset(
    {
        *("task", "backbone", "vocabulary", "data.source", "data.store", "data.cache", "pretraining.cache"),
        *("training.threads_per_operation", "training.worker_seconds"),
    }
)
"""Settings that are places, which may have other names on another machine, and those of a process alone. What lies at
the places is compared itself."""


def agree_on_settings(peers: Peers | None, settings: Mapping[str, Any], *, ours: str) -> None:
    """Raises: UserError, on every worker, that names the first difference.

    Args:
        peers: the workers; None: there is one alone.
        settings: of the run, section by section, as JSON has them.
        ours: this library's version.
    """
    if peers is None:
        return
    versions = {"the version of bert_tf": ours, **{f"the version of {name}": _version(name) for name in PACKAGES}}
    flat = {name: value for name, value in _flat(settings) if name not in MAY_DIFFER}
    peers.agree({**versions, "task": Path(str(settings["task"])).stem, **flat})


def agree_on_examples(peers: Peers | None, examples: Mapping[str, Mapping[str, Any]], *, updates: int) -> None:
    """Raises: as `agree_on_settings`.

    Args:
        examples: split -> `examples`, how many, and `digest`, of all that the model gets of them.
        updates: of the whole run, as planned.
    """
    if peers is None:
        return
    splits = {
        f"the split {split}": f"{found['examples']} examples (digest {found['digest'][:8]})"
        for split, found in examples.items()
    }
    peers.agree({**splits, "the number of updates": updates})


def agree_on_weights(peers: Peers | None, updates: int, weights: Sequence[Any]) -> None:
    """Raises: as `agree_on_settings`.

    Args:
        updates: that the run has taken already.
        weights: of the model, variables.
    """
    if peers is None:
        return
    digest = hashlib.blake2b()
    for weight in weights:
        digest.update(np.ascontiguousarray(weight.numpy()).tobytes())
    peers.agree({"the updates taken already": updates, "the weights": f"digest {digest.hexdigest()[:8]}"})


def score_of_first(peers: Peers | None, score: float) -> float:
    """The first worker's score, by which all decide what is kept and when to stop: another processor may round the same
    evaluation otherwise, and one worker would stop alone."""
    return score if peers is None else float(peers.gather(score)[0])


def _flat(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in settings.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"
