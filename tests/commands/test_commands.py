from __future__ import annotations

import json
import resource
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bert_tf
from bert_tf import command_line, evaluate, predict, train
from bert_tf.errors import UserError

REPOSITORY = Path(__file__).resolve().parents[2]
COMMANDS = {"train": train.main, "evaluate": evaluate.main, "predict": predict.main}


def run(command: str, *flags: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", f"bert_tf.{command}", *flags],
        cwd=REPOSITORY, capture_output=True, text=True, input=stdin, timeout=300, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_help_answers_in_under_a_second(command):
    done = run(command, "--help")  # byte-compiles
    seconds = []
    for _ in range(3):  # in processor time, so that other work on the machine does no harm
        began = resource.getrusage(resource.RUSAGE_CHILDREN)
        run(command, "--help")
        ended = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds.append(ended.ru_utime - began.ru_utime + ended.ru_stime - began.ru_stime)
    assert done.returncode == 0
    assert f"python -m bert_tf.{command}" in done.stdout
    assert len(done.stdout.splitlines()) <= 60
    assert done.stderr == ""
    assert min(seconds) < 1.0, seconds


@pytest.mark.parametrize("command", COMMANDS)
def test_help_and_bad_flags_need_no_tensorflow(command):
    code = (
        f"import sys\nfrom bert_tf.{command} import main\n"
        "try: main(['--hlep'])\nexcept Exception as error: print(type(error).__name__)\n"
        "try: main(['--help'])\nexcept SystemExit as error: print(error.code)\n"
        "print('tensorflow' in sys.modules or 'keras' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[0] == "UserError", done.stderr
    assert done.stdout.splitlines()[-2:] == ["0", "False"]


@pytest.mark.parametrize(
    ("command", "flags", "expected"),
    [
        ("train", ["--task=sst3"], "unknown task 'sst3'. Did you mean 'sst2'? There are: "),
        ("train", [], "--task is needed. There are: "),
        ("train", ["--task=sst2", "--tsak=x"], "unrecognized arguments: --tsak=x"),
        ("train", ["--task=sst2", "--set"], "argument --set: expected at least one argument"),
        ("train", ["--task=sst2", "--data=nowhere"], "--data=nowhere: expected a folder or file"),
        ("train", ["--task=sst2", "--data=sample", "--run=/dev/null/run"],
         "--run=/dev/null/run: expected a folder that can be written"),
        ("train", ["--task=sst2", "--data=sample", "--set", "training.epoch=2"], "Did you mean 'training.epochs'?"),
        ("train", ["--task=sst2", "--config=sst3"], "unknown config 'sst3'. Did you mean 'sst2'?"),
        ("evaluate", [], "expected --run, or --task and --model. Received: none"),
        (
            "evaluate",
            ["--run=x", "--set", "model.lowercase=true"],
            "--set is for a --model that no run made. Received: --set model.lowercase=true",
        ),
        (
            "evaluate",
            ["--task=x", "--model=y", "--set", "model.pooling=cls", "data.source=x"],
            "--set takes model.lowercase, model.ignore, model.ignore_tokenizer here. "
            "Received: model.pooling=cls, data.source=x",
        ),
        (
            "evaluate",
            ["--task=x", "--model=y", "--set", "model.lowercase=maybe"],
            "model.lowercase",
        ),
        ("evaluate", ["--run=nowhere"], "--run=nowhere: expected a run folder. Received: no such folder"),
        ("predict", ["--run=nowhere", "--text=x"], "--run=nowhere: expected a run folder. Received: no such folder"),
        ("predict", ["--run=nowhere"], "expected either --text or --input. Received: neither"),
        ("predict", ["--run=nowhere", "--text=x", "--input=-"], "expected either --text or --input. Received: both"),
    ],
)  # fmt: skip
def test_bad_use_is_one_line_and_status_2(command, flags, expected, capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", [f"bert_tf.{command}", *flags])
    with pytest.raises(SystemExit) as ended:
        command_line.run_command(f"python -m bert_tf.{command}", COMMANDS[command])
    said = capsys.readouterr()
    check_refused(command, expected, ended.value.code, said.out, said.err)


@pytest.mark.parametrize(
    ("command", "flags", "expected"),
    [
        ("train", ["--task=sst2", "--tsak=x"], "unrecognized arguments: --tsak=x"),
        ("evaluate", ["--run=nowhere"], "--run=nowhere: expected a run folder. Received: no such folder"),
        ("predict", ["--run=nowhere"], "expected either --text or --input. Received: neither"),
    ],
)
def test_so_it_is_of_a_process(command, flags, expected):
    done = run(command, *flags)
    check_refused(command, expected, done.returncode, done.stdout, done.stderr)


def check_refused(command: str, expected: str, status: Any, out: str, error: str) -> None:
    assert (status, out) == (2, "")
    lines = error.splitlines()
    assert len(lines) == 1, error
    assert lines[0].startswith(f"python -m bert_tf.{command}: error: ")
    assert expected in lines[0]


def test_an_error_of_ours_keeps_its_traceback(tmp_path):
    broken = tmp_path / "task.py"
    kind = "class Broken(Classification):\n    @property\n    def has_own_place(self):\n        return 1 / 0\n"
    made = "Broken(source=InMemory({}), text=('a',), label='b', classes=('c', 'd'), sequence_length=8)"
    head = "from bert_tf.data import InMemory\nfrom bert_tf.kinds import Classification\n\n\n"
    broken.write_text(f"{head}{kind}\n\nTASK = {made}\n")
    done = run("train", f"--task={broken}")
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert "ZeroDivisionError" in done.stderr


def test_a_mistake_in_a_task_file_is_one_line(tmp_path):
    broken = tmp_path / "task.py"
    broken.write_text("x = 2\n1 / 0\n")
    done = run("train", f"--task={broken}")
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].endswith(f"error: {broken}:2: ZeroDivisionError: division by zero")
    assert "Traceback" not in done.stderr


# Where the data is.


def test_without_data_the_sample_is_taken_and_said(monkeypatch, capsys, tmp_path):
    kind = bert_tf.load_task("sst2")
    assert command_line.find_data(kind, "sst2", None) == "sample"
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "$BERT_TF_DATA is not set: using the small bundled sample, not the real set." in said
    assert "--data=" in said

    monkeypatch.setenv("BERT_TF_DATA", str(tmp_path))
    assert command_line.find_data(kind, "sst2", None) == "sample"
    assert f"{tmp_path / 'sst2'} (from $BERT_TF_DATA) is not there" in capsys.readouterr().err

    (tmp_path / "sst2").mkdir()
    assert command_line.find_data(kind, "sst2", None) == str(tmp_path / "sst2")
    assert command_line.find_data(kind, "sst2", "sample") == "sample"
    assert command_line.find_data(kind, "sst2", "tfds:glue/sst2") == "tfds:glue/sst2"
    assert capsys.readouterr().err == ""


def test_a_task_without_a_sample_needs_data(tmp_path):
    from bert_tf.data import Tsv
    from bert_tf.kinds import Classification

    kind = Classification(
        source=Tsv(files={}), text=("x",), label="y", classes=("a", "b"), sequence_length=8, how_to_get="Ask Ann."
    )
    with pytest.raises(UserError, match=r"--data is needed: \$BERT_TF_DATA is not set, and this .* Ask Ann\."):
        command_line.find_data(kind, "mine", None)
    with pytest.raises(UserError, match="--data=sample: this task has no bundled sample"):
        command_line.find_data(kind, "mine", "sample")


# Evaluation and prediction.


@pytest.mark.usefixtures("shared_pipeline")
def test_evaluate_scores_raw_text(tiny_run, reviews, capsys):
    evaluate.main([f"--run={tiny_run}", f"--data={reviews}"])
    printed = capsys.readouterr()
    result = json.loads(printed.out)
    answers = bert_tf.Pipeline(tiny_run)(["a good film", "a bad film", "bad, bad, bad"])
    expected = np.mean([a["label"] == b for a, b in zip(answers, ["positive", "negative", "negative"], strict=True)])
    assert result["metrics"]["accuracy"] == pytest.approx(expected)
    assert (result["task"], result["split"], result["examples"]) == ("sst2", "validation", 3)
    assert f"accuracy {expected:.4f}" in printed.err
    given = [answer["label"] for answer in answers]
    assert result["per_class"]["positive"]["support"] == 1
    assert result["per_class"]["negative"]["recall"] == pytest.approx(np.mean([a == "negative" for a in given[1:]]))
    assert set(result["per_class"]["negative"]) == {"precision", "recall", "f1", "support"}
    assert result["cut"] == {"texts": 0, "of": 3, "tokens": 0, "share_of_tokens": 0.0, "longest": 7}
    assert "positive" not in result  # no metric of this task is of one class


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("no label here", r"dev\.tsv:3"),
        ("fine\tmaybe", r"dev\.tsv:3.*maybe"),
    ],
)
@pytest.mark.usefixtures("shared_pipeline")
def test_a_broken_row_is_named_or_skipped(line, expected, tiny_run, reviews, capsys):
    (reviews / "dev.tsv").write_text(f"sentence\tlabel\ngood\t1\n{line}\nbad\t0\n")
    with pytest.raises(UserError, match=expected):
        evaluate.main([f"--run={tiny_run}", f"--data={reviews}"])
    evaluate.main([f"--run={tiny_run}", f"--data={reviews}", "--skip-bad-rows=0.4"])
    result = json.loads(capsys.readouterr().out)
    assert (result["examples"], result["bad_rows"]) == (2, 1)
    assert sum(result["bad_row_reasons"].values()) == 1


