"""Your own file, from one command to a model that is scored, asked, exported, resumed and repeated."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import bert_tf
from bert_tf import evaluate, export, predict, train
from bert_tf.config import read_config
from bert_tf.errors import UserError
from bert_tf.kinds import Classification, Regression
from tests.conftest import REPOSITORY
from tests.kinds.own_data.making import rows, table, words

FEW = ["--set", "training.max_steps=2", "training.learning_rate=0.01", "training.batch_examples=4"]


@pytest.fixture
def messages(tmp_path: Path) -> Path:
    path = tmp_path / "messages.csv"
    path.write_text(table(rows(20), ";", "message;category"), encoding="utf-8")
    return path


@pytest.mark.usefixtures("shared_pipeline")
def test_a_csv_becomes_a_model_that_is_scored_and_asked(tiny_model, messages, tmp_path, capsys):
    run = tmp_path / "run"
    flags = ["--kind=classification", f"--data={messages}", "--label=category", f"--backbone={tiny_model}"]
    train.main([*flags, f"--run={run}", *FEW])
    said = capsys.readouterr()
    result = json.loads(said.out)
    assert (result["task"], result["steps"], result["train_examples"]) == ("classification", 2, 16)
    for line in (f"{messages}: 20 training rows, columns message, category", "cells are separated by ';'",
                 "text: 'message'; label: 'category'", "2 classes: bad (10), good (10)"):  # fmt: skip
        assert f"{line}\n" in said.err
    config = read_config(run / "config.toml")
    assert (config.own_data.text, config.own_data.classes) == (("message",), ("bad", "good"))
    evaluate.main([f"--run={run}"])
    scored = json.loads(capsys.readouterr().out)
    assert (scored["metrics"], scored["examples"]) == (result["metrics"], 4)
    predict.main([f"--run={run}", f"--input={messages}"])
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [answer["category"] for answer in answers] == [label for _, label in rows(20)]
    assert {answer["label"] for answer in answers} <= {"bad", "good"}
    train.main([*flags, f"--run={run}", *FEW])
    assert f"{run} holds this run, finished" in capsys.readouterr().err
    messages.write_text(messages.read_text() + "what a good day;great\n")
    with pytest.raises(
        UserError, match=r"other settings \(own_data\.classes: there \('bad', 'good'\), asked \('bad', "
    ):
        train.main([*flags, f"--run={run}", *FEW])


@pytest.mark.slow
def test_a_run_of_a_data_frame_is_scored_on_a_file_and_that_of_a_file_is_repeated_and_exported(
    tiny_model, messages, tmp_path, capsys
):
    pandas = pytest.importorskip("pandas")
    frame = pandas.read_csv(messages, sep=";")
    given: dict[str, Any] = {"backbone": tiny_model, "training": {"max_steps": 2, "learning_rate": 0.01}}
    run = bert_tf.train(
        kind="classification", data=frame, text="message", label="category", run=tmp_path / "a", **given
    )
    assert "2 classes: bad (10), good (10)\n" in capsys.readouterr().err
    assert run.pipeline()("a good film")["label"] in ("bad", "good")
    of_file = bert_tf.train(
        kind="classification", data=messages, label="category", run=tmp_path / "b", progress=False, **given
    )
    assert capsys.readouterr().err == ""
    assert of_file.metrics == run.metrics, "the same rows are put aside"
    again = bert_tf.train(config=tmp_path / "b" / "config.toml", run=tmp_path / "c", progress=False)
    assert again.metrics == of_file.metrics
    longer = bert_tf.train(config=tmp_path / "b" / "config.toml", run=tmp_path / "c", progress=False,
                           settings={"training.max_steps": 3})  # fmt: skip
    assert longer.result["steps"] == 3

    evaluate.main([f"--run={run.folder}", f"--data={messages}"])
    assert json.loads(capsys.readouterr().out)["examples"] == 20, "of other data every row counts"
    with pytest.raises(UserError, match=r"^--data is needed: this run was trained on rows in memory"):
        evaluate.main([f"--run={run.folder}"])
    export.main([f"--run={of_file.folder}", "--format=huggingface", f"--out={tmp_path / 'out'}"])
    assert json.loads(capsys.readouterr().out)
    assert bert_tf.Pipeline(tmp_path / "out")("a good film")["label"] == of_file.pipeline()("a good film")["label"]


def test_in_python_columns_are_arguments(loop, messages, tmp_path):
    given: dict[str, Any] = {"backbone": "tiny", "vocabulary": words(), "progress": False}
    run = bert_tf.train(kind="classification", data=messages, text=["message"], run=tmp_path / "run", **given)
    assert isinstance(run.kind, Classification)
    assert loop[0]["config"].own_data.label == ("category",)
    numbers = {"text": [text for text, _ in rows(10)], "price": [i / 3 for i in range(10)]}
    other = bert_tf.train(kind="classification", data=numbers, validation=0.3, run=tmp_path / "two", **given)
    assert isinstance(other.kind, Regression)
    assert (loop[1]["config"].own_data.validation, loop[1]["data"]) == (0.3, "own")
    with pytest.raises(TypeError, match=r"no argument 'lable'\. Did you mean 'label'\?"):
        bert_tf.train(kind="classification", data=messages, lable="category")
    with pytest.raises(UserError, match=r"^`run` is needed where .*`data` in memory"):
        bert_tf.train(kind="classification", data=numbers, **given)
    with pytest.raises(UserError, match=r"^expected either `task` or `kind`\. Received: task=sst2 and kind=classif"):
        bert_tf.train("sst2", kind="classification", data=messages, **given)
    with pytest.raises(UserError, match=r"^`data` is a place, unless kind=NAME says what task .*Received: dict$"):
        bert_tf.train("sst2", data=numbers, run=tmp_path / "three", **given)
    with pytest.raises(UserError, match=r"^text=mesage: .*Did you mean 'message'"):
        bert_tf.train(kind="classification", data=messages, text="mesage", **given)


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--kind=clasification"], r"--kind=clasification: expected one of classification, .*mean 'classification'"),
        (["--kind=classification"], r"--data is needed: a file or folder .*--text=message --label=category$"),
        (["--kind=classification", "--data=nowhere.csv"], r"--data=nowhere\.csv: expected .* path that is not there"),
        (
            ["--kind=tagging", "--data=hf:org/name:part"],
            r"set of a hub\. Either save it first, datasets\.load_dataset\('org/name', 'part', split='train'\)\.to_json"
            r"\('train\.jsonl'\) in Python, .* source is bert_tf\.data\.HuggingFaceDataset\('org/name:part'\)$",
        ),
        (
            ["--kind=vectors", "--data=tfds:glue/stsb"],
            r"this is a set of a hub\. .* bert_tf\.data\.Tfds\('glue/stsb'\)$",
        ),
        (
            ["--task=sst2", "--label=category"],
            r"--label: for data of your own, with --kind=NAME\. Received: --task=sst2",
        ),
        (["--task=sst2", "--kind=classification"], r"either --task or --kind"),
        (["--label=x"], r"--task is needed.*--kind=NAME"),
    ],
)
def test_what_is_asked_of_it_is_checked(flags, said):
    with pytest.raises(UserError, match=said):
        train.main(flags)


def test_rows_are_looked_at_without_tensorflow_and_without_pandas(messages):
    code = f"""
import sys
from tests.kinds.own_data.making import made
from pathlib import Path
assert sum(made(Path({str(messages)!r})).sizes) == 20
print(*sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert not {"tensorflow", "keras", "pandas", "pyarrow"} & set(done.stdout.split())
