"""A pipeline asked for what the commands are given: rows with other columns and errors, or files and questions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from bert_tf.data.files.write import ERROR
from bert_tf.data.inputs import Input

if TYPE_CHECKING:
    from bert_tf.inference.explaining import Explanation
    from bert_tf.inference.pipeline import Pipeline

Answered = tuple[Mapping[str, Any], Mapping[str, Any]]
"""An answer, or its `error`, and the other columns of its input."""


def answers_of(pipeline: Pipeline, inputs: Sequence[Input], *, explain: bool = False) -> Iterator[Answered]:
    """For each input its answer, or `error`, and the other columns of its row.

    Args:
        explain: whether answers also have an `explanation`, or `explanations`, one for each of their parts: which words
            they hang on.

    A column has one name in all rows: `input.label` where answers have a `label`, in rows with an error too.
    """
    good = [found for found in inputs if found.error is None]
    found_answers: list[dict[str, Any]] = []
    if good:
        names = pipeline.kind.text_columns
        texts = [dict(zip(names, found.texts, strict=True)) for found in good]
        found_answers = pipeline(texts)
        if explain:
            both = zip(found_answers, pipeline.explain(texts), strict=True)
            found_answers = [answer | _of_explained(found) for answer, found in both]
    taken = {ERROR}.union(*found_answers)
    answers = iter(found_answers)
    for found in inputs:
        answer = next(answers) if found.error is None else {ERROR: found.error}
        yield answer, {f"input.{name}" if name in taken else name: cell for name, cell in found.others.items()}


def answer_over(
    pipeline: Pipeline, question: str, contexts: Mapping[str, str], *, explain: bool = False
) -> dict[str, Any]:
    """The answer to a question over several texts, by their names; of a task that asks about texts.

    Args:
        explain: whether it also has an `explanation`, where one of the texts has an answer.
    """
    over_texts = pipeline.kind.serving.over_texts
    assert over_texts is not None
    answer = over_texts(question, contexts, pipeline.rows([question] * len(contexts), list(contexts.values())))
    if explain and answer["file"] is not None:
        from bert_tf.inference.explaining import explain as explanations

        ((found,),) = explanations(pipeline, [question], [contexts[answer["file"]]], answers=[answer])
        answer |= _of_explained(found)
    return answer


def _of_explained(found: Explanation | Sequence[Explanation]) -> dict[str, Any]:
    if isinstance(found, Sequence):
        return {"explanations": [one.as_json() for one in found]}
    return {"explanation": found.as_json()}