@pytest.mark.usefixtures("shared_pipeline")
def test_predict_writes_a_line_an_input_in_order(tiny_run, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(predict, "CHUNK", 4)
    texts = ["good film", "", "bad film, " * 9, "a", "é\u2028!", "good"]
    source, target = tmp_path / "in.txt", tmp_path / "out.jsonl"
    source.write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")
    predict.main([f"--run={tiny_run}", f"--input={source}", f"--output={target}"])
    answers = [json.loads(line) for line in target.read_text(encoding="utf-8").split("\n")[:-1]]
    assert [answer["text"] for answer in answers] == texts
    assert all(answer["label"] in ("negative", "positive") for answer in answers)
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("6 texts in ")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["in.txt", "out.jsonl"]


@pytest.mark.usefixtures("shared_pipeline")
def test_a_bad_line_has_an_error_in_place_of_an_answer(tiny_run, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(predict, "CHUNK", 2)
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    lines = ['{"sentence": "good", "id": "\\ud800"}', '{"sentence": null, "id": 2}', '{"sentence": "bad\\ud800"}', "{"]
    source.write_text("\n".join([*lines, '{"sentence": "bad"}\n']))
    assert predict.main([f"--run={tiny_run}", f"--input={source}", f"--output={target}"]) == 3
    answers = [json.loads(line) for line in target.read_text(encoding="utf-8").splitlines()]
    assert [answer.get("text") for answer in answers] == ["good", None, None, None, "bad"]
    assert [answer.get("id") for answer in answers] == ["\ud800", 2, None, None, None]
    assert answers[1] == {
        "id": 2,
        "error": f"{source}:2: column 'sentence': expected text. Received: None, a missing value",
    }
    assert "error" not in answers[0] | answers[4]
    assert (
        f"3 of 5 inputs have an error in place of an answer, the first: {source}:2: column" in capsys.readouterr().err
    )


@pytest.mark.usefixtures("shared_pipeline")
def test_a_file_that_breaks_off_leaves_nothing_under_the_final_name(tiny_run, tmp_path, monkeypatch):
    monkeypatch.setattr(predict, "CHUNK", 1)
    source, target = tmp_path / "in.csv", tmp_path / "new" / "folder" / "out.csv"
    source.write_text('sentence\ngood\n"bad\n')
    with pytest.raises(UserError, match=r"in\.csv:3: expected a closing quote"):
        predict.main([f"--run={tiny_run}", f"--input={source}", f"--output={target}"])
    assert sorted(file.name for file in tmp_path.iterdir()) == ["in.csv"]


@pytest.mark.parametrize("suffix", ["csv", "tsv", "json", "jsonl", "parquet"])
@pytest.mark.usefixtures("shared_pipeline")
def test_other_columns_come_back_in_the_format_that_the_name_says(suffix, tiny_run, tmp_path, capsys):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(
        {"id": ["7", "8", "9"], "sentence": ["good, film", 'a\t"b"\nc', "bad"], "label": ["x", "y", "z"]}
    )
    source = tmp_path / f"in.{suffix}"
    if suffix in ("json", "jsonl"):
        frame.to_json(source, orient="records", lines=suffix == "jsonl")
    elif suffix == "parquet":
        frame.to_parquet(source)
    else:
        frame.to_csv(source, index=False, sep={"csv": ",", "tsv": "\t"}[suffix])
    target = tmp_path / f"out.{'jsonl' if suffix == 'parquet' else suffix}"
    assert predict.main([f"--run={tiny_run}", f"--input={source}", f"--output={target}"]) == 0
    wanted = bert_tf.Pipeline(tiny_run)(list(frame["sentence"]))
    if suffix in ("csv", "tsv"):
        table = pandas.read_csv(target, sep={"csv": ",", "tsv": "\t"}[suffix], dtype={"id": str})
        columns = [
            "id",
            "input.label",
            "sentence",
            "label",
            "score",
            "probabilities.negative",
            "probabilities.positive",
        ]
        assert list(table.columns) == columns
        assert table["probabilities.positive"].tolist() == [answer["probabilities"]["positive"] for answer in wanted]
    else:
        text = target.read_text(encoding="utf-8")
        table = pandas.DataFrame(json.loads(text) if suffix == "json" else [*map(json.loads, text.splitlines())])
        assert table["probabilities"].tolist() == [answer["probabilities"] for answer in wanted]
    assert table["id"].tolist() == ["7", "8", "9"]
    assert table["input.label"].tolist() == ["x", "y", "z"]
    texts = table["sentence" if suffix in ("csv", "tsv") else "text"].tolist()
    assert texts == frame["sentence"].tolist()
    assert table["label"].tolist() == [answer["label"] for answer in wanted]
    # What was written can be read back.
    if suffix == "tsv":
        flags = [f"--run={tiny_run}", f"--input={target}"]
        capsys.readouterr()
        assert predict.main(flags) == 0
        assert [json.loads(line)["text"] for line in capsys.readouterr().out.splitlines()] == texts


@pytest.mark.usefixtures("shared_pipeline")
def test_a_column_has_one_name_in_all_answers(tiny_run, tmp_path, capsys):
    source = tmp_path / "in.jsonl"
    source.write_text('{"sentence": "a", "label": "x", "error": "y"}\n{"sentence": null, "label": "x", "error": "y"}\n')
    assert predict.main([f"--run={tiny_run}", f"--input={source}"]) == 3
    good, bad = map(json.loads, capsys.readouterr().out.splitlines())
    assert (good["input.label"], good["input.error"], "error" in good) == ("x", "y", False)
    assert (bad["input.label"], bad["input.error"], "label" in bad) == ("x", "y", False)
    assert "expected text" in bad["error"]


@pytest.mark.usefixtures("shared_pipeline")
def test_a_column_may_be_named_and_an_unknown_suffix_is_said(tiny_run, tmp_path, capsys):
    source = tmp_path / "in.csv"
    source.write_bytes("Review;Stars\ncafé;3\n".encode("cp1252"))
    flags = [f"--run={tiny_run}", f"--input={source}"]
    with pytest.raises(UserError, match=r"expected the column sentence\. .*--text-column=NAME"):
        predict.main(flags)
    assert predict.main([*flags, "--text-column=Review", "--encoding=cp1252"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["text"], answer["Stars"]) == ("café", "3")
    with pytest.raises(
        UserError, match=r"--output=x\.parquet: expected a file ending in \.jsonl, .*Received: \.parquet"
    ):
        predict.main([*flags, "--output=x.parquet"])
    with pytest.raises(UserError, match="argument --input-format: invalid choice: 'xml'"):
        predict.main([*flags, "--input-format=xml"])


@pytest.mark.slow
def test_bytes_of_the_command_line_that_are_no_text(tiny_run):
    done = subprocess.run(
        [sys.executable, "-m", "bert_tf.predict", f"--run={tiny_run}", "--text", b"a\xff", "--text=good"],
        cwd=REPOSITORY, capture_output=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 3, done.stderr
    first, second = map(json.loads, done.stdout.splitlines())
    assert first["error"].startswith("--text 1: expected text that UTF-8 can hold. Received: a lone surrogate (U+DCFF")
    assert second["text"] == "good"


def test_predict_as_a_process_prints_only_answers(tiny_run):
    done = run("predict", f"--run={tiny_run}", "--input=-", stdin="good film\n\nbad\n")
    assert done.returncode == 0, done.stderr
    assert [json.loads(line)["text"] for line in done.stdout.splitlines()] == ["good film", "", "bad"]
    lines = done.stderr.splitlines()
    assert len(lines) == 2, lines
    assert lines[0] == "Loading TensorFlow"
    assert lines[1].startswith("3 texts in ")


def test_predict_where_no_model_is_yet(tiny_run, tmp_path):
    (tmp_path / "config.toml").write_text((tiny_run / "config.toml").read_text())
    with pytest.raises(UserError, match="expected a run that has saved a model"):
        predict.main([f"--run={tmp_path}", "--text=x"])


@pytest.fixture
def damaged(tiny_run, tmp_path) -> Path:
    """A copy of the run, to be spoilt."""
    return Path(shutil.copytree(tiny_run, tmp_path / "run"))


@pytest.mark.slow
def test_a_wrong_vocabulary_is_one_line_after_tensorflow_has_started_too(damaged):
    vocabulary = damaged / "model" / "vocab.txt"
    (damaged / "model" / "tokenizer.json").unlink()  # which would count
    vocabulary.write_text("\n".join([*vocabulary.read_text().splitlines(), "more", "words"]) + "\n")
    done = run("predict", f"--run={damaged}", "--text=x")
    assert done.returncode == 2
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert len(lines) == 2, lines
    assert lines[0] == "Loading TensorFlow"
    assert lines[1].startswith("python -m bert_tf.predict: error: ")
    assert "vocab" in lines[1]


def test_truncated_weights_are_named(damaged):
    weights = damaged / "model" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(UserError, match=r"model\.safetensors"):
        predict.main([f"--run={damaged}", "--text=x"])
