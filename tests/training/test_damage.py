"""What a run makes of damage to its own files when it resumes: it is mended and said, never left and never silent."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf

from bert_tf.disk.whole import checksums
from bert_tf.errors import UserError
from bert_tf.training.checkpoints.state import State
from bert_tf.training.setup import Setup
from tests.training.conftest import EXACT, assert_same_weights
from tests.training.test_loop import events, run, saved

SETTINGS = {**EXACT, "training.keep": "best", "training.learning_rate": 0.1, "training.evaluate_every_steps": 2,
            "training.checkpoint_every_steps": 3, "training.max_steps": 8}  # fmt: skip


pytestmark = pytest.mark.slow
BEST = 4  # neither of the last two checkpoints, 6 and 8


@pytest.fixture(scope="module", autouse=True)
def _the_best_is_in_the_middle() -> Iterator[None]:
    record = State.record
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            State, "record", lambda state, score, step, **more: record(state, -abs(step - BEST), step, **more)
        )
        yield


@pytest.fixture(name="whole", scope="module")
def whole_fixture(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole") / "run"
    assert run(tiny, folder, SETTINGS)["kept_step"] == BEST
    return folder


@pytest.fixture(name="run_folder")
def run_folder_fixture(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "run"))


def steps_kept(folder: Path) -> list[int]:
    return sorted(int(path.name.split("-")[1]) for path in (folder / "checkpoints").iterdir())


def compared(result: dict[str, Any]) -> dict[str, Any]:
    """A result but for what is measured."""
    measured = ("second", "flops", "memory", "padding", "warnings")
    return {name: value for name, value in result.items() if not any(part in name for part in measured)}


def read(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "result.json").read_text())


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_the_last_two_checkpoints_and_that_of_the_weights_in_model_are_kept(whole):
    assert steps_kept(whole) == [BEST, 6, 8]


CHANGES: dict[str, Callable[[Path], object]] = {
    "gone": lambda path: path.unlink(),
    "cut": lambda path: path.write_bytes(path.read_bytes()[:30]),
    "emptied": lambda path: path.write_bytes(b""),
    "a bit flipped": flip,
}


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("model.safetensors", "a bit flipped"),
        ("model.safetensors", "emptied"),
        ("config.json", "gone"),
        ("vocab.txt", "cut"),
    ],
)
def test_damaged_weights_are_written_again_from_their_checkpoint(tiny, whole, run_folder, caplog, name, change):
    CHANGES[change](run_folder / "model" / name)
    (run_folder / "metrics.jsonl").write_text("")
    (run_folder / "began.json").unlink()
    found = run(tiny, run_folder, SETTINGS)
    assert checksums(run_folder / "model") == checksums(whole / "model")
    assert compared(found) == compared(read(whole))  # its metrics, too, though metrics.jsonl was emptied
    (warning,) = [line for line in found["warnings"] if "model" in line and "learnt" not in line]
    assert warning.startswith(f"the weights in {run_folder / 'model'} are not as they were kept ({name} ")
    assert warning.endswith(f"it is written again, from the checkpoint of step {BEST}")
    assert warning in caplog.text


@pytest.mark.parametrize("model", ["damaged", "gone"])
def test_weights_that_no_checkpoint_has_give_way_to_the_next(tiny, whole, run_folder, model):
    if model == "gone":
        shutil.rmtree(run_folder / "model")
    else:
        flip(run_folder / "model" / "model.safetensors")
    shutil.rmtree(run_folder / "checkpoints" / f"ckpt-{BEST}")
    found = run(tiny, run_folder, SETTINGS)
    assert found["kept_step"] == 8
    (warning,) = [line for line in found["warnings"] if "model" in line and "learnt" not in line]
    assert warning.endswith("so that those of the next evaluation are kept instead")
    last = [event["accuracy"] for event in events(run_folder) if event["event"] == "evaluation"][-1]
    assert found["metrics"] == {"accuracy": last}
    assert (run_folder / "model" / "config.json").is_file()
    assert steps_kept(run_folder) == [6, 8]


@pytest.mark.parametrize("change", ["gone", "cut"])
def test_lost_notes_lose_no_metrics(tiny, whole, run_folder, change):
    CHANGES[change](run_folder / "metrics.jsonl")
    assert compared(run(tiny, run_folder, SETTINGS)) == compared(read(whole))


def test_a_run_with_all_but_its_checkpoints_lost_ends_as_it_did(tiny, whole, run_folder):
    """And with its newest checkpoint damaged, so that updates are made again."""
    for path in run_folder.iterdir():
        if path.name != "checkpoints":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    flip(next((run_folder / "checkpoints" / "ckpt-8").glob("weights.data-*")))
    found = run(tiny, run_folder, SETTINGS)
    assert compared(found) == compared(read(whole))
    assert checksums(run_folder / "model") == checksums(whole / "model")
    assert "ckpt-8: weights.data-00000-of-00001 has another content" in found["warnings"][0]


def test_checkpoints_that_are_all_damaged_are_refused_and_nothing_is_overwritten(tiny, run_folder):
    for path in (run_folder / "checkpoints").glob("*/weights.index"):
        path.unlink()
    before = checksums(run_folder)
    with pytest.raises(UserError, match=r"no checkpoint of this run can be read \(\S*ckpt-8: weights.index is missing"):
        run(tiny, run_folder, SETTINGS)
    assert checksums(run_folder) == before


def test_a_model_without_checkpoints_is_not_overwritten_in_silence(tiny, whole, run_folder, caplog):
    shutil.rmtree(run_folder / "checkpoints")
    found = run(tiny, run_folder, SETTINGS)
    assert f"{run_folder} holds a model and no checkpoint: the run begins again" in caplog.text
    assert compared(found) == compared(read(whole))


def test_a_run_of_an_earlier_version_resumes(tiny, tmp_path, monkeypatch):
    """Its checkpoints were TensorFlow's managers', with a list and nothing else."""
    from bert_tf.training import loop

    def as_before(setup: Setup) -> None:
        def save(step: int) -> None:
            manager.save(checkpoint_number=step)
            if step == 6:
                raise KeyboardInterrupt

        folder = setup.checkpoints.folder.path
        manager = tf.train.CheckpointManager(tf.train.Checkpoint(**setup.checkpoints.parts), str(folder), max_to_keep=2)
        monkeypatch.setattr(setup.checkpoints, "save", save)

    def set_up_as_before(*arguments, **more):
        made = set_up(*arguments, **more)
        as_before(made)
        return made

    set_up = loop.set_up
    with monkeypatch.context() as patch:
        patch.setattr(loop, "set_up", set_up_as_before)
        with pytest.raises(KeyboardInterrupt):
            run(tiny, tmp_path / "old", SETTINGS)
    assert (tmp_path / "old" / "checkpoints" / "checkpoint").is_file()
    assert (tmp_path / "old" / "checkpoints" / "ckpt-6.index").is_file()
    found, wanted = run(tiny, tmp_path / "old", SETTINGS), run(tiny, tmp_path / "new", SETTINGS)
    assert compared(found) == compared(wanted)
    assert_same_weights(saved(tmp_path / "old"), saved(tmp_path / "new"))
    assert {path.name for path in (tmp_path / "old" / "checkpoints").iterdir()} >= {"ckpt-8"}
