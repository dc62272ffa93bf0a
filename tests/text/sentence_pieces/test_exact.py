"""The tokenizer gives the ids and offsets of the `tokenizers` library, for each family."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bert_tf.text import SentencePieceTokenizer
from tests.text.reference import code_point_texts
from tests.text.sentence_pieces.reference import FILES, REFERENCES, find_mismatch, model_of, texts_for

CONFIGS: list[tuple[str, dict[str, Any]]] = [
    ("xlm-roberta", {}),
    ("camembert", {}),
    ("albert", {}),
    ("albert", {"do_lower_case": False, "keep_accents": True}),
    ("deberta", {}),
    ("deberta", {"do_lower_case": True, "split_by_punct": True}),
]


def both(folders: Path, family: str, config: dict[str, Any], to: Path) -> tuple[Any, Any]:
    """The tokenizer of a model's file with these settings, and the library's."""
    source = folders / f"{family}_model"
    (to / FILES[family]).write_bytes((source / FILES[family]).read_bytes())
    settings = json.loads((source / "tokenizer_config.json").read_text(encoding="utf-8"))
    (to / "tokenizer_config.json").write_text(json.dumps(settings | config), encoding="utf-8")
    return SentencePieceTokenizer.from_pretrained(to), REFERENCES[family](model_of(folders, family), config)


@pytest.mark.parametrize(("family", "config"), [CONFIGS[2], pytest.param(*CONFIGS[5], marks=pytest.mark.slow)], ids=str)
def test_fuzzed_texts_and_code_points_are_as_in_the_library(tmp_path, folders, family, config):
    tokenizer, expected = both(folders, family, config, tmp_path)
    texts = texts_for(model_of(folders, family), 200, seed=5) + code_point_texts(per_text=64)[:300]
    assert find_mismatch(tokenizer, expected, texts) is None


@pytest.mark.slow
@pytest.mark.parametrize(("family", "config"), CONFIGS, ids=str)
def test_every_code_point_and_200000_fuzzed_texts(tmp_path, folders, family, config):
    tokenizer, expected = both(folders, family, config, tmp_path)
    assert find_mismatch(tokenizer, expected, code_point_texts(per_text=1)) is None
    assert find_mismatch(tokenizer, expected, texts_for(model_of(folders, family), 200_000, seed=6)) is None
