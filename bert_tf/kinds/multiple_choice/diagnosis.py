"""Which choices are right."""

from __future__ import annotations

from collections.abc import Sequence

from bert_tf.kinds.base import Answer
from bert_tf.kinds.diagnosis import Answered, Diagnosis, share
from bert_tf.kinds.multiple_choice.examples import ChoiceExamples


def diagnose_choices(text: str, stem: str | None, answers: Sequence[Answer], examples: ChoiceExamples) -> Diagnosis:
    """Of `MultipleChoice`. A table by the place of the right choice shows a model that prefers a place.

    Args:
        text, stem: the columns of what goes with a choice.
    """
    assert examples.labels is not None
    rows = []
    for i, (own, choices, answer) in enumerate(zip(examples.texts, examples.choices, answers, strict=True)):
        index, right = int(answer["choice_index"]), int(examples.labels[i])
        inputs = {text: own}
        if stem is not None and examples.stems is not None:
            inputs[stem] = examples.stems[i]
        inputs["choices"] = " | ".join(choice for choice in choices if choice.strip())
        rows.append(
            Answered(
                number=i,
                inputs=inputs,
                expected=choices[right],
                answered=choices[index],
                is_right=index == right,
                confidence=float(answer["probabilities"][index]),
            )
        )
    table = []
    chosen = [int(answer["choice_index"]) for answer in answers]
    for place in range(max(map(len, examples.choices))):
        here = [row for row, right in zip(rows, examples.labels, strict=True) if right == place]
        good = sum(row.is_right is True for row in here)
        accuracy = good / len(here) if here else None
        table.append({"place": place, "right": len(here), "chosen": chosen.count(place), "accuracy": accuracy})
    good = sum(row.is_right is True for row in rows)
    return Diagnosis(
        rows=rows,
        summary=f"The right choice was taken for {share(good, len(rows))} questions.",
        tables={"by the place of the right choice": table},
    )
