"""The model that an index is made and asked with: where it is, which the index remembers, and how it reads texts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bert_tf.errors import UserError
from bert_tf.inference.engine.precision import use_all_cores
from bert_tf.kinds.task import OF_LONG_TEXTS, check_answer_settings
from bert_tf.weights.places import MINILM, ask_hub

if TYPE_CHECKING:
    from bert_tf.inference.pipeline import Pipeline
    from bert_tf.kinds.base import Kind

LENGTH = 512  # most tokens of a text where the model names no number
PLACE = "model_place"  # what an index calls the place of its model
ANSWERS = "answers"  # of a place: how the model reads texts, where somebody said so


def model_place(
    run: str | None,
    model: str | None,
    settings: Mapping[str, Any],
    about: Mapping[str, Any] | None,
    folder: Path,
    *,
    answers: Mapping[str, Any],
) -> Mapping[str, Any]:
    """Where the model is: as the flags say, or as the index remembers; minilm for a new one. And how it reads texts.

    Args:
        about: what the index remembers; None: it is to be made.
        answers: settings of answers, `long_texts` and its like; one that an index remembers holds unless it is here.
    Raises: UserError where an index does not say which model made it, and for a setting that there is not.
    """
    task = _vectors_of_any_model()
    check_answer_settings(task, OF_LONG_TEXTS, answers)
    task.with_settings(answers)
    if run is None and model is None and about is None:
        model = MINILM
    if run is not None:
        place: Mapping[str, Any] = {"run": str(Path(run).expanduser().absolute())}
    elif model is not None:
        path = Path(model).expanduser()
        is_path = model != MINILM and path.exists()
        place = {"model": str(path.absolute()) if is_path else model, "settings": dict(settings)}
    else:
        kept = (about or {}).get(PLACE)
        if kept is None:
            raise UserError(
                f"expected either --run or --model. Received: neither, and --index={folder} does not say which made it"
            )
        place = kept
    answers = {**place.get(ANSWERS, {}), **answers}
    return {**place, **({ANSWERS: answers} if answers else {})}


def fetch_model(place: Mapping[str, Any]) -> None:
    """Fetches a model of a hub, before TensorFlow is imported. Raises: UserError if there is none, or no way to it."""
    ask_hub(str(place.get("model", "")), "--model")


def open_model(place: Mapping[str, Any], *, precision: str = "float32") -> Pipeline:
    """The model of a place, for a process that does nothing else.

    Raises: UserError if a run's task is not one of sentence vectors, or nothing is there.
    """
    from bert_tf.inference.pipeline import Pipeline

    answers = place.get(ANSWERS, {})
    use_all_cores()
    if "model" in place:
        task = _vectors_of_any_model()
        return _reading(Pipeline(place["model"], task=task, precision=precision, **place.get("settings", {})), answers)
    pipeline = Pipeline(Path(place["run"]), precision=precision)
    if not pipeline.kind.serving.vector:
        raise UserError(
            f"--run={place['run']}: expected a run whose task is of sentence vectors. "
            f"Received: one of {type(pipeline.kind).__name__}"
        )
    return _reading(pipeline, answers)


def _reading(pipeline: Pipeline, answers: Mapping[str, Any]) -> Pipeline:
    try:
        return pipeline.with_settings(**answers) if answers else pipeline
    except ValueError as error:  # of a SavedModel
        raise UserError(f"--set: {error}") from None


def _vectors_of_any_model() -> Kind:
    """The task that a model which no run made is asked with."""
    from bert_tf.data import InMemory
    from bert_tf.kinds import Retrieval

    return Retrieval(source=InMemory({}), sequence_length=LENGTH)
