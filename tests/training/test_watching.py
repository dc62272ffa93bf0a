"""What training draws besides the scores, and how often."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from bert_tf.config import RunConfig
from bert_tf.kinds import Examples
from bert_tf.kinds.definitions import load_task
from bert_tf.models import BertClassifier
from bert_tf.text import BertTokenizer
from bert_tf.training.watching import report_steps, sample_of_training
from tests.training.conftest import EXACT
from tests.training.test_loop import events, run

STEPS = 30


@pytest.fixture(scope="module")
def trained(tiny: Path, tmp_path_factory) -> Path:
    """A run of 30 updates in calls of 7, with two evaluations."""
    folder = tmp_path_factory.mktemp("watched") / "run"
    settings = {
        "evaluation.train_examples": 45,
        "training.epochs": 9,
        "training.max_steps": STEPS,
        "training.evaluate_every_steps": 16,
    }
    run(tiny, folder, {**EXACT, **settings, "training.steps_per_call": 7, "training.profile_steps": "9..10"})
    return folder


def drawn(folder: Path, name: str) -> dict[str, dict[int, float]]:
    """Tag -> step -> value, as TensorBoard reads them."""
    reader = EventAccumulator(str(folder / "tensorboard" / name), size_guidance={"tensors": 0})
    reader.Reload()
    return {
        tag: {event.step: float(event.tensor_proto.float_val[0]) for event in reader.Tensors(tag)}
        for tag in reader.PluginTagToContent("scalars")
    }


@pytest.mark.parametrize("total", [1, 3, 19, 20, 500, 999, 1_001, 49_999, 50_001, 1_000_000])
def test_there_are_twenty_to_a_thousand_points(total):
    points = len({*range(report_steps(total), total, report_steps(total)), total})
    assert min(total, 20) <= points <= 1000


def test_a_short_run_has_twenty_points_and_more(trained):
    train = drawn(trained, "train")
    assert sorted(train["quality/loss"]) == list(range(1, STEPS + 1))
    lines = [event for event in events(trained) if event["event"] == "train"]
    assert [event["step"] for event in lines] == list(range(1, STEPS + 1))
    np.testing.assert_allclose(list(train["quality/loss"].values()), [event["loss"] for event in lines], rtol=1e-6)
    assert train["speed/peak_memory_gib"][STEPS] == pytest.approx(lines[-1]["peak_memory_bytes"] / 2**30)


def test_groups_and_descriptions(trained):
    train = drawn(trained, "train")
    assert set(train) == {
        *("quality/loss", "quality/accuracy", "optimizer/learning_rate", "optimizer/gradient_norm"),
        *("speed/examples_per_second", "speed/tokens_per_second", "speed/padding_share"),
        *("speed/model_flops_utilization", "speed/peak_memory_gib"),
    }
    reader = EventAccumulator(str(trained / "tensorboard" / "train"))
    reader.Reload()
    described = {tag: reader.SummaryMetadata(tag).summary_description for tag in train}
    assert all(text.endswith(".") for text in described.values())
    assert len(set(described.values())) == len(described)


def test_training_and_validation_share_their_charts(trained, tiny):
    """The loss and the metrics are what the kept weights give, worked out with NumPy."""
    train, validation = drawn(trained, "train"), drawn(trained, "validation")
    assert set(validation) == {"quality/loss", "quality/accuracy"}
    assert sorted(validation["quality/loss"]) == sorted(train["quality/accuracy"]) == [16, STEPS]
    model = BertClassifier.from_pretrained(trained / "model")
    tokenizer = BertTokenizer.from_pretrained(trained / "model")

    def worth(split):
        examples = load_task("sst2").read(str(tiny / "data"), split)
        logits = np.asarray(model(tokenizer(examples.texts)), np.float64)
        losses = np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(len(logits)), examples.labels]
        return losses.mean(), np.mean(logits.argmax(axis=1) == examples.labels)

    loss, accuracy = worth("validation")
    assert validation["quality/loss"][STEPS] == pytest.approx(loss, abs=1e-5)
    assert validation["quality/accuracy"][STEPS] == pytest.approx(accuracy)
    assert train["quality/accuracy"][STEPS] == pytest.approx(worth("train")[1])  # of all 45, as they are so few
    last = [event for event in events(trained) if event["event"] == "evaluation"][-1]
    assert last["validation_loss"] == pytest.approx(loss, abs=1e-5)
    assert last["train_metrics"] == {"accuracy": pytest.approx(worth("train")[1])}
    result = json.loads((trained / "result.json").read_text())
    assert (result["validation_loss"], set(result["metrics"])) == (last["validation_loss"], {"accuracy"})


def test_the_scores_of_the_kept_weights_are_a_point_on_the_same_charts(trained):
    kept, result = drawn(trained, "kept"), json.loads((trained / "result.json").read_text())
    assert kept["quality/accuracy"] == {result["kept_step"]: pytest.approx(result["metrics"]["accuracy"])}
    assert kept["quality/loss"] == {result["kept_step"]: pytest.approx(result["validation_loss"])}


def test_a_profile_of_the_steps_that_were_asked_for(trained):
    (profile,) = (trained / "tensorboard" / "train" / "plugins" / "profile").glob("*/*.xplane.pb")
    assert b"MatMul" in profile.read_bytes()  # which updates have


@pytest.mark.parametrize(
    ("asked", "every", "count"),
    [(None, None, 60), (None, 1, 32), (None, 100, 192), (None, 900, 256), (7, 1, 7), (0, 1, 0)],
)
def test_how_many_training_examples_are_scored(asked, every, count):
    """6 % of those between two evaluations, here of 32 each update or of all 1,000, within bounds."""
    config = RunConfig.model_validate(
        {"task": "sst2", "evaluation": {"train_examples": asked}, "training": {"evaluate_every_steps": every}}
    )
    train, validation = (Examples(texts=[str(i) for i in range(size)]) for size in (1000, 9))
    found = sample_of_training(load_task("sst2"), config, {"train": train, "validation": validation})
    assert (len(found) if found else 0) == count
    assert found is None or (found.texts[0], found.texts[-1]) == ("0", "999")
