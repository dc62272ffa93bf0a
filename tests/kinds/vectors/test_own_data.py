"""Vectors of somebody's own texts: pairs, triplets, scores, and folders as BEIR has them."""

from __future__ import annotations

import json

import pandas
import pytest

from bert_tf.errors import UserError
from bert_tf.kinds import Embedding, Retrieval
from tests.kinds.own_runs import own_task

WORDS = ("boat", "fish", "rain", "snow", "bread", "milk", "stone", "tree", "lamp", "door")
TEXTS = [(f"how is the {word}", f"the {word} is good", f"no {word} at all here") for word in WORDS]


def written(folder, columns, *others):
    rows = [(*texts, *more) for texts, *more in zip(TEXTS, *others, strict=True)]
    count = len(columns) - len(others)
    frame = pandas.DataFrame([(*row[:count], *row[3:]) for row in rows], columns=list(columns))
    frame.to_csv(folder / "all.csv", index=False)
    return folder / "all.csv"


def test_pairs(tmp_path):
    made = own_task("vectors", written(tmp_path, ("anchor", "positive")))
    assert isinstance(made.kind, Embedding)
    assert (made.kind.text, made.kind.loss) == (("anchor", "positive"), "contrastive")
    assert made.kind.metrics == ("mrr", "ndcg_at_10", "recall_at_10")
    assert (len(made.read("train")), len(made.read("validation"))) == (8, 2)


def test_other_separators(tmp_path):
    rows = "".join(f"{texts[0]};{texts[1]}\n" for texts in TEXTS)
    (tmp_path / "all.csv").write_text(f"one;other\n{rows}")
    made = own_task("vectors", tmp_path / "all.csv")
    assert (made.kind.text, made.run.own_data.delimiter, len(made.read("train"))) == (("one", "other"), ";", 8)


def test_triplets_whatever_they_are_called(tmp_path):
    made = own_task("vectors", written(tmp_path, ("first", "second", "third")))
    assert (made.kind.text, made.kind.loss) == (("first", "second", "third"), "contrastive")
    assert made.kind.metrics[0] == "triplet_accuracy"
    assert own_task("vectors", written(tmp_path, ("a", "b", "c")), loss="triplet").kind.loss == "triplet"
    assert own_task("vectors", written(tmp_path, ("a", "b", "c")), text="a,b").kind.text == ("a", "b")


@pytest.mark.parametrize(
    ("scores", "found"),
    [
        ([0, 1] * 5, (0.0, 1.0)),
        ([0.05 * i for i in range(1, 11)], (0.05, 0.5)),  # no usual scale: their own
        ([0.0, 0.1, 0.2, 0.5, 0.9] * 2, (0.0, 1.0)),
        ([0.0, 2.5, 5.0, 1.2, 3.8] * 2, (0.0, 5.0)),
        ([1, 2, 3, 4, 5] * 2, (1.0, 5.0)),
        ([-0.9, 0.2, 0.9, 0.5, -0.2] * 2, (-1.0, 1.0)),
        ([3, 99, 50, 70, 20] * 2, (0.0, 100.0)),
    ],
)
def test_the_scale_of_scores(tmp_path, scores, found):
    made = own_task("vectors", written(tmp_path, ("sentence1", "sentence2", "score"), scores))
    assert (made.kind.score, made.kind.score_range, made.kind.loss) == ("score", found, "cosine")
    assert made.kind.metrics == ("spearman", "pearson")
    labels = made.read("train").labels
    assert labels.min() >= 0
    assert labels.max() <= 1


def test_a_scale_that_is_given_counts(tmp_path):
    path = written(tmp_path, ("one", "other", "points"), [3, 4, 5, 3, 4] * 2)
    made = own_task("vectors", path, score_range="0,6", label="points", loss="contrastive")
    assert (made.kind.score_range, made.kind.loss) == ((0.0, 6.0), "contrastive")


def test_all_that_a_text_is_the_first_of_stays_on_one_side():
    rows = [{"query": f"how is the {word}", "positive": f"{word} {i} is good"} for word in WORDS for i in range(3)]
    made = own_task("vectors", memory=rows)
    sides = [{made.read(split).texts[i] for i in made.read(split).members[:, 0]} for split in ("train", "validation")]
    assert not sides[0] & sides[1]
    assert len(sides[1]) == 2


