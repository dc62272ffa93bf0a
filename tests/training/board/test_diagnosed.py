"""What is found of answers, as TensorBoard's own readers have it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from google.protobuf import text_format
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins import projector
from tensorboard.plugins.hparams import metadata as hparams_metadata
from tensorboard.plugins.pr_curve import metadata, summary
from tensorboard.plugins.projector import projector_plugin

from bert_tf.config import RunConfig
from bert_tf.kinds.diagnosis import Answered, Diagnosis
from bert_tf.training.board.diagnosed import write_findings
from bert_tf.training.board.kept import begin_kept, write_kept
from bert_tf.training.board.pr_curves import counts

CLASSES = ("bad", "good", "rare")
RNG = np.random.default_rng(5)
TARGETS = RNG.integers(0, 2, 60)
PROBABILITIES = RNG.dirichlet([1, 1, 0.2], 60)
VECTORS = RNG.normal(size=(60, 4)).astype(np.float32)


def diagnosis() -> Diagnosis:
    guesses = PROBABILITIES.argmax(axis=1)
    rows = [
        Answered(
            number=i,
            inputs={"text": f"text | {i}"},
            expected=CLASSES[TARGETS[i]],
            answered=CLASSES[guesses[i]],
            is_right=bool(guesses[i] == TARGETS[i]),
            confidence=float(PROBABILITIES[i].max()),
        )
        for i in range(60)
    ]
    return Diagnosis(
        rows=rows,
        summary="Some were right.",
        classes=CLASSES,
        targets=TARGETS,
        predictions=guesses,
        probabilities=PROBABILITIES,
        tables={"entities by type": [{"type": "PER", "f1": 0.5}]},
    )


@pytest.fixture(scope="module")
def kept(tmp_path_factory) -> Path:
    """TensorBoard's folder about the kept weights of a run that is over."""
    run = tmp_path_factory.mktemp("runs") / "first"
    begin_kept(run, RunConfig(task="sst2", seed=4))
    columns = {"text": [f"a\tb {i}" for i in range(60)], "expected": [CLASSES[target] for target in TARGETS]}
    rates = {"train_examples_per_second": 9.0, "train_tokens_per_second": 99.0}
    metrics = {"accuracy": 0.5, "f1": None}
    write_kept(run, {"kept_step": 7, "steps": 9, "metrics": metrics, "validation_loss": 0.7, **rates})
    write_findings(run, diagnosis(), step=7, vectors=(VECTORS, columns))
    return run / "tensorboard" / "kept"


@pytest.fixture(scope="module")
def read(kept) -> EventAccumulator:
    reader = EventAccumulator(str(kept), size_guidance={"tensors": 0})
    reader.Reload()
    return reader


def tags(reader: EventAccumulator, plugin: str) -> set[str]:
    return set(reader.PluginTagToContent(plugin))


def test_every_tab_has_its_part(read):
    assert tags(read, "scalars") == {
        *("quality/accuracy", "quality/loss", "speed/examples_per_second", "speed/tokens_per_second")
    }
    assert tags(read, "images") == {f"validation/{name}" for name in ("confusion", "precision_recall", "reliability")}
    assert tags(read, "text") == {
        "configuration",
        *(f"validation/{name}" for name in ("summary", "mistakes", "examples", "classes", "entities_by_type")),
    }
    assert tags(read, "pr_curves") == {"precision_recall/bad", "precision_recall/good"}  # "rare" never occurs
    assert {event.step for event in read.Tensors("quality/accuracy")} == {7}
    assert {event.step for event in read.Tensors("speed/examples_per_second")} == {9}
    for tag in tags(read, "images") | tags(read, "pr_curves") | tags(read, "text") | tags(read, "scalars"):
        assert read.SummaryMetadata(tag).summary_description, tag


def test_images_are_pictures_of_the_size_that_is_shown(read):
    (event,) = read.Tensors("validation/confusion")
    width, height, png = tf.make_ndarray(event.tensor_proto)
    image = tf.io.decode_png(png).numpy()
    assert image.shape == (int(height), int(width), 3)
    assert 300 <= int(width) <= 500
    assert image.std() > 10


