"""A model with such a tokenizer is trained, asked, and served from raw text through the C API."""

from __future__ import annotations

import pytest

from benchmarks.c_api_parity import check
from bert_tf import BertBackbone, BertConfig, Pipeline, Tokenizer, export, train


@pytest.mark.slow
def test_training_answers_and_a_saved_model_use_it(tmp_path, folders):
    tokenizer = Tokenizer.from_pretrained(folders / "albert_json")
    config = BertConfig(
        vocabulary_size=len(tokenizer), hidden_dim=8, num_layers=1, num_heads=2, intermediate_dim=16, max_positions=64
    )
    BertBackbone(config).save_pretrained(tmp_path / "backbone")
    tokenizer.save_pretrained(tmp_path / "backbone")
    run, served = tmp_path / "run", tmp_path / "served"
    settings = {"training.max_steps": 2, "data.sequence_length": 32, "training.precision": "float32"}
    train("sst2", backbone=tmp_path / "backbone", data="sample", run=run, settings=settings)
    assert Tokenizer.from_pretrained(run / "model").tokenize(["ÀÉ １２３"]).to_list() == [
        tokenizer.tokenize(["ÀÉ １２３"]).to_list()[0]
    ]
    pipeline = Pipeline(run)
    export.main([f"--run={run}", "--format=saved_model", f"--out={served}", "--no-timing"])
    texts = ["An unaffable café, １２３", "", "日本語 [MASK] x", "\x01\r\n ﬁ\u0301", "a" * 500]
    found = check(pipeline, served / "1", [texts], batches=[1, 2, 5])
    assert found["answers"] == len(texts)
    assert found["largest_difference"] <= 1e-5
