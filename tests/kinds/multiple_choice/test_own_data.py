"""Your own questions with choices: which columns are the choices, and how the right one is called."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from bert_tf.errors import UserError
from bert_tf.kinds import MultipleChoice
from tests.kinds.own_data.making import Made, made

ANIMALS = ("cat", "dog", "cow", "fox")


def table(count: int = 24, **options: Any) -> list[dict[str, Any]]:
    """Rows whose right choice is the animal that the question names, in turn at each of four places.

    Args:
        options: label -> what it holds for the index of the right choice.
    """
    random_ = random.Random(2)
    found = []
    for i in range(count):
        animals = random_.sample(ANIMALS, 4)
        right = i % 4
        row: dict[str, Any] = {"question": f"which of them is the {animals[right]} of house {i}?", "choices": animals}
        found.append(row | {name: of(right, animals) for name, of in options.items()})
    return found


def in_columns(rows: list[dict[str, Any]], names: tuple[str, ...]) -> list[dict[str, Any]]:
    return [{**row, **dict(zip(names, row["choices"], strict=True))} for row in rows]


def without(rows: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    return [{key: value for key, value in row.items() if key != name} for row in rows]


def guessed(run: Made) -> list[bool]:
    """Whether each label is the choice that its question names."""
    assert isinstance(run.kind, MultipleChoice)
    found = []
    for split in ("train", "validation"):
        part = run.read(split)
        found += [choices[label] in text for text, choices, label in
                  zip(part.texts, part.choices, part.labels, strict=True)]  # fmt: skip
    return found


NAMES = ("choice1", "choice2", "choice3", "choice4")


@pytest.mark.parametrize(
    ("names", "of"),
    [
        (NAMES, lambda right, animals: right),
        (NAMES, lambda right, animals: right + 1),
        (NAMES, lambda right, animals: f"{right}.0"),
        (NAMES, lambda right, animals: NAMES[right]),
        (NAMES, lambda right, animals: animals[right]),
        (("A", "B", "C", "D"), lambda right, animals: "ABCD"[right]),
        (("option_a", "option_b", "option_c", "option_d"), lambda right, animals: "abcd"[right]),
        (("ending0", "ending1", "ending2", "ending3"), lambda right, animals: right),
    ],
)
def test_choices_in_columns_and_the_right_one_called_in_any_way(names, of):
    rows = without(in_columns(table(answer=of), names), "choices")
    for rows_given in (rows, [{"id": i, "source": "a b c", **row} for i, row in enumerate(rows)]):
        run = made(memory=rows_given, kind="multiple_choice", text="question")
        assert isinstance(run.kind, MultipleChoice)
        assert (run.kind.choices, run.kind.label) == (names, "answer")
        assert guessed(run) == [True] * 24
        assert run.sizes == (19, 5)
        assert f"text: 'question'; 4 choices in {', '.join(map(repr, names))}; the right one: 'answer'" in run.lines


@pytest.mark.parametrize(
    ("of", "labels"),
    [
        (lambda right, animals: right, None),
        (lambda right, animals: "ABCD"[right], ("A", "B", "C", "D")),
        (lambda right, animals: animals[right], None),
        (lambda right, animals: right + 1, ("1", "2", "3", "4")),
    ],
)
def test_choices_in_a_list(tmp_path, of, labels):
    path = tmp_path / "train.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in table(label=of)))
    run = made(path, kind="multiple_choice")
    assert isinstance(run.kind, MultipleChoice)
    assert (run.kind.choices, run.kind.text, run.kind.labels) == ("choices", "question", labels)
    assert guessed(run) == [True] * 24
    named = [{**row, "choices": {"text": row["choices"], "label": list("WXYZ")}, "label": "WXYZ"[i % 4]}
             for i, row in enumerate(table(label=of))]  # fmt: skip
    assert guessed(made(memory=named, kind="multiple_choice")) == [True] * 24


def test_fewer_choices_a_stem_and_csv(tmp_path):
    rows = in_columns(table(label=lambda right, animals: right), NAMES)
    lines = ["question,choice1,choice2,choice3,choice4,stem,label"]
    for i, row in enumerate(rows):
        cells = [row[name] for name in NAMES]
        lines.append(",".join([row["question"], *cells[:3], cells[3] if i % 4 == 3 else "", "it is", str(i % 4)]))
    path = tmp_path / "quiz.csv"
    path.write_text("".join(f"{line}\n" for line in lines))
    run = made(path, kind="multiple_choice", stem="stem")
    assert isinstance(run.kind, MultipleChoice)
    assert (run.kind.stem, run.kind.least_choices) == ("stem", 2)
    assert guessed(run) == [True] * 24
    assert any("3 to 4 choices in" in line and "each choice begins with 'stem'" in line for line in run.lines)


@pytest.mark.parametrize(
    ("rows", "own", "said"),
    [
        (in_columns(table(label=lambda right, animals: 1 + right % 2), NAMES), {"choices": ",".join(NAMES)},
         r"--label=label: expected the index .* neither 0 nor 4 in any row, .*--classes=0,1,2,3 or --classes=1,2,3,4$"),
        (table(label=lambda right, animals: "whale"), {}, r"--label=label: expected the index, letter, .*'whale'"),
        (without(table(label=lambda right, animals: right), "choices"), {}, r"which columns are the choices\? Say"),
        (table(label=lambda right, animals: right), {"choices": "choicez"}, r"--choices=choicez: .* mean 'choices'"),
        (table(one=lambda right, animals: right, two=lambda right, animals: right), {},
         r"which column says which choice is right\? Say --label=COLUMN\. Received: several may be \(one, two\)"),
        (table(label=lambda right, animals: right), {"pair": "x"}, r"--pair is not for --kind=multiple_choice"),
        (table(label=lambda right, animals: right), {"labels": "numbers"}, r"--labels=numbers is not for"),
        (table(label=lambda right, animals: right), {"group": "writer"}, r"--group=writer: .*has no such column"),
    ],
)  # fmt: skip
def test_what_cannot_be_told_is_asked(rows, own, said):
    with pytest.raises(UserError, match=said):
        made(memory=rows, kind="multiple_choice", **own)


def test_a_text_that_is_none_of_the_choices_names_its_row(tmp_path: Path):
    rows = table(label=lambda right, animals: animals[right])
    rows[5]["label"] = "whale"
    with pytest.raises(
        UserError, match=r"train\[5\]: column 'label': .*text of one of .*'whale', which is none of them"
    ):
        made(memory=rows, kind="multiple_choice").read("train")


def test_rows_of_a_group_stay_together():
    rows = [{**row, "writer": f"writer {i % 6}"} for i, row in enumerate(table(60, label=lambda right, animals: right))]
    run = made(memory=rows, kind="multiple_choice", text="question", label="label", group="writer")
    writer = {row["question"]: row["writer"] for row in rows}
    train, validation = ({writer[text] for text in run.read(split).texts} for split in ("train", "validation"))
    assert not train & validation
    assert len(train | validation) == 6
