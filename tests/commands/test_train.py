"""What the command does around the loop; tests/training/ has the loop's own tests."""

from __future__ import annotations

import json
import sys

import pytest

import bert_tf
from bert_tf import evaluate, predict, train
from bert_tf.config import read_config
from bert_tf.errors import UserError
from tests.conftest import REVIEWS


def test_flags_win_over_the_recipe_and_the_resolved_run_is_written(loop, reviews, tmp_path, capsys):
    recipe = tmp_path / "mine.toml"
    recipe.write_text('backbone = "small"\nseed = 4\n[training]\nepochs = 7\n')
    folder = tmp_path / "run"
    train.main(
        ["--task=sst2", f"--config={recipe}", "--backbone=tiny", f"--data={reviews}", f"--run={folder}",
         "--skip-bad-rows", "--set", "training.epochs=1", "training.xla=true", "--set=training.max_steps=1"]
    )  # fmt: skip
    config = loop[0]["config"]
    assert (config.backbone, config.seed, config.training.epochs, config.training.max_steps) == ("tiny", 4, 1.0, 1)
    assert config.training.xla
    assert config.data.skip_bad_rows
    assert (loop[0]["data"], loop[0]["is_sample"]) == (str(reviews), False)
    assert read_config(folder / "config.toml") == config
    assert json.loads(capsys.readouterr().out)["metrics"] == {"accuracy": 0.5}


def test_a_finished_run_says_so_and_another_one_is_refused(loop, tmp_path, capsys):
    flags = ["--task=sst2", "--data=sample", f"--run={tmp_path / 'run'}"]
    train.main(flags)
    capsys.readouterr()
    train.main(flags)
    said = capsys.readouterr()
    assert "holds this run, finished" in said.err
    assert json.loads(said.out)["metrics"] == {"accuracy": 0.5}
    assert len(loop) == 1
    before = (tmp_path / "run" / "config.toml").read_text()
    with pytest.raises(UserError, match=r"other settings .*seed: there 1, asked 9; training\.beta_1: .*, asked 0\.5"):
        train.main([*flags, "--set", "seed=9", "training.beta_1=0.5", "training.epochs=1.5"])
    assert (tmp_path / "run" / "config.toml").read_text() == before


def test_settings_of_a_run_that_never_began_may_be_changed(loop, tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "config.toml").write_text('task = "sst2"\nseed = 3\n')
    train.main(["--task=sst2", "--data=sample", f"--run={folder}"])
    assert read_config(folder / "config.toml").seed == 1


def test_a_run_is_repeated_from_its_config(loop, tmp_path):
    train.main(["--task=sst2", "--data=sample", f"--run={tmp_path / 'one'}", "--set", "seed=8"])
    train.main([f"--config={tmp_path / 'one' / 'config.toml'}", f"--run={tmp_path / 'two'}"])
    assert loop[0]["config"] == loop[1]["config"]


def test_paths_are_kept_so_that_they_hold_in_another_folder(loop, reviews, tiny_model, tmp_path, monkeypatch):
    monkeypatch.chdir(tiny_model.parent)
    train.main(["--task=sst2", f"--data={reviews}", f"--run={tmp_path / 'run'}", "--backbone=model"])
    assert loop[0]["config"].backbone == str(tiny_model)
    monkeypatch.chdir(reviews.parent)
    train.main(["--task=sst2", "--data=reviews", f"--run={tmp_path / 'run'}", f"--backbone={tiny_model}"])
    assert len(loop) == 1, "the same run, finished"


def test_the_link_of_a_file_of_weights_is_kept(loop, tiny_model, tmp_path):
    """A hub's cache holds links to files that have no suffix and no config beside them."""
    (tmp_path / "blob").write_bytes((tiny_model / "model.safetensors").read_bytes())
    (tmp_path / "best.safetensors").symlink_to(tmp_path / "blob")
    flags = ["--task=sst2", "--data=sample", f"--run={tmp_path / 'run'}"]
    train.main([*flags, f"--backbone={tmp_path / 'best.safetensors'}"])
    assert loop[0]["config"].backbone == str(tmp_path / "best.safetensors")