def test_mistakes_are_the_wrong_ones_and_the_surest_first(read):
    (event,) = read.Tensors("validation/mistakes")
    (text,) = tf.make_ndarray(event.tensor_proto).ravel()
    rows = [line.split(" | ") for line in text.decode().splitlines()[2:]]
    wrong = np.flatnonzero(PROBABILITIES.argmax(axis=1) != TARGETS)
    assert sorted(int(row[0].strip("| ")) for row in rows) == wrong.tolist()
    sure = [float(row[-1].strip(" |")) for row in rows]
    assert sure == sorted(sure, reverse=True)
    assert "text &#124; " in text.decode()


@pytest.mark.parametrize(
    ("scores", "held"),
    [
        (PROBABILITIES[:, 0], TARGETS == 0),
        (np.array([0.0, 1.0, 0.5, 0.005]), np.array([True, True, False, True])),
        (np.array([0.3, 0.3]), np.array([False, True])),
    ],
)
def test_curves_are_those_of_tensorboard_itself(scores, held):
    expected = tf.make_ndarray(summary.pb("x", held, scores, num_thresholds=201).value[0].tensor)
    np.testing.assert_allclose(counts(scores, held), expected, atol=1e-6)


def test_the_curve_that_is_written(read):
    (event,) = read.Tensors("precision_recall/good")
    np.testing.assert_allclose(
        tf.make_ndarray(event.tensor_proto), counts(PROBABILITIES[:, 1], TARGETS == 1), atol=1e-6
    )
    content = read.SummaryMetadata("precision_recall/good").plugin_data.content
    assert metadata.parse_plugin_metadata(content).num_thresholds == 201


def test_hparams(read):
    content = read.PluginTagToContent("hparams")
    started = hparams_metadata.parse_session_start_info_plugin_data(content[hparams_metadata.SESSION_START_INFO_TAG])
    found = {name: getattr(value, value.WhichOneof("kind")) for name, value in started.hparams.items()}
    assert found == {
        "task": "sst2",
        "backbone": "minilm",
        "seed": 4.0,
        "training.learning_rate": RunConfig(task="x").training.learning_rate,
        "training.epochs": RunConfig(task="x").training.epochs,
        "training.batch_examples": RunConfig(task="x").training.batch_examples,
    }
    assert started.group_name.endswith("/first")
    ended = hparams_metadata.parse_session_end_info_plugin_data(content[hparams_metadata.SESSION_END_INFO_TAG])
    assert ended.status == 1  # STATUS_SUCCESS


def test_vectors_as_the_projector_reads_them(kept):
    config = text_format.Parse((kept / "projector_config.pbtxt").read_text(), projector.ProjectorConfig())
    (embedding,) = config.embeddings
    found = projector_plugin._read_tensor_tsv_file(str(kept / embedding.tensor_path))
    np.testing.assert_allclose(found, VECTORS, rtol=1e-4)
    lines = (kept / embedding.metadata_path).read_text().splitlines()
    assert lines[0] == "text\texpected"
    assert lines[1:3] == [f"a b 0\t{CLASSES[TARGETS[0]]}", f"a b 1\t{CLASSES[TARGETS[1]]}"]
    assert len(lines) == 61


def test_a_kind_without_right_and_wrong(tmp_path):
    rows = [Answered(number=i, inputs={"x": "a"}, expected="b", answered="c", shortfall=-i / 2) for i in range(3)]
    begin_kept(tmp_path / "run", RunConfig(task="sst2"))
    numbers = {"score": (np.array([1.0, 2.0]), np.array([1.5, 2.5]))}
    write_findings(tmp_path / "run", Diagnosis(rows=rows, numbers=numbers), step=1)
    reader = EventAccumulator(str(tmp_path / "run" / "tensorboard" / "kept"))
    reader.Reload()
    assert tags(reader, "images") == {"validation/numbers/score"}
    assert tags(reader, "text") == {"configuration", "validation/mistakes", "validation/examples"}
    assert not (tmp_path / "run" / "tensorboard" / "kept" / "projector_config.pbtxt").exists()
