"""bert_tf.sweep: what is tried, what is left out when it runs again, and which is the best."""

from __future__ import annotations

import csv
import json
import statistics
import sys
import types
from pathlib import Path
from typing import Any

import pytest

from bert_tf import sweep, train
from bert_tf.command_line import set_verbosity, train_parser
from bert_tf.config import read_config
from bert_tf.errors import Stopped, UserError

SCORES = {(1e-4, 1): 0.5, (1e-4, 2): 0.7, (3e-4, 1): 0.8, (3e-4, 2): 0.9}


@pytest.fixture
def runs(monkeypatch) -> list[tuple[float, int]]:
    """Stands in for the training loop: notes rate and seed, and scores as `SCORES` says; a missing one is cut off."""
    calls: list[tuple[float, int]] = []

    def stand_in(config: Any, kind: Any, run_folder: Path, *, files: Any, **rest: Any) -> dict[str, Any]:
        key = config.training.learning_rate, config.seed
        calls.append(key)
        run_folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (run_folder / name).write_text(text, encoding="utf-8")
        (run_folder / "began.json").write_text("{}")
        if key not in SCORES:
            raise UserError("step 3: the loss is nan") if config.seed == 1 else Stopped("stopped at step 3 of 9")
        result = {"task": "sst2", "metrics": {"accuracy": SCORES[key]}, "steps": 9, "seconds": 1.5}
        (run_folder / "result.json").write_text(json.dumps(result))
        return result

    monkeypatch.setitem(sys.modules, "bert_tf.training.loop", types.SimpleNamespace(train=stand_in))
    monkeypatch.setattr(train, "start_tensorflow", lambda: None)
    return calls


def swept(folder: Path, *settings: str, seeds: int = 2) -> None:
    sweep.main(["--task=sst2", "--data=sample", f"--run={folder}", f"--seeds={seeds}", "--set", *settings])  # fmt: skip


def test_every_combination_is_a_run_and_the_best_can_be_repeated(runs, tmp_path, capsys):
    set_verbosity("info")
    swept(tmp_path / "sweep", "training.learning_rate=[1e-4, 3e-4]", "training.epochs=2")
    said = capsys.readouterr()
    assert runs == list(SCORES)
    report = json.loads(said.out)
    assert report == json.loads((tmp_path / "sweep" / "sweep.json").read_text())
    low, high = report["combinations"]
    assert low["settings"] == {"training.learning_rate": 1e-4}
    assert low["mean"] == pytest.approx(statistics.fmean([0.5, 0.7]))
    assert low["standard_deviation"] == pytest.approx(statistics.stdev([0.5, 0.7]))
    assert report["best"]["settings"] == high["settings"] == {"training.learning_rate": 3e-4}
    assert (report["best"]["seed"], report["within_spread"]) == (2, [])

    # The table, and the rows.
    lines = [line.split() for line in said.err.splitlines()]
    assert ["0.0001", "0.6000", "0.1414", "0.5000", "0.7000", "2"] in lines
    assert ["0.0003", "0.8500", "0.0707", "0.8000", "0.9000", "2"] in lines
    rows = list(csv.DictReader((tmp_path / "sweep" / "sweep.csv").read_text(encoding="utf-8").splitlines()))
    assert [(float(row["training.learning_rate"]), int(row["seed"]), float(row["accuracy"])) for row in rows] == [
        (rate, seed, score) for (rate, seed), score in SCORES.items()
    ]
    configs = [read_config(Path(row["folder"]) / "config.toml") for row in rows]
    assert [(config.training.learning_rate, config.seed) for config in configs] == list(SCORES)
    assert all(config.training.epochs == 2 for config in configs)

    # The command that is named asks for the very same run.
    import shlex

    words = shlex.split(report["best"]["command"])
    assert words[:3] == ["python", "-m", "bert_tf.train"]
    flags = train_parser("p", None).parse_args(words[3:])
    again = train.trained(flags, *train.asked(flags))
    assert str(again.folder) == report["best"]["folder"]
    assert runs == list(SCORES), "it is found finished, with the same settings, and not trained again"


def test_again_it_does_what_is_not_done(runs, tmp_path, capsys, monkeypatch):
    values = "training.learning_rate=[1e-4, 3e-4]"
    missing = SCORES[(3e-4, 2)]
    monkeypatch.delitem(SCORES, (3e-4, 2))
    with pytest.raises(Stopped, match="stopped at step 3 of 9"):
        swept(tmp_path, values)
    report = json.loads((tmp_path / "sweep.json").read_text())
    assert [len(combination["runs"]) for combination in report["combinations"]] == [2, 1]
    monkeypatch.setitem(SCORES, (3e-4, 2), missing)
    swept(tmp_path, values)
    assert runs[4:] == [(3e-4, 2)]
    assert json.loads(capsys.readouterr().out)["best"]["mean"] == pytest.approx(0.85)


def test_a_run_that_fails_in_training_is_a_row_and_the_others_count(runs, tmp_path, capsys):
    swept(tmp_path, "training.learning_rate=[1e-4, 9.0]", seeds=1)
    report = json.loads(capsys.readouterr().out)
    assert report["combinations"][1]["runs"][0]["error"] == "step 3: the loss is nan"
    assert report["combinations"][1]["mean"] is None
    assert report["best"]["settings"] == {"training.learning_rate": 1e-4}
    with pytest.raises(UserError, match="no run has come to its end"):
        swept(tmp_path / "none", "training.learning_rate=[9.0]", seeds=1)


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (["--set", "training.learning_rate=[1e-4, -1]"], "training.learning_rate"),
        (["--set", "training.learning_rates=[1e-4]"], "Did you mean 'training.learning_rate'?"),
        (["--set", "training.epochs=[]"], "--set training.epochs=[]: expected an array of values to try."),
        (["--set", "training.epochs=[1, 1]"], "epochs=1 more than once"),
        (["--seeds=0"], "--seeds must be 1 or more. Received: 0"),
        (["--seeds=2", "--set", "seed=[1,2]"], "expected either --seeds or --set seed=..."),
        (["--bakcbone=x"], "unrecognized arguments: --bakcbone=x. Did you mean '--backbone'?"),
    ],
)
def test_what_cannot_be_is_said_before_the_first_run(flags, expected, runs, tmp_path):
    with pytest.raises(UserError) as error:
        sweep.main(["--task=sst2", "--data=sample", f"--run={tmp_path / 'sweep'}", *flags])
    assert expected in str(error.value)
    assert runs == []
    assert list(tmp_path.iterdir()) == []


def test_an_array_lists_what_to_try_and_of_a_list_it_is_an_array_of_lists():
    combinations, fixed = sweep.combinations_of(
        ["training.class_weights=[[1, 2], [1, 1]]", "training.epochs=[1, 2]", "seed=[4, 5]", "backbone=tiny"]
    )
    assert [combination.settings for combination in combinations] == [
        {"training.class_weights": weights, "training.epochs": epochs}
        for weights in ([1, 2], [1, 1])
        for epochs in (1, 2)
    ]
    assert fixed == ["backbone=tiny"]
    assert combinations[0].name == "class_weights=_1,_2_,epochs=1"
    assert sweep.combinations_of([])[0][0].name == "as_it_is"