def test_a_size_with_the_name_of_published_weights_needs_words_of_your_own(loop, tiny_model, tmp_path):
    flags = ["--task=sst2", "--data=sample", f"--run={tmp_path / 'run'}", "--backbone=roberta-base"]
    with pytest.raises(UserError, match=r"--backbone=roberta-base: .*did you mean hf://FacebookAI/roberta-base\?"):
        train.main(flags)
    assert loop == []
    train.main([*flags, "--set", f"vocabulary={tiny_model}"])
    assert loop[0]["config"].backbone == "roberta-base"


def test_an_unwritable_run_folder_is_said_before_any_work(loop, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"--run=.*file/run: expected a folder that can be written. Received: "):
        train.main(["--task=sst2", "--data=sample", f"--run={tmp_path / 'file' / 'run'}"])
    assert loop == []


# From training to an answer, with the real loop and a model of width 8.


def test_train_evaluate_predict(tiny_model, tmp_path, capsys):
    folder = tmp_path / "run"
    flags = ["--task=sst2", "--data=sample", f"--backbone={tiny_model}", f"--run={folder}"]
    flags += ["--set", "training.max_steps=3", "training.learning_rate=0.01"]
    train.main(flags)
    result = json.loads(capsys.readouterr().out)
    assert result == json.loads((folder / "result.json").read_text())
    assert (result["task"], result["data"], result["steps"]) == ("sst2", "sample", 3)

    evaluate.main([f"--run={folder}"])
    assert json.loads(capsys.readouterr().out)["metrics"] == result["metrics"]

    predict.main([f"--run={folder}", "--text=a good film", "--text=", "--precision=float32"])
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    # The command answers a few texts without a graph, which rounds in another order.
    for ours, theirs in zip(answers, bert_tf.Pipeline(folder)(["a good film", ""]), strict=True):
        assert ours.pop("score") == pytest.approx(theirs.pop("score"), abs=1e-6)
        assert ours.pop("probabilities") == pytest.approx(theirs.pop("probabilities"), abs=1e-6)
        assert ours == theirs


def test_a_broken_training_file_is_named_and_the_command_can_be_tried_again(tiny_model, reviews, tmp_path, capsys):
    (reviews / "train.tsv").write_text(REVIEWS + "three\tcells\t1\n")
    flags = ["--task=sst2", f"--data={reviews}", f"--backbone={tiny_model}", f"--run={tmp_path / 'run'}"]
    flags += ["--set", "training.max_steps=1"]
    with pytest.raises(UserError, match=r"train\.tsv:5: expected 2 columns \(sentence, label\)"):
        train.main(flags)
    with pytest.raises(UserError, match=r"train\.tsv: expected at most 1 % .*1 of 4 .* say --skip-bad-rows=0\.25$"):
        train.main([*flags, "--skip-bad-rows"])
    train.main([*flags, "--skip-bad-rows=0.25"])
    result = json.loads(capsys.readouterr().out)
    assert (result["train_examples"], result["bad_rows"]) == (3, {"train": 1, "validation": 0})
    nothing = {"texts": 0, "tokens": 0, "share_of_tokens": 0.0}
    assert {name: result["cut"]["train"][name] for name in nothing} == nothing
    assert result["bad_row_reasons"]["train"] == {"expected 2 columns (sentence, label) separated by tabs": 1}


def test_a_metric_that_is_undefined_is_said(loop, tmp_path, capsys):
    def stand_in(config, kind, run_folder, **rest):
        return {"task": "sst2", "metrics": {"accuracy": 0.5, "roc_auc": None}}

    sys.modules["bert_tf.training.loop"].train = stand_in  # pyright: ignore[reportAttributeAccessIssue]
    train.main(["--task=sst2", "--data=sample", f"--run={tmp_path / 'run'}"])
    said = capsys.readouterr()
    assert "accuracy 0.5000, roc_auc undefined" in said.err
    assert json.loads(said.out)["metrics"]["roc_auc"] is None


def test_a_result_is_a_table_to_read_or_a_line_of_json(loop, tmp_path, capsys):
    run = tmp_path / "run"
    flags = ["--task=sst2", "--data=sample", f"--run={run}"]
    train.main(flags)
    assert json.loads(capsys.readouterr().out)["metrics"] == {"accuracy": 0.5}
    train.main([*flags, "--format=text"])
    shown = capsys.readouterr().out
    assert "sst2 on the bundled sample\n  accuracy  0.500\n" in shown
    assert f"model     {run / 'model'}" in shown
    assert f'Next:\n  python -m bert_tf predict --run={run} --text="..."\n' in shown
