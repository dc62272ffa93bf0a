"""A ModernBERT with byte pairs, as the published ones have them: trained, exported, and answering as its run does."""

from __future__ import annotations

import json
import shutil
from typing import Any

import pytest

from benchmarks.random_run import SPECIAL
from bert_tf import BytePairTokenizer, Pipeline
from bert_tf.config import override_layer, read_config, read_layer, resolve
from bert_tf.kinds.definitions import load_task
from bert_tf.text.byte_pairs.alphabet import ALPHABET
from bert_tf.training.loop import train
from tests.exporting.runs import run_of
from tests.models.members import SHAPES

MERGES = [("g", "o"), ("o", "d"), ("go", "od"), ("Ġ", "good"), ("b", "a"), ("ba", "d"), ("Ġ", "bad"), ("f", "i")]
NAMES: dict[str, Any] = {
    "cls_token": "[CLS]",
    "sep_token": "[SEP]",
    "pad_token": "[PAD]",
    "mask_token": "[MASK]",
    "unk_token": "[UNK]",
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["rejecting", "tagging"])  # classes of pairs, and places in texts
def test_byte_pairs_are_trained_and_exported(tmp_path, exported, kind):
    vocabulary = [*SPECIAL, *ALPHABET.values(), *("".join(pair) for pair in MERGES)]
    tokenizer = BytePairTokenizer(vocabulary, MERGES, pair_separators=1, **NAMES)
    made = run_of(kind, tmp_path / "made", shape=SHAPES["modernbert"], tokenizer=tokenizer)
    settings = ["training.max_steps=2", "training.batch_examples=2", "data.sequence_length=80"]
    found = read_config(made / "config.toml")
    config = resolve([read_layer(made / "config.toml"), override_layer(settings)])
    (tmp_path / "run").mkdir()
    train(config, load_task(config.task), tmp_path / "run", data=found.data.source or "own", progress=False)
    shutil.copytree(tmp_path / "run" / "model", made / "model", dirs_exist_ok=True)
    assert json.loads((made / "model" / "config.json").read_text())["model_type"] == "modernbert"
    assert isinstance(Pipeline(made).tokenizer, BytePairTokenizer)
    for format_name in ("saved_model", "tflite", "huggingface"):
        out = tmp_path / format_name
        report, _ = exported(f"--run={made}", f"--format={format_name}", f"--out={out}", "--examples=3")
        for model in report["models"]:
            assert model["agreement"]["same_answers"] == 1.0, model
