"""A discriminator that was pre-trained with its generator, exported: which tokens were replaced, from text."""

from __future__ import annotations

import pytest

from benchmarks.random_run import make_run
from bert_tf import Pipeline
from bert_tf.models import weights_by_path
from tests.models.members import SHAPES


@pytest.mark.slow
def test_every_format_answers_as_the_run(tmp_path, exported):
    options = {"objective": "replaced_tokens", "pair": "none", "generator_width": 0.5}
    run = make_run(tmp_path / "run", "pretrain", shape=SHAPES["electra"], pretraining=options)
    pipeline = Pipeline(run)
    assert len(pipeline("a good film")["pieces"]) == 3
    generator = sum(
        weight.shape.num_elements() for path, weight in weights_by_path(pipeline.model).items() if "generator/" in path
    )
    sizes = {}
    for name in ("saved_model", "tflite", "huggingface", "keras"):
        report, _ = exported(f"--run={run}", f"--format={name}", f"--out={tmp_path / name}", "--examples=5")
        for model in report["models"]:
            assert model["agreement"]["same_answers"] == 1.0, model
            assert model["agreement"]["largest_difference"] < (1e-4 if "int8" not in model["name"] else 1.0), model
        sizes[name] = sum(path.stat().st_size for path in (tmp_path / name).rglob("variables.data-*"))
    assert generator
    # Nothing of the generator goes where it has no part.
    whole = sum(weight.shape.num_elements() for weight in weights_by_path(pipeline.model).values())
    assert sizes["saved_model"] < 4 * (whole - generator) + 4096
    assert (tmp_path / "huggingface" / "generator" / "config.json").is_file()