@pytest.fixture
def beir(tmp_path):
    (tmp_path / "qrels").mkdir()
    for name, kind in (("corpus", "d"), ("queries", "q")):
        rows = [{"_id": f"{kind}{i}", "title": "", "text": texts[kind == "d"]} for i, texts in enumerate(TEXTS)]
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    judge(tmp_path, "train", range(8))
    return tmp_path


def judge(folder, split, numbers):
    rows = "".join(f"q{i}\td{i}\t1\n" for i in numbers)
    (folder / "qrels" / f"{split}.tsv").write_text(f"query-id\tcorpus-id\tscore\n{rows}")


def test_a_folder_as_beir_has_it(beir):
    made = own_task("vectors", beir, validation=0.25)
    assert isinstance(made.kind, Retrieval)
    assert (len(made.read("train")), len(made.read("validation"))) == (6, 2)
    judge(beir, "dev", [8])
    judge(beir, "test", [9])
    made = own_task("vectors", beir)
    assert [len(made.read(split)) for split in ("train", "validation", "test")] == [8, 1, 1]
    assert made.kind.ignores_identical_ids  # as BEIR's own evaluation
    assert "validation: the queries, those of qrels/dev.tsv; every document is searched" in made.said


def test_a_folder_of_beir_s_that_cannot_be_learned_from(beir):
    (beir / "qrels" / "train.tsv").rename(beir / "qrels" / "test.tsv")
    with pytest.raises(UserError, match=r"by which a model learns. Received: a folder without qrels/train.tsv"):
        own_task("vectors", beir)


@pytest.mark.parametrize(
    ("columns", "own", "message"),
    [
        (("a", "b"), {"text": "a"}, "--text=a: expected two columns, a text and one that belongs to it, or three"),
        (("a", "b"), {"text": "a,c"}, "--text=c: .* has no such column"),
        (("a", "b"), {"loss": "triplet"}, "--loss=triplet: expected contrastive for these columns"),
        (("a", "b"), {"label": "c"}, "--label=c: .* has no such column"),
        (("a",), {}, "which columns have the texts. Say --text=ONE,OTHER. Received: 1 that may be"),
    ],
)
def test_what_cannot_be_says_so(tmp_path, columns, own, message):
    with pytest.raises(UserError, match=message):
        own_task("vectors", written(tmp_path, columns), **own)


@pytest.mark.parametrize("truths", [[True, False] * 5, ["true", "False"] * 5])
def test_true_and_false(truths):
    rows = [{"one": one, "other": other, "same": truth} for (one, other, _), truth in zip(TEXTS, truths, strict=True)]
    made = own_task("vectors", memory=rows)
    assert (made.kind.score, made.kind.score_range) == ("same", (0.0, 1.0))
    assert set(made.read("train").labels) == {0.0, 1.0}


def test_a_label_is_not_left_out_unsaid(tmp_path):
    path = written(tmp_path, ("one", "other", "label"), ["same", "different"] * 5)
    with pytest.raises(UserError, match="'label' looks like a label, 2 different: 'same', 'different'"):
        own_task("vectors", path)
    made = own_task("vectors", path, loss="contrastive")
    assert made.kind.score is None
    assert "columns that are not read: label" in made.said


def test_a_first_line_that_is_data(tmp_path):
    with pytest.raises(UserError, match="expected a first line that names the columns, such as sentence1,sentence2"):
        own_task("vectors", written(tmp_path, ("how is the moon", "the moon is good", "4.5"), [0, 5] * 5))
    made = own_task("vectors", written(tmp_path, ("how is the moon", "the moon is good")))
    assert "if that is a row of data, put a line of names before it" in made.doubts[0]


def test_scores_that_are_none(tmp_path):
    with pytest.raises(UserError, match="--label=same: expected numbers that say how alike two texts are"):
        own_task("vectors", written(tmp_path, ("a", "b", "same"), [1] * 10), label="same")
