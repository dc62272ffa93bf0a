"""The files of tasks/: what they read, and that a file is all that a task takes."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

import bert_tf
from bert_tf import evaluate, lookup, predict, train
from bert_tf.config import Layer, resolve
from bert_tf.kinds import Classification, MultipleChoice, Regression
from tests.conftest import REPOSITORY, VOCABULARY, shared_data

TASKS = lookup.names("tasks")


@pytest.mark.parametrize("name", TASKS)
def test_a_task_is_one_file_of_under_30_lines(name):
    source = lookup.find("tasks", name).read_text(encoding="utf-8")
    assert source.count("\n") < 30
    assert re.match(r'"""\S[^"]*\(.*\d{4}', source), "it begins with what is asked, and whose set it is"
    task = bert_tf.load_task(name)
    assert task.how_to_get
    resolve([Layer(origin=name, values=task.defaults), Layer(origin="--task", values={"task": name})])


# Adding a task: this file, and nothing else.

MY_TASK = '''
"""Which feelings does a message show? (our support desk, 2026)"""

from bert_tf.data import Csv
from bert_tf.kinds import MultiLabel

TASK = MultiLabel(
    source=Csv(files={"train": "train.csv", "validation": "dev.csv"}),
    text=("message",),
    label="feelings",  # such as "joy|doubt"
    separator="|",
    classes=("joy", "anger", "doubt"),
    sequence_length=64,
)
'''
MESSAGES = "message,feelings\ngood film!,joy\n" + '"bad, bad film",anger|doubt\nfilm,\n'


def tasks_in_contributing() -> list[str]:
    section = (REPOSITORY / "CONTRIBUTING.md").read_text(encoding="utf-8").partition("\n## Adding a task\n")[2]
    return re.findall(r"```python\n(.*?)```", section.partition("\n## ")[0], re.DOTALL)


def test_contributing_shows_this_task():
    shown = tasks_in_contributing()
    if not shown:
        pytest.skip("CONTRIBUTING.md shows no task")
    assert shown == [MY_TASK.lstrip()]


@pytest.mark.slow
def test_one_file_is_all_that_a_task_takes(tiny_model, tmp_path, capsys):
    """Trained, scored and used, from outside the repository."""
    task, data, run = tmp_path / "my_task.py", tmp_path / "data", tmp_path / "run"
    task.write_text(MY_TASK)
    data.mkdir()
    for name in ("train.csv", "dev.csv"):
        (data / name).write_text(MESSAGES)
    train.main([f"--task={task}", f"--data={data}", f"--backbone={tiny_model}", f"--run={run}",
                "--set", "training.max_steps=2", "training.class_weights=balanced"])  # fmt: skip
    result = json.loads(capsys.readouterr().out)
    assert list(result["metrics"]) == ["f1_micro", "f1_macro"]
    evaluate.main([f"--run={run}"])
    assert json.loads(capsys.readouterr().out)["metrics"] == pytest.approx(result["metrics"])
    predict.main([f"--run={run}", "--text=a good film"])
    answer = json.loads(capsys.readouterr().out)
    assert list(answer["probabilities"]) == ["joy", "anger", "doubt"]
    assert bert_tf.Pipeline(run / "model")("a good film") == answer, "a model's folder alone says what it is"


@pytest.mark.slow
def test_random_weights_on_a_vocabulary_of_ones_own(reviews, tmp_path, capsys, caplog):
    words = tmp_path / "words.txt"
    words.write_text("\n".join(VOCABULARY) + "\n")
    flags = ["--task=sst2", f"--data={reviews}", "--backbone=tiny", "--set", "training.max_steps=1"]
    train.main([*flags, f"--run={tmp_path / 'run'}", "--set", f"vocabulary={words}"])
    result = json.loads(capsys.readouterr().out)
    folder = tmp_path / "run" / "model"
    assert json.loads((folder / "config.json").read_text())["vocab_size"] == len(VOCABULARY)
    assert (folder / "vocab.txt").read_text() == words.read_text()
    assert "[UNK]" not in caplog.text
    evaluate.main([f"--run={tmp_path / 'run'}"])
    assert json.loads(capsys.readouterr().out)["metrics"] == result["metrics"]

    words.write_text("\n".join(VOCABULARY[:8]) + "\n")  # no letters, no punctuation
    train.main([*flags, f"--run={tmp_path / 'two'}", "--set", f"vocabulary={words}"])
    assert re.search(r"\d\d % of the tokens are \[UNK\]: is this the text's vocabulary\?", caplog.text)


def test_a_vocabulary_is_for_random_weights(reviews, tiny_model, tmp_path):
    flags = ["--task=sst2", f"--data={reviews}", f"--run={tmp_path / 'run'}"]
    with pytest.raises(
        bert_tf.UserError, match=r"'vocabulary' is for a backbone with random weights \(tiny, .*its own"
    ):
        train.main([*flags, f"--backbone={tiny_model}", "--set", f"vocabulary={tiny_model}"])
    with pytest.raises(bert_tf.UserError, match=r"nowhere\.txt: cannot read the vocabulary"):
        train.main([*flags, "--backbone=tiny", "--set", "vocabulary=nowhere.txt"])


# What the tasks read: files laid out as the published ones.

NLI = "index\tpromptID\tpairID\tgenre\tsentence1_binary_parse\tsentence2_binary_parse\tsentence1_parse\tsentence2_parse"
DEV = f"{NLI}\tsentence1\tsentence2\tlabel1\tlabel2\tlabel3\tlabel4\tlabel5\tgold_label\n"
BEFORE, FIVE = "\t".join("abcdefgh"), "neutral\t" * 5
STSB = "index\tgenre\tfilename\tyear\told_index\tsource1\tsource2\tsentence1\tsentence2\tscore\n"
FORMS = {
    "cola": ("dev.tsv", "gj04\t1\t\tWe left.\nbc81\t0\t*\tWe \"left.\n", ["We left.", 'We "left.'], None, [1, 0]),
    "mrpc": (
        "dev.tsv",
        "\ufeffQuality\t#1 ID\t#2 ID\t#1 String\t#2 String\n1\t7\t8\tHe left .\tHe \"went .\n0\t9\t1\tA\tB\n",
        ["He left .", "A"], ['He "went .', "B"], [1, 0],
    ),
    "qqp": (
        "dev.tsv",
        "id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate\n1\t2\t3\tWhy?\tHow so?\t1\n4\t5\t6\tWho?\tWhere?\t0\n",
        ["Why?", "Who?"], ["How so?", "Where?"], [1, 0],
    ),
    "stsb": (
        "dev.tsv",
        f"{STSB}0\tmain\tf\t2012\t1\tnone\tnone\tA man.\tA \"person.\t3.500\n",
        ["A man."], ['A "person.'], [[3.5]],
    ),
    "mnli": (
        "dev_matched.tsv",
        f"{DEV}{BEFORE}\tRain.\tIt is wet.\t{FIVE}entailment\n{BEFORE}\tRain.\tIt is dry.\t{FIVE}contradiction\n",
        ["Rain.", "Rain."], ["It is wet.", "It is dry."], [0, 2],
    ),
    "qnli": (
        "dev.tsv",
        "index\tquestion\tsentence\tlabel\n0\tWho?\tHe did.\tentailment\n1\tWhen?\tNo.\tnot_entailment\n",
        ["Who?", "When?"], ["He did.", "No."], [0, 1],
    ),
    "rte": ("dev.tsv", "index\tsentence1\tsentence2\tlabel\n0\tA.\tB.\tnot_entailment\n", ["A."], ["B."], [1]),
    "wnli": ("dev.tsv", "index\tsentence1\tsentence2\tlabel\n0\tA.\tB.\t1\n", ["A."], ["B."], [1]),
    "sst2": ("dev.tsv", "sentence\tlabel\nfine . \t1\n", ["fine . "], None, [1]),
    "banking77": ("test.csv", 'text,category\n"Where, please?",card_arrival\n', ["Where, please?"], None, [11]),
    "chnsenticorp": ("dev.tsv", "很好\tpositive\n", ["很好"], None, [1]),
}  # fmt: skip
METRICS = {
    "cola": ("matthews_correlation",),
    "mrpc": ("f1", "accuracy"),
    "qqp": ("f1", "accuracy"),
    "stsb": ("spearman", "pearson"),
}


@pytest.mark.parametrize("name", FORMS)
def test_the_published_layout_is_read(name, tmp_path):
    file, content, texts, pairs, labels = FORMS[name]
    (tmp_path / file).write_text(content, encoding="utf-8")
    task = bert_tf.load_task(name)
    examples = task.read(str(tmp_path), "validation")
    assert (list(examples.texts), examples.pairs) == (texts, pairs)
    assert examples.labels is not None
    assert examples.labels.tolist() == labels
    assert task.metrics == METRICS.get(name, ("accuracy",))


SWAG = ",video-id,fold-ind,startphrase,sent1,sent2,gold-source,ending0,ending1,ending2,ending3,label\n"


def test_swag_is_read_as_published(tmp_path):
    rows = '0,lsmdc1,3415,"He left, then. She",He left. , She ,gold,"runs, too.",sits.,"eats ""it"".",hides.,2\n'
    (tmp_path / "val.csv").write_text(SWAG + rows)
    (tmp_path / "test.csv").write_text(SWAG.replace(",label", "") + rows.replace(",2\n", "\n"))
    task = bert_tf.load_task("swag")
    assert isinstance(task, MultipleChoice)
    examples = task.read(str(tmp_path), "validation")
    assert (list(examples.texts), list(examples.choices)) == (
        ["He left. "],
        [("runs, too.", "sits.", 'eats "it".', "hides.")],
    )
    assert examples.labels is not None
    assert (examples.labels.tolist(), task.metrics) == ([2], ("accuracy",))
    assert task.read(str(tmp_path), "test").labels is None
    for split, count in (("train", 64), ("validation", 32)):
        sample = task.read("sample", split)
        assert (len(sample), sample.is_sample) == (count, True)


@pytest.mark.slow
def test_mnli_is_scored_on_both_dev_sets(tmp_path, tiny_model, capsys):
    (tmp_path / "train.tsv").write_text(
        f"{NLI}\tsentence1\tsentence2\tlabel1\tgold_label\n{BEFORE}\ta\tb\tx\tneutral\n"
    )
    (tmp_path / "dev_matched.tsv").write_text(f"{DEV}{BEFORE}\ta\tb\t{FIVE}neutral\n")
    (tmp_path / "dev_mismatched.tsv").write_text(
        f"{DEV}" + f"{BEFORE}\ta\tb\t{FIVE}neutral\n{BEFORE}\ta\tb\t{FIVE}entailment\n"
    )
    flags = ["--task=mnli", f"--data={tmp_path}", f"--run={tmp_path / 'run'}", f"--backbone={tiny_model}"]
    train.main([*flags, "--set", "training.max_steps=30", "training.learning_rate=0.05", "training.keep=last"])
    metrics = json.loads(capsys.readouterr().out)["metrics"]
    assert metrics == {"accuracy": 1.0, "accuracy_mismatched": 0.5}
    evaluate.main([f"--run={tmp_path / 'run'}"])
    result = json.loads(capsys.readouterr().out)
    assert (result["metrics"], result["examples"]) == (metrics, 3)
    evaluate.main([f"--run={tmp_path / 'run'}", "--split=validation_mismatched"])
    assert json.loads(capsys.readouterr().out)["metrics"] == {"accuracy": 0.5}
    evaluate.main([f"--run={tmp_path / 'run'}", f"--data={tmp_path / 'dev_mismatched.tsv'}"])
    assert json.loads(capsys.readouterr().out)["metrics"] == {"accuracy": 0.5}


# The real sets, where they are.


@pytest.mark.real
def test_banking77_reads():
    task = bert_tf.load_task("banking77")
    assert isinstance(task, Classification)
    assert len(task.classes) == 77
    counts = {}
    for split in ("train", "validation"):
        examples = task.read(str(shared_data("banking77")), split)
        assert examples.labels is not None
        assert set(examples.labels) == set(range(77))
        counts[split] = len(examples)
    assert counts == {"train": 10003, "validation": 3080}


@pytest.mark.real
def test_stsb_reads_as_csv_too():
    task = bert_tf.load_task("stsb")
    assert isinstance(task, Regression)
    examples = task.read(str(shared_data("stsb_en")), "validation")
    assert len(examples) == 1500
    assert examples.labels is not None
    assert (examples.labels.min(), examples.labels.max()) == (0, 5)
    assert examples.pairs is not None


@pytest.mark.real
def test_chnsenticorp_reads_and_the_vocabulary_knows_its_words():
    from bert_tf.text import BertTokenizer

    task = bert_tf.load_task("chnsenticorp")
    examples = task.read(str(shared_data("chnsenticorp")), "validation")
    assert len(examples) == 1200
    assert examples.labels is not None
    assert int(examples.labels.sum()) == 593
    path = Path(shared_data("vocab")) / "bert-base-chinese-vocab.txt"
    tokenizer = BertTokenizer.from_pretrained(path)
    assert (tokenizer.vocabulary_size, tokenizer.lowercase) == (21128, True)
    features = task.features(tokenizer, examples)
    assert np.mean(features.token_ids == tokenizer.unk_id) < 0.01
    cased = BertTokenizer.from_pretrained(path.with_name("bert-base-cased-vocab.txt"))
    assert not cased.lowercase
