"""A MobileBERT on a phone: TFLite files in every precision, whatever its rows are padded to, and text in."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bert_tf import BertClassifier, Pipeline, Tokenizer
from bert_tf.models import weights_by_path
from bert_tf.runtimes.tflite import LiteFile
from tests.exporting.runs import run_of
from tests.models.members import of_member

FAR = {"float32": 1e-5, "float16": 1e-3, "int8": 0.01, "static_int8": 0.05}
"""Most that a probability is off."""


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    """Of SST-2, with scales and shifts of norms that are no longer ones and zeros, and of very different sizes."""
    options = of_member("mobilebert")
    options["shape"]["has_pooler"] = False  # as the published one, and nothing hides what blocks are off by
    folder = run_of("classification", tmp_path_factory.mktemp("mobilebert") / "run", **options)
    model, random = BertClassifier.from_pretrained(folder / "model"), np.random.default_rng(5)
    for path, weight in weights_by_path(model).items():
        shape = tuple(weight.shape)
        if path.endswith("gamma"):
            weight.assign(random.lognormal(-0.3, 0.5, shape) * random.choice([-1.0, 1.0], shape))
        elif path.endswith(("beta", "bias")):
            weight.assign(random.normal(0.0, 0.05, shape))
        elif path == "classifier/kernel":
            weight.assign(random.normal(0.0, 2.0, shape))
    model.save_pretrained(folder / "model", Tokenizer.from_pretrained(folder / "model"))
    return folder


def flags(run: Path, out: Path, *settings: str) -> list[str]:
    return [f"--run={run}", "--format=tflite", f"--out={out}", "--examples=40", "--set", *settings]


@pytest.mark.slow
def test_every_precision_agrees_with_the_run(run, tmp_path, exported):
    report, _ = exported(
        *flags(run, tmp_path / "x", f"quantize={list(FAR)}", "calibration_examples=40"), "--tolerance=5"
    )
    answers = Pipeline(run)([f"{word} film" for word in ("good", "bad", "the", "who", "a")])
    assert np.std([answer["probabilities"]["positive"] for answer in answers]) > 0.01  # there is something to be off by
    found = {model["name"]: model["agreement"] for model in report["models"]}
    assert set(found) == set(FAR)
    for name, agreement in found.items():
        assert agreement["largest_difference"] < FAR[name], (name, agreement)
        assert agreement["same_answers"] >= (1.0 if name.startswith("float") else 0.9), (name, agreement)
    operators = {model["name"]: model["operators"] for model in report["models"]}
    assert all("RSQRT" not in names for names in operators.values())  # nothing is normalised


@pytest.mark.slow
def test_a_text_has_one_answer_whatever_its_row_is_padded_to(run, tmp_path, exported):
    exported(*flags(run, tmp_path / "x", "length=dynamic"))
    pipeline, lite = Pipeline(run), LiteFile(tmp_path / "x" / "model_float32.tflite")
    texts = ["good film", "who was there for it from the start", "bad"]
    expected = [list(pipeline(text)["probabilities"].values()) for text in texts]
    together = [list(answer["probabilities"].values()) for answer in pipeline(texts)]
    np.testing.assert_allclose(together, expected, atol=1e-6)
    for text, wanted in zip(texts, expected, strict=True):
        row = {name: np.array(x) for name, x in pipeline.tokenizer([text]).items()}
        given = {"ids": row["token_ids"], "mask": row["padding_mask"], "segment_ids": row["segment_ids"]}
        for more in (0, 1, 7):
            wide = {name: np.pad(x, [(0, 0), (0, more)]) for name, x in given.items()}
            np.testing.assert_allclose(lite(wide)["probability"][0], wanted, atol=1e-5)


@pytest.mark.slow
def test_a_file_takes_text(run, tmp_path, exported):
    report, _ = exported(*flags(run, tmp_path / "x", 'inputs=["text"]', 'quantize=["float32", "int8"]'))
    for model in report["models"]:
        assert (model["takes"], model["agreement"]["same_answers"]) == ("text", 1.0)
        assert model["agreement"]["largest_difference"] < FAR[model["name"].partition(",")[0]]
