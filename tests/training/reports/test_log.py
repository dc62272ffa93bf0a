"""What a run wrote down, read by TensorBoard's own reader: each step once, however often the run was cut off."""

from __future__ import annotations

import json
from pathlib import Path

import tensorflow as tf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from bert_tf.training.reports.log import Log

BOARDS = {"train": "train", "evaluation": "validation"}


def on_board(folder: Path, kind: str, name: str) -> list[tuple[int, float]]:
    """Steps and values of a curve, as TensorBoard draws it."""
    name = f"quality/{name}"
    reader = EventAccumulator(str(folder / "tensorboard" / BOARDS[kind]), size_guidance={"tensors": 0})
    reader.Reload()
    if name not in reader.Tags()["tensors"]:
        return []
    return [(event.step, float(tf.make_ndarray(event.tensor_proto))) for event in reader.Tensors(name)]


def in_file(folder: Path, kind: str, name: str) -> list[tuple[int, float]]:
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [(line["step"], line[name]) for line in lines if line["event"] == kind]


def write(folder: Path, value: float, train: list[int], evaluation: list[int], **resumed: int) -> None:
    log = Log(folder, **resumed)
    for step in train:
        log.report(step, {"loss": value})
    for step in evaluation:
        log.evaluation(step, {"accuracy": value}, loss=value, of_training={"accuracy": value})


def check(folder: Path, kind: str, name: str, wanted: list[tuple[int, float]]) -> None:
    assert on_board(folder, kind, name) == wanted
    assert in_file(folder, kind, name) == wanted


def test_steps_taken_again_stand_once(tmp_path):
    write(tmp_path, 1.0, [50, 100, 150, 200], [0, 100, 200])
    check(tmp_path, "train", "loss", [(50, 1.0), (100, 1.0), (150, 1.0), (200, 1.0)])
    write(tmp_path, 2.0, [150, 200, 250], [200], resumed_at=120, evaluated_at=100)
    write(tmp_path, 3.0, [250, 300], [], resumed_at=200, evaluated_at=200)
    check(tmp_path, "train", "loss", [(50, 1.0), (100, 1.0), (150, 2.0), (200, 2.0), (250, 3.0), (300, 3.0)])
    check(tmp_path, "evaluation", "accuracy", [(0, 1.0), (100, 1.0), (200, 2.0)])


def test_a_step_that_is_not_reached_again_is_gone(tmp_path):
    write(tmp_path, 1.0, [50, 100], [100])
    write(tmp_path, 2.0, [], [], resumed_at=60, evaluated_at=0)
    check(tmp_path, "train", "loss", [(50, 1.0)])
    check(tmp_path, "evaluation", "accuracy", [])


def test_resumptions_within_a_second_stand_in_their_order(tmp_path):
    """TensorBoard takes files by their names, which within a second end in a number without leading zeros."""
    for attempt in range(3):
        write(tmp_path, float(attempt), [10 * attempt], [], resumed_at=10 * attempt - 1, evaluated_at=0)
        for file in (tmp_path / "tensorboard" / "train").glob("events.*"):
            if not file.name.split(".")[-2].startswith("0"):  # as "9" is before "10"
                start, number, end = file.name.rsplit(".", 2)
                file.rename(file.with_name(f"{start}.9{number}.{end}"))
    check(tmp_path, "train", "loss", [(0, 0.0), (10, 1.0), (20, 2.0)])


def test_an_attempt_without_a_checkpoint_leaves_nothing(tmp_path):
    write(tmp_path, 1.0, [50, 100], [0])
    write(tmp_path, 2.0, [50], [0])
    check(tmp_path, "train", "loss", [(50, 2.0)])
    check(tmp_path, "evaluation", "accuracy", [(0, 2.0)])


def test_an_event_cut_off_in_the_middle_ends_its_file(tmp_path):
    write(tmp_path, 1.0, [50, 100], [])
    (file,) = (tmp_path / "tensorboard" / "train").glob("events.*")
    file.write_bytes(file.read_bytes()[:-7])
    write(tmp_path, 2.0, [100], [], resumed_at=60, evaluated_at=0)
    check(tmp_path, "train", "loss", [(50, 1.0), (100, 2.0)])


def test_a_worker_that_is_not_the_chief_writes_nothing(tmp_path):
    log = Log(None)
    log.evaluation(3, {"accuracy": 0.5})
    log.report(3, {"loss": 0.5})
    assert log.scores_at(3) == {"accuracy": 0.5}
    assert list(tmp_path.iterdir()) == []


def test_metrics_of_training_examples_follow_the_evaluation_that_found_them(tmp_path):
    """A checkpoint may be newer than the evaluation of its step."""
    write(tmp_path, 1.0, [50, 100], [100])
    write(tmp_path, 2.0, [], [100], resumed_at=100, evaluated_at=0)
    assert on_board(tmp_path, "train", "loss") == [(50, 1.0), (100, 1.0)]
    assert on_board(tmp_path, "train", "accuracy") == [(100, 2.0)]
    check(tmp_path, "evaluation", "accuracy", [(100, 2.0)])
    assert on_board(tmp_path, "evaluation", "loss") == [(100, 2.0)]


def test_folders_of_an_earlier_version_and_of_the_kept_weights(tmp_path):
    write(tmp_path, 1.0, [], [50, 100])
    boards = tmp_path / "tensorboard"
    (boards / "validation").rename(boards / "evaluation")
    (boards / "kept").mkdir()
    (boards / "kept" / "vectors.tsv").write_text("1")
    write(tmp_path, 2.0, [], [100], resumed_at=50, evaluated_at=50)
    reader = EventAccumulator(str(boards / "evaluation"))
    reader.Reload()
    assert [event.step for event in reader.Tensors("quality/accuracy")] == [50]
    assert on_board(tmp_path, "evaluation", "accuracy") == [(100, 2.0)]
    assert not (boards / "kept").exists()


def test_lines_that_are_no_events_are_left_out_and_named(tmp_path, caplog):
    write(tmp_path, 1.0, [50, 100], [100])
    path = tmp_path / "metrics.jsonl"
    odd = ['{"event": "train", "step": "50"}', "[1]", '{"event": "x", "step": 1}', "[" * 3000,
           '{"event": "evaluation", "step": 7, "accuracy": "high"}']  # fmt: skip
    first, *rest = path.read_text().splitlines()
    path.write_text("\n".join([first, *odd, *rest, '{"event": "tra']))
    write(tmp_path, 2.0, [], [], resumed_at=100, evaluated_at=100)
    check(tmp_path, "train", "loss", [(50, 1.0), (100, 1.0)])
    check(tmp_path, "evaluation", "accuracy", [(100, 1.0)])
    assert [message.split(": ")[0].rpartition(" ")[2] for message in caplog.messages] == ["2", "3", "4", "5", "6"]
    assert "`step` must be a valid integer" in caplog.messages[0]
