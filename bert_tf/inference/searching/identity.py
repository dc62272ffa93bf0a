"""Which model made an index: a digest of all that its vectors depend on, and in words what differs from another's."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np


def model_facts(
    model: Any, tokenizer: Any, *, sequence_length: int, long_texts: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """What a text's vector depends on, by names that people know; weights and vocabulary as digests.

    Args:
        long_texts: the task's `long_text_settings`.
    """
    settings = _settings(model, tokenizer, sequence_length) | dict(long_texts or {})
    backbone = hashlib.sha256(json.dumps(settings.pop("config"), sort_keys=True).encode()).hexdigest()
    return {
        "weights": _weights(model, hashlib.sha256()),
        "vocabulary": _words(tokenizer),
        "backbone": backbone,
    } | settings


def differences(kept: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """What differs between two models' facts, in words; "" where nothing does.

    >>> differences({"pooling": "mean", "weights": "a1"}, {"pooling": "cls", "weights": "b2"})
    'pooling (mean in the index, cls now), weights'
    """
    found = []
    for name in {**kept, **now}:
        before, after = (json.loads(json.dumps(facts.get(name))) for facts in (kept, now))
        if before != after:
            digests = name in ("weights", "vocabulary", "backbone")
            found.append(name if digests else f"{name} ({before} in the index, {after} now)")
    return ", ".join(found)


def model_identity(
    model: Any, tokenizer: Any, *, sequence_length: int, long_texts: Mapping[str, Any] | None = None
) -> str:
    """A digest of all that a text's vector depends on: weights, pooling, words and the length of texts.

    Args: as of `model_facts`.
    """
    digest = hashlib.sha256()
    settings = _settings(model, tokenizer, sequence_length) | dict(long_texts or {})
    digest.update(json.dumps(settings, sort_keys=True).encode())
    digest.update(_vocabulary(tokenizer))
    return _weights(model, digest)


def _settings(model: Any, tokenizer: Any, sequence_length: int) -> dict[str, Any]:
    settings = {
        "config": model.config.to_dict(),
        "pooling": model.pooling,
        "normalize": model.normalize,
        "sequence_length": sequence_length,
        "lowercase": tokenizer.lowercase,
        "strip_accents": tokenizer.strip_accents,
        "split_cjk": tokenizer.split_cjk,
        "special_tokens": tokenizer.special_tokens,
        **({"rules": tokenizer.odd_rules} if tokenizer.odd_rules else {}),
    }
    # Named where they say something, so that an index from before they were known stays good.
    more = {name: getattr(model, name) for name in ("prompt", "truncate_dim")}
    more |= {} if model.dense_dim is None else {"dense_activation": model.dense_activation}
    return settings | {name: value for name, value in more.items() if value}


def _vocabulary(tokenizer: Any) -> bytes:
    return "\n".join(tokenizer.vocabulary).encode("utf-8", "surrogatepass")


def _words(tokenizer: Any) -> str:
    return hashlib.sha256(_vocabulary(tokenizer)).hexdigest()


def _weights(model: Any, digest: Any) -> str:
    """The digest after the weights, but for those of a pooler, which has no part in vectors."""
    from bert_tf.models.pretrained import arrays_by_path

    for path, array in sorted(arrays_by_path(model).items()):
        if not path.startswith("pooler/"):
            digest.update(path.encode())
            digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
