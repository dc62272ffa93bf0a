"""Every model of the library, once: what tests of all models go through."""

from __future__ import annotations

from typing import Any

import pytest

from bert_tf import models
from bert_tf.models.heads import MODELS

ARGUMENTS: dict[str, tuple[Any, ...]] = {"BertClassifier": (3,), "BertTagger": (4,)}
"""What a model needs beside its config."""
EVERY: dict[type, tuple[Any, ...]] = {getattr(models, name): ARGUMENTS.get(name, ()) for name in MODELS}
every_model = pytest.mark.parametrize("cls", EVERY, ids=lambda cls: cls.__name__)


def with_parts_that_lack_in(*parts: str) -> set[type]:
    """The models whose heads a file with these parts alone does not have."""
    return {cls for cls in EVERY if MODELS[cls.__name__].parts and not set(MODELS[cls.__name__].parts) & set(parts)}
